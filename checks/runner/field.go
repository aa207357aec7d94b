package runner

import (
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// piece is a stretch of a value that has one origin.
type piece struct {
	text string
	// at is where it comes from: the outermost expansion first, the written text last.
	at      []source.Span
	quoting Quoting
	// home says that text is "~", for the home folder; verbatim that text is what the last place holds.
	home, verbatim bool
	unresolved     string
	// many says that it may be any number of words, quoted or not.
	many bool
}

func (p piece) written() source.Span { return p.at[len(p.at)-1] }

// field is one argument as a command gets it. It has at least one piece, if an empty one.
type field []piece

func (f field) value() string {
	if len(f) == 1 {
		return f[0].text
	}
	var out strings.Builder
	for _, p := range f {
		out.WriteString(p.text)
	}
	return out.String()
}

// shape is the value, for taking it apart: what is not known, and placeholders, are blotted out, so that no colon
// or equals sign in them divides anything.
func (f field) shape() string {
	var out strings.Builder
	for _, p := range f {
		if p.unresolved != "" {
			out.WriteString(strings.Repeat("\x00", len(p.text)))
			continue
		}
		out.WriteString(p.text)
	}
	return angled.ReplaceAllStringFunc(out.String(), func(s string) string { return strings.Repeat("x", len(s)) })
}

// opaque tells whether nothing of the field is known.
func (f field) opaque() bool {
	for _, p := range f {
		if p.unresolved == "" && p.text != "" {
			return false
		}
	}
	return f.unresolved() != ""
}

// many tells whether the field, of which nothing is known, may be any number of words.
func (f field) many() bool {
	several := func(p piece) bool { return p.many || p.quoting == Unquoted }
	return f.opaque() && slices.ContainsFunc(f.visible(), several)
}

func (f field) unresolved() string {
	for _, p := range f {
		if p.unresolved != "" {
			return p.unresolved
		}
	}
	return ""
}

// slice is the part of the field from byte from to byte to of its value.
func (f field) slice(from, to int) field {
	var out, empty field
	at := 0
	for _, p := range f {
		start := at
		at += len(p.text)
		if from <= at && start <= to {
			cut := p.slice(max(from, start)-start, min(to, at)-start)
			if cut.text != "" {
				out = append(out, cut)
			} else if from == to || len(p.text) == 0 {
				empty = field{cut}
			}
		}
	}
	if out == nil {
		return empty
	}
	return out
}

func (p piece) slice(from, to int) piece {
	if from > to {
		from = to
	}
	whole := from == 0 && to == len(p.text)
	p.text = p.text[from:to]
	if whole {
		return p
	}
	p.at = slices.Clone(p.at)
	last := &p.at[len(p.at)-1]
	if p.verbatim {
		last.End = last.Start + to
		last.Start += from
	}
	if from > 0 {
		p.home = false
	}
	return p
}

// text is the field for those outside of this package.
func (f field) text() Text {
	place, use := f.place()
	t := Text{Value: f.value(), Place: place, Use: use, Unresolved: f.unresolved()}
	for i, p := range f {
		if p.text != "" || i == len(f)-1 {
			t.Quoting, t.Home = p.quoting, p.home
			break
		}
	}
	t.Placeholder = placeholder(f.known())
	return t
}

// known is the value without what is not known.
func (f field) known() string { return strings.ReplaceAll(f.rawShape(), "\x00", "") }

func (f field) rawShape() string {
	var out strings.Builder
	for _, p := range f {
		if p.unresolved == "" {
			out.WriteString(p.text)
		}
	}
	return out.String()
}

// place is where the value is written as a whole: as deep behind expansions as all of it was brought by the same
// one. The outermost expansion, if there is any, is its use.
func (f field) place() (place, use source.Span) {
	pieces := f.visible()
	if len(pieces) == 0 {
		return source.Span{}, source.Span{}
	}
	level := 0
	for common(pieces, level) {
		if level == 0 {
			use = pieces[0].at[0]
		}
		level++
	}
	first, last := pieces[0].at[level], pieces[len(pieces)-1].at[level]
	if first.File == last.File && last.End > first.Start {
		first.End = last.End
	}
	return first, use
}

// visible leaves empty pieces out, unless there is nothing else.
func (f field) visible() field {
	var out field
	for _, p := range f {
		if p.text != "" {
			out = append(out, p)
		}
	}
	if out == nil && len(f) > 0 {
		return f[len(f)-1:]
	}
	return out
}

// outerEnd is the place in the command where the field ends.
func (f field) outerEnd() source.Span {
	last := f[len(f)-1].at[0]
	return source.Span{File: last.File, Start: last.End, End: last.End}
}

// outerPlace is the place in the command at which the field is used.
func (f field) outerPlace() source.Span { return f[0].at[0] }

func common(pieces field, level int) bool {
	for _, p := range pieces {
		if len(p.at) <= level+1 || p.at[level] != pieces[0].at[level] {
			return false
		}
	}
	return true
}

var (
	// angled is a sample in angle brackets, as documentation writes them.
	angled = regexp.MustCompile(`<[A-Za-z_][^<>\n]{0,80}>`)
	// sample is any placeholder that its form gives away.
	sample = regexp.MustCompile(`<[A-Za-z_][^<>\n]{0,80}>|<%.{0,80}?%>|\$?\{\{.{0,80}?\}\}|` +
		`\{[A-Za-z][\w-]*( [\w-]+)+\}`)
)

func placeholder(value string) string {
	if len(value) > 4096 {
		return ""
	}
	return sample.FindString(value)
}
