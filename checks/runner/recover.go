package runner

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// mender finds the docker runs of a text and mends their form in place, byte for byte.
type mender struct {
	file *source.File
	text []byte
	// i is where the mender stands in the text, r the region that it is in.
	i int
	r *region
	// indent is how far the command's line is indented.
	indent int
	// returned says that a carriage return was reported.
	returned bool
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// head mends continuations between "docker" and "run".
func (m *mender) head(from, to int) {
	for m.i = from; m.i < to; {
		if m.text[m.i] == '\\' {
			m.backslash()
			continue
		}
		if !m.blank() {
			m.i++
		}
	}
	m.i = max(m.i, to)
}

func (m *mender) mistake(at, end int, detail string, loses bool) {
	m.r.mistakes = append(m.r.mistakes, Mistake{
		Kind: BrokenContinuation, Place: m.file.At(at, end), Detail: detail,
		Loses: loses,
	})
}

// run follows the command to its end.
func (m *mender) run() {
	for m.i < len(m.text) && m.i-m.r.start < maxCommand {
		c := m.text[m.i]
		switch {
		case c == m.r.outer && c != 0:
			return
		case c == '\'' || c == '"':
			m.quoted(c)
		case c == '\\':
			if m.backslash() {
				return
			}
		case c == '\n' || c == '\r' && m.peek(1) == '\n':
			if m.newline() {
				return
			}
		case c == '#' && m.afterBlank():
			if m.comment() {
				return
			}
		case c == '<':
			m.angle()
		case c == '{' || c == '$' && (m.peek(1) == '{' || m.peek(1) == '('):
			m.braces()
		case (c == '`' || c == '^') && lineBreak.Match(m.text[m.i+1:min(len(m.text), m.i+8)]):
			m.foreign()
		case c == '`':
			m.skipTo('`')
		case strings.IndexByte(";|)", c) >= 0, c == '&' && m.peek(-1) != '>' && m.peek(1) != '>':
			return
		case m.blank():
		default:
			m.i++
		}
	}
}

func (m *mender) peek(offset int) byte {
	if at := m.i + offset; at >= 0 && at < len(m.text) {
		return m.text[at]
	}
	return 0
}

func (m *mender) afterBlank() bool {
	return m.i == 0 || strings.IndexByte(" \t\n", m.text[m.i-1]) >= 0
}

// blank takes a non-breaking space for the blank that it was meant to be.
func (m *mender) blank() bool {
	if !bytes.HasPrefix(m.text[m.i:], []byte("\u00a0")) {
		return false
	}
	place := m.file.At(m.i, m.i+2)
	m.r.mistakes = append(m.r.mistakes, Mistake{
		Kind: Unreadable, Place: place, Loses: true,
		Detail: "a non-breaking space is no blank to a shell: the words on both sides of it are one",
	})
	m.text[m.i], m.text[m.i+1] = ' ', ' '
	m.i += 2
	return true
}

// quoted passes over a quoted stretch. A quote that is never closed, or only behind a line that begins with an
// option, is taken away.
func (m *mender) quoted(quote byte) {
	start := m.i
	end, ok := closing(m.text, start, min(len(m.text), start+maxCommand), quote, m.r.outer)
	if ok && !optionWithin(m.text[start:end]) {
		protect(m.text[start:end])
		m.i = end + 1
		return
	}
	m.r.mistakes = append(m.r.mistakes, Mistake{
		Kind: Unreadable, Place: m.file.At(start, start+1), Loses: true,
		Detail: "this quote is never closed",
	})
	m.text[start] = dropped
	m.i++
}

var lostLine = regexp.MustCompile(`\n[ \t]*(?:--([a-z][a-z-]+)[ =]|-[a-z][ ]+[\w/"'<{$~.-])`)

// optionWithin tells whether a line in a quoted stretch begins with one of docker's options.
func optionWithin(quoted []byte) bool {
	for _, found := range lostLine.FindAllSubmatch(quoted, 8) {
		if len(found[1]) == 0 || dockerGrammar().knows(string(found[1])) {
			return true
		}
	}
	return false
}

// protect blots templates such as ${{ secrets.ID }} out of code: no shell can read them.
func protect(text []byte) {
	if !bytes.Contains(text, []byte("{{")) {
		return
	}
	for _, found := range doubled.FindAllIndex(text, -1) {
		for i := found[0]; i < found[1]; i++ {
			if text[i] < utf8.RuneSelf {
				text[i] = '_'
			}
		}
	}
}

var doubled = regexp.MustCompile(`\$?\{\{[^\n{},]{0,80}\}\}`)

// closing finds the quote that closes the one at start.
func closing(text []byte, start, limit int, quote, outer byte) (int, bool) {
	for i := start + 1; i < limit; i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote:
			return i, true
		case text[i] == outer && outer != 0:
			return i, false
		}
	}
	return limit, false
}

