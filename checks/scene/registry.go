package scene

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

// tokenPath and blobPath are where token services and hosts of redirected blobs answer; the registry's host:port
// follows.
const (
	tokenPath = "/token/"
	blobPath  = "/blobs/"
)

// registryServer is go-containerregistry's registry behind a lock.
type registryServer struct {
	lab   *Lab
	key   string
	rules *Registry
	store http.Handler
	// kept are the statuses of blobs that are gone or closed, by digest.
	kept map[string]int

	mu     sync.Mutex
	tokens map[string]string // the user of each token, "" for anonymous
	struck map[int]int
}

func newRegistry(l *Lab, key string, rules *Registry) (*registryServer, error) {
	r := &registryServer{
		lab: l, key: key, rules: rules, store: registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		kept: map[string]int{}, tokens: map[string]string{}, struck: map[int]int{},
	}
	for name, image := range rules.Images {
		if err := r.push(name, image); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}

func (r *registryServer) serve(s *server, w http.ResponseWriter, req *http.Request) {
	for i, fault := range r.rules.Faults {
		if (fault.Method == "" || fault.Method == req.Method) && strings.Contains(req.URL.Path, fault.Path) &&
			r.strikes(i) {
			s.write(w, req, fault.Answer)
			return
		}
	}
	repository, rest := split(req.URL.Path)
	user, known := r.user(req)
	switch {
	case r.rules.Auth == "":
	case !known:
		r.challenge(w, repository, "UNAUTHORIZED", "authentication required")
		return
	case repository != "" && !r.mayRead(user, repository):
		if r.rules.Auth == "basic" {
			refuse(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
			return
		}
		r.challenge(w, repository, "UNAUTHORIZED", "authentication required")
		return
	}
	if digest, isBlob := strings.CutPrefix(rest, "blobs/"); isBlob {
		r.blob(w, req, repository, digest)
		return
	}
	r.store.ServeHTTP(w, req)
}

func (r *registryServer) strikes(fault int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.struck[fault]++
	times := r.rules.Faults[fault].Times
	return times == 0 || r.struck[fault] <= times
}

// split cuts /v2/REPOSITORY/manifests/… and the like in two.
func split(path string) (repository, rest string) {
	path = strings.TrimPrefix(path, "/v2/")
	for _, kind := range []string{"/manifests/", "/blobs/", "/tags/"} {
		if at := strings.LastIndex(path, kind); at >= 0 {
			return path[:at], path[at+1:]
		}
	}
	return "", path
}

// user tells who asks; an anonymous token is a user without a name.
func (r *registryServer) user(req *http.Request) (user string, known bool) {
	if r.rules.Auth == "basic" {
		name, password, sent := req.BasicAuth()
		want, exists := r.rules.Users[name]
		return name, sent && exists && password == want
	}
	token, sent := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	r.mu.Lock()
	defer r.mu.Unlock()
	user, known = r.tokens[token]
	return user, sent && known
}

func (r *registryServer) mayRead(user, repository string) bool {
	if slices.Contains(r.rules.Public, repository) || slices.Contains(r.rules.Public, "*") {
		return true
	}
	granted, limited := r.rules.Grants[user]
	return user != "" && (!limited || slices.Contains(granted, repository))
}

func (r *registryServer) challenge(w http.ResponseWriter, repository, code, message string) {
	value := `Basic realm="` + r.key + `"`
	if r.rules.Auth == "bearer" {
		value = fmt.Sprintf(`Bearer realm=%q,service=%q`, r.realm(), nameOf(r.key))
		if repository != "" {
			value += fmt.Sprintf(`,scope="repository:%s:pull"`, repository)
		}
	}
	w.Header().Set("WWW-Authenticate", value)
	refuse(w, http.StatusUnauthorized, code, message)
}

// realm is the URL of the token service.
func (r *registryServer) realm() string {
	host := r.rules.Realm
	switch {
	case strings.Contains(host, "://"):
		return host
	case host == "":
		host = strings.TrimSuffix(r.key, ":443")
	}
	return "https://" + host + tokenPath + r.key
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

// token is the token service of the registry that the path names.
func (l *Lab) token(w http.ResponseWriter, req *http.Request) {
	r := l.registryAt(strings.TrimPrefix(req.URL.Path, tokenPath))
	if r == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	name, password, sent := req.BasicAuth()
	want, exists := r.rules.Users[name]
	if sent && (!exists || password != want) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	token := rand.Text()
	r.mu.Lock()
	r.tokens[token] = name
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 300})
}

// registryAt starts the registry at host:port if nobody has dialled it yet.
func (l *Lab) registryAt(key string) *registryServer {
	name, port, err := net.SplitHostPort(key)
	if err != nil {
		return nil
	}
	h, found := l.find(name, port)
	if !found || h.Registry == nil {
		return nil
	}
	s, err := l.serverOf(name, port, h)
	if err != nil {
		return nil
	}
	return s.registry
}

func (r *registryServer) blob(w http.ResponseWriter, req *http.Request, repository, digest string) {
	switch status := r.kept[digest]; {
	case status == http.StatusNotFound:
		refuse(w, status, "BLOB_UNKNOWN", "blob unknown to registry")
	case status != 0:
		refuse(w, status, "DENIED", "requested access to the resource is denied")
	case r.rules.BlobHost != "":
		where := url.URL{
			Scheme: "https", Host: r.rules.BlobHost, Path: blobPath + r.key + "/" + repository + "@" + digest,
			RawQuery: "signature=0123456789abcdef",
		}
		http.Redirect(w, req, where.String(), http.StatusTemporaryRedirect)
	default:
		r.store.ServeHTTP(w, req)
	}
}

// blob serves redirected blobs as stores with signed addresses do: to GET alone.
func (l *Lab) blob(w http.ResponseWriter, req *http.Request) {
	key, path, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, blobPath), "/")
	repository, digest, _ := strings.Cut(path, "@")
	r := l.registryAt(key)
	if r == nil || req.Method != http.MethodGet || req.URL.Query().Get("signature") == "" ||
		req.Header.Get("Authorization") != "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	req = req.Clone(req.Context())
	req.URL.Path = "/v2/" + repository + "/blobs/" + digest
	r.store.ServeHTTP(w, req)
}
