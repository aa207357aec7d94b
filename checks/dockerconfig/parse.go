package dockerconfig

import (
	"bytes"
	"hash/maphash"
	"regexp"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// parse reads the first value, and notes what is wrong with the text.
func (f *File) parse() {
	text := f.Source.Text
	r := f.readerAt(0, len(text))
	r.report = func(kind SyntaxKind, start, end int, message string) {
		f.Syntax = &SyntaxError{kind, f.Source.At(start, min(end, len(text))), message}
		r.report = nil // the first alone
	}
	r.keys = &keyLog{file: f, seed: maphash.MakeSeed(), budget: 4 * len(text)}
	r.blanks()
	if r.done() {
		f.Blank = f.Syntax == nil
		return
	}
	if !f.withoutBraces(r) && !f.noJSON(r) {
		f.Root = r.read(1)
	}
	slices.SortFunc(f.Duplicates, func(a, b Duplicate) int { return a.Second.keyStart - b.Second.keyStart })
	if f.Syntax == nil {
		f.trail(r.at)
	}
}

// trail notes the text behind the first value.
func (f *File) trail(at int) {
	text := f.Source.Text
	end := at + len(bytes.TrimRight(text[at:], " \t\r\n"))
	start := end - len(bytes.TrimLeft(text[at:end], " \t\r\n"))
	if start < end {
		f.Trailing = f.Source.At(start, end)
	}
}

// noJSON recognises a text whose first word is none of JSON: something else as a whole.
func (f *File) noJSON(r *reader) bool {
	first := *r
	first.report, first.keys = nil, nil
	if first.read(maxDepth); wordKind(r.text[r.at:first.at]) != Literal || bytes.IndexByte([]byte("{[,:}]"), r.peek()) >= 0 ||
		quoteAt(r.text, r.at) != 0 || first.at-r.at < 2 {
		return false
	}
	word := r.text[r.at:min(first.at, r.at+4*longestName)]
	switch plain, _ := decodeBase64(word[:len(word)/4*4]); {
	case conflictMark(word):
		r.fail(MergeConflict, r.at, r.at+len(word), conflictMessage)
	case len(plain) > 0 && plain[0] == '{':
		r.fail(Base64, r.at, first.at, "the base64 of JSON where JSON itself belongs")
	default:
		r.fail(NotJSON, r.at, first.at, "something else than JSON, which begins with {")
	}
	f.Root = first.value(Literal, r.at)
	return true
}

const conflictMessage = "a mark of a merge conflict that was not resolved"

// conflictMark tells the marks that git leaves around the two sides of a conflict.
func conflictMark(word []byte) bool {
	mark := string(word)
	return mark == "<<<<<<<" || mark == "=======" || mark == ">>>>>>>" || mark == "|||||||"
}

// yamlKey matches the first line of a YAML text: the mark of its beginning, or a key with nothing or a value behind
// its colon.
var yamlKey = regexp.MustCompile(`^(?:(---)\s|(?:- )?("` + yamlName + `"|'` + yamlName + `'|` + yamlName + `)[ \t]*:(?:\s|$))`)

const yamlName = `[A-Za-z_][A-Za-z0-9_./:@-]*`

// withoutBraces recognises a text that begins with a key: YAML, or an object whose { is missing, which it reads.
func (f *File) withoutBraces(r *reader) bool {
	first := r.text[r.at:min(len(r.text), r.at+1000)]
	match := yamlKey.FindSubmatchIndex(first)
	if match == nil {
		return false
	}
	start, end := match[0], match[1]
	for _, group := range [][]int{match[2:4], match[4:6]} {
		if group[0] >= 0 {
			start, end = group[0], group[1]
		}
	}
	start, end = r.at+start, r.at+end
	rest := bytes.TrimLeft(r.text[min(r.at+match[1], len(r.text)):min(r.at+match[1]+1000, len(r.text))], " \t")
	if r.text[start] == '"' && len(rest) > 0 && bytes.IndexByte([]byte(`{["`), rest[0]) >= 0 {
		r.fail(MissingBrace, start, end, "a key with no { before it")
		f.Root = r.object(1, nil)
		return true
	}
	r.fail(YAML, start, end, "YAML where JSON belongs")
	return true
}

// eachMember reads the object's stretch of the text again, unless its members are remembered.
func (v Value) eachMember(visit func(Member) bool) {
	if v.Kind != Object {
		return
	}
	for _, known := range v.file.indices {
		if known.start == v.start && known.end == v.end {
			known.each(v.file, visit)
			return
		}
	}
	v.file.readerAt(v.start, v.end).object(1, visit)
}

func (v Value) eachElement(visit func(Value) bool) {
	if v.Kind == Array {
		v.file.readerAt(v.start, v.end).array(1, visit)
	}
}

// bytes is Text without a copy where there is nothing to decode: not to be changed.
func (v Value) bytes() []byte {
	switch v.Kind {
	case Bool, Number, Literal:
		return v.file.Source.Text[v.start:v.end]
	case String:
		raw, _ := v.inner()
		if bytes.IndexByte(raw, '\\') < 0 {
			return raw
		}
		return unescape(raw)
	}
	return nil
}

// inner is what stands between a string's quotes, and where that begins.
func (v Value) inner() ([]byte, int) {
	raw := v.file.Source.Text[v.start:v.end]
	open := quoteAt(raw, 0)
	size := utf8.RuneLen(open)
	raw = raw[size:]
	if c, n := utf8.DecodeLastRune(raw); n > 0 && closes(open, c) {
		raw = raw[:len(raw)-n]
	}
	return raw, v.start + size
}

// unescape decodes JSON's escapes; what is none stays as it is.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for at := 0; at < len(raw); {
		size := escapeSize(raw[at:])
		out = appendUnescaped(out, raw[at:at+size])
		at += size
	}
	return out
}

