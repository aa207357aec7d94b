package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"runner-preflight/checks/network"
)

const page = "<html><body>Please log in</body></html>"

// TestKinds shows each failure by a registry that has it, next to those that look alike.
func TestKinds(t *testing.T) {
	const tokenHost = "auth.example.com:443"
	realm := "https://auth.example.com/token"
	anonymousToken := answering(200, "application/json", `{"token":"weak"}`)
	tests := []struct {
		name        string
		registry    func(store) http.Handler
		tokens      http.Handler
		credentials bool
		want        string
		host        string // "" for the registry
	}{
		{"open", func(s store) http.Handler { return s }, nil, false, "", ""},
		{"open, credentials", func(s store) http.Handler { return s }, nil, true, "", ""},
		{"basic", func(s store) http.Handler { return basic(s) }, nil, true, "", ""},
		{"basic, none", func(s store) http.Handler { return basic(s) }, nil, false, "credentials-missing", ""},
		{
			"basic, wrong", func(store) http.Handler { return challenge(401, "Basic realm=x") }, nil, true,
			"credentials-rejected", "",
		},
		{"basic, not theirs 403", func(s store) http.Handler {
			return basic(except("/manifests/", denied(403), s))
		}, nil, true, "access-denied", ""},
		{"basic, not theirs 401", func(s store) http.Handler {
			return basic(except("/manifests/", denied(401), s))
		}, nil, true, "access-denied", ""},
		{"basic, expired 403", func(store) http.Handler {
			return except("nobody", nil, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == "" {
					w.Header().Set("WWW-Authenticate", "Basic realm=ecr")
					w.WriteHeader(401)
					return
				}
				refuse(w, 403, "DENIED")
			}))
		}, nil, true, "credentials-rejected", ""},
		{"closed repository behind an open /v2/, none", func(s store) http.Handler {
			return except("/acme/", basic(s).ServeHTTP, s)
		}, nil, false, "credentials-missing", ""},
		{"closed repository behind an open /v2/, right", func(s store) http.Handler {
			return except("/acme/", basic(s).ServeHTTP, s)
		}, nil, true, "", ""},
		{"closed repository behind an open /v2/, wrong", func(s store) http.Handler {
			return except("/acme/", challenge(401, "Basic realm=x"), s)
		}, nil, true, "credentials-rejected", ""},

		{"bearer", func(s store) http.Handler { return bearer(realm, s) }, tokens(goodToken), true, "", ""},
		{
			"bearer, none", func(s store) http.Handler { return bearer(realm, s) }, tokens(goodToken), false,
			"credentials-missing", tokenHost,
		},
		{
			"bearer, none, weak token", func(s store) http.Handler { return bearer(realm, s) }, anonymousToken,
			false, "credentials-missing", "",
		},
		{
			"bearer, wrong", func(s store) http.Handler { return bearer(realm, s) }, denied(401), true,
			"credentials-rejected", tokenHost,
		},
		{
			"bearer, wrong 403", func(s store) http.Handler { return bearer(realm, s) }, denied(403), true,
			"credentials-rejected", tokenHost,
		},
		{
			"bearer, not theirs, weak token", func(s store) http.Handler { return bearer(realm, s) },
			tokens("weak"), true, "access-denied", "",
		},
		{
			"bearer, not theirs, no token", func(s store) http.Handler { return bearer(realm, s) }, scopeless(403),
			true, "access-denied", tokenHost,
		},
		{
			"bearer, not theirs, no token 401", func(s store) http.Handler { return bearer(realm, s) },
			scopeless(401), true, "access-denied", tokenHost,
		},
		{
			"bearer, no such repository", func(s store) http.Handler { return bearer(realm, s) },
			refusing(404, "NAME_UNKNOWN"), true, "repository-not-found", tokenHost,
		},
		{"bearer, token not taken", func(store) http.Handler {
			return challenge(401, `Bearer realm="`+realm+`",error="invalid_token"`)
		}, tokens(goodToken), true, "token-service-failure", ""},
		{
			"token service down", func(s store) http.Handler { return bearer(realm, s) },
			answering(502, "text/plain", "down"), true, "token-service-failure", tokenHost,
		},
		{
			"token service is a page", func(s store) http.Handler { return bearer(realm, s) },
			answering(200, "text/html", page), true, "token-service-failure", tokenHost,
		},
		{
			"token service gives no token", func(s store) http.Handler { return bearer(realm, s) },
			answering(200, "application/json", "{}"), true, "token-service-failure", tokenHost,
		},
		{
			"token service blocked by a page", func(s store) http.Handler { return bearer(realm, s) },
			answering(403, "text/html", page), true, "token-service-failure", tokenHost,
		},
		{
			"token service limits", func(s store) http.Handler { return bearer(realm, s) },
			answering(429, "text/plain", ""), true, "rate-limited", tokenHost,
		},
		{"token service out of reach", func(s store) http.Handler {
			return bearer("https://gone.example.com/t",
				s)
		}, nil, true, "http-failure", "gone.example.com:443"},
		{"token service over HTTP", func(s store) http.Handler {
			return bearer("http://auth.example.com/t",
				s)
		}, nil, true, "insecure-token-service", "auth.example.com:80"},
		{
			"token service redirects to HTTP", func(s store) http.Handler { return bearer(realm, s) },
			redirectTo("http://auth.example.com/"), true, "insecure-token-service", tokenHost,
		},
		{
			"token service redirects to itself", func(s store) http.Handler { return bearer(realm, s) },
			redirectTo("/token"), true, "token-service-failure", tokenHost,
		},
		{
			"token service redirects to a host that wants a password too",
			func(s store) http.Handler { return bearer(realm, s) },
			redirectTo("https://" + host + "/v2/"), true, "token-service-failure", tokenHost,
		},
		{
			"token service at a private address",
			func(s store) http.Handler { return bearer("https://10.0.0.5/token", s) }, nil, true, "", "",
		},
		{
			"no realm", func(store) http.Handler { return challenge(401, "Bearer service=x") }, nil, true,
			"token-service-failure", "",
		},
		{"a file for a realm", func(store) http.Handler {
			return challenge(401,
				`Bearer realm="file:///etc/passwd"`)
		}, nil, true, "token-service-failure", ""},

		{"no such tag", func(s store) http.Handler {
			s.push("acme/pause:2")
			return except("/manifests/1", refusing(404, "MANIFEST_UNKNOWN"), s)
		}, nil, false, "tag-not-found", ""},
		{"no such tag, no reason", func(s store) http.Handler {
			return except("/manifests/",
				answering(404, "text/plain", "nope"), s)
		}, nil, false, "tag-not-found", ""},
		{
			"no such repository", func(store) http.Handler { return newStoreWithout(t) }, nil, false,
			"repository-not-found", "",
		},
		{"no such repository, told by the tags alone", func(s store) http.Handler {
			return except("/manifests/", refusing(404, "MANIFEST_UNKNOWN"),
				except("/tags/list", refusing(404, "NAME_UNKNOWN"), s))
		}, nil, false, "repository-not-found", ""},
		{"other digest served", func(s store) http.Handler {
			return except("GET /v2/acme/pause/manifests/sha256",
				answering(200, string(types.OCIImageIndex), `{"manifests":[]}`), s)
		}, nil, false, "digest-mismatch", ""},
		{
			"limited", func(s store) http.Handler { return except("/manifests/", limit(429), s) }, nil, false,
			"rate-limited", "",
		},
		{"limited at once", func(store) http.Handler { return limit(429) }, nil, false, "rate-limited", ""},
		{
			"login page", func(store) http.Handler { return answering(200, "text/html", page) }, nil, false,
			"not-a-registry", "",
		},
		{
			"block page", func(store) http.Handler { return answering(403, "text/html", page) }, nil, true,
			"not-a-registry", "",
		},
		{
			"another service", func(store) http.Handler { return answering(404, "text/html", page) }, nil, true,
			"not-a-registry", "",
		},
		{
			"redirected to a login page",
			func(store) http.Handler { return redirectTo("https://auth.example.com/login") }, answering(200,
				"text/html", page), true, "not-a-registry", "",
		},
		{
			"redirected in circles", func(store) http.Handler { return redirectTo("/v2/") }, nil, true,
			"not-a-registry", "",
		},
		{
			"redirected to a file", func(store) http.Handler { return redirectTo("file:///etc/passwd") }, nil,
			true, "not-a-registry", "",
		},
		{
			"redirected to HTTP", func(store) http.Handler { return redirectTo("http://portal.example.com/") },
			nil, true, "not-a-registry", "",
		},
		{
			"down", func(store) http.Handler { return answering(503, "text/html", page) }, nil, true,
			"registry-failure", "",
		},
		{"down after the ping", func(s store) http.Handler {
			return except("/manifests/",
				answering(500, "text/plain", ""), s)
		}, nil, true, "registry-failure", ""},
		{
			"down for a moment", func(s store) http.Handler { return except("HEAD", once(503, s), s) }, nil, true,
			"", "",
		},
		{"HEAD refused", func(s store) http.Handler {
			return except("HEAD", answering(405, "text/plain", ""),
				s)
		}, nil, true, "", ""},
		{"HEAD forbidden", func(s store) http.Handler {
			return except("HEAD", answering(403, "text/plain", ""),
				s)
		}, nil, true, "", ""},
		{"/v2/ fails, images do not", func(s store) http.Handler { return exceptPing(502, s) }, nil, true, "", ""},
		{
			"/v2/ is not there, images are", func(s store) http.Handler { return exceptPing(404, s) }, nil, true,
			"", "",
		},

		{
			"schema 1", serve(types.DockerManifestSchema1Signed, `{"schemaVersion":1}`), nil, false,
			"manifest-unsupported", "",
		},
		{"unknown type", serve("application/vnd.example.thing+json", `{}`), nil, false, "manifest-unsupported", ""},
		{"not JSON", serve(types.OCIManifestSchema1, `{"config":`), nil, false, "manifest-unsupported", ""},
		{"artifact", serve(types.OCIManifestSchema1,
			`{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","size":1,"digest":"sha256:`+strings.Repeat("0", 64)+`"}}`), nil, false, "manifest-unsupported", ""},
		{"no config", serve(types.OCIManifestSchema1, `{}`), nil, false, "manifest-unsupported", ""},
		{
			"too large", serve(types.OCIManifestSchema1, strings.Repeat(" ", maxManifest+1)), nil, false,
			"manifest-unsupported", "",
		},
		{"page with 200", serve("text/html", page), nil, false, "not-a-registry", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			handlers := map[string]http.Handler{
				host + ":443":  tt.registry(newStore(t)),
				"10.0.0.5:443": tokens(goodToken),
			}
			if tt.tokens != nil {
				handlers[tokenHost] = tt.tokens
			}
			r := newRig(t, handlers)
			got := r.resolve(tt.credentials)
			kind, at := "", ""
			if got.Failure != nil {
				kind, at = got.Failure.Kind, got.Failure.Host
			}
			if kind != tt.want {
				t.Fatalf("kind is %q, want %q: %+v\n%s", kind, tt.want, got.Failure, strings.Join(r.requests, "\n"))
			}
			if want := tt.host; kind != "" && at != want && (want != "" || at != host+":443") {
				t.Errorf("host is %q, want %q: %s", at, want, got.Failure.Detail)
			}
			if kind == "not-a-registry" && len(got.Hosts) > 0 {
				t.Errorf("a page's host is taken for one that is needed: %v", got.Hosts)
			}
			noSecret(t, got)
			neverTwice(t, r, kind)
			noneInClear(t, r)
		})
	}
}

