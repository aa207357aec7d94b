package checks

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// Owner is the user and the group that a file belongs to.
type Owner struct{ UID, GID uint32 }

// containerRoot is who root of a container is on the host.
type containerRoot struct {
	Owner
	// anyGroup says that GID is not known.
	anyGroup bool
	// from is the first of the users that the daemon has for its containers, all of whom root of a container stands above.
	from uint32
}

// firstSubordinate is the first user that a system gives away to other users' namespaces. Source: login.defs(5).
const firstSubordinate = 100000

// containerRoot is nil where root of a container is root, and where it is not known who he is.
func (h *Host) containerRoot() *containerRoot {
	switch {
	case h.Owner == nil || h.Engine == nil || h.Told == nil || h.apart():
		return nil
	case h.Told.Rootless:
		return h.rootlessRoot()
	case h.Told.UserNamespaces:
		return remappedRoot(h.Told.DataRoot)
	}
	return nil
}

// rootlessRoot is the user whom the socket of a rootless daemon belongs to. Source: docker's documentation; measured on
// docker 20.10.
func (h *Host) rootlessRoot() *containerRoot {
	owner, err := h.Owner(h.Engine.Socket())
	if err != nil || owner.UID == 0 {
		return nil
	}
	folder, err := h.Owner(path.Dir(h.Engine.Socket()))
	own := err == nil && folder.UID == owner.UID
	return &containerRoot{Owner{owner.UID, folder.GID}, !own, firstSubordinate}
}

// remappedRoot is the user and the group that a data root is called by with userns-remap. Source: docker's
// documentation; measured on docker 20.10.
func remappedRoot(dataRoot string) *containerRoot {
	first, second, _ := strings.Cut(path.Base(dataRoot), ".")
	user, err := strconv.ParseUint(first, 10, 32)
	group, groupErr := strconv.ParseUint(second, 10, 32)
	if err != nil || groupErr != nil || user == 0 {
		return nil
	}
	return &containerRoot{Owner{uint32(user), uint32(group)}, false, uint32(user)}
}

// barred tells whether root of a container has not all of the rights (4 to read, 6 to write too) to a file, and whether
// that is known; where root is nil it is not.
func (h *Host) barred(root *containerRoot, name string, rights fs.FileMode) (barred, known bool) {
	info, err := h.Files.Stat(name)
	if err != nil || root == nil {
		return false, false
	}
	owner, err := h.Owner(name)
	mode := info.Mode().Perm()
	switch {
	case mode&rights == rights:
		return false, true
	case err != nil:
		return false, false
	case owner.UID == root.UID, owner.UID >= root.from:
		return false, true
	case root.anyGroup, owner.GID == root.GID:
		return mode>>3&rights != rights, true
	}
	return true, true
}

// withMode is a path and, where it can be told, its mode.
func withMode(h *Host, name string) string {
	info, err := h.Files.Stat(name)
	if err != nil || info.Mode().Perm() == 0 {
		return clip(name)
	}
	return fmt.Sprintf("%s (mode %#o)", clip(name), info.Mode().Perm())
}

// confined warns of what keeps a runner from files of the host. Only a command of docker's, and the container itself, say
// all that there is to know of it.
func confined(h *Host, r *Runner) []Finding {
	d := r.Definition
	told := d != nil && (d.Dialect == runner.DockerRun || alreadyMade(d))
	if !told || !d.States.Mounts || len(d.Unread) > 0 {
		return nil
	}
	if (h.Told.UserNamespaces && !option(d, "userns", "host")) || h.Told.Rootless {
		if found := otherUser(h, r); len(found) > 0 {
			return found
		}
	}
	return unlabelled(h, r)
}

// otherUser is the finding about what root of a container may not use, as he is another user.
func otherUser(h *Host, r *Runner) []Finding {
	root := h.containerRoot()
	socket, at := barredSocket(h, r.Definition, root)
	config, certain := barredConfig(h, r, root)
	may := ""
	switch {
	case socket != "" && config != "":
		may = "neither use " + socket + " nor read " + config
	case socket != "":
		may = "not use " + socket
	case config != "":
		m, _ := configMountOf(r.Definition)
		may, at = "not read "+config, m.Place
	default:
		return nil
	}
	f := admitted(h, r, root, may).At(at).On("user namespaces").Touching(Path(configPath(r))).
		Touching(overrideReferences(r)...)
	if socket == "" && (!certain || len(r.Overrides()) == 0) {
		f = f.As(Warn)
	}
	return []Finding{f}
}

