package dockerconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// The rows about docker's CLI of the measured tables and of its sources: KEY USER PASSWORD, or "helper NAME".
func TestForDocker(t *testing.T) {
	plain := auths("reg.example.com", "user:pass")
	hub := auths(hubKey, "user:pass")
	for _, row := range []struct{ name, config, image, want string }{
		{"plain entry", plain, "reg.example.com/a/pause:1", "reg.example.com user pass"},
		{"__ is legal", plain, "reg.example.com/my__pause:1", "reg.example.com user pass"},
		{"port 443 is another host", plain, "reg.example.com:443/a/pause:1", ""},
		{
			"key with scheme and path", auths("https://reg.example.com/v2/", "user:pass"), "reg.example.com/a:1",
			"https://reg.example.com/v2/ user pass",
		},
		{"Hub, account", hub, "acme/pause", hubKey + " user pass"},
		{"Hub, docker.io", hub, "docker.io/acme/pause", hubKey + " user pass"},
		{"Hub, index.docker.io", hub, "index.docker.io/acme/pause", hubKey + " user pass"},
		{"Hub, registry-1.docker.io", hub, "registry-1.docker.io/acme/pause", ""},
		{"Hub, key docker.io", auths("docker.io", "user:pass"), "acme/pause", ""},
		{
			"upper-case first component is a host", auths("REGISTRY", "user:pass"), "REGISTRY/pause:1",
			"REGISTRY user pass",
		},
		{
			"auth beats the fields", auths("reg.example.com",
				`{"auth":"`+b64("user:pass")+`","username":"x","password":"y"}`),
			"reg.example.com/a", "reg.example.com user pass",
		},
		{
			"fields without auth", auths("reg.example.com", `{"username":"x","password":"y"}`), "reg.example.com/a",
			"reg.example.com x y",
		},
		{
			"empty auth leaves the fields", auths("reg.example.com", `{"auth":"","username":"x","password":"y"}`),
			"reg.example.com/a", "reg.example.com x y",
		},
		{
			"NULs are cut off the password", auths("reg.example.com", "user:pass\x00"), "reg.example.com/a",
			"reg.example.com user pass",
		},
		{
			"line breaks in base64 are skipped", auths("reg.example.com", `{"auth":"dXNl\ncjpwYXNz"}`),
			"reg.example.com/a",
			"reg.example.com user pass",
		},
		{
			"padding left out", auths("reg.example.com", `{"auth":"dXNlcjpwYXNzMQ"}`), "reg.example.com/a",
			"reg.example.com  ",
		},
		{"user must not be empty", auths("reg.example.com", ":pass"), "reg.example.com/a", "reg.example.com  "},
		{
			"one bad entry leaves the others", auths("b.example.com", `{"auth":"x"}`, "reg.example.com", "user:pass"),
			"reg.example.com/a", "reg.example.com user pass",
		},
		{
			"names ignore case", `{"AUTHS":{"reg.example.com":{"Auth":"` + b64("user:pass") + `"}}}`,
			"reg.example.com/a",
			"reg.example.com user pass",
		},
		{
			"two auths are merged", with(plain, `"auths":{"b.example.com":{}}`), "reg.example.com/a",
			"reg.example.com user pass",
		},
		{
			"of an entry twice the last", with(plain, `"auths":{"reg.example.com":{}}`), "reg.example.com/a",
			"reg.example.com  ",
		},
		{"credsStore", with(plain, `"credsStore":"desktop"`), "reg.example.com/a", "helper desktop"},
		{
			"credHelpers", with(plain, `"credHelpers":{"reg.example.com":"ecr-login"}`), "reg.example.com/a",
			"helper ecr-login",
		},
		{
			"credHelpers before credsStore", with(plain, `"credHelpers":{"reg.example.com":"a"},"credsStore":"b"`),
			"reg.example.com/a", "helper a",
		},
		{
			"credHelpers for another host", with(plain, `"credHelpers":{"b.example.com":"a"}`), "reg.example.com/a",
			"reg.example.com user pass",
		},
		{
			"empty helper means the file", with(plain, `"credHelpers":{"reg.example.com":""},"credsStore":"b"`),
			"reg.example.com/a", "reg.example.com user pass",
		},
		{"credHelpers for the Hub", `{"credHelpers":{"` + hubKey + `":"a"}}`, "docker.io/acme/pause", "helper a"},
		{"a wrong type decodes no auth", with(plain, `"psFormat":1`), "reg.example.com/a", "reg.example.com  "},
		{"byte order mark", "\ufeff" + plain, "reg.example.com/a", ""},
		{"broken", plain[:len(plain)-1], "reg.example.com/a", ""},
		{
			"bytes that are not UTF-8", with(plain, "\"psFormat\":\"\xfc\""), "reg.example.com/a",
			"reg.example.com user pass",
		},
		{"bytes that are not UTF-8, and broken", with(plain, "\"psFormat\":\"\xfc\",}"), "reg.example.com/a", ""},
		{"text after the end", plain + "}", "reg.example.com/a", "reg.example.com user pass"},
		{"no reference", plain, "reg.example.com/A", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := shown(Parse("config.json", []byte(row.config)).ForDocker(row.image))
			if got != row.want {
				t.Errorf("%s\nfor %s: got %q, want %q", row.config, row.image, got, row.want)
			}
			if byChance := strings.Contains(row.name, "one bad entry"); !byChance {
				if model := dockerModel(row.config, row.image); model != row.want {
					t.Errorf("%s\nfor %s: docker's own reader would say %q", row.config, row.image, model)
				}
			}
		})
	}
}

