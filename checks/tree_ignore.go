package checks

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ignoring is what git's ignore files say of the names in one folder.
type ignoring struct {
	// name is the folder's, below the root of its work tree; empty for that itself.
	name  string
	rules []ignoreRule
	// index is what git tracks all the same.
	index *trackedNames
	// trackedAlone says that the folder as a whole is left out, so that only what git tracks is in.
	trackedAlone bool
}

// trackedNames are the names in a git index, read when they are asked for.
type trackedNames struct {
	files Files
	path  string
	// names are those of files and of all folders above them; nil until they are read.
	names map[string]bool
}

func (t *trackedNames) has(name string) bool {
	if t == nil {
		return false
	}
	if t.names == nil {
		t.names = map[string]bool{}
		index, _ := t.files.ReadFile(t.path) // without an index nothing is tracked
		eachIndexed(index, t.add)
	}
	return t.names[name]
}

func (t *trackedNames) add(name string) {
	for ; name != "." && name != "/" && !t.names[name]; name = path.Dir(name) {
		t.names[name] = true
	}
}

// eachIndexed visits the names in a git index; none in one that cannot be read. The index does not say how long its
// hashes are: the length under which it can be read to its end is the right one.
func eachIndexed(index []byte, visit func(name string)) {
	for _, hash := range []int{20, 32} {
		if walkIndex(index, hash, func([]byte) {}) {
			walkIndex(index, hash, func(name []byte) { visit(string(name)) })
			return
		}
	}
}

// ignoringAround is what the work tree around a folder says of it, from above. Outside of a work tree the folder is
// taken for one: a copy of a repository ignores as the repository does.
func (w *walk) ignoringAround(folder string) ignoring {
	absolute, known := w.windows.canonical(folder)
	tree, found := treeAbove(w.files, path.Join(absolute, "x"))
	if !known || !found {
		return ignoring{}
	}
	git := tree.ignoring(w.files)
	if absolute == tree.root {
		return git
	}
	name := strings.TrimPrefix(strings.TrimPrefix(absolute, tree.root), "/")
	at := ""
	for part := range strings.SplitSeq(name, "/") {
		git.rules = appendRules(git.rules, ignoreRules(w.files, path.Join(tree.root, at, ".gitignore"), at))
		at = path.Join(at, part)
	}
	git.name = name
	return git
}

// ignoring is what holds in all of a work tree.
func (t workTree) ignoring(files Files) ignoring {
	return ignoring{
		rules: ignoreRules(files, path.Join(t.common, "info", "exclude"), ""),
		index: &trackedNames{files: files, path: path.Join(t.folder, "index")},
	}
}

// in adds what the entries of the folder say: an ignore file, or that another work tree begins here.
func (g ignoring) in(files Files, folder string, entries []fs.DirEntry) ignoring {
	holds := func(name string) bool {
		_, found := slices.BinarySearchFunc(entries, name, func(e fs.DirEntry, name string) int {
			return strings.Compare(e.Name(), name)
		})
		return found
	}
	if g.name != "" && holds(".git") {
		if tree, found := treeAt(files, folder); found {
			g = tree.ignoring(files)
		}
	}
	if holds(".gitignore") {
		g.rules = appendRules(g.rules, ignoreRules(files, filepath.Join(folder, ".gitignore"), g.name))
	}
	return g
}

// below is what holds in a folder of this one.
func (g ignoring) below(name string) ignoring {
	g.trackedAlone = g.trackedAlone || g.matches(name, true)
	g.name = path.Join(g.name, name)
	return g
}

// leavesOut tells whether a file or folder in this one is left out.
func (g ignoring) leavesOut(name string, folder bool) bool {
	return (g.trackedAlone || g.matches(name, folder)) && !g.index.has(path.Join(g.name, name))
}

func (g ignoring) matches(name string, folder bool) bool {
	return len(g.rules) > 0 && leavesOut(g.rules, path.Join(g.name, name), folder)
}

// appendRules never writes into the first list: folders beside this one have it too.
func appendRules(rules, more []ignoreRule) []ignoreRule {
	return append(rules[:len(rules):len(rules)], more...)
}
