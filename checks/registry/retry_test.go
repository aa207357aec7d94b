package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tooFast answers 429 to the first requests for a manifest.
func tooFast(times int, retryAfter string, next http.Handler) http.Handler {
	var asked atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/manifests/") && int(asked.Add(1)) <= times {
			w.Header().Set("Retry-After", retryAfter)
			refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS")
			return
		}
		next.ServeHTTP(w, req)
	})
}

// TestTooFast holds that a short Retry-After is waited for, once and if there is time, and a long one never.
func TestTooFast(t *testing.T) {
	t.Parallel()
	date := "Mon, 01 Jan 2001 00:00:00 GMT" // long past by any clock
	for _, tt := range []struct {
		times      int
		retryAfter string
		left       time.Duration // 0 for a run without an end
		want       string
		heads      int
	}{
		{1, "1", 0, "", 2},
		{1, "1", time.Hour, "", 2},
		{1, "4", 7 * time.Second, "rate-limited", 1}, // more than half of what is left
		{2, "1", 0, "rate-limited", 2},
		{1, "6", 0, "rate-limited", 1},
		{1, "-1", 0, "rate-limited", 1},
		{1, "soon", 0, "rate-limited", 1},
		{1, "99999999999999999999", 0, "rate-limited", 1},
		{1, date, 0, "rate-limited", 1},
		{1, "", 0, "rate-limited", 1},
	} {
		t.Run(fmt.Sprintf("%d times, %q, %v left", tt.times, tt.retryAfter, tt.left), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if tt.left > 0 {
				limited, cancel := context.WithTimeout(ctx, tt.left)
				defer cancel()
				ctx = limited
			}
			r := newRig(t, map[string]http.Handler{host + ":443": tooFast(tt.times, tt.retryAfter, newStore(t))})
			got := r.client().Resolve(ctx, Request{Reference: image, Platform: "linux/amd64"})
			if kindOf(got) != tt.want || r.count("HEAD", "/manifests/") != tt.heads || got.Retries != tt.heads-1 {
				t.Errorf("%+v, retries %d\n%s", got.Failure, got.Retries, strings.Join(r.requests, "\n"))
			}
		})
	}
}

// TestStrictRegistry holds that a registry which does not keep to its own Retry-After is waited for once.
func TestStrictRegistry(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]http.Handler{host + ":443": tooFast(100, "1", newStore(t))})
	client := r.client()
	for _, tag := range []string{"1", "2", "3"} {
		if got := client.Resolve(t.Context(), Request{Reference: host + "/acme/pause:" + tag}); kindOf(got) != "rate-limited" {
			t.Errorf("%+v", got.Failure)
		}
	}
	if n := r.count("HEAD", "/manifests/"); n != 4 {
		t.Errorf("%d requests for three images", n)
	}
}

// TestRefusalsAreFinal holds that what will not change is not asked again.
func TestRefusalsAreFinal(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404, 501} {
		r := newRig(t, map[string]http.Handler{host + ":443": except("/manifests/", func(w http.ResponseWriter,
			_ *http.Request,
		) {
			w.Header().Set("Retry-After", "1")
			refuse(w, status, "DENIED")
		}, newStore(t))})
		got := r.resolve(false)
		if got.Failure == nil || got.Retries != 0 || r.count("HEAD", "/manifests/") != 1 {
			t.Errorf("%d: %+v, retries %d: %v", status, got.Failure, got.Retries, r.requests)
		}
	}
}

// connection is the key under which a request's connection is in its context.
type connection struct{}

// cutting resets the connection of the first requests for a blob.
func cutting(times int32, next http.Handler) http.Handler {
	var asked atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/manifests/1") && asked.Add(1) <= times {
			conn := req.Context().Value(connection{}).(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn)
			_ = conn.SetLinger(0)
			_ = conn.Close()
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, req)
	})
}

// TestIdleReset holds that a connection which served the ping and dies at the next request proves nothing, and that
// one which dies at its first request does.
func TestIdleReset(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		for times, want := range map[int32]string{1: "", 100: "http-failure"} {
			r := newRig(t, nil)
			server := httptest.NewUnstartedServer(cutting(times, newStore(t)))
			server.EnableHTTP2, r.inner.ForceAttemptHTTP2 = http2, http2
			server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
				return context.WithValue(ctx, connection{}, conn)
			}
			server.StartTLS()
			t.Cleanup(server.Close)
			r.servers[host+":443"] = server
			got := r.resolve(false)
			if kindOf(got) != want || got.Retries != 1 {
				t.Errorf("HTTP/2 %v, %d times: %+v, retries %d: %v", http2, times, got.Failure, got.Retries, r.requests)
			}
		}
	}
}
