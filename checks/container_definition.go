package checks

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"runner-preflight/checks/runner"
)

var containerDefinition = Check{
	Name:  "container-definition",
	Title: "The running container is what the file says",
	Doc: "Where `check` is given a file and the same runner runs on this host (the name of its container, or its " +
		"RUNNER_UUID), compares what was written with what runs: the image, the runner's variables, the mounts. Values " +
		"that are secret are compared and not shown; what the file leaves to others is not compared.",
	Problems: []*Problem{containerDiffers},
	Run:      func(_ context.Context, h *Host) []Finding { return judgeDifferences(h) },
}

var containerDiffers = &Problem{
	ID:    "container-differs",
	Title: "The running container is not what the file says",
	Doc: "A container keeps what it was made with: a change of the script, the compose file or the unit reaches the runner " +
		"only when its container is made anew, and `docker restart` is not enough. What this report says of the file is " +
		"not yet true of the runner. Remove the container, and start it from the file again.",
	Source: "docker's documentation of docker container run and restart",
}

// judgeDifferences compares each runner that is known from a file with its container.
func judgeDifferences(h *Host) []Finding {
	var findings []Finding
	for _, r := range h.Runners {
		live := h.liveOf(r)
		if r.Container != nil || live == nil {
			continue
		}
		if different := live.differences(r.Definition); len(different) > 0 {
			findings = append(findings, Warned(containerDiffers, live.Name,
				"the container "+live.Name+" was made otherwise: "+strings.Join(different, "; "),
				"remove the container, and start it from the file again").Try(h.removal(live.Container)...).
				At(r.Definition.Place).On(r.Name).For(r.Name))
			continue
		}
		findings = append(findings, Passed(live.Name, "the container "+live.Name+" was made as the file says").For(r.Name))
	}
	if len(findings) == 0 {
		return []Finding{noContainer(h, nothingToCompare(h))}
	}
	return findings
}

// nothingToCompare says why no container is compared with a file.
func nothingToCompare(h *Host) string {
	written := func(r *Runner) bool {
		return r.Container == nil && r.Definition != nil && r.Definition.Dialect != runner.Own
	}
	switch {
	case slices.ContainsFunc(h.Runners, written):
		return "no runner of what was given is among the containers of this host"
	case len(h.Runners) == 0 && len(h.Readings) > 0:
		return "there is no runner in what was given"
	}
	return "no file was given that a container could be compared with"
}

// isOf tells whether the container is the definition's runner: by its name, else by the runner's UUID.
func (l liveRunner) isOf(d *runner.Definition) bool {
	for _, o := range d.Options {
		if o.Long == "name" && o.Value.Unresolved == "" {
			return o.Value.Value == l.Name
		}
	}
	written, set := effective(d, envRunner)
	runs, known := effective(l.made(), envRunner)
	return set && known && written.Value.Unresolved == "" && written.Value.Value == runs.Value.Value
}

// sameImage tells whether two references name the same: Podman writes out what docker leaves to be understood, the
// registry docker.io and the tag latest (measured with 4.3).
func sameImage(a, b string) bool {
	first, err := reference.ParseNormalizedNamed(a)
	second, other := reference.ParseNormalizedNamed(b)
	if err != nil || other != nil {
		return a == b
	}
	return reference.TagNameOnly(first).String() == reference.TagNameOnly(second).String()
}

// differences says what of a definition is otherwise in the container, in words that are safe to print.
func (l liveRunner) differences(d *runner.Definition) []string {
	var found []string
	made := l.made()
	if made == nil {
		return nil
	}
	if d.Image.Unresolved == "" && d.Image.Value != "" && !sameImage(d.Image.Value, made.Image.Value) {
		found = append(found, fmt.Sprintf("its image is %s, and %s in the file", clip(made.Image.Value), clip(d.Image.Value)))
	}
	for _, name := range knownVariables() {
		written, set := effective(d, name)
		runs, runsSet := effective(made, name)
		override := slices.Contains(overrideVariables(), name)
		switch {
		case set && written.Value.Unresolved != "":
		case set && !runsSet:
			found = append(found, name+" is not set in it")
		case !set && runsSet && override && d.Complete():
			found = append(found, fmt.Sprintf("%s is %s, and not set in the file", name, clip(runs.Value.Value)))
		case !set || written.Value.Value == runs.Value.Value:
		case override:
			found = append(found, fmt.Sprintf("%s is %s, and %s in the file", name, clip(runs.Value.Value), clip(written.Value.Value)))
		default:
			found = append(found, name+" has another value")
		}
	}
	return append(found, mountDifferences(d, made)...)
}

// mountDifferences says what of a definition's mounts is otherwise in what the container was made with.
func mountDifferences(d, made *runner.Definition) []string {
	var found []string
	for _, m := range d.Mounts {
		target := path.Clean(m.Target.Value)
		same := func(other runner.Mount) bool { return path.Clean(other.Target.Value) == target }
		switch at := slices.IndexFunc(made.Mounts, same); {
		case m.Target.Unresolved != "" || m.Target.Value == "":
		case at < 0:
			found = append(found, "nothing is mounted at "+clip(target))
		case m.Volume || m.Source.Unresolved != "" || !path.IsAbs(m.Source.Value) || made.Mounts[at].Volume:
		case path.Clean(made.Mounts[at].Source.Value) != path.Clean(m.Source.Value):
			found = append(found, fmt.Sprintf("%s comes from %s, and %s in the file", clip(target),
				clip(made.Mounts[at].Source.Value), clip(m.Source.Value)))
		}
	}
	return found
}
