package dockerconfig

import (
	"encoding/base64"
	"strings"
	"testing"
)

// b64 is standard base64, as printf %s … | base64 writes it.
func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

const (
	hubKey = "https://index.docker.io/v1/"
	digest = "@sha256:4a1c4b21597c1b4415bdbecb28a3296c6b5e23ca4f9feeb599860a1dac6a0108"
)

// auths is a config.json with one entry for each pair of key and entry; an entry that is no object is an auth.
func auths(pairs ...string) string {
	var entries []string
	for i := 0; i < len(pairs); i += 2 {
		entry := pairs[i+1]
		if !strings.HasPrefix(entry, "{") {
			entry = `{"auth":"` + b64(entry) + `"}`
		}
		entries = append(entries, `"`+pairs[i]+`":`+entry)
	}
	return `{"auths":{` + strings.Join(entries, ",") + `}}`
}

// with adds members to the top of a config.json.
func with(config, members string) string {
	return strings.TrimSuffix(config, "}") + "," + members + "}"
}

// found is what a look-up is expected to say: KEY USER PASSWORD, or a reason.
func found(c RunnerCredentials) string {
	var tokens string
	if c.IdentityToken {
		tokens += " +identitytoken"
	}
	if c.RegistryToken {
		tokens += " +registrytoken"
	}
	if c.Reason != "" {
		return string(c.Reason) + tokens
	}
	return c.Key + " " + c.Username + " " + c.Password + tokens
}

