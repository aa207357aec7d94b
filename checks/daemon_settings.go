package checks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var daemonSettings = Check{
	Name:  "daemon-settings",
	Title: "The docker daemon is set up as the runner expects it",
	Doc: "Compares what the docker daemon says of its own settings with what the runner is told: where it keeps " +
		"containers and in which form their output, what keeps the runner from reading its config.json (user " +
		"namespaces, SELinux), and which versions of its API it speaks. Its mirrors and insecure registries are listed.",
	Problems: []*Problem{dataRootMoved, logDriver, configUnreadableInside, daemonAPI},
	Run:      runDaemonSettings,
}

var dataRootMoved = &Problem{
	ID:    "data-root-moved",
	Title: "The docker daemon keeps its containers in another folder than the one that is mounted",
	Doc: "The runner reads what steps print from /var/lib/docker/containers in its own container. The daemon keeps it in " +
		"its data root, which is another folder here (\"data-root\" of /etc/docker/daemon.json, user namespaces, a " +
		"rootless daemon), so that the mounted one has nothing of the steps in it, and their logs stay empty. Mount " +
		"the right folder at the same place.",
	Source: "the vendor's command; docker's documentation of the data root; why, is inferred from what is mounted",
}

var logDriver = &Problem{
	ID:    "log-driver",
	Title: "The docker daemon does not write what containers print to files",
	Doc: "The runner has the folder of docker's containers mounted, and nothing there but the files of the log driver " +
		"json-file is of use to it. With another default driver (journald, local, syslog) the logs of steps may stay " +
		"empty. Set \"log-driver\": \"json-file\" in /etc/docker/daemon.json and restart docker; containers keep the " +
		"driver that they were made with.",
	Source: "inferred from the vendor's command, which mounts the folder of these files; docker's documentation",
}

var configUnreadableInside = &Problem{
	ID:    "config-unreadable-inside",
	Title: "The runner may not be permitted to read what is mounted into it",
	Doc: "The docker daemon confines its containers further than usual. With user namespaces (userns-remap), root in a " +
		"container is nobody in particular on the host, and cannot read a config.json that its owner alone may read, nor use " +
		"docker's socket; start the runner with --userns=host. With SELinux, a container reads nothing of the host that " +
		"has not its label; mount with :z, or start the runner with --security-opt label=disable.",
	Source:   "docker's documentation of user namespaces and of the options of bind mounts",
	Explains: []string{"credentials-missing"},
}

func runDaemonSettings(_ context.Context, h *Host) []Finding {
	if reason := undaemonedHost(h); reason != "" {
		return []Finding{Skipped(daemonSubject, reason)}
	}
	findings := []Finding{loggedTo(h), apiRange(h)}
	findings = append(findings, perRunner(h, func(r *Runner) []Finding {
		if r.Definition != nil && ownDaemon(r.Definition) {
			return []Finding{Skipped(r.Name, "the runner has a docker daemon of its own")}
		}
		return append(dataRooted(h, r), confined(h, r)...)
	})...)
	return append(findings, registrySettings(h)...)
}

// usualLogDriver is docker's own default.
const usualLogDriver = "json-file"

func loggedTo(h *Host) Finding {
	driver := clip(h.Told.LogDriver)
	if driver == "" || driver == usualLogDriver {
		return Passed("log driver", "containers log to files (json-file)")
	}
	return Warned(logDriver, "log driver",
		fmt.Sprintf("the daemon's log driver is %s, and the runner probably reads the files of json-file", driver),
		fmt.Sprintf(`set "log-driver": %q in %s, then restart docker`, usualLogDriver, h.daemon.kept.settings)).
		Try("docker info --format '{{.LoggingDriver}}'", h.daemon.kept.systemctl("restart docker"))
}

// usualMinimum is the minor version of the lowest API that docker's newest daemon speaks (1.44).
const usualMinimum = 44

func apiRange(h *Host) Finding {
	lowest, highest := clip(h.Told.MinAPIVersion), clip(h.Told.APIVersion)
	_, minor, _ := strings.Cut(lowest, ".")
	spoken := fmt.Sprintf("the daemon speaks the versions %s to %s of docker's API", lowest, highest)
	if n, err := strconv.Atoi(minor); err == nil && n > usualMinimum {
		return Warned(daemonAPI, "API", spoken+", and no older one: the runner's client may be older",
			fmt.Sprintf(`set "min-api-version": "1.%d" in %s, then restart docker`, usualMinimum, h.daemon.kept.settings)).
			On(daemonSubject)
	}
	return Passed("API", spoken)
}

