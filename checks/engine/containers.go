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
	"strconv"
	"strings"

	"github.com/moby/moby/client"
)

// Bounds on what is read of a container.
const (
	maxContainers = 100
	maxFile       = 20 << 20
	maxLog        = 1 << 20
)

// Container is one container of the daemon, running or not.
type Container struct {
	// ID is the whole; Name is without its slash.
	ID, Name string
	// Image is as it was named when the container was made.
	Image string
	// State is docker's word: running, exited, restarting, created, paused, dead.
	State string
	// ExitCode and Restarts are how it ended last, and how often it was started anew.
	ExitCode, Restarts int
	// Terminal says that its output is a terminal's.
	Terminal bool
	// Environment are its variables, NAME=value.
	Environment []string
	// Raw is what docker inspect prints of it, an object.
	Raw json.RawMessage
}

// Containers are the daemon's containers for which wanted is true of their name and image, or of their variables. At
// most 100 of them are looked at, running ones first. Its error is a *Failure.
func (e *Engine) Containers(ctx context.Context) ([]Container, error) { return e.seen(ctx) }

func (e *Engine) list(ctx context.Context) ([]Container, error) {
	c, err := e.open()
	if err != nil {
		return nil, failure(ctx, err)
	}
	listed, err := c.ContainerList(ctx, client.ContainerListOptions{All: true, Limit: maxContainers})
	if err != nil {
		return nil, failure(ctx, err)
	}
	var found []Container
	for _, item := range listed.Items {
		inspected, err := c.ContainerInspect(ctx, item.ID, client.ContainerInspectOptions{})
		if err != nil {
			if ctx.Err() != nil {
				return found, failure(ctx, err)
			}
			continue // it is gone by now
		}
		said := inspected.Container
		container := Container{
			ID: said.ID, Name: strings.TrimPrefix(said.Name, "/"), Restarts: said.RestartCount, Raw: inspected.Raw,
		}
		if said.Config != nil {
			container.Image, container.Environment = said.Config.Image, said.Config.Env
			container.Terminal = said.Config.Tty
		}
		if said.State != nil {
			container.State, container.ExitCode = string(said.State.Status), said.State.ExitCode
		}
		found = append(found, container)
	}
	return found, nil
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

// Log returns the last lines that a container printed, oldest first. Its error is a *Failure; some log drivers cannot
// be read.
func (e *Engine) Log(ctx context.Context, container Container, lines int) ([]string, error) {
	c, err := e.open()
	if err != nil {
		return nil, failure(ctx, err)
	}
	got, err := c.ContainerLogs(ctx, container.ID, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines),
	})
	if err != nil {
		return nil, failure(ctx, err)
	}
	defer func() { _ = got.Close() }()
	stream := io.LimitReader(got, maxLog)
	if !container.Terminal {
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
