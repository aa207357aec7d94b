// Package registry asks a registry about an image: does it resolve, for which platforms, and can its blobs be read.
package registry

import (
	"context"
	"net/http"
	"time"

	"runner-preflight/checks/network"
)

// Request is one question: an image, with the credentials to send (empty: none are sent).
type Request struct {
	// Reference is as written. What docker would not accept gives a Failure.
	Reference          string
	Username, Password string
	// Platform is OS/ARCH[/VARIANT], empty to take none in particular.
	Platform string
}

// Resolution is what was learnt of an image. Failure is nil when all of it can be pulled.
type Resolution struct {
	// Host is the registry's host:port as the daemon dials it; Repository the path within.
	Host, Repository string
	// Digest and MediaType are those of what the reference names.
	Digest, MediaType string
	// Platforms are those that are offered.
	Platforms []string
	// Created is when the image was made, the zero time if it does not say.
	Created time.Time
	// Blobs are the config and the layers that were asked for.
	Blobs []Blob
	// Hosts are those that were met beyond Host: token services and where blobs redirect to.
	Hosts []Host
	// Requests counts what was sent for this image alone.
	Requests int
	// Failure is the first thing that keeps the image from being pulled.
	Failure *Failure
}

// Blob is a layer or a config that was asked for with a one-byte range.
type Blob struct {
	Digest string
	Size   int64
	Status int
	// Via is the host:port that served it.
	Via string
}

// Host is a host that a registry sends its clients to.
type Host struct {
	// Address is host:port.
	Address string
	// Why is "token service" or "blobs".
	Why string
}

// Failure says why an image cannot be pulled. It is an error, found with errors.As.
type Failure struct {
	// Kind is spelled as the problem that it is: credentials-missing, tag-not-found, …
	Kind string
	// Host is the host:port that answered, or did not.
	Host string
	// Status is the HTTP status, 0 if none; Code the registry's error code.
	Status int
	Code   string
	// Detail is the fact in one line, for people.
	Detail string
	// Network is why there was no answer; nil when there was one.
	Network *network.Failure
}

func (f *Failure) Error() string { return f.Host + ": " + f.Detail }

// Client asks registries and remembers pings, tokens and resolutions.
type Client struct {
	transport http.RoundTripper
}

// New makes a client that sends its requests over transport.
func New(transport *network.Client) *Client { return &Client{transport: transport} }

// Resolve answers a request, once, however often it is asked.
func (c *Client) Resolve(ctx context.Context, req Request) Resolution { return Resolution{} }
