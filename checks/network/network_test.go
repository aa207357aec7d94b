package network_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"runner-preflight/checks/network"
	"runner-preflight/checks/scene"

	"github.com/google/go-cmp/cmp"
)

// patience is the phase's limit where a peer is silent, plenty where it is not: a busy machine takes its time.
const (
	patience = scene.Duration(300 * time.Millisecond)
	plenty   = scene.Duration(10 * time.Second)
)

func start(t *testing.T, s scene.Scene) *scene.Lab {
	t.Helper()
	if s.PhaseTimeout == 0 {
		s.PhaseTimeout = plenty
	}
	lab, err := scene.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lab.Close)
	return lab
}

func client(t *testing.T, config network.Config) *network.Client {
	c := network.New(config)
	t.Cleanup(c.Close)
	return c
}

func get(t *testing.T, c *network.Client, rawURL string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.RoundTrip(req)
}

// TestNameServers holds that a name server is to blame for its silence, and a name for what is said of it. The errors are
// those that Go gave where a firewall of the machine or one beyond it, or the name server itself, was made to refuse.
func TestNameServers(t *testing.T) {
	const server = "192.0.2.53:53"
	for said, want := range map[string][3]string{
		"write udp 192.0.2.1:4242->192.0.2.53:53: sendto: operation not permitted": {network.DNSFailure, server, "not permit"},
		"read udp 192.0.2.1:4242->192.0.2.53:53: read: connection refused":         {network.DNSFailure, server, "does not answer"},
		"dial udp 192.0.2.53:53: connect: network is unreachable":                  {network.DNSFailure, server, "does not answer"},
		"read udp 192.0.2.1:4242->192.0.2.53:53: i/o timeout":                      {network.DNSFailure, server, "does not answer"},
		"server misbehaving": {network.DNSFailure, "a.example", "SERVFAIL"},
		"no such host":       {network.DNSNotFound, "a.example", "does not exist"},
	} {
		c := client(t, network.Config{Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return nil, &net.DNSError{
				Err: said, Name: "a.example", Server: server,
				IsTimeout: strings.Contains(said, "timeout"), IsNotFound: strings.Contains(said, "no such host"),
			}
		}})
		f := c.Probe(t.Context(), "https://a.example/").Failure
		if f == nil || f.Kind != want[0] || f.Root != want[1] || !strings.Contains(f.Detail, want[2]) {
			t.Errorf("%s: %+v, want %q", said, f, want)
		}
	}
}

