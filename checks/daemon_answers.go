package checks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks/engine"
)

var daemonAnswers = Check{
	Name:  "daemon-answers",
	Title: "The docker daemon of this host answers",
	Doc: "Looks for the docker daemon as docker's CLI does (DOCKER_HOST, the context, the usual socket) and asks it " +
		"who it is. The runner pulls every image and starts every step through it. Where there is no socket, or " +
		"this user may not use it, what this process sees stands for the daemon.",
	Problems: []*Problem{daemonDown, daemonNotPermitted, daemonSilent, daemonAPI},
	Run: func(ctx context.Context, h *Host) []Finding {
		return []Finding{answersFinding(ctx, h).Touching(daemonTouch(h)...)}
	},
}

var daemonDown = &Problem{
	ID:    "daemon-down",
	Title: "The docker daemon does not run",
	Doc: "There is a socket of docker's, and nothing listens to it, or docker is installed and has its containers here, and " +
		"there is no socket: the daemon was stopped, or it ended at its start " +
		"(a mistake in /etc/docker/daemon.json, a full disk). The runner's container does not run without it, and " +
		"pulls nothing. Start it, and look at its log if it does not stay. A folder in the socket's place was made " +
		"by docker, when the socket was mounted while it was not there: remove it, and start docker again.",
	Source:   "the system's answer to the connection; docker's documentation of bind mounts",
	Explains: []string{"daemon-unreachable", "no-definition", "mount-source-missing"},
	Prints: []Print{
		{`cannot connect to the docker daemon|is the docker daemon running`, 2},
	},
}

var daemonNotPermitted = &Problem{
	ID:    "daemon-not-permitted",
	Title: "This user may not use docker's socket",
	Doc: "The socket belongs to root and to the group docker, and this process is neither. That says nothing of the " +
		"runner, which is root in its container. But the daemon cannot be asked what it sees itself: its proxy, its " +
		"mirrors and its containers are out of sight, and this process stands for it. Run the tool with sudo, or as " +
		"a user of the group docker.",
	Source:   "the system's answer to the connection",
	Explains: []string{"no-definition"},
	Prints: []Print{
		{`permission denied while trying to connect to the docker`, 2},
	},
}

var daemonSilent = &Problem{
	ID:    "daemon-silent",
	Title: "The docker daemon gives no proper answer",
	Doc: "Something listens at docker's socket, and does not say what docker's daemon would: nothing at all (the daemon " +
		"hangs, as on a dead disk or network file system), an error of its own, or it is another program. What the " +
		"runner asks of it fails or hangs alike. Look at its log, then restart it. Docker before 23 says nothing either " +
		"while it looks a registry's name up, which takes minutes where no name server answers: then mend that. It fails " +
		"where it is certain: the runner is given this very socket, and for 15 seconds nobody answers a ping there, which asks " +
		"nothing of the daemon but that it lives, though it was started more than 5 minutes ago (its docker.pid is as old). " +
		"It warns where the daemon may be slow, or be starting still, or answers a ping.",
	Source: "the answer to GET /info, /version and /_ping; that a ping looks at nothing: docker's engine, " +
		"api/server/router/system; measured with docker's daemon 20.10; the times are this tool's choice",
	Explains: []string{"no-definition"},
}

var daemonAPI = &Problem{
	ID:    "daemon-api",
	Title: "The docker daemon speaks another version of its API",
	Doc: "Each version of docker's daemon speaks a range of versions of its API, and its clients must share one with " +
		"it. Docker 29.0 dropped what is older than 1.44 (Docker 25; later builds, 1.40), so that older clients, in a runner's " +
		"image or in a step, get \"client version 1.32 is too old\". Update the runner's image and the clients, or let the daemon " +
		"speak older versions: \"min-api-version\" in /etc/docker/daemon.json. A daemon older than Docker 19.03 is not " +
		"supported by the runner at all: update it.",
	Source: "docker's release notes (29.0); the vendor's prerequisites",
	Prints: []Print{
		{`client version \S+ is too (old|new)`, 1},
	},
}

