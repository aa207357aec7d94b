package scene_test

import (
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/network"
	"runner-preflight/checks/scene"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// described is a scene as a case writes it.
const described = `{"hosts": {
	"registry.example.com": {"tls": "private", "registry": {
		"auth": "bearer", "realm": "auth.example.com", "blobHost": "cdn.example.com",
		"users": {"ci": "secret", "other": "secret"}, "grants": {"other": ["else/where"]}, "public": ["acme/open"],
		"images": {
			"acme/pause:1": {"platforms": ["linux/amd64", "linux/arm64/v8"], "missing": [0]},
			"acme/open:1": {"layers": 1}
		},
		"faults": [{"path": "/manifests/busy", "times": 1, "status": 429, "headers": {"Retry-After": "30"}}]}},
	"auth.example.com": {}, "cdn.example.com": {"http1": true}}}`

type lab struct {
	*scene.Lab
	t *testing.T
	c *network.Client
}

func start(t *testing.T) lab {
	t.Helper()
	var s scene.Scene
	if err := json.Unmarshal([]byte(described), &s); err != nil {
		t.Fatal(err)
	}
	l, err := scene.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	c := network.New(l.Config())
	t.Cleanup(func() { c.Close(); l.Close() })
	return lab{l, t, c}
}

func (l lab) get(url string, header ...string) (int, http.Header, string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := l.c.RoundTrip(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

// token logs in as somebody and returns the header to send.
func (l lab) token(user, password string) (int, string) {
	req, _ := http.NewRequest(http.MethodGet, "https://auth.example.com/token/registry.example.com:443", nil)
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	status, _, body := l.get(req.URL.String(), "Authorization", req.Header.Get("Authorization"))
	var got struct{ Token string }
	_ = json.Unmarshal([]byte(body), &got)
	return status, "Bearer " + got.Token
}

// TestRegistry goes the way of a pull.
func TestRegistry(t *testing.T) {
	t.Parallel()
	l := start(t)
	const base = "https://registry.example.com/v2/"
	status, header, _ := l.get(base)
	if challenge := header.Get("WWW-Authenticate"); status != 401 ||
		challenge != `Bearer realm="https://auth.example.com/token/registry.example.com:443",`+
			`service="registry.example.com"` {
		t.Errorf("ping: %d %s", status, challenge)
	}
	if status, _ := l.token("ci", "wrong"); status != 401 {
		t.Errorf("a wrong password: %d", status)
	}
	_, nobody := l.token("", "")
	_, other := l.token("other", "secret")
	_, ci := l.token("ci", "secret")
	for _, test := range []struct {
		path, token string
		want        int
	}{
		{"acme/open/manifests/1", nobody, 200},
		{"acme/pause/manifests/1", nobody, 401},
		{"acme/pause/manifests/1", other, 401},
		{"acme/pause/manifests/1", ci, 200},
		{"acme/pause/manifests/2", ci, 404},
		{"acme/none/manifests/1", ci, 404},
		{"acme/pause/manifests/busy", ci, 429},
		{"acme/pause/manifests/busy", ci, 404},
	} {
		if status, _, body := l.get(base+test.path, "Authorization", test.token); status != test.want {
			t.Errorf("%s: %d, want %d (%s)", test.path, status, test.want, body)
		}
	}
	var index v1.IndexManifest
	_, _, body := l.get(base+"acme/pause/manifests/1", "Authorization", ci)
	if err := json.Unmarshal([]byte(body), &index); err != nil || len(index.Manifests) != 2 ||
		index.Manifests[1].Platform.Variant != "v8" {
		t.Errorf("%v: %s", err, body)
	}
}

// TestBlobs reads a layer where it redirects to, without credentials, and misses one.
func TestBlobs(t *testing.T) {
	t.Parallel()
	l := start(t)
	const base = "https://registry.example.com/v2/acme/"
	_, ci := l.token("ci", "secret")
	image := func(repository, reference string) v1.Manifest {
		var m v1.Manifest
		_, _, body := l.get(base+repository+"/manifests/"+reference, "Authorization", ci)
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	layer := image("open", "1").Layers[0]
	status, header, _ := l.get(base+"open/blobs/"+layer.Digest.String(), "Authorization", ci)
	to := header.Get("Location")
	if status != 307 || !strings.HasPrefix(to, "https://cdn.example.com/blobs/") {
		t.Fatalf("%d %s", status, to)
	}
	if status, _, body := l.get(to, "Range", "bytes=0-0"); status != 206 || len(body) != 1 {
		t.Errorf("%d %q", status, body)
	}
	if status, _, _ := l.get(to, "Authorization", ci); status != 403 {
		t.Errorf("with credentials: %d", status)
	}
	var index v1.IndexManifest
	_, _, body := l.get(base+"pause/manifests/1", "Authorization", ci)
	_ = json.Unmarshal([]byte(body), &index)
	gone := image("pause", index.Manifests[0].Digest.String()).Layers[0]
	if status, _, body := l.get(base+"pause/blobs/"+gone.Digest.String(), "Authorization", ci); status != 404 ||
		!strings.Contains(body, "BLOB_UNKNOWN") {
		t.Errorf("missing layer: %d %s", status, body)
	}
}

// TestAddress resolves a name to the address that its host is given, and connects there.
func TestAddress(t *testing.T) {
	l, err := scene.Start(scene.Scene{Hosts: map[string]scene.Host{"registry.example.com:5000": {Address: "10.20.0.5"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addrs, err := l.Resolve(t.Context(), "registry.example.com")
	if err != nil || len(addrs) != 1 || addrs[0].String() != "10.20.0.5" {
		t.Errorf("it resolves to %v (%v)", addrs, err)
	}
	conn, err := l.Dial(t.Context(), "tcp", "10.20.0.5:5000")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if _, err := scene.Start(scene.Scene{Hosts: map[string]scene.Host{"a.example.com": {Address: "10.20.0"}}}); err == nil {
		t.Error("an address that is none was accepted")
	}
}

func TestSlipsAreRefused(t *testing.T) {
	t.Parallel()
	for _, h := range []scene.Host{{DNS: "nx"}, {TCP: "drop"}, {IPv6: "yes"}, {TLS: "http"}} {
		if _, err := scene.Start(scene.Scene{Hosts: map[string]scene.Host{"a.example.com": h}}); err == nil {
			t.Errorf("%+v is taken", h)
		}
	}
}

// TestClose leaves nothing running, not even what is silent on purpose.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	l, err := scene.Start(scene.Scene{
		PhaseTimeout: scene.Duration(100 * time.Millisecond),
		Hosts: map[string]scene.Host{
			"a.example.com": {}, "b.example.com": {TLS: "silent"},
			"c.example.com": {Answer: &scene.Answer{Fault: "silent"}},
			"d.example.com": {
				HTTP1:  true,
				Answer: &scene.Answer{Fault: "endless-body"},
			}, "e.example.com": {TCP: "timeout"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := network.New(l.Config())
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		c.Probe(t.Context(), "https://"+name+".example.com/")
	}
	c.Close()
	l.Close()
	deadline := time.Now().Add(20 * time.Second)
	for ; runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("goroutines are left over:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}
