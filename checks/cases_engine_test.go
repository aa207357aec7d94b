package checks

import (
	"archive/tar"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/engine"
)

// fakeDaemon answers from the folder engine/ of a case, as a docker daemon does on its socket:
//
//	info.json, version.json   what differs from a healthy Docker 28
//	containers.json           as /containers/json, or {"message": …} where it fails; NAME.json is what docker inspect prints of each, NAME.log its log as
//	                          a terminal's, NAME/PATH a file in it
//	silent                    it answers nothing; with "ping" in it a ping alone
//	distribution.json         what it learns of images, by reference; "*" is for all others
type fakeDaemon struct {
	folder string
	images map[string]fakeImage
}

// fakeImage is what a daemon answers about an image: a digest, or an error in its own words.
type fakeImage struct {
	Digest    string
	Platforms []string
	// As is the USER:PASSWORD without which the answer is that of a registry which asks for it.
	As      string
	Status  int
	Message string
	// Silent says that it never answers.
	Silent bool
}

// fakeHealthy is what a healthy daemon says of itself.
var fakeHealthy = map[string]string{
	"info.json": `{"ServerVersion":"28.5.1","DockerRootDir":"/var/lib/docker","LoggingDriver":"json-file",
		"Driver":"overlay2","CgroupVersion":"2","MemTotal":8589934592,"KernelVersion":"6.1.0","OSType":"linux",
		"Architecture":"x86_64","OperatingSystem":"Debian GNU/Linux 12 (bookworm)",
		"SecurityOptions":["name=apparmor","name=seccomp,profile=builtin","name=cgroupns"],
		"RegistryConfig":{"InsecureRegistryCIDRs":["::1/128","127.0.0.0/8"],"IndexConfigs":{
			"docker.io":{"Name":"docker.io","Mirrors":[],"Secure":true,"Official":true}},"Mirrors":[]}}`,
	"version.json": `{"Version":"28.5.1","ApiVersion":"1.51","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64",
		"Components":[{"Name":"Engine","Version":"28.5.1"}]}`,
	"containers.json": `[]`,
}