// admitted says what root of a container may not do, and how he comes to be permitted.
func admitted(h *Host, r *Runner, root *containerRoot, may string) Finding {
	if h.Told.Rootless {
		return Failed(configUnreadableInside, "user namespaces", fmt.Sprintf(
			"the daemon makes root of a container the user %d (rootless), who may %s", root.UID, may),
			"give the file to that user").Try(fmt.Sprintf("sudo chown %d %s", root.UID, shellWord(configPath(r))))
	}
	hint := "start the runner with --userns=host, before the image"
	if alreadyMade(r.Definition) {
		hint = "make the container anew with --userns=host"
	}
	return Failed(configUnreadableInside, "user namespaces", fmt.Sprintf(
		"the daemon makes root of a container another user (userns-remap), who may %s", may), hint)
}

// barredSocket is the socket that a runner is given and that root of a container may not use, with its mode, and where it
// is mounted; "" for none. That of a rootless daemon is its user's own: another one is for socketed to tell.
func barredSocket(h *Host, d *runner.Definition, root *containerRoot) (socket string, at source.Span) {
	m, from, found := socketMount(d)
	if h.Told.Rootless || !found || m.Volume || m.Source.Unresolved != "" {
		return "", at
	}
	if barred, _ := h.barred(root, from, 6); barred {
		return withMode(h, from), m.Place
	}
	return "", at
}

// barredConfig is a runner's config.json, with its mode, if root of a container may not read it, and whether that is
// certain; "" if he may.
func barredConfig(h *Host, r *Runner, root *containerRoot) (config string, certain bool) {
	if _, mounted := configMountOf(r.Definition); !mounted {
		return "", false
	}
	barred, certain := h.barred(root, configPath(r), 4)
	everybody := r.Config != nil && r.Config.Mode&0o004 != 0
	if !barred && (certain || everybody || h.Told.Rootless) {
		return "", false
	}
	return withMode(h, configPath(r)), certain && r.Config != nil && r.Config.Origin == ConfigMount
}

// configBarred tells whether root of a container is known not to be permitted to read a runner's config.json.
func configBarred(h *Host, r *Runner) bool {
	barred, _ := h.barred(h.containerRoot(), configPath(r), 4)
	return barred
}

// unlabelled is the finding about SELinux, of which the container itself does not tell.
func unlabelled(h *Host, r *Runner) []Finding {
	d := r.Definition
	m, found := configMountOf(d)
	if !found || !h.Told.SELinux || alreadyMade(d) || relabelled(d, m.Place) || option(d, "privileged", "") ||
		option(d, "security-opt", "label=disable") || option(d, "security-opt", "label:disable") {
		return nil
	}
	f := Warned(configUnreadableInside, "SELinux", fmt.Sprintf(
		"the daemon confines containers with SELinux, and %s is mounted without a label for them", clip(configPath(r))),
		"start the runner with --security-opt label=disable, or mount with :z: -v "+
			clip(m.Source.Value)+":"+clip(m.Target.Value)+":ro,z").At(m.Place).On("SELinux")
	return []Finding{f.Touching(overrideReferences(r)...)}
}

// option tells whether a definition has an option of docker's with a value; any will do for an empty one.
func option(d *runner.Definition, long, value string) bool {
	return slices.ContainsFunc(d.Options, func(o runner.Option) bool {
		return o.Long == long && (value == "" || o.Value.Value == value)
	})
}

// relabelled tells whether the mount at a place has the option z or Z.
func relabelled(d *runner.Definition, place source.Span) bool {
	return slices.ContainsFunc(d.Options, func(o runner.Option) bool {
		parts := strings.Split(o.Value.Value, ":")
		given := strings.Split(parts[len(parts)-1], ",")
		return o.Value.Place == place && len(parts) > 2 && (slices.Contains(given, "z") || slices.Contains(given, "Z"))
	})
}
