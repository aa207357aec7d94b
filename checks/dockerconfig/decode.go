package dockerconfig

import (
	"runner-preflight/checks/source"
)

// Decoded is what an `auth` says.
type Decoded struct {
	// Present says that there is an `auth`, other than null.
	Present bool
	// Username and Password are as decoded, nothing trimmed; empty when Err says why. Both may be secret.
	Username, Password string
	// Err says why the runner's reader does not take it, and with it the whole file; nil when it does.
	Err *DecodeError
	// DockerReads says that docker's CLI (Go's strict decoder, which skips line breaks and insists on padding)
	// makes a user and a password of it.
	DockerReads bool
	// EncodedTwice says that what was decoded is base64 of user:password once more.
	EncodedTwice bool
	// BareToken says that it has no colon and the look of a token or a password alone.
	BareToken bool
}

// DecodeError says why an `auth` does not decode.
type DecodeError struct {
	Kind DecodeKind
	// Text is what the runner logs.
	Text string
	// Offset is that of the byte at which the runner's reader stops, from 0, in the decoded JSON string.
	Offset int
	// Place is that byte's character in the file; for EmptyAuth, WithoutColon and BadPadding the whole value.
	Place source.Span
}

// DecodeKind names what is wrong with an `auth`.
type DecodeKind string

// The kinds of DecodeError, in the order in which they are tried.
const (
	EmptyAuth      DecodeKind = "empty"
	Percent        DecodeKind = "percent-encoded" // %3D for =
	Plaintext      DecodeKind = "plaintext"       // user:password as it is
	LineBreak      DecodeKind = "line-break"
	QuotedAuth     DecodeKind = "quotes"
	BlankInAuth    DecodeKind = "blank"
	URLSafe        DecodeKind = "url-safe"
	BadPadding     DecodeKind = "bad-padding" // cut short, or wrong =
	OtherCharacter DecodeKind = "other"
	WithoutColon   DecodeKind = "without-colon"
)
