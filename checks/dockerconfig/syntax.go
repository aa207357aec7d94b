package dockerconfig

import (
	"runner-preflight/checks/source"
)

// SyntaxError is the first mistake that a strict JSON parser stumbles over, and where it stands.
type SyntaxError struct {
	Kind SyntaxKind
	// Place is what has to be mended: see SyntaxKind.
	Place source.Span
	// Message says it in a few words, with nothing of the text in it but punctuation and the names of characters.
	Message string
}

// SyntaxKind names a mistake.
type SyntaxKind string

// The mistakes, and what SyntaxError.Place points at.
const (
	// TrailingComma is a comma before a closing bracket: the comma.
	TrailingComma SyntaxKind = "trailing-comma"
	// MissingComma is two values in a row: the empty place behind the first of them, where the comma belongs.
	MissingComma SyntaxKind = "missing-comma"
	// ExtraComma is a comma with nothing before it: the comma.
	ExtraComma SyntaxKind = "extra-comma"
	// MissingColon is a key without a colon: the empty place behind the key, or what stands in the colon's place.
	MissingColon SyntaxKind = "missing-colon"
	// MissingValue is a key without a value: the empty place behind the colon.
	MissingValue SyntaxKind = "missing-value"
	// Comment is a //, /* */ or # comment: all of it, to the end of its line at most.
	Comment SyntaxKind = "comment"
	// SingleQuotes and TypographicQuotes stand where " belongs: the first of the pair that is wrong.
	SingleQuotes      SyntaxKind = "single-quotes"
	TypographicQuotes SyntaxKind = "typographic-quotes"
	// UnquotedKey is a key as JSON5 allows it: the key.
	UnquotedKey SyntaxKind = "unquoted-key"
	// UnquotedValue is a value that is no string, number or literal: the value.
	UnquotedValue SyntaxKind = "unquoted-value"
	// UnclosedBracket is a { or [ that nothing closes: that bracket. Of several the innermost, unless the
	// indentation of a closing bracket tells which one it was meant for.
	UnclosedBracket SyntaxKind = "unclosed-bracket"
	// ExtraBracket is a closing bracket that closes nothing: that bracket.
	ExtraBracket SyntaxKind = "extra-bracket"
	// UnclosedString is a string without its closing quote: from its opening quote to the end of the line.
	UnclosedString SyntaxKind = "unclosed-string"
	// Backslash is a \ that begins no escape: it and the character behind it.
	Backslash SyntaxKind = "backslash"
	// ControlCharacter is a line break or another control character inside a string, or a control character
	// between tokens: that character.
	ControlCharacter SyntaxKind = "control-character"
	// YAML is a text of `key: value` lines: the first key.
	YAML SyntaxKind = "yaml"
	// NotJSON is a text that begins as no JSON does, a web page or a command: its first word.
	NotJSON SyntaxKind = "not-json"
	// Base64 is the base64 of a JSON text as a whole, as Kubernetes keeps secrets: its first line.
	Base64 SyntaxKind = "base64"
	// MergeConflict is a mark that git leaves in a file: the mark.
	MergeConflict SyntaxKind = "merge-conflict"
	// MissingBrace is a text that begins with a key: that key.
	MissingBrace SyntaxKind = "missing-brace"
	// InvalidUTF8 is a byte that is no UTF-8: the byte.
	InvalidUTF8 SyntaxKind = "invalid-utf8"
	// NonBreakingSpace is a blank between tokens that JSON does not know (U+00A0 and its like): that character.
	NonBreakingSpace SyntaxKind = "non-breaking-space"
	// TooDeep is more brackets in each other than anybody writes: the first one too many. Readers differ in how
	// many they bear.
	TooDeep SyntaxKind = "nested-too-deeply"
	// OtherSyntax is anything else: the character at which a parser stops.
	OtherSyntax SyntaxKind = "other"
)

// Duplicate is a key that an object has twice: both members, in file order. Of three, each pair of neighbours is a
// Duplicate.
type Duplicate struct {
	// Object is the object that has both.
	Object        Value
	First, Second Member
}

// maxDuplicates bounds Duplicates: nobody reads more, and a text of 20 MB can hold millions.
const maxDuplicates = 1000
