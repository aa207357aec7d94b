package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"sync"

	"github.com/moby/moby/client"
)

// Credentials are what the daemon is to send to a registry; the zero value is none.
type Credentials struct {
	Username, Password string
	// Server is the key under which they were found.
	Server string
}

// Found is what the daemon learned of an image from its registry.
type Found struct {
	// Digest is that of what the reference names.
	Digest string
	// Platforms are those that it is to be had for, as OS/ARCH[/VARIANT].
	Platforms []string
}

// Distribution has the daemon ask a registry about an image, with its own proxy, resolver, roots and mirrors. Nothing
// is pulled. Its error is a *Failure whose Detail is the daemon's own word, without what was sent. Credentials are sent
// only to a daemon that nobody else can listen to.
func (e *Engine) Distribution(ctx context.Context, reference string, as Credentials) (Found, error) {
	if as != (Credentials{}) && !e.Private() {
		return Found{}, &Failure{Kind: Unsupported, Detail: "the way to this daemon is not safe for credentials"}
	}
	key, _ := json.Marshal([]string{reference, as.Username, as.Password, as.Server})
	e.mu.Lock()
	answer := e.answers[string(key)]
	if answer == nil {
		answer = sync.OnceValues(func() (Found, error) {
			e.pending.Add(1)
			defer e.pending.Add(-1)
			return e.distribution(ctx, reference, as)
		})
		e.answers[string(key)] = answer
	}
	e.mu.Unlock()
	return answer()
}

// Pending tells whether the daemon has yet to answer about an image.
func (e *Engine) Pending() bool { return e.pending.Load() > 0 }

func (e *Engine) distribution(ctx context.Context, reference string, as Credentials) (Found, error) {
	c, err := e.open()
	if err != nil {
		return Found{}, failure(ctx, err)
	}
	got, err := c.DistributionInspect(ctx, reference, client.DistributionInspectOptions{EncodedRegistryAuth: as.header()})
	if err != nil {
		f := failure(ctx, err)
		f.Detail = as.hidden(f.Detail)
		return Found{}, f
	}
	found := Found{Digest: got.Descriptor.Digest.String()}
	for _, p := range got.Platforms {
		platform := p.OS + "/" + p.Architecture
		if p.Variant != "" {
			platform += "/" + p.Variant
		}
		found.Platforms = append(found.Platforms, platform)
	}
	return found, nil
}

// header is what docker's clients send in X-Registry-Auth. Source: docker's API, "authentication".
func (c Credentials) header() string {
	if c == (Credentials{}) {
		return ""
	}
	text, _ := json.Marshal(map[string]string{
		"username": c.Username, "password": c.Password, "serveraddress": c.Server,
	})
	return base64.URLEncoding.EncodeToString(text)
}
