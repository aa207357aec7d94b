package checks

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"sync"
)

// tracking is what git makes of a file.
type tracking int

const (
	// untold: the file is in no work tree, or which one is not known.
	untold tracking = iota
	// ignored: git leaves it alone.
	ignored
	// addable: nothing keeps the next "git add" from taking it.
	addable
	// tracked: it is in the index.
	tracked
)

// gitIndexes are the indexes that were read, by their paths: many runners may stand in one work tree.
type gitIndexes struct {
	mutex sync.Mutex
	read  map[string]*trackedNames
}

// trackingOf tells what git makes of the file at an absolute path, by reading the index and the ignore files as
// git does. Ignore rules of the user's own configuration are not seen.
func (g *gitIndexes) trackingOf(files Files, file string) tracking {
	tree, found := treeAbove(files, file)
	if !found {
		return untold
	}
	name := strings.TrimPrefix(strings.TrimPrefix(file, tree.root), "/")
	switch {
	case g.holds(files, tree, name):
		return tracked
	case tree.ignores(files, name):
		return ignored
	}
	return addable
}

// holds tells whether the index of a work tree has an entry for a name.
func (g *gitIndexes) holds(files Files, tree workTree, name string) bool {
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

// walkIndex visits the names in a git index (versions 2 to 4) and tells whether it could be read to its end.
// See gitformat-index in git's documentation.
func walkIndex(index []byte, hash int, visit func(name []byte)) bool {
	const header, stat = 12, 40
	if len(index) < header+hash || string(index[:4]) != "DIRC" {
		return false
	}
	version, count := binary.BigEndian.Uint32(index[4:]), binary.BigEndian.Uint32(index[8:])
	if version < 2 || version > 4 {
		return false
	}
	rest := index[header : len(index)-hash]
	var name []byte
	for range count {
		fixed := stat + hash + 2
		if len(rest) < fixed+1 {
			return false
		}
		if extended := rest[stat+hash]&0x40 != 0; extended && version > 2 {
			fixed += 2
		}
		var size int
		var ok bool
		if version == 4 {
			name, size, ok = compressedName(rest, fixed, name)
		} else {
			name, size, ok = paddedName(rest, fixed)
		}
		// The low 12 bits of the flags are the name's length, as far as they go.
		if noted := binary.BigEndian.Uint16(rest[stat+hash:]) & 0xfff; !ok || int(noted) != min(len(name), 0xfff) {
			return false
		}
		visit(name)
		rest = rest[size:]
	}
	return true
}

// paddedName reads the name behind an entry's fixed part, and how long the entry is with its padding to 8
// bytes.
func paddedName(entry []byte, fixed int) (name []byte, size int, ok bool) {
	if len(entry) < fixed {
		return nil, 0, false
	}
	length := bytes.IndexByte(entry[fixed:], 0)
	size = (fixed + length + 8) &^ 7
	if length <= 0 || size > len(entry) {
		return nil, 0, false
	}
	return entry[fixed : fixed+length], size, true
}

// compressedName reads a name that shares its beginning with the last one.
func compressedName(entry []byte, fixed int, last []byte) (name []byte, size int, ok bool) {
	drop, at := 0, fixed
	for more := true; more; at++ {
		if at >= len(entry) || drop > len(last) {
			return nil, 0, false
		}
		if at > fixed {
			drop = (drop + 1) << 7
		}
		drop += int(entry[at] & 0x7f)
		more = entry[at]&0x80 != 0
	}
	length := bytes.IndexByte(entry[at:], 0)
	if length < 0 || drop > len(last) {
		return nil, 0, false
	}
	name = append(last[:len(last)-drop:len(last)-drop], entry[at:at+length]...)
	return name, at + length + 1, true
}
