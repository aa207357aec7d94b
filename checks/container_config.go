package checks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/runner"
)

var containerConfig = Check{
	Name:  "container-config",
	Title: "The running runner has today's config.json",
	Doc: "Compares the config.json inside of a runner's container, which `check` finds by itself or by the file that it is " +
		"given, with the file of this host that is mounted there: as the container's own processes have it, where this " +
		"process may look into them (root on the host), else as docker shows it. The runner reads it once, when it starts.",
	Problems: []*Problem{configStale, configIsDirectory},
	Run: func(ctx context.Context, h *Host) []Finding {
		if h.mounts != nil {
			return []Finding{ownConfig(ctx, h)}
		}
		return eachContainer(h, func(r *Runner, live *liveRunner) Finding { return insideFinding(ctx, h, r, live) })
	},
}

var configStale = &Problem{
	ID:    "config-stale",
	Title: "The runner works with an older config.json",
	Doc: "The runner reads config.json once, when it starts, and keeps what it read. And where the file itself is mounted " +
		"(not its folder), `docker login` and most editors put a new file in its place: the container keeps the old one " +
		"until it is restarted. What this report says of the file is then not yet true of the runner. Restart it: that mounts " +
		"the new file. Root on the host sees what the container really has: another text there fails. The same text warns, if " +
		"the container's file was written after the container started, as the runner may have read another one before.",
	Source: "how docker-java, which the runner very probably uses, reads it; docker's documentation of bind mounts; that " +
		"a restart mounts the new file was measured with Docker 20.10",
	Explains: []string{"credentials-missing", "credentials-rejected"},
}

// insideFinding judges the config.json in one container.
func insideFinding(ctx context.Context, h *Host, r *Runner, live *liveRunner) Finding {
	c, inside := live.Container, path.Join(configFolderOf(r.Definition), configName)
	switch {
	case r.Config != nil && errors.Is(r.Config.Err, ErrIsDirectory):
		return Skipped(c.Name, "a folder is mounted there (see config-file)")
	case folderBefore(c, inside):
		return Failed(configIsDirectory, inside, inside+" is a folder in the container, as the source of the mount was not there "+
			"when it was made, and docker cannot mount the file that is there now onto it",
			"remove the container, and run the runner's own command again").
			At(r.Definition.Place).On(r.Name).Touching(Container(c.Name)).Try(h.removal(c)...)
	case c.State != "running":
		return Skipped(c.Name, "the container does not run: it reads config.json when it starts")
	}
	seen, err := contained(ctx, h, c, inside)
	failed := (*engine.Failure)(nil)
	switch {
	case errors.Is(err, engine.ErrIsDirectory), errors.Is(err, ErrIsDirectory):
		return folderInside(h, r, c, inside)
	case errors.Is(err, fs.ErrNotExist):
		return Skipped(c.Name, "there is no "+inside+" in the container")
	case errors.As(err, &failed) && configBarred(h, r): // a rootless daemon is nobody else than root of its containers
		return Skipped(c.Name, "root of the container may not read "+inside+" (see daemon-settings)")
	case errors.As(err, &failed):
		return Erred(notEstablished, c.Name, "what "+inside+" in the container holds is not known: "+clip(failed.Detail),
			"run this as a user who may use docker's socket").On(c.Name)
	case r.Config == nil || r.Config.Origin != ConfigMount || r.Config.File == nil:
		return Skipped(c.Name, "the file of this host that is mounted there is not known")
	case !h.mountedInto(live.made(), inside, r.Config.Path):
		return Skipped(c.Name, "the container has something else mounted there than "+r.Config.Path)
	}
	return staleness(h, r, c, seen)
}

// folderBefore tells whether docker could not start a container as it once made a folder at a path where there is a file
// now. Source: measured with Docker 20.10.
func folderBefore(c *engine.Container, name string) bool {
	return mountedOntoOther.MatchString(c.Unstarted) && strings.Contains(c.Unstarted, fmt.Sprintf("to rootfs at %q", name))
}

var mountedOntoOther = regexp.MustCompile(`(?i)` + printsDirectory)

// mountedInto tells whether what a container has at a path is that file of the host.
func (h *Host) mountedInto(made *runner.Definition, inside, file string) bool {
	if made == nil {
		return false
	}
	_, source, found := runner.Cover(made.Mounts, inside)
	has, _ := h.canonical(source)
	wanted, _ := h.canonical(file)
	return found && has == wanted
}