// TestKinds makes each failure with a real peer. The kinds for what a firewall does are those that Go was measured
// to see (ICMP, resets, silence).
func TestKinds(t *testing.T) {
	t.Parallel()
	const at = "registry.example.com:443"
	for _, test := range []struct {
		name   string
		host   scene.Host
		kind   string
		phase  network.Phase
		root   string
		detail string // a part of it
	}{
		{
			"no such name",
			scene.Host{DNS: "nxdomain"},
			network.DNSNotFound, network.PhaseDNS,
			"registry.example.com", "does not exist",
		},
		{
			"servfail",
			scene.Host{DNS: "servfail"},
			network.DNSFailure, network.PhaseDNS, "registry.example.com",
			"SERVFAIL",
		},
		{
			"silent name server",
			scene.Host{DNS: "timeout"},
			network.DNSFailure, network.PhaseDNS,
			"192.0.2.253:53", "name server 192.0.2.253:53 does not answer",
		},
		{
			"sinkhole 0.0.0.0",
			scene.Host{Addresses: []string{"0.0.0.0"}},
			network.DNSSinkhole, network.PhaseTCP,
			"registry.example.com", "resolves to 0.0.0.0",
		},
		{
			"sinkhole loopback",
			scene.Host{Addresses: []string{"127.0.0.1"}},
			network.DNSSinkhole,
			network.PhaseTCP, "registry.example.com", "127.0.0.1",
		},
		{
			"dropped",
			scene.Host{TCP: "timeout"},
			network.ConnectTimeout, network.PhaseTCP, at,
			"no answer from 192.0.2.1 within 300 ms",
		},
		{"refused", scene.Host{TCP: "refused"}, network.ConnectRefused, network.PhaseTCP, at, "192.0.2.1 refuses"},
		{
			"prohibited",
			scene.Host{TCP: "unreachable"},
			network.NetworkUnreachable, network.PhaseTCP, at,
			"no route to host",
		},
		{
			"reset at hello",
			scene.Host{TLS: "reset"},
			network.TLSReset, network.PhaseTLS, at,
			"cut at the TLS handshake",
		},
		{
			"silent at hello",
			scene.Host{TLS: "silent"},
			network.TLSTimeout, network.PhaseTLS, at,
			"does not end within 300 ms",
		},
		{
			"plain http",
			scene.Host{TLS: "plain-http"},
			network.TLSNotSpoken, network.PhaseTLS, at,
			"does not speak TLS",
		},
		{"mail", scene.Host{TLS: "garbage"}, network.TLSNotSpoken, network.PhaseTLS, at, "does not speak TLS"},
		{
			"unknown issuer",
			scene.Host{TLS: "untrusted"},
			network.TLSUntrusted, network.PhaseTLS, at,
			"CN=Unknown Root CA,O=Elsewhere",
		},
		{"self-signed", scene.Host{TLS: "self-signed"}, network.TLSUntrusted, network.PhaseTLS, at, "self-signed"},
		{
			"expired",
			scene.Host{TLS: "expired"},
			network.TLSExpired, network.PhaseTLS, at,
			"expired on 2026-11-21T12:00:00Z",
		},
		{
			"too early",
			scene.Host{TLS: "not-yet-valid"},
			network.TLSNotYetValid, network.PhaseTLS, at,
			"only from 2026-11-27T12:00:00Z",
		},
		{
			"wrong host",
			scene.Host{TLS: "wrong-host"},
			network.TLSWrongHost, network.PhaseTLS, at,
			"for other.example.net",
		},
		{
			"old version",
			scene.Host{TLS: "old-version"},
			network.TLSIncompatible, network.PhaseTLS, at,
			"protocol version",
		},
		{
			"client certificate",
			scene.Host{TLS: "client-certificate"},
			network.TLSIncompatible, network.PhaseTLS,
			at, "client certificate",
		},
		{
			"client certificate, HTTP/1",
			scene.Host{TLS: "client-certificate", HTTP1: true},
			network.TLSIncompatible, network.PhaseTLS, at, "client certificate",
		},
		{
			"client certificate, TLS 1.2",
			scene.Host{TLS: "client-certificate-1.2"},
			network.TLSIncompatible,
			network.PhaseTLS, at, "client certificate",
		},
		{
			"reset for an answer",
			scene.Host{HTTP1: true, Answer: &scene.Answer{Fault: "reset"}},
			network.HTTPFailure, network.PhaseHTTP, at, "cut",
		},
		{
			"stream reset for an answer",
			scene.Host{Answer: &scene.Answer{Fault: "reset"}},
			network.HTTPFailure,
			network.PhaseHTTP, at, "HTTP",
		},
		{
			"silence for an answer",
			scene.Host{Answer: &scene.Answer{Fault: "silent"}},
			network.HTTPFailure,
			network.PhaseHTTP, at, "within 600 ms",
		},
		{
			"garbage for an answer",
			scene.Host{HTTP1: true, Answer: &scene.Answer{Fault: "garbage"}},
			network.HTTPFailure, network.PhaseHTTP, at, "not HTTP",
		},
		{
			"unending headers",
			scene.Host{HTTP1: true, Answer: &scene.Answer{Fault: "endless-headers"}},
			network.HTTPFailure, network.PhaseHTTP, at, "not HTTP",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
			limit := plenty
			if strings.Contains(test.detail, "within") {
				limit = patience
			}
			lab := start(t, scene.Scene{
				Now: now, PhaseTimeout: limit,
				Hosts: map[string]scene.Host{"registry.example.com": test.host},
			})
			answer, err := get(t, client(t, lab.Config()), "https://registry.example.com/v2/")
			if err == nil {
				_ = answer.Body.Close()
				t.Fatalf("status %d instead of %s", answer.StatusCode, test.kind)
			}
			var f *network.Failure
			if !errors.As(err, &f) {
				t.Fatalf("%T is no Failure: %v", err, err)
			}
			if f.Kind != test.kind || f.Phase != test.phase || f.Root != test.root || f.Address != at {
				t.Errorf("%s in %s, root %s, address %s (%s; %v)", f.Kind, f.Phase, f.Root, f.Address, f.Detail,
					f.Err)
			}
			if !strings.Contains(f.Detail, test.detail) {
				t.Errorf("detail %q lacks %q", f.Detail, test.detail)
			}
		})
	}
}