// escapeSize is the size of what stands for one character or byte: an escape (both halves of a surrogate pair), or
// one byte.
func escapeSize(raw []byte) int {
	if raw[0] != '\\' || len(raw) == 1 {
		return 1
	}
	if raw[1] != 'u' {
		return 2
	}
	high, ok := hex4(raw[2:])
	if !ok {
		return 2
	}
	if utf16.IsSurrogate(high) && len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if low, ok := hex4(raw[8:]); ok && utf16.DecodeRune(high, low) != utf8.RuneError {
			return 12
		}
	}
	return 6
}

func appendUnescaped(out, piece []byte) []byte {
	switch len(piece) {
	case 6, 12:
		c, _ := hex4(piece[2:])
		if len(piece) == 12 {
			low, _ := hex4(piece[8:])
			c = utf16.DecodeRune(c, low)
		}
		return utf8.AppendRune(out, c)
	case 2:
		if i := bytes.IndexByte([]byte(`"\/bfnrt`), piece[1]); i >= 0 {
			return append(out, "\"\\/\b\f\n\r\t"[i])
		}
	}
	return append(out, piece...)
}

// maxKeys bounds how many keys of objects that are open are compared.
const maxKeys = 1_000_000

// keyLog finds keys that an object has twice. It keeps eight bytes for each key of the objects that are open.
type keyLog struct {
	file   *File
	seed   maphash.Seed
	seen   []uint64 // hash, then place
	budget int      // bytes that may still be read again
}

func (k *keyLog) open() int {
	if k == nil {
		return 0
	}
	return len(k.seen)
}

func (k *keyLog) add(key Value) {
	if k != nil && key.Kind != Absent && len(k.seen) < maxKeys {
		k.seen = append(k.seen, maphash.Bytes(k.seed, key.bytes())>>32<<32|uint64(uint32(key.start)))
	}
}

func (k *keyLog) close(base int, object Value) {
	if k == nil {
		return
	}
	keys := k.seen[base:]
	k.seen = k.seen[:base]
	if len(keys) < 2 || k.file.Syntax != nil {
		return
	}
	slices.Sort(keys)
	for i := 1; i < len(keys) && len(k.file.Duplicates) < maxDuplicates && k.budget > 0; i++ {
		if keys[i-1]>>32 != keys[i]>>32 {
			continue
		}
		first, second := k.member(keys[i-1], object), k.member(keys[i], object)
		if first.Key == second.Key {
			k.file.Duplicates = append(k.file.Duplicates, Duplicate{object, first, second})
		}
	}
}

func (k *keyLog) member(place uint64, object Value) Member {
	r := k.file.readerAt(int(uint32(place)), object.end)
	key, value := r.member(1)
	k.budget -= r.at - key.start
	return Member{string(key.bytes()), value, key.start, key.end}
}