// daemonSubject is what the findings about the daemon itself are about, and its name where something is to be mended
// there.
const daemonSubject = "docker daemon"

// daemonTouch is the place where the daemon is looked for, as Touches names it; nothing where none is.
func daemonTouch(h *Host) []string {
	if h.Engine == nil {
		return nil
	}
	return []string{Path(daemonPlace(h))}
}

// answersFinding says whether the daemon answers, and if not, why.
func answersFinding(ctx context.Context, h *Host) Finding {
	switch {
	case h.Told != nil && h.Unlisted != nil:
		return unlisted(h)
	case h.Told != nil:
		return introduced(h)
	case h.Untold == nil:
		return Skipped(daemonSubject, "no docker daemon was asked")
	case h.Engine == nil:
		return Skipped(daemonSubject, clip(h.Untold.Detail)+": what this process sees stands for the daemon")
	}
	at, socket := daemonPlace(h), h.Engine.Socket()
	detail := clip(h.Untold.Detail)
	switch h.Untold.Kind {
	case engine.NoSocket:
		if program := h.stoppedDocker(socket); program != "" {
			return notRunning(h, fmt.Sprintf("there is no %s, and docker is installed here (%s): its daemon does not run", at, program))
		}
		return Skipped(daemonSubject, noSocket(h, socket))
	case engine.NotPermitted:
		return notPermitted(h, at)
	case engine.Refused:
		return refused(h, at, socket)
	case engine.Version:
		return Failed(daemonAPI, daemonSubject, "no version of docker's API is shared with the daemon: "+detail,
			"update docker, to 19.03 or newer").Try("docker version")
	case engine.NotThere:
		return Skipped(daemonSubject, fmt.Sprintf("what answers at %s does not know what docker's daemon knows (%s): "+
			"what this process sees stands for the daemon", at, detail))
	case engine.Unsupported:
		return Skipped(daemonSubject, detail+": what this process sees stands for the daemon")
	case engine.OutOfTime:
		if h.hangs(ctx) {
			return hanging(h, at).Touching(pulledReferences(h)...)
		}
	case engine.Failed, engine.NotDocker, engine.NotFound:
	}
	return silent(h, fmt.Sprintf("%s gives no proper answer: %s", at, detail)).Touching(pulledReferences(h)...)
}

// silent is the finding where the daemon does not say what it should.
func silent(h *Host, message string) Finding {
	return Warned(daemonSilent, daemonSubject, message, "look at the daemon's log, then restart it").
		Try(h.daemon.site.log(), h.daemon.site.systemctl("restart docker"))
}

// hanging is the finding where the daemon of a runner does nothing any more.
func hanging(h *Host, at string) Finding {
	return silent(h, at+" takes connections, and nothing answers there, not even a ping: the docker daemon hangs").As(Fail)
}

// How long a daemon may leave a ping unanswered until it hangs, beside the time that it had before: it takes the time of the
// slowest of machines. One that started a shorter while ago may be busy with that: systemd takes connections for it.
const (
	pingTime  = 5 * time.Second
	startTime = 5 * time.Minute
)

// hangs tells whether the daemon that a runner uses is certain to hang: it was started long ago, and does not answer even
// what it answers without looking at anything.
func (h *Host) hangs(ctx context.Context) bool {
	socket := h.askedSocket()
	started, err := h.Files.Stat(path.Join(path.Dir(socket), "docker.pid")) // written by the daemon as it starts
	switch {
	case socket == "" || !slices.ContainsFunc(h.Runners, func(r *Runner) bool { return h.uses(r, socket) }):
		return false
	case err != nil || h.Now().Sub(started.ModTime()) < startTime:
		return false
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(h.PingTime, pingTime))
	defer cancel()
	failed := (*engine.Failure)(nil)
	return errors.As(h.Engine.Ping(limited), &failed) && failed.Kind == engine.OutOfTime && ctx.Err() == nil
}