// TestVerdicts judges good and bad certificates by both sets of roots.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ tls, daemon, jvm string }{
		{"", "", ""},
		{"private", "", network.TLSIntercepted},
		{"intercepted", "", network.TLSIntercepted},
		{"untrusted", network.TLSUntrusted, network.TLSIntercepted},
		{"self-signed", network.TLSUntrusted, network.TLSIntercepted},
		{"expired", network.TLSExpired, network.TLSExpired},
		{"wrong-host", network.TLSWrongHost, network.TLSWrongHost},
	} {
		lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"api.example.com": {TLS: test.tls}}})
		for publicOnly, want := range map[bool]string{false: test.daemon, true: test.jvm} {
			config := lab.Config()
			config.PublicOnly = publicOnly
			got := client(t, config).Probe(t.Context(), "https://api.example.com/")
			kind := ""
			if got.Failure != nil {
				kind = got.Failure.Kind
			}
			if kind != want {
				t.Errorf("%q, public roots only %t: %q, want %q", test.tls, publicOnly, kind, want)
			}
			if public := got.Certificate.Public; public != (test.jvm != network.TLSIntercepted) {
				t.Errorf("%q: public roots vouch for it: %t", test.tls, public)
			}
		}
	}
}

// TestNothingIsSentOnABadConnection counts requests that reach a host whose certificate is bad.
func TestNothingIsSentOnABadConnection(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com": {TLS: "untrusted"}}})
	config := lab.Config()
	var written atomic.Int64
	dial := config.Dial
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &listening{conn, &written}, err
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://a.example.com/"+strings.Repeat("x", 8000), nil)
	if _, err := client(t, config).RoundTrip(req); err == nil {
		t.Fatal("answered")
	}
	if written.Load() > 4000 { // a ClientHello and an alert, not the request
		t.Errorf("%d bytes were sent", written.Load())
	}
}

type listening struct {
	net.Conn
	written *atomic.Int64
}

func (l *listening) Write(p []byte) (int, error) {
	l.written.Add(int64(len(p)))
	return l.Conn.Write(p)
}

func TestPlainHTTPIsRefused(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com:5000": {TLS: "plain-http"}}})
	c := client(t, lab.Config())
	if _, err := get(t, c, "http://a.example.com:5000/v2/"); !errors.Is(err, network.ErrPlainHTTP) {
		t.Errorf("got %v", err)
	}
	if !c.SpeaksHTTP(t.Context(), "a.example.com:5000") {
		t.Error("it speaks HTTP")
	}
	lab = start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com:5000": {TLS: "garbage"}}})
	if client(t, lab.Config()).SpeaksHTTP(t.Context(), "a.example.com:5000") {
		t.Error("it does not speak HTTP")
	}
}

// TestManySilentHosts asks 200 hosts that never answer, each from five places at once.
func TestManySilentHosts(t *testing.T) {
	t.Parallel()
	hosts := map[string]scene.Host{}
	for i := range 200 {
		hosts[fmt.Sprintf("h%d.example.com", i)] = scene.Host{TCP: "timeout"}
	}
	lab := start(t, scene.Scene{PhaseTimeout: patience, Hosts: hosts})
	config := lab.Config()
	var dials atomic.Int64
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return lab.Dial(ctx, network, address)
	}
	c := client(t, config)
	started := time.Now()
	var wait sync.WaitGroup
	for name := range hosts {
		for range 5 {
			wait.Go(func() {
				if f := c.Probe(t.Context(), "https://"+name+"/").Failure; f == nil ||
					f.Kind != network.ConnectTimeout {
					t.Errorf("%s: %v", name, f)
				}
			})
		}
	}
	wait.Wait()
	if took := time.Since(started); took > 10*time.Duration(patience) { // one after the other it would be 200 times
		t.Errorf("took %v", took)
	}
	if dials.Load() != 200 {
		t.Errorf("%d dials", dials.Load())
	}
}

