package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
)

// fewPulls is how many pulls must be left for a GET, which counts as one, to be spent on a check.
const fewPulls = 5

// session is the asking about one image.
type session struct {
	client *Client
	req    Request
	hide   secrets
	// host is the registry's as in URLs; repo and id are what go-containerregistry calls the image.
	host string
	repo name.Repository
	id   name.Reference
	// digest is what the reference asks for, "" if it asks for a tag.
	digest string
	ping   Ping
	auth   grant

	mu  sync.Mutex // guards what follows, as blobs are asked for at the same time
	out Resolution
}

// resolve asks all that there is to ask about an image.
func (c *Client) resolve(ctx context.Context, req Request) Resolution {
	s := &session{client: c, req: req, hide: secretsOf(req.Username, req.Password)}
	if f := s.parse(); f != nil {
		s.out.Failure = f
		return s.out
	}
	s.out.Failure = s.ask(ctx)
	return s.out
}

// parse reads the reference as docker does.
func (s *session) parse() *Failure {
	named, err := reference.ParseNormalizedNamed(s.req.Reference)
	if err != nil {
		return &Failure{
			Kind:  "invalid-reference",
			Stage: StageManifest, Detail: "docker takes this for no image reference",
		}
	}
	s.host = dialed(reference.Domain(named))
	registry, err := name.NewRegistry(s.host)
	if err != nil {
		return &Failure{Kind: "invalid-reference", Stage: StageManifest, Detail: "its first part is no host"}
	}
	s.out.Host, s.out.Repository = withPort(s.host), reference.Path(named)
	s.repo = registry.Repo(s.out.Repository)
	if digested, ok := named.(reference.Digested); ok {
		s.digest = digested.Digest().String()
		s.id = s.repo.Digest(s.digest)
		return nil
	}
	s.id = s.repo.Tag(reference.TagNameOnly(named).(reference.Tagged).Tag())
	return nil
}

// ask goes from the ping to the blobs and ends at the first failure.
func (s *session) ask(ctx context.Context) *Failure {
	s.ping = s.client.Ping(ctx, s.host)
	s.meet(s.ping.Hosts)
	s.out.Retries += s.ping.retries
	if f := s.ping.Failure; f != nil {
		copied := *f
		return &copied
	}
	if f := s.show(ctx, s.ping); f != nil {
		return f
	}
	m := s.head(ctx)
	switch {
	case m.failure != nil:
		return at(StageManifest, m.failure)
	case s.tooFewLeft():
		return nil
	case m.body == nil:
		m = s.get(ctx, s.out.Digest)
	}
	if m.failure != nil {
		return at(StageManifest, m.failure)
	}
	s.out.Digest, s.out.MediaType = m.digest, m.mediaType
	return s.descend(ctx, m)
}

// show gets what the challenge asks for and shows it from now on.
func (s *session) show(ctx context.Context, challenge Ping) *Failure {
	s.auth = s.authorize(ctx, challenge)
	s.meet(challenge.Hosts)
	s.meet(s.auth.hosts)
	s.out.Retries += s.auth.retries
	if s.auth.token != "" {
		s.hide = append(s.hide[:len(s.hide):len(s.hide)], s.auth.token)
	}
	if s.auth.failure == nil {
		return nil
	}
	failure := *s.auth.failure
	return at(StageManifest, &failure)
}

// tooFewLeft tells whether a GET would take one of the last pulls from the runner.
func (s *session) tooFewLeft() bool {
	limit := s.out.Limit
	if limit == nil || limit.Remaining < 0 || limit.Remaining >= fewPulls {
		return false
	}
	s.out.Stopped = fmt.Sprintf("%s has %d pulls left for this address or account, and a closer look takes one of them",
		s.out.Host, limit.Remaining)
	return true
}

// meet notes hosts beyond the registry.
func (s *session) meet(hosts []Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, host := range hosts {
		if host.Address == s.out.Host || s.met(host) {
			continue
		}
		s.out.Hosts = append(s.out.Hosts, host)
	}
}

func (s *session) met(host Host) bool {
	for _, known := range s.out.Hosts {
		if known == host {
			return true
		}
	}
	return false
}

// count notes requests and what they said of the limit.
func (s *session) count(r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Requests += r.sent
	s.out.Retries += r.retries
	if limit := rateLimit(r.header); limit != nil && (limit.Remaining >= 0 || limit.Limit >= 0) {
		s.out.Limit = limit
	}
}

// at returns a failure with its stage, unless it has one.
func at(stage Stage, f *Failure) *Failure {
	if f.Stage == "" {
		f.Stage = stage
	}
	return f
}

// limited is the failure of an answer of 429.
func limited(host string, r reply, d diagnosis) *Failure {
	limit := rateLimit(r.header)
	var said strings.Builder
	if limit != nil && limit.Limit >= 0 {
		fmt.Fprintf(&said, ", limit %d", limit.Limit)
		if limit.Window > 0 {
			fmt.Fprintf(&said, " in %s", brief(limit.Window))
		}
	}
	if limit != nil && limit.Remaining >= 0 {
		fmt.Fprintf(&said, ", %d left", limit.Remaining)
	}
	if limit != nil && limit.RetryAfter > 0 {
		fmt.Fprintf(&said, ", again in %s", brief(limit.RetryAfter))
	}
	return &Failure{
		Kind: "rate-limited", Host: host, Status: http.StatusTooManyRequests, Code: d.code, Limit: limit,
		Detail: fmt.Sprintf("%s allows no more pulls for now (429%s)%s", host, said.String(), d.said()),
	}
}

// brief is a duration for people: 6 h, 30 min, 45 s.
func brief(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