// angle keeps a placeholder such as <my-account-id> from being taken for redirections.
func (m *mender) angle() {
	end := 0
	if found := angled.FindIndex(m.text[m.i:min(len(m.text), m.i+128)]); found != nil && found[0] == 0 {
		end = m.i + found[1]
	} else if found := erb.FindIndex(m.text[m.i:min(len(m.text), m.i+128)]); found != nil {
		end = m.i + found[1]
	}
	if end == 0 || m.peek(-1) == '<' || m.text[end-2] == ' ' || !m.template(end) {
		m.i++
		return
	}
	m.literal(end)
}

var (
	erb      = regexp.MustCompile(`^<%.{0,80}?%>`)
	mustache = regexp.MustCompile(`^\$?\{\{[^\n]{0,80}?\}\}`)
	spoken   = regexp.MustCompile(`^\{[A-Za-z][\w-]*( [\w-]+)+\}`)
)

// template tells whether angle brackets stand for a placeholder: a file name would not be followed by ">".
func (m *mender) template(end int) bool {
	return end >= len(m.text) || m.text[end] != '>'
}

// literal makes the text up to end one word, whatever is in it.
func (m *mender) literal(end int) {
	m.r.mistakes = append(m.r.mistakes, Mistake{
		Kind: Placeholder, Place: m.file.At(m.i, end), Loses: true,
		Detail: "a placeholder, not a value",
	})
	for ; m.i < end; m.i++ {
		if c := m.text[m.i]; c < utf8.RuneSelf && !letter(c) && (c < '0' || c > '9') {
			m.text[m.i] = '_'
		}
	}
}

// braces passes over ${…} and $(…), and keeps template placeholders together.
func (m *mender) braces() {
	ahead := m.text[m.i:min(len(m.text), m.i+128)]
	for _, form := range []*regexp.Regexp{mustache, spoken} {
		if found := form.FindIndex(ahead); found != nil {
			m.literal(m.i + found[1])
			return
		}
	}
	if m.text[m.i] == '{' {
		m.i++
		return
	}
	open, close := m.peek(1), byte('}')
	if open == '(' {
		close = ')'
	}
	depth, limit := 0, min(len(m.text), m.i+4096)
	for i := m.i + 1; i < limit; i++ {
		switch m.text[i] {
		case open:
			depth++
		case close:
			depth--
		}
		if depth == 0 {
			m.i = i + 1
			return
		}
	}
	m.i++
}

var lineBreak = regexp.MustCompile(`^[ \t]*\r?\n`)

// foreign takes the continuation of PowerShell or cmd for one.
func (m *mender) foreign() {
	if bytes.HasPrefix(m.text, []byte("#!")) {
		m.mistake(m.i, m.i+1, "a shell continues lines with a backslash, not with "+string(m.text[m.i]), true)
	}
	m.wipe(m.i, m.i+1+len(lineBreak.Find(m.text[m.i+1:min(len(m.text), m.i+8)])))
}

func (m *mender) skipTo(c byte) {
	if i := bytes.IndexByte(m.text[m.i+1:min(len(m.text), m.i+4096)], c); i >= 0 {
		m.i += i + 2
		return
	}
	m.i++
}

// backslash looks at what a backslash quotes; it tells whether the command ends with it.
func (m *mender) backslash() bool {
	at := m.i
	end := at + 1
	for end < len(m.text) && (m.text[end] == ' ' || m.text[end] == '\t') {
		end++
	}
	for bytes.HasPrefix(m.text[end:], []byte("\u00a0")) {
		end += 2
	}
	returns := end < len(m.text) && m.text[end] == '\r' && (end+1 == len(m.text) || m.text[end+1] == '\n')
	lineEnd := end == len(m.text) || m.text[end] == '\n' || returns
	switch {
	case lineEnd:
		return m.ending(at, end, returns)
	case end == at+1:
		m.i += 2
		return false
	case m.text[end] == '#':
		m.mistake(at, at+1, "a comment follows the backslash, which then continues no line", true)
		m.text[at] = ' '
		m.i = end
		return m.swallow()
	case at == 0 || strings.IndexByte(" \t\n", m.text[at-1]) >= 0 || isOption(m.text[end:]):
		m.mistake(at, at+1, "the backslash stands in mid-line, where it continues nothing: the next argument begins "+
			"with a blank", true)
		m.text[at] = ' '
		m.i = end
		return false
	}
	m.i = end
	return false
}

