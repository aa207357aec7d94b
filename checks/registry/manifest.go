package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxManifest is the largest manifest that the daemon reads (4 MiB; the distribution specification's own bound).
const maxManifest = 4 << 20

// maxTags bounds what is read of a list of tags, which is only there to find a near one.
const maxTags = 1 << 20

// manifest is what a registry served, or would serve, under an identifier.
type manifest struct {
	digest, mediaType string
	// body is nil after a HEAD.
	body    []byte
	hosts   []Host
	failure *Failure
}

type objectKey struct{ host, repository, username, password, digest string }

// head learns the digest of what the reference names, with a HEAD. Where that is refused it asks again with GET, as
// the daemon does: for the manifest itself, or for the reason.
func (s *session) head(ctx context.Context) manifest {
	m, r := s.tryHead(ctx)
	if r.status == http.StatusUnauthorized && s.auth.scheme == "" {
		if closed := s.closed(ctx, r); closed.Scheme != "" {
			if f := s.show(ctx, closed); f != nil {
				return manifest{failure: f}
			}
			m, r = s.tryHead(ctx)
		}
	}
	switch {
	case m.failure != nil:
		return m
	case m.digest != "" && s.digest != "" && m.digest != s.digest:
		return manifest{failure: s.mismatch(s.digest, m.digest)}
	case m.digest != "":
		s.out.Digest, s.out.MediaType = m.digest, m.mediaType
		return m
	case r.status == http.StatusTooManyRequests, r.status >= 500:
		return manifest{failure: s.refused(ctx, r)}
	}
	m = s.fetch(ctx, s.id)
	s.meet(m.hosts)
	return m
}

// closed is the challenge of a registry that lets everybody in at /v2/ but not into this repository.
func (s *session) closed(ctx context.Context, r reply) Ping {
	p := Ping{Address: s.out.Host}
	p.take(challengeOf(ctx, s.host, r))
	return p
}

// tryHead sends the HEAD. Without a failure and without a digest, the reply's status tells why.
func (s *session) tryHead(ctx context.Context) (manifest, reply) {
	tap, option := s.tap(ctx)
	descriptor, err := remote.Head(s.id, remote.WithContext(ctx), option)
	s.count(tap.last)
	s.meet(tap.hosts())
	switch {
	case tap.failure != nil:
		return manifest{failure: s.strayed(tap.failure)}, tap.last
	case err == nil:
		return manifest{digest: descriptor.Digest.String(), mediaType: tap.last.mediaType()}, tap.last
	case tap.last.status == http.StatusOK:
		// It may lack a length, which the daemon does not mind.
		if hash, err := v1.NewHash(tap.last.header.Get("Docker-Content-Digest")); err == nil &&
			tap.last.mediaType() != "" {
			return manifest{digest: hash.String(), mediaType: tap.last.mediaType()}, tap.last
		}
	}
	return manifest{}, tap.last
}

// get fetches a manifest by its digest, once for the repository.
func (s *session) get(ctx context.Context, digest string) manifest {
	key := objectKey{s.host, s.out.Repository, s.req.Username, s.req.Password, digest}
	m := s.client.manifests.do(ctx, key, func() manifest { return s.fetch(ctx, s.repo.Digest(digest)) },
		func() manifest { return manifest{failure: outOfTime(StageManifest, s.out.Host)} })
	s.meet(m.hosts)
	if m.failure != nil {
		failure := *m.failure
		m.failure = &failure
	}
	return m
}

// fetch sends the GET and checks that what comes is what was asked for.
func (s *session) fetch(ctx context.Context, ref name.Reference) manifest {
	tap, option := s.tap(ctx)
	descriptor, err := remote.Get(ref, remote.WithContext(ctx), option)
	tap.last.done()
	s.count(tap.last)
	r := tap.last
	m := manifest{hosts: tap.hosts()}
	_, byDigest := ref.(name.Digest)
	switch {
	case tap.failure != nil:
		m.failure = s.strayed(tap.failure)
	case r.status != http.StatusOK:
		m.failure = s.refused(ctx, r)
	case r.isPage(), !byDigest && !r.cut && s.anotherService(r):
		m.failure = s.noRegistry(r)
	case r.cut:
		m.failure = s.unsupported(fmt.Sprintf("its manifest is larger than %d MiB, more than the daemon reads",
			maxManifest>>20))
	case err != nil && byDigest:
		m.failure = s.mismatch(ref.Identifier(), digestOf(r.body))
	case err != nil:
		m.failure = s.unsupported("its manifest cannot be read")
	default:
		m.digest, m.mediaType, m.body = descriptor.Digest.String(), r.mediaType(), r.body
	}
	return m
}

// tap returns the transport for a manifest and the option that makes go-containerregistry use it.
func (s *session) tap(ctx context.Context) (*tap, remote.Option) {
	t := &tap{always: true, send: func(q call) (reply, *Failure) {
		q.auth, q.limit, q.hold = s.auth.header, maxManifest, true
		return s.client.send(ctx, q)
	}}
	wrapped, err := t.wrapped(s.repo.Registry)
	if err != nil { // cannot happen without a bearer challenge; unwrapped it would ping by itself, over the same tap
		return t, remote.WithTransport(t)
	}
	return t, remote.WithTransport(wrapped)
}

// strayed says what a redirect that was not followed means for a manifest.
func (s *session) strayed(f *Failure) *Failure {
	if f.Kind == plainRedirect || f.Kind == brokenRedirect {
		f.Kind = "not-a-registry"
	}
	return f
}

// mismatch is the failure of an answer that is something else than was asked for.
func (s *session) mismatch(want, got string) *Failure {
	return &Failure{
		Kind: "digest-mismatch", Host: s.out.Host, Status: http.StatusOK,
		Detail: fmt.Sprintf("%s serves %s where %s was asked for", s.out.Host, clean(got), clean(want)),
	}
}

func (s *session) unsupported(detail string) *Failure {
	return &Failure{Kind: "manifest-unsupported", Host: s.out.Host, Status: http.StatusOK, Detail: detail}
}

func (s *session) noRegistry(r reply) *Failure {
	what := "something that is no registry's answer"
	if r.isPage() {
		what = "a page for people (HTML)"
	}
	return &Failure{
		Kind: "not-a-registry", Host: s.out.Host, Status: r.status,
		Detail: fmt.Sprintf("%s answers %d with %s", s.out.Host, r.status, what),
	}
}

// anotherService tells whether something that answers everything alike stands where a registry should be: nothing that
// it said so far, nor what it serves as a manifest, is a registry's.
func (s *session) anotherService(r reply) bool {
	const version, digest = "Docker-Distribution-Api-Version", "Docker-Content-Digest"
	return s.ping.Scheme == "" && s.ping.Header.Get(version) == "" && r.header.Get(version) == "" &&
		r.header.Get(digest) == "" && !bytes.Contains(r.body, []byte(`"schemaVersion"`))
}

// refused says what an answer other than 200 to the request for a manifest means.
func (s *session) refused(ctx context.Context, r reply) *Failure {
	d := s.hide.diagnose(r)
	f := &Failure{
		Kind: "registry-failure", Host: s.out.Host, Status: r.status, Code: d.code,
		Detail: fmt.Sprintf("%s answers %d%s", s.out.Host, r.status, d.said()),
	}
	closed := r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
	switch {
	case r.status == http.StatusTooManyRequests, d.code == "TOOMANYREQUESTS":
		return limited(s.out.Host, r, d)
	case r.status >= 500:
	case d.code == "" && !s.ping.Registry && s.auth.scheme == "":
		return s.noRegistry(r)
	case closed, d.code == "UNAUTHORIZED", d.code == "DENIED":
		return s.closedTo(ctx, r, d)
	case d.code == "NAME_UNKNOWN", d.code == "NAME_INVALID":
		f.Kind = "repository-not-found"
		f.Detail = fmt.Sprintf("%s has no repository %s (%d%s)", s.out.Host, s.out.Repository, r.status, d.said())
	case r.status == http.StatusNotFound, d.code == "MANIFEST_UNKNOWN":
		return s.notFound(ctx, r, d)
	}
	return f
}

// closedTo tells apart why a repository is closed: nothing was sent, the wrong thing, or the right one of somebody
// who may not pull from here.
func (s *session) closedTo(ctx context.Context, r reply, d diagnosis) *Failure {
	f := &Failure{Host: s.out.Host, Status: r.status, Code: d.code}
	answer := fmt.Sprintf("%d%s", r.status, d.said())
	challenge := s.closed(ctx, r)
	if raw := challengeOf(ctx, s.host, r); raw != nil && raw.Parameters["error"] == "invalid_token" &&
		s.auth.token != "" {
		f.Kind = "token-service-failure"
		f.Detail = fmt.Sprintf("%s does not take the token that its own token service issued (%s)", s.out.Host,
			answer)
		return f
	}
	if challenge.Scheme == "" {
		challenge = s.ping
	}
	switch {
	case s.req.Password == "":
		f.Kind = "credentials-missing"
		f.Detail = fmt.Sprintf("%s grants no pull from %s without credentials, or there is no such repository (%s)",
			s.out.Host, s.out.Repository, answer)
	case s.auth.scheme == "bearer":
		f.Kind = "access-denied"
	default:
		known := s.login(ctx, challenge)
		if known == yes || known == unknown && r.status != http.StatusUnauthorized {
			f.Kind = "access-denied"
			break
		}
		f.Kind = "credentials-rejected"
		f.Detail = fmt.Sprintf("%s refuses the user name and password (%s)", s.out.Host, answer)
	}
	if f.Kind == "access-denied" {
		f.Detail = fmt.Sprintf("%s takes the credentials but grants no pull from %s, "+
			"or there is no such repository (%s)",
			s.out.Host, s.out.Repository, answer)
	}
	return f
}

// notFound tells a missing tag from a missing repository, which registries answer alike, by the list of tags.
func (s *session) notFound(ctx context.Context, r reply, d diagnosis) *Failure {
	f := &Failure{Kind: "tag-not-found", Host: s.out.Host, Status: r.status, Code: d.code}
	what := "tag " + s.id.Identifier()
	if s.digest != "" {
		what = "manifest " + s.digest
	}
	maybe := ""
	if d.code == "" {
		maybe = ", or it does not show it to this user"
	}
	f.Detail = fmt.Sprintf("%s has no %s in %s%s (%d%s)", s.out.Host, what, s.out.Repository, maybe, r.status,
		d.said())
	tags, listed := s.tags(ctx)
	if listed.code == "NAME_UNKNOWN" {
		f.Kind, f.Code = "repository-not-found", listed.code
		f.Detail = fmt.Sprintf("%s has no repository %s (%s)", s.out.Host, s.out.Repository, listed.code)
	}
	f.Tags = tags
	return f
}

// tags lists the repository's tags, as far as the registry gives them on one page.
func (s *session) tags(ctx context.Context) ([]string, diagnosis) {
	target := fmt.Sprintf("https://%s/v2/%s/tags/list?n=1000", s.host, s.out.Repository)
	r, failure := s.client.send(ctx, call{
		method: http.MethodGet, url: target, auth: s.auth.header,
		limit: maxTags, once: true,
	})
	s.count(r)
	if failure != nil {
		return nil, diagnosis{}
	}
	if r.status != http.StatusOK {
		return nil, s.hide.diagnose(r)
	}
	var list struct {
		Tags []string `json:"tags"`
	}
	if json.Unmarshal(r.body, &list) != nil {
		return nil, diagnosis{}
	}
	return slices.DeleteFunc(list.Tags, func(tag string) bool {
		return !tagName.MatchString(tag) || s.hide.quote(tag) == ""
	}), diagnosis{}
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// readable says what keeps docker from using a manifest of this type ("" if nothing).
func (m manifest) readable() string {
	switch kind := types.MediaType(m.mediaType); {
	case kind.IsSchema1():
		return "its manifest has schema version 1, which docker no longer reads"
	case kind.IsIndex(), kind.IsImage():
		return ""
	case m.mediaType == "":
		return "its manifest is served without a media type"
	default:
		return "its manifest has the media type " + m.mediaType + ", which is no image's"
	}
}

// imageConfig tells whether docker takes a config of this type for an image's. Source: the types that docker's
// engine lists for images, with those that old registries served by mistake.
func imageConfig(kind types.MediaType) bool {
	known := []types.MediaType{
		types.DockerConfigJSON, types.OCIConfigJSON, "application/octet-stream",
		"application/json", "text/html", "",
	}
	return slices.Contains(known, kind)
}
