package checks

import (
	"context"
	"fmt"

	"runner-preflight/checks/registry"
)

var imageLayers = Check{
	Name:  "image-layers",
	Title: "Every layer of the images can be read",
	Doc: "Asks for the config and for one byte of each layer of each image, following redirects to where " +
		"they are stored, as registries often keep layers on another host that a firewall has to allow too. " +
		"No layer is downloaded.",
	Problems: append([]*Problem{layerMissing, layerDenied, digestMismatch, rateLimited, registryFailure, httpBlocked},
		networkProblems()...),
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachImage(h, func(r *Runner, image Image) []Finding { return readable(ctx, h, r, image) })
	},
}

var layerMissing = &Problem{
	ID:    "layer-missing",
	Title: "A part of the image is gone from the registry",
	Doc: "The manifest is there, but a layer, the config or a platform's manifest that it names is not: a " +
		"push that did not end, a clean-up that took too much, or a mirror that copied too little. The pull " +
		"ends with \"blob unknown\" or \"not found\". Push the image again.",
	Source: "the registry's answer to the request for the blob (404)",
	Prints: []Print{
		{`blob unknown|unknown blob|` +
			`(layer|config|rootfs|container\.image)\.\S*\) from remote: not found`, 1},
	},
}

var layerDenied = &Problem{
	ID:    "layer-denied",
	Title: "A part of the image may not be read",
	Doc: "The manifest may be read, but a layer or the config is refused (401, 403), by the registry or by " +
		"the storage that it redirects to: a signed address that the storage does not take (often a clock " +
		"that is wrong on the registry's side), a storage policy that allows certain networks alone, or a " +
		"proxy that changes the request.",
	Source: "the answer to the request for the blob",
	Prints: []Print{
		{`(image configuration|layer): download failed after attempts=\d+: (denied|unauthorized)`, 1},
		{`error from registry: denied`, 2},
		{printsForbidden, 4},
	},
}

func readable(ctx context.Context, h *Host, r *Runner, image Image) []Finding {
	q := ask(ctx, h, r, image)
	res, f, role, name := q.res, q.failure, q.role(), q.name()
	switch {
	case q.saved():
		return []Finding{Skipped(role, fmt.Sprintf("%s resolves for the docker daemon alone, which does not tell of its layers",
			name)).With("vantage", vantageDaemon)}
	case f != nil && f.Stage == registry.StageManifest:
		return []Finding{Skipped(role, "does not resolve")}
	case res.Stopped != "":
		return []Finding{Skipped(role, res.Stopped)}
	case f != nil && f.Stage == registry.StagePlatform:
		return []Finding{Skipped(role, "is not there for the runner's platform")}
	}
	findings := unreadableBlobs(ctx, h, q)
	if reason := uncheckedBlobs(res); reason != "" {
		return append(findings, Skipped(role, fmt.Sprintf("%s: %s", name, reason)))
	}
	if len(findings) == 0 {
		return []Finding{withHosts(Passed(role, fmt.Sprintf("the config and the %d layers of %s can be read",
			len(res.Blobs)-1, name)), res).With("vantage", vantageProcess)}
	}
	return findings
}

// unreadableBlobs reports the blobs that cannot be read, those of one kind at one host as one.
func unreadableBlobs(ctx context.Context, h *Host, q question) []Finding {
	type reason struct{ kind, host string }
	var findings []Finding
	failures := []*registry.Failure{q.failure}
	for _, blob := range q.res.Blobs {
		failures = append(failures, blob.Failure)
	}
	count := map[reason]int{}
	for _, f := range failures {
		if f == nil {
			continue
		}
		if count[reason{f.Kind, f.Host}]++; count[reason{f.Kind, f.Host}] > 1 {
			continue
		}
		q.failure = f
		findings = append(findings, withHosts(blobFinding(ctx, h, q), q.res).With("vantage", vantageProcess))
	}
	return findings
}

func blobFinding(ctx context.Context, h *Host, q question) Finding {
	host := q.failure.Host
	message := fmt.Sprintf("%s: %s", q.name(), q.failure.Detail)
	switch {
	case q.failure.Kind == "not-established":
		return outOfReach(ctx, q)
	case q.failure.Network != nil && h.apart():
		return curable(h, unreachable(ctx, h, q))
	case q.failure.Network != nil:
		return unreachable(ctx, h, q)
	case q.failure.Kind == "layer-missing":
		return q.base(Failed(layerMissing, q.role(), message, fmt.Sprintf("push %s again",
			q.name()))).On(q.image.Reference)
	case q.failure.Kind == "layer-denied":
		hint := fmt.Sprintf("look in the log of %s for the reason of the %d", host, q.failure.Status)
		return q.base(Failed(layerDenied, q.role(), message, hint)).On(host)
	}
	return otherFailure(h, q)
}

// uncheckedBlobs says which blobs were not asked for ("" if all were).
func uncheckedBlobs(res registry.Resolution) string {
	for _, blob := range res.Blobs {
		if blob.Unasked != "" {
			return "a layer was not asked for: " + blob.Unasked
		}
	}
	return ""
}

// withHosts adds where the blobs came from.
func withHosts(f Finding, res registry.Resolution) Finding {
	var hosts []string
	for _, blob := range res.Blobs {
		hosts = appendNew(hosts, []string{blob.Via})
	}
	return f.With("blobs", len(res.Blobs)).With("served_by", hosts)
}
