package checks

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/runner"
)

// liveRunner is a runner's container, with what it was made with as docker inspect prints it: what is found in it stands in
// the line in which that command shows it.
type liveRunner struct {
	*engine.Container
	file InputFile
	// made reads it; nil if that cannot be done.
	made func() *runner.Definition
}

// liveRunners are the runners among a daemon's containers.
func liveRunners(in Input) []liveRunner {
	var live []liveRunner
	for i := range in.Containers {
		if c := &in.Containers[i]; isLiveRunner(c) {
			file := inspectFile(c, in.Told)
			live = append(live, liveRunner{c, file, sync.OnceValue(func() *runner.Definition { return inspected(file) })})
		}
	}
	return live
}

// inspectFile is what docker inspect prints of a container, under its name in the place of a file's. That command is named
// where its lines are these: what podman inspect prints is not what Podman tells docker's clients.
func inspectFile(c *engine.Container, told *engine.Info) InputFile {
	file := InputFile{Path: "<container " + c.Name + ">", Data: slices.Concat([]byte("["), c.Raw, []byte("]"))}
	if indented(file.Data) > maxBlanks {
		return file
	}
	var text bytes.Buffer
	_ = json.Indent(&text, file.Data, "", indentation) // the client has read it already
	file.Data = text.Bytes()
	if word := c.Word(); told != nil && docker(told) && word != engine.NoWord {
		file.printedBy = "docker inspect " + word
	}
	return file
}

// indentation is docker inspect's. What takes more than maxBlanks bytes of it for one container is not laid out: a few
// thousand brackets would take gigabytes.
const (
	indentation = "    "
	maxBlanks   = 1 << 20
)

// indented is how many bytes of indentation a JSON text takes.
func indented(text []byte) (count int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
			count += depth * len(indentation)
		case b == '}' || b == ']':
			depth--
			count += depth * len(indentation)
		case b == ',':
			count += depth * len(indentation)
		}
	}
	return count
}

// inspected is the runner in what docker inspect prints of one container; nil if there is none.
func inspected(file InputFile) *runner.Definition {
	in := runner.Input{Path: file.Path, Data: file.Data, PrintedBy: file.printedBy, Open: noFiles}
	if read := runner.ReadAll([]runner.Input{in})[0].Definitions; len(read) == 1 {
		return read[0]
	}
	return nil
}

// noFiles opens no file: a container names none.
func noFiles(name string) ([]byte, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// isLiveRunner tells a runner from the containers that it starts, and from all others: by its image, or by the variables
// that nothing but a runner has together.
func isLiveRunner(c *engine.Container) bool {
	host, repository, _, _ := splitReference(c.Image)
	sets := func(name string) bool {
		return slices.ContainsFunc(c.Environment, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	return path.Base(repository) == runnerImageName || host == "" && repository == runnerImageName ||
		sets(envRunner) && sets(envClientID)
}

// liveOf is the container that a runner runs in: the one that it was found as, else the one that its file makes. It is nil
// where none is found, and for this very process.
func (h *Host) liveOf(r *Runner) *liveRunner {
	if r.Definition == nil || r.Definition.Dialect.Inside() {
		return nil
	}
	at := slices.IndexFunc(h.live, func(l liveRunner) bool {
		return l.Container == r.Container || r.Container == nil && l.isOf(r.Definition)
	})
	if at < 0 {
		return nil
	}
	return &h.live[at]
}

// containerOf is the container that was read as a file of that name; nil for one that is known from files.
func (h *Host) containerOf(name string) *engine.Container {
	at := slices.IndexFunc(h.live, func(l liveRunner) bool { return l.file.Path == name })
	if at < 0 {
		return nil
	}
	return h.live[at].Container
}
