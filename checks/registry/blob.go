package registry

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	// maxConfig is the largest config that is read whole. Docker's are a few KiB.
	maxConfig = 1 << 20
	// maxAtOnce bounds the blobs of one image that are asked for at the same time.
	maxAtOnce = 8
	// maxLayers is more than docker mounts on one another (127).
	maxLayers = 200
)

// blob is what was learnt of one blob.
type blob struct {
	Blob
	hosts []Host
	body  []byte
}

// image reads the config and proves the layers readable, all at the same time.
func (s *session) image(ctx context.Context, m manifest) *Failure {
	image, err := alone(s.client, m, v1.ParseManifest)
	switch {
	case err != nil:
		return at(StageManifest, s.unsupported("its manifest cannot be parsed"))
	case !imageConfig(image.Config.MediaType):
		return at(StageManifest, s.unsupported(fmt.Sprintf("it is no image but an artifact, with a config of type %q",
			s.hide.quote(string(image.Config.MediaType)))))
	case image.Config.Digest.Hex == "":
		return at(StageManifest, s.unsupported("its manifest names no config"))
	}
	parts := []v1.Descriptor{image.Config}
	if !s.req.ConfigOnly {
		parts = append(parts, image.Layers[:min(len(image.Layers), maxLayers)]...)
	}
	blobs := s.blobs(ctx, parts)
	for _, b := range blobs {
		s.out.Blobs = append(s.out.Blobs, b.Blob)
		s.meet(b.hosts)
	}
	if f := s.config(blobs[0].body); f != nil {
		return f
	}
	for _, b := range s.out.Blobs {
		if b.Failure != nil {
			return b.Failure
		}
	}
	return nil
}

// config takes over what the config says of the image, and judges its platform.
func (s *session) config(body []byte) *Failure {
	config, err := v1.ParseConfigFile(bytes.NewReader(body))
	if body == nil || err != nil {
		return nil
	}
	s.out.Created = config.Created.Time
	p := v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	if s.out.Platform != "" || p.OS == "" || p.Architecture == "" {
		return nil // the index has said it, or nobody does
	}
	s.offer(p)
	if !s.suits(p) {
		return at(StagePlatform, s.noPlatform())
	}
	s.out.Platform = s.spell(p)
	return nil
}

// blobs asks for a config, which comes first, and layers.
func (s *session) blobs(ctx context.Context, parts []v1.Descriptor) []blob {
	found := make([]blob, len(parts))
	slots := make(chan struct{}, maxAtOnce)
	var group sync.WaitGroup
	for i, part := range parts {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = s.blob(ctx, part, i == 0)
		})
	}
	group.Wait()
	return found
}

// blob asks for a blob, once for the repository.
func (s *session) blob(ctx context.Context, part v1.Descriptor, isConfig bool) blob {
	key := objectKey{s.host, s.out.Repository, s.req.Username, s.req.Password, part.Digest.String()}
	ask := func() blob {
		for _, from := range part.URLs {
			// A layer that may not be distributed lies elsewhere; the registry may have it all the same.
			if b := s.read(ctx, part, from, isConfig); b.Failure == nil {
				return b
			}
		}
		own := fmt.Sprintf("https://%s/v2/%s/blobs/%s", s.host, s.out.Repository, part.Digest)
		return s.read(ctx, part, own, isConfig)
	}
	return s.client.blobs.do(ctx, key, ask, func() blob {
		return blob{Blob: Blob{Digest: part.Digest.String(), Failure: outOfTime(StageBlobs, s.out.Host)}}
	})
}

