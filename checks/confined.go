package checks

import (
	"fmt"
	"io/fs"
	"math"
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

// confined warns of what keeps a runner from files of the host. A manifest of Kubernetes and an env file do not say all that
// there is to know of it.
func confined(h *Host, r *Runner) []Finding {
	d := r.Definition
	told := d != nil && !d.Dialect.OffHost()
	if !told || !d.States.Mounts || len(d.Unread) > 0 {
		return nil
	}
	if in := h.insiderOf(r); in != nil {
		if found := in.otherUser(h, r); len(found) > 0 {
			return found
		}
	}
	return unlabelled(h, r)
}

// confinedByPodman is confined for the runners that Podman starts: what confines them is known without a daemon.
func confinedByPodman(h *Host, r *Runner) []Finding {
	if !h.Live || h.inside || r.Definition == nil || r.Definition.Client != "podman" {
		return nil
	}
	return confined(h, r)
}

// insider is who a runner is on the host, where that is not root.
type insider struct {
	// root is the user, nil where it is not known who that is.
	root *containerRoot
	// is says who that is and why, as a clause that "who" follows, mend what to do about it; command may be empty.
	is, mend, command string
	// on is the root of what follows from it, and warns says that it is not certain to hurt.
	on    string
	warns bool
}

// insiderOf is nil for a runner that is root on the host, as far as is known. Podman asks no daemon.
func (h *Host) insiderOf(r *Runner) *insider {
	d := r.Definition
	users, asked := optionOf(d, "userns")
	kind, _, _ := strings.Cut(users.Value.Value, ":")
	user, set := optionOf(d, "user")
	switch podman := d.Client == "podman"; {
	case asked && users.Value.Unresolved != "":
		return nil
	case podman && (kind == "auto" || kind == "nomap"):
		return &insider{
			is: fmt.Sprintf("%s makes root of the container another user", written(d, users)), on: "user namespaces",
			mend: "take " + written(d, users) + " away, or write " + d.Dialect.Switch("userns", "host"),
		}
	case !podman && h.Told.Rootless:
		return h.rootless(r)
	case !podman && h.Told.UserNamespaces && kind != "host":
		in := &insider{
			root: h.containerRoot(), on: "user namespaces",
			is:   "the daemon makes root of a container another user (userns-remap)",
			mend: "start the runner with " + d.Dialect.Switch("userns", "host") + d.Dialect.WhereSwitches(),
		}
		if alreadyMade(d) {
			in.mend = "make the container anew with --userns=host"
		}
		return in
	case set && !rootInside(user.Value):
		_, groups := optionOf(d, "group-add")
		return &insider{
			root: userOf(user.Value, groups), on: written(d, user), warns: true,
			is:   fmt.Sprintf("%s makes the runner another user than root", written(d, user)),
			mend: "take " + written(d, user) + " away: the vendor's command runs it as root",
		}
	}
	return nil
}

// rootless is root of a container that a rootless daemon starts.
func (h *Host) rootless(r *Runner) *insider {
	in := &insider{
		root: h.containerRoot(), on: "user namespaces", mend: "give the file to that user",
		is: "the daemon makes root of a container its own user (rootless)",
	}
	if in.root == nil {
		return nil
	}
	in.is = fmt.Sprintf("the daemon makes root of a container the user %d (rootless)", in.root.UID)
	in.command = fmt.Sprintf("sudo chown %d %s", in.root.UID, shellWord(configPath(r)))
	return in
}

// written is an option as it is written, for people.
func written(d *runner.Definition, o runner.Option) string {
	between := " "
	switch {
	case strings.HasPrefix(o.Name.Value, "-"):
	case d.Dialect == runner.Compose:
		between = ": "
	case d.Dialect == runner.Quadlet:
		between = "="
	}
	return clip(o.Name.Value + between + o.Value.Value)
}

// rootInside tells whether the value of an option that names a user is root, or may be.
func rootInside(user runner.Text) bool {
	name, _, _ := strings.Cut(user.Value, ":")
	return user.Unresolved != "" || name == "" || name == "root" || strings.Trim(name, "0") == ""
}

// userOf is the user UID or UID:GID on the host; nil for one by his name, whom the image has. Without a GID, or with more
// groups, he may be of any.
func userOf(user runner.Text, groups bool) *containerRoot {
	name, group, _ := strings.Cut(user.Value, ":")
	uid, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return nil
	}
	gid, err := strconv.ParseUint(group, 10, 32)
	return &containerRoot{Owner{uint32(uid), uint32(gid)}, groups || err != nil, math.MaxUint32}
}