// askedSocket is the socket at which the daemon was asked, by the name that docker gives it; "" for an address that is none.
func (h *Host) askedSocket() string {
	if h.Engine.Origin == engine.Default && h.Engine.Socket() != "" {
		return dockerSocket
	}
	return h.Engine.Socket()
}

// uses tells whether a runner is given the daemon of a socket of this machine.
func (h *Host) uses(r *Runner, socket string) bool {
	if _, none := containerless(r); none || r.Definition != nil && r.Definition.Daemon != nil {
		return false
	}
	from := dockerSocket
	if r.Definition != nil {
		_, mounted, found := socketMount(r.Definition)
		if from = mounted; !found {
			return false
		}
	}
	given, _ := h.canonical(from)
	asked, _ := h.canonical(socket)
	return given == asked
}

// unlisted is the finding where the daemon says who it is, and not which containers it has.
func unlisted(h *Host) Finding {
	message := "the docker daemon does not tell its containers: " + clip(h.Unlisted.Detail)
	if n := len(h.live); n > 0 {
		message += "; " + CountOf(n, "runner was", "runners were") + " found before"
	}
	return silent(h, message)
}

// pulledReferences are all images that the daemon is to pull, for Touching.
func pulledReferences(h *Host) []string {
	var references []string
	for _, r := range h.Runners {
		references = append(references, referencesTo(r.Images)...)
	}
	return references
}

// notPermitted is the finding where the daemon answers others. This user may have one of his own.
func notPermitted(h *Host, at string) Finding {
	f := Warned(daemonNotPermitted, daemonSubject,
		fmt.Sprintf("this user may not use %s: what this process sees stands for the daemon", at),
		"run it as a user who may, with the same files").Try(sudoCheck(h))
	if others := h.rootlessSockets(); len(others) > 0 {
		f.Hint += "; or have the rootless daemon asked, if the runner is its own"
		f = f.Try(askedOf("unix://"+others[0], checkAgain(h)))
	}
	return f
}

// sudoCheck is the command that judges the same files with more rights. What names another daemon than docker's usual one
// does not come through sudo.
func sudoCheck(h *Host) string {
	if h.Engine.Origin == engine.Default {
		return "sudo " + checkAgain(h)
	}
	return "sudo env " + askedOf(h.Engine.Host, checkAgain(h))
}

// checkAgain is the command that judges the same files.
func checkAgain(h *Host) string {
	command := "runner-preflight check"
	for _, reading := range h.Readings {
		if reading.Path != EnvironmentPath && !strings.HasPrefix(reading.Path, "<") {
			command += " " + shellWord(reading.Path)
		}
	}
	return command
}

// daemonPlace is where the daemon is looked for, for people.
func daemonPlace(h *Host) string {
	return clip(cmp.Or(h.askedSocket(), h.Engine.Host))
}

// noSocket says that there is none, and who says that there should be.
func noSocket(h *Host, socket string) string {
	switch {
	case h.inside:
		return fmt.Sprintf("there is no %s in this container: the daemon's proxy, mirrors and certificates are out of sight",
			clip(socket))
	case path.Base(socket) == path.Base(podmanSocket):
		return fmt.Sprintf("there is no %s, which %s names: Podman listens there once podman.socket is enabled (%s)",
			clip(socket), h.Engine.Origin, enablePodman)
	case dangling(h, socket):
		return fmt.Sprintf("%s is a link that leads nowhere: Podman, whose packages make it, listens there once podman.socket "+
			"is enabled (%s)", clip(socket), enablePodman)
	case h.Engine.Origin != engine.Default:
		return fmt.Sprintf("there is no %s, which %s names: what this process sees stands for the daemon",
			clip(socket), h.Engine.Origin)
	}
	if others := h.rootlessSockets(); len(others) > 0 {
		return fmt.Sprintf("there is no %s, and %s of a rootless daemon was not asked (%s): what this process sees stands for "+
			"the daemon", clip(socket), clip(others[0]), askedOf("unix://"+others[0], checkAgain(h)))
	}
	return fmt.Sprintf("there is no %s: what this process sees stands for the daemon", clip(socket))
}

