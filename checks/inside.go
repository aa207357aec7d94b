package checks

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"slices"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// The marks by which a process knows that it is in a container of docker's, or of Podman's.
const (
	dockerMark = "/.dockerenv"
	podmanMark = "/run/.containerenv"
)

// insideContainer tells whether this process is in a container, in the place of the runner's: its definition is then
// the environment.
func insideContainer(in Input, files Files) bool {
	if !in.Live || len(in.Files) != 1 || in.Files[0].Path != EnvironmentPath {
		return false
	}
	for _, mark := range []string{dockerMark, podmanMark} {
		if _, err := files.Stat(mark); err == nil {
			return true
		}
	}
	return false
}

// mountTable is where the kernel says what this process has mounted.
const mountTable = "/proc/self/mountinfo"

// mountOwn adds what is mounted into this process's container, which is in the place of the runner's, to its environment.
// In a pod it does not: what the kubelet mounts there is no word of the manifest.
func (b *builder) mountOwn() {
	h := b.host
	if !h.inside || len(h.Runners) != 1 || h.Runners[0].Definition == nil {
		return
	}
	d := h.Runners[0].Definition
	text, err := h.Files.ReadFile(mountTable)
	if _, pod := effective(d, "KUBERNETES_SERVICE_HOST"); err != nil || pod {
		return
	}
	h.mounts = engine.ReadMounts(text)
	own := slices.IndexFunc(b.Containers, func(c engine.Container) bool { return h.mounts.Of(c.ID) })
	told := &runner.Definition{}
	if own >= 0 {
		h.self = &b.Containers[own]
		told = cmp.Or(inspected(inspectFile(h.self)), told)
	}
	d.Dialect, d.Mounts, d.Options = runner.Own, h.ownMounts(told.Mounts), told.Options
	h.Runners[0].seesConfig = !absent(h, path.Join(configFolderOf(d), configName))
	// A socket that is there and not mounted is that of a daemon in this very container.
	d.States.Mounts = slices.ContainsFunc(socketPlaces(dockerSocket), func(place string) bool {
		_, _, mounted := runner.Cover(d.Mounts, place)
		return mounted
	}) || absent(h, dockerSocket)
}

// ownMounts are the mounts of this container. What of the host they are the daemon alone can tell: the kernel names a file
// by its path in its own file system, which need not be that of the host.
func (h *Host) ownMounts(told []runner.Mount) []runner.Mount {
	var mounts []runner.Mount
	for _, mounted := range h.mounts {
		if mounted.Target == "/" {
			continue
		}
		m := runner.Mount{
			Target: runner.Text{Value: mounted.Target}, Option: "-v",
			Source: runner.Text{Unresolved: "what of the host it is cannot be seen in this container"},
		}
		same := func(m runner.Mount) bool {
			target, _ := h.canonical(m.Target.Value) // docker follows the image's links
			return target == mounted.Target
		}
		if at := slices.IndexFunc(told, same); at >= 0 {
			m = told[at]
		}
		m.ReadOnly = mounted.ReadOnly
		mounts = append(mounts, m)
	}
	return mounts
}

// kindInside tells whether what is mounted at a path of this container is a file or a folder. A folder with nothing in it in
// the place of config.json is what docker makes of a source that is missing: that is for config-is-directory to tell.
func (h *Host) kindInside(target string) (file, folder bool) {
	info, err := h.Files.Stat(target)
	if err != nil {
		return false, false
	}
	if info.IsDir() && path.Base(target) == configName {
		return false, !absent(h, path.Join(target, configName))
	}
	return !info.IsDir(), info.IsDir()
}

// ownConfig judges the config.json that is mounted by itself into this container.
func ownConfig(ctx context.Context, h *Host) Finding {
	r := h.Runners[0]
	name := path.Join(configFolderOf(r.Definition), configName)
	m, found := h.mounts.At(name)
	switch {
	case !found:
		return Skipped(name, "it is not mounted by itself: only then can this container have an older one than the host")
	case !m.Deleted:
		return Passed(name, "this container has the file that the host has")
	}
	f := Failed(configStale, name, "the host has put another file in the place of "+name+", or none, and this container still "+
		"has the one from before", "restart this container").At(source.New(name, nil).Whole()).Touching(Path(name)).
		Touching(overrideReferences(r)...).On(name)
	if h.self == nil {
		f.Message += ": it may say the same"
		return f.As(Warn)
	}
	own, unread := h.Files.ReadFile(name)
	today, err := h.Engine.File(ctx, h.self.ID, name) // the daemon looks the source of the mount up anew
	if unread == nil && err == nil && bytes.Equal(own, today) {
		return Passed(name, "the host has put another file in its place, and this container has one that says the same")
	}
	return f.Try(h.client() + " restart " + h.self.Word())
}
