package runner

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"runner-preflight/checks/source"
)

// writtenFile is a file that a script writes from a here-document.
type writtenFile struct {
	path string
	file *source.File
}

// maxWritten is how many of them are kept.
const maxWritten = 32

// writtenAs is the file that a script has written to a path; nil if it has not.
func (s *shell) writtenAs(name string) *source.File {
	for _, w := range slices.Backward(s.written) {
		if path.Clean(w.path) == path.Clean(name) {
			return w.file
		}
	}
	return nil
}

// writes keeps what a command writes to a file from a here-document: cat > FILE <<EOF, tee FILE <<EOF.
func (f frame) writes(words []field, redirs []*syntax.Redirect) {
	var document *syntax.Redirect
	target := ""
	for _, r := range redirs {
		switch r.Op {
		case syntax.Hdoc, syntax.DashHdoc:
			document = r
		case syntax.RdrOut, syntax.RdrClob, syntax.AppOut:
			if to := f.expander().word(r.Word); len(to) == 1 && to[0].unresolved() == "" && to[0].value() != "/dev/null" {
				target = to[0].value()
			}
		}
	}
	if at := slices.IndexFunc(words, func(w field) bool { return path.Base(w.value()) == "tee" }); at >= 0 && target == "" {
		for _, w := range words[at+1:] {
			if v := w.value(); !strings.HasPrefix(v, "-") && w.unresolved() == "" {
				target = v
			}
		}
	}
	if document == nil || document.Hdoc == nil || target == "" || len(f.written) >= maxWritten {
		return
	}
	f.written = append(f.written, writtenFile{target, f.document(document)})
}

// document is a here-document as a file: with its variables filled in, if nothing quotes its delimiter.
func (f frame) document(r *syntax.Redirect) *source.File {
	from, to := f.of(r.Hdoc)
	to -= len(delimiterLine.Find(f.text[from:to]))
	content := field{{text: f.raw(from, to), at: []source.Span{f.span(from, to)}, verbatim: true}}
	quoted := slices.ContainsFunc(r.Word.Parts, func(part syntax.WordPart) bool { _, lit := part.(*syntax.Lit); return !lit })
	if !quoted {
		e := f.expander()
		e.whole = true
		e.parts(r.Hdoc.Parts, DoubleQuoted, false)
		content = before(e.now, f.span(to, to))
	}
	if r.Op == syntax.DashHdoc {
		content = withoutTabs(content)
	}
	return embed(f.code.file, content)
}

// delimiterLine matches the last line of a here-document, which the parser takes for a part of it.
var delimiterLine = regexp.MustCompile(`[ \t]*[\w.!-]+$`)

// before is a value without what is written from a place on.
func before(value field, end source.Span) field {
	var out field
	for _, p := range value {
		if at := p.at[0]; at.File == end.File && at.End > end.Start && p.verbatim && len(p.at) == 1 {
			p = p.slice(0, max(0, len(p.text)-(at.End-end.Start)))
		}
		out = append(out, p)
	}
	return out
}

// withoutTabs takes the tabs at the beginnings of lines away, as "<<-" does.
func withoutTabs(content field) field {
	var out field
	fresh := true
	for _, p := range content {
		start := 0
		for at := 0; at < len(p.text); at++ {
			switch {
			case p.text[at] == '\t' && fresh:
				out = append(out, p.slice(start, at))
				start = at + 1
			default:
				fresh = p.text[at] == '\n'
			}
		}
		out = append(out, p.slice(start, len(p.text)))
	}
	return out
}

// embed makes a file of a value, whose places are where it is written in a file, or used there.
func embed(file *source.File, value field) *source.File {
	var text bytes.Buffer
	var pieces []source.Piece
	for _, p := range value {
		outer := p.at[0]
		for _, at := range p.at {
			if at.File == file {
				outer = at
			}
		}
		if p.text != "" {
			pieces = append(pieces, source.Piece{Start: text.Len(), Outer: outer})
			text.WriteString(p.text)
		}
	}
	return file.Embed(text.Bytes(), pieces)
}

