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
	// Key is the entry's key; empty when it is not about one entry.
	Key string
	// Entry is that entry; nil when it is not about one entry.
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

// Rejection tells why the runner's reader refuses the whole file; nil if it does not, or if there is no file.
func (f *File) Rejection() *Rejection {
	if f == nil {
		return nil
	}
	return f.rejection
}

func (f *File) reject() *Rejection { return nil }
