package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/scene"
	"runner-preflight/report"
)

const allowlistScript = `docker run -d -e PAUSE_IMAGE=registry.example.com:5000/mirror/pause:3.8 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
`

// allowedHosts is a list that has all that allowlistScript needs, in the forms that a list may have.
const allowedHosts = `# the runners' list
*.atlassian.com:443
.bitbucket.org
registry.example.com   # any port
*.amazonaws.com
public.ecr.aws:443
.docker.io
*.docker.com
`

// runAllowlist runs the command in a folder with the files that the tests name, beside no docker daemon. Nothing leaves
// this machine: the proxy of the environment is a port at which nobody listens.
func runAllowlist(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	return runAllowlistBeside(t, noDaemon, stdin, args...)
}

// runAllowlistBeside is runAllowlist beside the docker daemon at an address.
func runAllowlistBeside(t *testing.T, daemon, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := listener.Addr().String()
	listener.Close()
	env := map[string]string{"HOME": t.TempDir(), "HTTPS_PROXY": "http://" + dead, "DOCKER_HOST": daemon}
	var stdout, stderr bytes.Buffer
	code = run(append([]string{"runner-preflight", "allowlist"}, args...), process{
		in: strings.NewReader(stdin), out: &stdout, err: &stderr, env: func(name string) string { return env[name] },
	})
	_, port, _ := net.SplitHostPort(dead)
	same := strings.NewReplacer(dead, "PROXY", port, "PORT")
	return code, same.Replace(stdout.String()), same.Replace(stderr.String())
}

