package runner

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// scalarReader finds where the characters of a scalar's value are written. The parser tells the value and where the
// scalar begins; what lies between is read once more here.
type scalarReader struct {
	file *source.File
	text []byte
	at   int
	out  field
	// length is that of the value so far, from and to the stretch of it that is not yet a piece.
	length, from, to int
	pending          bool
	// quoting is that of all pieces.
	quoting Quoting
	// json says that the text is JSON, where a string holds its blanks as they are.
	json bool
}

// read makes the field. Where what it finds is not what the parser says, the field is one piece at the scalar's
// beginning: the value is always the parser's.
func (s *scalarReader) read(n *yaml.Node) field {
	s.properties()
	begin := s.at
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.SingleQuotedStyle:
		s.quoting = SingleQuoted
		s.at++
		s.quoted('\'')
	case yaml.DoubleQuotedStyle:
		s.quoting = DoubleQuoted
		s.at++
		s.quoted('"')
	case yaml.LiteralStyle, yaml.FoldedStyle:
		s.quoting = SingleQuoted
		s.block(n)
	default:
		s.plain(n.Value)
	}
	s.flush()
	if s.out.value() == n.Value && len(s.out) > 0 {
		return s.out
	}
	end := begin
	if n.Value != "" {
		end = min(begin+1, len(s.text))
	}
	return field{{text: n.Value, at: []source.Span{s.file.At(begin, end)}, quoting: s.quoting}}
}

// properties passes over the anchor and the tag before a scalar.
func (s *scalarReader) properties() {
	for s.at < len(s.text) && (s.text[s.at] == '&' || s.text[s.at] == '!') {
		for s.at < len(s.text) && !s.blank() {
			s.at++
		}
		for s.at < len(s.text) && s.blank() {
			s.at++
		}
	}
}

func (s *scalarReader) blank() bool {
	return s.text[s.at] == ' ' || s.text[s.at] == '\t' || yamlBreak(s.text[s.at:]) > 0
}

// add takes a stretch of the text as it stands.
func (s *scalarReader) add(from, to int) {
	s.length += to - from
	if s.pending && s.to == from {
		s.to = to
		return
	}
	s.flush()
	s.from, s.to, s.pending = from, to, true
}

// flush makes a piece of the stretch that was added.
func (s *scalarReader) flush() {
	if s.pending {
		at := []source.Span{s.file.At(s.from, s.to)}
		s.out = append(s.out, piece{text: string(s.text[s.from:s.to]), at: at, quoting: s.quoting, verbatim: true})
	}
	s.pending = false
}

// stand adds characters that stand for what is written from from to to: an escape, a folded line break.
func (s *scalarReader) stand(characters string, from, to int) {
	s.flush()
	s.length += len(characters)
	s.out = append(s.out, piece{text: characters, at: []source.Span{s.file.At(from, to)}, quoting: s.quoting})
}

// fold passes over a line break with the blanks around it, and adds what it stands for: a blank, or the empty lines
// behind it.
func (s *scalarReader) fold(from int) {
	breaks := 0
	for s.at < len(s.text) && s.blank() {
		n := yamlBreak(s.text[s.at:])
		if n > 0 {
			breaks++
		}
		s.at += max(n, 1)
	}
	switch breaks {
	case 0:
		s.add(from, s.at)
	case 1:
		s.stand(" ", from, s.at)
	default:
		s.stand(strings.Repeat("\n", breaks-1), from, s.at)
	}
}

// plain reads a scalar without quotes, whose end the value tells.
func (s *scalarReader) plain(value string) {
	if value == "" {
		s.add(s.at, s.at)
		return
	}
	for s.at < len(s.text) && s.length < len(value) {
		from := s.at
		if s.blank() {
			s.fold(from)
			continue
		}
		s.at = s.wordEnd(len(value) - s.length)
		s.add(from, s.at)
	}
}

// wordEnd is where the word here ends, at most that many bytes on.
func (s *scalarReader) wordEnd(most int) int {
	end := min(s.at+most, len(s.text))
	for at := s.at; at < end; at++ {
		c := s.text[at]
		if c == ' ' || c == '\t' || (c == '\r' || c == '\n' || c >= 0x80) && yamlBreak(s.text[at:]) > 0 {
			return at
		}
	}
	return end
}

