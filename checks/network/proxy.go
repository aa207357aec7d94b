package network

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/net/proxy"
)

// ProxyFromEnv chooses proxies for https URLs as Go programs such as docker's daemon do: HTTPS_PROXY or
// https_proxy, but for what NO_PROXY or no_proxy lists and for the machine itself.
func ProxyFromEnv(getenv func(name string) string) func(*url.URL) (*Proxy, error) {
	named, variable := firstSet(getenv, "HTTPS_PROXY", "https_proxy")
	except, _ := firstSet(getenv, "NO_PROXY", "no_proxy")
	choose := (&httpproxy.Config{HTTPSProxy: named, NoProxy: except}).ProxyFunc()
	_, malformed := url.Parse(named)
	return func(u *url.URL) (*Proxy, error) {
		chosen, err := choose(u)
		switch {
		case err != nil || chosen == nil: // what Go cannot read counts as none, for docker too
			return nil, nil
		case malformed != nil && strings.Contains(named, "://"): // Go puts http:// before it, and finds no such host
			return nil, proxyError{variable}
		}
		return &Proxy{URL: chosen, Variable: variable}, nil
	}
}

// ProxyFor is the proxy through which the client goes to host:port, nil if it goes directly. The error says which
// setting holds no proxy's address, and nothing of what it holds.
func (c *Client) ProxyFor(address string) (*Proxy, error) {
	if c.config.Proxy == nil {
		return nil, nil
	}
	return c.config.Proxy(&url.URL{Scheme: "https", Host: address})
}