// noSecret looks for the canaries in everything that was answered.
func noSecret(t *testing.T, got Resolution) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range spellings() {
		if strings.Contains(string(text), secret) || got.Failure != nil &&
			strings.Contains(got.Failure.Error(), secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
}

// neverTwice holds that no request is made twice, but for those that ask again after 5xx and for redirects in circles.
func neverTwice(t *testing.T, r *rig, kind string) {
	t.Helper()
	seen := map[string]int{}
	for i, request := range r.requests {
		seen[request+" "+r.headers[i].Get("Authorization")]++
	}
	for request, n := range seen {
		if n > 1 && !slices.Contains([]string{"registry-failure", "token-service-failure", "not-a-registry"}, kind) &&
			!strings.HasPrefix(request, "HEAD") && !strings.Contains(request, "/token") {
			t.Errorf("%d times %s", n, request)
		}
		if n > maxHops+1 {
			t.Errorf("%d times %s", n, request)
		}
	}
}

// noneInClear holds that nothing left over plain HTTP, and credentials only to the registry and its token services.
func noneInClear(t *testing.T, r *rig) {
	t.Helper()
	if n := r.count("http://"); n > 0 {
		t.Errorf("%d requests over plain HTTP", n)
	}
	allowed := []string{
		"https://" + host + ":443", "https://auth.example.com:443", "https://10.0.0.5:443",
		"https://gone.example.com:443",
	}
	for _, at := range r.sentTo() {
		if !slices.Contains(allowed, at) {
			t.Errorf("credentials went to %s", at)
		}
	}
}

func denied(status int) http.HandlerFunc { return refusing(status, "DENIED") }

func refusing(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code) }
}

