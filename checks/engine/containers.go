package engine

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"runner-preflight/checks/source"
)

// Bounds on what is read of a container.
const (
	maxContainers = 100
	maxFile       = 20 << 20
	maxLog        = 1 << 20
	// maxName is in characters, and no name of docker's own is longer.
	maxName = 200
	// maxInspected is for what docker inspect prints of all of them.
	maxInspected = 4 << 20
	// maxVariables is for the variables of all of them: a container has some ten, or some hundred.
	maxVariables = 50_000
)

// Container is one container of the daemon, running or not.
type Container struct {
	// ID is the whole; Name is without its slash, in one line.
	ID, Name string
	// Image is as it was named when the container was made.
	Image string
	// State is docker's word: running, exited, restarting, created, paused, dead.
	State string
	// ExitCode and Restarts are how it ended last, and how often it was started anew.
	ExitCode, Restarts int
	// Unstarted is why docker could not start it, in docker's own words; "" if it could.
	Unstarted string
	// OutOfMemory says that the kernel ended it for its use of memory.
	OutOfMemory bool
	// MemoryLimit is how much it may use, in bytes; 0 is no limit.
	MemoryLimit int64
	// Process is the number of its first process on the daemon's machine, 0 if it has none; Started is when that began,
	// zero if that is not known.
	Process int
	Started time.Time
	// Terminal says that its output is a terminal's.
	Terminal bool
	// Environment are its variables, NAME=value.
	Environment []string
	// Raw is what docker inspect prints of it, an object.
	Raw json.RawMessage
}

// Containers are the daemon's containers: at most 100 of them, those that run first, and of the others the youngest.
// Its error is a *Failure.
func (e *Engine) Containers(ctx context.Context) ([]Container, error) { return e.seen(ctx) }

func (e *Engine) list(ctx context.Context) ([]Container, error) {
	c, err := e.open()
	if err != nil {
		return nil, failure(ctx, err)
	}
	listed, err := listed(ctx, c)
	if err != nil {
		return nil, failure(ctx, err)
	}
	var found []Container
	size, variables := 0, 0
	for _, item := range listed {
		inspected, err := c.ContainerInspect(ctx, item.ID, client.ContainerInspectOptions{})
		if err != nil {
			if f := failure(ctx, err); ctx.Err() != nil || f.Kind == NotDocker {
				return found, f
			}
			continue // it is gone by now
		}
		one := containerOf(inspected)
		size, variables = size+len(one.Raw), variables+len(one.Environment)
		if size > maxInspected || variables > maxVariables {
			return found, &Failure{Kind: NotDocker, Detail: tooMuch}
		}
		found = append(found, one)
	}
	return found, nil
}

// containerOf is what is kept of what the daemon tells of a container.
func containerOf(inspected client.ContainerInspectResult) Container {
	said := inspected.Container
	one := Container{
		ID: said.ID, Name: source.Shortened(source.Printable(strings.TrimPrefix(said.Name, "/")), maxName),
		Restarts: said.RestartCount, Raw: inspected.Raw,
	}
	if said.Config != nil {
		one.Image, one.Environment = said.Config.Image, said.Config.Env
		one.Terminal = said.Config.Tty
	}
	if said.HostConfig != nil {
		one.MemoryLimit = said.HostConfig.Memory
	}
	if said.State != nil {
		one.State, one.ExitCode = string(said.State.Status), said.State.ExitCode
		one.Unstarted, one.OutOfMemory = said.State.Error, said.State.OOMKilled
		one.Process = said.State.Pid
		one.Started, _ = time.Parse(time.RFC3339Nano, said.State.StartedAt)
	}
	return one
}

// listed are the containers that are looked at: those that run, or are started again and again, and then the youngest.
// They are asked for by themselves, as a runner may be older than any number of its steps' containers.
func listed(ctx context.Context, c *client.Client) ([]container.Summary, error) {
	var found []container.Summary
	for _, state := range []container.ContainerState{container.StateRunning, container.StateRestarting, ""} {
		options := client.ContainerListOptions{All: true, Limit: maxContainers}
		if state != "" {
			options.Filters = make(client.Filters).Add("status", string(state))
		}
		more, err := c.ContainerList(ctx, options)
		switch {
		case err != nil && state == container.StateRestarting && ctx.Err() == nil:
			continue // Podman 4 knows no such state, and fails
		case err != nil:
			return nil, err
		}
		for _, item := range more.Items[:min(len(more.Items), maxContainers)] {
			if !slices.ContainsFunc(found, func(c container.Summary) bool { return c.ID == item.ID }) {
				found = append(found, item)
			}
		}
	}
	return runningFirst(found), nil
}

