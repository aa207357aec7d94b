package dockerconfig

import (
	"runner-preflight/checks/source"
)

// Rejection says why the runner's reader refuses the whole file, so that no image gets credentials.
type Rejection struct {
	Kind RejectionKind
	// Text is what the runner logs.
	Text string
	// Place is what makes it do so.
	Place source.Span
	// Key is the entry's key, and Entry that entry; "" and nil when it is not about one of Entries.
	Key   string
	Entry *Entry
}

// RejectionKind is the stage at which the runner's reader gives up.
type RejectionKind string

// The stages, in their order: the first that applies is the Rejection.
const (
	// RejectedSyntax: the text is no JSON, or blank.
	RejectedSyntax RejectionKind = "syntax"
	// RejectedType: a value that the reader knows is of a type that it cannot use.
	RejectedType RejectionKind = "type"
	// RejectedNull: an entry is null.
	RejectedNull RejectionKind = "null"
	// RejectedAuth: an `auth` does not decode.
	RejectedAuth RejectionKind = "auth"
)

// parseFailure is what docker-java says when Jackson cannot make a configuration of the text.
const parseFailure = "Failed to parse docker config.json"

// Rejection tells why the runner's reader refuses the whole file; nil if it does not, or if there is no file.
func (f *File) Rejection() *Rejection {
	if f == nil {
		return nil
	}
	return f.rejection
}

func (f *File) reject() *Rejection {
	switch {
	case f.Blank:
		return &Rejection{Kind: RejectedSyntax, Text: parseFailure, Place: f.Source.Whole()}
	case f.Syntax != nil:
		return &Rejection{Kind: RejectedSyntax, Text: parseFailure, Place: f.Syntax.Place}
	}
	if wrong, ok := f.wrongType(); ok {
		return f.about(&Rejection{Kind: RejectedType, Text: parseFailure, Place: wrong.Place()}, wrong.start)
	}
	for i, ref := range f.auths {
		if ref.kind == Null {
			e := f.entry(i)
			return &Rejection{RejectedNull, "NullPointerException", e.Value.Place(), e.Key, &e}
		}
		e := f.entry(i)
		if d := e.Decoded(); d.Err != nil {
			return &Rejection{RejectedAuth, d.Err.Text, d.Err.Place, e.Key, &e}
		}
	}
	return nil
}

// about adds the entry in which an offset lies.
func (f *File) about(r *Rejection, offset int) *Rejection {
	for i, ref := range f.auths {
		if int(ref.start) <= offset && offset < int(ref.end) {
			e := f.entry(i)
			r.Key, r.Entry = e.Key, &e
			break
		}
	}
	return r
}

// wrongType finds the first value that the reader knows and cannot use. It makes strings of numbers and booleans, and
// takes null for anything; members that do not count because a later one has their name must be right all the same,
// but for those of an entry.
func (f *File) wrongType() (Value, bool) {
	switch f.Root.Kind {
	case Object:
	case Null:
		return Value{}, false
	default:
		return f.Root, true
	}
	for m := range f.Root.Members() {
		switch m.Key {
		case "auths":
			if wrong, ok := wrongEntry(m.Value); ok {
				return wrong, true
			}
		case "currentContext":
			if m.Value.Kind == Array || m.Value.Kind == Object {
				return m.Value, true
			}
		}
	}
	return Value{}, false
}

func wrongEntry(auths Value) (Value, bool) {
	if auths.Kind == Null {
		return Value{}, false
	}
	if auths.Kind != Object {
		return auths, true
	}
	for entry := range auths.Members() {
		if entry.Value.Kind == Null {
			continue
		}
		if entry.Value.Kind != Object {
			return entry.Value, true
		}
		if wrong, ok := wrongField(entry.Value); ok {
			return wrong, true
		}
	}
	return Value{}, false
}

// wrongField finds an array or an object in a field that the reader knows: it makes a tree of an entry first, so that
// of duplicates the last alone counts.
func wrongField(entry Value) (Value, bool) {
	var last [8]Value
	for m := range entry.Members() {
		for i, field := range [...]string{
			"auth", "username", "password", "email", "serveraddress", "identitytoken",
			"registrytoken", "stackOrchestrator",
		} {
			if m.Key == field {
				last[i] = m.Value
			}
		}
	}
	for _, v := range last {
		if v.Kind == Array || v.Kind == Object {
			return v, true
		}
	}
	return Value{}, false
}
