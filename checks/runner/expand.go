package runner

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"runner-preflight/checks/source"
)

// Bounds on what expansions may grow to: a script can double a variable as often as it likes.
const (
	maxValue  = 64 << 10
	maxPieces = 512
	maxDepth  = 24
)

// code is a stretch of a file that a shell reads. Its text is as long as the stretch, and differs from it only in
// what was mended.
type code struct {
	file *source.File
	text []byte
	base int
}

// dropped stands in code for a byte of the file that belongs to no value.
const dropped = 0x01

func (c *code) span(from, to int) source.Span { return c.file.At(c.base+from, c.base+to) }

func (c *code) raw(from, to int) string { return string(c.file.Text[c.base+from : c.base+to]) }

func (c *code) of(node syntax.Node) (from, to int) {
	from, to = int(node.Pos().Offset()), int(node.End().Offset())
	to = min(max(to, 0), len(c.text))
	return min(max(from, 0), to), to
}

// binding is what a variable holds.
type binding struct {
	value    field
	array    []field
	exported bool
	line     int
}

// scope is what a shell knows at one point.
type scope struct {
	vars map[string]binding
	// args are the positional parameters; nil when they are not known.
	args []field
	// owner says whose parameters they are.
	owner string
	// export says that every assignment is exported (set -a).
	export bool
	// elsewhere is where else a variable may be set: a file that was not given; "" for the environment.
	elsewhere string
}

// origin says where a variable comes from that nothing here sets.
func (s *scope) origin(name string) string {
	if s.elsewhere != "" {
		return fmt.Sprintf("%s may be set in %s, which was not given", name, s.elsewhere)
	}
	return name + " comes from the environment"
}

func (s *scope) clone() *scope {
	c := *s
	c.vars = maps.Clone(s.vars)
	return &c
}

func (s *scope) set(name string, b binding) {
	b.exported = b.exported || s.export || s.vars[name].exported
	s.vars[name] = b
}

// expander makes fields of words.
type expander struct {
	*code
	*scope
	posix bool
	// whole keeps unquoted expansions from being split, as in assignments.
	whole  bool
	fields []field
	now    field
	begun  bool
	depth  int
}

func (e *expander) add(p piece) {
	if len(e.now) < maxPieces {
		e.now = append(e.now, p)
	}
	e.begun = true
}

func (e *expander) finish() {
	if e.begun {
		e.fields = append(e.fields, e.now)
	}
	e.now, e.begun = nil, false
}

// word expands a word as an argument: to any number of fields.
func (e *expander) word(w *syntax.Word) []field {
	e.fields, e.now, e.begun = nil, nil, false
	e.parts(w.Parts, Unquoted, true)
	e.finish()
	return e.fields
}

// value expands a word as what is assigned: to one field.
func (e *expander) value(w *syntax.Word, at int) field {
	sub := e.inner(e.depth)
	if w != nil {
		sub.parts(w.Parts, Unquoted, true)
	}
	if sub.now == nil {
		return field{{at: []source.Span{e.span(at, at)}, verbatim: true}}
	}
	return sub.now
}

// inner is an expander for a value within this one's word.
func (e *expander) inner(depth int) *expander {
	return &expander{code: e.code, scope: e.scope, posix: e.posix, whole: true, depth: depth}
}

func (e *expander) parts(parts []syntax.WordPart, quoting Quoting, first bool) {
	for i, part := range parts {
		e.part(part, quoting, first && i == 0)
	}
}

func (e *expander) part(part syntax.WordPart, quoting Quoting, first bool) {
	from, to := e.of(part)
	switch part := part.(type) {
	case *syntax.Lit:
		if to > from && e.text[to-1] == '\r' && (to == len(e.text) || e.text[to] == '\n') {
			to--
		}
		e.literal(from, to, quoting, first)
	case *syntax.SglQuoted:
		start, end := int(part.Left.Offset())+1, int(part.Right.Offset())
		if part.Dollar {
			start++
		}
		e.single(min(start, len(e.text)), min(end, len(e.text)), part.Dollar)
	case *syntax.DblQuoted:
		start := min(from+1, to)
		if len(part.Parts) == 0 || len(part.Parts) == 1 && !isArray(part.Parts[0]) {
			e.add(piece{at: []source.Span{e.span(start, start)}, quoting: DoubleQuoted, verbatim: true})
		}
		e.parts(part.Parts, DoubleQuoted, false)
	case *syntax.ParamExp:
		e.parameter(part, from, to, quoting)
	case *syntax.CmdSubst:
		if len(part.Stmts) == 0 { // nothing but a comment: `# socket`
			return
		}
		why := "it is the output of a command" + commandName(part)
		if strings.HasPrefix(e.raw(from, to), "${") {
			why = "a template fills it in before the command is run"
		}
		e.unknown(from, to, quoting, why)
	case *syntax.ArithmExp:
		e.unknown(from, to, quoting, "it is computed")
	case *syntax.ProcSubst:
		e.unknown(from, to, quoting, "it is the output of a command")
	default:
		e.verbatim(from, to, quoting)
	}
}