func challenge(status int, header string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", header)
		refuse(w, status, "UNAUTHORIZED")
	}
}

func redirectTo(target string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, target, http.StatusFound) }
}

// scopeless is a token service that takes the password but refuses the repository.
func scopeless(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("scope") != "" {
			refuse(w, status, "DENIED")
			return
		}
		tokens(goodToken)(w, req)
	}
}

func limit(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Ratelimit-Limit", "100;w=21600")
		w.Header().Set("Ratelimit-Remaining", "0;w=21600")
		w.Header().Set("Retry-After", "600")
		refuse(w, status, "TOOMANYREQUESTS")
	}
}

// once fails the first request.
func once(status int, next http.Handler) http.HandlerFunc {
	first := true
	return func(w http.ResponseWriter, req *http.Request) {
		if first {
			first = false
			w.WriteHeader(status)
			return
		}
		next.ServeHTTP(w, req)
	}
}

func exceptPing(status int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/v2/" {
			w.WriteHeader(status)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// serve serves one manifest, whatever is asked for.
func serve(kind types.MediaType, body string) func(store) http.Handler {
	return func(s store) http.Handler {
		return except("/manifests/", func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", string(kind))
			w.Header().Set("Docker-Content-Digest", digestOf([]byte(body)))
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			if req.Method == http.MethodGet {
				_, _ = fmt.Fprint(w, body)
			}
		}, s)
	}
}

