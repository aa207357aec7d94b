// Package source holds a text that findings point into: where an offset stands, and what its line looks like
// with everything secret masked.
package source

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// mask stands for a secret in an excerpt. Its length says nothing about the secret's.
const mask = "********"

// stride is how many bytes lie between two marks: a position costs at most this many bytes of counting, in a text with
// any number of lines of any length.
const stride = 1024

// File is one text, as UTF-8, with the path that the user gave for it. Make one with New.
type File struct {
	// Path is as the user gave it.
	Path string
	// Text is what offsets count in.
	Text []byte
	// PrintedBy is the command that prints the text where it is no file's: people are told it in the place of the path.
	PrintedBy string

	marks   []mark // one at each multiple of stride
	secrets []interval
	every   map[string]bool // texts that were hidden wherever they stand
	within  *embedding      // nil for a file of its own
}

// mark is what is known of an offset: the line breaks and characters before it, and where its line begins.
type mark struct{ breaks, characters, start int }

type interval struct{ start, end int }

// New wraps text, which must not be changed afterwards.
func New(path string, text []byte) *File {
	f := &File{Path: path, Text: text, marks: make([]mark, 1, len(text)/stride+1)}
	for at := stride; at <= len(text); at += stride {
		f.marks = append(f.marks, f.mark(at))
	}
	return f
}

// mark finds out about an offset from the last mark before it.
func (f *File) mark(offset int) mark {
	block := min(offset/stride, len(f.marks)-1)
	m, passed := f.marks[block], f.Text[block*stride:offset]
	m.breaks += bytes.Count(passed, []byte{'\n'})
	m.characters += characters(passed)
	if last := bytes.LastIndexByte(passed, '\n'); last >= 0 {
		m.start = block*stride + last + 1
	}
	return m
}

// characters counts the bytes that begin a character, so that counts of adjoining pieces add up.
func characters(text []byte) int {
	n := 0
	for _, b := range text {
		if utf8.RuneStart(b) {
			n++
		}
	}
	return n
}

// Position is a place for people: line and column count from 1, the column in characters. PrintedBy is the file's.
type Position struct {
	Path         string
	Line, Column int
	PrintedBy    string
}

// String is PATH:LINE:COLUMN; of a text that a command prints, the command stands in the place of the path.
func (p Position) String() string {
	where := cmp.Or(p.PrintedBy, p.Path)
	if p.Line == 0 {
		return where
	}
	return fmt.Sprintf("%s:%d:%d", where, p.Line, p.Column)
}

// Position tells where an offset stands; offsets outside the text count as its nearest end.
func (f *File) Position(offset int) Position {
	here := f.mark(min(max(offset, 0), len(f.Text)))
	return Position{f.Path, here.breaks + 1, here.characters - f.mark(here.start).characters + 1, f.PrintedBy}
}

// Line returns the offsets of a line's first byte and of the end of its text (line break excluded). Lines count from 1;
// a line that is not there is the last one.
func (f *File) Line(line int) (start, end int) {
	block := sort.Search(len(f.marks), func(i int) bool { return f.marks[i].breaks >= line }) - 1
	m := f.marks[max(block, 0)]
	for ; m.breaks < line-1; m.breaks++ {
		next := bytes.IndexByte(f.Text[m.start:], '\n')
		if next < 0 {
			break
		}
		m.start += next + 1
	}
	return f.lineAt(m.start)
}

// lineAt is the line that begins at start.
func (f *File) lineAt(start int) (first, end int) {
	end = len(f.Text)
	if next := bytes.IndexByte(f.Text[start:], '\n'); next >= 0 {
		end = start + next
	}
	if end > start && f.Text[end-1] == '\r' {
		end--
	}
	return start, end
}

// Hide marks the bytes from start to end as secret: no excerpt shows them.
func (f *File) Hide(start, end int) {
	switch {
	case start >= end:
	case f.within != nil:
		written := f.At(start, end).Outermost()
		written.File.Hide(written.Start, written.End)
	default:
		f.secrets = append(f.secrets, interval{start, end})
	}
}

// mostSearched is how many bytes are searched for texts that are to be hidden everywhere, leastEvery how many texts are
// searched for in a file of any size.
const (
	mostSearched = 256 << 20
	leastEvery   = 64
)

// HideEvery hides a text wherever it stands in the file, once for all. Of more texts than anybody has secrets the later
// ones are not searched for.
func (f *File) HideEvery(text string) {
	if text == "" || f.every[text] || len(f.every) >= max(leastEvery, mostSearched/max(len(f.Text), 1)) {
		return
	}
	if f.every == nil {
		f.every = map[string]bool{}
	}
	f.every[text] = true
	for at := 0; ; at += len(text) {
		next := bytes.Index(f.Text[at:], []byte(text))
		if next < 0 {
			return
		}
		at += next
		f.Hide(at, at+len(text))
	}
}

// Span points at a stretch of a file. The zero Span points nowhere; one with equal ends points at a place.
type Span struct {
	File       *File
	Start, End int
}

