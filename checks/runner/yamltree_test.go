package runner

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// each visits all nodes of a document, aliases not followed.
func (n node) each(visit func(node)) {
	visit(n)
	for _, c := range n.Content {
		node{n.text, c}.each(visit)
	}
}

func TestScalarPlaces(t *testing.T) {
	const text = "plain: word\nwords: two words # comment\ndouble: \"a \\\"b\\\" \\u00e4 c\"\nsingle: 'it''s'\n" +
		"tagged: !!str value\nanchored: &name value2\nfolded: one\n  two\n\n  three\nliteral: |\n  first\n   second\n\n  last\n" +
		"greater: >-\n  one\n  two\n\n  three\nflow: {a: b, \"c\":\"d\"}\nempty:\nquoted-empty: ''\nwide: \"a\n  b\"\n" +
		"- broken"
	yamlFile := source.New("x.yaml", []byte(strings.TrimSuffix(text, "- broken")))
	documents, mistake := parseYAML(yamlFile)
	if mistake != nil || len(documents) != 1 {
		t.Fatalf("%d documents, %+v", len(documents), mistake)
	}
	for path, want := range map[string]string{
		"plain": "word", "words": "two words", "double": `a \"b\" \u00e4 c`, "single": "it''s", "tagged": "value",
		"anchored": "value2", "folded": "one\n  two\n\n  three", "literal": "first\n   second\n\n  last\n",
		"greater": "one\n  two\n\n  three", "flow/a": "b", "flow/c": "d", "empty": "", "quoted-empty": "", "wide": "a\n  b",
	} {
		if got := documents[0].at(strings.Split(path, "/")...).place().Text(); got != want {
			t.Errorf("%s: place holds %q, want %q", path, got, want)
		}
	}
}

func TestYAMLMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\n\tb: 2\n":      "x:2:1",
		"a: [1, 2\nb: 3\n":    "x:2:2",
		"a: 'b\n":             "x:2:1",
		"a: {b: c}}\n":        "x:1:10",
		"a:\n  b: 1\n c: 2\n": "x:3:2",
	} {
		_, mistake := parseYAML(source.New("x", []byte(text)))
		if mistake == nil {
			t.Errorf("%q: no mistake", text)
			continue
		}
		if got := mistake.Place.Position().String(); got != want {
			t.Errorf("%q: at %s (%s), want %s", text, got, mistake.Detail, want)
		}
	}
}

// FuzzYAML holds places against the text: what a scalar's pieces say must be its value, and stand where they say.
func FuzzYAML(f *testing.F) {
	f.Add([]byte("a: b\nc: [d, 'e', \"f\\n\"]\n---\ng: |\n  h\n  i\nj: >\n  k\n  l\n"))
	f.Add([]byte("x: &a {b: c}\ny:\n  <<: *a\n  d: plain\n   words\n"))
	f.Add([]byte("\ufeffa: 1\r\nb: \"\u2028\"\r\n? !!str k\n: - v\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := source.New("x.yaml", data)
		documents, mistake := parseYAML(file)
		if mistake != nil {
			mistake.Place.Position()
		}
		for _, document := range documents {
			document.each(func(n node) {
				n.members()
				if n.Kind == yaml.ScalarNode {
					checkScalar(t, n)
				}
			})
		}
	})
}

func checkScalar(t *testing.T, n node) {
	t.Helper()
	value := n.field()
	if value.value() != n.Value {
		t.Errorf("pieces say %q, the parser %q", value.value(), n.Value)
	}
	for _, p := range value {
		if at := p.written(); p.verbatim && at.Text() != p.text {
			t.Errorf("%q stands at a place that holds %q", p.text, at.Text())
		}
	}
	inner := n.embedded()
	if string(inner.Text) != n.Value {
		t.Errorf("embedded as %q, want %q", inner.Text, n.Value)
	}
	for at := range inner.Text {
		if at < 64 {
			inner.At(at, at+1).Position()
		}
	}
}
