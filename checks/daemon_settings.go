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
)

var daemonSettings = Check{
	Name:  "daemon-settings",
	Title: "The docker daemon is set up as the runner expects it",
	Doc: "Compares what the docker daemon says of its own settings with what the runner is told: where it listens, where " +
		"it keeps containers and in which form their output, what keeps the runner from using its socket or reading its " +
		"config.json (user namespaces, SELinux), and which versions of its API it speaks. Its mirrors and insecure " +
		"registries are listed.",
	Problems: []*Problem{dockerSocketMoved, dataRootMoved, logDriver, configUnreadableInside, daemonAPI},
	Run:      runDaemonSettings,
}

var dockerSocketMoved = &Problem{
	ID:    "docker-socket-moved",
	Title: "The docker daemon listens at another socket than the one that is mounted",
	Doc: "What is mounted as docker's socket is not that of the daemon that runs the runner: there is nothing, or a folder " +
		"that docker made, or the socket of another daemon, which the runner may not use. A rootless daemon listens at " +
		"`$XDG_RUNTIME_DIR/docker.sock` (`/run/user/UID/docker.sock`), and root of its containers is nobody but its own " +
		"user. The runner starts, and can start no step. Mount the daemon's own socket at /var/run/docker.sock.",
	Source:   "docker's documentation of the rootless mode; measured on docker 20.10",
	Explains: []string{"mount-source-missing"},
}

var dataRootMoved = &Problem{
	ID:    "data-root-moved",
	Title: "The docker daemon keeps its containers in another folder than the one that is mounted",
	Doc: "The runner reads what steps print from /var/lib/docker/containers in its own container. The daemon keeps it in " +
		"its data root, which is another folder here (\"data-root\" of /etc/docker/daemon.json, user namespaces, a " +
		"rootless daemon), so that the mounted one has nothing of the steps in it, and their logs stay empty. Mount " +
		"the right folder at the same place.",
	Source:   "the vendor's command; docker's documentation of the data root; why, is inferred from what is mounted",
	Explains: []string{"mount-source-missing"},
	Prints: []Print{
		{printsNoFolder, 1},
	},
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
	Title: "The runner may not be permitted to use what is mounted into it",
	Doc: "The docker daemon confines its containers further than usual. With user namespaces (userns-remap), root in a " +
		"container is nobody in particular on the host, and cannot read a config.json that its owner alone may read, nor use " +
		"docker's socket; start the runner with --userns=host (userns_mode: host in a compose file). Podman does the same with " +
		"UserNS=auto, and an option that names another user than root leaves the runner with the rights of that user. Of a " +
		"rootless daemon, root in a container is the daemon's own user, who reads his own files and not root's. With SELinux, " +
		"a container reads nothing of the host that has not its label; mount with :z, or start the runner with " +
		"--security-opt label=disable.",
	Source:   "docker's documentation of user namespaces and of the options of bind mounts; measured on docker 20.10",
	Explains: []string{"credentials-missing", "config-unreadable"},
}