// TestConnectionsAreShared counts the connections of requests that begin together and of those that follow.
func TestConnectionsAreShared(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{
		"two.example.com": {},
		"one.example.com": {HTTP1: true},
	}})
	config := lab.Config()
	var dials atomic.Int64
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return lab.Dial(ctx, network, address)
	}
	c := client(t, config)
	ask := func(rawURL string) {
		answer, err := get(t, c, rawURL)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() { ask(fmt.Sprintf("https://two.example.com/%d", i)) })
	}
	wait.Wait()
	if dials.Load() != 1 {
		t.Errorf("HTTP/2: %d connections", dials.Load())
	}
	dials.Store(0)
	c.Probe(t.Context(), "https://one.example.com/v2/")
	for range 3 {
		ask("https://one.example.com/next")
	}
	if dials.Load() != 1 {
		t.Errorf("HTTP/1: %d connections", dials.Load())
	}
}

// TestRoundTrips counts how often a peer has to be waited for, in a probe and two further requests: for DNS, TCP and
// TLS 1.3, and once each.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com": {HTTP1: true}}})
	config := lab.Config()
	var trips atomic.Int64
	config.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
		trips.Add(1)
		return lab.Resolve(ctx, name)
	}
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		trips.Add(1)
		conn, err := lab.Dial(ctx, network, address)
		return &turns{Conn: conn, trips: &trips}, err
	}
	c := client(t, config)
	c.Probe(t.Context(), "https://a.example.com/")
	c.Probe(t.Context(), "https://a.example.com/1")
	c.Probe(t.Context(), "https://a.example.com/2")
	c.Probe(t.Context(), "https://a.example.com/2")
	if trips.Load() != 6 {
		t.Errorf("%d round trips, want 6", trips.Load())
	}
}

// turns counts how often something is said after the peer was heard.
type turns struct {
	net.Conn
	trips *atomic.Int64
	spoke atomic.Bool
}

func (c *turns) Write(p []byte) (int, error) {
	if !c.spoke.Swap(true) {
		c.trips.Add(1)
	}
	return c.Conn.Write(p)
}

func (c *turns) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.spoke.Store(false)
	}
	return n, err
}

// TestSteps times each phase where each round trip takes a while.
func TestSteps(t *testing.T) {
	t.Parallel()
	const delay = 20 * time.Millisecond
	lab := start(t, scene.Scene{Latency: scene.Duration(delay), Hosts: map[string]scene.Host{"a.example.com": {}}})
	var phases []network.Phase
	for _, step := range client(t, lab.Config()).Probe(t.Context(), "https://a.example.com/").Steps {
		phases = append(phases, step.Phase)
		if step.Duration < delay/2 {
			t.Errorf("%s took %v", step.Phase, step.Duration)
		}
	}
	want := []network.Phase{network.PhaseDNS, network.PhaseTCP, network.PhaseTLS, network.PhaseHTTP}
	if diff := cmp.Diff(want, phases); diff != "" {
		t.Error(diff)
	}
}

// TestTheCallersTime tells the end of the run from a verdict on the host, and lets a later caller try again.
func TestTheCallersTime(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{PhaseTimeout: patience, Hosts: map[string]scene.Host{
		"a.example.com": {TCP: "timeout"}, "b.example.com": {TLS: "silent"},
		"c.example.com": {Answer: &scene.Answer{Fault: "silent"}},
	}})
	c := client(t, lab.Config())
	for _, name := range []string{"a", "b", "c"} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if f := c.Probe(ctx, "https://"+name+".example.com/").Failure; f == nil || f.Kind != network.NotEstablished {
			t.Errorf("%s: %v", name, f)
		}
		cancel()
	}
	if f := c.Probe(t.Context(), "https://a.example.com/").Failure; f == nil || f.Kind != network.ConnectTimeout {
		t.Errorf("afterwards: %v", f)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com": {Paths: map[string]scene.Answer{
		"/endless": {Fault: "endless-body"}, "/short": {Status: 503, Body: "sorry"},
	}}}})
	c := client(t, lab.Config())
	if n := len(c.Probe(t.Context(), "https://a.example.com/endless").Body); n != 64<<10 {
		t.Errorf("%d bytes of an endless body", n)
	}
	if a := c.Probe(t.Context(), "https://a.example.com/short"); a.Status != 503 || string(a.Body) != "sorry" ||
		a.Failure != nil {
		t.Errorf("%+v", a)
	}
}

