package ignores

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

const (
	// maxFile is how long the file of ignores may be, in bytes.
	maxFile = 256 << 10
	// longestPath bounds a pattern, in bytes.
	longestPath = 1000
)

// ParseFile reads the file of ignores. An entry with a mistake in it ignores nothing.
func ParseFile(path string, data []byte) ([]Ignore, []Mistake) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	p := &parser{file: source.New(path, data)}
	switch {
	case len(data) > maxFile:
		p.wrong(p.file.Whole(), "it is larger than 256 KiB, and is not read", "take out what is no longer needed")
	case !utf8.Valid(data):
		p.wrong(p.file.Whole(), "it is not UTF-8, and is not read", "save it as UTF-8")
	default:
		hideTokens(p.file, 0, len(data))
		p.document(data)
	}
	slices.SortStableFunc(p.mistakes, func(a, b Mistake) int { return a.Place.Start - b.Place.Start })
	return p.found, p.mistakes
}

// parser is a file of ignores while it is read.
type parser struct {
	file     *source.File
	found    []Ignore
	mistakes []Mistake
}

func (p *parser) wrong(place source.Span, detail, hint string) {
	p.mistakes = append(p.mistakes, Mistake{Place: place, Detail: detail, Hint: hint})
}

// document reads the one document that there is. Without content it has no ignores.
func (p *parser) document(data []byte) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		p.syntax(err)
		return
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return
	case err != nil:
		p.syntax(err)
		return
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		p.syntax(err)
		return
	default:
		p.wrong(p.place(&second), "a second document begins here, and is not read", "keep all entries in one document")
	}
	if len(first.Content) == 1 {
		p.top(first.Content[0])
	}
}

// syntax reports what keeps the file from being read as YAML.
func (p *parser) syntax(err error) {
	hint := "mend the YAML at this place"
	at := (*yaml.LoadError)(nil)
	if !errors.As(err, &at) || at.Mark.Line < 1 {
		p.wrong(p.file.Whole(), "it is no YAML", hint)
		return
	}
	offset := p.offset(at.Mark.Line, max(at.Mark.Column, 1))
	start, end := p.file.Line(p.file.Position(offset).Line)
	if bareStar.Match(p.file.Text[start:end]) {
		hint = "put a text that begins with * in quotes"
	}
	p.file.Hide(start+len(harmless.Find(p.file.Text[start:end])), end)
	p.wrong(p.file.At(offset, offset), "it is no YAML from here on: "+strings.ToLower(plainWords(at.Message)), hint)
}

// bareStar matches a pattern of paths that YAML takes for an alias.
var bareStar = regexp.MustCompile(`^[ -]*\w+:[ \t]+\*`)

// harmless matches what of a line that is no YAML can be shown: names, patterns and days, but nothing else.
var harmless = regexp.MustCompile(`^[ -]*(?:(?:problem|path|until):[ \t]+[\w.*?/-]*|(?:ignores|subject|reason):)?`)

// plainWords is what the parser says, less what may be from the file.
func plainWords(message string) string {
	message, _, _ = strings.Cut(message, "'")
	message, _, _ = strings.Cut(message, `"`)
	message = strings.TrimRight(source.Printable(message), ": ")
	return string([]rune(message)[:min(len([]rune(message)), longestReason)])
}

// top reads the file's own mapping.
func (p *parser) top(node *yaml.Node) {
	const form = "write ignores: and below it a list of entries"
	switch {
	case isNull(node):
		return
	case node.Kind == yaml.SequenceNode:
		p.file.Hide(0, len(p.file.Text))
		p.wrong(p.place(node), "the entries stand below the key ignores", form)
		return
	case node.Kind != yaml.MappingNode:
		p.file.Hide(0, len(p.file.Text))
		p.wrong(p.place(node), fmt.Sprintf("the file holds %s, and no mapping", kind(node)), form)
		return
	}
	values := p.members(node, len(p.file.Text), []string{"ignores"})
	list := values["ignores"]
	switch {
	case list == nil, isNull(list):
		return
	case list.Kind != yaml.SequenceNode:
		p.file.Hide(p.place(list).Start, len(p.file.Text))
		p.wrong(p.place(list), fmt.Sprintf("ignores is %s, and no list", kind(list)), "begin each entry with a dash")
		return
	}
	for i, entry := range list.Content {
		if i == mostIgnores {
			p.wrong(p.place(entry), "it is one of more than 1000 ignores in the file, and is not read",
				"write patterns of paths: ** stands for any number of folders")
			return
		}
		end := len(p.file.Text)
		if i+1 < len(list.Content) {
			end = max(p.place(entry).Start, p.place(list.Content[i+1]).Start)
		}
		p.entry(entry, end)
	}
}

// keys are those of an entry.
func keys() []string { return []string{"problem", "path", "subject", "reason", "until"} }

