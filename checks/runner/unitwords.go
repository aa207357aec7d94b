package runner

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// unitWords reads the words of a setting as systemd does: quotes may stand anywhere in a word, escapes are those of C in
// quotes of either kind and outside of them, and a percent sign begins a specifier. Source: systemd.syntax(7),
// systemd.unit(5); what they leave open was measured with systemd 252.
type unitWords struct {
	*code
	names unitName
	// at is where the reader stands; from and to are the stretch that is not yet a piece.
	at, from, to int
	// quote is the one within which it stands, opened where that was opened.
	quote  byte
	opened int
	begun  bool
	// begins is where the word does, plus one, and said that of the last word of which a mistake was said.
	begins, said int
	now          field
	mistakes     []Mistake
}

// maxWords is more than fits into a command line.
const maxWords = 20_000

// words divides a value into its words.
func (n unitName) words(value *code) ([]field, []Mistake) {
	w := &unitWords{code: value, names: n}
	var words []field
	for len(words) < maxWords {
		word := w.next()
		if word == nil {
			break
		}
		words = append(words, word)
	}
	return words, w.mistakes
}

// next reads a word; it is nil at the end.
func (w *unitWords) next() field {
	start, known := w.at, len(w.mistakes)
	w.now, w.begun, w.quote, w.from, w.to, w.begins = nil, false, 0, w.at, w.at, w.at+1
	for w.at < len(w.text) && !(w.begun && w.quote == 0 && w.blank()) {
		w.character()
	}
	if w.quote != 0 {
		w.mistakes = append(w.mistakes[:known], Mistake{
			Kind: Unreadable, Place: w.span(w.opened, w.opened+1), Loses: true,
			Detail: "this quote is never closed, and systemd refuses the unit",
		})
		w.text[w.opened] = dropped // the word is read anew without it
		w.at = start
		return w.next()
	}
	w.flush()
	return w.now
}

// character reads one, or an escape, or a specifier.
func (w *unitWords) character() {
	c := w.text[w.at]
	switch {
	case c != w.file.Text[w.base+w.at] && c == dropped:
		w.at++
	case w.quote == 0 && w.blank():
		w.at++
	case w.quote == 0 && (c == '"' || c == '\''):
		w.flush()
		w.quote, w.opened, w.begun = c, w.at, true
		w.at++
	case w.quote != 0 && c == w.quote:
		w.flush()
		if w.at == w.opened+1 {
			w.add(piece{at: []source.Span{w.span(w.at, w.at)}, verbatim: true})
		}
		w.quote = 0
		w.at++
	case c == '\\' && w.at+1 < len(w.text):
		w.escape()
	case c == '%' && w.at+1 < len(w.text):
		w.specifier()
	case c == '{' && templateAt(string(w.text[w.at:min(len(w.text), w.at+maxTemplate)])) > 0:
		w.take(templateAt(string(w.text[w.at:min(len(w.text), w.at+maxTemplate)])))
	case c != w.file.Text[w.base+w.at]: // the blank that stands for a backslash at the end of a line
		w.stand(1, piece{text: string(c)})
	default:
		w.take(1)
	}
}

func (w *unitWords) blank() bool { return strings.IndexByte(" \t\r\n", w.text[w.at]) >= 0 }

// take adds the next n bytes as they stand.
func (w *unitWords) take(n int) {
	if w.to != w.at {
		w.flush()
	}
	w.begun = true
	w.at += n
	w.to = w.at
}

// flush makes a piece of the stretch that was taken.
func (w *unitWords) flush() {
	if w.from < w.to {
		w.add(piece{text: w.raw(w.from, w.to), at: []source.Span{w.span(w.from, w.to)}, verbatim: true})
	}
	w.from, w.to = w.at, w.at
}

func (w *unitWords) add(p piece) {
	switch w.quote {
	case '"':
		p.quoting = DoubleQuoted
	case '\'':
		p.quoting = SingleQuoted
	}
	if len(w.now) < maxPieces {
		w.now = append(w.now, p)
	}
	w.begun = true
}

// stand adds what the next n bytes stand for.
func (w *unitWords) stand(n int, p piece) {
	w.flush()
	p.at = []source.Span{w.span(w.at, w.at+n)}
	w.at += n
	w.from, w.to = w.at, w.at
	w.add(p)
}

// escape reads a backslash and what it stands for; of an escape that systemd does not know both characters stay. In
// mid-line, as a command is pasted, it continues nothing.
func (w *unitWords) escape() {
	c := w.text[w.at+1]
	const letters, meaning = `abfnrtv\"'s`, "\a\b\f\n\r\t\v\\\"' "
	i := strings.IndexByte(letters, c)
	switch {
	case i >= 0:
		w.stand(2, piece{text: meaning[i : i+1]})
	case c == 'x' && w.digits(2, 2, 16) >= 0:
		w.stand(4, piece{text: string([]byte{byte(w.digits(2, 2, 16))})})
	case c == 'u' && w.digits(2, 4, 16) > 0:
		w.stand(6, piece{text: string(rune(w.digits(2, 4, 16)))})
	case c == 'U' && w.digits(2, 8, 16) > 0:
		w.stand(10, piece{text: string(rune(w.digits(2, 8, 16)))})
	case w.digits(1, 3, 8) >= 0:
		w.stand(4, piece{text: string([]byte{byte(w.digits(1, 3, 8))})})
	case !w.begun && w.quote == 0 && c == ' ' && w.beforeOption():
		w.mistake(Mistake{
			Kind: BrokenContinuation, Place: w.span(w.at, w.at+1), Loses: true,
			Detail: "the backslash stands in mid-line, where it continues nothing: the next argument begins with it",
		})
		w.at++
	default:
		_, size := utf8.DecodeRune(w.text[w.at+1:])
		w.take(1 + size)
	}
}

// beforeOption tells whether the word behind the backslash here is one of docker's options, or the runner's image.
func (w *unitWords) beforeOption() bool {
	rest := bytes.TrimLeft(w.text[w.at+1:min(len(w.text), w.at+512)], " \t")
	if end := bytes.IndexAny(rest, " \t\r\n"); end > 0 {
		rest = rest[:end]
	}
	return isLost(rest)
}

// digits is the number that n digits make which stand some bytes on, -1 if they do not.
func (w *unitWords) digits(on, n, base int) int {
	if w.at+on+n > len(w.text) {
		return -1
	}
	number := 0
	for _, c := range w.text[w.at+on : w.at+on+n] {
		digit := hexadecimal(c)
		if digit >= base || digit == 0 && c != '0' {
			return -1
		}
		number = number*base + digit
	}
	return number
}

func (w *unitWords) mistake(m Mistake) {
	if len(w.mistakes) < maxCalls {
		w.mistakes = append(w.mistakes, m)
	}
}

// specifier reads a percent sign. Before a letter or a digit that is no specifier systemd refuses the line.
func (w *unitWords) specifier() {
	c := w.text[w.at+1]
	p, known := w.names.specifier(c)
	switch {
	case known:
		w.stand(2, p)
	case (letter(c) || c >= '0' && c <= '9') && w.said == w.begins:
		w.take(2)
	case letter(c) || c >= '0' && c <= '9':
		w.said = w.begins
		w.mistake(Mistake{
			Kind: Unreadable, Place: w.span(w.at, w.at+1), Loses: true,
			Detail: "a percent sign begins a specifier of systemd's, and this is none, so that systemd refuses the unit: " +
				"the sign itself is written %%",
		})
		w.take(2)
	default:
		w.take(1)
	}
}
