// Package dockerconfig reads a config.json without losing anything, and answers two questions about it: what the
// runner would send for an image, and what docker's CLI would.
//
// A text of any size is read in one pass and kept as it is: a Value is a stretch of it, looked into when somebody
// asks. Nothing here prints a secret, and every secret is hidden in the excerpts of File.Source.
package dockerconfig

import (
	"sync"

	"runner-preflight/checks/source"
)

// File is a config.json as it was read. It does not change once it is parsed.
type File struct {
	// Source is its text, as UTF-8 (without a byte order mark), with every secret hidden.
	Source *source.File
	// Encoding is how the text was encoded.
	Encoding Encoding
	// Blank says that there is nothing in it, or white space alone.
	Blank bool
	// Syntax is the first mistake; nil where a strict JSON parser accepts the first value, and in a Blank file.
	Syntax *SyntaxError
	// Root is the first value, read as far as it can be guessed where Syntax is set. Its Kind is Absent when
	// there is none.
	Root Value
	// Trailing is the text behind the first value, white space at its ends left out; the zero Span if there is
	// none. The runner and docker both ignore it.
	Trailing source.Span
	// Duplicates are the keys that an object has twice, at any depth, in the order of their second place; at
	// most maxDuplicates of them. Objects behind a mistake are not looked at.
	Duplicates []Duplicate

	auths     []entryRef
	indices   []index // of Root and of the auths that counts
	rejection *Rejection

	dockerOnce sync.Once
	dockerSees dockerView
}

// Parse reads a config.json. It never fails: what is wrong with the text is part of the answer. The bytes must not
// be changed afterwards.
func Parse(path string, data []byte) *File {
	text, encoding := decodeText(data)
	return read(source.New(path, text), encoding)
}

// ParseSource reads a config.json that stands within another file, as UTF-8.
func ParseSource(file *source.File) *File { return read(file, UTF8) }

func read(file *source.File, encoding Encoding) *File {
	f := &File{Source: file, Encoding: encoding}
	f.parse()
	f.remember(f.Root)
	f.auths = f.indexEntries()
	f.rejection = f.reject()
	f.hideSecrets()
	return f
}

// Member returns the member of the top-level object that has the name, in exactly this spelling; of several the
// last, which is what the runner's reader takes.
func (f *File) Member(name string) (Member, bool) {
	if f == nil {
		return Member{}, false
	}
	return f.Root.Member(name)
}

// CredsStore returns the member `credsStore`.
func (f *File) CredsStore() (Member, bool) { return f.Member("credsStore") }

// CredHelpers returns the member `credHelpers`; the members of its value are the helpers by registry.
func (f *File) CredHelpers() (Member, bool) { return f.Member("credHelpers") }

// CurrentContext returns the member `currentContext`.
func (f *File) CurrentContext() (Member, bool) { return f.Member("currentContext") }

// Proxies returns the member `proxies`.
func (f *File) Proxies() (Member, bool) { return f.Member("proxies") }
