// Package ignores reads what users have said about findings that they know and accept: comments in the files that are
// judged, and a file of ignores. It holds facts alone: which finding is meant, and whether a name is one, is for others.
package ignores

import (
	"bytes"
	_ "embed" // for schema.json
	"regexp"
	"strings"
	"time"

	"runner-preflight/checks/source"
)

// FileName is that of the file of ignores, in the current folder.
const FileName = ".runner-preflight.yaml"

const (
	// mostIgnores is how many are read of one file: each is held against each finding.
	mostIgnores = 1000
	// longestReason is how many characters of a reason are kept.
	longestReason = 160
	// longestName is the same for a name that is not known.
	longestName = 40
	// dateForm is how a day is written.
	dateForm = time.DateOnly
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the file of ignores.
func Schema() []byte { return bytes.Clone(schema) }

// Ignore says that some findings are known and accepted.
type Ignore struct {
	// Names are those of problems, as they are written; at least one.
	Names []Name
	// Place is the comment, or where the entry begins.
	Place source.Span
	// Reason is for people: in one line, cut, secrets masked; empty when none is given.
	Reason string
	// Until is the last day on which it holds, in UTC, with the place where that is written; the zero Day for no end.
	Until Day
	// External says that it stands in the file of ignores. Path and Subject then say which findings are meant (Subject ""
	// means all), else Reach does.
	External bool
	Path     Glob
	Subject  string
	Reach    Reach
}

// Name is a problem's name where it is written.
type Name struct {
	ID    string
	Place source.Span
}

// Shown is the name for people: in one line, cut, secrets masked.
func (n Name) Shown() string { return source.WithoutPassword(n.Place.Shown(longestName)) }

// Day is a day where it is written.
type Day struct {
	time.Time
	Place source.Span
}

// Over tells whether the day has ended, in UTC.
func (d Day) Over(now time.Time) bool { return !d.IsZero() && !now.Before(d.AddDate(0, 0, 1)) }

// String is the day as it is written, empty for the zero Day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(dateForm)
}

// Reach is what a comment covers of its file: all of it, or the bytes from Start to before End; the zero Reach is nothing.
type Reach struct {
	Whole      bool
	Start, End int
}

// Covers tells whether a place in the comment's own file is covered. A file as a whole is covered by a whole file alone.
func (r Reach) Covers(place source.Span) bool {
	return r.Whole || place.Start >= 0 && r.Start <= place.Start && place.Start < r.End
}

// Mistake is what was probably meant for an ignore, and is none: it ignores nothing.
type Mistake struct {
	Place source.Span
	// Detail says what is wrong, and Hint what to write, both as findings do.
	Detail, Hint string
	// Word is what is written where one of Choices should be; Choices is empty where that is not the mistake.
	Word    string
	Choices []string
}

// Glob is a pattern of paths: * and ? stand for what is in one folder, ** for any number of folders.
type Glob struct {
	// Pattern is as written.
	Pattern string
	form    *regexp.Regexp
}

// NewGlob makes a pattern of its text.
func NewGlob(pattern string) Glob {
	var form strings.Builder
	form.WriteString(`\A`)
	for rest := strings.TrimPrefix(pattern, "./"); rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			form.WriteString(`(?:.*/)?`)
			rest = rest[3:]
		case strings.HasPrefix(rest, "**"):
			form.WriteString(`.*`)
			rest = rest[2:]
		case rest[0] == '*':
			form.WriteString(`[^/]*`)
			rest = rest[1:]
		case rest[0] == '?':
			form.WriteString(`[^/]`)
			rest = rest[1:]
		default:
			end := strings.IndexAny(rest, "*?")
			if end < 0 {
				end = len(rest)
			}
			form.WriteString(regexp.QuoteMeta(rest[:end]))
			rest = rest[end:]
		}
	}
	compiled, err := regexp.Compile(`(?s)` + form.String() + `\z`)
	if err != nil { // bytes that are not UTF-8 are in no pattern
		return Glob{Pattern: pattern}
	}
	return Glob{pattern, compiled}
}

// Match tells whether a path has the pattern.
func (g Glob) Match(path string) bool { return g.form != nil && g.form.MatchString(path) }

// Exact tells whether the pattern is that of one path alone.
func (g Glob) Exact() bool { return !strings.ContainsAny(g.Pattern, "*?") }