// engineOf puts the daemon of a case's folder on a socket, if it has one, and asks it what main asks.
func engineOf(t *testing.T, folder string, in *Input) {
	t.Helper()
	d := fakeDaemon{folder: filepath.Join(folder, "engine")}
	if _, err := os.Stat(d.folder); err != nil {
		return
	}
	if data, err := os.ReadFile(filepath.Join(d.folder, "distribution.json")); err == nil {
		if err := json.Unmarshal(data, &d.images); err != nil {
			t.Fatal(err)
		}
	}
	short, err := os.MkdirTemp("", "engine") // t.TempDir may be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	socket := filepath.Join(short, "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: d}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	in.Engine = engine.New(engine.Address{Host: "unix://" + socket, Origin: engine.Default}, 20*time.Second)
	limit := 20 * time.Second
	if d.silent("/info") {
		limit = 100 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	told, err := in.Engine.Info(ctx)
	if err == nil {
		in.Told = &told
	} else if !errors.As(err, &in.Untold) {
		t.Fatal(err)
	}
	if in.Containers, err = in.Engine.Containers(ctx); err != nil && !errors.As(err, &in.Unlisted) {
		t.Fatal(err)
	}
}

// ServeHTTP answers one request.
func (d fakeDaemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.51")
	path := r.URL.Path
	if rest, versioned := strings.CutPrefix(path, "/v"); versioned {
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	switch {
	case d.silent(path):
		<-r.Context().Done()
	case path == "/_ping":
		return
	case path == "/info" || path == "/version":
		d.file(w, path[1:]+".json")
	case path == "/containers/json":
		w.Header().Set("Content-Type", "application/json")
		if said, err := os.ReadFile(filepath.Join(d.folder, "containers.json")); err == nil && said[0] == '{' {
			w.WriteHeader(http.StatusInternalServerError)
		}
		d.file(w, "containers.json")
	case strings.HasPrefix(path, "/containers/"):
		d.container(w, strings.TrimPrefix(path, "/containers/"), r.URL.Query().Get("path"))
	case strings.HasPrefix(path, "/distribution/"):
		d.distribution(w, r, strings.TrimSuffix(strings.TrimPrefix(path, "/distribution/"), "/json"))
	default:
		fakeError(w, http.StatusNotFound, "page not found")
	}
}

// silent tells whether a question is never answered.
func (d fakeDaemon) silent(path string) bool {
	but, err := os.ReadFile(filepath.Join(d.folder, "silent"))
	return err == nil && path != "/_"+strings.TrimSpace(string(but))
}

// file answers with a file of the folder, over what a healthy daemon says.
func (d fakeDaemon) file(w http.ResponseWriter, name string) {
	answer := []byte(fakeHealthy[name])
	data, err := os.ReadFile(filepath.Join(d.folder, name))
	var healthy, own map[string]any
	switch {
	case err != nil && len(answer) == 0:
		fakeError(w, http.StatusNotFound, "no such thing: "+name)
		return
	case err != nil:
	case json.Unmarshal(answer, &healthy) == nil && json.Unmarshal(data, &own) == nil:
		maps.Copy(healthy, own)
		answer, _ = json.Marshal(healthy)
	default:
		answer = data
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// container answers about one container, which is named by its ID or its name.
func (d fakeDaemon) container(w http.ResponseWriter, path, file string) {
	id, what, _ := strings.Cut(path, "/")
	var listed []struct {
		ID    string `json:"Id"`
		Names []string
	}
	data, _ := os.ReadFile(filepath.Join(d.folder, "containers.json"))
	_ = json.Unmarshal(data, &listed)
	name := id
	for _, c := range listed {
		if c.ID == id && len(c.Names) > 0 {
			name = strings.TrimPrefix(c.Names[0], "/")
		}
	}
	switch what {
	case "json":
		d.file(w, name+".json")
	case "logs":
		d.file(w, name+".log")
	case "archive":
		d.archive(w, name, file)
	default:
		fakeError(w, http.StatusNotFound, fmt.Sprintf("Could not find the file %s in container %s", file, id))
	}
}

// archive answers with one file of a container, as a tar.
func (d fakeDaemon) archive(w http.ResponseWriter, name, file string) {
	path := filepath.Join(d.folder, name, file)
	info, err := os.Stat(path)
	if err != nil {
		fakeError(w, http.StatusNotFound, fmt.Sprintf("Could not find the file %s in container %s", file, name))
		return
	}
	w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString([]byte("{}")))
	archive := tar.NewWriter(w)
	header, _ := tar.FileInfoHeader(info, "")
	_ = archive.WriteHeader(header)
	if !info.IsDir() {
		data, _ := os.ReadFile(path)
		_, _ = archive.Write(data)
	}
	_ = archive.Close()
}

func (d fakeDaemon) distribution(w http.ResponseWriter, r *http.Request, reference string) {
	image, known := d.images[reference]
	if !known {
		image, known = d.images["*"]
	}
	var sent struct{ Username, Password string }
	header, _ := base64.URLEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
	_ = json.Unmarshal(header, &sent)
	switch {
	case !known:
		fakeError(w, http.StatusNotFound, "manifest unknown: manifest unknown")
	case image.Silent:
		<-r.Context().Done()
	case image.Message != "":
		fakeError(w, image.Status, image.Message)
	case image.As != "" && len(header) == 0:
		fakeError(w, http.StatusInternalServerError, "no basic auth credentials")
	case image.As != "" && image.As != sent.Username+":"+sent.Password:
		fakeError(w, http.StatusUnauthorized, "unauthorized: authentication required")
	default:
		platforms := []map[string]string{}
		for _, platform := range image.Platforms {
			parts := append(strings.Split(platform, "/"), "", "")
			platforms = append(platforms, map[string]string{"os": parts[0], "architecture": parts[1], "variant": parts[2]})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"Descriptor": map[string]any{"digest": image.Digest, "mediaType": "application/vnd.oci.image.index.v1+json", "size": 500},
			"Platforms":  platforms,
		})
	}
}

// fakeError answers as the daemon does where something fails.
func fakeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