// containedFile is a file of a container.
type containedFile struct {
	data []byte
	// modified is when it was written last; zero if that is not known.
	modified time.Time
	// replaced says that it is mounted by itself, and that the host has put another in its place, or none.
	replaced bool
}

// contained reads a file of a container that runs. What its processes have comes before what the daemon shows, which
// looks the sources of mounts up anew and so shows a file that the container does not have yet. Source: measured with
// Docker 20.10.
func contained(ctx context.Context, h *Host, c *engine.Container, name string) (containedFile, error) {
	if seen, known, err := h.containedInProcess(c, name); known {
		return seen, err
	}
	data, err := h.Engine.File(ctx, c.ID, name)
	return containedFile{data: data}, err
}

// containedInProcess reads it in the file system of the container's first process, where this one may look into it: as
// root, on the daemon's machine, with that one's process numbers. That it is the container's is proved by its mounts, and
// asked after the file was opened: a number that has come to another process by then is found out.
func (h *Host) containedInProcess(c *engine.Container, name string) (seen containedFile, known bool, err error) {
	if c.Process == 0 || h.Within == nil {
		return seen, false, nil
	}
	process := fmt.Sprintf("/proc/%d", c.Process)
	data, info, err := h.Within(process+"/root", name)
	table, unread := h.Files.ReadFile(process + "/mountinfo")
	mounts := engine.ReadMounts(table)
	switch {
	case unread != nil || !mounts.Of(c.ID):
		return seen, false, nil
	case err != nil:
		return seen, errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrIsDirectory), err
	}
	mounted, _ := mounts.At(name)
	return containedFile{data, info.ModTime(), mounted.Deleted}, true, nil
}

// folderInside is the finding where a folder stands in the place of config.json in a container. What a rootless daemon has
// below /etc and /run is what was there when it started. Source: RootlessKit's --copy-up; measured on docker 20.10.
func folderInside(h *Host, r *Runner, c *engine.Container, inside string) Finding {
	message := inside + " is a folder in the container: docker made it, as the source of the mount was not there"
	hint := "remove the container and the folder on the host, put the file there, and run the runner's own command again"
	commands := h.removal(c)
	if r.Config != nil && r.Config.Origin == ConfigMount && r.Config.File != nil {
		message += fmt.Sprintf(": %s of this host came later", clip(r.Config.Path))
		hint = "remove the container, and run the runner's own command again"
		copied := strings.HasPrefix(r.Config.Path, "/etc/") || strings.HasPrefix(r.Config.Path, "/run/")
		if h.daemon.site.rootless && copied {
			message += "; a rootless daemon has of /etc and /run what was there when it started"
			hint = "restart the daemon, remove the container, and run the runner's own command again"
			commands = append([]string{h.daemon.site.systemctl("restart docker")}, commands...)
		}
	}
	return Failed(configIsDirectory, inside, message, hint).At(r.Definition.Place).On(r.Name).Try(commands...)
}

// staleness compares what is in the container, and when that began, with the file of the host.
func staleness(h *Host, r *Runner, c *engine.Container, seen containedFile) Finding {
	name := r.Config.Path
	host, err := h.Files.ReadFile(name)
	info, unseen := h.Files.Stat(name)
	if err != nil || unseen != nil {
		return Skipped(c.Name, name+" could not be read")
	}
	stale := func(status Status, message string) Finding {
		return Failed(configStale, name, message, "restart the runner").As(status).At(r.Config.File.Source.Whole()).
			On(name).Try(h.client() + " restart " + c.Word()).Touching(Path(name)).Touching(overrideReferences(r)...)
	}
	modified := seen.modified
	if modified.IsZero() {
		modified = info.ModTime()
	}
	switch {
	case !bytes.Equal(host, seen.data) && seen.replaced:
		return stale(Fail, fmt.Sprintf("%s was replaced by another file, and the container %s still has the one from before",
			name, c.Name))
	case !bytes.Equal(host, seen.data):
		return stale(Fail, fmt.Sprintf("the container %s still has another config.json than %s", c.Name, name))
	case !c.Started.IsZero() && modified.After(c.Started):
		return stale(Warn, fmt.Sprintf("%s was changed after the container %s started, which read it before", name, c.Name))
	}
	return Passed(c.Name, "the container has "+name+" as it is today")
}