// newStoreWithout is a registry with nothing in it.
func newStoreWithout(t *testing.T) http.Handler {
	return except("/acme/", refusing(404, "NAME_UNKNOWN"), newStore(t))
}

// TestRequests holds what a run costs: one ping for the registry, one token for the repository, one HEAD for the
// image, one GET for each level of manifests and one for each blob, whoever asks and however often.
func TestRequests(t *testing.T) {
	s := newStore(t)
	s.push("acme/clone:1", "linux/amd64")
	r := newRig(t, map[string]http.Handler{
		host + ":443":          bearer("https://auth.example.com/token", s),
		"auth.example.com:443": tokens(goodToken),
	})
	c := r.client()
	refs := []string{image, image, host + "/acme/clone:1", image}
	done := make(chan Resolution)
	for _, ref := range refs {
		go func() {
			done <- c.Resolve(context.Background(), Request{
				Reference: ref, Username: user, Password: password,
				Platform: "linux/amd64",
			})
		}()
	}
	for range refs {
		if got := <-done; got.Failure != nil || len(got.Blobs) != 3 || got.Platform != "linux/amd64" {
			t.Errorf("%+v", got)
		}
	}
	for words, want := range map[string]int{
		"GET " + "https://" + host + "/v2/": 1 + 2*2 + 2*3, "GET https://auth.example.com/token": 2, "HEAD": 2,
		"/v2/acme/pause/manifests": 3, "/v2/acme/clone/manifests": 3, "/blobs/": 6, "": 15,
	} {
		if got := r.count(words); got != want {
			t.Errorf("%q: %d requests, want %d\n%s", words, got, want, strings.Join(r.requests, "\n"))
		}
	}
}

// remembering is a transport that others use too, as network.Client is.
type remembering struct {
	*rig
	probes []string
}

func (r *remembering) Probe(_ context.Context, rawURL string) network.Answer {
	r.probes = append(r.probes, rawURL)
	return network.Answer{
		Status: http.StatusUnauthorized,
		Header: http.Header{"Www-Authenticate": {`Basic realm="rig"`}},
	}
}

// TestSharedPing holds that a ping which somebody else made is not made again.
func TestSharedPing(t *testing.T) {
	r := &remembering{rig: newRig(t, map[string]http.Handler{host + ":443": basic(newStore(t))})}
	got := New(r).Resolve(context.Background(), Request{
		Reference: host + ":443/acme/pause:1", Username: user,
		Password: password,
	})
	if got.Failure != nil || !slices.Equal(r.probes, []string{"https://" + host + "/v2/"}) ||
		r.count("/v2/") != r.count("/v2/acme/") {
		t.Errorf("%+v\n%v %v", got.Failure, r.probes, r.requests)
	}
}

