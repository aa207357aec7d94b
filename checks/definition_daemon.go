package checks

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var unsharedVolume = &Problem{
	ID:    "unshared-volume",
	Title: "The runner and the docker daemon beside it do not share a folder",
	Doc: "With docker in docker the runner's daemon is a container of its own, and sees of the runner's files only what " +
		"both mount: the same volume at the same path. They need WORKING_DIRECTORY in common (usually /tmp), " +
		"`/var/lib/docker/containers`, from which the runner reads what steps print, and, unless DOCKER_HOST names a " +
		"port, the folder of docker's socket, `/var/run`. The vendor's template has a volume for each.",
	Source: "the vendor's template for Kubernetes; why, is inferred from the daemon being another container",
}

var dindUnprivileged = &Problem{
	ID:    "dind-unprivileged",
	Title: "The docker daemon beside the runner is not privileged",
	Doc: "Docker's daemon mounts file systems and sets up networks: in a container it starts only with " +
		"`securityContext: {privileged: true}` (Kubernetes), `privileged: true` (compose). A rootless one needs that " +
		"too, unless the node is set up for it.",
	Source:   "docker's image of docker in docker; the vendor's template for Kubernetes",
	Explains: []string{"connect-refused"},
}

// besideDaemon is the daemon beside the runner if that is the one which the runner uses: not where it is given the
// socket of its host.
func besideDaemon(d *runner.Definition) *runner.Daemon {
	if d.Daemon == nil {
		return nil
	}
	socket, elsewhere, unknown := daemonSocket(d)
	if elsewhere || unknown {
		return d.Daemon
	}
	m, from, found := runner.Cover(d.Mounts, socket)
	if !found || m.Volume {
		return d.Daemon
	}
	if _, to, shared := runner.Cover(d.Daemon.Mounts, socket); !shared || from != to {
		return nil
	}
	return d.Daemon
}

// judgeDaemon judges the daemon beside a runner, and what the two share.
func judgeDaemon(h *Host, r *Runner) []Finding {
	d := r.Definition
	findings := unprivileged(r)
	socket, elsewhere, unknown := daemonSocket(d)
	switch {
	case unknown:
		findings = append(findings, Skipped(dockerSocket,
			"which daemon the runner talks to is not known (see unresolved-value)"))
	case !elsewhere:
		findings = append(findings, unshared(r, path.Dir(socket), "the folder of docker's socket")...)
	}
	findings = append(findings, unshared(r, containersFolder, "where the runner reads what steps print")...)
	return append(findings, sharedWorkingDirectory(h, r)...)
}

func unprivileged(r *Runner) []Finding {
	daemon := r.Definition.Daemon
	if daemon.Privileged {
		return nil
	}
	hint := "write privileged: true for " + daemon.Name.Value
	if r.Definition.Dialect == runner.Kubernetes {
		hint = "write securityContext: {privileged: true} for the container " + daemon.Name.Value
	}
	f := Failed(dindUnprivileged, daemon.Name.Value,
		fmt.Sprintf("%s is not privileged, and docker's daemon does not start without", daemon.Name.Value), hint)
	if strings.Contains(daemon.Image.Value, "rootless") {
		f.Message = daemon.Name.Value + " is not privileged: a rootless daemon starts without on few nodes"
		f = f.As(Warn)
	}
	return []Finding{f.At(daemon.Confined).Touching(Path(r.Name))}
}

// sharedWorkingDirectory judges whether the daemon sees the working directory. What is wrong with the variable itself is
// told as ever.
func sharedWorkingDirectory(h *Host, r *Runner) []Finding {
	d := r.Definition
	switch v := workingDirectory(d); {
	case v.Value.Unresolved != "":
		return []Finding{Skipped(envWorkingDirectory, "WORKING_DIRECTORY is not known (see unresolved-value)")}
	case spoilt(v) || unexpandedHome(v.Value), !path.IsAbs(v.Value.Value):
		return judgeWorkingDirectory(h, r)
	default:
		return unshared(r, path.Clean(v.Value.Value), envWorkingDirectory)
	}
}

// unshared reports a folder that the runner and its daemon do not have in common.
func unshared(r *Runner, folder, what string) []Finding {
	d, name := r.Definition, r.Definition.Daemon.Name.Value
	own, from, mounted := runner.Cover(d.Mounts, folder)
	theirs, to, there := runner.Cover(d.Daemon.Mounts, folder)
	subject := folder
	if what == envWorkingDirectory {
		subject = envWorkingDirectory
	}
	report := func(message, hint string, place source.Span) []Finding {
		f := Failed(unsharedVolume, subject, message, hint).At(place)
		unknown := func(m runner.Mount) bool { return m.Target.Unresolved != "" }
		if slices.ContainsFunc(d.Daemon.Mounts, unknown) {
			return []Finding{Skipped(subject, subject+" may be mounted by what is not known (see unresolved-value)")}
		}
		return lacking(r, f)
	}
	both := func(volume string) string {
		if volume == "" {
			volume = strings.Trim(strings.ReplaceAll(folder, "/", "-"), "-")
		}
		return fmt.Sprintf("mount one volume in both: %s%s", d.Dialect.Mount(volume, folder, false), d.Dialect.WhereMounts())
	}
	what = spokenFolder(folder, what)
	switch {
	case !mounted && !there:
		return report(fmt.Sprintf("%s is mounted neither into the runner nor into %s", what, name), both(""), d.Place)
	case !mounted:
		return report(fmt.Sprintf("%s is mounted into %s and not into the runner", what, name),
			both(theirs.Source.Value), d.Place)
	case !there:
		return report(fmt.Sprintf("%s is mounted into the runner and not into %s", what, name),
			both(own.Source.Value), d.Daemon.Place)
	case own.Source.Unresolved != "" || theirs.Source.Unresolved != "":
		return nil
	case own.Option == "volumes_from" && own.Place == theirs.Place: // a volume without a name, the same all the same
		return nil
	case from != to || own.Volume != theirs.Volume || own.Source.Value == "":
		return report(fmt.Sprintf("%s is %s in the runner and %s in %s", what, spokenVolume(own, from),
			spokenVolume(theirs, to), name), both(theirs.Source.Value), own.Place)
	}
	return nil
}

// spokenFolder says which folder is meant, and what for.
func spokenFolder(folder, what string) string {
	if what == envWorkingDirectory {
		return envWorkingDirectory + " " + folder
	}
	return folder + " (" + what + ")"
}

// spokenVolume names what is mounted.
func spokenVolume(m runner.Mount, from string) string {
	switch {
	case m.Source.Value == "":
		return "a volume without a name"
	case m.Volume:
		return "the volume " + from
	}
	return from + " of the host"
}
