package network

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// RoundTrip sends one HTTPS request and follows nothing. Its error, if any, is a *Failure. The ping of a registry,
// which many ask for, is sent once and remembered, as by Probe.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isPing(req) {
		return c.send(req)
	}
	answer := c.Probe(req.Context(), req.URL.String())
	if answer.Failure != nil {
		return nil, answer.Failure
	}
	return &http.Response{
		Status: answer.text, StatusCode: answer.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.Header.Clone(), ContentLength: int64(len(answer.Body)),
		Body: io.NopCloser(bytes.NewReader(answer.Body)), Request: req,
	}, nil
}

// isPing tells the question whether a host is a registry (GET /v2/ without credentials) from others.
func isPing(req *http.Request) bool {
	return req.Method == http.MethodGet && req.URL.Scheme == "https" && req.URL.Path == "/v2/" &&
		req.URL.RawQuery == "" && req.Header.Get("Authorization") == "" && req.Header.Get("Range") == ""
}

func (c *Client) send(req *http.Request) (*http.Response, error) {
	h := c.host(AddressOf(req.URL))
	refuse := func(f *Failure) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, f
	}
	if req.URL.Scheme != "https" {
		return refuse(&Failure{
			Kind: NotEstablished, Phase: PhaseHTTP, Address: h.address, Root: h.address,
			Detail: "the address is not https, so nothing was sent", Err: ErrPlainHTTP,
		})
	}
	if failure := c.open(req.Context(), h); failure != nil {
		return refuse(failure)
	}
	if failure := c.share(req.Context(), h); failure != nil {
		return refuse(failure)
	}
	defer h.pooled()
	ctx, cancel := context.WithCancel(req.Context())
	timing := &firstByte{host: h}
	sent := req.Clone(httptrace.WithClientTrace(ctx, timing.hooks()))
	if sent.Header.Get("User-Agent") == "" {
		sent.Header.Set("User-Agent", c.config.UserAgent)
	}
	answer, err := c.transport.RoundTrip(sent)
	if err != nil {
		cancel()
		failure := c.httpFailure(req.Context(), h, err)
		timing.record()
		return nil, failure
	}
	h.mu.Lock()
	h.answered = true
	h.mu.Unlock()
	answer.Request = req
	answer.Body = &patientBody{ReadCloser: answer.Body, cancel: cancel, client: c, host: h, ctx: req.Context()}
	return answer, nil
}

// share lets the first request take the connection, and the others wait until it is in the pool: over HTTP/2 they
// then use the same one. Over HTTP/1 each goes its own way at once.
func (c *Client) share(ctx context.Context, h *host) *Failure {
	h.mu.Lock()
	first := !h.claimed
	h.claimed = true
	wait := h.http2 && !first
	h.mu.Unlock()
	if !wait {
		return nil
	}
	select {
	case <-h.shared:
		return nil
	case <-ctx.Done():
		return c.failed(h.address, outOfTime(ctx, PhaseHTTP))
	}
}

func (h *host) pooled() { h.shareOne.Do(func() { close(h.shared) }) }

// firstByte times the first request of a host from having a connection to the first byte of the answer.
type firstByte struct {
	host    *host
	mu      sync.Mutex
	started time.Time
}

func (b *firstByte) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			b.mu.Lock()
			b.started = time.Now()
			b.mu.Unlock()
			b.host.pooled()
		},
		GotFirstResponseByte: b.record,
	}
}

func (b *firstByte) record() {
	b.mu.Lock()
	started := b.started
	b.mu.Unlock()
	b.host.mu.Lock()
	defer b.host.mu.Unlock()
	if steps := b.host.trace.Steps; !started.IsZero() && (len(steps) == 0 || steps[len(steps)-1].Phase != PhaseHTTP) {
		b.host.trace.Steps = append(steps, Step{PhaseHTTP, time.Since(started)})
	}
}

// httpFailure classifies why a request on a good connection got no answer.
func (c *Client) httpFailure(ctx context.Context, h *host, err error) *Failure {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure
	}
	if late := outOfTime(ctx, PhaseHTTP); late != nil {
		return c.failed(h.address, late)
	}
	h.mu.Lock()
	wanted, shown, first, http2 := h.wanted, h.shown, !h.answered, h.http2
	h.mu.Unlock()
	// A refused client certificate shows here in TLS 1.3; the HTTP/2 client does not always pass the alert on.
	if _, sent := alert(err); sent || wanted && first && !timedOut(err) {
		return c.failed(h.address, handshakeFailure(err, wanted, shown, c.config.PhaseTimeout))
	}
	f := &Failure{Kind: HTTPFailure, Phase: PhaseHTTP, Err: err, Detail: "what answers is not HTTP"}
	switch {
	case timedOut(err):
		f.Detail = "no answer to the request within " + brief(c.httpTimeout())
	case cutOff(err):
		f.Detail = "the connection is cut where an answer should be"
	case http2:
		f.Detail = "the HTTP/2 connection breaks where an answer should be"
	}
	return c.failed(h.address, f)
}

// patientBody waits for each piece of a body no longer than for an answer.
type patientBody struct {
	io.ReadCloser
	cancel context.CancelFunc
	client *Client
	host   *host
	ctx    context.Context
}

