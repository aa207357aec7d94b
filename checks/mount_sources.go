package checks

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"runner-preflight/checks/runner"
)

// onHost is a path of the host that may be relative to the current folder, as those of a compose file are: known on the
// host that runs it.
func onHost(h *Host, d *runner.Definition, source string) string {
	if !d.Dialect.FromFolder() || !h.Live || h.Folder == "" || path.IsAbs(source) || strings.HasPrefix(source, "~") {
		return source
	}
	return path.Join(h.Folder, source)
}

// mayBe tells whether a relative path may be an absolute one. One that lies at the root is not: nobody keeps a compose
// file there.
func mayBe(relative, absolute string) bool {
	base := path.Clean(relative)
	switch {
	case path.IsAbs(base):
		return false
	case base == ".", strings.HasPrefix(base, ".."):
		return true
	}
	return strings.HasSuffix(absolute, "/"+base) && absolute != "/"+base
}

// missingSources looks for the sources of bind mounts on the runner's own host. A config.json that is missing
// has a problem of its own.
func missingSources(h *Host, r *Runner) []Finding {
	var findings []Finding
	if !h.Live || r.Definition.Dialect.OffHost() {
		return nil
	}
	working, _ := effective(r.Definition, envWorkingDirectory)
	for _, m := range r.Definition.Mounts {
		source := m.Source.Value
		source = onHost(h, r.Definition, source)
		if m.Volume || m.Source.Unresolved != "" || !path.IsAbs(source) || isConfigMount(m) || !absent(h, source) {
			continue
		}
		hint := "create it, or name the right path"
		if socket := socketOnHost(h); path.Clean(source) == dockerSocket && socket != dockerSocket {
			hint = "write " + r.Definition.Dialect.Mount(socket, m.Target.Value, m.ReadOnly)
		}
		f := Failed(mountSourceMissing, source, source+" does not exist on this host; "+madeOf(h), hint).
			At(m.Place).Touching(Path(source))
		switch {
		case r.Definition.Client == "podman":
			source, target := path.Clean(source), path.Clean(m.Target.Value)
			f = withoutSource(f, target == containersFolder || source == path.Clean(working.Value.Value))
		case path.Clean(source) == dockerSocket && socketOnHost(h) == dockerSocket:
			f.Message = source + " does not exist on this host: docker's daemon makes it when it starts"
			f.Hint = "install docker, or start it; or name its socket, if it listens at another"
			f = f.Try(h.daemon.site.systemctl("start docker")).Touching(daemonTouch(h)...)
		case m.Option == "--mount", m.Option == "configs", m.Option == "secrets":
			f.Message = source + " does not exist on this host; docker refuses to start with it"
		case path.Clean(source) == path.Clean(working.Value.Value):
			f.Message = source +
				" does not exist on this host; docker makes an empty folder of it, which will do here"
			f = f.As(Warn).Try("sudo mkdir -p " + shellWord(source))
		}
		findings = append(findings, f)
	}
	return findings
}

// madeOf says what docker does with a source that does not exist. A rootless daemon makes what its user may.
// Source: measured on docker 20.10.
func madeOf(h *Host) string {
	if h.Told != nil && h.Told.Rootless {
		return "a rootless docker makes an empty folder of it, or refuses to start"
	}
	return "docker makes an empty folder of it"
}

// withoutSource is the finding where Podman's own command is to start the container: it makes no folders.
func withoutSource(f Finding, folder bool) Finding {
	f.Message = f.Subject + " does not exist on this host; podman refuses to start without it"
	switch base := path.Base(f.Subject); {
	case base == path.Base(podmanSocket), base == path.Base(dockerSocket):
		f.Hint = "have Podman listen, and mount its socket: -v " + podmanSocket + ":" + dockerSocket
		return f.Try(enablePodman)
	case folder:
		return f.Try("sudo mkdir -p " + shellWord(f.Subject))
	}
	return f
}

// absent tells whether a path is known not to exist. One that may not be looked at is not.
func absent(h *Host, name string) bool {
	_, err := h.Files.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}