// isArray tells whether a part is one of those that may expand to no field at all within quotes.
func isArray(part syntax.WordPart) bool {
	p, ok := part.(*syntax.ParamExp)
	if !ok || p.Param == nil {
		return false
	}
	return p.Param.Value == "@" || p.Index != nil
}

func commandName(c *syntax.CmdSubst) string {
	if len(c.Stmts) != 1 {
		return ""
	}
	call, ok := c.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 || call.Args[0].Lit() == "" {
		return ""
	}
	return " (" + call.Args[0].Lit() + ")"
}

func (e *expander) unknown(from, to int, quoting Quoting, why string) {
	e.add(piece{
		text: e.raw(from, to), at: []source.Span{e.span(from, to)}, quoting: quoting, verbatim: true,
		unresolved: why,
	})
}

// verbatim adds the text as it stands.
func (e *expander) verbatim(from, to int, quoting Quoting) {
	if from < to {
		e.add(piece{text: e.raw(from, to), at: []source.Span{e.span(from, to)}, quoting: quoting, verbatim: true})
	}
}

// literal adds plain text, less the backslashes that quote and the line ends that they continue.
func (e *expander) literal(from, to int, quoting Quoting, first bool) {
	tilde := -1
	if quoting == Unquoted {
		from = e.otherHome(from, to, first)
		tilde = e.tilde(from, to, first)
	}
	start := from
	for i := from; i < to; i++ {
		switch {
		case i == tilde:
			e.verbatim(start, i, quoting)
			e.add(piece{text: "~", at: []source.Span{e.span(i, i+1)}, quoting: quoting, home: true, verbatim: true})
			start = i + 1
		case e.text[i] == dropped && e.raw(i, i+1) != string(rune(dropped)):
			e.verbatim(start, i, quoting)
			start = i + 1
		case e.text[i] == '\\' && i+1 < to && (quoting == Unquoted || strings.IndexByte("$`\"\\\n\r", e.text[i+1]) >= 0):
			e.verbatim(start, i, quoting)
			i++
			start = i
			if e.text[i] == '\r' && i+1 < to && e.text[i+1] == '\n' {
				i++
			}
			if e.text[i] == '\n' {
				start = i + 1
			} else if quoting == Unquoted {
				e.verbatim(i, i+1, SingleQuoted)
				start = i + 1
			}
		}
	}
	e.verbatim(start, to, quoting)
}

// otherHome passes over "~name", the home folder of another user, at a word's beginning.
func (e *expander) otherHome(from, to int, first bool) int {
	name := userHome.Find(e.text[from:to])
	if !first || name == nil {
		return from
	}
	e.unknown(from, from+len(name), Unquoted, string(name)+" is the home folder of "+string(name[1:]))
	return from + len(name)
}

var userHome = regexp.MustCompile(`^~[a-z_][a-z0-9_-]*`)

// tilde is where in the literal a shell puts the home folder, -1 if nowhere: at a word's beginning, in bash also
// after the "=" of what looks like an assignment.
func (e *expander) tilde(from, to int, first bool) int {
	if !first {
		return -1
	}
	text := string(e.text[from:to])
	at := 0
	if !strings.HasPrefix(text, "~") {
		name, _, found := strings.Cut(text, "=")
		if !found || e.posix || !syntax.ValidName(name) {
			return -1
		}
		at = len(name) + 1
	}
	if rest := text[at:]; rest == "~" || strings.HasPrefix(rest, "~/") || e.whole && strings.HasPrefix(rest, "~:") {
		return from + at
	}
	return -1
}

