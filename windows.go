package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// maxInput bounds what is read of one file, in bytes.
const maxInput = 64 << 20

var (
	errTooLarge   = errors.New("larger than 64 MiB")
	errNotRegular = errors.New("not a regular file")
)

// osFiles is the machine's file system.
type osFiles struct{}

// Stat follows links.
func (osFiles) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// ReadFile reads a regular file of at most maxInput bytes: a device or a pipe would never end.
func (osFiles) ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "read", Path: path, Err: checks.ErrIsDirectory}
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, _, err := readRegular(file)
	return data, err
}

// readRegular reads a file that was opened, unless somebody has put a pipe, or a device, in its place since it was looked
// at.
func readRegular(file *os.File) ([]byte, fs.FileInfo, error) {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil, errors.Join(&fs.PathError{Op: "read", Path: file.Name(), Err: errNotRegular}, err)
	}
	data, err := readSized(file, info.Size())
	return data, info, err
}

// Open opens a file and follows no link. A pipe is opened without waiting for somebody to write into it.
func (osFiles) Open(path string) (fs.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|noFollow, 0)
}

// ReadDir returns a folder's entries, by name.
func (osFiles) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }

// within reads a regular file below a folder, out of which no link leads: neither an absolute one nor one that climbs. A
// device is not opened, nor is a pipe waited for.
func within(folder, name string) ([]byte, fs.FileInfo, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = root.Close() }()
	name = strings.TrimLeft(name, "/")
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, nil, err
	case info.IsDir():
		return nil, nil, &fs.PathError{Op: "read", Path: name, Err: checks.ErrIsDirectory}
	case !info.Mode().IsRegular():
		return nil, nil, &fs.PathError{Op: "read", Path: name, Err: errNotRegular}
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	return readRegular(file)
}

func readBounded(r io.Reader) ([]byte, error) { return readSized(r, 0) }

// readSized reads what is probably of the given size, so that no more memory is taken than that.
func readSized(r io.Reader, size int64) ([]byte, error) {
	data := bytes.NewBuffer(make([]byte, 0, min(size, maxInput)+bytes.MinRead))
	_, err := data.ReadFrom(io.LimitReader(r, maxInput+1))
	if err == nil && data.Len() > maxInput {
		return nil, errTooLarge
	}
	return data.Bytes(), err
}

// readInput reads a FILE argument. A pipe that the shell made of a command (<(…)) is read like standard input.
func readInput(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return readBounded(stdin)
	}
	info, err := os.Stat(name)
	if err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		pipe, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer pipe.Close()
		return readBounded(pipe)
	}
	return osFiles{}.ReadFile(name)
}

// sameFile tells whether two paths lead to one file that exists.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// writeWhole writes a file, and the folders above it, wholly or not at all. What is no regular file, as a device or a
// pipe, is written to and never replaced; of a link what it leads to is.
func writeWhole(path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case info.IsDir():
		return &fs.PathError{Op: "write", Path: path, Err: checks.ErrIsDirectory}
	case !info.Mode().IsRegular():
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(file), file.Close())
	default:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".runner-preflight-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(write(file), file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// writeFolder writes a report that is a folder, each file wholly or not at all, and takes away what is left there of a
// report before it.
func writeFolder(folder string, format report.FolderFormat, r report.Report) error {
	left := slices.Clone(format.Names)
	for _, file := range format.Files(r) {
		if err := writeWhole(filepath.Join(folder, file.Name), file.Write); err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(name string) bool { return name == file.Name })
	}
	for _, name := range left {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// realPath is an absolute path without links in it.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// reason says in plain words what is in the way of reading or writing a file.
func reason(err error) string {
	var number syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, checks.ErrIsDirectory):
		return "is a folder"
	case errors.Is(err, errTooLarge):
		return errTooLarge.Error()
	case errors.Is(err, errNotRegular):
		return errNotRegular.Error()
	case errors.As(err, &number):
		return number.Error()
	}
	return "cannot be read or written"
}
