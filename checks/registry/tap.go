package registry

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn" //nolint:depguard // Anonymous alone: credentials are added by send
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// tap is the transport that go-containerregistry gets. What goes through it leaves over HTTPS or not at all, has its
// redirects followed, and is kept for a second look.
type tap struct {
	// send makes the call.
	send func(call) (reply, *Failure)
	// always says that an address which go-containerregistry would ask over plain HTTP (private ones, by its own
	// rule) is asked over HTTPS; otherwise that request is refused, as it is the second of two.
	always bool

	last    reply
	failure *Failure
}

var errPlain = errors.New("plain HTTP is not spoken")

// RoundTrip sends a request. Nothing of its error reaches people: the tap's failure is what counts.
func (t *tap) RoundTrip(req *http.Request) (*http.Response, error) {
	u := *req.URL
	if u.Scheme != "https" && !t.always {
		return nil, errPlain
	}
	u.Scheme = "https"
	t.last.done()
	t.last, t.failure = t.send(call{method: req.Method, url: u.String(), header: req.Header.Clone()})
	if t.failure != nil {
		return nil, t.failure
	}
	length := int64(len(t.last.body))
	if req.Method == http.MethodHead {
		length = t.last.length
	}
	return &http.Response{
		Status: http.StatusText(t.last.status), StatusCode: t.last.status, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1, Header: t.last.header, ContentLength: length, Request: req,
		Body: io.NopCloser(bytes.NewReader(t.last.body)),
	}, nil
}

// hosts are those that a manifest was looked for at: where a page took its place, its host is nobody's need.
func (t *tap) hosts() []Host {
	unanswered := t.failure != nil && t.failure.Network != nil
	if unanswered || t.failure == nil && t.last.status == http.StatusOK && !t.last.isPage() {
		return hostsOf(t.last.hops, ForManifests)
	}
	return nil
}

// wrapped tells go-containerregistry that this transport needs no ping, no login and no retries of its own.
func (t *tap) wrapped(reg name.Registry) (http.RoundTripper, error) {
	return transport.FromToken(reg, authn.Anonymous, t, &transport.Challenge{}, nil)
}