func runDaemonSettings(_ context.Context, h *Host) []Finding {
	if reason := undaemonedHost(h); reason != "" {
		return append(perRunner(h, func(r *Runner) []Finding { return confinedByPodman(h, r) }), Skipped(daemonSubject, reason))
	}
	findings := []Finding{loggedTo(h), apiRange(h)}
	findings = append(findings, perRunner(h, func(r *Runner) []Finding {
		if r.Definition != nil && ownDaemon(r.Definition) {
			return []Finding{Skipped(r.Name, "the runner has a docker daemon of its own")}
		}
		return slices.Concat(socketed(h, r), dataRooted(h, r), confined(h, r))
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
		fmt.Sprintf(`set "log-driver": %q in %s, then restart docker`, usualLogDriver, h.daemon.site.settings)).
		Try("docker info --format '{{.LoggingDriver}}'", h.daemon.site.systemctl("restart docker"))
}

// usualMinimum is the minor version of the lowest API that docker's newest daemon speaks (1.44).
const usualMinimum = 44

func apiRange(h *Host) Finding {
	lowest, highest := clip(h.Told.MinAPIVersion), clip(h.Told.APIVersion)
	_, minor, _ := strings.Cut(lowest, ".")
	spoken := fmt.Sprintf("the daemon speaks the versions %s to %s of docker's API", lowest, highest)
	if n, err := strconv.Atoi(minor); err == nil && n > usualMinimum {
		return Warned(daemonAPI, "API", spoken+", and no older one: the runner's client may be older",
			fmt.Sprintf(`set "min-api-version": "1.%d" in %s, then restart docker`, usualMinimum, h.daemon.site.settings)).
			On(daemonSubject)
	}
	return Passed("API", spoken)
}

// socketed judges whether the socket that a runner is given is the one at which the daemon listens.
func socketed(h *Host, r *Runner) []Finding {
	d := r.Definition
	if !h.sharesFiles() || d == nil || !d.States.Mounts || d.Dialect.OffHost() {
		return nil
	}
	m, from, found := socketMount(d)
	if !found || m.Volume || m.Source.Unresolved != "" || m.Source.Home {
		return nil
	}
	from = onHost(h, d, from)
	wrong := wrongSocket(h, from)
	if wrong == "" {
		return nil
	}
	own := clip(h.Engine.Socket())
	inside, _, _ := daemonSocket(d)
	f := Failed(dockerSocketMoved, "docker socket", fmt.Sprintf("the daemon listens at %s, and the runner is given %s, %s",
		own, clip(from), wrong), "write "+d.Dialect.Mount(own, inside, false))
	return []Finding{f.At(m.Source.Place).On(own).Touching(Path(from))}
}

// sharesFiles tells whether the daemon is one of this machine's, and not in a virtual machine behind the socket.
func (h *Host) sharesFiles() bool {
	return h.Engine != nil && h.Engine.Socket() != "" && !h.apart() && !absent(h, h.Told.DataRoot)
}

// wrongSocket says why a socket that a runner is given is of no use to it; "" if it may be the daemon's, or leads there.
func wrongSocket(h *Host, from string) string {
	info, err := h.Files.Stat(from)
	same, _ := samePlace(h, from, h.Engine.Socket())
	switch {
	case same:
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return "which does not exist"
	case err == nil && info.IsDir():
		return "which is a folder"
	case !h.Told.Rootless:
		return ""
	}
	root := h.containerRoot()
	if barred, _ := h.barred(root, from, 6); barred {
		return fmt.Sprintf("which is another's, and closed to root of its containers, the user %d here (mode %#o)", root.UID,
			info.Mode().Perm())
	}
	return ""
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
	m, mounted, found := runner.Cover(d.Mounts, containersFolder)
	if !found || m.Volume || m.Source.Unresolved != "" || m.Source.Home { // what is not there is for definition-mounts
		return passed
	}
	same, known := h.sameContainers(mounted, wanted)
	if same {
		return passed
	}
	option := d.Dialect.Mount(wanted, containersFolder, true)
	f := Failed(dataRootMoved, "data root", fmt.Sprintf("the daemon keeps its containers in %s, and the runner is given %s",
		wanted, clip(mounted)), "write "+option).At(m.Source.Place).On(wanted).Touching(Path(mounted))
	if !known {
		f.Message += ", which cannot be compared from here"
		f = f.As(Warn)
	}
	return []Finding{f.With("data_root", clip(h.Told.DataRoot))}
}

// sameContainers is samePlace for the folder of the daemon's containers: in a container of that daemon its own folder is
// there, or it is another one.
func (h *Host) sameContainers(a, b string) (same, known bool) {
	if h.self == nil {
		return samePlace(h, a, b)
	}
	_, err := h.Files.Stat(path.Join(containersFolder, h.self.ID))
	return err == nil, err == nil || errors.Is(err, fs.ErrNotExist)
}

// samePlace tells whether two paths lead to one file or folder, and whether that is known for certain. On another machine,
// or where this user may not look, names are all there is to go by.
func samePlace(h *Host, a, b string) (same, known bool) {
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
