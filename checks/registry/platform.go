package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// maxNested is how many indexes may stand in one another.
	maxNested = 3
	// maxPlatforms bounds what is repeated of an index.
	maxPlatforms = 40
)

// descend goes from what the reference names to one image of the wanted platform, and to its blobs.
func (s *session) descend(ctx context.Context, m manifest) *Failure {
	for range maxNested {
		if why := m.readable(); why != "" {
			return at(StageManifest, s.unsupported(why))
		}
		if types.MediaType(m.mediaType).IsImage() {
			return s.image(ctx, m)
		}
		index, err := alone(s.client, m, v1.ParseIndexManifest)
		if err != nil {
			return at(StageManifest, s.unsupported("its index cannot be parsed"))
		}
		chosen, f := s.choose(index.Manifests)
		if f != nil {
			return at(StagePlatform, f)
		}
		if m = s.get(ctx, chosen.Digest.String()); m.failure != nil {
			return s.child(chosen, m.failure)
		}
	}
	return at(StageManifest, s.unsupported(fmt.Sprintf("its indexes are nested more than %d deep", maxNested)))
}

// child says what it means that an index names a manifest that cannot be had.
func (s *session) child(chosen v1.Descriptor, f *Failure) *Failure {
	if f.Status == http.StatusNotFound {
		return &Failure{
			Kind: "layer-missing", Stage: StageBlobs, Host: f.Host, Status: f.Status, Code: f.Code,
			Detail: fmt.Sprintf("%s has the index but not the manifest for %s that it names, %s",
				f.Host, orUnknown(s.out.Platform), chosen.Digest),
		}
	}
	return at(StageManifest, f)
}

// alone parses a manifest; a large one while nobody else does.
func alone[T any](c *Client, m manifest, parse func(io.Reader) (T, error)) (T, error) {
	if len(m.body) >= large {
		c.heavy.Lock()
		defer c.heavy.Unlock()
	}
	return parse(bytes.NewReader(m.body))
}

func orUnknown(platform string) string {
	if platform == "" {
		return "one of the platforms"
	}
	return platform
}

// choose picks the manifest that the daemon would pull. Attestations are no platform's; a manifest without a
// platform is looked at when nothing else fits, as containerd does.
func (s *session) choose(children []v1.Descriptor) (v1.Descriptor, *Failure) {
	var fitting, silent []v1.Descriptor
	wanted := s.wanted()
	for _, child := range children {
		switch {
		case child.Platform == nil:
			silent = append(silent, child)
		case child.Platform.OS == "unknown" || child.Platform.Architecture == "unknown":
		default:
			s.offer(*child.Platform)
			if wanted.Match(platformOf(*child.Platform)) {
				fitting = append(fitting, child)
			}
		}
	}
	slices.SortStableFunc(fitting, func(a, b v1.Descriptor) int {
		switch x, y := platformOf(*a.Platform), platformOf(*b.Platform); {
		case wanted.Less(x, y):
			return -1
		case wanted.Less(y, x):
			return 1
		}
		return 0
	})
	chosen := append(fitting, silent...)
	if len(chosen) == 0 {
		return v1.Descriptor{}, s.noPlatform()
	}
	if chosen[0].Platform != nil {
		s.out.Platform = s.spell(*chosen[0].Platform)
	}
	return chosen[0], nil
}

// Fits tells whether one of the offered platforms (OS/ARCH[/VARIANT]) runs on the wanted one, as containerd compares
// them. What nobody can read fits.
func Fits(wanted string, offered []string) bool {
	p, err := platforms.Parse(wanted)
	if err != nil {
		return true
	}
	match := platforms.Only(p)
	return slices.ContainsFunc(offered, func(text string) bool {
		o, err := platforms.Parse(text)
		return err != nil || match.Match(o)
	})
}

// noPlatform is the failure of an image that nothing in fits the platform.
func (s *session) noPlatform() *Failure {
	offered := "no platform"
	if len(s.out.Platforms) > 0 {
		offered = "only " + strings.Join(s.out.Platforms, ", ")
	}
	wanted := s.req.Platform
	if wanted == "" {
		wanted = "linux"
	}
	return &Failure{
		Kind: "platform-missing", Host: s.out.Host, Status: http.StatusOK,
		Detail: fmt.Sprintf("nothing in it is for %s: it offers %s", wanted, offered),
	}
}

// offer notes a platform that the image is there for.
func (s *session) offer(p v1.Platform) {
	text := s.spell(p)
	if text != "" && len(s.out.Platforms) < maxPlatforms && !slices.Contains(s.out.Platforms, text) {
		s.out.Platforms = append(s.out.Platforms, text)
	}
}

func (s *session) spell(p v1.Platform) string {
	return s.hide.quote(platforms.Format(platforms.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant,
	}))
}

func platformOf(p v1.Platform) platforms.Platform {
	return platforms.Normalize(platforms.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant,
		OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
	})
}

// wanted compares platforms as containerd does. Without a platform any Linux will do, the most common one first.
func (s *session) wanted() platforms.MatchComparer {
	if p, err := platforms.Parse(s.req.Platform); s.req.Platform != "" && err == nil {
		return platforms.Only(p)
	}
	return anyLinux{platforms.Only(platforms.Platform{OS: "linux", Architecture: "amd64"})}
}

// anyLinux matches every Linux and prefers what it holds.
type anyLinux struct{ platforms.MatchComparer }

// Match tells whether a platform is Linux.
func (anyLinux) Match(p platforms.Platform) bool { return p.OS == "linux" }

// suits tells whether an image whose config names a platform runs on the wanted one. A config that leaves it out
// is given the benefit of the doubt.
func (s *session) suits(p v1.Platform) bool {
	if p.OS == "" || p.Architecture == "" {
		return true
	}
	return s.wanted().Match(platformOf(p))
}
