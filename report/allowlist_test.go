package report

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"runner-preflight/checks"
	"runner-preflight/checks/scene"
)

// ends are the ends of the goldens' names, by format.
func ends() map[string]string {
	return map[string]string{"text": "txt", "csv": "csv", "json": "json", "squid": "acl", "markdown": "md"}
}

// TestAllowlistGoldens has hosts in networks of their own: one without a definition, one with a registry that sends
// its clients elsewhere, and one with two runners, of which one goes over a proxy and one is not known in full.
func TestAllowlistGoldens(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]allowlistHost{
		"defaults": {},
		"private": {
			files: map[string]string{"run.sh": privateScript, "config.json": privateConfig()},
		},
		"two-runners": {
			files: map[string]string{"run.sh": privateScript + secondScript, "config.json": privateConfig()},
			block: "registry.example.net",
		},
		"offline": {files: map[string]string{"run.sh": privateScript, "config.json": privateConfig()}, offline: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := h.allowlist(t)
			for format, write := range AllowlistFormats(TextOptions{Unicode: true}) {
				got := listed(t, write, l)
				golden(t, filepath.Join("testdata", "allowlist-"+name+"."+ends()[format]), got)
				if found := leaked(got, canary); found != nil {
					t.Errorf("%s holds %q", format, found)
				}
			}
		})
	}
}

const privateScript = `docker run -d -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v "$HOME/.docker/config.json:/root/.docker/config.json" \
  -e PAUSE_IMAGE=registry.example.com:5000/mirror/pause:3.8 \
  -e AUTH_PROXY_IMAGE=registry.example.com:5000/mirror/auth-proxy:7 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
`

// secondScript is a second runner, with a registry behind the firewall and an image that nobody can know.
const secondScript = `docker run -d -e HTTPS_PROXY=http://ci:c4n4ry-Pa55word@proxy.example.com:3128 -e NO_PROXY=bitbucket.org \
  -e PAUSE_IMAGE=registry.example.com:5000/mirror/pause:3.8 \
  -e AUTH_PROXY_IMAGE=registry.example.net/auth-proxy:7 -e CLONE_IMAGE="$1" \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
`

func privateConfig() string {
	return `{"auths": {"registry.example.com:5000": {"auth": "` +
		base64.StdEncoding.EncodeToString([]byte("ci:"+canary)) + `"}}}`
}

// allowlistHost is a runner's host: what it was given, and a name that a firewall blocks.
type allowlistHost struct {
	files   map[string]string
	block   string
	offline bool
}

