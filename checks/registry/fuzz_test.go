package registry

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
)

// plainLine tells whether a text is fit for one line of a report.
func plainLine(text string) bool {
	return len([]rune(text)) < 1000 &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u202e' })
}

// FuzzChallenge holds that no challenge has a password sent in clear, or anywhere but to the realm's host, or breaks the
// line that it is reported in.
func FuzzChallenge(f *testing.F) {
	for _, seed := range []string{
		`Bearer realm="https://auth.example.com/token",service="registry.example.com"`, `Basic realm="rig"`, "Basic",
		`Bearer realm="http://auth.example.com/token"`, `Bearer realm="https://u:p@evil.example/\u001b[2J"`, "Bearer",
		`bearer REALM=https://a/t?service=x&scope=y,error="invalid_token"`, `Bearer realm="file:///etc/passwd"`,
		`Bearer realm="//169.254.169.254/latest"`, `Bearer realm="https://[::1%25eth0]/"`, "Negotiate, Basic realm=x",
		"Bearer realm=\"https://a/\r\nX: y\"", `Bearer realm="https://a:99999/%zz"`, strings.Repeat(`Bearer a="b",`, 500),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := reply{status: http.StatusUnauthorized, header: http.Header{"Www-Authenticate": {header}}}
		ping := Ping{Address: host + ":443"}
		ping.take(challengeOf(t.Context(), host, r))
		for _, met := range ping.Hosts {
			if !plainLine(met.Address) {
				t.Errorf("host %q", met.Address)
			}
		}
		s := &session{host: host, req: Request{Username: user, Password: password}}
		s.out.Host = host + ":443"
		realm, failure := s.realm(ping, "repository:a:pull")
		switch {
		case failure != nil:
			if !plainLine(failure.Detail) || !plainLine(failure.Host) {
				t.Errorf("%+q", failure)
			}
		case realm.Scheme != "https" || realm.Hostname() == "" || realm.User != nil:
			t.Errorf("credentials would go to %s", realm)
		}
	})
}

// FuzzLimits holds that no header makes a limit of less than nothing, or a wait without an end.
func FuzzLimits(f *testing.F) {
	f.Add("100;w=21600", "76;w=21600", "30", "Tue, 24 Nov 2026 12:00:00 GMT")
	f.Add("100", "-1;w=-5", "Tue, 24 Nov 2026 12:05:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT")
	f.Add("99999999999999999999;w=99999999999999999999", ";w=", "-7", "")
	f.Add("1;1;w=1", " 5 ; w= 6 ", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, limit, remaining, after, date string) {
		header := http.Header{
			"Ratelimit-Limit": {limit}, "Ratelimit-Remaining": {remaining}, "Retry-After": {after}, "Date": {date},
		}
		if got := rateLimit(header); got != nil && (got.Limit < -1 || got.Remaining < -1 || got.Window < 0 ||
			got.Window > 366*24*time.Hour || got.RetryAfter < 0) {
			t.Errorf("%+v", got)
		}
		if wait, worth := patience(t.Context(), header); worth && (wait <= 0 || wait > maxPatience) {
			t.Errorf("a wait of %v", wait)
		}
		if f := limited(host, reply{header: header}, diagnosis{}); !plainLine(f.Detail) {
			t.Errorf("%q", f.Detail)
		}
	})
}

// FuzzLocation holds that a redirect is followed to an HTTPS address or not at all, and is reported in one plain line.
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{
		"https://cdn.example.com/x", "http://cdn.example.com/x", "file:///etc/passwd", "//169.254.169.254/latest",
		"/v2/", "../..", "?a=b", "https://u:p@cdn.example.com", "HTTPS://CDN.example.com:0443/", "https:///x", "https:x",
		"https://[::1", "https://a b/", "javascript:alert(1)", "https://\u202eexample.com/", "https://%1b[2J/", "\x1b[2J",
		"gopher://127.0.0.1:6379/_x", "https://::error::/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		from := &url.URL{Scheme: "https", Host: host, Path: "/v2/acme/pause/blobs/x"}
		next := redirect(from, &http.Response{
			StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {location}},
		})
		if next == nil {
			return
		}
		failure := badRedirect(from, next, 1)
		switch {
		case failure != nil:
			if !plainLine(failure.Detail) || !plainLine(failure.Host) {
				t.Errorf("%+q", failure)
			}
		case next.Scheme != "https" || next.Hostname() == "" || next.User != nil || !plainLine(address(next)):
			t.Errorf("%q leads to %q", location, next)
		}
	})
}
