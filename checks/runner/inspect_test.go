package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"
)

// inspectedSample is one container of a runner, with values that need escapes.
const inspectedSample = `[{"Id": "0f", "Created": "2026-11-03T08:12:44Z", "Name": "/läufer-1", "Image": "sha256:00",
 "HostConfig": {"Binds": ["/tmp:/tmp", "/srv/größe:/srv/größe:ro"], "NetworkMode": "bridge", "Tmpfs": {"/scratch": ""},
  "Mounts": [{"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/var/run/docker.sock"}]},
 "Mounts": [
  {"Type": "bind", "Source": "/tmp", "Destination": "/tmp", "Mode": "", "RW": true},
  {"Type": "bind", "Source": "/srv/größe", "Destination": "/srv/größe", "Mode": "ro", "RW": false},
  {"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/var/run/docker.sock", "Mode": "", "RW": true},
  {"Type": "volume", "Name": "work", "Source": "/var/lib/docker/volumes/work/_data", "Destination": "/work", "RW": true},
  {"Type": "tmpfs", "Source": "", "Destination": "/scratch", "RW": true}],
 "Config": {"Hostname": "0f", "Env": ["ACCOUNT_UUID={b27bd8a8-6c9c-4d93-9b3a-8e0c5d7c1f3a}", "RUNNER_UUID=<my-runner \\ \"id\">",
   "OAUTH_CLIENT_SECRET=canary & \"more\" 😀", "EMPTY=", "GONE", "JAVA_OPTS=-Dx=ä\tb", "PATH=/usr/bin"],
  "Cmd": ["--restart", "always"], "Image": "registry.example.com/bitbucket-pipelines-runner:5", "Labels": {"a": "b"}},
 "NetworkSettings": {}}]`

const inspectedWant = `docker inspect output

runner
  image "registry.example.com/bitbucket-pipelines-runner:5"
  env "ACCOUNT_UUID" = "{b27bd8a8-6c9c-4d93-9b3a-8e0c5d7c1f3a}"
  env "RUNNER_UUID" = "<my-runner \\ \"id\">" placeholder
  env "OAUTH_CLIENT_SECRET" = "canary & \"more\" 😀"
  env "EMPTY" = ""
  env "JAVA_OPTS" = "-Dx=ä\tb"
  env "PATH" = "/usr/bin"
  mount "/tmp" -> "/tmp" -v
  mount "/srv/größe" -> "/srv/größe" ro -v
  mount "/var/run/docker.sock" -> "/var/run/docker.sock" --mount
  mount "work" -> "/work" volume -v
  option --tmpfs "/scratch"
  argument "--restart"
  argument "always"
  ! option-after-image
`

// inspectedText is a reading without its places.
func inspectedText(r Reading) string {
	var out strings.Builder
	fmt.Fprintln(&out, r.Kind)
	for _, d := range r.Definitions {
		fmt.Fprintf(&out, "\nrunner\n  image %q\n", d.Image.Value)
		for _, v := range d.Environment {
			fmt.Fprintf(&out, "  env %q = %q%s\n", v.Name.Value, v.Value.Value, flags("placeholder", v.Value.Placeholder != ""))
		}
		for _, m := range d.Mounts {
			fmt.Fprintf(&out, "  mount %q -> %q%s %s\n", m.Source.Value, m.Target.Value,
				flags("ro", m.ReadOnly, "volume", m.Volume), m.Option)
		}
		for _, o := range d.Options {
			fmt.Fprintf(&out, "  option %s %q\n", o.Name.Value, o.Value.Value)
		}
		for _, a := range d.Arguments {
			fmt.Fprintf(&out, "  argument %q\n", a.Value)
		}
		for _, m := range d.Mistakes {
			fmt.Fprintf(&out, "  ! %s\n", m.Kind)
		}
	}
	return out.String()
}

// placesHold checks that the text at the place of each value is that value, as JSON writes it.
func placesHold(t *testing.T, r Reading) {
	t.Helper()
	for _, d := range r.Definitions {
		all := texts(d)
		for _, m := range d.Mounts {
			all = append(all, Text{Value: m.Place.Text(), Place: m.Place})
		}
		for _, text := range all {
			var value string
			written := text.Place.Text()
			if text.Place.File == nil {
				continue
			}
			if err := json.Unmarshal([]byte(`"`+written+`"`), &value); err != nil && text.Value == "" {
				continue
			}
			if text.Value != value && written != text.Value {
				t.Errorf("%q is said to stand at %s, where %q is", text.Value, text.Place.Position(), written)
			}
		}
		if name := d.Place.Text(); !strings.Contains(name, "ufer-1") {
			t.Errorf("the runner's place holds %q", name)
		}
	}
}

