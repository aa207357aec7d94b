package main

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// noDaemon names a docker daemon that is nowhere, so that tests see none of the machine that they run on.
const noDaemon = "unix:///nonexistent/docker.sock"

// askedDaemon is a daemon that remembers what it is asked. It has no containers, unless other answers, by how the path
// of a question ends, say so.
func askedDaemon(t *testing.T, others map[string]string) (host string, asked func() []string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "engine") // t.TempDir may be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	socket := filepath.Join(folder, "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var paths []string
	answers := map[string]string{
		"/info":            `{"ServerVersion":"28.5.1","DockerRootDir":"/var/lib/docker","OperatingSystem":"Debian","LoggingDriver":"json-file"}`,
		"/version":         `{"Version":"28.5.1","ApiVersion":"1.51","MinAPIVersion":"1.24","Os":"linux","Arch":"s390x"}`,
		"/containers/json": `[]`,
	}
	maps.Copy(answers, others)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.Method+" "+r.URL.Path)
		mu.Unlock()
		w.Header().Set("Api-Version", "1.51")
		w.Header().Set("Content-Type", "application/json")
		for end, text := range answers {
			if strings.HasSuffix(r.URL.Path, end) {
				_, _ = w.Write([]byte(text))
				return
			}
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return "unix://" + socket, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(paths)
	}
}

// The daemon is asked about itself and its containers under check, with --offline too, and under lint not at all.
func TestDaemonIsAsked(t *testing.T) {
	host, asked := askedDaemon(t, nil)
	env := map[string]string{"DOCKER_HOST": host, "HOME": t.TempDir()}
	got := preflightHere(env, "check", "--offline", "--format", "json")
	var report struct {
		Runners []struct{ Platform string }
		Checks  []struct{ Name, Status string }
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatal(err, got)
	}
	if len(report.Runners) != 1 || report.Runners[0].Platform != "linux/s390x" {
		t.Errorf("the daemon's platform is not taken: %+v", report.Runners)
	}
	want := map[string]string{"daemon-answers": "pass", "daemon-settings": "pass", "daemon-pulls": "skip"}
	for _, check := range report.Checks {
		if status, known := want[check.Name]; known && check.Status != status {
			t.Errorf("%s: %s", check.Name, check.Status)
		}
	}
	paths := asked()
	for _, path := range paths {
		if strings.Contains(path, "/distribution/") || !strings.HasPrefix(path, "GET ") && !strings.HasPrefix(path, "HEAD ") {
			t.Errorf("asked %s", path)
		}
	}
	if len(paths) == 0 {
		t.Error("it was not asked")
	}
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"auths":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := preflightHere(env, "lint", file); got.code != exitClean || len(asked()) != len(paths) {
		t.Errorf("lint asked the daemon: %v, %+v", asked(), got)
	}
	given := preflightHere(env, "check", "--offline", "--platform", "linux/arm64", "--format", "json").stdout
	if !strings.Contains(given, `"platform": "linux/arm64"`) {
		t.Error("--platform does not count before the daemon's")
	}
}

// A context that is not there is said, and stops nothing.
func TestLostContext(t *testing.T) {
	got := preflightHere(map[string]string{"DOCKER_CONTEXT": "lost", "HOME": t.TempDir()}, "check", "--offline", "--only", "daemon-answers", "-v")
	if !strings.Contains(got.stdout, `the docker context "lost" has no files`) {
		t.Error(got)
	}
}
