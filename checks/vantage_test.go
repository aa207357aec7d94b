package checks

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/engine"
)

// The daemon's words are those of docker 20.10, 26.1, 28.5 and a build of 29 in the laboratory.
func TestKindOfWord(t *testing.T) {
	for said, want := range map[string]struct {
		kind wordKind
		host string
	}{
		`Get "https://h.example:5000/v2/": x509: certificate signed by unknown authority`: {wordUntrusted, "h.example:5000"},
		`failed to do request: Head "https://h.example/v2/a/manifests/1": tls: failed to verify certificate: x509: certificate is valid for a.example, not h.example`: {
			wordCertificate, "h.example:443",
		},
		`Head "https://h.example/v2/rig/my-pause/manifests/latest": no basic auth credentials`:    {wordDenied, "h.example:443"},
		`unauthorized: authentication required`:                                                   {wordDenied, "registry.example.com:443"},
		`manifest for h.example/rig/my-pause:nope not found: manifest unknown: manifest unknown`:  {wordNotFound, "registry.example.com:443"},
		`Head "https://h.example/v2/a/manifests/1": unauthorized: incorrect username or password`: {wordDenied, "h.example:443"},
		`pull access denied for h.example/other/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`: {
			wordDenied, "registry.example.com:443",
		},
		`Get "https://h.example/v2/": dial tcp: lookup h.example on 10.77.2.53:53: no such host`:       {wordName, "h.example:443"},
		`Get "https://h.example/v2/": dial tcp: lookup h.example on 10.77.2.53:53: server misbehaving`: {wordName, "h.example:443"},
		`Get "https://h.example/v2/": dial tcp: lookup h.example on 10.77.2.53:53: read udp 10.77.1.2:4->10.77.2.53:53: i/o timeout`: {
			wordName, "h.example:443",
		},
		`Get "https://h.example/v2/": dial tcp 10.77.2.10:443: connect: connection refused`: {wordUnreachable, "h.example:443"},
		`Get "https://h.example/v2/": dial tcp 10.77.2.10:443: connect: no route to host`:   {wordUnreachable, "h.example:443"},
		`Get "https://h.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`: {
			wordUnreachable, "h.example:443",
		},
		`Get "https://h.example/v2/": EOF`: {wordUnreachable, "h.example:443"},
		`error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: "<html>denied</html>"`: {
			wordPage, "registry.example.com:443",
		},
		`denied: <html><title>Blocked</title><h1>This site is blocked by company policy</h1></html>`: {
			wordPage, "registry.example.com:443",
		},
		`unsupported manifest media type and no default available: text/html`:                              {wordPage, "registry.example.com:443"},
		`error unmarshalling content: invalid character '<' looking for beginning of value`:                {wordPage, "registry.example.com:443"},
		`Get "https://10.77.2.12:5000/v2/": http: server gave HTTP response to HTTPS client`:               {wordClear, "10.77.2.12:5000"},
		`toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/x`: {wordLimited, "registry.example.com:443"},
		`Get "https://h.example/v2/": proxyconnect tcp: dial tcp 10.77.2.9:3128: connect: connection refused`: {
			wordProxy, "h.example:443",
		},
		`Get "https://h.example/v2/": Proxy Authentication Required`: {wordProxy, "h.example:443"},
		`Get "https://h.example/v2/": Forbidden`:                     {wordProxy, "h.example:443"},
		`received unexpected HTTP status: 502 Bad Gateway`:           {wordOther, "registry.example.com:443"},
	} {
		kind := kindOfWord(&engine.Failure{Kind: engine.Failed, Detail: said})
		if host := hostOfWord(said, "registry.example.com/a:1"); kind != want.kind || host != want.host {
			t.Errorf("%s: %s at %s, want %s at %s", said, kind, host, want.kind, want.host)
		}
	}
}

// A daemon that does not answer keeps nobody beyond the deadline, and what this process found stands.
func TestSilentDaemon(t *testing.T) {
	host := hostOf(t, "../testdata/vantage/silent")
	for name, want := range map[string]Status{"image-resolves": Fail, "daemon-pulls": Skip} {
		check, err := Select(All(), []string{name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		started := time.Now()
		result := Run(ctx, host, check)[0]
		cancel()
		if result.Status != want || time.Since(started) > 10*time.Second {
			t.Errorf("%s: %s after %s: %+v", name, result.Status, time.Since(started), result.Findings)
		}
	}
}

// Whatever a daemon says, what is shown of it is one line.
func FuzzDaemonWord(f *testing.F) {
	f.Add(`Get "https://h.example/v2/": dial tcp: lookup h.example: no such host`)
	f.Add("denied: \n\x1b[2J\u202e")
	f.Add(`Get "https://[::1/v2/": EOF`)
	f.Fuzz(func(t *testing.T, said string) {
		failed := &engine.Failure{Kind: engine.Failed, Detail: said}
		w := word{failed: failed, kind: kindOfWord(failed), host: hostOfWord(said, "registry.example.com/a:1")}
		if strings.ContainsAny(told(w)+w.host, "\n\r\x1b\u202e") {
			t.Errorf("%q at %q", told(w), w.host)
		}
	})
}

// Where no name server answers, the daemon is not waited for: it would take minutes.
func TestNamelessDaemon(t *testing.T) {
	h := hostOf(t, "../testdata/daemon-pulls/name-server-silent-for-both")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, f := range daemonPulls.Run(ctx, h) {
		if ctx.Err() != nil || f.Status != Skip {
			t.Errorf("%v %s, %v", f.Status, f.Message, ctx.Err())
		}
	}
}

// What a daemon says of itself is evidence of the finding that it answers.
func TestDaemonTellsOfItself(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"ok":           {"storage_driver": "overlay2", "image_store": "docker", "cgroup_version": "2"},
		"ok-engine-29": {"storage_driver": "overlayfs", "image_store": "containerd", "cgroup_version": "2"},
	} {
		found := daemonAnswers.Run(t.Context(), hostOf(t, "../testdata/daemon-answers/"+name))
		for key, value := range want {
			if !slices.Contains(found[0].Evidence, Evidence{key, value}) {
				t.Errorf("%s: %v has no %s=%s", name, found[0].Evidence, key, value)
			}
		}
	}
}