// Read fails when nothing comes for too long.
func (b *patientBody) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.client.httpTimeout(), b.cancel)
	n, err := b.ReadCloser.Read(p)
	if running := timer.Stop(); err == nil || err == io.EOF {
		return n, err
	} else if !running {
		err = context.DeadlineExceeded
	}
	failure := b.client.httpFailure(b.ctx, b.host, err)
	if failure.Kind == HTTPFailure {
		failure.Detail = "the answer breaks off"
	}
	return n, failure
}

// Close ends the request too.
func (b *patientBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// SpeaksHTTP tells whether the address answers a GET of /v2/ in clear. Nothing secret is sent.
func (c *Client) SpeaksHTTP(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, c.httpTimeout())
	defer cancel()
	a := &attempt{client: c, address: address}
	conn, failure := a.reach(ctx)
	if failure != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v2/", nil)
	if err != nil {
		return false
	}
	req.Header.Set("User-Agent", c.config.UserAgent)
	if err := req.Write(conn); err != nil {
		return false
	}
	answer, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaders)), req)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil
}

// maxBody bounds what Probe keeps of a body.
const maxBody = 64 << 10

// Answer is what a GET got.
type Answer struct {
	Trace
	// Status is the HTTP status; 0 when none came, and then Failure says why.
	Status int
	Header http.Header
	// Body is the beginning of the body, at most 64 KiB.
	Body []byte
	// Received is when the header came, by the route's clock.
	Received time.Time
	// Retries counts how often the question was repeated, because the host had said that the fault was its own.
	Retries int

	text string // the status with its reason, as it came
}

// probe is one remembered answer, or one on its way.
type probe struct {
	done   chan struct{}
	answer Answer
}

// Probe asks for a URL once, however often it is called, and says how each phase went.
func (c *Client) Probe(ctx context.Context, rawURL string) Answer {
	key := rawURL
	if u, err := url.Parse(rawURL); err == nil && u.Host != "" {
		key = u.Scheme + "://" + AddressOf(u) + u.RequestURI()
	}
	for {
		c.mu.Lock()
		p := c.probes[key]
		if p == nil {
			p = &probe{done: make(chan struct{})}
			c.probes[key] = p
			c.mu.Unlock()
			return c.ask(ctx, key, rawURL, p)
		}
		c.mu.Unlock()
		select {
		case <-p.done:
			if p.answer.Failure == nil || p.answer.Failure.Kind != NotEstablished || ctx.Err() != nil {
				return p.answer
			}
		case <-ctx.Done():
			return c.unanswered(ctx, rawURL)
		}
	}
}

func (c *Client) unanswered(ctx context.Context, rawURL string) Answer {
	address := clip(rawURL)
	if u, err := url.Parse(rawURL); err == nil {
		address = AddressOf(u)
	}
	return Answer{Trace: Trace{Address: address, Failure: c.failed(address, outOfTime(ctx, PhaseHTTP))}}
}

func (c *Client) ask(ctx context.Context, key, rawURL string, p *probe) Answer {
	defer close(p.done)
	p.answer = c.fetch(ctx, rawURL)
	if p.answer.Status >= http.StatusInternalServerError && p.answer.Status != http.StatusNotImplemented {
		p.answer = c.again(ctx, rawURL, p.answer)
	}
	if f := p.answer.Failure; f != nil && f.Kind == NotEstablished {
		c.mu.Lock()
		delete(c.probes, key)
		c.mu.Unlock()
	}
	return p.answer
}

// retryPause is how long a host that answers 5xx is left alone before it is asked once more.
const retryPause = 300 * time.Millisecond

// again asks a host once more that said that the fault was its own: it may have passed.
func (c *Client) again(ctx context.Context, rawURL string, first Answer) Answer {
	select {
	case <-ctx.Done():
		return first
	case <-time.After(retryPause):
	}
	second := c.fetch(ctx, rawURL)
	if second.Failure != nil {
		second = first
	}
	second.Retries = 1
	return second
}

func (c *Client) fetch(ctx context.Context, rawURL string) Answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return Answer{Trace: Trace{Failure: &Failure{
			Kind: NotEstablished, Phase: PhaseDNS, Address: clip(rawURL),
			Root: clip(rawURL), Detail: "this is not a URL", Err: err,
		}}}
	}
	answer, err := c.send(req)
	trace, _ := c.Trace(AddressOf(req.URL))
	trace.Address = AddressOf(req.URL)
	if err != nil {
		if !errors.As(err, &trace.Failure) {
			trace.Failure = c.httpFailure(ctx, c.host(trace.Address), err)
		}
		return Answer{Trace: trace}
	}
	defer func() { _ = answer.Body.Close() }()
	var body bytes.Buffer
	stop := time.AfterFunc(c.httpTimeout(), cancel)
	defer stop.Stop()
	_, _ = io.Copy(&body, io.LimitReader(answer.Body, maxBody)) // a body that breaks off still says something
	return Answer{
		Trace: trace, Status: answer.StatusCode, Header: answer.Header, Body: body.Bytes(),
		Received: c.config.Now(), text: answer.Status,
	}
}