// read asks for the first byte of a blob, or for all of a small config.
func (s *session) read(ctx context.Context, part v1.Descriptor, from string, isConfig bool) blob {
	b := blob{Blob: Blob{Digest: part.Digest.String(), Size: part.Size, Config: isConfig, Via: s.out.Host}}
	q := call{method: http.MethodGet, url: from, header: http.Header{"Range": {"bytes=0-0"}}}
	whole := isConfig && part.Size <= maxConfig
	if whole {
		q.header, q.limit = nil, maxConfig
	}
	at, err := url.Parse(from)
	if err != nil || at.Scheme != "https" || at.Hostname() == "" {
		b.Failure = &Failure{
			Kind: "layer-missing", Stage: StageBlobs, Host: s.out.Host,
			Detail: "the manifest sends for a layer to something that is no HTTPS address",
		}
		return b
	}
	if address(at) == s.out.Host {
		q.auth = s.auth.header
	} else {
		b.Via, b.hosts = address(at), hostsOf([]string{address(at)}, ForBlobs)
	}
	r, f := s.client.send(ctx, q)
	s.count(r)
	b.hosts = append(b.hosts, hostsOf(r.hops, ForBlobs)...)
	b.Status = r.status
	if r.at != nil {
		b.Via = address(r.at)
	}
	s.judge(&b, r, f, whole)
	return b
}

// judge says what an answer means for a blob.
func (s *session) judge(b *blob, r reply, f *Failure, whole bool) {
	switch {
	case f != nil && f.Kind == plainRedirect:
		b.Via, b.Unasked = f.Host, fmt.Sprintf("it comes over plain HTTP from %s", f.Host)
		return
	case f != nil:
		b.Via = f.Host
	case s.isBlockPage(*b, r, whole):
		f = blocked(b.Via, r.status)
	case r.status == http.StatusPartialContent, r.status == http.StatusOK,
		r.status == http.StatusRequestedRangeNotSatisfiable && b.Size == 0:
		if whole && digestOf(r.body) != b.Digest && strings.HasPrefix(b.Digest, "sha256:") {
			f = s.mismatch(b.Digest, digestOf(r.body))
		} else if whole {
			b.body = r.body
		}
	default:
		f = s.blobRefused(*b, r)
	}
	if f != nil {
		if f.Kind == brokenRedirect {
			f = lost(f.Host, f.Detail, nil)
		}
		f.Stage = StageBlobs
		b.Failure = f
	}
}

// isBlockPage tells whether a page for people stands where a blob should be. The registry itself may refuse with a
// page; elsewhere that is a filter's.
func (s *session) isBlockPage(b blob, r reply, whole bool) bool {
	switch {
	case !r.isPage() || whole && digestOf(r.body) == b.Digest:
		return false
	case r.status == http.StatusOK:
		return true
	}
	return b.Via != s.out.Host && (r.status == http.StatusForbidden ||
		r.status == http.StatusUnavailableForLegalReasons ||
		r.status == http.StatusNetworkAuthenticationRequired)
}

// blobRefused says what a status other than success means for a blob.
func (s *session) blobRefused(b blob, r reply) *Failure {
	d := s.hide.diagnose(r)
	what := "layer " + b.Digest
	if b.Config {
		what = "config " + b.Digest
	}
	f := &Failure{Host: b.Via, Status: r.status, Code: d.code}
	switch r.status {
	case http.StatusTooManyRequests:
		return limited(b.Via, r, d)
	case http.StatusNotFound, http.StatusGone:
		f.Kind = "layer-missing"
		f.Detail = fmt.Sprintf("%s does not have the %s (%d%s)", b.Via, what, r.status, d.said())
	case http.StatusUnauthorized, http.StatusForbidden:
		f.Kind = "layer-denied"
		f.Detail = fmt.Sprintf("%s refuses the %s (%d%s)", b.Via, what, r.status, d.said())
	default:
		f.Kind = "registry-failure"
		f.Detail = fmt.Sprintf("%s answers %d to the request for the %s%s", b.Via, r.status, what, d.said())
	}
	return f
}

// blocked is the failure of a page where a blob should be: something answers in the host's place.
func blocked(host string, status int) *Failure {
	return lost(host, fmt.Sprintf("answers %d with a page for people (HTML) where a blob should be", status), nil).
		as("http-blocked")
}

// as turns what happened at a host into another problem of the network.
func (f *Failure) as(kind string) *Failure {
	f.Kind, f.Network.Kind = kind, kind
	return f
}