// The rows of the measured tables of docker-java 3.7.1, by their words.
func TestForRunner(t *testing.T) {
	plain := auths("reg.example.com", "user:pass")
	hub := auths(hubKey, "user:pass")
	const pass = "reg.example.com user pass"
	for _, row := range []struct{ name, config, image, want string }{
		{"plain entry", plain, "reg.example.com/a/pause:1", pass},
		{"plain entry, digest", plain, "reg.example.com/a/pause" + digest, pass},
		{"plain entry, tag and digest", plain, "reg.example.com/a/pause:1" + digest, pass},
		{"plain entry, no tag", plain, "reg.example.com/pause", pass},
		{"port 443 is another host", plain, "reg.example.com:443/a/pause:1", "no-entry"},
		{"upper-case host is another host", plain, "REG.example.com/a/pause:1", "no-entry"},
		{
			"key with scheme and path", auths("https://reg.example.com/v2/", "user:pass"),
			"reg.example.com/a/pause:1",
			"https://reg.example.com/v2/ user pass",
		},
		{
			"key with http", auths("http://reg.example.com", "user:pass"), "reg.example.com/a/pause:1",
			"http://reg.example.com user pass",
		},
		{
			"key with path", auths("reg.example.com/team", "user:pass"), "reg.example.com/other/pause:1",
			"reg.example.com/team user pass",
		},
		{
			"two paths of one host: the first", auths("reg.example.com/team-a", "a:1", "reg.example.com/team-b",
				"b:2"),
			"reg.example.com/team-b/pause:1", "reg.example.com/team-a a 1",
		},
		{
			"exact key before an earlier path", auths("reg.example.com/team-a", "a:1", "reg.example.com", "b:2"),
			"reg.example.com/team-a/pause:1", "reg.example.com b 2",
		},
		{
			"key with port, image with it", auths("reg.example.com:5000", "user:pass"),
			"reg.example.com:5000/pause:1",
			"reg.example.com:5000 user pass",
		},
		{
			"key with port, image without", auths("reg.example.com:5000", "user:pass"), "reg.example.com/pause:1",
			"no-entry",
		},
		{"key with a leading blank", auths(" reg.example.com", "user:pass"), "reg.example.com/pause:1", "no-entry"},
		{
			"key with upper-case scheme", auths("HTTPS://reg.example.com", "user:pass"), "reg.example.com/pause:1",
			"no-entry",
		},
		{"key with user", auths("user@reg.example.com", "user:pass"), "reg.example.com/pause:1", "no-entry"},
		{"key with query", auths("reg.example.com?x", "user:pass"), "reg.example.com/pause:1", "no-entry"},
		{"key with ftp", auths("ftp://reg.example.com", "user:pass"), "reg.example.com/pause:1", "no-entry"},
		{"key with wildcard", auths("*.example.com", "user:pass"), "reg.example.com/pause:1", "no-entry"},
		{"localhost", auths("localhost", "user:pass"), "localhost/pause:1", "localhost user pass"},
		{"port without dot", auths("registry:5000", "user:pass"), "registry:5000/pause:1", "registry:5000 user pass"},
		{"host without dot and port is Docker Hub", auths("registry", "user:pass"), "registry/pause:1", "no-entry"},
		{"upper-case first component is Docker Hub", auths("REGISTRY", "user:pass"), "REGISTRY/pause:1", "no-entry"},

		{"Hub key, account", hub, "acme/pause", hubKey + " user pass"},
		{"Hub key, official image", hub, "pause", hubKey + " user pass"},
		{"Hub key, official image with tag", hub, "pause:3.8", hubKey + " user pass"},
		{"Hub key, image at docker.io", hub, "docker.io/acme/pause", "no-entry"},
		{"Hub key, image at registry-1.docker.io", hub, "registry-1.docker.io/acme/pause", "no-entry"},
		{"Hub key, image at index.docker.io", hub, "index.docker.io/acme/pause", "invalid-reference"},
		{"key docker.io, account", auths("docker.io", "user:pass"), "acme/pause", "no-entry"},
		{
			"key docker.io, image at docker.io", auths("docker.io", "user:pass"), "docker.io/acme/pause",
			"docker.io user pass",
		},
		{"key index.docker.io", auths("index.docker.io", "user:pass"), "acme/pause", "no-entry"},
		{
			"Hub key without its final slash", auths("https://index.docker.io/v1", "user:pass"), "acme/pause",
			"no-entry",
		},

		{"credsStore alone", `{"credsStore":"desktop"}`, "reg.example.com/pause:1", "store"},
		{"empty credsStore", `{"credsStore":""}`, "reg.example.com/pause:1", "no-entry"},
		{"credHelpers alone", `{"credHelpers":{"reg.example.com":"pass"}}`, "reg.example.com/pause:1", "helper"},
		{
			"credHelpers for another host", `{"credHelpers":{"other.example.com":"pass"}}`, "reg.example.com/pause:1",
			"no-entry",
		},
		{"credHelpers for the Hub", `{"credHelpers":{"` + hubKey + `":"pass"}}`, "acme/pause", "helper"},
		{
			"helper of the host before the store",
			`{"credsStore":"desktop","credHelpers":{"reg.example.com":"pass"}}`,
			"reg.example.com/pause:1", "helper",
		},
		{
			"no helper for the host, though there is a store",
			`{"credsStore":"desktop","credHelpers":{"reg.example.com":""}}`,
			"reg.example.com/pause:1", "no-entry",
		},
		{
			"credsStore with an empty entry", with(auths("reg.example.com", "{}"), `"credsStore":"desktop"`),
			"reg.example.com/pause:1", "store",
		},
		{"credsStore with a plain entry", with(plain, `"credsStore":"desktop"`), "reg.example.com/pause:1", pass},
		{"empty entry alone", auths("reg.example.com", "{}"), "reg.example.com/pause:1", "empty-entry"},
		{
			"entry with an e-mail alone", auths("reg.example.com", `{"email":"a@b.c"}`), "reg.example.com/pause:1",
			"empty-entry",
		},
		{
			"entry with null alone", auths("reg.example.com", `{"auth":null}`), "reg.example.com/pause:1",
			"empty-entry",
		},
		{
			"credHelpers and a plain entry", with(plain, `"credHelpers":{"reg.example.com":"pass"}`),
			"reg.example.com/pause:1", pass,
		},
		{
			"an exact empty entry hides a good one with a path", auths("reg.example.com/v2/", "user:pass",
				"reg.example.com", "{}"),
			"reg.example.com/pause:1", "empty-entry",
		},

		{
			"username and password without auth", auths("reg.example.com", `{"username":"user","password":"pass"}`),
			"reg.example.com/pause:1", pass,
		},
		{
			"identitytoken alone", auths("reg.example.com", `{"identitytoken":"t"}`), "reg.example.com/pause:1",
			"empty-credentials +identitytoken",
		},
		{
			"identitytoken beside auth", auths("reg.example.com",
				`{"auth":"`+b64("user:pass")+`","identitytoken":"t"}`),
			"reg.example.com/pause:1", pass + " +identitytoken",
		},
		{
			"registrytoken alone", auths("reg.example.com", `{"registrytoken":"t"}`), "reg.example.com/pause:1",
			"empty-credentials +registrytoken",
		},
		{
			"empty identitytoken", auths("reg.example.com", `{"auth":"`+b64("user:pass")+`","identitytoken":""}`),
			"reg.example.com/pause:1", pass,
		},
		{
			"password with colons", auths("reg.example.com", "user:pa:ss:"), "reg.example.com/pause:1",
			"reg.example.com user pa:ss:",
		},
		{
			"padding left out", auths("reg.example.com", `{"auth":"dXNlcjpwYXNzMQ"}`), "reg.example.com/pause:1",
			"reg.example.com user pass1",
		},
		{
			"password ends in a line break", auths("reg.example.com", "user:pass\n"), "reg.example.com/pause:1",
			pass + "\n",
		},
		{"empty user", auths("reg.example.com", ":pass"), "reg.example.com/pause:1", "empty-credentials"},
		{"empty password", auths("reg.example.com", "user:"), "reg.example.com/pause:1", "empty-credentials"},
		{
			"user alone", auths("reg.example.com", `{"username":"user"}`), "reg.example.com/pause:1",
			"empty-credentials",
		},

		{
			"fields override auth", auths("reg.example.com",
				`{"auth":"`+b64("user:pass")+`","username":"x","password":"y"}`),
			"reg.example.com/pause:1", "reg.example.com x y",
		},
		{
			"a field before auth overrides it too", auths("reg.example.com",
				`{"password":"y","auth":"`+b64("user:pass")+`"}`),
			"reg.example.com/pause:1", "reg.example.com user y",
		},
		{
			"an empty field overrides auth", auths("reg.example.com",
				`{"auth":"`+b64("user:pass")+`","password":""}`),
			"reg.example.com/pause:1", "empty-credentials",
		},
		{
			"a null field does not", auths("reg.example.com", `{"auth":"`+b64("user:pass")+`","password":null}`),
			"reg.example.com/pause:1", pass,
		},
		{
			"the daemon ignores case", auths("reg.example.com", `{"auth":"`+b64("user:pass")+`","Password":"y"}`),
			"reg.example.com/pause:1", "reg.example.com user y",
		},
		{
			"of a field twice the last", auths("reg.example.com",
				`{"username":"x","username":"user","password":"pass"}`),
			"reg.example.com/pause:1", pass,
		},
		{
			"a number as password", auths("reg.example.com", `{"auth":"`+b64("user:pass")+`","password":1234}`),
			"reg.example.com/pause:1", "dropped-header",
		},
		{
			"a boolean as user", auths("reg.example.com", `{"username":true,"password":"pass"}`),
			"reg.example.com/pause:1",
			"dropped-header",
		},
		{
			"a number in an unknown field", auths("reg.example.com", `{"auth":"`+b64("user:pass")+`","note":1}`),
			"reg.example.com/pause:1", pass,
		},
		{
			"a wrong type elsewhere", with(plain, `"psFormat":1,"plugins":[],"credsStore":{}`),
			"reg.example.com/pause:1", pass,
		},

		{"auths null", `{"auths":null}`, "reg.example.com/pause:1", "no-entry"},
		{
			"no auths wrapper", `{"reg.example.com":{"auth":"` + b64("user:pass") + `"}}`, "reg.example.com/pause:1",
			"no-entry",
		},
		{"Auths", strings.Replace(plain, "auths", "Auths", 1), "reg.example.com/pause:1", "no-entry"},
		{"Auth", strings.Replace(plain, `"auth"`, `"Auth"`, 1), "reg.example.com/pause:1", "empty-entry"},
		{"literal null", "null", "reg.example.com/pause:1", "no-entry"},
		{"UTF-8 BOM", "\ufeff" + plain, "reg.example.com/pause:1", pass},
		{"UTF-16LE with BOM", utf16Text(plain, true), "reg.example.com/pause:1", pass},
		{"UTF-16LE without BOM", utf16Text(plain, false), "reg.example.com/pause:1", pass},
		{"text after the end", plain + "}\ngarbage", "reg.example.com/pause:1", pass},
		{
			"duplicate entry: the last", auths("reg.example.com", "a:1", "reg.example.com", "user:pass"),
			"reg.example.com/pause:1", pass,
		},
		{"duplicate auths: the last as a whole", with(plain, `"auths":{}`), "reg.example.com/pause:1", "no-entry"},
		{"duplicate auths: a null loses all", with(plain, `"auths":null`), "reg.example.com/pause:1", "no-entry"},
		{
			"a duplicate keeps the first one's turn",
			auths("reg.example.com/a", "a:1", "reg.example.com/b", "b:2", "reg.example.com/a", "c:3"),
			"reg.example.com/x:1", "reg.example.com/a c 3",
		},
		{"key with an escape", auths(`reg\u002eexample.com`, "user:pass"), "reg.example.com/pause:1", pass},
		{"slashes escaped", auths(`https:\/\/index.docker.io\/v1\/`, "user:pass"), "pause", hubKey + " user pass"},

		{"image with a scheme", plain, "https://reg.example.com/pause:1", "invalid-reference"},
		{"image in upper case", plain, "reg.example.com/Team/pause:1", "invalid-reference"},
		{"image with //", plain, "reg.example.com//pause:1", "invalid-reference"},
		{"image with a blank", plain, "reg.example.com/my pause:1", "invalid-reference"},
		{"image with __", plain, "reg.example.com/my__pause:1", "invalid-reference"},
		{"image with --", plain, "reg.example.com/my--pause:1", "invalid-reference"},
		{"image with sha512", plain, "reg.example.com/pause@sha512:00", "invalid-reference"},
		{
			"the file is refused", auths("reg.example.com", "user:pass", "other.example.com", "nocolon"),
			"reg.example.com/pause:1", "file-rejected",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := Parse("config.json", []byte(row.config))
			if got := found(f.ForRunner(row.image)); got != row.want {
				t.Errorf("%s\nfor %s: got %q, want %q", row.config, row.image, got, row.want)
			}
		})
	}
}

