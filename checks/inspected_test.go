package checks

import (
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

const inspectedContainer = `[{"Id": "x", "Created": "y", "HostConfig": {"Binds": null}, "Config": {"Image": "z", "Env": ["auths=x"]}}]`

// TestIsConfig tells config.json files from definitions in JSON, by their content before their name.
func TestIsConfig(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"config.json", `{"auths": {}}`, true},
		{"config.json", `{"auths": {}, "Config": {"Image": "x"}, "HostConfig": {}, "Id": "x", "Image": "y"}`, true},
		{"config.json", `{"HostConfig": {}, "Id": "x", "Config": {"Env": []}, "credsStore": "desktop"}`, true},
		{"x", `{"HttpHeaders": {"Config": "x", "Image": "y"}, "services": {"image": "x"}}`, true},
		{"x", `{"apiVersion": "v1", "kind": "x", "auths": {}}`, true},
		{"x", `{"registry.example.com": {"auth": "x"}, "Config": "Image"}`, true},
		{"config.json", `{"apiVersion": "v1", "kind": "Secret"}`, true},
		{"config.json", inspectedContainer, false},
		{"x", inspectedContainer, false},
		{"runner.json", "\ufeff\r\n" + inspectedContainer, false},
		{"x", `["ACCOUNT_UUID={x}", "PATH=/bin"]`, false},
		{"x", `["registry.example.com"]`, true},
		{"x", "$ docker inspect runner\n" + inspectedContainer, false},
		{"x", `{"apiVersion": "v1", "kind": "Secret", "data": {"auths": "x"}}`, false},
		{"x", `{"services": {"runner": {"image": "x"}}}`, false},
		{".dockercfg", "", true},
		{"run.sh", "docker run x", false},
	} {
		if got := isConfig(InputFile{Path: c.name, Data: []byte(c.text)}); got != c.want {
			t.Errorf("%s with %s: %t", c.name, c.text, got)
		}
	}
}

// TestIsConfigScales holds the question to a look at the beginning of a config.json of 20 MB, whatever its entries hold.
func TestIsConfigScales(t *testing.T) {
	entry := `"registry.example.com/Config/Image": {"auth": "eA==", "HostConfig": {"services": {"image": 1}}},`
	text := []byte(`{"auths": {` + strings.Repeat(entry, 20<<20/len(entry)) + `"x": {}}}`)
	start := time.Now()
	for range 100 {
		if !isConfig(InputFile{Path: "x", Data: text}) {
			t.Fatal("taken for a definition")
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestAnew changes the hints of what stands in a container, and no others.
func TestAnew(t *testing.T) {
	file := source.New("runner.json", []byte("x"))
	d := &runner.Definition{File: file, Dialect: runner.Inspected}
	for hint, want := range map[string]string{
		"mount it: -v /tmp:/tmp when the container is made anew": "make the container anew with -v /tmp:/tmp",
		"write -v /a:/a:ro":                          "make the container anew with -v /a:/a:ro",
		"mount it read-only: -v /a:/a:ro":            "make the container anew with -v /a:/a:ro",
		"set it: -e WORKING_DIRECTORY=/tmp, with -v": "make the container anew with -e WORKING_DIRECTORY=/tmp, with -v",
		"set it: RUNNER_UUID='{…}' as in":            "make the container anew with -e RUNNER_UUID='{…}' as in",
		"write it without them: A_B=c":               "make the container anew with -e A_B=c",
		"delete it":                                  "delete it, and make the container anew",
		"create it, or name the right path":          "create it, or name the right path",
	} {
		f := Failed(envMissing, "x", "y", hint).At(file.At(0, 1))
		if got := f.anew(d).Hint; got != want {
			t.Errorf("%q: %q, want %q", hint, got, want)
		}
		script := &runner.Definition{File: file}
		if got := f.anew(script).Hint + f.At(source.Span{}).anew(d).Hint; got != hint+hint {
			t.Errorf("%q: %q", hint, got)
		}
	}
}
