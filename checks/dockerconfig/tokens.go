package dockerconfig

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// blanks goes on to the next token, over white space and what is no JSON but often stands there.
func (r *reader) blanks() {
	for !r.done() {
		switch c := r.text[r.at]; {
		case c == '\n':
			r.at++
			r.line = r.at
		case c == ' ' || c == '\t' || c == '\r':
			r.at++
		case c == '#' || c == '/' && r.at+1 < len(r.text) && (r.text[r.at+1] == '/' || r.text[r.at+1] == '*'):
			r.comment()
		case c < ' ':
			r.fail(ControlCharacter, r.at, r.at+1, "a control character between values")
			r.at++
		case c >= utf8.RuneSelf:
			size, character := blankAt(r.text, r.at)
			if size == 0 {
				return
			}
			r.strangeBlank(size, character)
			r.at += size
		default:
			return
		}
	}
}

func (r *reader) comment() {
	start := r.at
	ending := "\n"
	if r.text[start] == '/' && r.text[start+1] == '*' {
		ending = "*/"
		r.at += 2
	}
	if i := bytes.Index(r.text[r.at:], []byte(ending)); i >= 0 {
		r.at += i
		if ending == "*/" {
			r.at += len(ending)
		}
	} else {
		r.at = len(r.text)
	}
	line, _, _ := bytes.Cut(r.text[start:r.at], []byte("\n"))
	r.fail(Comment, start, start+len(bytes.TrimRight(line, "\r")), "a comment, which JSON does not know")
}

// blankAt tells a blank that JSON does not know: its size, 0 if there is none.
func blankAt(text []byte, at int) (int, rune) {
	c, size := utf8.DecodeRune(text[at:])
	switch {
	case c == 0xa0, c == 0x85, c == 0x1680, c >= 0x2000 && c <= 0x200d, c == 0x2028, c == 0x2029, c == 0x202f,
		c == 0x205f, c == 0x2060, c == 0x3000, c == 0xfeff:
		return size, c
	}
	return 0, 0
}

func (r *reader) strangeBlank(size int, c rune) {
	if r.report == nil {
		return
	}
	name := "a space"
	switch c {
	case 0xa0, 0x202f, 0x2007:
		name = "a non-breaking space"
	case 0x200b, 0x200c, 0x200d, 0x2060:
		name = "an invisible character"
	case 0xfeff:
		name = "a byte order mark"
	}
	r.fail(NonBreakingSpace, r.at, r.at+size, fmt.Sprintf("%s (U+%04X) where only a plain blank may stand", name, c))
}

func controlMessage(c byte) string {
	switch c {
	case '\t':
		return "a tab inside a string"
	case 0:
		return "a NUL inside a string"
	}
	return "a control character inside a string"
}

// quoteAt returns the quote of any kind that stands at a place, 0 if none does.
func quoteAt(text []byte, at int) rune {
	if at >= len(text) {
		return 0
	}
	switch c := text[at]; c {
	case '"', '\'', '`':
		return rune(c)
	case 0xe2, 0xc2:
		switch c, _ := utf8.DecodeRune(text[at:]); c {
		case '“', '”', '„', '‟', '‘', '’', '‚', '«', '»', '″':
			return c
		}
	}
	return 0
}

// closes tells whether a quote ends a string that another began.
func closes(open, quote rune) bool {
	switch open {
	case '"', '\'', '`':
		return open == quote
	case '‘', '’', '‚':
		return quote == '’' || quote == '‘'
	}
	return quote != 0 && quote != '\'' && quote != '`' && quote != '‘' && quote != '’' && quote != '‚'
}

// str reads the string that begins here, whichever quote begins it.
func (r *reader) str() Value {
	start := r.at
	open := quoteAt(r.text, start)
	switch {
	case open == '\'' || open == '`':
		r.fail(SingleQuotes, start, start+1, `a single quote where " belongs`)
	case open != '"':
		r.fail(TypographicQuotes, start, start+utf8.RuneLen(open), `a typographic quote where " belongs`)
	}
	r.odd = -1
	r.at += utf8.RuneLen(open)
	firstBreak := 0
	for {
		if r.at = plainEnd(r.text, r.at, r.report == nil); r.done() {
			break
		}
		switch c := r.text[r.at]; {
		case c == '"' && open == '"':
			r.at++
			return r.value(String, start)
		case c == '\\':
			r.escape()
		case c == '\n' || c == '\r':
			if r.lastLine || r.endsHere() {
				return r.cutOff(start)
			}
			if firstBreak == 0 {
				firstBreak = r.at
			}
			r.fail(ControlCharacter, r.at, r.at+1, "a line break inside a string")
			r.at++
		case c < ' ':
			r.fail(ControlCharacter, r.at, r.at+1, controlMessage(c))
			r.at++
		case c == '\'' || c == '`' || c >= utf8.RuneSelf:
			if r.unusual(open) {
				return r.value(String, start)
			}
		default:
			r.at++
		}
	}
	if firstBreak > 0 {
		r.at, r.lastLine = firstBreak, true
	}
	return r.cutOff(start)
}

