package git

import (
	"bytes"
	"encoding/binary"
	"path"
)

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