func shown(c DockerCredentials) string {
	switch {
	case c.Helper != "":
		return "helper " + c.Helper
	case c.Key == "":
		return ""
	}
	return c.Key + " " + c.Username + " " + c.Password
}

// The types that docker's CLI decodes a config.json into.
type (
	dockerFile struct {
		AuthConfigs       map[string]dockerAuth        `json:"auths"`
		HTTPHeaders       map[string]string            `json:"HttpHeaders"`
		PsFormat          string                       `json:"psFormat"`
		CredentialsStore  string                       `json:"credsStore"`
		CredentialHelpers map[string]string            `json:"credHelpers"`
		PruneFilters      []string                     `json:"pruneFilters"`
		Proxies           map[string]dockerProxy       `json:"proxies"`
		CurrentContext    string                       `json:"currentContext"`
		PluginDirs        []string                     `json:"cliPluginsExtraDirs"`
		Plugins           map[string]map[string]string `json:"plugins"`
		Aliases           map[string]string            `json:"aliases"`
		Features          map[string]string            `json:"features"`
		Experimental      string                       `json:"experimental"`
	}
	dockerAuth struct {
		Username      string `json:"username"`
		Password      string `json:"password"`
		Auth          string `json:"auth"`
		Email         string `json:"email"`
		ServerAddress string `json:"serveraddress"`
		IdentityToken string `json:"identitytoken"`
		RegistryToken string `json:"registrytoken"`
	}
	dockerProxy struct {
		HTTPProxy  string `json:"httpProxy"`
		HTTPSProxy string `json:"httpsProxy"`
		NoProxy    string `json:"noProxy"`
		FTPProxy   string `json:"ftpProxy"`
		AllProxy   string `json:"allProxy"`
	}
)

// dockerModel is what docker's CLI does, by way of encoding/json, as it does it.
func dockerModel(config, image string) string {
	var file dockerFile
	err := json.NewDecoder(strings.NewReader(config)).Decode(&file)
	decodes := err == nil || errors.Is(err, io.EOF)
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	key := reference.Domain(named)
	if key == "docker.io" {
		key = hubKey
	}
	helper, ok := file.CredentialHelpers[key]
	if !ok {
		helper = file.CredentialsStore
	}
	if helper != "" {
		return "helper " + helper
	}
	auth, ok := file.AuthConfigs[key]
	for other, candidate := range file.AuthConfigs {
		host := strings.TrimPrefix(strings.TrimPrefix(other, "http://"), "https://")
		host, _, _ = strings.Cut(host, "/")
		if !ok && host == key {
			auth, key, ok = candidate, other, true
		}
	}
	if !ok {
		return ""
	}
	if decodes && auth.Auth != "" {
		plain, err := base64.StdEncoding.DecodeString(auth.Auth)
		user, password, found := strings.Cut(string(plain), ":")
		if err == nil && found && user != "" {
			auth.Username, auth.Password = user, strings.Trim(password, "\x00")
		}
	}
	return fmt.Sprintf("%s %s %s", key, auth.Username, auth.Password)
}