// plainEnd skips the characters that mean nothing special in a string: those beyond ASCII too where nobody asks whether
// they are UTF-8, but for the first bytes of quotes.
func plainEnd(text []byte, at int, silent bool) int {
	for ; at < len(text); at++ {
		switch c := text[at]; {
		case c == '"' || c == '\\' || c == '\'' || c == '`' || c < ' ':
			return at
		case c >= utf8.RuneSelf && (!silent || c == 0xc2 || c == 0xe2):
			return at
		}
	}
	return at
}

// unusual reads one character of a string that may be a quote of another kind, and tells whether it ends the string.
func (r *reader) unusual(open rune) bool {
	c, size := utf8.DecodeRune(r.text[r.at:])
	if c == utf8.RuneError && size == 1 {
		r.fail(InvalidUTF8, r.at, r.at+1, "a byte that is not UTF-8")
	}
	quote := quoteAt(r.text, r.at)
	at := r.at
	r.at += size
	if quote == 0 {
		return false
	}
	if open != '"' {
		return closes(open, quote)
	}
	if r.odd < 0 && r.report != nil && r.mayEnd() {
		r.odd = at
	}
	return false
}

// mayEnd tells whether what follows could stand behind a string.
func (r *reader) mayEnd() bool {
	for _, c := range r.text[r.at:min(len(r.text), r.at+8)] {
		switch c {
		case ' ', '\t':
			continue
		case ':', ',', '}', ']', '\r', '\n':
			return true
		}
		return false
	}
	return true
}

func (r *reader) oddQuote() (SyntaxKind, int, int, string) {
	c, size := utf8.DecodeRune(r.text[r.odd:])
	if c == '\'' || c == '`' {
		return SingleQuotes, r.odd, r.odd + size, `a single quote where " belongs`
	}
	return TypographicQuotes, r.odd, r.odd + size, `a typographic quote where " belongs`
}

func (r *reader) escape() {
	size := 2
	if r.at+1 < len(r.text) {
		switch r.text[r.at+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			r.at += 2
			return
		case 'u':
			if _, ok := hex4(r.text[r.at+2:]); ok {
				r.at += 6
				return
			}
		case '\n', '\r':
			size = 1
		default:
			_, n := utf8.DecodeRune(r.text[r.at+1:])
			size = 1 + n
		}
	}
	end := min(r.at+size, len(r.text))
	r.fail(Backslash, r.at, end, `a \ that begins no escape`)
	r.at = end
}

// endsHere tells whether a string whose line ends here was meant to end on it: what follows is a bracket, another
// key, or the end.
func (r *reader) endsHere() bool {
	at := r.at
	for at < len(r.text) && (r.text[at] == ' ' || r.text[at] == '\t' || r.text[at] == '\r' || r.text[at] == '\n') {
		at++
	}
	if at == len(r.text) || r.text[at] == '}' || r.text[at] == ']' {
		return true
	}
	if r.text[at] != '"' {
		return false
	}
	line := r.text[at+1:]
	if i := bytes.IndexByte(line[:min(len(line), 1000)], '"'); i > 0 {
		rest := bytes.TrimLeft(line[i+1:min(len(line), i+100)], " \t")
		return len(rest) > 0 && rest[0] == ':'
	}
	return false
}

// cutOff ends a string at the end of its line, before a comma that is probably not its own.
func (r *reader) cutOff(start int) Value {
	text := bytes.TrimRight(r.text[start:r.at], " \t\r,")
	end := start + max(len(text), 1)
	r.fail(UnclosedString, start, end, "a string without its closing quote")
	r.at = end
	return r.value(String, start)
}

// wordKind tells JSON's literals and numbers from other words.
func wordKind(word []byte) Kind {
	switch string(word) {
	case "null":
		return Null
	case "true", "false":
		return Bool
	}
	if isNumber(word) {
		return Number
	}
	return Literal
}

func isNumber(word []byte) bool {
	word = bytes.TrimPrefix(word, []byte("-"))
	whole := digits(word)
	if whole == 0 || whole > 1 && word[0] == '0' {
		return false
	}
	word = word[whole:]
	if len(word) > 0 && word[0] == '.' {
		n := digits(word[1:])
		if n == 0 {
			return false
		}
		word = word[1+n:]
	}
	if len(word) > 0 && (word[0] == 'e' || word[0] == 'E') {
		word = word[1:]
		if len(word) > 0 && (word[0] == '+' || word[0] == '-') {
			word = word[1:]
		}
		n := digits(word)
		if n == 0 {
			return false
		}
		word = word[n:]
	}
	return len(word) == 0
}

func digits(word []byte) int {
	n := 0
	for n < len(word) && word[n] >= '0' && word[n] <= '9' {
		n++
	}
	return n
}

// hex4 reads the four digits of a \u escape.
func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var value rune
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			value = value<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			value = value<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return value, true
}
