package checks

import (
	"context"
	"fmt"
	"strings"

	"runner-preflight/checks/registry"
)

// question is an image that was asked about, and what the answer was.
type question struct {
	runner *Runner
	image  Image
	res    registry.Resolution
	// failure is the answer's; nil when all is well.
	failure *registry.Failure
	// word is the docker daemon's, where the image does not resolve for this process.
	word word
	// byDaemon says that failure is what the daemon met.
	byDaemon bool
}

// ask resolves an image. Of the vendor's defaults for one role any will do, as it depends on the runner's version
// which of them is pulled.
func ask(ctx context.Context, h *Host, r *Runner, image Image) question {
	first := resolve(ctx, h, r, image)
	if first.Failure == nil {
		return question{runner: r, image: image, res: first}
	}
	for _, reference := range defaultImages(image.Role) {
		other := image
		other.Reference = reference
		if image.Origin != OriginDefault || reference == image.Reference {
			continue
		}
		if res := resolve(ctx, h, r, other); res.Failure == nil {
			return question{runner: r, image: other, res: res}
		}
	}
	q := question{runner: r, image: image, res: first, failure: first.Failure}
	if q.failure.Stage != registry.StageManifest {
		return q
	}
	var pulled Image
	if q.word, pulled = bestWord(ctx, h, r, image); q.word.good() {
		q.image = pulled
	}
	return q.throughDaemon()
}

func (q question) role() string { return string(q.image.Role) }

func (q question) name() string { return clip(q.image.Reference) }

// key is the registry's host as the key of an entry is to be written.
func (q question) key() string {
	if host := registryHost(q.image.Reference); host != hubHost {
		return host
	}
	return hubKey
}

// base is what all findings about an image have in common.
func (q question) base(f Finding) Finding {
	f = f.At(q.image.Place).Touching(Reference(q.image.Reference), HostPort(q.res.Host))
	if q.failure.Host != "" && q.failure.Host != q.res.Host {
		f = f.Touching(HostPort(q.failure.Host))
	}
	if key := pullOf(q.runner, q.image).key; key != "" {
		f = f.Touching(Entry(key))
	}
	return f
}

// ending gives a finding about the runner's config.json the commands after which it is read anew.
func (q question) ending(h *Host, f Finding) Finding {
	if q.runner.Config == nil || !strings.Contains(f.Hint, restart) {
		return f
	}
	u := &configUse{Config: q.runner.Config, images: []Image{q.image}}
	return u.ending(h, f, q.runner)
}

// dockerDiffers says why docker pull works on the same host where the runner sends nothing.
func (q question) dockerDiffers(p pull) string {
	if q.image.Role == RoleRunner || p.why == "" || configContent(q.runner) == nil {
		return ""
	}
	docker := configContent(q.runner).ForDocker(q.image.Reference)
	switch {
	case docker.Helper != "":
		return fmt.Sprintf("docker pull on this host asks docker-credential-%s, the runner does not",
			clip(docker.Helper))
	case docker.Username != "" && docker.Password != "":
		return fmt.Sprintf("docker pull on this host takes the entry %q, the runner does not", clip(docker.Key))
	}
	return ""
}

// whyHost says what a host beyond the registry is for.
func (q question) whyHost() string {
	for _, host := range q.res.Hosts {
		if host.Address != q.failure.Host {
			continue
		}
		return whyMet(host, q.res.Host)
	}
	return ""
}

// whyMet says what the registry needs a host for that it sends its clients to.
func whyMet(met registry.Host, from string) string {
	switch met.Why {
	case registry.ForTokens:
		return "the token service of " + spoken(from)
	case registry.ForBlobs:
		return "where " + spoken(from) + " keeps layers"
	}
	return "to which " + spoken(from) + " redirects"
}