// dangling tells whether a socket that is not there is a symbolic link.
func dangling(h *Host, socket string) bool {
	entries, _ := h.Files.ReadDir(path.Dir(socket))
	return slices.ContainsFunc(entries, func(entry fs.DirEntry) bool {
		return entry.Name() == path.Base(socket) && entry.Type()&fs.ModeSymlink != 0
	})
}

// refused is the finding where nothing listens. A daemon on another machine may be none of the runner's.
func refused(h *Host, at, socket string) Finding {
	info, err := h.Files.Stat(socket)
	if socket != "" && err == nil && info.IsDir() {
		return Failed(daemonDown, daemonSubject, at+" is a folder: docker made it, as nothing stood there when it was mounted",
			"remove the folder, then start docker").
			Try(h.daemon.site.sudo("rmdir "+shellWord(socket)), h.daemon.site.systemctl("restart docker"))
	}
	f := notRunning(h, "nothing listens at "+at+": the docker daemon does not run")
	if socket == "" {
		f.Message = fmt.Sprintf("nothing listens at %s, which %s names", at, h.Engine.Origin)
		f.Hint, f.Commands = "start the docker daemon there, or correct "+h.Engine.Origin, nil
		return f.As(Warn)
	}
	return f
}

// notRunning is the finding of a daemon of this machine that does not run.
func notRunning(h *Host, message string) Finding {
	return Failed(daemonDown, daemonSubject, message, "start the docker daemon, and look at its log if it ends").
		Try(h.daemon.site.systemctl("start docker"), h.daemon.site.log())
}

// stoppedDocker is the daemon's program on a host where docker once made containers and left no socket; "" where there is
// none, or another engine stands for it. A folder of data alone may be left of a docker that was removed.
func (h *Host) stoppedDocker(socket string) string {
	if h.inside || h.Engine.Origin != engine.Default || dangling(h, socket) || len(h.rootlessSockets()) > 0 ||
		absent(h, defaultDataRoot+"/containers") { // where it may not be looked at, it is there
		return ""
	}
	for _, program := range []string{"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"} {
		if _, err := h.Files.Stat(program); err == nil {
			return program
		}
	}
	return ""
}

// introduced is the finding where the daemon says who it is.
func introduced(h *Host) Finding {
	told := h.Told
	if !docker(told) {
		return Skipped(daemonSubject, fmt.Sprintf("%s %s answers, and no docker daemon, which the runner is made for: its "+
			"containers are known, and not how it pulls; what this process sees stands for it",
			clip(told.Product), clip(told.Version))).With("product", clip(told.Product)).With("version", clip(told.Version)).
			With("address", daemonPlace(h)).With("found_by", h.Engine.Origin)
	}
	return Passed(daemonSubject, fmt.Sprintf("Docker %s answers (API %s to %s, %s)", clip(told.Version), clip(told.MinAPIVersion),
		clip(told.APIVersion), clip(told.OperatingSystem))).
		With("version", clip(told.Version)).With("api", clip(told.APIVersion)).With("min_api", clip(told.MinAPIVersion)).
		With("platform", clip(told.Platform)).With("address", daemonPlace(h)).With("found_by", h.Engine.Origin).
		With("storage_driver", clip(told.StorageDriver)).With("image_store", imageStore(told)).
		With("cgroup_version", clip(told.CgroupVersion))
}

// imageStore is who keeps the daemon's images.
func imageStore(told *engine.Info) string {
	if told.ContainerdStore {
		return "containerd"
	}
	return "docker"
}

// docker tells docker's own daemon from others that serve its API.
func docker(told *engine.Info) bool { return strings.HasPrefix(told.Product, "Docker") }

// client is the command line that comes with what answers: Podman's may be there without docker's.
func (h *Host) client() string {
	if h.Told != nil && strings.HasPrefix(h.Told.Product, "Podman") {
		return "podman"
	}
	return "docker"
}