// TestResolution holds what is learnt of an image where nothing is wrong.
func TestResolution(t *testing.T) {
	s := newStore(t)
	digest := s.push("acme/pause:1", "linux/amd64", "linux/arm64", "windows/amd64")
	r := newRig(t, map[string]http.Handler{host + ":443": basic(s)})
	got := r.resolve(true)
	if got.Failure != nil || got.Digest != digest.String() || got.MediaType != string(types.OCIImageIndex) ||
		got.Host != host+":443" || got.Repository != "acme/pause" || got.Platform != "linux/amd64" ||
		len(got.Hosts) != 0 {
		t.Errorf("%+v", got)
	}
	if want := []string{"linux/amd64", "linux/arm64", "windows/amd64"}; !slices.Equal(got.Platforms, want) {
		t.Errorf("platforms %v, want %v", got.Platforms, want)
	}
	if want := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC); !got.Created.Equal(want) {
		t.Errorf("created %v", got.Created)
	}
	if len(got.Blobs) != 3 || !got.Blobs[0].Config || got.Requests != 6 {
		t.Errorf("%d requests, blobs %+v", got.Requests, got.Blobs)
	}
	for i, header := range r.headers {
		if ranged := header.Get("Range") == "bytes=0-0"; ranged != (strings.Contains(r.requests[i], "/blobs/") &&
			!strings.HasSuffix(r.requests[i], got.Blobs[0].Digest)) {
			t.Errorf("%s: Range %q", r.requests[i], header.Get("Range"))
		}
	}
}

// TestPlatforms holds the choice against containerd's: an exact match before a lesser one of the same family.
func TestPlatforms(t *testing.T) {
	tests := []struct {
		offered []string
		wanted  string
		chosen  string // "" for none
	}{
		{[]string{"linux/amd64", "linux/arm64"}, "linux/arm64", "linux/arm64"},
		{[]string{"linux/arm/v7", "linux/arm64/v8"}, "linux/arm64", "linux/arm64/v8"},
		{[]string{"linux/arm/v6", "linux/arm/v7"}, "linux/arm64", "linux/arm/v7"},
		{[]string{"linux/386", "linux/amd64"}, "linux/amd64", "linux/amd64"},
		{[]string{"linux/386"}, "linux/amd64", "linux/386"},
		{[]string{"linux/arm64"}, "linux/amd64", ""},
		{[]string{"linux/amd64"}, "linux/arm64", ""},
		{[]string{"windows/amd64"}, "linux/amd64", ""},
		{[]string{"linux/arm/v7"}, "linux/arm/v6", ""},
		{[]string{"linux/amd64/v3"}, "linux/amd64", ""},
		{[]string{"linux/s390x", "linux/amd64"}, "", "linux/amd64"},
		{[]string{"windows/amd64", "linux/s390x"}, "", "linux/s390x"},
		{[]string{"windows/amd64"}, "", ""},
		{[]string{"unknown/unknown", "linux/amd64"}, "linux/amd64", "linux/amd64"},
		{[]string{"unknown/unknown"}, "linux/amd64", ""},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.offered, "+")+" for "+tt.wanted, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			s.push("acme/pause:1", tt.offered...)
			r := newRig(t, map[string]http.Handler{host + ":443": s})
			got := r.client().Resolve(context.Background(), Request{Reference: image, Platform: tt.wanted})
			if tt.chosen != "" && (got.Failure != nil || got.Platform != tt.chosen) {
				t.Errorf("chose %q: %+v", got.Platform, got.Failure)
			}
			if tt.chosen == "" && (got.Failure == nil || got.Failure.Kind != "platform-missing" ||
				got.Failure.Stage != StagePlatform) {
				t.Errorf("chose %q: %+v", got.Platform, got.Failure)
			}
		})
	}
}

// TestSingleImage holds that an image without an index is judged by its config, and given the benefit of the doubt
// where that says nothing.
func TestSingleImage(t *testing.T) {
	for offered, want := range map[string]string{
		"linux/amd64": "", "linux/arm64": "platform-missing",
		"windows/amd64": "platform-missing",
	} {
		s := newStore(t)
		s.pushOne("acme/pause:1", s.image(offered))
		got := newRig(t, map[string]http.Handler{host + ":443": s}).resolve(false)
		if kind := kindOf(got); kind != want {
			t.Errorf("%s: %q, want %q", offered, kind, want)
		}
	}
	s := newStore(t)
	silent, err := mutate.ConfigFile(s.image("linux/amd64"), &v1.ConfigFile{})
	if err != nil {
		t.Fatal(err)
	}
	s.pushOne("acme/pause:1", silent)
	if got := newRig(t, map[string]http.Handler{host + ":443": s}).resolve(false); kindOf(got) != "" ||
		!got.Created.IsZero() {
		t.Errorf("without a platform: %+v", got.Failure)
	}
}