func firstSet(getenv func(string) string, names ...string) (value, name string) {
	for _, name := range names {
		if value := getenv(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

// proxyError says that a variable does not hold a proxy's address. It does not quote it: there may be a password.
type proxyError struct{ variable string }

func (e proxyError) Error() string { return e.variable + " does not hold the address of a proxy" }

func badProxy(err error) *Failure {
	f := &Failure{Kind: ProxyUnreachable, Phase: PhaseProxy, Detail: "the proxy's address cannot be read"}
	var bad proxyError
	if errors.As(err, &bad) {
		f.ProxyVariable, f.Root, f.Detail = bad.variable, bad.variable, bad.Error()
	}
	return f
}

// throughProxy connects to the proxy and has it connect to the address.
func (a *attempt) throughProxy(ctx context.Context, p *Proxy) (net.Conn, *Failure) {
	conn, failure := a.connect(ctx, p.Address())
	if failure != nil {
		return nil, a.proxyFailure(p, failure)
	}
	failure = a.timed(ctx, PhaseProxy, func(ctx context.Context, _ time.Duration) *Failure {
		var failure *Failure
		conn, failure = a.tunnel(ctx, conn, p)
		return failure
	})
	if failure != nil {
		_ = conn.Close()
		return nil, a.proxyFailure(p, failure)
	}
	return conn, nil
}

// proxyFailure words a failure as the proxy's. What became of the connection to the proxy is its detail.
func (a *attempt) proxyFailure(p *Proxy, f *Failure) *Failure {
	f.Proxy, f.ProxyVariable = p.Address(), p.Variable
	if f.Kind == NotEstablished {
		return f
	}
	if f.Kind != ProxyDenied && f.Kind != ProxyAuthRequired {
		f.Kind, f.Phase = ProxyUnreachable, PhaseProxy
	}
	f.Root = f.Proxy
	named := "the proxy " + f.Proxy
	if f.ProxyVariable != "" {
		named += " (" + f.ProxyVariable + ")"
	}
	f.Detail = named + ": " + f.Detail
	return f
}

// tunnel asks the proxy for a connection. The connection that it returns is never nil.
func (a *attempt) tunnel(ctx context.Context, conn net.Conn, p *Proxy) (net.Conn, *Failure) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	switch p.URL.Scheme {
	case "socks5", "socks5h":
		return conn, a.socks(ctx, conn, p)
	case "https":
		roots, err := a.proxyRoots(p)
		if err != nil {
			return conn, &Failure{Detail: "the certificates that this machine keeps for it cannot be used", Err: err}
		}
		secure := tls.Client(conn, &tls.Config{
			ServerName: p.URL.Hostname(), MinVersion: tls.VersionTLS12,
			Time: a.client.config.Now, RootCAs: roots,
		})
		if err := secure.HandshakeContext(ctx); err != nil {
			return conn, &Failure{Detail: "no TLS connection to it: " + clip(systemError(err)), Err: err}
		}
		return a.ask(secure, p)
	}
	return a.ask(conn, p)
}

func (a *attempt) proxyRoots(p *Proxy) (*x509.CertPool, error) {
	switch {
	case a.client.config.PublicOnly:
		return a.client.public(), nil
	case a.client.config.Roots != nil:
		return a.client.config.Roots(p.Address())
	}
	return nil, nil
}

func (a *attempt) ask(conn net.Conn, p *Proxy) (net.Conn, *Failure) {
	req := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: a.address}, Host: a.address,
		Header: http.Header{"User-Agent": {a.client.config.UserAgent}},
	}
	if user := p.URL.User; user != nil {
		password, _ := user.Password()
		req.Header.Set("Proxy-Authorization",
			"Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return conn, &Failure{Detail: "it does not take the request: " + clip(systemError(err)), Err: err}
	}
	reader := bufio.NewReader(io.LimitReader(conn, maxHeaders))
	answer, err := http.ReadResponse(reader, req) //nolint:bodyclose // it is the connection itself
	switch {
	case err != nil && timedOut(err):
		return conn, &Failure{Detail: "it never answers CONNECT", Err: err}
	case err != nil && cutOff(err):
		return conn, &Failure{Detail: "it closes the connection on CONNECT", Err: err}
	case err != nil:
		return conn, &Failure{Detail: "what answers is no HTTP proxy", Err: err}
	case answer.StatusCode/100 != 2:
		return conn, refusal(answer)
	}
	// The host speaks only when spoken to, but a peer that breaks that rule must not be half heard.
	return &readAhead{Conn: conn, reader: reader}, nil
}

func refusal(answer *http.Response) *Failure {
	f := &Failure{
		Kind: ProxyDenied, Phase: PhaseProxy, ProxyStatus: answer.StatusCode,
		Detail: "it answers CONNECT with " + clip(answer.Status),
	}
	if reason := answer.Header.Get("X-Squid-Error"); reason != "" {
		f.Detail += " (" + clip(reason) + ")"
	}
	if answer.StatusCode == http.StatusProxyAuthRequired {
		f.Kind, f.Detail = ProxyAuthRequired, "it asks for a user name and password (407)"
	}
	return f
}

// readAhead reads what the proxy's answer left in the buffer first.
type readAhead struct {
	net.Conn
	reader *bufio.Reader
}

func (r *readAhead) Read(p []byte) (int, error) {
	if r.reader.Buffered() > 0 {
		return r.reader.Read(p[:min(len(p), r.reader.Buffered())])
	}
	return r.Conn.Read(p)
}

func (a *attempt) socks(ctx context.Context, conn net.Conn, p *Proxy) *Failure {
	var auth *proxy.Auth
	if user := p.URL.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", p.Address(), auth, already{conn})
	if err == nil {
		_, err = dialer.Dial("tcp", a.address)
	}
	switch {
	case err == nil:
		return nil
	case timedOut(err), cutOff(err), ctx.Err() != nil:
		return &Failure{Detail: "it does not answer as a SOCKS proxy", Err: err}
	}
	return &Failure{Kind: ProxyDenied, Phase: PhaseProxy, Detail: "it refuses: " + clip(systemError(err)), Err: err}
}

// already is a dialer that has dialled.
type already struct{ conn net.Conn }

// Dial returns the connection that there is.
func (d already) Dial(string, string) (net.Conn, error) { return d.conn, nil }
