package checks

import (
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
)

// Connection is how the first connection to a host went, for reports that draw it.
type Connection struct {
	// Address is host:port.
	Address string
	// By are those who need the host (see Actor), Why what for.
	By, Why []string
	// Proxy is the proxy's host:port, empty on a direct route.
	Proxy string
	// Phases are those that were entered, one after the other.
	Phases []network.Step
	// Broken is the phase in which the way ends; empty when the host answered as it should.
	Broken network.Phase
}

// Pull is what a registry said of an image: from its reference down to the hosts that its blobs come from.
type Pull struct {
	Reference string
	// Registry is host:port.
	Registry string
	// Digest and MediaType are those of what the reference names; empty when it does not resolve.
	Digest, MediaType string
	// Platforms are those that are offered, Platform the one that was chosen; empty when the image does not say.
	Platforms []string
	Platform  string
	// Tokens are the host:port of token services.
	Tokens []string
	// Blobs are the config and the layers, in the manifest's order.
	Blobs []PulledBlob
}

// PulledBlob is a layer or the config of an image, of which one byte was asked for.
type PulledBlob struct {
	Digest string
	// Size is in bytes.
	Size   int64
	Config bool
	// Host is the host:port that served it, or would have.
	Host string
	// Problem is the ID of what keeps it from being read; empty when it can be, and when Unasked says why that is
	// not known.
	Problem, Unasked string
}

// Over returns the finding with the connection that it is about.
func (f Finding) Over(c *Connection) Finding { f.Connection = c; return f }

// Pulling returns the finding with what was seen of the image that it is about.
func (f Finding) Pulling(p *Pull) Finding { f.Pull = p; return f }

// connection is how the way to a host went. An answer that fails all the same is not the host's.
func (d *demand) connection(t network.Trace, f Finding) *Connection {
	c := &Connection{Address: d.address, Proxy: t.Proxy, Phases: t.Steps}
	for _, e := range d.endpoints {
		c.By, c.Why = appendNew(c.By, []string{string(e.Actor)}), appendNew(c.Why, []string{e.Why})
	}
	switch {
	case t.Failure != nil:
		c.Broken = t.Failure.Phase
	case f.Status == Fail:
		c.Broken = network.PhaseHTTP
	}
	return c
}

// pull is what was seen of an image.
func (q question) pull() *Pull {
	res := q.res
	p := &Pull{
		Reference: q.image.Reference, Registry: res.Host, Digest: res.Digest, MediaType: res.MediaType,
		Platforms: res.Platforms, Platform: res.Platform,
	}
	if q.saved() {
		p.Digest, p.Platforms = q.word.found.Digest, q.word.found.Platforms
	}
	for _, host := range res.Hosts {
		if host.Why == registry.ForTokens {
			p.Tokens = append(p.Tokens, host.Address)
		}
	}
	for _, b := range res.Blobs {
		blob := PulledBlob{Digest: b.Digest, Size: b.Size, Config: b.Config, Host: b.Via, Unasked: b.Unasked}
		if b.Failure != nil {
			blob.Problem = b.Failure.Kind
		}
		p.Blobs = append(p.Blobs, blob)
	}
	return p
}
