package runner

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// yamlText is a YAML text (JSON is one too) with the places of its lines, as its parser counts them.
type yamlText struct {
	file *source.File
	// lines are the offsets at which lines begin.
	lines []int
	// bytewise says that all is one line, of which columns count bytes, as where a JSON text was read.
	bytewise bool
	// merges is how many mappings may still be merged into others ("<<"): a text of a few lines can ask for billions.
	merges int
}

// maxMerges is more than anybody writes.
const maxMerges = 10_000

// node is one value of a YAML text; the zero node is none. Aliases are followed.
type node struct {
	text *yamlText
	*yaml.Node
}

// parseYAML reads the documents of a text, up to the first mistake in its form, which may be nil.
func parseYAML(file *source.File) ([]node, *Mistake) {
	y := &yamlText{file: file, lines: yamlLines(file.Text), merges: maxMerges}
	decoder := yaml.NewDecoder(bytes.NewReader(file.Text))
	var documents []node
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return documents, y.mistake(err)
		case len(document.Content) == 1:
			documents = append(documents, node{y, document.Content[0]}.followed())
		}
	}
}

// mistake is where and why the parser stopped.
func (y *yamlText) mistake(err error) *Mistake {
	m := &Mistake{Kind: Unreadable, Place: y.file.Whole(), Detail: "it is no YAML", Loses: true}
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return m
	}
	line, mark := "", load.Mark
	if strings.Contains(load.Message, "document indicator") && load.ContextMark.Line > 0 { // where the quote is opened
		mark = load.ContextMark
	}
	if mark.Line > 0 {
		start, at := y.offset(mark.Line, 1), y.offset(mark.Line, max(mark.Column, 1))
		m.Place, line = y.file.At(at, at), string(y.file.Text[start:lineEnd(y.file.Text, start)])
	}
	m.Detail = plainYAML(load.Message, line)
	return m
}

// yamlLines finds the lines as YAML 1.1 and the parser count them: a carriage return alone ends one, and so do U+0085,
// U+2028 and U+2029. A byte order mark belongs to none.
func yamlLines(text []byte) []int {
	lines := []int{len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))}
	for i := 0; i < len(text); {
		n := yamlBreak(text[i:])
		if n > 0 {
			lines = append(lines, i+n)
		}
		i += max(n, 1)
	}
	return lines
}

// yamlBreak is the length of the line break at the beginning of a text, 0 if there is none.
func yamlBreak(text []byte) int {
	switch {
	case len(text) == 0:
		return 0
	case text[0] == '\n':
		return 1
	case text[0] == '\r' && len(text) > 1 && text[1] == '\n':
		return 2
	case text[0] == '\r':
		return 1
	case bytes.HasPrefix(text, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(text, []byte("\u2028")), bytes.HasPrefix(text, []byte("\u2029")):
		return 3
	}
	return 0
}

// offset is where a line and a column, both from 1, stand; columns count characters.
func (y *yamlText) offset(line, column int) int {
	if y.bytewise {
		return min(column-1, len(y.file.Text))
	}
	at := y.lines[min(max(line, 1), len(y.lines))-1]
	for ; column > 1 && at < len(y.file.Text); column-- {
		_, size := utf8.DecodeRune(y.file.Text[at:])
		at += size
	}
	return at
}

// start is where the node begins: at its anchor or tag, if it has one.
func (n node) start() int { return n.text.offset(n.Line, n.Column) }

// ok tells whether there is such a node at all.
func (n node) ok() bool { return n.Node != nil }

func (n node) followed() node {
	for i := 0; n.Node != nil && n.Kind == yaml.AliasNode && i < maxDepth; i++ {
		n.Node = n.Alias
	}
	return n
}

// isNull tells whether the node is there and says nothing: an empty value, ~ or null.
func (n node) isNull() bool { return n.ok() && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func (n node) isScalar() bool   { return n.ok() && n.Kind == yaml.ScalarNode }
func (n node) isMapping() bool  { return n.ok() && n.Kind == yaml.MappingNode }
func (n node) isSequence() bool { return n.ok() && n.Kind == yaml.SequenceNode }

// scalar is the value of a scalar, "" of anything else.
func (n node) scalar() string {
	if !n.isScalar() || n.isNull() {
		return ""
	}
	return n.Value
}

// member is one entry of a mapping.
type member struct{ key, value node }

// members are a mapping's entries in their order; those that "<<" merges in come behind its own, and only where it
// has no such key itself.
func (n node) members() []member {
	if !n.isMapping() {
		return nil
	}
	var own, merged []member
	for i := 0; i+1 < len(n.Content); i += 2 {
		m := member{node{n.text, n.Content[i]}.followed(), node{n.text, n.Content[i+1]}.followed()}
		if m.key.ShortTag() != "!!merge" {
			own = append(own, m)
			continue
		}
		for _, from := range m.value.mergeable() {
			if n.text.merges--; n.text.merges > 0 {
				merged = append(merged, from.members()...)
			}
		}
	}
	if merged == nil {
		return own
	}
	return withoutRepeats(own, merged)
}

// mergeable are the mappings that a merge key names: one or several.
func (n node) mergeable() []node {
	if n.isSequence() {
		return n.items()
	}
	return []node{n}
}

func withoutRepeats(own, merged []member) []member {
	known := map[string]bool{}
	for _, m := range own {
		known[m.key.Value] = true
	}
	for _, m := range merged {
		if !known[m.key.Value] {
			known[m.key.Value] = true
			own = append(own, m)
		}
	}
	return own
}

// at is the node that a path of keys leads to; the zero node if it leads nowhere.
func (n node) at(path ...string) node {
	for _, key := range path {
		n = n.member(key).value
	}
	return n
}

// member is the entry of that key; of several the last, as most readers take it.
func (n node) member(key string) member {
	var found member
	for _, m := range n.members() {
		if m.key.Value == key {
			found = m
		}
	}
	return found
}

// items are the elements of a sequence.
func (n node) items() []node {
	if !n.isSequence() {
		return nil
	}
	items := make([]node, 0, len(n.Content))
	for _, item := range n.Content {
		items = append(items, node{n.text, item}.followed())
	}
	return items
}

// place is the stretch in which a scalar's value is written, within its quotes; of anything else where it begins.
func (n node) place() source.Span {
	switch {
	case !n.ok():
		return source.Span{}
	case !n.isScalar():
		at := n.start()
		return n.text.file.At(at, at)
	}
	place, _ := n.field().place()
	return place
}

// field is a scalar as a field whose pieces are where its characters are written.
func (n node) field() field {
	s := scalarReader{file: n.text.file, text: n.text.file.Text, at: n.start(), json: n.text.bytewise}
	return s.read(n.Node)
}

// value is a scalar as it stands, for those outside of this package.
func (n node) value() Text { return n.field().text() }

// embedded is a scalar's value as a file of its own, whose places are where its characters are written.
func (n node) embedded() *source.File {
	var text strings.Builder
	var pieces []source.Piece
	for _, p := range n.field() {
		if p.text != "" {
			pieces = append(pieces, source.Piece{Start: text.Len(), Outer: p.written()})
			text.WriteString(p.text)
		}
	}
	return n.text.file.Embed([]byte(text.String()), pieces)
}