// TestPing asks whether a host is a registry, in every way, of one that answers another thing the second time.
func TestPing(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com": {Registry: &scene.Registry{
		Faults: []scene.Fault{{Times: 1, Answer: scene.Answer{Status: 418, Body: "once"}}},
	}}}})
	c := client(t, lab.Config())
	if a := c.Probe(t.Context(), "https://a.example.com/v2/"); a.Status != http.StatusTeapot {
		t.Errorf("probe: %d", a.Status)
	}
	for _, rawURL := range []string{"https://a.example.com/v2/", "https://A.example.com:443/v2/"} {
		answer, err := get(t, c, rawURL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusTeapot || string(body) != "once" || answer.ContentLength != 4 {
			t.Errorf("%s: %s %q", rawURL, answer.Status, body)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example.com/v2/", nil)
	req.Header.Set("Authorization", "Basic Y2k6c2VjcmV0")
	if answer, err := c.RoundTrip(req); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("with credentials it is another question: %v", err)
	} else {
		_ = answer.Body.Close()
	}
}

// TestIPv6 tells a broken IPv6 address from a machine that has no IPv6.
func TestIPv6(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		behaviour string
		route     bool
		broken    bool
	}{
		{"refused", true, true},
		{"timeout", true, true},
		{"unreachable", true, true},
		{"unreachable", false, false},
		{"ok", true, false},
		{"", true, false},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Parallel()
			lab := start(t, scene.Scene{IPv6: test.route, Hasty: true, Hosts: map[string]scene.Host{
				"a.example.com": {IPv6: test.behaviour},
			}})
			c := client(t, lab.Config())
			if f := c.Probe(t.Context(), "https://a.example.com/").Failure; f != nil {
				t.Fatal(f)
			}
			addr, detail, broken := c.BrokenIPv6(t.Context(), "a.example.com:443")
			if broken != test.broken || broken && addr.String() != "2001:db8::c000:201" {
				t.Errorf("broken %t (%s, %s)", broken, addr, detail)
			}
		})
	}
}

// TestSilentIPv6 reaches a host over IPv4 though its IPv6 address never answers.
func TestSilentIPv6(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{PhaseTimeout: scene.Duration(time.Second), Hosts: map[string]scene.Host{
		"a.example.com": {IPv6: "timeout"},
	}})
	if a := client(t, lab.Config()).Probe(t.Context(), "https://a.example.com/"); a.Failure != nil ||
		a.Status != 404 {
		t.Errorf("%+v", a)
	}
}

// TestProxy goes through a real CONNECT, with canary passwords that no text may hold.
func TestProxy(t *testing.T) {
	t.Parallel()
	const canary = "c4narypw"
	named := "http://user:" + canary + "@proxy.example.com:3128"
	for _, test := range []struct {
		name   string
		proxy  scene.Host
		kind   string
		detail string
	}{
		{"open", scene.Host{Proxy: &scene.Proxy{}}, "", ""},
		{"password", scene.Host{Proxy: &scene.Proxy{User: "user", Password: canary}}, "", ""},
		{
			"wrong password",
			scene.Host{Proxy: &scene.Proxy{User: "user", Password: "other"}},
			network.ProxyAuthRequired, "407",
		},
		{
			"denied",
			scene.Host{Proxy: &scene.Proxy{
				Refuse:  403,
				Headers: map[string]string{"X-Squid-Error": "ERR_ACCESS_DENIED 0"},
			}},
			network.ProxyDenied, "403 Forbidden (ERR_ACCESS_DENIED 0)",
		},
		{"silent", scene.Host{Proxy: &scene.Proxy{Silent: true}}, network.ProxyUnreachable, "never answers CONNECT"},
		{"refused", scene.Host{TCP: "refused"}, network.ProxyUnreachable, "refuses the connection"},
		{"dropped", scene.Host{TCP: "timeout"}, network.ProxyUnreachable, "no answer"},
		{"unknown", scene.Host{DNS: "nxdomain"}, network.ProxyUnreachable, "does not exist"},
		{"sinkhole", scene.Host{Addresses: []string{"0.0.0.0"}}, network.ProxyUnreachable, "refuses"},
		{"no proxy", scene.Host{TLS: "garbage"}, network.ProxyUnreachable, "no HTTP proxy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			limit := plenty
			if test.proxy.TCP == "timeout" || test.proxy.Proxy != nil && test.proxy.Proxy.Silent {
				limit = patience
			}
			lab := start(t, scene.Scene{PhaseTimeout: limit, Hosts: map[string]scene.Host{
				"a.example.com": {}, "proxy.example.com:3128": test.proxy,
			}})
			config := lab.Config()
			config.Proxy = network.ProxyFromEnv(func(name string) string {
				return map[string]string{"https_proxy": named}[name]
			})
			got := client(t, config).Probe(t.Context(), "https://a.example.com/")
			if test.kind == "" {
				if got.Failure != nil || got.Status != 404 || got.Proxy != "proxy.example.com:3128" {
					t.Errorf("%+v", got)
				}
				return
			}
			f := got.Failure
			if f == nil || f.Kind != test.kind || f.Root != "proxy.example.com:3128" ||
				!strings.Contains(f.Detail, test.detail) ||
				!strings.Contains(f.Detail, "proxy.example.com:3128 (https_proxy)") {
				t.Errorf("%+v", f)
			}
			if all := fmt.Sprintf("%+v %v %v", *f, f, f.Err); strings.Contains(all, canary) {
				t.Error("the password shows in", all)
			}
		})
	}
}

