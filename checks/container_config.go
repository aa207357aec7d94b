package checks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"runner-preflight/checks/engine"
)

var containerConfig = Check{
	Name:  "container-config",
	Title: "The running runner has today's config.json",
	Doc: "Compares the config.json inside of a runner's container with the file of this host that is mounted there. The " +
		"runner reads it once, when it starts.",
	Problems: []*Problem{configStale, configIsDirectory},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachContainer(h, func(r *Runner) []Finding { return []Finding{insideFinding(ctx, h, r)} })
	},
}

var configStale = &Problem{
	ID:    "config-stale",
	Title: "The runner works with an older config.json",
	Doc: "The runner reads config.json once, when it starts, and keeps what it read. And where the file itself is mounted " +
		"(not its folder), `docker login` and most editors put a new file in its place: the container keeps the old one " +
		"until it is restarted. What this report says of the file is then not yet true of the runner. Restart it.",
	Source:   "facts/runner-reader.md; docker's documentation of bind mounts",
	Explains: []string{"credentials-missing", "credentials-rejected"},
}

// insideFinding judges the config.json in one container.
func insideFinding(ctx context.Context, h *Host, r *Runner) Finding {
	c, inside := r.Container, path.Join(configFolderOf(r.Definition), configName)
	if c.State != "running" {
		return Skipped(c.Name, "the container does not run: it reads config.json when it starts")
	}
	data, err := h.Engine.File(ctx, c.ID, inside)
	failed := (*engine.Failure)(nil)
	switch {
	case errors.Is(err, engine.ErrIsDirectory):
		return Failed(configIsDirectory, inside, inside+" is a folder in the container: docker made it, as the source of "+
			"the mount was not there", "remove the folder on the host, put the file there, and make the container anew").
			At(r.Definition.Place).On(r.Name)
	case errors.Is(err, fs.ErrNotExist):
		return Skipped(c.Name, "there is no "+inside+" in the container")
	case errors.As(err, &failed):
		return Erred(notEstablished, c.Name, "what "+inside+" in the container holds is not known: "+clip(failed.Detail),
			"run this as a user who may use docker's socket").On(c.Name)
	case r.Config == nil || r.Config.Origin != ConfigMount || r.Config.File == nil:
		return Skipped(c.Name, "the file of this host that is mounted there is not known")
	}
	return staleness(h, r, data)
}

// staleness compares what is in the container, and when that began, with the file of the host.
func staleness(h *Host, r *Runner, inside []byte) Finding {
	c, name := r.Container, r.Config.Path
	host, err := h.Files.ReadFile(name)
	if err != nil {
		return Skipped(c.Name, name+" could not be read")
	}
	stale := func(status Status, message string) Finding {
		return Failed(configStale, name, message, "restart the runner").As(status).At(r.Config.File.Source.Whole()).
			On(name).Try("docker restart " + shellWord(c.Name)).Touching(Path(name)).Touching(overrideReferences(r)...)
	}
	if !bytes.Equal(host, inside) {
		return stale(Fail, fmt.Sprintf("the container %s still has another config.json than %s", c.Name, name))
	}
	info, err := h.Files.Stat(name)
	if began := startOf(c); err == nil && !began.IsZero() && info.ModTime().After(began) {
		return stale(Warn, fmt.Sprintf("%s was changed after the container %s started, which read it before", name, c.Name))
	}
	return Passed(c.Name, "the container has "+name+" as it is today")
}

// startOf is when a container started; zero if that is not known.
func startOf(c *engine.Container) time.Time {
	var said struct{ State struct{ StartedAt time.Time } }
	if json.Unmarshal(c.Raw, &said) != nil {
		return time.Time{}
	}
	return said.State.StartedAt
}
