package checks

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diskFiles are the machine's, but for those that nobody may read: tests may run as root.
type diskFiles struct{ denied []string }

func (f diskFiles) permit(path string) error {
	if slices.Contains(f.denied, filepath.Base(path)) {
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return nil
}

func (f diskFiles) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

func (f diskFiles) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

func (f diskFiles) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := f.permit(path); err != nil {
		return nil, err
	}
	return os.ReadDir(path)
}

func (f diskFiles) Open(path string) (fs.File, error) {
	if err := f.permit(path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
}

// fill writes files into a folder.
func fill(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// walked is what a walk finds, below its folder.
func walked(folder string, files diskFiles) (Folder, []string) {
	report, found := Walk(Windows{Folder: folder}, files, folder)
	var names []string
	for _, file := range found {
		name, _ := filepath.Rel(folder, file.Path)
		names = append(names, name)
	}
	return report, names
}

// What may be in a folder neither stops a walk nor fools it.
func TestWalkHostile(t *testing.T) {
	const mark = "RUNNER_UUID=x\n"
	folder := t.TempDir()
	t.Chdir(folder)
	odd := []string{"a\nb.sh", "esc\x1b[2J.sh", "not-utf8-\xff.sh", "-rf", "a:b", " ", "...", "%s"}
	files := map[string]string{
		"a.sh": mark, "empty": "", "binary": "\x7fELF\x00" + mark, "line": strings.Repeat("x", 3<<20) + mark,
		"wide": "\xff\xfeR\x00U\x00N\x00N\x00E\x00R\x00_\x00U\x00U\x00I\x00D\x00", "late": strings.Repeat("#\n", 4<<10) + mark,
		"locked/run.sh": mark, "unreadable": mark, "in/.git/hooks/run.sh": mark, "in/.gitignore/run.sh": mark,
		strings.Repeat("deep/", 400) + "run.sh": mark,
	}
	for _, name := range odd {
		files[name] = mark
	}
	fill(t, folder, files)
	for name, target := range map[string]string{
		"loop": ".", "in/loop": "..", "self": "self", "lost": "nowhere", "twin": "a.sh", "device": "/dev/zero",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if socket, err := net.Listen("unix", "socket"); err == nil {
		defer socket.Close()
	}
	for name, size := range map[string]int64{"large.log": 1 << 30, "large.bin": 1 << 40} {
		if err := os.WriteFile(name, []byte(strings.Repeat("x", headSize)), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "large.bin" {
			size = min(size, 1<<30)
			if err := os.WriteFile(name, []byte{0}, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Truncate(name, size); err != nil {
			t.Fatal(err)
		}
	}
	started := time.Now()
	report, found := walked(".", diskFiles{denied: []string{"locked", "unreadable"}})
	if took := time.Since(started); took > 60*time.Second {
		t.Errorf("it took %v", took)
	}
	want := append([]string{
		"a.sh", "in/.gitignore/run.sh", "late", "line", "wide", strings.Repeat("deep/", 400) + "run.sh",
	}, odd...)
	slices.Sort(want)
	slices.Sort(found)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	unread := []Unread{{"locked", fs.ErrPermission}, {"unreadable", fs.ErrPermission}}
	same := func(a, b Unread) bool { return a.Path == b.Path && strings.Contains(b.Err.Error(), a.Err.Error()) }
	if !slices.EqualFunc(unread, report.Unread, same) {
		t.Errorf("unread: %v", report.Unread)
	}
	if diff := cmp.Diff([]string{"large.log"}, report.Large); diff != "" {
		t.Errorf("large (-want +got):\n%s", diff)
	}
}

// Files come in the order of their names, whoever reads them first.
func TestWalkInOrder(t *testing.T) {
	folder := t.TempDir()
	files := map[string]string{}
	for i := range 300 {
		files[fmt.Sprintf("%d/%d/run.sh", i%7, i)] = "RUNNER_UUID" + strings.Repeat("#", i%5*10_000)
	}
	fill(t, folder, files)
	_, first := walked(folder, diskFiles{})
	if len(first) != len(files) {
		t.Fatalf("%d files found", len(first))
	}
	for range 5 {
		if _, again := walked(folder, diskFiles{}); !slices.Equal(first, again) {
			t.Fatal("another order")
		}
	}
}

// Nothing stays in memory of what is passed over, nor is it taken for each file anew.
func TestWalkForgets(t *testing.T) {
	folder := t.TempDir()
	files := map[string]string{}
	for i := range 200 {
		files[fmt.Sprintf("%d.txt", i)] = strings.Repeat("text\n", 50_000)
	}
	fill(t, folder, files)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	report, _ := walked(folder, diskFiles{})
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; report.Looked != 200 || took > 8<<20 {
		t.Errorf("%d files of 250 kB took %d bytes", report.Looked, took)
	}
}

// A walk sees what git sees: what it lists is the expectation.
func TestWalkIgnores(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	folder := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{
			"-C", folder, "-c", "core.excludesFile=/dev/null", "-c", "user.name=x",
			"-c", "user.email=x", "-c", "protocol.file.allow=always",
		}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+folder)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return string(out)
	}
	const mark = "RUNNER_UUID"
	files := map[string]string{
		".gitignore":     "*.log\n!keep.log\n/top\nbuild/\ndocs/**/*.sh\n# " + mark + "\na?c\n[xy]z\n\\#odd\nforced/\n",
		"sub/.gitignore": "local*\n!build/\n/here\n# " + mark + "\n", "sub/deep/.gitignore": "!*.log\n# " + mark + "\n",
		"a.log": mark, "keep.log": mark, "top": mark, "sub/top": mark, "build/run.sh": mark, "sub/build/run.sh": mark,
		"docs/run.sh": mark, "docs/a/b/run.sh": mark, "abc": mark, "xz": mark, "#odd": mark, "sub/local.sh": mark,
		"sub/here": mark, "sub/deep/here": mark, "sub/deep/x.log": mark, "sub/x.log": mark, "excluded": mark,
		"forced/tracked/run.sh": mark, "forced/tracked/other.sh": mark, "forced/run.sh": mark, "tracked.log": mark,
		".hidden/run.sh": mark, "sub/.hidden": mark, "with blank": mark, "é.sh": mark,
	}
	fill(t, folder, files)
	git("init", "-q")
	fill(t, folder, map[string]string{".git/info/exclude": "excluded\n"})
	git("add", "-f", "forced/tracked/run.sh", "tracked.log", "abc")
	for _, below := range []string{".", "sub", "sub/deep"} {
		listed := git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", below)
		var want []string
		for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
			name, _ = filepath.Rel(below, name)
			want = append(want, name)
		}
		_, found := walked(filepath.Join(folder, below), diskFiles{})
		slices.Sort(want)
		slices.Sort(found)
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("%s (-git +walk):\n%s", below, diff)
		}
	}
	// What is left out is looked at if it is named.
	if _, found := walked(filepath.Join(folder, "forced"), diskFiles{}); !slices.Contains(found, "run.sh") {
		t.Errorf("in a folder that is named: %q", found)
	}
	// A work tree within another has rules of its own.
	fill(t, folder, map[string]string{"module/x.log": mark, "module/y.txt": mark, "module/.gitignore": "*.txt\n"})
	git("init", "-q", "module")
	if _, found := walked(filepath.Join(folder), diskFiles{}); !slices.Contains(found, "module/x.log") ||
		slices.Contains(found, "module/y.txt") {
		t.Errorf("in a work tree within: %q", found)
	}
}

// Which config.json is whose, in a folder that holds several.
func TestConfigsOfFolder(t *testing.T) {
	config := func(host string) string { return `{"auths": {"` + host + `": {"auth": "Y2k6czNjcmV0"}}}` }
	runs := func(mount string) string {
		if mount != "" {
			mount = "-v " + mount + ":/root/.docker/config.json "
		}
		return "docker run -e RUNNER_UUID=x " + mount + "bitbucket-pipelines-runner\n"
	}
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"the one that is mounted, not the nearest": {map[string]string{
			"a/run.sh": runs("../b/config.json"), "a/config.json": config("a"), "b/config.json": config("b"),
		}, []string{"a/run.sh b/config.json", "a/config.json a/config.json"}},
		"from the current folder before beside the file": {map[string]string{
			"a/run.sh": runs("./b/config.json"), "a/b/config.json": config("a"), "b/config.json": config("b"),
		}, []string{"a/run.sh b/config.json", "a/b/config.json a/b/config.json"}},
		"the nearest, then above": {map[string]string{
			"a/run.sh": runs("~/.docker/config.json"), "a/config.json": config("a"), "b/c/run.sh": runs(""),
			"config.json": config("top"),
		}, []string{"a/run.sh a/config.json", "b/c/run.sh config.json"}},
		"never one beside or below": {map[string]string{
			"a/run.sh": runs("/etc/runner/config.json"), "a/b/config.json": config("b"), "c/config.json": config("c"),
		}, []string{"a/run.sh -", "a/b/config.json a/b/config.json", "c/config.json c/config.json"}},
		"none that two runners cannot both mount": {map[string]string{
			"run-a.sh": runs("/etc/a/config.json"), "run-b.sh": runs("/etc/b/config.json"), "config.json": config("a"),
		}, []string{"run-a.sh -", "run-b.sh -", "config.json config.json"}},
		"one for two that mount the same": {map[string]string{
			"run-a.sh": runs("/etc/a/config.json"), "run-b.sh": runs("/etc/a/config.json"), "config.json": config("a"),
		}, []string{"run-a.sh config.json", "run-b.sh config.json"}},
		"not what a relative mount says is another": {map[string]string{
			"run.sh": runs("./secrets/config.json"), "config.json": config("a"),
		}, []string{"run.sh -", "config.json config.json"}},
		"by the picture of a host": {map[string]string{
			"run.sh": runs("/home/ci/.docker/config.json"), "root/home/ci/.docker/config.json": config("a"),
			"root/root/.docker/config.json": config("b"),
		}, []string{"run.sh root/home/ci/.docker/config.json", "root/root/.docker/config.json root/root/.docker/config.json"}},
		"the usual name among several": {map[string]string{
			"run.sh": runs("~/.docker/config.json"), "config.json": config("a"), "old.json": config("b"),
		}, []string{"run.sh config.json", "old.json old.json"}},
		"which is ignored, if it is mounted": {map[string]string{
			"a/run.sh": runs("./config.json"), "a/config.json": config("a"), ".gitignore": "config.json\n",
		}, []string{"a/run.sh a/config.json"}},
		"by a link": {map[string]string{
			"a/run.sh": runs("./link.json"), "a/config.json": config("a"), "b/config.json": config("b"), "a/link.json": "-> ../b/config.json",
		}, []string{"a/run.sh b/config.json", "a/config.json a/config.json"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			host := hostOfFolder(t, test.files)
			var got []string
			for _, r := range host.Runners {
				config := "-"
				if r.Config != nil {
					config = r.Config.Path
				}
				got = append(got, r.Name+" "+config)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// hostOfFolder is the host of a lint of the current folder with these files; a text may be a link.
func hostOfFolder(t *testing.T, files map[string]string) *Host {
	t.Helper()
	folder := t.TempDir()
	t.Chdir(folder)
	for name, text := range files {
		if target, link := strings.CutPrefix(text, "-> "); link {
			delete(files, name)
			defer func() { files[name] = text }()
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(t, folder, files)
	real := func(path string) (string, error) { return filepath.EvalSymlinks(path) }
	windows := Windows{Files: diskFiles{}, Folder: folder, Now: time.Now, Real: real}
	report, found := Walk(windows, diskFiles{}, ".")
	host, err := Build(t.Context(), Input{Files: found, Folders: []Folder{report}, Offline: true}, windows)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// A file that another one names is part of that one.
func TestLinksInFolder(t *testing.T) {
	const end = " -e RUNNER_UUID=x bitbucket-pipelines-runner\n"
	const base = "services:\n  runner:\n    image: bitbucket-pipelines-runner\n    environment:\n      WORKING_DIRECTORY: /tmp\n"
	const extends = "services:\n  main:\n    extends: {file: base.yaml, service: runner}\n    environment:\n      RUNNER_UUID: x\n"
	const whole = "RUNNER_UUID=x\nACCOUNT_UUID=x\n"
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"an env file":                        {map[string]string{"a/run.sh": "docker run --env-file x.env" + end, "a/x.env": whole}, []string{"a/run.sh"}},
		"from the current folder":            {map[string]string{"a/run.sh": "docker run --env-file b/x.env" + end, "b/x.env": whole}, []string{"a/run.sh"}},
		"of a host's picture":                {map[string]string{"run.sh": "docker run --env-file /etc/x.env" + end, "etc/x.env": whole}, []string{"run.sh"}},
		"by a link":                          {map[string]string{"run.sh": "docker run --env-file l.env" + end, "l.env": "-> x.env", "x.env": whole}, []string{"run.sh"}},
		"not one that nobody names":          {map[string]string{"run.sh": "docker run" + end, "x.env": whole}, []string{"run.sh", "x.env"}},
		"not by documentation":               {map[string]string{"README.md": "docker run --env-file x.env" + end, "x.env": whole}, []string{"x.env"}},
		"the mark in the env file alone":     {map[string]string{"run.sh": "docker run --env-file x.env registry.example.com/a/b\n", "x.env": whole}, []string{"run.sh"}},
		"a script with the same command":     {map[string]string{"all.sh": ". ./one.sh\n", "one.sh": "docker run" + end}, []string{"one.sh"}},
		"a script with a command of its own": {map[string]string{"all.sh": ". ./lib.sh\ndocker run" + end, "lib.sh": "X=1\n"}, []string{"all.sh"}},
		"what a compose file extends":        {map[string]string{"a/compose.yaml": extends, "a/base.yaml": base}, []string{"a/compose.yaml"}},
		"not what is beside another":         {map[string]string{"a/compose.yaml": extends, "base.yaml": base}, []string{"a/compose.yaml", "base.yaml"}},
		"not another service of it":          {map[string]string{"compose.yaml": extends, "base.yaml": strings.Replace(base, "runner:", "other:", 1)}, []string{"base.yaml", "compose.yaml"}},
		"not a whole runner":                 {map[string]string{"compose.yaml": extends, "base.yaml": base + "      RUNNER_UUID: y\n"}, []string{"base.yaml", "compose.yaml"}},
		"two that name each other":           {map[string]string{"a.sh": ". ./b.sh\ndocker run" + end, "b.sh": ". ./a.sh\ndocker run" + end}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			host := hostOfFolder(t, test.files)
			var got []string
			for _, r := range host.Runners {
				got = append(got, r.Name)
			}
			if test.want == nil {
				if len(got) == 0 {
					t.Error("no runner is left")
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A file that was named is judged, whatever extends it.
func TestExtendedAndNamed(t *testing.T) {
	base := "services:\n  runner:\n    image: bitbucket-pipelines-runner\n"
	files := []InputFile{
		{Path: "base.yaml", Data: []byte(base)},
		{Path: "compose.yaml", Data: []byte("services:\n  main:\n    extends: {file: base.yaml, service: runner}\n"), Folder: "."},
	}
	windows := Windows{Files: folderFiles{}, Now: time.Now}
	host, err := Build(t.Context(), Input{Files: files, Folders: []Folder{{Path: "."}}, Offline: true}, windows)
	if err != nil {
		t.Fatal(err)
	}
	if len(host.Runners) != 2 || host.Runners[0].Name != "base.yaml" {
		t.Errorf("%d runners", len(host.Runners))
	}
}
