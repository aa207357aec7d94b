package checks

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
	lab "runner-preflight/checks/scene"
)

var update = flag.Bool("update", false, "write the want.txt files and checks/README.md anew")

// scene is a case's scene.json: what the files of the folder do not say.
type scene struct {
	// Mode is lint (the default) or check.
	Mode string
	// Files are the FILE arguments; by default every file of the folder but scene.json, want.txt and the file of ignores.
	Files []string
	// Config is --config; Images, Platform and Endpoints are the flags of these names.
	Config    string
	Images    map[Role]string
	Platform  string
	Endpoints []Endpoint
	Env       map[string]string
	// Caller is who called sudo.
	Caller Caller
	// Folder is the current folder's absolute path; empty when unknown.
	Folder string
	// Offline is --offline.
	Offline bool
	// Told is what docker's daemon says of itself, Machine what this one runs, Space the room of file systems, by path.
	Told    *engine.Info
	Machine string
	Space   map[string]Space
	// The network, under check; env's HTTPS_PROXY and NO_PROXY apply. A name that is not there does not exist.
	lab.Scene
	// Untold is why the docker daemon does not answer, where it is none that answers from the folder engine/ of the case;
	// Socket is then where it is looked for, or where the daemon of Told listens, which is asked nothing.
	Untold *engine.Failure
	Socket string
	// Own is the tool's own environment, where it is the definition.
	Own []string
	// Modes are files' modes in octal, by path; "unreadable" makes reading fail, "hidden" looking too. Written is when files
	// were written last, Owners whom they belong to.
	Modes   map[string]string
	Written map[string]time.Time
	Owners  map[string]Owner
	// SlowAfter is a minute unless the case is about slowness: a busy machine is slow too.
	SlowAfter lab.Duration `json:"slow_after"`
	// PingTime is a minute unless the case is about a daemon that never answers.
	PingTime lab.Duration `json:"ping_time"`
}