func TestProxyFromEnv(t *testing.T) {
	t.Parallel()
	choose := network.ProxyFromEnv(func(name string) string {
		return map[string]string{
			"HTTPS_PROXY": "proxy.example.com:3128",
			"NO_PROXY":    ".corp.example,10.0.0.0/8",
		}[name]
	})
	for host, want := range map[string]string{
		"a.example.com": "proxy.example.com:3128", "r.corp.example": "", "10.1.2.3:5000": "",
		"localhost:5000": "",
	} {
		got, err := choose(&url.URL{Scheme: "https", Host: host})
		if err != nil || want == "" && got != nil || want != "" &&
			(got == nil || got.Address() != want || got.Variable != "HTTPS_PROXY") {
			t.Errorf("%s: %v, %v", host, got, err)
		}
	}
	choose = network.ProxyFromEnv(func(string) string { return "http://user:c4nary pw@proxy:99999999" })
	if _, err := choose(&url.URL{Scheme: "https", Host: "a.example.com"}); err == nil ||
		strings.Contains(err.Error(), "c4nary") {
		t.Errorf("got %v", err)
	}
}

// TestPublicHost takes a private address of a host that is known to be public for a sinkhole, unless what is there can
// prove to be the host: by this machine's roots, which is then an interception to the JVM.
func TestPublicHost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tls        string
		known, jvm bool
		want       string
	}{
		{"untrusted", true, false, network.DNSSinkhole},
		{"untrusted", true, true, network.DNSSinkhole},
		{"untrusted", false, false, network.TLSUntrusted},
		{"intercepted", true, false, ""},
		{"intercepted", true, true, network.TLSIntercepted},
	} {
		lab := start(t, scene.Scene{Hosts: map[string]scene.Host{
			"bitbucket.org": {Addresses: []string{"192.0.2.1"}, TLS: test.tls},
		}})
		config := lab.Config()
		config.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.0.0.9")}, nil
		}
		config.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return lab.Dial(ctx, network, "192.0.2.1:443")
		}
		config.PublicHost, config.PublicOnly = func(string) bool { return test.known }, test.jvm
		got := ""
		if f := client(t, config).Probe(t.Context(), "https://bitbucket.org/").Failure; f != nil {
			got = f.Kind
		}
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// TestRootsDate compares the date in the code with the version in go.mod.
func TestRootsDate(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := "golang.org/x/crypto/x509roots/fallback v0.0.0-" + network.PublicRootsDate().Format("20060102")
	if !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not have %s", want)
	}
}

// TestBuiltInRoots looks at the pool that real hosts are judged by: it vouches for nothing in a scene.
func TestBuiltInRoots(t *testing.T) {
	t.Parallel()
	lab := start(t, scene.Scene{Hosts: map[string]scene.Host{"a.example.com": {}}})
	config := lab.Config()
	config.Public = nil
	if got := client(t, config).Probe(t.Context(), "https://a.example.com/"); got.Failure != nil ||
		got.Certificate.Public {
		t.Errorf("%+v", got)
	}
}

func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			os.Exit(code)
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	fmt.Printf("goroutines are left over:\n%s\n", stacks[:runtime.Stack(stacks, true)])
	os.Exit(1)
}

// The date is that of the module's version in go.mod.
func TestPublicRootsDate(t *testing.T) {
	t.Parallel()
	modules, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "x509roots/fallback v0.0.0-" + network.PublicRootsDate().Format("20060102"); !strings.Contains(string(modules), want) {
		t.Errorf("go.mod does not have %q", want)
	}
}
