package runner

import (
	"regexp"
	"strings"

	"runner-preflight/checks/source"
)

// plainYAML says in plain words what the parser of YAML stopped at in a line; in the parser's own where there
// are none.
func plainYAML(message, line string) string {
	for _, known := range yamlMistakes() {
		if strings.Contains(message, known.message) && known.line.MatchString(line) {
			return known.plain
		}
	}
	return source.Printable(message)
}

// yamlMistake is what a message of the parser means for a line of the file.
type yamlMistake struct {
	message string
	line    *regexp.Regexp
	plain   string
}

var (
	anyLine       = regexp.MustCompile(``)
	tabLine       = regexp.MustCompile(`^ *\t`)
	templateLine  = regexp.MustCompile(`^\s*\{%|\{\{`)
	quotedLine    = regexp.MustCompile(`:[ \t]+["'].*["'][ \t]*[^\s#]`)
	equalsLine    = regexp.MustCompile(`^\s*[A-Za-z_]\w*=`)
	unquotedBrace = regexp.MustCompile(`\[.*=\{`)
)

func yamlMistakes() []yamlMistake {
	return []yamlMistake{
		{"found a tab character", anyLine, "the line is indented with a tab, and YAML takes blanks alone"},
		{"cannot start any token", tabLine, "the line is indented with a tab, and YAML takes blanks alone"},
		{"cannot start any token", templateLine, "this is a template, of which YAML is to be made first"},
		{"cannot start any token", anyLine, "no value begins with this sign; put the value in quotes"},
		{
			"unknown anchor", anyLine,
			"a value that begins with * names an anchor, and there is none of that name; if none is meant, put it in quotes",
		},
		{"expected alphabetic or numeric character", anyLine, "no value begins with * or &; put the value in quotes"},
		{"undefined tag handle", anyLine, "a value that begins with ! is a tag of YAML's; put the value in quotes"},
		{"did not find expected ',' or ']'", unquotedBrace, "a brace within [ ] begins a mapping; put the value in quotes"},
		{"did not find expected ',' or", anyLine, "a bracket is opened before, and not closed"},
		{"did not find expected key", quotedLine, "something follows the closing quote"},
		{"did not find expected key", anyLine, "the indentation does not fit what stands above"},
		{"did not find expected '-' indicator", anyLine, "the line stands in a list, and does not begin with a dash"},
		{"could not find expected ':'", anyLine, "a line here, or above it, has no colon with a blank behind it"},
		{"mapping values are not allowed", equalsLine, "a line with = stands where YAML wants NAME: value"},
		{
			"mapping values are not allowed", anyLine,
			"a colon stands where there can be none: a value with a colon and a blank in it needs quotes, or the line above has none",
		},
		{"unknown escape character", anyLine, "a backslash in double quotes begins an escape, and there is none of this letter"},
		{"found unexpected end of stream", anyLine, "a quote is opened here, and never closed"},
		{"found unexpected document indicator", anyLine, "a quote is opened here, and never closed"},
		{"block sequence entries are not allowed", anyLine, "a list begins in the line of its key: begin it in the next one"},
		{"expected comment or line break", anyLine, "what follows | or > in its line belongs into the next one, indented"},
		{"did not find expected node content", anyLine, "a value is missing, or a comma or a bracket is one too many"},
		{"control characters are not allowed", anyLine, "a control character stands here, and YAML takes none"},
	}
}
