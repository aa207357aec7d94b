package git

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// treeFiles shows a map of files as the root of the file system.
type treeFiles struct{ fstest.MapFS }

func (t treeFiles) Stat(path string) (fs.FileInfo, error) {
	return t.MapFS.Stat(strings.TrimPrefix(path, "/"))
}

func (t treeFiles) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }

func (t treeFiles) ReadFile(path string) ([]byte, error) {
	return t.MapFS.ReadFile(strings.TrimPrefix(path, "/"))
}

// ignorePaths are the files that git was asked about when ignore.jsonl was made.
var ignorePaths = []string{
	"run.sh", "deploy/run.sh", "deploy/deep/run.sh", "deploy/deep/runner.env", "run.sh ", "#run.sh", "!x",
	"a-b", "run.[sh", "foo/x/y",
}

// TestIgnores compares with what "git check-ignore" of git 2.39.5 said of the same rules and files.
func TestIgnores(t *testing.T) {
	table, err := os.ReadFile("../../testdata/git/ignore.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(table) {
		var row struct {
			Rules   string
			Ignored []string
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		files := treeFiles{fstest.MapFS{"repo/.gitignore": {Data: []byte(row.Rules)}}}
		tree := workTree{"/repo", "/repo/.git", "/repo/.git"}
		got := []string{}
		for _, name := range ignorePaths {
			if tree.ignores(files, name) {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(row.Ignored, got); diff != "" {
			t.Errorf("%q (-git +got):\n%s", row.Rules, diff)
		}
	}
}

// TestIndexHolds reads indexes that git 2.39.5 wrote.
func TestIndexHolds(t *testing.T) {
	held := []string{"run.sh", "deploy/run.sh", "deploy/deep/runner.env", "deploy/deep/runner two.env"}
	for name, want := range map[string][]string{
		"index-v2": held, "index-v4": held, "index-v3": append(slices.Clone(held), "later.sh"),
		"index-sha256": held[:2],
	} {
		index, err := os.ReadFile(filepath.Join("../../testdata/git", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range append(slices.Clone(held), "later.sh", "deploy", "") {
			if got := indexHolds(index, entry); got != slices.Contains(want, entry) {
				t.Errorf("%s holds %q: %v", name, entry, got)
			}
		}
	}
}

func TestTrackingOf(t *testing.T) {
	index, err := os.ReadFile("../../testdata/git/index-v2")
	if err != nil {
		t.Fatal(err)
	}
	head := &fstest.MapFile{Data: []byte("ref: refs/heads/main\n")}
	files := treeFiles{fstest.MapFS{
		"repo/.git/HEAD":                       head,
		"repo/.git/index":                      {Data: index},
		"repo/.git/info/exclude":               {Data: []byte("*.bak\n")},
		"repo/deploy/.gitignore":               {Data: []byte("/secret.env\n")},
		"linked/.git":                          {Data: []byte("gitdir: ../repo/.git/worktrees/linked\n")},
		"repo/.git/worktrees/linked/x":         {},
		"repo/.git/worktrees/linked/HEAD":      head,
		"repo/.git/worktrees/linked/commondir": {Data: []byte("../..\n")},
		"stray/.git/config":                    {},
	}}
	for file, want := range map[string]Tracking{
		"/repo/run.sh": Tracked, "/repo/deploy/deep/runner.env": Tracked, "/repo/other.sh": Addable,
		"/repo/deploy/secret.env": Ignored, "/repo/secret.env": Addable, "/repo/run.sh.bak": Ignored,
		"/linked/run.sh": Addable, "/linked/run.bak": Ignored, "/stray/run.sh": Untold, "/opt/run.sh": Untold,
		"run.sh": Untold, "/": Untold,
	} {
		if got := new(Indexes).TrackingOf(files, file); got != want {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}

// FuzzIndexHolds tries to make the reader of the index fall over, or run on.
func FuzzIndexHolds(f *testing.F) {
	for _, name := range []string{"index-v2", "index-v3", "index-v4", "index-sha256"} {
		index, err := os.ReadFile(filepath.Join("../../testdata/git", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(index)
	}
	f.Fuzz(func(_ *testing.T, index []byte) { indexHolds(index, "run.sh") })
}

// FuzzIgnoreRule holds every rule against a name: a line that git can read never makes the matcher fall over.
func FuzzIgnoreRule(f *testing.F) {
	for _, line := range []string{"*.sh", "**/a/**", "[!a-c]x", `\#x`, "a[", `x\`, "!**"} {
		f.Add(line, "deploy/run.sh")
	}
	f.Fuzz(func(_ *testing.T, line, name string) {
		if rule, ok := parseIgnoreRule(line); ok {
			rule.matches(name, false)
		}
	})
}

func indexHolds(index []byte, name string) (found bool) {
	eachIndexed(index, func(entry string) { found = found || entry == name })
	return found
}