func (e *expander) single(from, to int, dollar bool) {
	if !dollar {
		e.add(piece{text: e.raw(from, to), at: []source.Span{e.span(from, to)}, quoting: SingleQuoted, verbatim: true})
		return
	}
	e.add(piece{at: []source.Span{e.span(from, from)}, quoting: SingleQuoted, verbatim: true})
	start := from
	for i := from; i < to; i++ {
		if e.text[i] != '\\' || i+1 >= to {
			continue
		}
		e.verbatim(start, i, SingleQuoted)
		e.add(piece{text: ansi(e.raw(i, i+2)), at: []source.Span{e.span(i, i+2)}, quoting: SingleQuoted})
		i++
		start = i + 1
	}
	e.verbatim(start, to, SingleQuoted)
}

// ansi is what a one-letter escape of $'…' stands for.
func ansi(escape string) string {
	const letters, meaning = `ntrabefv\'"?`, "\n\t\r\a\b\x1b\f\v\\'\"?"
	if i := strings.IndexByte(letters, escape[1]); i >= 0 {
		return meaning[i : i+1]
	}
	return escape
}

// parameter expands $x and all that ${…} can do.
func (e *expander) parameter(p *syntax.ParamExp, from, to int, quoting Quoting) {
	if p.Param == nil || p.Param.Value == "" || p.Excl || p.Length || p.Width || p.IsSet || p.Names != 0 ||
		p.Slice != nil || p.Repl != nil {
		e.unknown(from, to, quoting, e.raw(from, to)+" is computed")
		e.now[len(e.now)-1].many = p.Slice != nil && p.Param != nil && (p.Param.Value == "@" || p.Param.Value == "*" || p.Index != nil)
		return
	}
	name := p.Param.Value
	if e.array(p, name, from, to, quoting) {
		return
	}
	value, known := e.lookup(name, from, to, quoting)
	if p.Exp == nil || e.depth > maxDepth {
		e.insert(value, quoting)
		return
	}
	empty := known && value.value() == "" && value.unresolved() == ""
	switch p.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if known && !(empty && p.Exp.Op == syntax.AlternateUnsetOrNull) {
			e.alternative(p, from, to, quoting)
		} else if quoting != Unquoted {
			e.add(piece{at: []source.Span{e.span(from, from)}, quoting: quoting, verbatim: true})
		}
	case syntax.DefaultUnset, syntax.AssignUnset:
		e.orDefault(p, value, known, from, to, quoting)
	case syntax.DefaultUnsetOrNull, syntax.AssignUnsetOrNull:
		e.orDefault(p, value, known && !empty, from, to, quoting)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		e.insert(value, quoting)
	default:
		e.unknown(from, to, quoting, e.raw(from, to)+" is computed")
	}
}

// orDefault takes the value if there is one, else what stands behind the operator. That a variable may also come
// from the environment is what a default is for: the default is what the script says.
func (e *expander) orDefault(p *syntax.ParamExp, value field, known bool, from, to int, quoting Quoting) {
	if known || p.Param.Value == "HOME" {
		e.insert(value, quoting)
		return
	}
	e.alternative(p, from, to, quoting)
	if op := p.Exp.Op; op == syntax.AssignUnset || op == syntax.AssignUnsetOrNull {
		e.set(p.Param.Value, binding{value: e.value(p.Exp.Word, to), line: e.line(from)})
	}
}

func (e *expander) alternative(p *syntax.ParamExp, from, to int, quoting Quoting) {
	sub := e.inner(e.depth + 1)
	value := field{{at: []source.Span{e.span(max(from, to-1), max(from, to-1))}, verbatim: true}}
	if p.Exp.Word != nil {
		sub.parts(p.Exp.Word.Parts, quoting, true)
	}
	if sub.now != nil {
		value = sub.now
	}
	e.insert(through(value, e.span(from, to)), quoting)
}

// through is a value as the expansion at use brings it.
func through(value field, use source.Span) field {
	out := make(field, len(value))
	for i, p := range value {
		p.at = append([]source.Span{use}, p.at...)
		out[i] = p
	}
	return out
}