// At is the span from start to end of the file.
func (f *File) At(start, end int) Span { return Span{f, start, end} }

// Whole points at the file itself, at no line.
func (f *File) Whole() Span { return Span{f, -1, -1} }

// Position is where the span begins. Its Line is 0 for a span without a place in the text.
func (s Span) Position() Position {
	switch {
	case s.File == nil:
		return Position{}
	case s.File.within != nil:
		return s.Outermost().Position()
	case s.Start < 0:
		return Position{Path: s.File.Path, PrintedBy: s.File.PrintedBy}
	}
	return s.File.Position(s.Start)
}

// Text is what stands in the span, secret or not: never print it unasked.
func (s Span) Text() string {
	if s.File == nil || s.Start < 0 {
		return ""
	}
	return string(s.File.Text[s.Start:s.End])
}

// Excerpt is a line for people, secrets masked, control characters replaced.
type Excerpt struct {
	// Line counts from 1; 0 means that there is none.
	Line int
	// Text is the line, cut around the span if it is long ("…" marks a cut).
	Text string
	// Column and Width tell where in Text the span stands, in characters, Column from 0.
	Column, Width int
}

// Shown is what stands in the span for people, in one line: secrets masked, control characters replaced, and cut after
// so many characters ("…" marks a cut).
func (s Span) Shown(most int) string {
	if s.File == nil || s.Start < 0 {
		return ""
	}
	start, end := max(s.Start, 0), min(s.End, len(s.File.Text))
	shown, mark := keepStart(s.File.masked(start, end), most, false)
	return strings.ReplaceAll(shown, "\n", " ") + mark
}

// excerptMargin is how many characters of a long line are kept on either side of the span.
const excerptMargin = 60

// Excerpt cuts out the line in which the span begins.
func (s Span) Excerpt() Excerpt {
	s = s.Outermost()
	if s.File == nil || s.Start < 0 {
		return Excerpt{}
	}
	here := s.File.mark(min(s.Start, len(s.File.Text)))
	line := here.breaks + 1
	first, last := s.File.lineAt(here.start)
	start := min(max(s.Start, first), last)
	end := min(max(s.End, start), last)
	for _, secret := range s.File.hidden(start, end) { // what is masked has no inside to point at
		start, end = max(first, min(start, secret.start)), min(last, max(end, secret.end))
	}
	// What is far from the span is cut before it is masked, so that a line of 20 MB costs nothing.
	from, to := max(first, start-4*excerptMargin), min(last, end+4*excerptMargin)
	before, within, after := s.File.masked(from, start), s.File.masked(start, end), s.File.masked(end, to)
	before, cutBefore := keepEnd(before, excerptMargin, from > first)
	within, _ = keepStart(within, 2*excerptMargin, false)
	after, cutAfter := keepStart(after, excerptMargin, to < last)
	return Excerpt{
		line, cutBefore + before + within + after + cutAfter,
		utf8.RuneCountInString(cutBefore + before), max(1, utf8.RuneCountInString(within)),
	}
}

func keepEnd(text string, most int, already bool) (kept, mark string) {
	runes := []rune(text)
	if len(runes) > most {
		runes, already = runes[len(runes)-most:], true
	}
	if already {
		mark = "…"
	}
	return string(runes), mark
}

func keepStart(text string, most int, already bool) (kept, mark string) {
	runes := []rune(text)
	if len(runes) > most {
		runes, already = runes[:most], true
	}
	if already {
		mark = "…"
	}
	return string(runes), mark
}

// masked returns the text from start to end with each secret in it replaced, however little of it shows.
func (f *File) masked(start, end int) string {
	var out strings.Builder
	at := start
	for _, hidden := range f.hidden(start, end) {
		if hidden.start > at {
			out.WriteString(f.plain(at, hidden.start))
		}
		if hidden.start >= start || at == start {
			out.WriteString(mask)
		}
		at = max(at, min(hidden.end, end))
	}
	if at < end {
		out.WriteString(f.plain(at, end))
	}
	return out.String()
}

// plain is the beginning of a stretch without secrets: more than anybody keeps of it, and no more than that of 20 MB.
func (f *File) plain(start, end int) string {
	return Printable(string(f.Text[start:min(end, start+2*excerptMargin*utf8.UTFMax)]))
}

// hidden returns the secrets that touch the range, merged and in order.
func (f *File) hidden(start, end int) []interval {
	var found []interval
	for _, s := range f.secrets {
		if s.start < end && s.end > start {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b interval) int { return a.start - b.start })
	var merged []interval
	for _, s := range found {
		if n := len(merged); n > 0 && s.start <= merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, s.end)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// Shortened is a text cut to so many characters; "…" marks the cut.
func Shortened(text string, most int) string {
	for i := range text {
		if most--; most < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

// Printable replaces what would move a terminal's cursor, hide text or break a line: control characters,
// bidirectional marks and bytes that are not UTF-8. A tab becomes one blank.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r == utf8.RuneError, r == 0xfeff,
			r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, text)
}
