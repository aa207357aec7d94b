// Package registry asks a registry about an image: does it resolve, for which platforms, and can its blobs be read.
// It asks as docker's daemon does, so that what it learns is what the daemon would meet.
package registry

import (
	"context"
	"net/http"
	"sync"
	"time"

	"runner-preflight/checks/network"
)

// Request is one question: an image, with the credentials to send (none unless both are there, as the daemon does).
type Request struct {
	// Reference is as written. What docker would not accept gives a Failure.
	Reference          string
	Username, Password string
	// Platform is OS/ARCH[/VARIANT], empty to take none in particular.
	Platform string
	// ConfigOnly leaves the layers out: enough to learn when the image was made.
	ConfigOnly bool
}

// Resolution is what was learnt of an image. Failure is nil when all of it can be pulled, or when Stopped says why
// not all of it was asked for.
type Resolution struct {
	// Host is the registry's host:port as the daemon dials it; Repository the path within.
	Host, Repository string
	// Digest and MediaType are those of what the reference names.
	Digest, MediaType string
	// Platforms are those that are offered.
	Platforms []string
	// Platform is the one that was chosen among them; empty when the image does not say.
	Platform string
	// Created is when the image was made, the zero time if it does not say.
	Created time.Time
	// Blobs are the config and the layers that were asked for, in the manifest's order.
	Blobs []Blob
	// Hosts are those that were met beyond Host: token services and where manifests and blobs redirect to.
	Hosts []Host
	// Limit is the registry's pull limit; nil when it names none.
	Limit *RateLimit
	// Stopped says why the questions ended at the digest ("" when they did not): too few pulls are left.
	Stopped string
	// Requests counts what was sent for this image alone.
	Requests int
	// Retries counts those that repeated one which had failed, and those of the token service.
	Retries int
	// Failure is the first thing that keeps the image from being pulled.
	Failure *Failure
}

// Blob is a layer or a config that was asked for with a one-byte range.
type Blob struct {
	Digest string
	Size   int64
	// Config says that it is the image's config, not a layer.
	Config bool
	Status int
	// Via is the host:port that served it, or would have.
	Via string
	// Unasked says why it was left out ("" when it was not): it comes over plain HTTP.
	Unasked string
	// Failure is nil when it can be read.
	Failure *Failure
}

// Host is a host that a registry sends its clients to.
type Host struct {
	// Address is host:port.
	Address string
	// Why is ForTokens, ForManifests or ForBlobs.
	Why string
}

// What a registry sends its clients to other hosts for.
const (
	ForTokens    = "token service"
	ForManifests = "manifests"
	ForBlobs     = "blobs"
)

// RateLimit is what a registry says about the number of pulls.
type RateLimit struct {
	// Limit and Remaining are numbers of pulls; -1 when unknown.
	Limit, Remaining int
	// Window is the time for which they count; 0 when unknown.
	Window time.Duration
	// RetryAfter is how long to wait; 0 when the registry does not say.
	RetryAfter time.Duration
}

// Stage is how far the questions about an image came.
type Stage string

// The stages, in their order.
const (
	// StageManifest is all that it takes to learn what the reference names.
	StageManifest Stage = "manifest"
	// StagePlatform is the choice among the platforms that are offered.
	StagePlatform Stage = "platform"
	// StageBlobs is the reading of what the platform's image consists of.
	StageBlobs Stage = "blobs"
)

// Failure says why an image cannot be pulled. It is an error, found with errors.As.
type Failure struct {
	// Kind is spelled as the problem that it is: credentials-missing, tag-not-found, …
	Kind string
	// Stage is where it happened.
	Stage Stage
	// Host is the host:port that answered, or did not.
	Host string
	// Status is the HTTP status, 0 if none; Code the registry's error code.
	Status int
	Code   string
	// Detail is the fact in one line, for people.
	Detail string
	// Limit is what the registry says of its limit, when that was reached.
	Limit *RateLimit
	// Tags are those that the repository has, where a tag was not found and the registry lists them.
	Tags []string
	// Network is why there was no answer; nil when there was one.
	Network *network.Failure

	// idle says that a connection which had served other requests ended instead of serving this one.
	idle bool
}

func (f *Failure) Error() string { return f.Host + ": " + f.Detail }

// retryPause is how long a registry that answers 5xx is left alone before it is asked once more.
const retryPause = 300 * time.Millisecond

// Client asks registries and remembers pings, tokens, manifests, blobs and resolutions.
type Client struct {
	transport http.RoundTripper
	pause     time.Duration
	// heavy is held by whoever reads or parses something large.
	heavy sync.Mutex
	// strict holds the host:port of those that answered 429 after the wait that they had asked for.
	strict sync.Map

	images    memo[Request, Resolution]
	pings     memo[string, Ping]
	grants    memo[grantKey, grant]
	logins    memo[loginKey, verdict]
	manifests memo[objectKey, manifest]
	blobs     memo[objectKey, blob]
}

// New makes a client that sends its requests over transport, whose errors are *network.Failure.
func New(transport http.RoundTripper) *Client {
	return &Client{transport: transport, pause: retryPause}
}

// Resolve answers a request, once, however often it is asked.
func (c *Client) Resolve(ctx context.Context, req Request) Resolution {
	if req.Username == "" || req.Password == "" {
		req.Username, req.Password = "", ""
	}
	return c.images.do(ctx, req, func() Resolution { return c.resolve(ctx, req) }, func() Resolution {
		return Resolution{Failure: outOfTime(StageManifest, "")}
	})
}