// insert adds a value, split at its blanks if nothing quotes it.
func (e *expander) insert(value field, quoting Quoting) {
	for _, p := range value {
		if quoting != Unquoted || e.whole || p.unresolved != "" {
			if p.text != "" || quoting != Unquoted || e.whole {
				e.add(p.quoted(quoting))
			}
			continue
		}
		if at := sample.FindStringIndex(p.text[:min(len(p.text), 128)]); at != nil && at[0] == 0 {
			e.add(p.quoted(quoting))
			continue
		}
		e.split(p.quoted(quoting))
	}
}

func (p piece) quoted(quoting Quoting) piece {
	p.quoting = quoting
	return p
}

func (e *expander) split(p piece) {
	for at := 0; at < len(p.text); {
		end := wordEnd(p.text[at:])
		if end > 0 {
			e.add(p.slice(at, at+end))
		}
		at += end
		if at < len(p.text) {
			e.finish()
			at++
		}
	}
}

// wordEnd is where the blank stands that ends the first word; none of a template's does.
func wordEnd(text string) int {
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case ' ', '\t', '\n':
			return at
		case '{':
			at += max(0, templateAt(text[at:])-1)
		}
	}
	return len(text)
}

func (e *expander) line(from int) int { return e.span(from, from).Position().Line }

// lookup finds a variable. The second result tells whether it has a value that the script knows of.
func (e *expander) lookup(name string, from, to int, quoting Quoting) (field, bool) {
	use := e.span(from, to)
	missing := func(why string) field {
		return field{{text: e.raw(from, to), at: []source.Span{use}, quoting: quoting, verbatim: true, unresolved: why}}
	}
	if b, ok := e.vars[name]; ok {
		value := b.value
		if value == nil && len(b.array) > 0 {
			value = b.array[0]
		}
		if size := len(value.value()); size > maxValue || len(value) > maxPieces/2 || deepest(value) > maxDepth {
			return missing(fmt.Sprintf("$%s is too long to follow", name)), true
		}
		return through(value, use), true
	}
	switch {
	case name == "HOME":
		return field{{text: "~", at: []source.Span{use}, quoting: quoting, home: true}}, false
	case name == "@" || name == "*" || name[0] >= '1' && name[0] <= '9':
		return e.positional(name, use, missing)
	case name == "PWD":
		return missing("$PWD is the folder in which the command runs"), false
	case strings.Contains("0#?$!-_", name):
		return missing(fmt.Sprintf("$%s is known when the script runs", name)), false
	}
	return missing(e.origin(name)), false
}

func deepest(value field) int {
	depth := 0
	for _, p := range value {
		depth = max(depth, len(p.at))
	}
	return depth
}

func (e *expander) positional(name string, use source.Span, missing func(string) field) (field, bool) {
	if e.args == nil {
		value := missing(fmt.Sprintf("$%s is an argument of %s", name, e.owner))
		if name == "@" || name == "*" {
			value = missing(fmt.Sprintf("$%s are the arguments of %s", name, e.owner))
			value[0].many = true
		}
		return value, false
	}
	if name == "@" || name == "*" {
		var all field
		for _, arg := range e.args {
			all = append(all, through(arg, use)...)
		}
		return all, true
	}
	n := int(name[0] - '0')
	if len(name) > 1 || n > len(e.args) {
		return field{{at: []source.Span{use}}}, false
	}
	return through(e.args[n-1], use), true
}

// array expands "$@", ${a[@]} and ${a[0]}; it tells whether it was one of those.
func (e *expander) array(p *syntax.ParamExp, name string, from, to int, quoting Quoting) bool {
	var fields []field
	index := ""
	if p.Index != nil {
		index = e.raw(int(p.Index.Pos().Offset()), int(p.Index.End().Offset()))
	}
	switch b := e.vars[name]; {
	case (name == "@" || name == "*") && e.args != nil && p.Exp == nil:
		fields = e.args
	case index == "":
		return false
	case index == "@" || index == "*":
		fields = b.array
		if b.array == nil && b.value != nil {
			fields = []field{b.value}
		}
		if _, known := e.vars[name]; !known {
			e.add(piece{
				text: e.raw(from, to), at: []source.Span{e.span(from, to)}, quoting: quoting, verbatim: true,
				many: true, unresolved: name + " comes from elsewhere",
			})
			return true
		}
	default:
		e.unknown(from, to, quoting, e.raw(from, to)+" is computed")
		return true
	}
	for i, f := range fields {
		if i > 0 && !e.whole {
			e.finish()
		}
		e.insert(through(f, e.span(from, to)), quoting)
	}
	return true
}
