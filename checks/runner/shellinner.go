package runner

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// startsShell tells whether a command hands its arguments, or its input, to a shell.
func startsShell(words []field) bool {
	return slices.ContainsFunc(words[:min(len(words), 6)], func(w field) bool {
		return shellWord.MatchString(path.Base(w.value()))
	})
}

// innerShells follows commands that are handed to another shell as one argument.
func (f frame) innerShells(words []field) {
	if !startsShell(words) {
		return
	}
	for _, w := range words[1:] {
		if innerDocker.MatchString(w.value()) {
			f.handed(w)
		}
	}
}

// handed follows a value as a script, if it is written in one piece.
func (f frame) handed(w field) {
	span, _ := w.place()
	if span.File == nil || span.Start < 0 || f.nested > maxNested/2 {
		return
	}
	c := &code{file: span.File, base: span.Start, text: slices.Clone(span.File.Text[span.Start:span.End])}
	if span.File == f.code.file && span.Start >= f.base && span.End <= f.base+len(f.code.text) {
		c.text = slices.Clone(f.code.text[span.Start-f.base : span.End-f.base])
	}
	for _, p := range w {
		if p.quoting == DoubleQuoted {
			expandWithin(c.text)
			unescape(c.text)
			break
		}
	}
	if tree, _ := parse(c); tree != nil {
		inner := f.fork()
		inner.args, inner.owner = nil, "the inner shell"
		frame{f.shell, c, inner}.stmts(tree.Stmts)
	}
}

// expandWithin makes double quotes of the single quotes of an inner command in which the outer shell, for which they are no
// quotes, puts a value: "… -e SECRET='$SECRET' …".
func expandWithin(text []byte) {
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
			continue
		}
		length := bytes.IndexByte(text[i+1:], '\'')
		if text[i] != '\'' || length < 0 {
			continue
		}
		within := text[i+1 : i+1+length]
		if valueWithin.Match(within) && !bytes.ContainsRune(within, '"') {
			text[i], text[i+1+length] = '"', '"'
		}
		i += length + 1
	}
}

// valueWithin matches a value that no backslash keeps from being put in.
var valueWithin = regexp.MustCompile(`(?:^|[^\\])\$[A-Za-z_{(]`)

// unescape drops the backslashes that double quotes take away before an inner shell reads the text.
func unescape(text []byte) {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '\\' && strings.IndexByte("$`\"\\", text[i+1]) >= 0 {
			text[i] = dropped
			i++
		}
	}
}

// hereDocs follows here-documents that feed a shell.
func (f frame) hereDocs(words []field, redirs []*syntax.Redirect) {
	known := startsShell(words)
	for _, r := range redirs {
		if known && r.Op == syntax.WordHdoc {
			for _, w := range f.expander().word(r.Word) {
				f.handed(w)
			}
		}
		if !known || r.Hdoc == nil {
			continue
		}
		from, to := f.of(r.Hdoc)
		c := &code{file: f.code.file, base: f.base + from, text: slices.Clone(f.code.text[from:to])}
		if tree, _ := parse(c); tree != nil {
			frame{f.shell, c, f.fork()}.stmts(tree.Stmts)
		}
	}
}