const commentBetween = "a comment between continued lines ends the command: what follows is lost"

// ending looks at a backslash at the end of its line. The text from end on is the line break.
func (m *mender) ending(at, end int, returns bool) bool {
	next := end
	if returns {
		next++
	}
	next = min(next+1, len(m.text))
	clean := end == at+1 && !returns
	goes, resume, comment := m.continues(next, clean)
	if !goes {
		m.mistake(at, at+1, "the backslash is the last thing in the command: no line follows that it could continue", false)
		m.text[at] = ' '
		m.i = end
		return true
	}
	switch {
	case returns:
		m.returned = true
		m.mistake(at, at+1, "a carriage return (a Windows line end) follows the backslash, which then continues no line", true)
	case !clean:
		m.mistake(at, at+1, "a blank follows the backslash, which then continues no line", true)
	}
	if resume > next {
		if comment >= 0 {
			m.mistake(comment, m.lineOf(comment), commentBetween, true)
		} else if clean && comment < 0 {
			m.mistake(at, at+1, "an empty line follows, where the command ends: what comes after it is lost", true)
		}
	}
	glued := at > 0 && strings.IndexByte(" \t\n", m.text[at-1]) < 0 && isOption(m.text[resume:])
	switch {
	case !clean || resume > next:
	case glued:
		m.mistake(at, at+1, "no blank stands before the backslash, nor at the beginning of the next line: two words "+
			"become one", true)
	default:
		m.i = next
		return false
	}
	m.wipe(at, resume)
	return false
}

// lineEnd is where the line at an offset ends.
func lineEnd(text []byte, at int) int {
	start := at
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		at += i
	} else {
		at = len(text)
	}
	if at > start && text[at-1] == '\r' {
		at--
	}
	return at
}

func (m *mender) lineOf(at int) int { return lineEnd(m.text, at) }

// wipe makes blanks of a stretch and goes on behind it.
func (m *mender) wipe(from, to int) {
	for i := from; i < to; i++ {
		m.text[i] = ' '
	}
	m.i = to
}

// newline looks at a line that ends without a backslash; it tells whether the command ends there.
func (m *mender) newline() bool {
	at := m.i
	next := at + 1
	if m.text[at] == '\r' {
		next++
	}
	goes, resume, comment := m.lost(next)
	if !goes {
		if m.text[at] == '\r' && !m.returned {
			m.r.mistakes = append(m.r.mistakes, Mistake{
				Kind: CarriageReturn, Place: m.file.At(at, at+1), Loses: true,
				Detail: "the line ends in a carriage return (a Windows line end), which becomes part of its last word",
			})
		}
		return true
	}
	slash := m.slashBefore(at)
	switch {
	case slash >= 0:
		m.mistake(slash, slash+1, "a slash stands where a backslash should: the line ends there, and what follows is lost",
			true)
		m.text[slash] = ' '
	case comment >= 0:
		m.mistake(comment, m.lineOf(comment), commentBetween, true)
	default:
		m.mistake(at, at, "the line lacks a backslash at its end: what follows is lost", true)
	}
	m.wipe(at, resume)
	return false
}

// slashBefore is where a slash stands as the last word of the line that ends at an offset, -1 if none does.
func (m *mender) slashBefore(at int) int {
	line := bytes.TrimRight(m.text[m.r.start:at], " \t")
	n := len(line)
	if n > 1 && line[n-1] == '/' && (line[n-2] == ' ' || line[n-2] == '\t') {
		return m.r.start + n - 1
	}
	return -1
}

