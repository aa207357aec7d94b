package registry

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	oci "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	user     = "ci"
	password = "canary-P4ss:w/rd+%=" // must be in no answer, in no spelling
	host     = "registry.example.com"
	image    = host + "/acme/pause:1"
)

// rig is a network of real servers on loopback, each under the name that it is asked by, with every request noted.
type rig struct {
	t       *testing.T
	servers map[string]*httptest.Server
	inner   *http.Transport

	mu       sync.Mutex
	requests []string
	headers  []http.Header
}

// newRig serves each handler over TLS under its host:port.
func newRig(t *testing.T, handlers map[string]http.Handler) *rig {
	t.Helper()
	r := &rig{t: t, servers: map[string]*httptest.Server{}}
	for address, handler := range handlers {
		server := httptest.NewUnstartedServer(handler)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		r.servers[address] = server
	}
	r.inner = &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			server, ok := r.servers[address]
			if !ok {
				return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s is blocked", address)}
			}
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	t.Cleanup(r.inner.CloseIdleConnections)
	return r
}

func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.requests = append(r.requests, req.Method+" "+req.URL.Scheme+"://"+req.URL.Host+req.URL.Path)
	r.headers = append(r.headers, req.Header.Clone())
	r.mu.Unlock()
	return r.inner.RoundTrip(req)
}

// client is a client that does not wait long before it asks again.
func (r *rig) client() *Client {
	c := New(r)
	c.pause = time.Millisecond
	return c
}

// resolve asks about the usual image, with credentials if so wished.
func (r *rig) resolve(withCredentials bool) Resolution {
	req := Request{Reference: image, Platform: "linux/amd64"}
	if withCredentials {
		req.Username, req.Password = user, password
	}
	return r.client().Resolve(context.Background(), req)
}

// count counts the requests that contain all of the words.
func (r *rig) count(words ...string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, request := range r.requests {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(request, word) }) {
			n++
		}
	}
	return n
}

// sentTo lists the host:port of the requests that carried an Authorization header.
func (r *rig) sentTo() []string {
	var hosts []string
	for i, header := range r.headers {
		if header.Get("Authorization") != "" {
			_, rest, _ := strings.Cut(r.requests[i], " ")
			u, _ := url.Parse(rest)
			if !slices.Contains(hosts, u.Scheme+"://"+address(u)) {
				hosts = append(hosts, u.Scheme+"://"+address(u))
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

// store is a registry that others wrote, with images in it.
type store struct {
	http.Handler
	t *testing.T
}

// newStore makes a registry with acme/pause:1, an index for linux/amd64 and linux/arm64.
func newStore(t *testing.T) store {
	t.Helper()
	s := store{oci.New(oci.Logger(log.New(io.Discard, "", 0))), t}
	s.push("acme/pause:1", "linux/amd64", "linux/arm64")
	return s
}

// push puts an index of images for the platforms under a name, or one image alone.
func (s store) push(ref string, platforms ...string) v1.Hash {
	s.t.Helper()
	var index v1.ImageIndex = empty.Index
	for _, p := range platforms {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        s.image(p),
			Descriptor: v1.Descriptor{Platform: platform(s.t, p)},
		})
	}
	s.must(remote.WriteIndex(s.name(ref), index, remote.WithTransport(inProcess{s.Handler})))
	digest, err := index.Digest()
	s.must(err)
	return digest
}

// pushOne puts one image without an index under a name.
func (s store) pushOne(ref string, image v1.Image) {
	s.t.Helper()
	s.must(remote.Write(s.name(ref), image, remote.WithTransport(inProcess{s.Handler})))
}

// image is an image of two layers, the same for a platform throughout the tests.
func (s store) image(p string) v1.Image {
	s.t.Helper()
	made, _ := images.LoadOrStore(p, sync.OnceValues(func() (v1.Image, error) { return makeImage(p) }))
	image, err := made.(func() (v1.Image, error))()
	s.must(err)
	return image
}

var images sync.Map

func makeImage(p string) (v1.Image, error) {
	image, err := random.Image(64, 2)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	want, err := v1.ParsePlatform(p)
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = want.OS, want.Architecture, want.Variant
	config.Created = v1.Time{Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	return mutate.ConfigFile(image, config)
}

func (s store) name(ref string) name.Reference {
	parsed, err := name.ParseReference("store.test/"+ref, name.Insecure)
	s.must(err)
	return parsed
}

func (s store) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func platform(t *testing.T, text string) *v1.Platform {
	t.Helper()
	p, err := v1.ParsePlatform(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// inProcess hands requests to a handler.
type inProcess struct{ http.Handler }

func (h inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	if req.Body == nil {
		req.Body = http.NoBody
	}
	h.ServeHTTP(recorder, req)
	resp := recorder.Result()
	resp.Request = req
	return resp, nil
}

// refuse answers with the registry protocol's error.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"no"}]}`, code)
}

// answering answers everything alike.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// basic asks for a user and password before next.
func basic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if u, p, _ := req.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="rig"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
			return
		}
		next.ServeHTTP(w, req)
	})
}

const goodToken = "canary-t0ken"

// bearer asks for the token of a token service before next.
func bearer(realm string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer "+goodToken {
			challenge := fmt.Sprintf(`Bearer realm=%q,service="rig"`, realm)
			if strings.HasPrefix(req.Header.Get("Authorization"), "Bearer ") {
				challenge += `,error="insufficient_scope"`
			}
			w.Header().Set("WWW-Authenticate", challenge)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
			return
		}
		next.ServeHTTP(w, req)
	})
}

// tokens is a token service that takes the user and password and gives a token.
func tokens(token string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if u, p, _ := req.BasicAuth(); u != user || p != password {
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
			return
		}
		_, _ = fmt.Fprintf(w, `{"token":%q}`, token)
	}
}

// except lets some requests go elsewhere than to next.
func except(part string, other http.HandlerFunc, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.Method+" "+req.URL.Path, part) {
			other(w, req)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// spellings of the password that must not be repeated.
func spellings() []string {
	return []string{
		password, url.QueryEscape(password), base64.StdEncoding.EncodeToString([]byte(password)),
		base64.StdEncoding.EncodeToString([]byte(user + ":" + password)), goodToken,
	}
}
