package runner

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// unitForm matches the beginning of a unit's file: comments, then a section.
var unitForm = regexp.MustCompile(`\A(?:\x{feff})?(?:\s*[#;][^\n]*\n|\s*\n)*\s*` +
	`\[(?:Unit|Service|Install|Container|X-\w+)\][ \t]*\r?(?:\n|$)`)

// setting is one assignment of a unit: KEY=VALUE.
type setting struct {
	section, key string
	// value is what stands behind "=". Its text is as long as the stretch of the file; what continues a line is a blank,
	// and what systemd passes over there is dropped.
	value    *code
	mistakes []Mistake
}

// place is where the value is written.
func (s setting) place() source.Span { return s.value.span(0, len(s.value.text)) }

// unitLines reads the lines of a unit. Source: systemd.syntax(7); what it leaves open was measured with systemd 252.
type unitLines struct {
	file *source.File
	text []byte
	at   int
}

// maxSettings is more than any unit has.
const maxSettings = 2000

func readUnitLines(file *source.File) []setting {
	lines := unitLines{file: file, text: slices.Clone(file.Text)}
	if bytes.HasPrefix(lines.text, []byte("\ufeff")) {
		lines.at = len("\ufeff")
	}
	var settings []setting
	section := ""
	for lines.at < len(lines.text) && len(settings) < maxSettings {
		start := lines.skip(lines.at)
		end := lineEnd(lines.text, start)
		line := bytes.TrimRight(lines.text[start:end], " \t")
		switch {
		case isUnitComment(line):
			lines.at = lines.next(end)
		case line[0] == '[' && line[len(line)-1] == ']':
			section = string(line[1 : len(line)-1])
			lines.at = lines.next(end)
		default:
			if s, ok := lines.setting(start); ok {
				s.section = section
				settings = append(settings, s)
			}
		}
	}
	return settings
}

func isUnitComment(line []byte) bool { return len(line) == 0 || line[0] == '#' || line[0] == ';' }

// skip passes over the blanks at the beginning of a line.
func (l *unitLines) skip(at int) int {
	for at < len(l.text) && (l.text[at] == ' ' || l.text[at] == '\t') {
		at++
	}
	return at
}

// next is where the line begins that follows the one that ends at an offset.
func (l *unitLines) next(end int) int {
	if end < len(l.text) && l.text[end] == '\r' {
		end++
	}
	return min(end+1, len(l.text))
}

// setting reads the assignment that begins at an offset, with the lines that continue it.
func (l *unitLines) setting(start int) (setting, bool) {
	var s setting
	end := lineEnd(l.text, start)
	key, _, found := bytes.Cut(l.text[start:end], []byte("="))
	value := start + len(key) + 1
	s.key = string(bytes.TrimSpace(key))
	for {
		next := l.joined(&s, start, end)
		if next < 0 {
			break
		}
		start, end = next, lineEnd(l.text, next)
	}
	l.at = l.next(end)
	if !found || len(s.key) > 64 {
		return s, false
	}
	text := bytes.TrimLeft(l.text[value:max(value, end)], " \t")
	value = max(value, end) - len(text)
	text = bytes.TrimRight(text, " \t\x01")
	s.value = &code{file: l.file, base: value, text: text}
	return s, true
}

// joined is where the line begins that continues the one from start to end, -1 if none does. A command goes on as well
// where it was meant to.
func (l *unitLines) joined(s *setting, start, end int) int {
	after := l.next(end)
	if !continued(l.text[start:end]) {
		if strings.HasPrefix(s.key, "ExecStart") {
			return l.mended(s, start, end)
		}
		return -1
	}
	next := l.pastComments(after)
	if lineEnd(l.text, next) == l.skip(next) { // an empty line, or the end of the file, ends a setting
		lost, goes := l.lost(after)
		if !goes || !strings.HasPrefix(s.key, "ExecStart") {
			l.text[end-1] = ' '
			return -1
		}
		s.broken(l.file.At(end-1, end), "an empty line follows, where the command ends: what comes after it is lost")
		next = lost
	}
	return l.join(end-1, next)
}

// continued tells whether a line ends in a backslash that nothing quotes.
func continued(line []byte) bool {
	return (len(line)-len(bytes.TrimRight(line, `\`)))%2 == 1
}

func (s *setting) broken(place source.Span, detail string) {
	s.mistakes = append(s.mistakes, Mistake{Kind: BrokenContinuation, Place: place, Detail: detail, Loses: true})
}

// join makes one line of two: a blank stands for the backslash, as systemd has it, and all up to the next line is
// dropped.
func (l *unitLines) join(from, next int) int {
	l.text[from] = ' '
	for i := from + 1; i < next; i++ {
		l.text[i] = dropped
	}
	return next
}

// pastComments is where the first line begins that is no comment.
func (l *unitLines) pastComments(at int) int {
	for at < len(l.text) {
		first := l.skip(at)
		if first >= len(l.text) || l.text[first] != '#' && l.text[first] != ';' {
			break
		}
		at = l.next(lineEnd(l.text, first))
	}
	return at
}

// lost tells whether the line at an offset, or one behind a few empty lines and comments there, can only be the rest of
// a docker run.
func (l *unitLines) lost(at int) (next int, goes bool) {
	for range 8 {
		first := l.skip(at)
		end := lineEnd(l.text, first)
		if line := bytes.TrimSpace(l.text[first:end]); !isUnitComment(line) {
			return at, isLost(line)
		}
		at = l.next(end)
	}
	return at, false
}

var (
	commentBehind = regexp.MustCompile(`\\[ \t]+#[^\n]*$`)
	settingForm   = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9-]*[ \t]*=|\[.*\]$)`)
)

// mended looks at a command's line that systemd takes for its last; it is joined with the next if that was meant.
func (l *unitLines) mended(s *setting, start, end int) int {
	line := l.text[start:end]
	next, goes := l.lost(l.next(end))
	trimmed := bytes.TrimRight(line, " \t\u00a0")
	slash := start + len(trimmed) - 1
	following := bytes.TrimSpace(l.text[l.skip(next):lineEnd(l.text, l.skip(next))])
	meant := goes || len(following) > 0 && !settingForm.Match(following)
	behind := commentBehind.FindIndex(line[max(0, len(line)-1024):])
	switch {
	case len(trimmed) < len(line) && continued(trimmed):
		s.broken(l.file.At(slash, slash+1), "a blank follows the backslash, which then continues no line")
		l.text[slash] = ' '
		if !meant {
			return -1
		}
	case behind != nil && meant:
		slash = end - min(len(line), 1024) + behind[0]
		s.broken(l.file.At(slash, slash+1), "a comment follows the backslash, which then continues no line")
	case goes:
		s.broken(l.file.At(end, end), "the line lacks a backslash at its end: what follows is lost")
		slash = end
	default:
		return -1
	}
	return l.join(slash, next)
}
