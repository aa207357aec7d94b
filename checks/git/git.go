// Package git tells what git makes of files by reading what git reads: indexes and ignore files. Rules of the user's own
// configuration are not seen. It holds facts; what of them matters is for others to judge.
package git

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// Files is a file system.
type Files interface {
	Stat(path string) (fs.FileInfo, error)
	ReadFile(path string) ([]byte, error)
}

// Tracking is what git makes of a file.
type Tracking int

const (
	// Untold says that the file is in no work tree, or that it is not known which one.
	Untold Tracking = iota
	// Ignored files are left alone.
	Ignored
	// Addable says that nothing keeps the next "git add" from taking it.
	Addable
	// Tracked files are in the index.
	Tracked
)

// Indexes are the indexes that were read, by their paths: many files may stand in one work tree. The zero value is
// ready, and safe for use by several goroutines at once.
type Indexes struct {
	mutex sync.Mutex
	read  map[string]*trackedNames
}

// TrackingOf tells what git makes of the file at an absolute path.
func (g *Indexes) TrackingOf(files Files, file string) Tracking {
	tree, found := treeAbove(files, file)
	if !found {
		return Untold
	}
	name := strings.TrimPrefix(strings.TrimPrefix(file, tree.root), "/")
	switch {
	case g.holds(files, tree, name):
		return Tracked
	case tree.ignores(files, name):
		return Ignored
	}
	return Addable
}

// holds tells whether the index of a work tree has an entry for a name.
func (g *Indexes) holds(files Files, tree workTree, name string) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	index := path.Join(tree.folder, "index")
	if g.read[index] == nil {
		if g.read == nil {
			g.read = map[string]*trackedNames{}
		}
		g.read[index] = &trackedNames{files: files, path: index}
	}
	return g.read[index].has(name)
}

// workTree is a git work tree: where it begins, where git keeps what is its own, and what it shares with
// others.
type workTree struct{ root, folder, common string }

// treeAbove finds the innermost work tree around a file.
func treeAbove(files Files, file string) (workTree, bool) {
	if !path.IsAbs(file) {
		return workTree{}, false
	}
	for root := path.Dir(path.Clean(file)); ; root = path.Dir(root) {
		if tree, found := treeAt(files, root); found || root == "/" {
			return tree, found
		}
	}
}

// treeAt tells whether a folder is the root of a work tree. In a linked one, and in a submodule, .git is a file
// that names the folder.
func treeAt(files Files, root string) (workTree, bool) {
	folder := path.Join(root, ".git")
	info, err := files.Stat(folder)
	if err != nil {
		return workTree{}, false
	}
	if !info.IsDir() {
		text, err := files.ReadFile(folder)
		named, found := strings.CutPrefix(firstLine(text), "gitdir: ")
		if err != nil || !found {
			return workTree{}, false
		}
		folder = relativeTo(root, named)
	}
	if _, err := files.Stat(path.Join(folder, "HEAD")); err != nil {
		return workTree{}, false
	}
	common := folder
	if text, err := files.ReadFile(path.Join(folder, "commondir")); err == nil {
		common = relativeTo(folder, firstLine(text))
	}
	return workTree{root, folder, common}, true
}

func firstLine(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return strings.TrimRight(string(line), "\r ")
}

func relativeTo(folder, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(folder, name)
}