// otherUser is the finding about what a runner may not use, as he is another user.
func (in *insider) otherUser(h *Host, r *Runner) []Finding {
	socket, at := barredSocket(h, r.Definition, in.root)
	config, certain := barredConfig(h, r, in.root)
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
	f := Failed(configUnreadableInside, in.on, in.is+", who may "+may, in.mend).At(at).On(in.on).
		Touching(Path(configPath(r))).Touching(overrideReferences(r)...)
	if in.command != "" {
		f = f.Try(in.command)
	}
	if socket == "" && (in.warns || !certain || len(r.Overrides()) == 0) {
		f = f.As(Warn)
	}
	return []Finding{f}
}

// barredSocket is the socket that a runner is given and that root of a container may not use, with its mode, and where it
// is mounted; "" for none. That of a rootless daemon is its user's own: another one is for socketed to tell.
func barredSocket(h *Host, d *runner.Definition, root *containerRoot) (socket string, at source.Span) {
	m, from, found := socketMount(d)
	if h.Told != nil && h.Told.Rootless || !found || m.Volume || m.Source.Unresolved != "" {
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
	if !barred && (certain || everybody || h.Told != nil && h.Told.Rootless) {
		return "", false
	}
	return withMode(h, configPath(r)), certain && r.Config != nil && r.Config.Origin == ConfigMount
}

// configBarred tells whether root of a container is known not to be permitted to read a runner's config.json.
func configBarred(h *Host, r *Runner) bool {
	barred, _ := h.barred(h.containerRoot(), configPath(r), 4)
	return barred
}

// unlabelled is the finding about SELinux. What was made already does not tell all of it.
func unlabelled(h *Host, r *Runner) []Finding {
	d := r.Definition
	m, found := configMountOf(d)
	label := slices.ContainsFunc(d.Options, func(o runner.Option) bool {
		value := strings.ReplaceAll(o.Value.Value, ":", "=") // docker takes both
		return o.Long == "security-opt" && (value == "label=disable" || strings.HasPrefix(value, "label=type="))
	})
	privileged, _ := optionOf(d, "privileged")
	if !found || !h.labels(d) || alreadyMade(d) || m.Has("z") || m.Has("Z") || label ||
		privileged.Long != "" && privileged.Value.Value != "false" {
		return nil
	}
	f := Warned(configUnreadableInside, "SELinux", fmt.Sprintf(
		"%s confines containers with SELinux, and %s is mounted without a label for them", confiner(d), clip(configPath(r))),
		"start the runner with "+d.Dialect.Switch("security-opt", "label=disable")+", or mount with :z: "+
			d.Dialect.Mount(clip(m.Source.Value), clip(m.Target.Value), true)+",z").At(m.Place).On("SELinux")
	return []Finding{f.Touching(overrideReferences(r)...)}
}

// enforcing is where Linux says whether SELinux is enforced. Source: selinux(8).
const enforcing = "/sys/fs/selinux/enforce"

// labels tells whether containers are confined by SELinux: docker's where its daemon says so, Podman's wherever the kernel
// enforces it. Source: docker's documentation (selinux-enabled); podman-run(1), "SECURITY OPTIONS".
func (h *Host) labels(d *runner.Definition) bool {
	if d.Client != "podman" {
		return h.Told.SELinux
	}
	enforced, err := h.Files.ReadFile(enforcing)
	return h.Live && err == nil && strings.TrimSpace(string(enforced)) == "1"
}

func confiner(d *runner.Definition) string {
	if d.Client == "podman" {
		return "Podman"
	}
	return "the daemon"
}

// optionOf is the last option of that long name that a definition has.
func optionOf(d *runner.Definition, long string) (o runner.Option, found bool) {
	for _, o := range slices.Backward(d.Options) {
		if o.Long == long {
			return o, true
		}
	}
	return o, false
}