func kindOf(r Resolution) string {
	if r.Failure == nil {
		return ""
	}
	return r.Failure.Kind
}

// TestBlobs shows what may be wrong with a layer behind a manifest that is right.
func TestBlobs(t *testing.T) {
	const cdn = "cdn.example.com:443"
	toCDN := func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, "https://cdn.example.com"+req.URL.Path+"?X-Amz-Signature=s",
			http.StatusTemporaryRedirect)
	}
	tests := []struct {
		name       string
		blobs, cdn http.HandlerFunc
		want       string
		host       string
	}{
		{"served by the registry", nil, nil, "", ""},
		{"gone", answering(404, "application/json", "{}"), nil, "layer-missing", host + ":443"},
		{"denied", denied(403), nil, "layer-denied", host + ":443"},
		{"denied with a page", answering(403, "text/html", page), nil, "layer-denied", host + ":443"},
		{"failing", answering(502, "text/plain", ""), nil, "registry-failure", host + ":443"},
		{"limited", answering(429, "text/plain", ""), nil, "rate-limited", host + ":443"},
		{"a page", answering(200, "text/html", page), nil, "http-blocked", host + ":443"},
		{"elsewhere", toCDN, answering(206, "application/octet-stream", "x"), "", ""},
		{"elsewhere, no ranges", toCDN, answering(200, "application/octet-stream", "x"), "", ""},
		{"elsewhere, denied", toCDN, answering(403, "application/xml", "<Error/>"), "layer-denied", cdn},
		{"elsewhere, gone", toCDN, answering(404, "application/xml", "<Error/>"), "layer-missing", cdn},
		{"elsewhere, block page", toCDN, answering(403, "text/html", page), "http-blocked", cdn},
		{
			"elsewhere, out of reach", redirectTo("https://gone.example.com/x"), nil, "http-failure",
			"gone.example.com:443",
		},
		{"elsewhere, in circles", redirectTo("https://cdn.example.com/x"), redirectTo("/x"), "http-failure", cdn},
		{"a file", redirectTo("file:///etc/passwd"), nil, "http-failure", host + ":443"},
		{"plain HTTP", redirectTo("http://minio.example.com:9000/x"), nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			amd := s.image("linux/amd64")
			s.pushOne("acme/pause:1", amd)
			layers, err := amd.Layers()
			if err != nil {
				t.Fatal(err)
			}
			digest, err := layers[1].Digest()
			if err != nil {
				t.Fatal(err)
			}
			var registry http.Handler = s
			if tt.blobs != nil {
				registry = except("/blobs/"+digest.String(), tt.blobs, s)
			}
			handlers := map[string]http.Handler{host + ":443": basic(registry)}
			if tt.cdn != nil {
				handlers[cdn] = tt.cdn
			}
			r := newRig(t, handlers)
			got := r.resolve(true)
			if kindOf(got) != tt.want {
				t.Fatalf("%q, want %q: %+v", kindOf(got), tt.want, got.Failure)
			}
			if f := got.Failure; f != nil && (f.Host != tt.host || f.Stage != StageBlobs) {
				t.Errorf("host %s, stage %s: %s", f.Host, f.Stage, f.Detail)
			}
			if tt.cdn != nil && !slices.Contains(got.Hosts, Host{cdn, ForBlobs}) {
				t.Errorf("hosts %v", got.Hosts)
			}
			if got.Digest == "" || got.Platform != "linux/amd64" {
				t.Errorf("what was learnt before is lost: %+v", got)
			}
			noneInClear(t, r)
			noSecret(t, got)
		})
	}
}

// TestMissingMember holds that an index whose platform's manifest is gone is told apart from a tag that is not there.
func TestMissingMember(t *testing.T) {
	s := newStore(t)
	digest := s.push("acme/pause:1", "linux/amd64")
	gone := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/manifests/") &&
			!strings.HasSuffix(req.URL.Path, digest.String()) {
			refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN")
			return
		}
		s.ServeHTTP(w, req)
	})
	got := newRig(t, map[string]http.Handler{host + ":443": gone}).resolve(false)
	if kindOf(got) != "layer-missing" || got.Failure.Stage != StageBlobs || got.Digest != digest.String() ||
		got.Platform != "linux/amd64" {
		t.Errorf("%+v", got.Failure)
	}
}

