package dockerconfig

import (
	"unicode/utf8"
)

// maxDepth is how many brackets may stand in each other: each costs a stack frame of the reader.
const maxDepth = 10_000

// reader goes through a text once, value by value. It never fails: at a mistake it reports it and goes on with what
// was probably meant, and it always makes progress. Values are looked into by reading their stretch again, silently.
type reader struct {
	file     *File
	text     []byte // up to the end of what is read
	at       int
	report   func(kind SyntaxKind, start, end int, message string) // nil to read silently
	keys     *keyLog                                               // nil where nobody asks for duplicates
	curly    int                                                   // open { and [
	square   int
	line     int  // where the current line begins
	meant    int  // a bracket that its closing bracket's indentation shows to be unclosed; -1 if none
	odd      int  // a quote of the wrong kind in the last string, where a string might have ended; -1 if none
	lastLine bool // no string may span lines any more: one did, up to the end of the text
}

func (f *File) readerAt(start, end int) *reader {
	return &reader{file: f, text: f.Source.Text[:end], at: start, meant: -1, odd: -1}
}

func (r *reader) fail(kind SyntaxKind, start, end int, message string) {
	if r.report == nil {
		return
	}
	if r.odd >= 0 {
		switch kind {
		case MissingColon, MissingComma, UnquotedKey, UnquotedValue, UnclosedString, ControlCharacter:
			kind, start, end, message = r.oddQuote()
		}
	}
	r.report(kind, start, end, message)
}

func (r *reader) value(kind Kind, start int) Value { return Value{kind, r.file, start, r.at} }

func (r *reader) done() bool { return r.at >= len(r.text) }

// peek returns the byte to be read, 0 at the end.
func (r *reader) peek() byte {
	if r.done() {
		return 0
	}
	return r.text[r.at]
}

// read reads the value that begins here.
func (r *reader) read(depth int) Value {
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth, nil)
	case c == '[':
		return r.array(depth, nil)
	case quoteAt(r.text, r.at) != 0:
		return r.str()
	}
	return r.word(false)
}

// object reads an object, or its members alone where its { is missing. It stops early when visit says so.
func (r *reader) object(depth int, visit func(Member) bool) Value {
	start := r.at
	if r.peek() == '{' {
		r.at++
	}
	if depth > maxDepth {
		return r.tooDeep(Object, start)
	}
	r.curly++
	defer func() { r.curly-- }()
	list := list{reader: r, open: start, line: r.line, closing: '}', others: r.square}
	base := r.keys.open()
	for list.more() {
		key, value := r.member(depth)
		list.took(r.at)
		r.keys.add(key)
		if visit != nil && !visit(Member{string(key.bytes()), value, key.start, key.end}) {
			break
		}
	}
	v := r.value(Object, start)
	r.keys.close(base, v)
	return v
}

func (r *reader) array(depth int, visit func(Value) bool) Value {
	start := r.at
	r.at++
	if depth > maxDepth {
		return r.tooDeep(Array, start)
	}
	r.square++
	defer func() { r.square-- }()
	list := list{reader: r, open: start, line: r.line, closing: ']', others: r.curly}
	for list.more() {
		v := r.read(depth + 1)
		list.took(r.at)
		if visit != nil && !visit(v) {
			break
		}
	}
	return r.value(Array, start)
}

func (r *reader) tooDeep(kind Kind, start int) Value {
	r.fail(TooDeep, start, start+1, "brackets nested too deeply")
	r.at = len(r.text)
	return r.value(kind, start)
}

// list is what objects and arrays have in common: commas, and a bracket at the end.
type list struct {
	*reader
	open    int  // the opening bracket
	line    int  // the beginning of its line
	closing byte // the closing bracket
	others  int  // how many brackets of the other kind are open around it
	comma   int  // the comma behind the last item, plus one; 0 if none
	last    int  // the end of the last item; 0 if there was none
}

func (l *list) took(end int) { l.last, l.comma = end, 0 }

// more goes on to the next item; it returns false behind the end of the list.
func (l *list) more() bool {
	for {
		l.blanks()
		switch c := l.peek(); {
		case l.done():
			l.unclosed()
			return false
		case c == l.closing:
			l.close()
			return false
		case c == '}' || c == ']':
			if l.others > 0 {
				// The end of something around it: this is what is not closed.
				l.notClosed(l.open)
				return false
			}
			l.fail(ExtraBracket, l.at, l.at+1, "a closing bracket that closes nothing")
			l.at++
		case c == ',':
			if l.comma > 0 || l.last == 0 {
				l.fail(ExtraComma, l.at, l.at+1, "a comma with nothing before it")
			}
			l.at++
			l.comma = l.at
		default:
			if l.last > 0 && l.comma == 0 {
				l.fail(MissingComma, l.last, l.last, "no comma between two values")
			}
			return true
		}
	}
}