// quoted reads up to the closing quote.
func (s *scalarReader) quoted(quote byte) {
	s.add(s.at, s.at)
	for s.at < len(s.text) {
		from := s.at
		switch c := s.text[s.at]; {
		case c == quote && quote == '\'' && s.at+1 < len(s.text) && s.text[s.at+1] == quote:
			s.at += 2
			s.stand("'", from, s.at)
		case c == quote:
			return
		case c == '\\' && quote == '"':
			s.escape()
		case s.blank() && !s.json:
			s.fold(from)
		default:
			s.at = s.plainEnd(quote)
			s.add(from, s.at)
		}
	}
}

// plainEnd is where the characters here end that stand for themselves within quotes.
func (s *scalarReader) plainEnd(quote byte) int {
	at := s.at + 1
	for ; at < len(s.text); at++ {
		c := s.text[at]
		if c == quote || c == '\\' && quote == '"' || c == ' ' || c == '\t' || yamlBreak(s.text[at:]) > 0 {
			break
		}
	}
	return at
}

// escape reads a backslash in double quotes and what it stands for. Source: YAML 1.2.2, 5.7.
func (s *scalarReader) escape() {
	from := s.at
	s.at++
	if n := yamlBreak(s.text[s.at:]); n > 0 {
		s.at += n
		for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
			s.at++
		}
		s.stand("", from, s.at)
		return
	}
	if s.at >= len(s.text) {
		return
	}
	c := s.text[s.at]
	s.at++
	if digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; digits > 0 {
		end := min(s.at+digits, len(s.text))
		code := 0
		for _, d := range s.text[s.at:end] {
			code = code<<4 | hexadecimal(d)
		}
		if pair := utf16.DecodeRune(rune(code), s.lowSurrogate(end)); pair != utf8.RuneError {
			code, end = int(pair), end+6
		}
		s.at = end
		s.stand(string(rune(code)), from, end)
		return
	}
	const letters = "0abtnvfre \"/\\N_LP\t"
	meanings := []string{
		"\x00", "\a", "\b", "\t", "\n", "\v", "\f", "\r", "\x1b", " ", "\"", "/", "\\", "\u0085", "\u00a0",
		"\u2028", "\u2029", "\t",
	}
	if i := strings.IndexByte(letters, c); i >= 0 {
		s.stand(meanings[i], from, s.at)
	}
}

// lowSurrogate is the second half of a character that JSON spells in two escapes, if one stands at an offset; else 0.
func (s *scalarReader) lowSurrogate(at int) rune {
	if at+6 > len(s.text) || s.text[at] != '\\' || s.text[at+1] != 'u' {
		return 0
	}
	code := rune(0)
	for _, d := range s.text[at+2 : at+6] {
		code = code<<4 | rune(hexadecimal(d))
	}
	if code < 0xdc00 || code > 0xdfff {
		return 0
	}
	return code
}

func hexadecimal(digit byte) int {
	switch {
	case digit >= '0' && digit <= '9':
		return int(digit - '0')
	case digit|0x20 >= 'a' && digit|0x20 <= 'f':
		return int(digit|0x20-'a') + 10
	}
	return 0
}

// block reads a scalar behind "|" or ">", line by line along the value.
func (s *scalarReader) block(n *yaml.Node) {
	s.at = s.lineEnd()
	s.at += yamlBreak(s.text[s.at:])
	rest := n.Value
	for s.at < len(s.text) && rest != "" {
		end := s.lineEnd()
		next := min(end+max(yamlBreak(s.text[end:]), 1), len(s.text))
		line, _, _ := strings.Cut(rest, "\n")
		rest = s.blockLine(rest, line, end, next)
		s.at = next
	}
}

// lineEnd is where the line here ends, without its break.
func (s *scalarReader) lineEnd() int {
	at := s.at
	for at < len(s.text) && yamlBreak(s.text[at:]) == 0 {
		at++
	}
	return at
}

// blockLine takes the line of the file from s.at to end for the beginning of what is left of the value, and returns
// what is left then. A folded line ends in a blank where the next one goes on.
func (s *scalarReader) blockLine(rest, line string, end, next int) string {
	written := s.text[s.at:end]
	trimmed := bytes.TrimLeft(written, " ")
	switch {
	case len(trimmed) == 0 && line == "":
	case len(trimmed) == 0 && strings.HasSuffix(string(written), line) && strings.Trim(line, " ") == "":
		s.add(end-len(line), end)
	case strings.HasSuffix(string(written), line):
		s.add(end-len(line), end)
	case strings.HasPrefix(rest, string(trimmed)):
		line = string(trimmed)
		s.add(end-len(line), end)
	default:
		return ""
	}
	rest = rest[len(line):]
	if rest != "" && (rest[0] == '\n' || rest[0] == ' ') {
		s.stand(rest[:1], end, next)
		rest = rest[1:]
	}
	return rest
}
