package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/go-connections/sockets"
	"github.com/docker/go-connections/tlsconfig"
	"github.com/moby/moby/client"
)

// Bounds on an answer of the daemon, in bytes: docker tells of a container in some ten thousand, and lists one in a
// thousand. What is read of an archive is bounded by maxFile, and of a log by maxLog.
const (
	maxAnswer = 1 << 20
	maxStream = maxFile + 1<<20
)

// tooMuch is said of an answer beyond them.
const tooMuch = "it answers with more than a docker daemon would"

// guarded is a client of HTTP that whoever answers cannot lead to another host, nor have wait or read beyond bounds.
func guarded(address Address, timeout time.Duration) (*http.Client, error) {
	at, err := client.ParseHostURL(address.Host)
	if err != nil {
		return nil, &Failure{Kind: Unsupported, Detail: fmt.Sprintf("%s is no address of docker", address.Host), err: err}
	}
	transport := &http.Transport{ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: maxAnswer}
	if err := sockets.ConfigureTransport(transport, at.Scheme, at.Host); err != nil {
		return nil, &Failure{Kind: Unsupported, Detail: fmt.Sprintf("%s is no address of docker", address.Host), err: err}
	}
	transport.DisableCompression = true // what is packed may be a thousand times as large
	if address.Socket() == "" && at.Scheme != "npipe" {
		transport.DialContext = (&net.Dialer{Timeout: timeout}).DialContext
	}
	if address.Folder != "" {
		config, err := certificates(address)
		if err != nil {
			return nil, &Failure{Kind: Failed, Detail: "its certificates cannot be read", err: err}
		}
		transport.TLSClientConfig = config
	}
	return &http.Client{Transport: guard{transport}, CheckRedirect: client.CheckRedirect}, nil
}

// guard refuses what no daemon answers, and ends a body that is too long.
type guard struct{ next *http.Transport }

// RoundTrip asks. Its error is a *Failure where nothing was reached, or what answers is no daemon.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, unreached(err)
	}
	// An upgraded connection is no body that the request's context ends, and no other server's answer is docker's.
	if answer.StatusCode < 200 || answer.StatusCode >= 300 && answer.StatusCode < 400 {
		_ = answer.Body.Close()
		return nil, &Failure{Kind: NotDocker, Detail: "what answers is no docker daemon"}
	}
	answer.Body = &bounded{ReadCloser: answer.Body, left: most(r.URL.Path)}
	return answer, nil
}

// most is how long the answer to a question may be.
func most(path string) int64 {
	if strings.HasSuffix(path, "/archive") || strings.HasSuffix(path, "/logs") {
		return maxStream
	}
	return maxAnswer
}

// bounded is a body of which no more than so many bytes are read.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read fails once the bound is passed.
func (b *bounded) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into[:min(int64(len(into)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, &Failure{Kind: NotDocker, Detail: tooMuch}
	}
	return n, err
}

// unreached is a failure to connect as a *Failure, and any other error as it is: the client would take both for the same.
func unreached(err error) error {
	var dialed *net.OpError
	switch {
	case !errors.As(err, &dialed) || dialed.Op != "dial" || errors.Is(err, context.Canceled):
		return err
	case dialed.Timeout():
		return &Failure{Kind: OutOfTime, Detail: "no answer in time"}
	case errors.Is(err, fs.ErrNotExist):
		return &Failure{Kind: NoSocket, Detail: "there is no socket"}
	case errors.Is(err, fs.ErrPermission):
		return &Failure{Kind: NotPermitted, Detail: "permission denied"}
	}
	return &Failure{Kind: Refused, Detail: "nothing listens there"}
}

func certificates(address Address) (*tls.Config, error) {
	return tlsconfig.Client(tlsconfig.Options{
		CAFile:             filepath.Join(address.Folder, "ca.pem"),
		CertFile:           filepath.Join(address.Folder, "cert.pem"),
		KeyFile:            filepath.Join(address.Folder, "key.pem"),
		InsecureSkipVerify: address.Unverified,
		MinVersion:         tls.VersionTLS12,
		ExclusiveRootPools: true,
	})
}
