package checks

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/engine"
)

// liveFiles are the runners among a daemon's containers, each as docker inspect prints it: what is found in one stands in
// the line in which that command shows it.
func liveFiles(containers []engine.Container) []InputFile {
	var files []InputFile
	for _, c := range containers {
		if !isLiveRunner(c) {
			continue
		}
		var text bytes.Buffer
		if err := json.Indent(&text, slices.Concat([]byte("["), c.Raw, []byte("]")), "", "    "); err == nil {
			files = append(files, InputFile{Path: liveName(c), Data: text.Bytes()})
		}
	}
	return files
}

// noFiles opens no file: a container names none.
func noFiles(name string) ([]byte, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// liveName is a container's name in the place of a file's.
func liveName(c engine.Container) string { return "<container " + c.Name + ">" }

// isLiveRunner tells a runner from the containers that it starts, and from all others: by its image, or by the variables
// that nothing but a runner has together.
func isLiveRunner(c engine.Container) bool {
	host, repository, _, _ := splitReference(c.Image)
	sets := func(name string) bool {
		return slices.ContainsFunc(c.Environment, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	return path.Base(repository) == runnerImageName || host == "" && repository == runnerImageName ||
		sets(envRunner) && sets(envClientID)
}

// liveContainer is the container that a runner was found as; nil for one that is known from files.
func liveContainer(containers []engine.Container, name string) *engine.Container {
	at := slices.IndexFunc(containers, func(c engine.Container) bool { return liveName(c) == name })
	if at < 0 {
		return nil
	}
	return &containers[at]
}
