// Package engine asks a docker daemon about itself, its containers and, through it, about images in registries. It
// reads only: GET and HEAD. It holds facts; what of them breaks a runner is for others to judge.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Engine is one docker daemon. It is safe for use by several goroutines at once, and asks each question once.
type Engine struct {
	Address
	open  func() (*client.Client, error)
	about func(context.Context) (Info, error)
	// seen are the containers that were asked for.
	seen func(context.Context) ([]Container, error)

	mu      sync.Mutex
	answers map[string]func() (Found, error)
	// pending counts the questions about images that the daemon has not answered.
	pending atomic.Int32
}

// New makes an engine for an address. Nothing is asked yet.
func New(address Address, timeout time.Duration) *Engine {
	e := &Engine{Address: address, answers: map[string]func() (Found, error){}}
	e.open = sync.OnceValues(func() (*client.Client, error) { return connect(address, timeout) })
	e.about = once(e.ask)
	e.seen = once(e.list)
	return e
}

// once remembers the first answer, which all further ones are.
func once[T any](ask func(context.Context) (T, error)) func(context.Context) (T, error) {
	var first sync.Once
	var value T
	var err error
	return func(ctx context.Context) (T, error) {
		first.Do(func() { value, err = ask(ctx) })
		return value, err
	}
}

// Kind is why a daemon does not answer.
type Kind string

// The kinds of failures.
const (
	// NoSocket is a socket that is not there; NotPermitted one that this user may not use.
	NoSocket     Kind = "no-socket"
	NotPermitted Kind = "not-permitted"
	// Refused is a socket or a port where nothing listens.
	Refused Kind = "refused"
	// NotDocker is something that answers otherwise than a docker daemon.
	NotDocker Kind = "not-docker"
	// Version is a daemon with which no version of the API is shared.
	Version Kind = "version"
	// Unsupported is an address that this tool does not follow: ssh://.
	Unsupported Kind = "unsupported"
	// NotThere is a question that this daemon does not know: Podman's on the distribution of images.
	NotThere Kind = "not-there"
	// NotFound is a container, a file or an image that is not there.
	NotFound Kind = "not-found"
	// Failed is any other failure; OutOfTime no answer in time.
	Failed    Kind = "failed"
	OutOfTime Kind = "out-of-time"
)

// Failure is why a daemon gave no answer.
type Failure struct {
	Kind Kind
	// Detail is what was said, in one line.
	Detail string
	err    error
}

func (f *Failure) Error() string { return f.Detail }

// Unwrap returns the error behind the failure.
func (f *Failure) Unwrap() error { return f.err }

// connect makes the client; it connects only when it is first used.
func connect(address Address, timeout time.Duration) (*client.Client, error) {
	scheme, _, _ := strings.Cut(address.Host, "://")
	switch scheme {
	case "unix", "npipe", "tcp", "http", "https":
	default:
		return nil, &Failure{Kind: Unsupported, Detail: fmt.Sprintf("%s is no address that this tool follows", address.Host)}
	}
	over, err := guarded(address, timeout)
	if err != nil {
		return nil, err
	}
	spoken := "http"
	if address.Folder != "" {
		spoken = "https"
	}
	made, err := client.New(
		client.WithHost(address.Host), client.WithHTTPClient(over), client.WithScheme(spoken))
	if err != nil {
		return nil, &Failure{Kind: Unsupported, Detail: fmt.Sprintf("%s is no address of docker", address.Host), err: err}
	}
	return made, nil
}

// failure classifies what a question came to.
func failure(ctx context.Context, err error) *Failure {
	var known *Failure
	var opaque net.Error
	f := &Failure{Kind: Failed, Detail: oneLine(err), err: err}
	switch {
	case errors.As(err, &known):
		return known
	case strings.Contains(f.Detail, tooMuch): // the client does not wrap what it met in every answer
		f.Kind, f.Detail = NotDocker, tooMuch
	case ctx.Err() != nil || errors.As(err, &opaque) && opaque.Timeout():
		f.Kind, f.Detail = OutOfTime, "no answer in time"
	case errdefs.IsNotImplemented(err), errdefs.IsNotFound(err) && unknownQuestion(f.Detail):
		f.Kind = NotThere
	case errdefs.IsNotFound(err):
		f.Kind = NotFound
	case strings.Contains(f.Detail, "is too old") || strings.Contains(f.Detail, "is too new"):
		f.Kind = Version
	case strings.HasPrefix(err.Error(), daemonSays): // what it quotes of a registry may be no JSON, but its answer is
	case strings.Contains(f.Detail, "invalid character"), strings.Contains(f.Detail, "malformed HTTP"),
		strings.Contains(f.Detail, "headers exceeded"), strings.Contains(f.Detail, "exceeded max depth"):
		f.Kind, f.Detail = NotDocker, "what answers is no docker daemon"
	}
	return f
}

// unknownQuestion tells whether a daemon says that it does not know the question: docker's words, and Podman's
// (measured with 4.3, 5.4 and 5.8, which do not know /distribution).
func unknownQuestion(said string) bool {
	return strings.Contains(said, "page not found") || said == "Not Found"
}

// daemonSays begins an error that docker's client makes of an answer.
const daemonSays = "Error response from daemon: "

// oneLine is an error for a message: the daemon's own words.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return strings.TrimPrefix(text, daemonSays)
}