// What makes docker's CLI drop the file, while the runner reads on.
func TestWrongTypes(t *testing.T) {
	for config, want := range map[string]string{
		`{"psFormat":1}`: "psFormat wants a string at 1:13",
		`{"psFormat":null,"credsStore":"","pruneFilters":[],"unknown":{},` +
			`"plugins":{"a":{"b":"c"}}}`: "",
		`{"plugins":[]}`:                               "plugins wants an object at 1:12",
		`{"plugins":{"a":{"b":1}}}`:                    "plugins.a.b wants a string at 1:22",
		`{"credsStore":{}}`:                            "credsStore wants a string at 1:15",
		`{"credHelpers":["x"]}`:                        "credHelpers wants an object at 1:16",
		`{"HttpHeaders":{"X":["y"]}}`:                  "HttpHeaders.X wants a string at 1:21",
		`{"pruneFilters":["a",1]}`:                     "pruneFilters wants a string at 1:22",
		`{"pruneFilters":"a"}`:                         "pruneFilters wants an array at 1:17",
		`{"proxies":{"default":{"httpProxy":true}}}`:   "proxies.default.httpProxy wants a string at 1:36",
		`{"auths":{"reg.example.com":{"username":1}}}`: "auths.reg.example.com.username wants a string at 1:41",
		`{"auths":[],"PSFORMAT":1}`:                    "auths wants an object at 1:10;PSFORMAT wants a string at 1:24",
		`{"auths":{"a":{"auth":null,"note":1}}}`:       "",
		`{"experimental":true,"features":{"buildkit":true}}`: "experimental wants a string at 1:17;" +
			"features.buildkit wants a string at 1:45",
		`[]`:              " wants an object at 1:1",
		`{"psFormat":1,}`: "",
		``:                "",
	} {
		var got []string
		for _, w := range Parse("config.json", []byte(config)).WrongTypes() {
			at := w.Member.Value.Place().Position()
			got = append(got, fmt.Sprintf("%s wants %s at %d:%d", w.Path, w.Want, at.Line, at.Column))
		}
		if strings.Join(got, ";") != want {
			t.Errorf("%s\ngot  %s\nwant %s", config, strings.Join(got, ";"), want)
		}
	}
}

// FuzzDocker holds the look-up against docker's own way of reading.
func FuzzDocker(f *testing.F) {
	for _, config := range []string{
		auths("reg.example.com", "user:pass", "https://reg.example.com/v1", "{}"),
		`{"AUTHS":{"reg.example.com":{"Auth":"dXNlcjpwYXNz"}},"auths":null,"credsstore":"x","psFormat":1}`,
		`{"credHelpers":{"reg.example.com":null},"CredHelpers":{"reg.example.com":"a"},` +
			`"auths":{"reg.example.com":{"username":"a","Username":null}}}`,
		"{\"auths\":{\"reg.example.com\":{\"password\":\"\\ud800\",\"username\":\"\xff\"}}}", "null", "[1]", "",
		" {}x",
	} {
		f.Add([]byte(config))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, encoding := decodeText(data); encoding != UTF8 || len(bytes.TrimSpace(data)) == 0 || byChance(data) {
			return
		}
		const image = "reg.example.com/pause:1"
		got := strings.ToValidUTF8(shown(Parse("config.json", data).ForDocker(image)), "\uFFFD")
		if want := dockerModel(string(data), image); got != strings.ToValidUTF8(want, "\uFFFD") {
			t.Errorf("%q: got %q, docker %q", data, got, want)
		}
	})
}

// byChance tells whether docker's CLI might say this or that: it goes through entries in random order.
func byChance(data []byte) bool {
	hosts := 0
	for _, m := range Parse("", data).docker().auths {
		for entry := range m.Members() {
			if KeyHost(entry.Key) == "reg.example.com" && entry.Key != "reg.example.com" {
				hosts++
			}
		}
	}
	return hosts > 1
}
