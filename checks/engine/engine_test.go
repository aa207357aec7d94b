package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// daemon serves on a socket what a daemon answered, and remembers what it is asked.
type daemon struct {
	Address
	mu    sync.Mutex
	asked []string
	auth  []string
}

func serve(t *testing.T, answer http.HandlerFunc) *daemon {
	t.Helper()
	folder, err := os.MkdirTemp("", "engine") // t.TempDir may be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	d := &daemon{Address: Address{Host: "unix://" + filepath.Join(folder, "docker.sock")}}
	listener, err := net.Listen("unix", d.Socket())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.asked = append(d.asked, r.Method+" "+r.URL.Path)
		d.auth = append(d.auth, r.Header.Get("X-Registry-Auth"))
		d.mu.Unlock()
		w.Header().Set("Api-Version", "1.41")
		answer(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return d
}

func (d *daemon) engine() *Engine { return New(d.Address, 10*time.Second) }

// docker answers as Docker 20.10 did, podman as Podman 4.3: with the files of testdata.
func docker(w http.ResponseWriter, r *http.Request) {
	saved("docker-20.10", map[string]string{"3e7f": "runner-1"}, w, r)
}

func podman(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/distribution/") {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	saved("podman-4.3", map[string]string{"771a": "runner-1"}, w, r)
}

// saved answers with the files of a folder; containers are those whose ID begins as it says, and runner-2.
func saved(folder string, containers map[string]string, w http.ResponseWriter, r *http.Request) {
	files := map[string]string{
		"/info": "info.json", "/version": "version.json", "/containers/json": "containers.json",
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1.41")
	name := files[path]
	if rest, found := strings.CutPrefix(path, "/containers/"); found && name == "" {
		id, what, _ := strings.Cut(rest, "/")
		container := cmp.Or(containers[id[:4]], "runner-2")
		switch {
		case what == "json":
			name = container + ".json"
		case what == "logs":
			name = container + ".log"
		case r.URL.Query().Get("path") == "/root/.docker/config.json" && container == "runner-1":
			name = "config.tar"
		case r.URL.Query().Get("path") == "/root":
			name = "folder.tar"
		}
		w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString([]byte("{}")))
	}
	if path == "/_ping" {
		return
	}
	data, err := os.ReadFile(filepath.Join("testdata", folder, name))
	if name == "" || err != nil {
		said := `{"message":"no such thing"}`
		if strings.HasPrefix(path, "/distribution/") {
			said = `{"message":"manifest unknown: manifest unknown"}`
		}
		http.Error(w, said, http.StatusNotFound)
		return
	}
	if strings.HasSuffix(name, ".json") {
		w.Header().Set("Content-Type", "application/json")
	}
	_, _ = w.Write(data)
}

func TestInfo(t *testing.T) {
	d := serve(t, docker)
	e := d.engine()
	for range 3 {
		info, err := e.Info(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		want := Info{
			Product: "Docker Engine", Version: "20.10.24+dfsg1", APIVersion: "1.41", MinAPIVersion: "1.12",
			Platform: "linux/amd64", DataRoot: "/var/lib/docker/root", LogDriver: "json-file", StorageDriver: "overlay2",
			CgroupVersion: "1", Memory: 25276510208, Kernel: "6.1.0-37-amd64", OperatingSystem: info.OperatingSystem,
			Insecure: []string{"127.0.0.0/8"}, Mirrors: []string{},
		}
		got, _ := json.Marshal(info)
		wanted, _ := json.Marshal(want)
		if string(got) != string(wanted) {
			t.Errorf("got  %s\nwant %s", got, wanted)
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(d.asked), func(s string) bool { return !strings.HasSuffix(s, "/info") })); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// Where containerd keeps the images, nothing but the storage driver's type says so.
func TestContainerdStore(t *testing.T) {
	for folder, want := range map[string]bool{"docker-20.10": false, "docker-28.5-containerd": true} {
		e := serve(t, func(w http.ResponseWriter, r *http.Request) { saved(folder, nil, w, r) }).engine()
		if info, err := e.Info(context.Background()); err != nil || info.ContainerdStore != want || info.Product != "Docker Engine" {
			t.Errorf("%s: %+v, %v", folder, info, err)
		}
	}
}

// Podman says who it is, and not which images it finds.
func TestPodman(t *testing.T) {
	e, ctx := serve(t, podman).engine(), context.Background()
	want := Info{
		Product: "Podman Engine", Version: "4.3.1", APIVersion: "1.41", MinAPIVersion: "1.24", Platform: "linux/amd64",
		DataRoot: "/var/lib/containers/storage", StorageDriver: "overlay", CgroupVersion: "1", Memory: 25276510208,
		Kernel: "6.1.0-37-amd64", OperatingSystem: "debian", Mirrors: []string{},
		Insecure: []string{"plain.example.com:5000"},
	}
	info, err := e.Info(ctx)
	got, _ := json.Marshal(info)
	wanted, _ := json.Marshal(want)
	if err != nil || string(got) != string(wanted) {
		t.Errorf("got  %s, %v\nwant %s", got, err, wanted)
	}
	_, err = e.Distribution(ctx, "registry.example.com/acme/pause:1", Credentials{})
	var failed *Failure
	if !errors.As(err, &failed) || failed.Kind != NotThere {
		t.Errorf("%#v", err)
	}
	found, err := e.Containers(ctx)
	if err != nil || len(found) != 2 {
		t.Fatalf("%d containers, %v", len(found), err)
	}
	running, exited := found[0], found[1]
	if exited.State != "exited" || exited.ExitCode != 3 || exited.Image != "docker.io/atlassian/bitbucket-pipelines-runner:5" ||
		running.State != "running" || running.Name != "runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae" {
		t.Errorf("got %+v", found)
	}
	if lines, err := e.Log(ctx, exited, time.Time{}, 10); err != nil || len(lines) != 1 ||
		lines[0] != "Failed to parse docker configuration file" {
		t.Errorf("log %q, %v", lines, err)
	}
}

func TestContainers(t *testing.T) {
	d := serve(t, docker)
	e, ctx := d.engine(), context.Background()
	found, err := e.Containers(ctx)
	if err != nil || len(found) != 2 {
		t.Fatalf("%d containers, %v", len(found), err)
	}
	running, exited := found[0], found[1]
	if exited.Name != "runner-2" || exited.State != "exited" || exited.ExitCode != 3 ||
		running.Name != "runner-1" || running.State != "running" || running.Image != "atlassian/bitbucket-pipelines-runner:3" {
		t.Errorf("got %+v", found)
	}
	if lines, err := e.Log(ctx, running, time.Time{}, 10); err != nil || len(lines) != 1 ||
		lines[0] != "Failed to parse docker configuration file" {
		t.Errorf("log %q, %v", lines, err)
	}
	if data, err := e.File(ctx, running.ID, "/root/.docker/config.json"); string(data) != "{\"auths\":{}}\n" || err != nil {
		t.Errorf("file %q, %v", data, err)
	}
	if _, err := e.File(ctx, exited.ID, "/root/.docker/config.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := e.File(ctx, running.ID, "/root"); !errors.Is(err, ErrIsDirectory) {
		t.Errorf("folder: %v", err)
	}
	for _, asked := range d.asked {
		if !strings.HasPrefix(asked, "GET ") && !strings.HasPrefix(asked, "HEAD ") {
			t.Errorf("asked %s", asked)
		}
	}
}

// A runner is older than the containers of its steps, of which there may be any number.
func TestContainersOfManySteps(t *testing.T) {
	const many = 3 * maxContainers
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if id, found := strings.CutPrefix(r.URL.Path, "/v1.41/containers/c"); found {
			_, _ = fmt.Fprintf(w, `{"Id":"c%[1]s","Name":"/c%[1]s"}`, strings.TrimSuffix(id, "/json"))
			return
		}
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		filters := r.URL.Query().Get("filters")
		if strings.Contains(filters, "restarting") { // as Podman does, which knows no such state
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		var listed []string
		for i := range many {
			if strings.Contains(filters, "running") && i != many-1 {
				continue
			}
			state := map[bool]string{true: "running", false: "exited"}[i == many-1]
			listed = append(listed, fmt.Sprintf(`{"Id":"c%d","State":%q}`, i, state))
		}
		if limit > 0 {
			listed = listed[:min(limit, len(listed))]
		}
		_, _ = fmt.Fprintf(w, "[%s]", strings.Join(listed, ","))
	})
	found, err := d.engine().Containers(context.Background())
	if err != nil || len(found) != maxContainers {
		t.Fatalf("%d containers, %v", len(found), err)
	}
	if found[0].Name != fmt.Sprint("c", many-1) || found[1].Name != "c0" {
		t.Errorf("first are %s and %s", found[0].Name, found[1].Name)
	}
}

func TestDistribution(t *testing.T) {
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/distribution/reg.example.com/acme/pause:1/json"):
			_, _ = w.Write([]byte(`{"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:aa","size":3},` +
				`"Platforms":[{"architecture":"amd64","os":"linux"},{"architecture":"arm64","os":"linux","variant":"v8"}]}`))
		case strings.Contains(r.URL.Path, "/distribution/"):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"unauthorized: authentication required"}`))
		}
	})
	e, ctx := d.engine(), context.Background()
	found, err := e.Distribution(ctx, "reg.example.com/acme/pause:1", Credentials{"ci", "pa ss", "reg.example.com"})
	if err != nil || found.Digest != "sha256:aa" || !slices.Equal(found.Platforms, []string{"linux/amd64", "linux/arm64/v8"}) {
		t.Errorf("%+v, %v", found, err)
	}
	_, err = e.Distribution(ctx, "reg.example.com/acme/other:1", Credentials{})
	var failed *Failure
	if !errors.As(err, &failed) || failed.Detail != "unauthorized: authentication required" {
		t.Errorf("%v", err)
	}
	text, err := base64.URLEncoding.DecodeString(d.auth[len(d.auth)-2])
	if err != nil || !strings.Contains(string(text), `"password":"pa ss"`) || d.auth[len(d.auth)-1] != "" {
		t.Errorf("sent %q, %q", d.auth, text)
	}
}

// What a daemon quotes of a registry's page is its own word, and no sign that it is no daemon. Measured with docker 20.10.
func TestDistributionOfAPage(t *testing.T) {
	const said = `error unmarshalling content: invalid character '<' looking for beginning of value`
	d := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": said})
	})
	_, err := d.engine().Distribution(context.Background(), "wiki.example.com/acme/pause:1", Credentials{})
	var failed *Failure
	if !errors.As(err, &failed) || failed.Kind != Failed || failed.Detail != said {
		t.Errorf("%#v", err)
	}
}

// Credentials go to no daemon that is reached in clear, or whose certificate nobody looks at.
func TestCredentialsStay(t *testing.T) {
	for _, address := range []Address{
		{Host: "tcp://127.0.0.1:1"}, {Host: "tcp://127.0.0.1:1", Folder: "x", Unverified: true},
	} {
		_, err := New(address, time.Second).Distribution(context.Background(), "a/b", Credentials{"u", "p", "s"})
		var failed *Failure
		if !errors.As(err, &failed) || failed.Kind != Unsupported {
			t.Errorf("%+v: %v", address, err)
		}
	}
}

func TestFailures(t *testing.T) {
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	unknown := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"cause":"page not found","message":"page not found","response":404}`, http.StatusNotFound)
	})
	file := filepath.Join(t.TempDir(), "docker.sock")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		address Address
		want    Kind
	}{
		"no socket":    {Address{Host: "unix:///nowhere/docker.sock"}, NoSocket},
		"no listener":  {Address{Host: "unix://" + file}, Refused},
		"no port":      {Address{Host: "tcp://127.0.0.1:1"}, Refused},
		"ssh":          {Address{Host: "ssh://host"}, Unsupported},
		"a path":       {Address{Host: "/var/run/docker.sock"}, Unsupported},
		"a page":       {page.Address, NotDocker},
		"nothing":      {unknown.Address, NotThere},
		"certificates": {Address{Host: "tcp://127.0.0.1:1", Folder: "/nowhere"}, Failed},
	} {
		_, err := New(row.address, 10*time.Second).Info(context.Background())
		var failed *Failure
		if !errors.As(err, &failed) || failed.Kind != row.want || failed.Detail == "" {
			t.Errorf("%s: %#v, want %s", name, err, row.want)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := silent.engine().Info(ctx)
	var failed *Failure
	if !errors.As(err, &failed) || failed.Kind != OutOfTime {
		t.Errorf("silent: %v", err)
	}
}

func TestFind(t *testing.T) {
	meta := `{"Name":"build","Endpoints":{"docker":{"Host":"tcp://build:2376","SkipTLSVerify":false}}}`
	for name, row := range map[string]struct {
		env   map[string]string
		files map[string]string
		want  string
	}{
		"default":  {nil, nil, "unix:///var/run/docker.sock docker's default"},
		"env":      {map[string]string{"DOCKER_HOST": "tcp://a:1"}, nil, "tcp://a:1 DOCKER_HOST"},
		"rootless": {map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, map[string]string{"/run/user/7/docker.sock": ""}, "unix:///run/user/7/docker.sock the socket of a rootless daemon"},
		"both": {
			map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"},
			map[string]string{"/run/user/7/docker.sock": "", "/var/run/docker.sock": ""},
			"unix:///var/run/docker.sock docker's default",
		},
		"after su":  {nil, map[string]string{"/run/user/7/docker.sock": ""}, "unix:///run/user/7/docker.sock the socket of a rootless daemon"},
		"another's": {nil, map[string]string{"/run/user/8/docker.sock": ""}, "unix:///var/run/docker.sock docker's default"},
		"context": {
			map[string]string{"HOME": "/h"},
			map[string]string{"/h/.docker/config.json": `{"currentContext":"build"}`, metaOf("/h/.docker", "build"): meta},
			`tcp://build:2376 the docker context "build"`,
		},
		"named context": {
			map[string]string{"DOCKER_CONFIG": "/c", "DOCKER_CONTEXT": "build"},
			map[string]string{metaOf("/c", "build"): meta},
			`tcp://build:2376 the docker context "build"`,
		},
		"lost context": {map[string]string{"DOCKER_CONTEXT": "x"}, nil, ` the docker context "x"`},
	} {
		address, err := Find(Surroundings{
			Env: func(name string) string { return row.env[name] },
			ReadFile: func(path string) ([]byte, error) {
				if text, found := row.files[path]; found {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			},
			Exists: func(path string) bool { _, found := row.files[path]; return found },
			User:   7,
		})
		if got := address.Host + " " + address.Origin; got != row.want || (err != nil) != (address.Host == "") {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, row.want)
		}
	}
}

// metaOf is where docker keeps a context. Source: docker's cli/context/store.
func metaOf(folder, name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(folder, "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json")
}
