package git

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is what git's ignore files, and its index, say of the names in one folder. The zero value leaves nothing out.
type Folder struct {
	// name is the folder's, below the root of its work tree; empty for that itself.
	name  string
	rules []ignoreRule
	// index is what git tracks all the same.
	index *trackedNames
	// trackedAlone says that the folder as a whole is left out, so that only what git tracks is in.
	trackedAlone bool
}

// Around is what the work tree around a folder, at its absolute path, says of it, from above. Outside of a work tree
// that is nothing, and the folder is taken for one: a copy of a repository ignores as the repository does.
func Around(files Files, folder string) Folder {
	tree, found := treeAbove(files, path.Join(folder, "x"))
	if !found {
		return Folder{}
	}
	git := tree.folderAt(files)
	if folder == tree.root {
		return git
	}
	name := strings.TrimPrefix(strings.TrimPrefix(folder, tree.root), "/")
	at := ""
	for part := range strings.SplitSeq(name, "/") {
		git.rules = appendRules(git.rules, ignoreRules(files, path.Join(tree.root, at, ".gitignore"), at))
		at = path.Join(at, part)
	}
	git.name = name
	return git
}

// folderAt is what holds in all of a work tree.
func (t workTree) folderAt(files Files) Folder {
	return Folder{
		rules: ignoreRules(files, path.Join(t.common, "info", "exclude"), ""),
		index: &trackedNames{files: files, path: path.Join(t.folder, "index")},
	}
}

// In adds what the entries of the folder, by name, say: an ignore file, or that another work tree begins here.
func (g Folder) In(files Files, folder string, entries []fs.DirEntry) Folder {
	holds := func(name string) bool {
		_, found := slices.BinarySearchFunc(entries, name, func(e fs.DirEntry, name string) int {
			return strings.Compare(e.Name(), name)
		})
		return found
	}
	if g.name != "" && holds(".git") {
		if tree, found := treeAt(files, folder); found {
			g = tree.folderAt(files)
		}
	}
	if holds(".gitignore") {
		g.rules = appendRules(g.rules, ignoreRules(files, filepath.Join(folder, ".gitignore"), g.name))
	}
	return g
}

// Below is what holds in a folder of this one.
func (g Folder) Below(name string) Folder {
	g.trackedAlone = g.trackedAlone || g.matches(name, true)
	g.name = path.Join(g.name, name)
	return g
}

// LeavesOut tells whether a file or folder in this one is left out.
func (g Folder) LeavesOut(name string, folder bool) bool {
	return (g.trackedAlone || g.matches(name, folder)) && !g.index.has(path.Join(g.name, name))
}

func (g Folder) matches(name string, folder bool) bool {
	return len(g.rules) > 0 && leavesOut(g.rules, path.Join(g.name, name), folder)
}

// appendRules never writes into the first list: folders beside this one have it too.
func appendRules(rules, more []ignoreRule) []ignoreRule {
	return append(rules[:len(rules):len(rules)], more...)
}