// Word is what docker's commands are given for the container: its name where that can be one of docker's, and is no option
// or another command to a shell, else its ID.
func (c Container) Word() string {
	switch {
	case plainName.MatchString(c.Name):
		return c.Name
	case plainName.MatchString(c.ID):
		return c.ID
	}
	return NoWord
}

// NoWord stands for a container that has no name which can be given to a command.
const NoWord = "CONTAINER"

// plainName matches docker's names. Source: docker's engine, daemon/names.
var plainName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// runningFirst are the containers that are looked at, in the daemon's own order (the youngest first) but for those that
// run, or are started again and again.
func runningFirst(items []container.Summary) []container.Summary {
	rests := func(c container.Summary) int {
		if c.State == container.StateRunning || c.State == container.StateRestarting {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(items, func(a, b container.Summary) int { return rests(a) - rests(b) })
	return items[:min(len(items), maxContainers)]
}

// ErrIsDirectory says that a folder stands where a file was asked for.
var ErrIsDirectory = &Failure{Kind: Failed, Detail: "is a directory"}

// File reads a file of a container, running or not; symbolic links are followed. Its error is ErrIsDirectory, wraps
// fs.ErrNotExist, or is another *Failure.
func (e *Engine) File(ctx context.Context, id, path string) ([]byte, error) {
	c, err := e.open()
	if err != nil {
		return nil, failure(ctx, err)
	}
	for range 4 {
		got, err := c.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: path})
		if err != nil {
			f := failure(ctx, err)
			if f.Kind == NotFound {
				f.err = fs.ErrNotExist
			}
			return nil, f
		}
		data, link, err := first(got.Content)
		_ = got.Content.Close()
		if link == "" {
			return data, err
		}
		if !strings.HasPrefix(link, "/") {
			link = path[:strings.LastIndexByte(path, '/')+1] + link
		}
		path = link
	}
	return nil, &Failure{Kind: Failed, Detail: "too many symbolic links", err: fs.ErrInvalid}
}

// first is the first file of an archive, or where the first link leads.
func first(archive io.Reader) (data []byte, link string, err error) {
	reader := tar.NewReader(archive)
	header, err := reader.Next()
	if err != nil {
		return nil, "", &Failure{Kind: Failed, Detail: "the daemon sends no archive", err: err}
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return nil, "", ErrIsDirectory
	case tar.TypeSymlink, tar.TypeLink:
		return nil, header.Linkname, nil
	}
	data, err = io.ReadAll(io.LimitReader(reader, maxFile+1))
	if err != nil || len(data) > maxFile {
		return nil, "", &Failure{Kind: Failed, Detail: "it could not be read whole", err: err}
	}
	return data, "", nil
}

// Log returns the last lines that a container printed since a time (zero for any), oldest first. Its error is a
// *Failure; some log drivers cannot be read.
func (e *Engine) Log(ctx context.Context, of Container, since time.Time, lines int) ([]string, error) {
	c, err := e.open()
	if err != nil {
		return nil, failure(ctx, err)
	}
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)}
	if !since.IsZero() {
		options.Since = strconv.FormatInt(since.Unix(), 10)
	}
	got, err := c.ContainerLogs(ctx, of.ID, options)
	if err != nil {
		return nil, failure(ctx, err)
	}
	defer func() { _ = got.Close() }()
	stream := io.LimitReader(got, maxLog)
	if !of.Terminal {
		stream = unframed(stream)
	}
	var out []string
	scanner := bufio.NewScanner(stream)
	scanner.Buffer(nil, maxLog)
	for scanner.Scan() {
		out = append(out, strings.TrimRight(scanner.Text(), "\r"))
	}
	return out, nil
}

// unframed takes out the headers with which the daemon tells standard output and standard error apart: eight bytes,
// the last four a length. Source: docker's API, "attach to a container".
func unframed(stream io.Reader) io.Reader {
	var text bytes.Buffer
	header := make([]byte, 8)
	for {
		if _, err := io.ReadFull(stream, header); err != nil {
			return &text
		}
		if _, err := io.CopyN(&text, stream, int64(binary.BigEndian.Uint32(header[4:]))); err != nil {
			return &text
		}
	}
}