// comment looks at a comment in the command's own line; it tells whether the command ends with it.
func (m *mender) comment() bool {
	at := m.i
	line := m.lineOf(at)
	marked := bytes.HasSuffix(bytes.TrimRight(m.text[at:line], " \t"), []byte(`\`))
	goes, resume, _ := m.lost(min(line+1, len(m.text)))
	if !goes && marked {
		goes, resume, _ = m.continues(min(line+1, len(m.text)), false)
	}
	if !goes {
		return true
	}
	m.mistake(at, line, "the comment ends the command: what follows is lost", true)
	m.wipe(at, resume)
	return false
}

// swallow wipes a comment that follows a backslash, with its line break if the command goes on.
func (m *mender) swallow() bool {
	line := m.lineOf(m.i)
	goes, resume, _ := m.continues(min(line+1, len(m.text)), false)
	if !goes {
		return true
	}
	m.wipe(m.i, resume)
	return false
}

// continues tells whether the command that a backslash wanted to continue goes on at the line at next, or behind
// blank lines and comments there, at resume. A clean backslash continues whatever follows it.
func (m *mender) continues(next int, clean bool) (goes bool, resume, comment int) {
	line := m.text[next:m.lineOf(next)]
	trimmed := bytes.TrimSpace(line)
	switch {
	case len(trimmed) == 0 || trimmed[0] == '#':
		goes, resume, comment = m.lost(next)
		return goes || comment >= 0 && m.lastWord(resume), resume, comment
	case m.r.outer != 0 && trimmed[0] == m.r.outer:
		return false, next, -1
	case clean:
		return true, next, -1
	}
	indent := len(line) - len(bytes.TrimLeft(line, " \t"))
	first, _, more := bytes.Cut(trimmed, []byte(" "))
	if delimiter.Match(trimmed) {
		return false, next, -1
	}
	reference := bytes.IndexByte(first, '/') > 0 && !bytes.HasPrefix(first, []byte("./"))
	return isOption(trimmed) || indent > m.indent || !more || reference, next, -1
}

// delimiter matches what looks like the end of a here-document, or of a block.
var delimiter = regexp.MustCompile(`^(?:[A-Z_]+|fi|done|esac|\}|\)|;;)$`)

// lost tells whether the line at next, or one behind a few blank lines and comments there, is of this command though
// nothing continues it: it begins with an option, or is the runner's image.
func (m *mender) lost(next int) (goes bool, resume, comment int) {
	comment, resume = -1, next
	for skipped := 0; resume < len(m.text) && skipped < 8; skipped++ {
		end := m.lineOf(resume)
		trimmed := bytes.TrimSpace(m.text[resume:end])
		switch {
		case len(trimmed) > 0 && trimmed[0] == '#':
			if comment < 0 {
				comment = resume + bytes.IndexByte(m.text[resume:end], '#')
			}
		case len(trimmed) > 0:
			return isLost(trimmed), resume, comment
		}
		resume = min(end+1, len(m.text))
		if end < len(m.text) && m.text[end] == '\r' {
			resume = min(resume+1, len(m.text))
		}
	}
	return false, next, -1
}

// lastWord tells whether the line at an offset is one indented word: an image, behind a comment.
func (m *mender) lastWord(at int) bool {
	line := m.text[at:m.lineOf(at)]
	word := bytes.TrimSpace(line)
	indent := len(line) - len(bytes.TrimLeft(line, " \t"))
	return len(word) > 0 && indent > m.indent && !bytes.ContainsAny(word, " \t;") && !delimiter.Match(word)
}

// isLost tells whether a line can only be the rest of a docker run.
func isLost(line []byte) bool {
	if isOption(line) {
		return true
	}
	word := strings.Trim(strings.TrimRight(string(line[:min(len(line), 300)]), " \t\\"), `"'`)
	if imageVariable.MatchString(word) {
		return true
	}
	return !strings.ContainsAny(word, " \t=") && IsRunnerImage(word)
}

// imageVariable matches the expansion of a variable that is called after an image.
var imageVariable = regexp.MustCompile(`^\$\{?\w*(?i:image|img)\w*\}?$`)

// isOption tells whether a text begins with an option of docker run.
func isOption(text []byte) bool {
	v := string(text[:min(len(text), 64)])
	n := dashes(v)
	if n == 0 {
		return false
	}
	name := strings.TrimLeft(v, typographic)
	if i := strings.IndexAny(name, "= \t\r\n\\"); i >= 0 {
		name = name[:i]
	}
	g := dockerGrammar()
	if n == 2 || len(name) > 2 && g.knows(name) {
		return g.nearest(name) != ""
	}
	if name == "" {
		return false
	}
	long, known := g.short[name[0]]
	return known && (len(name) == 1 || g.switches[long] || strings.ContainsAny(name, "/:") || name[0] == 'e')
}
