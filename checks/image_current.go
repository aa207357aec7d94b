package checks

import (
	"context"
	"fmt"
	"time"

	"runner-preflight/checks/registry"
)

var imageCurrent = Check{
	Name:  "image-current",
	Title: "The images that replace the vendor's are not outdated",
	Doc: "Compares the date of each override with that of the vendor's current image of the same role. The " +
		"vendor changes these images together with the runner; a copy that is left behind may stop working " +
		"with it.",
	Problems: []*Problem{imageOutdated},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachImage(h, func(r *Runner, image Image) []Finding {
			if image.Role == RoleRunner {
				return nil // it replaces nothing: it is the vendor's, whatever its age
			}
			return []Finding{current(ctx, h, r, image)}
		})
	},
}

var imageOutdated = &Problem{
	ID:    "image-outdated",
	Title: "The image is much older than the vendor's current one",
	Doc: "The override was made over 90 days before the image that the vendor ships today for the same " +
		"role. It may work for long, and may stop with an update of the runner, which expects the others to " +
		"be of its own age. Copy the vendor's image again, or build yours on it anew, and do so regularly.",
	Source: "the dates in the configs of both images; the 90 days are this tool's own measure",
}

const (
	// outdatedAfter is how much older than the vendor's an override may be.
	outdatedAfter = 90 * 24 * time.Hour
	day           = 24 * time.Hour
)

func current(ctx context.Context, h *Host, r *Runner, image Image) Finding {
	role, name := string(image.Role), clip(image.Reference)
	if image.Origin == OriginDefault {
		return Skipped(role, "this is the vendor's own image")
	}
	var ours, theirs registry.Resolution
	var reference string
	atOnce(2, func(i int) { // a run is as long as its longest chain of round trips
		if i == 0 {
			ours = resolve(ctx, h, r, image)
		} else {
			theirs, reference = vendorImage(ctx, h, r, image.Role)
		}
	})
	switch {
	case ours.Digest == "":
		return Skipped(role, "does not resolve")
	case ours.Stopped != "":
		return Skipped(role, ours.Stopped)
	case !dated(ours.Created):
		return Skipped(role, name+" does not say when it was made")
	case !dated(theirs.Created):
		return Skipped(role, "the date of the vendor's current image is not known")
	}
	age := theirs.Created.Sub(ours.Created)
	message := fmt.Sprintf("%s is of %s, the vendor's %s of %s", name, date(ours), reference, date(theirs))
	if age <= outdatedAfter {
		return Passed(role, message).With("vantage", vantageProcess)
	}
	return Warned(imageOutdated, role, fmt.Sprintf("%s: %d days older", message, int(age/day)),
		fmt.Sprintf("copy %s to %s again, or build yours anew on it", reference, name)).
		At(image.Place).On(image.Reference).Touching(Reference(image.Reference)).With("vantage", vantageProcess).
		Try("docker buildx imagetools create -t " + shellWord(image.Reference) + " " + reference)
}

// vendorImage asks for the vendor's current image of a role, for its date alone.
func vendorImage(ctx context.Context, h *Host, r *Runner, role Role) (registry.Resolution, string) {
	for _, reference := range defaultImages(role) {
		res := h.pulling(reference).Registries.Resolve(ctx, registry.Request{
			Reference: reference, Platform: r.Platform,
			ConfigOnly: true,
		})
		switch {
		case res.Failure == nil:
			return res, reference
		case res.Failure.Network != nil: // no date is worth a second time-out
			return registry.Resolution{}, ""
		}
	}
	return registry.Resolution{}, ""
}

// dated tells a date from what tools write that make the same image from the same input: nothing, 1970, 1980.
func dated(created time.Time) bool { return created.Year() > 1980 }

func date(res registry.Resolution) string { return res.Created.UTC().Format(time.DateOnly) }