// dataRooted judges whether the folder that a runner is given is the one in which the daemon keeps its containers.
func dataRooted(h *Host, r *Runner) []Finding {
	wanted := path.Join(clip(h.Told.DataRoot), "containers")
	d := r.Definition
	if h.Told.DataRoot == "" {
		return nil
	}
	passed := []Finding{Passed("data root", "the daemon keeps its containers in "+wanted)}
	if d == nil || !d.States.Mounts {
		return passed
	}
	m, mounted, found := cover(d, containersFolder)
	if !found || m.Volume || m.Source.Unresolved != "" || m.Source.Home { // what is not there is for definition-mounts
		return passed
	}
	same, known := h.sameContainers(mounted, wanted)
	if same {
		return passed
	}
	option := d.Dialect.Mount(wanted, containersFolder, true)
	f := Failed(dataRootMoved, "data root", fmt.Sprintf("the daemon keeps its containers in %s, and the runner is given %s",
		wanted, clip(mounted)), "write "+option).At(m.Source.Place).On(wanted)
	if !known {
		f.Message += ", which cannot be compared from here"
		f = f.As(Warn)
	}
	return []Finding{f.With("data_root", clip(h.Told.DataRoot))}
}

// sameContainers is sameFolder for the folder of the daemon's containers: in a container of that daemon its own folder is
// there, or it is another one.
func (h *Host) sameContainers(a, b string) (same, known bool) {
	if h.self == nil {
		return sameFolder(h, a, b)
	}
	_, err := h.Files.Stat(path.Join(containersFolder, h.self.ID))
	return err == nil, err == nil || errors.Is(err, fs.ErrNotExist)
}

// sameFolder tells whether two paths are one folder, and whether that is known for certain. On another machine, or where
// this user may not look, names are all there is to go by.
func sameFolder(h *Host, a, b string) (same, known bool) {
	if path.Clean(a) == path.Clean(b) {
		return true, true
	}
	if h.apart() {
		return false, false
	}
	first, err := h.Files.Stat(a)
	if err != nil {
		return false, errors.Is(err, fs.ErrNotExist)
	}
	second, err := h.Files.Stat(b)
	if err != nil {
		return false, errors.Is(err, fs.ErrNotExist)
	}
	return os.SameFile(first, second), true
}

// confined warns of what keeps a runner from files of the host. Only a command of docker's says all that there is to know
// of it.
func confined(h *Host, r *Runner) []Finding {
	d := r.Definition
	if d == nil || d.Dialect != runner.DockerRun || !d.States.Mounts || len(d.Unread) > 0 {
		return nil
	}
	target := path.Join(configFolderOf(d), configName)
	m, _, found := cover(d, target)
	if !found || m.Volume {
		return nil
	}
	at := configPath(r)
	if h.Told.UserNamespaces && !ownerless(r) && !option(d, "userns", "host") {
		f := Warned(configUnreadableInside, "user namespaces", fmt.Sprintf(
			"the daemon makes root of a container another user (userns-remap), who may not read %s%s", clip(at), modeOf(r)),
			"start the runner with --userns=host, before the image").At(m.Place).On("user namespaces")
		return []Finding{f.Touching(entriesOf(r)...)}
	}
	if h.Told.SELinux && !relabelled(d, m.Place) && !option(d, "security-opt", "label=disable") &&
		!option(d, "security-opt", "label:disable") && !option(d, "privileged", "") {
		f := Warned(configUnreadableInside, "SELinux", fmt.Sprintf(
			"the daemon confines containers with SELinux, and %s is mounted without a label for them", clip(at)),
			"start the runner with --security-opt label=disable, or mount with :z: -v "+
				clip(m.Source.Value)+":"+clip(m.Target.Value)+":ro,z").At(m.Place).On("SELinux")
		return []Finding{f.Touching(entriesOf(r)...)}
	}
	return nil
}

// ownerless tells whether everybody may read a runner's config.json.
func ownerless(r *Runner) bool { return r.Config != nil && r.Config.Mode&0o004 != 0 }

func modeOf(r *Runner) string {
	if r.Config == nil || r.Config.Mode == 0 {
		return ""
	}
	return fmt.Sprintf(" (mode %#o)", r.Config.Mode.Perm())
}

// entriesOf are the entries of config.json that a runner's images need, for Touching.
func entriesOf(r *Runner) []string {
	var entries []string
	for _, image := range r.Overrides() {
		entries = append(entries, Reference(image.Reference))
	}
	return entries
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

// registrySettings lists what the daemon does otherwise with registries than with others.
func registrySettings(h *Host) []Finding {
	var findings []Finding
	if mirrors := clipped(h.daemon.Mirrors); len(mirrors) > 0 {
		findings = append(findings, Passed("mirrors", "the daemon asks "+listed(mirrors)+" before Docker Hub").With("mirrors", mirrors))
	}
	insecure := slices.DeleteFunc(clipped(h.daemon.Insecure), func(entry string) bool {
		return entry == "127.0.0.0/8" || entry == "::1/128"
	})
	if len(insecure) > 0 {
		findings = append(findings, Passed("insecure registries",
			"the daemon does without TLS, or without looking at certificates, for "+listed(insecure)).With("insecure", insecure))
	}
	return findings
}

func clipped(texts []string) []string {
	var out []string
	for _, text := range texts {
		out = append(out, clip(text))
	}
	return out
}
