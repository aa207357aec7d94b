package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// maxJSON is how many values of a JSON text are kept, more than a thousand containers have, and maxJSONDepth how deep they
// may be nested.
const (
	maxJSON      = 200_000
	maxJSONDepth = 1000
)

// jsonReader reads a JSON text into nodes, the same that YAML gives, so that whatever reads those reads JSON. YAML's own
// parser reads JSON too, but leaves nothing of a text that breaks off, and takes no surrogate pairs.
type jsonReader struct {
	yaml    *yamlText
	decoder *json.Decoder
	// base is where the decoder began.
	base int
	// keep are the members of an outermost object that are wanted: the others are read and forgotten.
	keep map[string]bool
	// open are the objects and arrays that were begun and not ended, the outermost first.
	open []jsonOpen
	kept int
}

// jsonOpen is an object or an array that is being read.
type jsonOpen struct {
	// node is nil for what is not kept.
	node *yaml.Node
	// key is the key whose value comes next, and unwanted says that this is not kept.
	key      *yaml.Node
	unwanted bool
	// outermost says that it is an object within no other, arrays that it is an array within none.
	outermost, arrays bool
}

// jsonTree is what was read of a JSON text.
type jsonTree struct {
	// roots are its values, one behind the other.
	roots []node
	// mistake is the first mistake in its form, nil if there is none, and stopped where the token begins at which
	// reading ended with that. What was read before is kept; broken are the objects and arrays that lack something.
	mistake *Mistake
	stopped int
	broken  map[*yaml.Node]bool
}

// parseJSON reads the values of a text from an offset on.
func parseJSON(file *source.File, from int, keep map[string]bool) jsonTree {
	j := &jsonReader{yaml: &yamlText{file: file, bytewise: true}, base: from, keep: keep}
	j.decoder = json.NewDecoder(bytes.NewReader(file.Text[from:]))
	j.decoder.UseNumber()
	tree := jsonTree{}
	for {
		at := j.next()
		if len(j.open) == 0 && len(tree.roots) > 0 && !startsJSON(file.Text[at:]) {
			return tree // what follows is not part of it: the prompt of a terminal
		}
		token, err := j.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && len(j.open) == 0:
			return tree
		case err != nil, j.kept > maxJSON, len(j.open) > maxJSONDepth:
			tree.mistake, tree.stopped, tree.broken = j.mistake(at), at, j.broken()
			return tree
		}
		if root := j.take(token, at); root != nil {
			tree.roots = append(tree.roots, node{j.yaml, root})
		}
	}
}

func startsJSON(text []byte) bool { return len(text) > 0 && (text[0] == '{' || text[0] == '[') }

// next is where the next token begins.
func (j *jsonReader) next() int {
	text, at := j.yaml.file.Text, j.base+int(j.decoder.InputOffset())
	for at < len(text) && bytes.IndexByte([]byte(" \t\r\n,:"), text[at]) >= 0 {
		at++
	}
	return at
}

func (j *jsonReader) broken() map[*yaml.Node]bool {
	broken := map[*yaml.Node]bool{}
	for _, open := range j.open {
		broken[open.node] = true
	}
	return broken
}

// take puts a token where it belongs, and returns it if that is within nothing else.
func (j *jsonReader) take(token json.Token, at int) *yaml.Node {
	if end, ok := token.(json.Delim); ok && (end == '}' || end == ']') {
		j.open = j.open[:len(j.open)-1]
		return nil
	}
	n := jsonNode(token)
	n.Line, n.Column = 1, at+1
	if len(j.open) == 0 {
		j.kept++
		j.begin(n, n)
		return n
	}
	in := &j.open[len(j.open)-1]
	switch {
	case in.node == nil:
		j.begin(n, nil)
	case in.node.Kind == yaml.SequenceNode:
		in.node.Content = append(in.node.Content, n)
		j.kept++
		j.begin(n, n)
	case in.key == nil:
		in.key, in.unwanted = n, in.outermost && !j.keep[n.Value]
	case in.unwanted:
		in.key = nil
		j.begin(n, nil)
	default:
		in.node.Content = append(in.node.Content, in.key, n)
		in.key = nil
		j.kept += 2
		j.begin(n, n)
	}
	return nil
}