// TestCases runs each check on the folders of testdata that bear its name, and compares what it finds with want.txt.
func TestCases(t *testing.T) {
	for _, check := range All() {
		folders, err := filepath.Glob(filepath.Join("..", "testdata", check.Name, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(folders) == 0 {
			t.Errorf("%s has no cases", check.Name)
		}
		for _, folder := range folders {
			t.Run(check.Name+"/"+filepath.Base(folder), func(t *testing.T) {
				t.Parallel()
				testCase(t, check, folder)
			})
		}
	}
}

func testCase(t *testing.T, check Check, folder string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	host := hostOf(t, folder)
	selection := Selection{Checks: []Check{check}}
	if check.Name == ignoresValid.Name { // which judges what the others find
		selection.Checks = All()
	}
	var got strings.Builder
	for _, result := range Run(ctx, host, selection) {
		for _, finding := range result.Findings {
			if result.Check.Name == check.Name || finding.Ignored != nil {
				got.WriteString(line(finding))
			}
		}
	}
	path := filepath.Join(folder, "want.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// line is a finding in its stable form: STATUS PROBLEM PLACE SUBJECT: MESSAGE | HINT | $ COMMAND.
func line(f Finding) string {
	var out strings.Builder
	if f.Ignored != nil {
		fmt.Fprintf(&out, "[ignored by %s: %s] ", f.Ignored.Location.Position(), f.Ignored.Reason)
	}
	fmt.Fprint(&out, f.Status)
	if f.Problem != nil {
		fmt.Fprint(&out, " ", f.Problem.ID)
	}
	if place := f.Location.Position(); place.Path != "" {
		fmt.Fprint(&out, " ", place)
	}
	fmt.Fprintf(&out, " %s: %s", f.Subject, f.Message)
	if f.Hint != "" {
		fmt.Fprint(&out, " | ", f.Hint)
	}
	for _, command := range f.Commands {
		fmt.Fprint(&out, " | $ ", command)
	}
	return durations.ReplaceAllString(out.String(), "${1}N $2") + "\n"
}

// durations are what each run measures anew.
var durations = regexp.MustCompile(`(\b(?:dns|tcp|proxy|tls|http) |: |\()\d+(?:\.\d)? (ms|s until|s\))`)

// hostOf builds the host that a case's folder describes.
func hostOf(t *testing.T, folder string) *Host {
	t.Helper()
	s := readScene(t, folder)
	files := folderFiles{folder, s.Modes, s.Written}
	in := Input{
		Config: s.Config, Images: s.Images, Platform: s.Platform, Endpoints: s.Endpoints,
		Live: s.Mode == "check", Offline: s.Mode != "check" || s.Offline,
	}
	if in.Live {
		in.Told, in.Machine, in.Caller = s.Told, s.Machine, s.Caller
		in.Env = func(name string) string { return s.Env[name] }
		in.Route = route(t, s)
		engineOf(t, folder, &in)
		if s.Untold != nil || s.Told != nil && s.Socket != "" {
			in.Untold = s.Untold
			address := engine.Address{Host: "unix:///var/run/docker.sock", Origin: "docker's default"}
			if s.Socket != "" {
				address = engine.Address{Host: s.Socket, Origin: "DOCKER_HOST"}
			}
			in.Engine = engine.New(address, time.Second)
		}
	}
	if len(s.Own) > 0 {
		in.Files = []InputFile{{Path: EnvironmentPath, Data: []byte(strings.Join(s.Own, "\n") + "\n")}}
	}
	for _, name := range s.Files {
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		in.Files = append(in.Files, InputFile{Path: name, Data: data})
	}
	now := func() time.Time { return s.Now }
	windows := Windows{Files: files, Folder: s.Folder, Now: now, Within: files.within, Owner: s.owner, Space: s.space}
	host, err := Build(t.Context(), in, windows)
	if err != nil {
		t.Fatal(err)
	}
	host.PingTime = time.Duration(s.PingTime)
	return host
}

// owner is whom a case's file belongs to.
func (s scene) owner(path string) (Owner, error) {
	owner, known := s.Owners[path]
	if !known {
		return owner, fs.ErrNotExist
	}
	return owner, nil
}

// space is the room of a case's file system.
func (s scene) space(path string) (Space, error) {
	space, known := s.Space[path]
	if !known {
		return space, fs.ErrNotExist
	}
	return space, nil
}

// route is the way into the case's network.
func route(t *testing.T, s scene) network.Config {
	t.Helper()
	l, err := lab.Start(s.Scene)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	config := l.Config()
	config.SlowAfter = time.Duration(s.SlowAfter)
	config.Proxy = network.ProxyFromEnv(func(name string) string { return s.Env[name] })
	return config
}

func readScene(t *testing.T, folder string) scene {
	t.Helper()
	s := scene{Scene: lab.Scene{
		Now:          time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		PhaseTimeout: lab.Duration(5 * time.Second), Hasty: true,
	}, SlowAfter: lab.Duration(time.Minute), PingTime: lab.Duration(time.Minute)}
	data, err := os.ReadFile(filepath.Join(folder, "scene.json"))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if s.Files == nil && s.Mode != "check" {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !entry.IsDir() && !slices.Contains([]string{"scene.json", "want.txt", IgnoreFile}, entry.Name()) {
				s.Files = append(s.Files, entry.Name())
			}
		}
	}
	return s
}

// folderFiles shows a case's folder as the current one, and its folder "root" as the root of the file system. What git
// would take for its own is kept under another name: .git as dot-git.
type folderFiles struct {
	folder  string
	modes   map[string]string
	written map[string]time.Time
}

func (f folderFiles) real(path string) string {
	path = strings.ReplaceAll(path, "/.git", "/dot-git")
	if filepath.IsAbs(path) {
		return filepath.Join(f.folder, "root", path)
	}
	return filepath.Join(f.folder, path)
}

func (f folderFiles) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(f.real(path)) }

func (f folderFiles) ReadFile(path string) ([]byte, error) {
	if f.modes[path] == "unreadable" {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return os.ReadFile(f.real(path))
}

func (f folderFiles) Stat(path string) (fs.FileInfo, error) {
	if f.modes[path] == "hidden" {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: fs.ErrPermission}
	}
	info, err := os.Stat(f.real(path))
	if mode, ok := f.modes[path]; ok && err == nil && mode != "unreadable" {
		bits, parseErr := strconv.ParseUint(mode, 8, 32)
		if parseErr != nil {
			return nil, parseErr
		}
		return modeInfo{info, fs.FileMode(bits)}, nil
	}
	return f.dated(info, path), err
}

// within reads a file as main does, out of whose folder no link leads.
func (f folderFiles) within(folder, name string) ([]byte, fs.FileInfo, error) {
	file, err := os.OpenInRoot(f.real(folder), strings.TrimPrefix(name, "/"))
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		return nil, nil, ErrIsDirectory
	}
	data, err := io.ReadAll(file)
	return data, f.dated(info, folder+name), err
}

// dated is what is known of a file, written when the case says.
func (f folderFiles) dated(info fs.FileInfo, path string) fs.FileInfo {
	if at, known := f.written[path]; known {
		return datedInfo{info, at}
	}
	return info
}

type datedInfo struct {
	fs.FileInfo
	written time.Time
}

func (d datedInfo) ModTime() time.Time { return d.written }

type modeInfo struct {
	fs.FileInfo
	mode fs.FileMode
}

func (m modeInfo) Mode() fs.FileMode { return m.FileInfo.Mode().Type() | m.mode }