// TestDigest holds that a digest is asked for as such, and that another one is a failure at once.
func TestDigest(t *testing.T) {
	s := newStore(t)
	digest := s.push("acme/pause:1", "linux/amd64")
	r := newRig(t, map[string]http.Handler{host + ":443": s})
	for ref, want := range map[string]string{
		host + "/acme/pause@" + digest.String():                "",
		host + "/acme/pause:no@" + digest.String():             "",
		host + "/acme/pause@sha256:" + strings.Repeat("0", 64): "tag-not-found",
	} {
		if got := r.client().Resolve(context.Background(), Request{Reference: ref}); kindOf(got) != want {
			t.Errorf("%s: %+v, want %q", ref, got.Failure, want)
		}
	}
}

// TestHub holds that Docker Hub is asked where the daemon asks it, and that the last pulls are left to the runner.
func TestHub(t *testing.T) {
	for _, tt := range []struct {
		remaining string
		requests  int
	}{{"76;w=21600", 8}, {"5;w=21600", 8}, {"4;w=21600", 3}, {"0;w=21600", 3}} {
		s := newStore(t)
		s.push("library/pause:latest", "linux/amd64")
		hub := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Ratelimit-Limit", "100;w=21600")
			w.Header().Set("Ratelimit-Remaining", tt.remaining)
			s.ServeHTTP(w, req)
		})
		r := newRig(t, map[string]http.Handler{
			"registry-1.docker.io:443": bearer("https://auth.docker.io/token", hub),
			"auth.docker.io:443":       answering(200, "application/json", `{"access_token":"`+goodToken+`"}`),
		})
		got := r.client().Resolve(context.Background(), Request{Reference: "pause"})
		if got.Failure != nil || got.Host != "registry-1.docker.io:443" || got.Repository != "library/pause" ||
			got.Limit == nil || got.Limit.Limit != 100 || got.Limit.Window != 6*time.Hour {
			t.Errorf("%+v", got)
		}
		if stopped := got.Stopped != ""; stopped != (tt.requests == 3) || len(r.requests) != tt.requests {
			t.Errorf("%s left: %d requests, stopped %q", tt.remaining, len(r.requests), got.Stopped)
		}
		if !slices.Contains(got.Hosts, Host{"auth.docker.io:443", ForTokens}) {
			t.Errorf("hosts %v", got.Hosts)
		}
	}
}

func TestRateLimit(t *testing.T) {
	r := newRig(t, map[string]http.Handler{host + ":443": limit(429)})
	got := r.resolve(false)
	if f := got.Failure; f == nil || f.Limit == nil || *f.Limit != (RateLimit{
		100, 0, 6 * time.Hour,
		10 * time.Minute,
	}) {
		t.Fatalf("%+v", f)
	}
	if len(r.requests) != 2 {
		t.Errorf("a limited registry was asked again: %v", r.requests)
	}
	dated := http.Header{"Date": {"Tue, 24 Nov 2026 12:00:00 GMT"}, "Retry-After": {"Tue, 24 Nov 2026 12:05:00 GMT"}}
	if limit := rateLimit(dated); limit == nil || limit.RetryAfter != 5*time.Minute {
		t.Errorf("%+v", limit)
	}
}