func (a allowlistHost) allowlist(t *testing.T) Allowlist {
	t.Helper()
	lab, err := scene.Start(a.network())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lab.Close)
	in := checks.Input{
		Live: true, Offline: a.offline, Platform: "linux/amd64", Route: lab.Config(),
		Env: func(string) string { return "" },
	}
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		in.Files = append(in.Files, checks.InputFile{Path: name, Data: []byte(a.files[name])})
	}
	h, err := checks.Build(t.Context(), in, checks.Windows{Files: noFiles{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return NewAllowlist(ctx, "1.2.3", h)
}

func (a allowlistHost) network() scene.Scene {
	image := scene.Image{Platforms: []string{"linux/amd64"}}
	vendor := func(names ...string) scene.Host {
		images := map[string]scene.Image{}
		for _, name := range names {
			images[name] = image
		}
		return scene.Host{Registry: &scene.Registry{Auth: "bearer", Public: []string{"*"}, Images: images}}
	}
	s := scene.Scene{
		Hasty: true,
		Hosts: map[string]scene.Host{
			"docker-public.packages.atlassian.com": vendor("sox/atlassian/bitbucket-pipelines-runner:latest",
				"sox/atlassian/bitbucket-pipelines-runner:5", "sox/atlassian/bitbucket-pipelines-auth-proxy:prod-stable",
				"sox/atlassian/bitbucket-pipelines-dvcs-tools:prod-stable"),
			"k8s-docker.packages.atlassian.com": vendor("pause:3.8"),
			"docker-hub.packages.atlassian.com": vendor("google/pause:latest"),
			"registry.example.com:5000": {TLS: "private", Registry: &scene.Registry{
				Auth: "bearer", Users: map[string]string{"ci": canary}, Realm: "auth.example.com:8443", BlobHost: "cdn.example.net",
				Images: map[string]scene.Image{"mirror/pause:3.8": image, "mirror/auth-proxy:7": image},
			}},
			"auth.example.com:8443": {}, "cdn.example.net": {},
		},
	}
	if a.block != "" {
		s.Hosts[a.block] = scene.Host{TCP: "timeout"}
	}
	return s
}

// noFiles is a file system without a file.
type noFiles struct{}

func (noFiles) Stat(path string) (fs.FileInfo, error) { return fstest.MapFS{}.Stat(path[1:]) }

func (noFiles) ReadFile(path string) ([]byte, error) { return fstest.MapFS{}.ReadFile(path[1:]) }

func (noFiles) ReadDir(path string) ([]fs.DirEntry, error) { return fstest.MapFS{}.ReadDir(path[1:]) }

func listed(t *testing.T, write AllowlistFormat, l Allowlist) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, l); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// hostileTexts try to leave the cell, the line or the comment in which they stand.
func hostileTexts() []string {
	return []string{
		"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "a;=1", "\r\n=1", `",=1`, "＝1",
		"a | b | c |\n\n# pwned", "`x` | y", "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "{code}", "{panel}",
		"<script>alert(1)</script>", "<!-- ", "&lt;", "@everyone", "https://evil.example", "www.evil.example", "\\| a |", "\\", "**b**",
		"a\nevil.example.com", "\u2028evil.example.com", "\x1b[2J", "\u202egnp", "\xff\xfe", "#", "~~x~~", "$x$", "",
		"https://ci:" + canary + "@registry.example.com",
	}
}

// hostileList is a list all of whose texts come from somebody who means harm. Hosts do not: see hostAndPort of checks.
func hostileList(text string) Allowlist {
	need := checks.Need{
		Who: checks.ActorDaemon, Why: text, Images: []string{text, text + "x"}, Runners: []string{text},
		Via: "proxy.example.com:3128", Variable: text,
	}
	return Allowlist{
		Version: "1.2.3", Runners: []string{text, "b"}, Against: text,
		Hosts: []checks.Allowed{
			{Host: "registry.example.com", Port: 5000, Needs: []checks.Need{need}},
			{Host: "2001:db8::7", Port: 443, Needs: []checks.Need{need}},
		},
		Gaps: []checks.Gap{
			{Address: "registry.example.com:5000", Images: []string{text}, Runners: []string{text}, Reason: text + "!"},
			{Reason: text + "?"},
		},
	}
}

// TestAllowlistIsSafe reads back what was written.
func TestAllowlistIsSafe(t *testing.T) {
	t.Parallel()
	for _, text := range hostileTexts() {
		for name, write := range AllowlistFormats(TextOptions{Unicode: true}) {
			got := listed(t, write, hostileList(text))
			rest := strings.NewReplacer("\r\n", "", "\n", "").Replace(got)
			if strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' || r == 0x2028 || r == 0x202e || r == 0x7f }) {
				t.Errorf("%s of %q has a control character:\n%q", name, text, got)
			}
			if leaked(got, canary) != nil {
				t.Errorf("%s of %q holds a secret", name, text)
			}
		}
		safeCSV(t, text, listed(t, AllowlistCSV, hostileList(text)))
		safeMarkdown(t, text, listed(t, AllowlistMarkdown, hostileList(text)))
		safeSquid(t, text, listed(t, AllowlistSquid, hostileList(text)))
	}
}

func safeCSV(t *testing.T, text, got string) {
	t.Helper()
	if strings.Count(got, "\r\n") != strings.Count(got, "\n") {
		t.Errorf("%q: a line does not end in CRLF: %q", text, got)
	}
	rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Errorf("%q: %d rows, %v", text, len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;\t", r) }) {
				part = strings.TrimLeft(part, " ")
				if part != "" && strings.ContainsAny(part[:1], "=+-@") {
					t.Errorf("%q: the cell %q is a formula", text, cell)
				}
			}
		}
	}
}

func safeMarkdown(t *testing.T, text, got string) {
	t.Helper()
	bare := strings.ReplaceAll(got, `\\`, "")
	for line := range strings.Lines(bare) {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 9 {
			t.Errorf("%q leaves its cell: %s", text, line)
		}
		for _, sign := range []string{"<", "[", "{", "!", "@", "~", "#", "*", "_"} {
			plain := withoutCode(strings.TrimPrefix(strings.TrimPrefix(line, "* "), "## "))
			if strings.Contains(strings.ReplaceAll(plain, `\`+sign, ""), sign) {
				t.Errorf("%q: %s means something in %s", text, sign, line)
			}
		}
		if plain := withoutCode(line); strings.Contains(plain, "://") || strings.Contains(plain, "www.") {
			t.Errorf("%q becomes a link: %s", text, line)
		}
	}
}

// withoutCode takes out what stands between backticks.
func withoutCode(line string) string {
	var out strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(line, "\\`", ""), "`") {
		if i%2 == 0 {
			out.WriteString(part)
		}
	}
	return out.String()
}

func safeSquid(t *testing.T, text, got string) {
	t.Helper()
	var hosts []string
	for line := range strings.Lines(got) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			hosts = append(hosts, line)
		}
	}
	if !slices.Equal(hosts, []string{"registry.example.com", "[2001:db8::7]"}) {
		t.Errorf("%q makes squid allow %q", text, hosts)
	}
}

// TestAllowlistJSONIsAsItsSchemaSays has good lists, and mistakes that the schema must refuse.
func TestAllowlistJSONIsAsItsSchemaSays(t *testing.T) {
	t.Parallel()
	compiled := schemaOf(t, AllowlistSchema())
	validate := func(text string) error {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Validate(document)
	}
	for _, text := range append(hostileTexts(), "plain") {
		if text == "" {
			continue // no name is empty
		}
		if err := validate(listed(t, AllowlistJSON, hostileList(text))); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := validate(listed(t, AllowlistJSON, Allowlist{Version: "1.2.3"})); err != nil {
		t.Error(err)
	}
	good := listed(t, AllowlistJSON, hostileList("plain"))
	for _, change := range [][2]string{
		{`"schema_version": 1`, `"schema_version": 2`},
		{`"complete": false`, `"complete": true`},
		{`"protocol": "tcp"`, `"protocol": "udp"`},
		{`"port": 5000`, `"port": "5000"`},
		{`"who": "docker daemon"`, `"who": "daemon"`},
		{`"address": "[2001:db8::7]:443"`, `"address": "2001:db8::7:443"`},
		{`"required": true`, `"required": "yes"`},
		{`"gaps": [`, `"gaps": [1,`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Errorf("%s is not in the sample", change[0])
		} else if validate(bad) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
}