// begin opens an object or an array; kept is nil for one that is not kept.
func (j *jsonReader) begin(n, kept *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		return
	}
	outside := len(j.open) == 0 || j.open[len(j.open)-1].arrays
	object := n.Kind == yaml.MappingNode
	j.open = append(j.open, jsonOpen{node: kept, outermost: outside && object, arrays: outside && !object})
}

func jsonNode(token json.Token) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch t := token.(type) {
	case json.Delim:
		n.Kind = yaml.MappingNode
		if t == '[' {
			n.Kind = yaml.SequenceNode
		}
	case string:
		n.Style, n.Tag, n.Value = yaml.DoubleQuotedStyle, "!!str", t
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(t)
	case nil:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

// mistake says in words where a text stops being JSON: at its end, or at what stands at an offset.
func (j *jsonReader) mistake(at int) *Mistake {
	text := j.yaml.file.Text
	end := len(bytes.TrimRight(text, " \t\r\n"))
	wrong := func(from, to int, detail string) *Mistake {
		return &Mistake{Kind: Unreadable, Place: j.yaml.file.At(from, to), Detail: detail, Loses: true}
	}
	before := bytes.TrimRight(text[:at], " \t\r\n")
	switch {
	case len(j.open) > maxJSONDepth:
		return wrong(at, at, "it is nested deeper than is read of one file")
	case j.kept > maxJSON:
		return wrong(at, at, "it holds more than is read of one file")
	case at >= end:
		return wrong(end, end, "it ends before its brackets are closed, as a copy does that was cut off")
	case text[at] == '"':
		from, to, detail := stringMistake(text, at, end)
		return wrong(from, to, detail)
	case (text[at] == '}' || text[at] == ']') && bytes.HasSuffix(before, []byte(",")):
		return wrong(len(before)-1, len(before), "nothing follows this comma")
	case bytes.HasPrefix(text[at:], []byte("...")), bytes.HasPrefix(text[at:], []byte("…")):
		return wrong(at, at+3, "dots stand where something was left out")
	case cutLiteral(text[at:end]):
		return wrong(end, end, "it ends in the middle of a value, as a copy does that was cut off")
	}
	return wrong(at, at, "something else stands here than a value, a comma or a bracket")
}

// cutLiteral tells whether a text is the beginning of a value that has no quotes.
func cutLiteral(text []byte) bool {
	for _, literal := range []string{"true", "false", "null"} {
		if bytes.HasPrefix([]byte(literal), text) {
			return true
		}
	}
	return string(text) == "-"
}

// stringMistake says what is wrong with, or before, the string that begins at an offset.
func stringMistake(text []byte, at, end int) (from, to int, detail string) {
	for i := at + 1; i < end; i++ {
		switch c := text[i]; {
		case c == '"':
			return at, at, "a comma, a colon or a bracket is missing before this string"
		case c == '\\' && i+1 < end && bytes.IndexByte([]byte(`"\/bfnrtu`), text[i+1]) < 0:
			return i, i + 2, `a backslash in a string stands before none of " \ / b f n r t u`
		case c == '\\' && i+2 < end && text[i+1] == 'u' && !fourDigits(text[i+2:end]):
			return i, i + 2, `\u in a string is not followed by four hexadecimal digits`
		case c == '\\':
			i++
		case c < ' ':
			return at, at, "the string that begins here has no closing quote in its line"
		}
	}
	return end, end, "it ends in the middle of a string, as a copy does that was cut off"
}

// fourDigits tells whether a text begins with four hexadecimal digits, or ends before it could.
func fourDigits(text []byte) bool {
	for _, c := range text[:min(4, len(text))] {
		if hexadecimal(c) == 0 && c != '0' {
			return false
		}
	}
	return true
}