// TestHostileWords holds that a server cannot have a password repeated, or the terminal's cursor moved.
func TestHostileWords(t *testing.T) {
	for _, echo := range spellings()[:4] {
		body, err := json.Marshal(map[string]any{"errors": []map[string]string{{
			"code":    "DENIED",
			"message": "no: " + echo,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, map[string]http.Handler{host + ":443": basic(answering(403, "application/json",
			string(body)))})
		noSecret(t, r.resolve(true))
	}
	r := newRig(t, map[string]http.Handler{host + ":443": answering(403, "application/json",
		`{"errors":[{"code":"DENIED","message":"\u001b[2J\u202e`+strings.Repeat("long ", 1000)+`\nnext"}]}`)})
	detail := r.resolve(false).Failure.Detail
	if strings.ContainsAny(detail, "\x1b\u202e\n") || len(detail) > 600 {
		t.Errorf("%q", detail)
	}
}

// TestHostileBodies holds that no answer, however long or broken, takes more than its bound of memory and time.
func TestHostileBodies(t *testing.T) {
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 6 {
		_, _ = zip.Write(make([]byte, 1<<20))
	}
	_ = zip.Close()
	for name, body := range map[string]http.HandlerFunc{
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
			_, _ = w.Write(bomb.Bytes())
		},
		"too long a length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
			_, _ = w.Write([]byte("{}"))
		},
	} {
		s := newStore(t)
		r := newRig(t, map[string]http.Handler{host + ":443": except("GET /v2/acme/pause/manifests", body, s)})
		if kind := kindOf(r.resolve(false)); kind != "manifest-unsupported" && kind != "http-failure" {
			t.Errorf("%s: %q", name, kind)
		}
	}
}

// TestLargeManifests holds that large manifests of several images are all judged, though they are taken in turn, and that
// one without an end keeps nobody waiting.
func TestLargeManifests(t *testing.T) {
	member := `{"mediaType":"` + string(types.OCIManifestSchema1) + `","size":1,"digest":"sha256:` +
		strings.Repeat("a", 64) + `","platform":{"os":"linux","architecture":"s390x"}},`
	index := `{"schemaVersion":2,"manifests":[` + strings.Repeat(member, 3000) + member[:len(member)-1] + `]}`
	r := newRig(t, map[string]http.Handler{host + ":443": http.HandlerFunc(
		func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", string(types.OCIImageIndex))
			_, err := io.WriteString(w, index)
			for strings.Contains(req.URL.Path, "endless") && req.Method == http.MethodGet && err == nil {
				_, err = io.WriteString(w, index)
			}
		})})
	client := r.client()
	want := map[string]string{
		"a": "platform-missing", "b": "platform-missing", "endless": "manifest-unsupported", "c": "platform-missing",
	}
	var group sync.WaitGroup
	for repository, kind := range want {
		group.Go(func() {
			req := Request{Reference: host + "/" + repository + ":1", Platform: "linux/amd64"}
			if got := kindOf(client.Resolve(t.Context(), req)); got != kind {
				t.Errorf("%s: %q", repository, got)
			}
		})
	}
	group.Wait()
}

// TestOutOfTime holds that a run that is over is told apart from a registry that fails.
func TestOutOfTime(t *testing.T) {
	r := newRig(t, map[string]http.Handler{host + ":443": http.HandlerFunc(func(_ http.ResponseWriter,
		req *http.Request,
	) {
		<-req.Context().Done()
	})})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	got := r.client().Resolve(ctx, Request{Reference: image})
	if kindOf(got) != "not-established" || got.Failure.Host != host+":443" {
		t.Errorf("%+v", got.Failure)
	}
}

// talker fails as network.Client does where TLS is not spoken.
type talker struct{ plain bool }

func (talker) RoundTrip(req *http.Request) (*http.Response, error) {
	return nil, &network.Failure{Kind: "tls-not-spoken", Address: req.URL.Host + ":443", Root: req.URL.Host + ":443"}
}

func (t talker) SpeaksHTTP(context.Context, string) bool { return t.plain }

// TestInsecure tells a registry without TLS from something else without TLS. A local address is no exception: what
// go-containerregistry would ask in clear is not asked.
func TestInsecure(t *testing.T) {
	for _, at := range []string{host, "10.0.0.5", "127.0.0.1", "localhost:443"} {
		for plain, want := range map[bool]string{true: "insecure-registry", false: "tls-not-spoken"} {
			got := New(talker{plain}).Resolve(context.Background(),
				Request{Reference: at + "/acme/pause:1", Username: user, Password: password})
			if kindOf(got) != want || got.Failure.Network == nil {
				t.Errorf("%s: %+v, want %q", at, got.Failure, want)
			}
		}
	}
}

func TestReferences(t *testing.T) {
	for ref, want := range map[string]string{
		"pause": "registry-1.docker.io:443 library/pause", "acme/pause:1": "registry-1.docker.io:443 acme/pause",
		"docker.io/acme/pause": "registry-1.docker.io:443 acme/pause", "index.docker.io/acme/pause": "registry-1.docker.io:443 acme/pause",
		"reg.example.com:5000/a": "reg.example.com:5000 a", "localhost/a/b": "localhost:443 a/b",
		"[::1]:5000/a": "[::1]:5000 a",
	} {
		s := &session{req: Request{Reference: ref}}
		if f := s.parse(); f != nil || s.out.Host+" "+s.out.Repository != want {
			t.Errorf("%s: %s %s, %v", ref, s.out.Host, s.out.Repository, f)
		}
	}
	for _, ref := range []string{
		"", "https://reg.example.com/a", "reg.example.com/Acme", "reg.example.com/a:",
		"reg.example.com/a b", "-",
	} {
		if got := New(talker{}).Resolve(context.Background(),
			Request{Reference: ref}); kindOf(got) != "invalid-reference" {
			t.Errorf("%q: %+v", ref, got.Failure)
		}
	}
}
