package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"runner-preflight/checks/network"
)

const (
	// maxHops bounds the redirects of one request.
	maxHops = 5
	// maxError bounds what is read of an answer that is not a manifest.
	maxError = 64 << 10
	// exchangeTimeout bounds one request with its redirects and its body, for servers that never end.
	exchangeTimeout = 20 * time.Second
)

// large is the size, in bytes, from which on the bodies of answers are taken one at a time.
const large = 256 << 10

// call is one request.
type call struct {
	method, url string
	header      http.Header
	// auth is the Authorization header. It goes to the URL's own host:port and to no other.
	auth string
	// limit bounds what is read of the body; 0 leaves it unread, unless it says why the call is refused.
	limit int64
	// once says that an answer of 5xx or 429 is not asked for again.
	once bool
	// hold says that whoever takes a large body keeps its turn until the reply is done.
	hold bool
	// shared says that somebody else may have asked the same, or will: see prober.
	shared bool
}

// prober is a transport that remembers the answers to plain GETs, for all who use it.
type prober interface {
	Probe(ctx context.Context, rawURL string) network.Answer
}

// reply is what a call got after all redirects.
type reply struct {
	status int
	header http.Header
	// length is what the server says the body's is, -1 if nothing.
	length int64
	body   []byte
	// cut says that the body was longer than the limit.
	cut bool
	// at is the URL that answered, hops the host:port of each redirect before it.
	at   *url.URL
	hops []string
	// sent counts requests, retries those among them that repeat one which failed.
	sent, retries int
	// turn is held for a large body; nil if there is none.
	turn *sync.Mutex
}

// done ends the turn that a large body took.
func (r *reply) done() {
	if r.turn != nil {
		r.turn.Unlock()
		r.turn = nil
	}
}

// What send finds wrong with a redirect. Its callers say what that means; neither is a problem's name.
const (
	plainRedirect  = "plain-redirect"
	brokenRedirect = "broken-redirect"
)

// send makes a call, over HTTPS alone, and asks once more where that can help: see again.
func (c *Client) send(ctx context.Context, q call) (reply, *Failure) {
	r, failure := c.follow(ctx, q)
	wait, worth := c.again(ctx, q, r, failure)
	if !worth {
		return r, failure
	}
	select {
	case <-ctx.Done():
		return r, failure
	case <-time.After(wait):
	}
	second, failure := c.follow(ctx, q)
	if failure == nil && second.status == http.StatusTooManyRequests {
		c.strict.Store(address(second.at), true)
	}
	second.sent += r.sent
	second.retries += r.retries + 1
	return second, failure
}

// again tells whether, and after how long, a call is worth a second try: the server says that the fault is its own, or
// that it is only asked too fast, or it gave up a connection that was idle until then. A refusal stays one.
func (c *Client) again(ctx context.Context, q call, r reply, failure *Failure) (wait time.Duration, worth bool) {
	switch {
	case failure != nil:
		return 0, failure.idle
	case q.once:
		return 0, false
	case r.status == http.StatusTooManyRequests:
		if _, strict := c.strict.Load(address(r.at)); strict {
			return 0, false
		}
		return patience(ctx, r.header)
	}
	return c.pause, r.status >= 500 && r.status != http.StatusNotImplemented
}

// maxPatience is the longest Retry-After that is waited for; a longer one is a limit that the runner would meet too.
const maxPatience = 5 * time.Second

// patience is how long an answer of 429 wants its client to wait, and whether there is the time for it: half of what is
// left of the run is kept for all that comes after.
func patience(ctx context.Context, header http.Header) (wait time.Duration, enough bool) {
	wait = retryAfter(header)
	if wait <= 0 || wait > maxPatience {
		return 0, false
	}
	deadline, limited := ctx.Deadline()
	return wait, !limited || wait < time.Until(deadline)/2
}

// follow makes a call and follows its redirects.
func (c *Client) follow(ctx context.Context, q call) (reply, *Failure) {
	at, err := url.Parse(q.url)
	if err != nil {
		return reply{}, &Failure{Kind: brokenRedirect, Detail: "the address of the request is malformed"}
	}
	r := reply{}
	first := address(at)
	for {
		auth := q.auth
		if address(at) != first {
			auth = ""
		}
		next, failure := c.hop(ctx, q, at, auth, &r)
		if failure != nil || next == nil {
			return r, failure
		}
		if address(next) != first {
			r.hops = append(r.hops, address(next))
		}
		if failure := badRedirect(at, next, r.sent); failure != nil {
			return r, failure
		}
		at = next
	}
}

// badRedirect tells what keeps a redirect from being followed.
func badRedirect(from, to *url.URL, sent int) *Failure {
	switch {
	case to.Scheme == "http" && to.Host != "":
		return &Failure{
			Kind: plainRedirect, Host: address(to),
			Detail: fmt.Sprintf("%s redirects to plain HTTP at %s", address(from), address(to)),
		}
	case to.Scheme != "https" || !plainName(to.Hostname()) || to.User != nil:
		return &Failure{
			Kind: brokenRedirect, Host: address(from),
			Detail: fmt.Sprintf("%s redirects to something that is no HTTPS address", address(from)),
		}
	case sent > maxHops:
		return &Failure{
			Kind: brokenRedirect, Host: address(from),
			Detail: fmt.Sprintf("%s redirects more than %d times", address(from), maxHops),
		}
	}
	return nil
}