// entry reads one ignore, which ends before an offset.
func (p *parser) entry(node *yaml.Node, end int) {
	before := len(p.mistakes)
	if node.Kind != yaml.MappingNode {
		p.file.Hide(p.place(node).Start, end)
		p.wrong(p.place(node), fmt.Sprintf("the entry is %s, and no mapping", kind(node)),
			"write problem:, path: and reason: below one another")
		return
	}
	values := p.members(node, end, keys())
	found := Ignore{External: true, Place: p.place(node)}
	for _, name := range []string{"problem", "path"} {
		if values[name] == nil && len(p.mistakes) == before {
			p.wrong(p.place(node), fmt.Sprintf("the entry has no %s", name), "add "+name+":")
		}
	}
	text := map[string]string{}
	for _, name := range keys() {
		if value := values[name]; value != nil {
			text[name] = p.text(name, value)
		}
	}
	if problem := values["problem"]; problem != nil {
		found.Names = []Name{{text["problem"], p.place(problem)}}
		found.Place = p.place(problem)
	}
	if len(text["path"]) > longestPath {
		p.wrong(p.place(values["path"]), "the path is longer than 1000 bytes", "write a pattern: ** stands for any number of folders")
	}
	if day := values["until"]; day != nil && text["until"] != "" {
		until, mistake := readDay(p.place(day), text["until"])
		if mistake != nil {
			mistake.Hint = "write the last day on which it holds as YEAR-MONTH-DAY, as until: 2027-01-31"
			p.mistakes = append(p.mistakes, *mistake)
		}
		found.Until = until
	}
	if reason := values["reason"]; reason != nil {
		found.Reason = p.reason(reason, text["reason"])
	}
	if len(p.mistakes) > before {
		return
	}
	found.Path, found.Subject = NewGlob(text["path"]), text["subject"]
	p.found = append(p.found, found)
}

// reason is a reason for people: of one that is written over several lines the value, searched anew.
func (p *parser) reason(node *yaml.Node, value string) string {
	value = strings.Join(strings.Fields(value), " ")
	place := p.place(node)
	if place.Text() != value {
		file := source.New(p.file.Path, []byte(value))
		hideTokens(file, 0, len(value))
		place = file.At(0, len(value))
	}
	return joined([]string{shown(place)})
}

// members are the values of a mapping, which ends before an offset, by key. Keys that are not known, or are there twice,
// are mistakes, and what stands behind them may be anything: it is not shown.
func (p *parser) members(node *yaml.Node, end int, known []string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			p.wrong(p.place(key), fmt.Sprintf("a key is %s, and no word", kind(key)), "write one of "+strings.Join(known, ", "))
		case !slices.Contains(known, key.Value):
			p.mistakes = append(p.mistakes, Mistake{
				Place: p.place(key), Detail: "the key is not known", Word: p.place(key).Shown(longestName), Choices: known,
			})
		case values[key.Value] != nil:
			p.wrong(p.place(key), key.Value+" is there for the second time", "keep one of the two")
		default:
			values[key.Value] = value
			continue
		}
		next := end
		if i+2 < len(node.Content) {
			next = p.place(node.Content[i+2]).Start
		}
		p.file.Hide(p.place(value).Start, next)
	}
	return values
}

// text is the text of a value; what is none is a mistake. Numbers, and yes or no, need quotes to be one.
func (p *parser) text(name string, node *yaml.Node) string {
	tag := node.ShortTag()
	switch {
	case node.Kind == yaml.AliasNode:
		p.wrong(p.place(node), name+" is an alias, and aliases are not followed", "write the value itself")
	case node.Kind != yaml.ScalarNode:
		hint := "write one text"
		if name == "problem" {
			hint = "write an entry for each problem"
		}
		_, end := p.file.Line(p.place(node).Position().Line)
		p.file.Hide(p.place(node).Start, end)
		p.wrong(p.place(node), fmt.Sprintf("%s is %s, and no text", name, kind(node)), hint)
	case name == "reason" && (tag == "!!null" || strings.TrimSpace(node.Value) == ""):
		return ""
	case tag == "!!null", strings.TrimSpace(node.Value) == "":
		p.wrong(p.place(node), name+" is empty", "write it, or take the key out")
	case tag == "!!timestamp" && name == "until", tag == "!!str":
		return node.Value
	default:
		p.wrong(p.place(node), fmt.Sprintf("%s is %s, and no text", name, kind(node)), "put it in quotes")
	}
	return ""
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// kind is what a node is, for people.
func kind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	case yaml.AliasNode:
		return "an alias"
	}
	switch node.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!str":
		return "a text"
	}
	return "a value with a tag"
}

// offset is where a line and a column are that the parser counted: both from 1, the column in characters.
func (p *parser) offset(line, column int) int {
	start, end := p.file.Line(line)
	for ; column > 1 && start < end; column-- {
		_, size := utf8.DecodeRune(p.file.Text[start:end])
		start += size
	}
	return start
}

// place is where a node stands: a word within its quotes, anything else where it begins.
func (p *parser) place(node *yaml.Node) source.Span {
	if node.Line < 1 {
		return p.file.Whole()
	}
	start := p.offset(node.Line, node.Column)
	if node.Kind != yaml.ScalarNode {
		return p.file.At(start, start)
	}
	text := p.file.Text[start:]
	switch {
	case len(node.Value) > 0 && bytes.HasPrefix(text, []byte(node.Value)):
		return p.file.At(start, start+len(node.Value))
	case len(text) > 0 && (text[0] == '"' || text[0] == '\'') && bytes.HasPrefix(text[1:], []byte(node.Value)):
		return p.file.At(start+1, start+1+len(node.Value))
	}
	_, end := p.file.Line(node.Line)
	return p.file.At(start, max(start, end))
}