// TestInspectedMutations writes the sample in many ways, and holds what is read to one expectation, and all places to
// what is written there.
func TestInspectedMutations(t *testing.T) {
	for seed := range int64(300) {
		text := rewritten(t, rand.New(rand.NewSource(seed))) //nolint:gosec // a test that can be repeated
		r := Read("runner.json", []byte(text), nil)
		if got := inspectedText(r); got != inspectedWant {
			t.Fatalf("seed %d:\n%s\n%s", seed, text, got)
		}
		placesHold(t, r)
		for line := range strings.Count(text, "\n") + 1 {
			start, end := r.Definitions[0].File.Line(line + 1)
			if shown := r.Definitions[0].File.At(start, end).Excerpt().Text; strings.Contains(shown, "anary") {
				t.Fatalf("seed %d shows a secret: %s", seed, shown)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
}

// rewritten is the sample in another form: members in another order, other white space, characters as escapes.
func rewritten(t *testing.T, random *rand.Rand) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(inspectedSample), &value); err != nil {
		t.Fatal(err)
	}
	w := jsonWriter{Rand: random, indent: []string{"", "  ", "    ", "\t"}[random.Intn(4)]}
	if random.Intn(4) == 0 {
		value = value.([]any)[0]
	}
	w.write(value, 0)
	text := w.String()
	if random.Intn(3) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	switch random.Intn(5) {
	case 0:
		text = "\ufeff" + text
	case 1:
		text = "root@host:~# docker inspect runner-1\n" + text + "\nroot@host:~# "
	case 2:
		text += "\n"
	}
	return text
}

// jsonWriter writes JSON in one of the ways in which it can be written.
type jsonWriter struct {
	*rand.Rand
	strings.Builder
	indent string
}

func (w *jsonWriter) line(depth int) {
	if w.indent != "" {
		w.WriteString("\n" + strings.Repeat(w.indent, depth))
	}
}

func (w *jsonWriter) write(value any, depth int) {
	switch v := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		w.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		w.list('{', '}', len(names), depth, func(i int) {
			w.text(names[i], false)
			w.WriteString(": ")
			w.write(v[names[i]], depth+1)
		})
	case []any:
		w.list('[', ']', len(v), depth, func(i int) { w.write(v[i], depth+1) })
	case string:
		w.text(v, true)
	default:
		fmt.Fprint(w, v)
	}
}

func (w *jsonWriter) list(open, end byte, n, depth int, write func(int)) {
	w.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.WriteByte(',')
		}
		w.line(depth + 1)
		write(i)
	}
	w.line(depth)
	w.WriteByte(end)
}