// fromWritten are the definitions in the files that a script writes: units, compose files, scripts. An env file is part
// of the command that names it.
func (s *shell) fromWritten() []*Definition {
	var out []*Definition
	for _, w := range s.written {
		out = append(out, s.around.within(w.file, w.path)...)
	}
	return out
}

// within are the definitions of a file that stands in another one.
func (s *set) within(file *source.File, name string) []*Definition {
	if s.depth > maxDepth/8 || !mention.Match(file.Text) {
		return nil
	}
	s.depth++
	defer func() { s.depth-- }()
	switch document := recogniseKind(file, Input{Path: file.Path, Data: file.Text}).(type) {
	case done:
		return nil
	case commands:
		if !bytes.HasPrefix(file.Text, []byte("#!")) {
			return nil
		}
		return document.read(s).Definitions
	case unitFile:
		document.name = nameOf(name, nil)
		return document.read(s).Definitions
	default:
		return document.read(s).Definitions
	}
}

// imports takes over the variables of the files that commands print: export $(grep -v '^#' .env | xargs), env $(cat .env)
// docker run.
func (f frame) imports(words []*syntax.Word) {
	for _, w := range words {
		source, unquotes, ok := printed(w)
		if !ok {
			continue
		}
		file := f.load(source)
		if file == nil {
			f.elsewhere = source
			continue
		}
		for _, v := range assignedLines(file, unquotes) {
			f.set(v.name, binding{value: v.value, exported: true})
		}
	}
}

func isPrinted(w *syntax.Word) bool { _, _, ok := printed(w); return ok }

// printed tells whether a word is what a command prints of a file, and whether xargs takes the quotes off.
func printed(w *syntax.Word) (file string, unquotes, ok bool) {
	if len(w.Parts) != 1 {
		return "", false, false
	}
	subst, isSubst := w.Parts[0].(*syntax.CmdSubst)
	if !isSubst || len(subst.Stmts) != 1 {
		return "", false, false
	}
	stmt := subst.Stmts[0]
	for {
		pipe, isPipe := stmt.Cmd.(*syntax.BinaryCmd)
		if !isPipe || pipe.Op != syntax.Pipe {
			break
		}
		unquotes = unquotes || runs(pipe.Y, "xargs")
		stmt = pipe.X
	}
	for _, r := range stmt.Redirs {
		if r.Op == syntax.RdrIn {
			return r.Word.Lit(), unquotes || runs(stmt, "xargs"), r.Word.Lit() != ""
		}
	}
	call, isCall := stmt.Cmd.(*syntax.CallExpr)
	if !isCall || len(call.Args) < 2 || !slices.Contains([]string{"cat", "grep", "egrep", "sed", "awk"}, call.Args[0].Lit()) {
		return "", false, false
	}
	file = call.Args[len(call.Args)-1].Lit()
	return file, unquotes, file != "" && !strings.HasPrefix(file, "-")
}

func runs(s *syntax.Stmt, name string) bool {
	call, ok := s.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && call.Args[0].Lit() == name
}

// assignedLines reads NAME=value, a line for each, as a shell takes them from the output of a command: a value ends at
// its first blank, unless quotes were taken off that hold it.
func assignedLines(file *source.File, unquotes bool) []fileVariable {
	var out []fileVariable
	for at := 0; at < len(file.Text) && len(out) < maxSettings; {
		end := lineEnd(file.Text, at)
		line := string(file.Text[at:end])
		name, value, found := strings.Cut(line, "=")
		start := at + len(name) + 1
		at = end + 1
		name = strings.TrimSpace(name)
		if !found || !syntax.ValidName(name) {
			continue
		}
		value, _, _ = strings.Cut(value, " ")
		quoting := Unquoted
		if n := len(value); unquotes && n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value, start, quoting = value[1:n-1], start+1, DoubleQuoted
		}
		place := file.At(start, start+len(value))
		one := field{{text: value, at: []source.Span{place}, quoting: quoting, verbatim: true}}
		out = append(out, fileVariable{name: name, value: one})
	}
	return out
}