func TestForRunnerWithoutFile(t *testing.T) {
	var f *File
	if got := f.ForRunner("reg.example.com/pause:1").Reason; got != NoFile {
		t.Errorf("got %q", got)
	}
	if got := f.ForDocker("reg.example.com/pause:1"); got != (DockerCredentials{}) {
		t.Errorf("got %v", got)
	}
	if f.Rejection() != nil || f.Entries() != nil || f.WrongTypes() != nil {
		t.Error("a missing file has entries or is refused")
	}
}

func TestServerAddress(t *testing.T) {
	f := Parse("config.json", []byte(auths("reg.example.com", "user:pass", "other.example.com",
		`{"auth":"`+b64("user:pass")+`","serveraddress":"reg.example.com"}`)))
	for image, want := range map[string]string{
		"reg.example.com/a":   "reg.example.com",
		"other.example.com/a": "reg.example.com",
	} {
		if got := f.ForRunner(image).ServerAddress; got != want {
			t.Errorf("%s: got %q, want %q", image, got, want)
		}
	}
}

// The reader's own words, as it throws them.
func TestRunnerHost(t *testing.T) {
	for _, row := range []struct{ image, host, err string }{
		{"pause", hubKey, ""},
		{"", hubKey, ""},
		{"acme/my__pause:1", hubKey, ""},
		{"my-private-registry/my-pause:latest", hubKey, ""},
		{"localhost:5000/pause", "localhost:5000", ""},
		{"reg.example.com/team/pause/", "reg.example.com", ""},
		{"reg.example.com/pause:" + strings.Repeat("a", 300), "reg.example.com", ""},
		{"index.docker.io/acme/pause", "", `Invalid repository name, try "acme/pause" instead`},
		{"docker://reg.example.com/pause", "", "RepositoryName shouldn't contain a scheme"},
		{"reg.example.com/", "", `Invalid empty repository name ""`},
		{"reg.example.com/my__pause:1", "", `Repository name "my__pause" is invalid. Component: my__pause`},
		{"reg.example.com/a/B", "", `Repository name "a/B" is invalid. Component: B`},
		{"reg.example.com/" + strings.Repeat("a", 256), "", `Repository name "` + strings.Repeat("a",
			256) + `" is longer than 255`},
	} {
		host, err := RunnerHost(row.image)
		if row.err == "" && (err != nil || host != row.host) || row.err != "" && (err == nil ||
			err.Error() != row.err) {
			t.Errorf("%s: got %q and %v, want %q and %q", row.image, host, err, row.host, row.err)
		}
	}
}

func utf16Text(text string, mark bool) string {
	var out strings.Builder
	if mark {
		out.WriteString("\xff\xfe")
	}
	for i := 0; i < len(text); i++ {
		out.Write([]byte{text[i], 0})
	}
	return out.String()
}
