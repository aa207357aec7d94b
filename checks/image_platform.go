package checks

import (
	"context"
	"fmt"
	"strings"

	"runner-preflight/checks/registry"
)

var imagePlatform = Check{
	Name:  "image-platform",
	Title: "Every image is there for the runner's platform",
	Doc: "Looks in the index of each image for a manifest that docker would pull on this runner's platform, " +
		"compared as containerd compares platforms (an amd64 host also runs 386, an arm64 host 32-bit arm). " +
		"An image without an index is judged by its config.",
	Problems: []*Problem{platformMissing},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachImage(h, func(r *Runner, image Image) []Finding { return []Finding{fits(ctx, h, r, image)} })
	},
}

var platformMissing = &Problem{
	ID:    "platform-missing",
	Title: "The image is not there for the runner's platform",
	Doc: "Nothing under the reference is for this platform, so the pull ends with \"no matching manifest\", " +
		"or the container with \"exec format error\". It often happens to mirrored images: docker pull, tag " +
		"and push copy the platform of the machine they run on and no other. Copy all platforms, or build " +
		"for the one that is missing.",
	Source: "containerd's platform rules; the index, or the image's config",
	Prints: []Print{
		{`no matching manifest for \S+|no match for platform in manifest|exec format error|` +
			`does not match the (specified|detected host) platform`, 1},
	},
}

func fits(ctx context.Context, h *Host, r *Runner, image Image) Finding {
	q := ask(ctx, h, r, image)
	res, f, role, name := q.res, q.failure, q.role(), q.name()
	switch {
	case q.saved():
		return fitsDaemon(q)
	case f != nil && f.Stage == registry.StageManifest:
		return Skipped(role, "does not resolve")
	case res.Stopped != "":
		return Skipped(role, res.Stopped)
	case f != nil && f.Stage == registry.StagePlatform:
		return misfit(q)
	case r.Platform == "":
		return Skipped(role, "the runner's platform is not known (--platform OS/ARCH)").With("platforms",
			res.Platforms)
	case res.Platform == "":
		return Skipped(role, name+" does not say what platform it is for")
	}
	return Passed(role, fmt.Sprintf("%s is there for %s", name, res.Platform)).With("platforms", res.Platforms).
		With("vantage", vantageProcess)
}

// fitsDaemon judges an image that the docker daemon alone finds, by the platforms that it tells of.
func fitsDaemon(q question) Finding {
	var offered []string
	for _, platform := range q.word.found.Platforms {
		offered = append(offered, clip(platform))
	}
	switch {
	case q.runner.Platform == "":
		return Skipped(q.role(), "the runner's platform is not known (--platform OS/ARCH)").With("platforms", offered)
	case len(offered) == 0:
		return Skipped(q.role(), q.name()+" does not say what platform it is for")
	}
	if registry.Fits(q.runner.Platform, q.word.found.Platforms) {
		return Passed(q.role(), fmt.Sprintf("%s is there for %s, as the docker daemon finds it", q.name(), q.runner.Platform)).
			With("platforms", offered).With("vantage", vantageDaemon)
	}
	return misfitting(q, fmt.Sprintf("nothing in it is for %s: it offers only %s, as the docker daemon finds it",
		q.runner.Platform, strings.Join(offered, ", "))).With("platforms", offered).With("vantage", vantageDaemon)
}

func misfit(q question) Finding {
	return misfitting(q, q.failure.Detail).With("platforms", q.res.Platforms).With("vantage", vantageProcess)
}

func misfitting(q question, detail string) Finding {
	platform := q.runner.Platform
	if platform == "" {
		platform = "linux/amd64"
	}
	message := fmt.Sprintf("%s: %s", q.name(), detail)
	hint := fmt.Sprintf("push it for %s too; to mirror an image with all of its platforms, copy its index", platform)
	return q.base(Failed(platformMissing, q.role(), message, hint)).On(q.image.Reference).
		Try("docker buildx imagetools create -t " + shellWord(q.image.Reference) + " SOURCE_IMAGE")
}
