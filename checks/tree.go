package checks

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/git"
	"runner-preflight/checks/runner"
)

// Folder is a folder that the user named, as it was walked: what in it is a runner's is among Input.Files.
type Folder struct {
	Path string
	// Looked is how many files were looked at, Ignored how many files and folders git's ignore files leave out.
	Looked, Ignored int
	// Large are the texts that are too large to be a runner's, and were not read.
	Large []string
	// Unread are the folders and files that could not be read: a runner may be in them.
	Unread []Unread
}

// Unread is a path with what kept it from being read.
type Unread struct {
	Path string
	Err  error
}

// TreeFiles is the file system as a walk needs it.
type TreeFiles interface {
	Files
	// Open opens a file without waiting, whatever it is, and follows no link.
	Open(path string) (fs.File, error)
}

const (
	// headSize is how much of a file tells whether it is text, in bytes.
	headSize = 4 << 10
	// maxFound is how large a file may be that is found in a folder, in bytes: no runner's is nearly as large.
	maxFound = 4 << 20
)

// Walk looks for runner definitions and config.json files in a folder, by their content. It leaves out what git does
// (but for the user's own excludes file), and follows no links: what they lead to in the folder is met anyway, and
// the rest was not given. Of what it passes over nothing stays in memory. The files come in the order of their names.
func Walk(windows Windows, files TreeFiles, folder string) (Folder, []InputFile) {
	w := &walk{windows: windows, files: files, folder: Folder{Path: folder}, jobs: make(chan job, 256)}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(w.work)
	}
	var around git.Folder
	if absolute, known := windows.canonical(folder); known {
		around = git.Around(files, absolute)
	}
	w.visit(folder, around)
	close(w.jobs)
	workers.Wait()
	slices.SortFunc(w.found, func(a, b foundFile) int { return a.number - b.number })
	slices.Sort(w.folder.Large)
	slices.SortFunc(w.folder.Unread, func(a, b Unread) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	var found []InputFile
	for _, f := range w.found {
		found = append(found, f.InputFile)
	}
	return w.folder, found
}

// walk is what is known while a folder is walked: one goroutine lists folders, several look into files.
type walk struct {
	windows Windows
	files   TreeFiles
	jobs    chan job
	// numbers counts the files that were listed.
	numbers int

	mutex  sync.Mutex
	folder Folder
	found  []foundFile
}

// job is a file to look into, with its place in the order.
type job struct {
	path   string
	number int
}

type foundFile struct {
	InputFile
	number int
}

// visit lists a folder and all below it.
func (w *walk) visit(path string, around git.Folder) {
	entries, err := w.files.ReadDir(path)
	if err != nil {
		w.unread(path, err)
	}
	around = around.In(w.files, path, entries)
	for _, entry := range entries {
		name, folder := entry.Name(), entry.IsDir()
		switch {
		case name == ".git", !folder && !entry.Type().IsRegular():
			continue
		case around.LeavesOut(name, folder):
			w.mutex.Lock()
			w.folder.Ignored++
			w.mutex.Unlock()
		case folder:
			w.visit(filepath.Join(path, name), around.Below(name))
		default:
			w.numbers++
			w.jobs <- job{filepath.Join(path, name), w.numbers}
		}
	}
}

// unread notes what could not be read. What is gone since it was listed could not be a runner's.
func (w *walk) unread(path string, err error) {
	if errors.Is(err, fs.ErrNotExist) && path != w.folder.Path {
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.folder.Unread = append(w.folder.Unread, Unread{path, err})
}

// work looks into files until there are no more.
func (w *walk) work() {
	var text []byte
	looked := 0
	for job := range w.jobs {
		var err error
		if text, err = w.look(job.path, text); err != nil {
			w.unread(job.path, err)
			continue
		}
		looked++
		if dockerconfig.Recognise(job.path, text) || runner.Candidate(text) {
			file := InputFile{Path: job.path, Data: bytes.Clone(text), Folder: w.folder.Path}
			w.mutex.Lock()
			w.found = append(w.found, foundFile{file, job.number})
			w.mutex.Unlock()
		}
	}
	w.mutex.Lock()
	w.folder.Looked += looked
	w.mutex.Unlock()
}

// look reads a file into a buffer that is used again; nothing of it if it is no text, or too large.
func (w *walk) look(path string, buffer []byte) ([]byte, error) {
	buffer = buffer[:0]
	file, err := w.files.Open(path)
	if err != nil {
		return buffer, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return buffer, err
	}
	buffer = slices.Grow(buffer, headSize)
	n, err := io.ReadFull(file, buffer[:headSize])
	buffer = buffer[:n]
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case err != nil && !whole:
		return buffer[:0], err
	case runner.Binary(buffer):
		return buffer[:0], nil
	case whole:
		return buffer, nil
	case info.Size() > maxFound:
		w.large(path)
		return buffer[:0], nil
	}
	return readRest(file, buffer, int(info.Size()))
}

// readRest reads a file to its end, or as far as it may go, behind what is known of it.
func readRest(file io.Reader, buffer []byte, size int) ([]byte, error) {
	buffer = slices.Grow(buffer, max(size-len(buffer), 0)+1)
	for len(buffer) <= maxFound {
		if len(buffer) == cap(buffer) {
			buffer = slices.Grow(buffer, headSize)
		}
		n, err := file.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buffer, nil
		case err != nil:
			return buffer[:0], err
		}
	}
	return buffer[:0], nil // it grows while it is read
}

func (w *walk) large(path string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.folder.Large = append(w.folder.Large, path)
}