func (l *list) unclosed() {
	if l.meant >= 0 {
		l.notClosed(l.meant)
		return
	}
	l.notClosed(l.open)
}

func (l *list) notClosed(open int) {
	if l.text[open] == '[' {
		l.fail(UnclosedBracket, open, open+1, "a [ that is not closed")
		return
	}
	l.fail(UnclosedBracket, open, open+1, "a { that is not closed")
}

func (l *list) close() {
	if l.comma > 0 && l.last > 0 {
		message := "a comma before the closing }"
		if l.closing == ']' {
			message = "a comma before the closing ]"
		}
		l.fail(TrailingComma, l.comma-1, l.comma, message)
	}
	if l.report != nil && l.meant < 0 && l.reader.line != l.line {
		at, ok := indent(l.text[l.reader.line:l.at])
		if from, _ := indent(l.text[l.line:l.open]); ok && at < from {
			l.meant = l.open
		}
	}
	l.at++
}

// indent counts the blanks at the beginning of a line, up to some hundred, and tells whether it has nothing else.
func indent(line []byte) (blanks int, alone bool) {
	for i, c := range line[:min(len(line), 400)] {
		if c != ' ' && c != '\t' {
			return i, false
		}
	}
	return min(len(line), 400), true
}

// member reads a key and its value. What stands here is no comma, no closing bracket and not the end.
func (r *reader) member(depth int) (key, value Value) {
	key = r.memberKey()
	if key.Kind == Absent && r.peek() != ':' {
		return key, r.read(depth + 1)
	}
	r.blanks()
	if !r.colon(key.end) {
		return key, Value{Absent, r.file, key.end, key.end}
	}
	colon := r.at
	r.blanks()
	if r.done() || r.peek() == ',' || r.peek() == '}' || r.peek() == ']' {
		r.fail(MissingValue, colon, colon, "no value behind the colon")
		return key, Value{Absent, r.file, colon, colon}
	}
	return key, r.read(depth + 1)
}

func (r *reader) memberKey() Value {
	switch r.peek() {
	case ':':
		r.fail(OtherSyntax, r.at, r.at+1, "no key before the colon")
	case '{':
		r.fail(OtherSyntax, r.at, r.at+1, "a { where a key belongs")
	case '[':
		r.fail(OtherSyntax, r.at, r.at+1, "a [ where a key belongs")
	default:
		if quoteAt(r.text, r.at) != 0 {
			return r.str()
		}
		return r.word(true)
	}
	return r.value(Absent, r.at)
}

// colon reads the colon behind a key, or what stands in its place, and tells whether a value may follow.
func (r *reader) colon(keyEnd int) bool {
	switch c := r.peek(); c {
	case ':':
		r.at++
	case '=':
		end := r.at + 1
		if end < len(r.text) && r.text[end] == '>' {
			end++
		}
		r.fail(MissingColon, r.at, end, "no colon behind the key")
		r.at = end
	default:
		r.fail(MissingColon, keyEnd, keyEnd, "no colon behind the key")
		return !r.done() && c != ',' && c != '}' && c != ']'
	}
	return true
}

// word reads what is neither quoted nor in brackets.
func (r *reader) word(key bool) Value {
	start := r.at
	for !r.done() && !r.endsWord(key) {
		size := 1
		if r.text[r.at] >= utf8.RuneSelf {
			var c rune
			if c, size = utf8.DecodeRune(r.text[r.at:]); c == utf8.RuneError && size == 1 {
				r.fail(InvalidUTF8, r.at, r.at+1, "a byte that is not UTF-8")
			}
		}
		r.at += size
	}
	if r.at == start {
		r.at++
	}
	v := r.value(wordKind(r.text[start:r.at]), start)
	switch {
	case r.report != nil && conflictMark(r.text[start:r.at]):
		r.fail(MergeConflict, start, r.at, conflictMessage)
	case key:
		r.fail(UnquotedKey, start, r.at, "a key without quotes")
	case v.Kind == Literal:
		r.fail(UnquotedValue, start, r.at, "a value that is neither quoted nor a number, true, false or null")
	}
	r.odd = -1
	return v
}

func (r *reader) endsWord(key bool) bool {
	switch c := r.text[r.at]; {
	case c == ',' || c == ']' || c == '}' || c <= ' ':
		return true
	case key && (c == ':' || c == '{' || c == '[' || c == '"' || c == '='):
		return true
	case c >= utf8.RuneSelf:
		size, _ := blankAt(r.text, r.at)
		return size > 0
	}
	return false
}