// text writes a string. Names of variables are left as they are: no program escapes letters, and a name is what tells
// that a value is secret.
func (w *jsonWriter) text(value string, escapes bool) {
	w.WriteByte('"')
	name, _, _ := strings.Cut(value, "=")
	for i, r := range value {
		switch {
		case escapes && i > len(name) && w.Intn(8) == 0 && r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(w, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case r < ' ', escapes && i > len(name) && w.Intn(8) == 0 && r <= 0xffff:
			fmt.Fprintf(w, `\u%04x`, r)
		case r == '"' || r == '\\' || r == '/' && w.Intn(8) == 0:
			w.WriteString(`\` + string(r))
		default:
			w.WriteRune(r)
		}
	}
	w.WriteByte('"')
}

// TestJSONForms tells definitions in JSON from config.json files, whatever names stand deeper down in these.
func TestJSONForms(t *testing.T) {
	for text, want := range map[string]jsonForm{
		// Files of docker's CLI.
		`{}`: otherJSON, `[]`: otherJSON, `{"auths": {}}`: otherJSON, ``: otherJSON, `{`: otherJSON, `[`: otherJSON,
		`{"auths": {"registry.example.com": {"auth": "eA=="}}, "Config": {"Image": "x", "Env": []}, "Image": "x"}`: otherJSON,
		`{"Config": {"Image": "x", "Env": []}, "Mounts": [], "HostConfig": {}, "Id": "x", "auths": {}}`:            otherJSON,
		`{"HttpHeaders": {"Config": {"Env": []}, "Image": "y", "Id": "z"}}`:                                        otherJSON,
		`{"plugins": {"apiVersion": {"x": "1"}, "kind": {"y": "2"}}, "services": {"image": "x"}}`:                  otherJSON,
		`{"auths": {"apiVersion": {}, "kind": {}, "services": {}, "image": {}, "Config": {}, "Image": {}}}`:        otherJSON,
		`{"credsStore": "desktop", "HostConfig": {}, "Id": "x"}`:                                                   otherJSON,
		`{"psFormat": "{{.Id}}", "HostConfig": {}, "Id": "x"}`:                                                     otherJSON,
		`{"proxies": {"default": {"httpProxy": "x"}}, "services": {}}`:                                             otherJSON,
		`{"registry.example.com": {"auth": "eA=="}, "Config": {"auth": "eA=="}, "Image": {"auth": "eA=="}}`:        otherJSON,
		`{"Image": "x", "Config": "y"}`:                                                         otherJSON,
		`[{"auths": {}, "Id": "x", "HostConfig": {}}]`:                                          otherJSON,
		`{"auths": {"a": {"auth": "Config"}, "b": {"x": Image}`:                                 otherJSON,
		`{"auths": {"a": {"auth": "x" "Config": {"Env": [], "Image": "x", "services": {"image"`: otherJSON,
		`{'auths': {}, "Config": {"Env": []}}`:                                                  otherJSON,
		`["registry.example.com"]`:                                                              otherJSON,
		`{"Name": "x", "Labels": {}}`:                                                           otherJSON,
		// Definitions of other kinds.
		`{"apiVersion": "v1", "kind": "List", "items": []}`:                     definitionJSON,
		`{"name": "x", "services": {"runner": {"image": "y"}}}`:                 definitionJSON,
		`{"kind": "Secret", "data": {"auths": "x"}, "apiVersion": "v1"`:         definitionJSON,
		`{"services": {"auths": {"image": "x", "credsStore": {"Config": {}}}}}`: definitionJSON,
		// What docker inspect prints.
		inspectedSample: inspectedJSON,
		`[{"Id": "x", "Created": "y", "Path": "/bin/sh", "Args": ["-c"`:                        inspectedJSON,
		`{"Id": "x", "HostConfig": {"auths": {}}, "Config": {"Env": ["auths=x"]}}`:             inspectedJSON,
		`{"Name": "/x", "Config": {"Labels": {"auths": "x"}, "Env": []}}`:                      inspectedJSON,
		"\ufeff \r\n[\n\t{\n\t\t\"Config\": {\"Image\": \"x\"}}]":                              inspectedJSON,
		`{"Hostname": "x", "Env": ["A=b"], "Cmd": null, "Image": "y"}`:                         inspectedJSON,
		`["PATH=/bin", "ACCOUNT_UUID=x"]`:                                                      inspectedJSON,
		"[]\nError: No such object: runner\n":                                                  inspectedJSON,
		"[]\nerror: no such object: runner\n":                                                  inspectedJSON,
		"Error response from daemon: No such container: x\n[]\nerror: no such object: x\n":     inspectedJSON,
		"Error: No such object: runner\n":                                                      otherJSON,
		"$ docker container inspect x | less\n[\n  {\"Id\": \"a\", \"HostConfig\": {}}\n]\n$ ": inspectedJSON,
		`[{"Id": "sha256:x", "RepoTags": ["a:1"], "Config": {"Env": []}}]`:                     inspectedJSON,
		`[{"Name": "bridge", "Id": "x", "Driver": "bridge", "IPAM": {}}]`:                      inspectedJSON,
		`[{"CreatedAt": "x", "Driver": "local", "Mountpoint": "/x", "Name": "y"}]`:             inspectedJSON,
		"\xff\xfe" + wide(`[{"Id": "x", "HostConfig": {}}]`):                                   inspectedJSON,
		"\xff\xfe" + wide(`{"auths": {}}`):                                                     otherJSON,
		// Scripts that begin alike.
		"docker inspect runner >/dev/null 2>&1 ||\n[ -f x ] && docker run x\n": otherJSON,
		"[Unit]\nDescription=x\n[Service]\n":                                   otherJSON,
	} {
		if got := formOf([]byte(text)); got != want {
			t.Errorf("%.120q: %d, want %d", text, got, want)
		}
	}
}

func wide(text string) string {
	var out strings.Builder
	for _, r := range text {
		out.WriteString(string(r) + "\x00")
	}
	return out.String()
}

// TestInspectedKinds says what is read of what docker inspect prints that is no container.
func TestInspectedKinds(t *testing.T) {
	for text, want := range map[string]string{
		`[{"Id": "sha256:x", "RepoTags": ["a:1"], "Config": {"Env": ["RUNNER_UUID=x"]}}]`: "of an image, not of a container",
		`[{"Name": "bridge", "Id": "x", "Driver": "bridge", "IPAM": {}}]`:                 "of a network, not of a container",
		`[{"CreatedAt": "x", "Driver": "local", "Mountpoint": "/x", "Name": "y"}]`:        "of a volume, not of a container",
		`[{"ID": "x", "Version": {}, "Spec": {"Name": "y"}}]`:                             "of a service, not of a container",
		`[{"Type": "bind", "Source": "/tmp", "Destination": "/tmp", "RW": true}]`:         "of a container's mounts alone",
		`["RUNNER_UUID=x", "OAUTH_CLIENT_SECRET=canary \" canary"]`:                       "of a list of variables alone",
		"[]\nerror: no such object: runner":                                               "for a container that does not exist",
		`[{"Id": "x", "HostConfig": {}, "Config": {"Image": "postgres"}}]`:                "",
	} {
		r := Read("x.json", []byte(text), nil)
		if len(r.Definitions) > 0 || len(r.Mistakes) > 0 || r.Kind != strings.TrimSpace(inspectedKind+" "+want) {
			t.Errorf("%s: %q, %d runners, %v", text, r.Kind, len(r.Definitions), r.Mistakes)
		}
	}
}

// TestInspectedConfigAlone reads a container's Config without the rest: it does not speak of mounts.
func TestInspectedConfigAlone(t *testing.T) {
	const text = `{"Hostname":"x","Env":["RUNNER_UUID=x"],"Image":"y/bitbucket-pipelines-runner"}`
	r := Read("x.json", []byte(text), nil)
	if len(r.Definitions) != 1 || r.Definitions[0].States != (Aspects{Image: true, Environment: true}) {
		t.Errorf("%+v", r.Definitions)
	}
}

// TestInspectedMistakes cuts and spoils the sample: the mistake stands where it is, and what was read is kept.
func TestInspectedMistakes(t *testing.T) {
	upTo := func(word string) string { return inspectedSample[:strings.Index(inspectedSample, word)] }
	for name, c := range map[string]struct {
		text, place, detail string
		variables, mounts   int
		unread              bool
	}{
		"cut in a string":   {upTo("lways"), "12:26", "middle of a string", 6, 4, true},
		"cut behind Mounts": {upTo(`"Config"`), "9:75", "before its brackets", 0, 0, false},
		"cut behind Config": {upTo(`"NetworkSettings"`), "12:119", "before its brackets", 6, 4, false},
		"comma too many":    {strings.Replace(inspectedSample, `{"a": "b"}`, `{"a": "b",}`, 1), "12:116", "nothing follows", 6, 4, false},
		"comma missing":     {strings.Replace(inspectedSample, `"EMPTY=",`, `"EMPTY="`, 1), "11:56", "missing before", 4, 4, true},
		"left out":          {strings.Replace(inspectedSample, `"NetworkSettings": {}`, `...`, 1), "13:2", "left out", 6, 4, false},
		"cut literal":       {upTo(`"NetworkSettings"`) + `"x": fal`, "13:10", "middle of a value", 6, 4, false},
		"bad escape":        {strings.Replace(inspectedSample, `"b"`, `"\d"`, 1), "12:114", "backslash", 6, 4, false},
		"quote missing":     {strings.Replace(inspectedSample, `"b"}},`, `"b}},`, 1), "12:113", "closing quote", 6, 4, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := Read("x.json", []byte(c.text), nil)
			if len(r.Mistakes) != 1 {
				t.Fatal(r.Mistakes)
			}
			m := r.Mistakes[0]
			if got := at(m.Place); got != c.place || !strings.Contains(m.Detail, c.detail) || m.Kind != Unreadable {
				t.Errorf("%s %q at %s", m.Kind, m.Detail, got)
			}
			variables, mounts, unread := 0, 0, false
			for _, d := range r.Definitions {
				variables, mounts, unread = len(d.Environment), len(d.Mounts), len(d.Unread) > 0
			}
			if variables != c.variables || mounts != c.mounts || unread != c.unread {
				t.Errorf("%d variables, %d mounts, unread %t", variables, mounts, unread)
			}
		})
	}
}

// TestInspectedSecrets looks for secrets in every line, of the runner's container and of others, in all forms.
func TestInspectedSecrets(t *testing.T) {
	for name, variable := range map[string]string{
		"plain":           `OAUTH_CLIENT_SECRET=canary-0123`,
		"with a quote":    `OAUTH_CLIENT_SECRET=a\"canary-0123\" canary`,
		"with blanks":     `OAUTH_CLIENT_SECRET=a canary-0123 b canary`,
		"escaped":         `OAUTH_CLIENT_SECRET=\u0061canary\u0026canary`,
		"another's":       `POSTGRES_PASSWORD=x\\\"canary`,
		"proxy":           `HTTPS_PROXY=http://ci:canary-0123@proxy.example.com:3128`,
		"escaped proxy":   `HTTPS_PROXY=http:\/\/ci:canary-0123@proxy.example.com:3128`,
		"separator":       "OAUTH_CLIENT_SECRET=a\u2028canary",
		"invalid":         "OAUTH_CLIENT_SECRET=a\xffcanary",
		"without a value": `OAUTH_CLIENT_SECRET canary-0123`,
	} {
		for _, rest := range []string{`"]}, "HostConfig": {}}]`, "", `", "A=b`} {
			text := `[{"Id": "x", "Created": "y", "Path": "z", "Config": {"Image": "bitbucket-pipelines-runner", "Env": [` + "\n" +
				`"PATH=/bin",` + "\n" + `"` + variable + rest
			if rest == "" {
				text = strings.TrimRight(text, `"`)
			}
			if name == "without a value" && rest == "" || name == "invalid" && rest == "" {
				continue
			}
			r := Read("x.json", []byte(text), nil)
			file := fileOf(r)
			for line := 1; file != nil && line <= strings.Count(text, "\n")+1; line++ {
				start, end := file.Line(line)
				if shown := file.At(start, end).Excerpt().Text; strings.Contains(shown, "canary") {
					t.Errorf("%s, %q: %s", name, rest, shown)
				}
			}
		}
	}
}

// TestInspectedBounds reads large and deep texts in bounded time. At forty times the size each takes under ten seconds by itself.
func TestInspectedBounds(t *testing.T) {
	head := `[{"Id": "x", "Created": "y", "Path": "z", "Image": "y", `
	env := `"Config": {"Image": "bitbucket-pipelines-runner", "Env": ["RUNNER_UUID=x", `
	const size = 1 << 19
	fill := func(text string) string { return strings.Repeat(text, size/len(text)) }
	for name, text := range map[string]string{
		"one line":      head + env + `"A=` + fill("a") + `"]}}]`,
		"variables":     head + env + fill(`"A=b", `) + `"A=b"]}}]`,
		"secrets":       head + env + fill(`"TOKEN=abcdefgh", `) + `"A=b"]}}]`,
		"other secrets": head + env + secrets(size) + `"A=b"]}}]`,
		"containers":    "[" + fill(head[1:]+env+`"A=b"]}},`) + head[1:] + env + `"A=b"]}}]`,
		"brackets":      fill("["),
		"braces":        head + fill(`"a":{`),
		"objects":       head + `"Mounts": [` + fill("{},") + "{}]}]",
		"values":        head + env + `"A=b"]}, "State": ` + "[" + fill("0,") + "0]}]",
		"names":         head + fill(`"a":0,`) + `"b":0}]`,
		"logs":          head + env + `"A=b"]}, "NetworkSettings": {"x": [` + fill("{},") + "{}]}}]",
		"mounts": head + env + `"A=b"]}, "HostConfig": {"Binds": [` + fill(`"/a:/b",`) + `"/a:/b"]}, "Mounts": [` +
			fill(`{"Source": "/a", "Destination": "/b"},`) + "{}]}]",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			Read("x.json", []byte(text), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func secrets(size int) string {
	var out bytes.Buffer
	for i := 0; out.Len() < size; i++ {
		fmt.Fprintf(&out, `"TOKEN_%d=abcdefgh%d", `, i, i)
	}
	return out.String()
}

// FuzzInspected checks that no text makes the reader panic or point outside of its file, and that no secret shows.
func FuzzInspected(f *testing.F) {
	f.Add([]byte(inspectedSample))
	for _, text := range []string{
		`["A=b"]`, "[]\nno such object", `[{"Id":"x","Created":"y","Path":"z"`, "$ docker inspect x\n[{\"Config\":{\"Env\":[\"A\\ud83d\\ude00=\\u",
		`{"Hostname":"x","Env":["RUNNER_UUID=x","TOKEN=\/\\\"x"],"Image":null}`, `[{"Id":"x","HostConfig":{"Binds":[1,"::"]},"Mounts":[{"Destination":"/"}]}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		IsJSONDefinition(data)
		reading := Read("runner.json", data, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
		wellPlaced(t, Reading{Mistakes: reading.Mistakes})
		for _, m := range reading.Mistakes {
			m.Place.Excerpt()
		}
		for _, d := range reading.Definitions {
			for _, text := range texts(d) {
				_ = text.Place.Text()
				text.Place.Excerpt()
			}
			if d.Dialect == Inspected {
				secretsHidden(t, d)
			}
		}
	})
}
