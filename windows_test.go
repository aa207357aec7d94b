//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"

	"runner-preflight/checks"
)

// What is read within a folder is in it, wherever links lead to, and nobody is waited for.
func TestWithin(t *testing.T) {
	outside, folder := t.TempDir(), filepath.Join(t.TempDir(), "root")
	secret := filepath.Join(outside, "config.json")
	for _, err := range []error{
		os.WriteFile(secret, []byte("outside"), 0o600),
		os.MkdirAll(filepath.Join(folder, "etc"), 0o755),
		os.WriteFile(filepath.Join(folder, "etc/config.json"), []byte("inside"), 0o600),
		os.Symlink("etc/config.json", filepath.Join(folder, "link")),
		os.Symlink(secret, filepath.Join(folder, "absolute")),
		os.Symlink("../../"+filepath.Base(outside)+"/config.json", filepath.Join(folder, "climbing")),
		os.Symlink(outside, filepath.Join(folder, "folder")),
		syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/etc/config.json", "etc/config.json", "/link"} {
		if data, info, err := within(folder, name); string(data) != "inside" || err != nil || info.Size() != 6 {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	for _, name := range []string{"/absolute", "/climbing", "/folder/config.json", "/../" + filepath.Base(outside), "/pipe", "/dev"} {
		if data, _, err := within(folder, name); err == nil {
			t.Errorf("%s: %q", name, data)
		}
	}
	if _, _, err := within(folder, "/etc"); !errors.Is(err, checks.ErrIsDirectory) {
		t.Error(err)
	}
	if _, _, err := within(folder, "/nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A file that is swapped for a pipe or a device between the look and the reading is not read: nobody writes into the pipe.
func TestReadSwapped(t *testing.T) {
	folder := t.TempDir()
	file, pipe := filepath.Join(folder, "config.json"), filepath.Join(folder, "pipe")
	for _, err := range []error{os.WriteFile(file, []byte("{}"), 0o600), syscall.Mkfifo(pipe, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that a read would wait for ever
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for _, name := range []string{pipe, "/dev/zero", folder} {
		swapped, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		if data, _, err := readRegular(swapped); !errors.Is(err, errNotRegular) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		_ = swapped.Close()
	}
	if data, err := (osFiles{}).ReadFile(file); string(data) != "{}" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
}

func TestCaller(t *testing.T) {
	self, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	if got, want := caller(self.Username), (checks.Caller{Name: self.Username, Home: self.HomeDir}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range []string{"", "no such user"} {
		if got := caller(name); got != (checks.Caller{}) {
			t.Errorf("%q called: %v", name, got)
		}
	}
}