// hop sends one request and reads the answer into r. It returns where the answer redirects to, if it does.
func (c *Client) hop(ctx context.Context, q call, at *url.URL, auth string, r *reply) (*url.URL, *Failure) {
	if p, ok := c.transport.(prober); ok && q.shared && r.sent == 0 {
		return probed(ctx, p, at, r)
	}
	limited, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	used := &connections{}
	req := (&http.Request{Method: q.method, URL: at, Host: at.Host, Header: http.Header{}}).
		WithContext(httptrace.WithClientTrace(limited, used.hooks()))
	for name, values := range q.header {
		req.Header[name] = values
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	r.sent++
	resp, err := c.transport.RoundTrip(req)
	r.retries += used.repeated()
	if err != nil {
		failure := unanswered(ctx, address(at), err)
		failure.idle = ctx.Err() == nil && used.reused.Load() && cutOff(err)
		return nil, failure
	}
	defer func() { _ = resp.Body.Close() }()
	r.status, r.header, r.at, r.length = resp.StatusCode, resp.Header, at, resp.ContentLength
	if next := redirect(at, resp); next != nil {
		return next, nil
	}
	limit := q.limit
	if r.status >= 300 {
		limit = maxError
	}
	if limit == 0 || q.method == http.MethodHead {
		return nil, nil
	}
	if r.status < 300 && r.length > limit {
		r.cut = true
		return nil, nil
	}
	err = c.read(resp.Body, limit, r)
	if !q.hold {
		r.done()
	}
	if err != nil && r.status < 300 {
		return nil, brokenOff(ctx, address(at), err)
	}
	return nil, nil
}

// connections watches those that one request is sent over: the transport itself sends a request again that an idle
// HTTP/1 connection did not take.
type connections struct {
	count atomic.Int32
	// reused says that the last one had served other requests.
	reused atomic.Bool
}

func (u *connections) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		u.count.Add(1)
		u.reused.Store(got.Reused)
	}}
}

// repeated counts how often the transport sent the request again.
func (u *connections) repeated() int { return max(int(u.count.Load())-1, 0) }

// cutOff tells whether a connection ended, rather than that something wrong came over it.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// read takes over at most limit bytes of a body; of an answer that is longer nothing is of use but an error's words.
// Large bodies are read one after the other, so that what hostile servers send does not add up.
func (c *Client) read(from io.Reader, limit int64, r *reply) error {
	body, err := io.ReadAll(io.LimitReader(from, min(limit+1, large)))
	if err == nil && int64(len(body)) == large {
		c.heavy.Lock()
		r.turn = &c.heavy
		whole := bytes.NewBuffer(body)
		if rest := r.length - large; rest > 0 {
			whole.Grow(int(rest) + bytes.MinRead) // all at once: a buffer that grows leaves as much behind again
		}
		_, err = whole.ReadFrom(io.LimitReader(from, limit+1-large))
		body = whole.Bytes()
	}
	r.cut = int64(len(body)) > limit
	if r.body = body[:min(int64(len(body)), limit)]; r.cut && r.status < 300 {
		r.body = nil
	}
	return err
}

// probed takes over the answer that a prober remembers.
func probed(ctx context.Context, p prober, at *url.URL, r *reply) (*url.URL, *Failure) {
	answer := p.Probe(ctx, at.String())
	r.sent, r.retries = r.sent+1, r.retries+answer.Retries
	if answer.Failure != nil {
		return nil, unanswered(ctx, address(at), answer.Failure)
	}
	r.status, r.header, r.at, r.length, r.body = answer.Status, answer.Header, at, -1, answer.Body
	return redirect(at, &http.Response{StatusCode: r.status, Header: r.header}), nil
}

// redirect is where an answer sends the client, nil if nowhere.
func redirect(at *url.URL, resp *http.Response) *url.URL {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
	default:
		return nil
	}
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	next, err := at.Parse(location)
	if err != nil {
		return &url.URL{}
	}
	return next
}

// unanswered classifies the transport's error.
func unanswered(ctx context.Context, host string, err error) *Failure {
	var failed *network.Failure
	isNetwork := errors.As(err, &failed)
	if ctx.Err() != nil {
		f := outOfTime("", host)
		f.Network = failed
		return f
	}
	if isNetwork {
		return &Failure{Kind: failed.Kind, Host: host, Detail: failed.Detail, Network: failed}
	}
	return lost(host, "gives no answer to the request", err)
}

// brokenOff is the failure of a body that does not come to its end.
func brokenOff(ctx context.Context, host string, err error) *Failure {
	if ctx.Err() != nil {
		return outOfTime("", host)
	}
	return lost(host, "breaks off in the middle of its answer", err)
}

// lost is a connection that was made and gave nothing of use.
func lost(host, detail string, err error) *Failure {
	return &Failure{Kind: "http-failure", Host: host, Detail: detail, Network: &network.Failure{
		Kind: "http-failure", Phase: network.PhaseHTTP, Address: host, Root: host, Detail: detail, Err: err,
	}}
}

// outOfTime is the failure of a question that there was no time to ask.
func outOfTime(stage Stage, host string) *Failure {
	return &Failure{Kind: "not-established", Stage: stage, Host: host, Detail: "there was no time left to ask"}
}

// address is a URL's host:port.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" && u.Scheme == "http" {
		port = "80"
	}
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(clean(u.Hostname()), port)
}