// TestAllowlistExitCodes runs the command as a shell would.
func TestAllowlistExitCodes(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{
		"run.sh": allowlistScript, "unknown.sh": strings.Replace(allowlistScript, "registry.example.com:5000/mirror/pause:3.8", `"$1"`, 1),
		"all.txt": allowedHosts, "no-registry.txt": strings.Replace(allowedHosts, "registry.example.com ", "registry.example.com:443 ", 1),
		"no-optional.txt": "*.atlassian.com\n.bitbucket.org\nregistry.example.com:5000\n",
		"bad.txt":         "# fine\nregistry.example.com/v2/\n", "none.sh": "echo hello\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	for _, test := range []struct {
		args, stdin string
		code        int
		out, err    string // "-" for nothing
	}{
		{"--offline run.sh", "", 0, "registry.example.com:5000  tcp\n", "no registry was asked (--offline)"},
		{"--offline", "", 0, "k8s-docker.packages.atlassian.com:443  tcp\n", "no runner definition was given"},
		{"--offline -", allowlistScript, 0, "registry.example.com:5000  tcp\n", ""},
		{"--offline --format csv run.sh", "", 0, "host,port,protocol,", ""},
		{"--offline --format json run.sh", "", 0, `"schema_version": 1`, ""},
		{"--offline --format squid run.sh", "", 0, "\nregistry.example.com\n", ""},
		{"--offline --format markdown run.sh", "", 0, "| `registry.example.com:5000` | TCP | docker daemon |", ""},
		{"--offline --endpoint nexus.example.com:8081 run.sh", "", 0, "nexus.example.com:8081  tcp\n", ""},
		{"--offline --pause-image quay.io/a/pause:1 run.sh", "", 0, "quay.io:443  tcp\n", ""},
		{"--offline --against all.txt run.sh", "", 0, "nothing is missing from all.txt\n", ""},
		{"--offline --against no-registry.txt run.sh", "", 1, "registry.example.com:5000  tcp\n", "1 host is missing from no-registry.txt\n"},
		{"--offline --format csv --against all.txt run.sh", "", 0, "host,port", ""},
		{"--offline --against - run.sh", allowedHosts, 0, "nothing is missing from <stdin>\n", ""},
		{"--offline --against no-optional.txt run.sh", "", 1, "public.ecr.aws:443  tcp  optional\n", "all of them optional: --required"},
		{"--offline --required --against no-optional.txt run.sh", "", 0, "nothing is missing from no-optional.txt\n", ""},
		{"--offline --against bad.txt run.sh", "", 2, "-", `bad.txt:2: "registry.example.com/v2/" has a slash`},
		{"--offline --against absent.txt run.sh", "", 2, "-", "--against absent.txt: no such file\n"},
		{"--offline --against . run.sh", "", 2, "-", "--against .: is a folder"},
		{"--offline --against - -", "", 2, "-", "not both"},
		{"--offline --against= run.sh", "", 2, "-", "--against is empty"},
		{"--offline --format xml run.sh", "", 2, "-", "csv, json, markdown, squid, text"},
		{"--offline absent.sh", "", 2, "-", "absent.sh: no such file"},
		{"--offline --config absent.json run.sh", "", 2, "-", "--config absent.json: no such file"},
		{"--offline --fail-on warn run.sh", "", 2, "-", "allowlist has no --fail-on"},
		{"--offline run.sh --required", "", 2, "-", "flags come before files"},
		{"--offline unknown.sh", "", 3, "api.atlassian.com:443  tcp\n", "PAUSE_IMAGE: the image is not known"},
		{"--offline none.sh", "", 3, "no runner was found in none.sh", "no runner was found in none.sh"},
		{"run.sh", "", 3, "registry.example.com:5000  tcp\n", "the proxy PROXY (HTTPS_PROXY)"},
		{"--against all.txt run.sh", "", 3, "nothing is missing from all.txt\n", "this list may be incomplete"},
		{"--against no-registry.txt run.sh", "", 1, "registry.example.com:5000  tcp\n", "this list may be incomplete"},
	} {
		t.Run(test.args, func(t *testing.T) {
			code, out, errs := runAllowlist(t, test.stdin, strings.Fields(test.args)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(out, test.out) && test.out != "-" || test.out == "-" && out != "" {
				t.Errorf("standard output lacks %q:\n%s", test.out, out)
			}
			if !strings.Contains(errs, test.err) {
				t.Errorf("standard error lacks %q:\n%s", test.err, errs)
			}
		})
	}
}

// TestAllowlistReadsItself compares a list with what the formats wrote of it: nothing can be missing.
func TestAllowlistReadsItself(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("run.sh", []byte(allowlistScript), 0o600); err != nil {
		t.Fatal(err)
	}
	_, list, _ := runAllowlist(t, "", "--offline", "--format", "squid", "run.sh")
	if code, out, errs := runAllowlist(t, list, "--offline", "--against", "-", "run.sh"); code != 0 {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// The daemon is asked for its runners and its way out where no FILE is given. A FILE's list is the same beside any daemon.
func TestAllowlistAsksTheDaemon(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("run.sh", []byte(allowlistScript), 0o600); err != nil {
		t.Fatal(err)
	}
	host, asked := askedDaemon(t, map[string]string{
		"/info": `{"ServerVersion":"28.5.1","DockerRootDir":"/var/lib/docker","OperatingSystem":"Debian",
			"HttpsProxy":"http://ci:canary@proxy.example.com:3128","NoProxy":".atlassian.com",
			"RegistryConfig":{"Mirrors":["https://mirror.example.com/"]}}`,
		"/containers/json": `[{"Id":"abc","Names":["/runner-1"]}]`,
		"/abc/json": `{"Id":"abc","Name":"/runner-1","Config":{"Image":"sox/atlassian/bitbucket-pipelines-runner:5",
			"Env":["RUNNER_UUID={x}","OAUTH_CLIENT_ID=x","PAUSE_IMAGE=registry.example.net/pause:1"]}}`,
	})
	code, out, errs := runAllowlistBeside(t, host, "", "--offline")
	for _, want := range []string{
		"proxy.example.com:3128  tcp\n    docker daemon: proxy (the docker daemon's HTTPS_PROXY)\n",
		"registry.example.net:443  tcp\n    docker daemon: PAUSE_IMAGE, registry.example.net/pause:1, over the proxy\n    proxy.example.com:3128",
		"mirror.example.com:443  tcp",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("standard output lacks %q:\n%s", want, out)
		}
	}
	if code != exitClean || strings.Contains(errs, "vendor's defaults") || strings.Contains(out+errs, "canary") {
		t.Errorf("exit code %d: %s%s", code, errs, out)
	}
	count := len(asked())
	code, beside, _ := runAllowlistBeside(t, host, "", "--offline", "--format", "csv", "run.sh")
	_, alone, _ := runAllowlist(t, "", "--offline", "--format", "csv", "run.sh")
	if code != exitClean || beside != alone || len(asked()) != count {
		t.Errorf("exit code %d, asked %d times more; beside a daemon:\n%s\nalone:\n%s", code, len(asked())-count, beside, alone)
	}
	if code, _, errs := runAllowlistBeside(t, "ssh://builder", "", "--offline"); code != exitUnestablished ||
		!strings.Contains(errs, "the docker daemon does not tell its runners") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestAllowlistAsks has registries that answer: then all is known.
func TestAllowlistAsks(t *testing.T) {
	image := scene.Image{Platforms: []string{"linux/amd64"}}
	lab, err := scene.Start(scene.Scene{Hosts: map[string]scene.Host{
		"registry.example.com:5000": {Registry: &scene.Registry{
			BlobHost: "cdn.example.net", Images: map[string]scene.Image{"mirror/pause:3.8": image},
		}},
		"docker-public.packages.atlassian.com": {Registry: &scene.Registry{Images: map[string]scene.Image{
			"sox/atlassian/bitbucket-pipelines-runner:5":               image,
			"sox/atlassian/bitbucket-pipelines-auth-proxy:prod-stable": image,
			"sox/atlassian/bitbucket-pipelines-dvcs-tools:prod-stable": image,
		}}},
		"cdn.example.net": {},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer lab.Close()
	for list, want := range map[string]error{allowedHosts + "cdn.example.net\n": nil, allowedHosts: exitCode(exitFindings), "": nil} {
		host, err := checks.Build(t.Context(), checks.Input{
			Files: []checks.InputFile{{Path: "run.sh", Data: []byte(allowlistScript)}}, Live: true, Platform: "linux/amd64",
			Env: func(string) string { return "" }, Route: lab.Config(),
		}, checks.Windows{Files: osFiles{}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		l := listing{options: options{timeout: 20 * time.Second}, write: report.AllowlistText(report.TextOptions{})}
		if list != "" {
			l.against = "allowed.txt"
			if l.patterns, err = checks.ParsePatterns(l.against, []byte(list)); err != nil {
				t.Fatal(err)
			}
		}
		p := process{out: &out, err: &errs, env: func(string) string { return "" }}
		if got := l.list(t.Context(), p, host); !errors.Is(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if listed := strings.Contains(out.String(), "cdn.example.net:443  tcp\n"); listed != (!strings.Contains(list, "cdn")) {
			t.Errorf("cdn.example.net is listed: %v\n%s", listed, out.String())
		}
	}
}
