package runner

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"runner-preflight/checks/source"
)

// environment takes over what the unit sets for its commands: Environment=, then the files of EnvironmentFile=, which
// win. Source: systemd.exec(5).
func (r *unitReader) environment() {
	r.scope = &scope{vars: map[string]binding{}, owner: "the unit"}
	for _, s := range r.list("Service", "Environment") {
		words, _ := r.name.words(s.value)
		for _, w := range words {
			if at := strings.IndexByte(w.shape(), '='); at > 0 {
				r.define(w.value()[:at], w.slice(at+1, len(w.value())))
			}
		}
	}
	for _, s := range r.list("Service", "PassEnvironment") {
		words, _ := r.name.words(s.value)
		for _, w := range words {
			r.define(w.value(), unitUnknown(w, w.value()+" is passed on from systemd's own environment"))
		}
	}
	for _, s := range r.list("Service", "EnvironmentFile") {
		r.environmentFile(s)
	}
	for _, s := range r.list("Service", "UnsetEnvironment") {
		words, _ := r.name.words(s.value)
		for _, w := range words {
			delete(r.scope.vars, w.value())
		}
	}
	r.login()
}

// UnitEnvironment is what the drop-ins of a service of the system's set for it, by name. A file's variables stand in that
// file; open reads the files of EnvironmentFile=, and one that it does not read sets nothing.
func UnitEnvironment(unit string, dropIns []*source.File, open Opener) map[string]Text {
	r := &unitReader{set: &set{open: open}}
	r.File, r.name = source.New("/etc/systemd/system/"+unit, nil), unitName{name: unit, system: true}
	for _, file := range dropIns {
		r.settings = append(r.settings, readUnitLines(file)...)
	}
	r.environment()
	variables := map[string]Text{}
	for name, b := range r.scope.vars {
		variables[name] = b.value.text()
	}
	return variables
}

func (r *unitReader) define(name string, value field) {
	if len(r.scope.vars) < maxSettings {
		r.scope.vars[name] = binding{value: value, exported: true}
	}
}

func unitUnknown(w field, why string) field {
	return field{{text: w.value(), at: []source.Span{span(w)}, unresolved: why}}
}

// login sets what systemd sets for the user of a service. A unit of the system without User= has no HOME.
func (r *unitReader) login() {
	user := r.text("User")
	if user.Value == "" && !r.name.user {
		return
	}
	place := user.Place
	if place.File == nil {
		place = r.File.At(0, 0)
	}
	for _, name := range []string{"HOME", "USER", "LOGNAME", "SHELL"} {
		if _, set := r.scope.vars[name]; set {
			continue
		}
		value := piece{text: "$" + name, at: []source.Span{place}, unresolved: name + " is that of the service's user"}
		switch {
		case name == "HOME":
			value.text, value.home, value.unresolved = "~", true, ""
		case (name == "USER" || name == "LOGNAME") && user.Value != "" && !strings.Contains(user.Value, "%"):
			value = piece{text: user.Value, at: []source.Span{place}, verbatim: true}
		}
		r.define(name, field{value})
	}
}

// environmentFile reads one file of EnvironmentFile=.
func (r *unitReader) environmentFile(s setting) {
	words, _ := r.name.words(&code{file: s.value.file, base: s.value.base, text: slices.Clone(s.value.text)})
	if len(words) == 0 {
		return
	}
	name := strings.TrimPrefix(words[0].value(), "-")
	var file *source.File
	if words[0].unresolved() == "" && !words[0].text().Home && !strings.ContainsAny(name, "*?[") {
		file = r.open(name)
		if file == nil && path.IsAbs(name) {
			file = r.beside(name)
		}
	}
	if file == nil {
		r.scope.elsewhere = name
		return
	}
	variables, mistakes := systemdVariables(file)
	for _, v := range variables {
		r.define(v.name, v.value)
	}
	r.mistakes = append(r.mistakes, mistakes...)
}

// beside looks for a file in the folder of the unit's own, as both stand in a repository.
func (r *unitReader) beside(name string) *source.File {
	if path.IsAbs(r.Path) {
		return nil
	}
	return r.open(path.Join(path.Dir(r.Path), path.Base(name)))
}

// fileVariable is one that a file of systemd's sets.
type fileVariable struct {
	name  string
	value field
	// place is where the name is written.
	place source.Span
}

// systemdVariables reads a file of EnvironmentFile=: quotes are taken off, a backslash continues a line, comments begin
// with "#" or ";". A line with "export" is passed over, and is read here as it was meant. Source: systemd.exec(5); measured
// with systemd 252.
func systemdVariables(file *source.File) ([]fileVariable, []Mistake) {
	e := envReader{file: file, text: file.Text}
	var variables []fileVariable
	var mistakes []Mistake
	for e.at < len(e.text) && len(variables) < maxSettings {
		v, ok := e.variable()
		name, exported := strings.CutPrefix(v.name, "export ")
		name = strings.TrimSpace(name)
		if exported && syntax.ValidName(name) && len(mistakes) < maxCalls {
			mistakes = append(mistakes, Mistake{
				Kind: Unreadable, Place: v.place, Loses: true, Detail: "systemd passes over a line with export in its env files",
			})
			v.name, ok = name, true
		}
		if ok {
			variables = append(variables, v)
		}
	}
	return variables, mistakes
}

// envReader reads a file of EnvironmentFile= from front to back.
type envReader struct {
	file *source.File
	text []byte
	at   int
	out  field
}

// variable reads one assignment, or passes over one line.
func (e *envReader) variable() (fileVariable, bool) {
	for e.at < len(e.text) && strings.IndexByte(" \t\r\n", e.text[e.at]) >= 0 {
		e.at++
	}
	end := lineEnd(e.text, e.at)
	line := string(e.text[e.at:end])
	name, _, found := strings.Cut(line, "=")
	if !found || line[0] == '#' || line[0] == ';' {
		e.at = min(end+1, len(e.text))
		return fileVariable{}, false
	}
	place := e.file.At(e.at, e.at+len(strings.TrimRight(name, " \t")))
	e.at += len(name) + 1
	e.out = nil
	e.value()
	name = strings.TrimRight(name, " \t")
	if e.out == nil {
		e.out = field{{at: []source.Span{e.file.At(e.at, e.at)}, verbatim: true}}
	}
	e.at = min(e.at+1, len(e.text))
	return fileVariable{name, e.out, place}, syntax.ValidName(name)
}

// value reads up to the end of the line in which the value ends. Blanks around it, and behind a quoted part, are none of
// it.
func (e *envReader) value() {
	plain := false
	for e.at < len(e.text) {
		switch c := e.text[e.at]; {
		case c == '\n' || c == '\r':
			e.trim(plain)
			return
		case c == '\\' && e.at+1 < len(e.text):
			plain = true
			e.at++
			n := yamlBreak(e.text[e.at:])
			if n == 0 {
				e.add(e.at, e.at+1, SingleQuoted)
			}
			e.at += max(n, 1)
		case !plain && (c == '"' || c == '\''):
			e.quoted(c)
		case !plain && (c == ' ' || c == '\t'):
			e.at++
		default:
			plain = true
			start := e.at
			for e.at < len(e.text) && strings.IndexByte("\\\r\n", e.text[e.at]) < 0 {
				e.at++
			}
			e.add(start, e.at, Unquoted)
		}
	}
	e.trim(plain)
}

func (e *envReader) add(from, to int, quoting Quoting) {
	if len(e.out) < maxPieces {
		e.out = append(e.out, piece{
			text: string(e.text[from:to]), at: []source.Span{e.file.At(from, to)}, quoting: quoting, verbatim: true,
		})
	}
}

// trim takes the blanks off the end of a value without quotes.
func (e *envReader) trim(plain bool) {
	if n := len(e.out); plain && n > 0 && e.out[n-1].quoting == Unquoted {
		last := e.out[n-1]
		e.out[n-1] = last.slice(0, len(strings.TrimRight(last.text, " \t")))
	}
}

// quoted reads a part in quotes; in double quotes a backslash quotes what it does to a shell.
func (e *envReader) quoted(quote byte) {
	quoting := SingleQuoted
	if quote == '"' {
		quoting = DoubleQuoted
	}
	e.at++
	start := e.at
	for e.at < len(e.text) && e.text[e.at] != quote {
		if quote == '"' && e.text[e.at] == '\\' && e.at+1 < len(e.text) && strings.IndexByte("\"\\`$\n", e.text[e.at+1]) >= 0 {
			e.add(start, e.at, quoting)
			e.at++
			start = e.at
			if e.text[e.at] == '\n' {
				start++
			}
		}
		e.at++
	}
	e.add(start, max(start, min(e.at, len(e.text))), quoting)
	e.at = min(e.at+1, len(e.text))
}

// expandUnit fills variables into the words of a command, whatever their quotes: $NAME as a word of its own is any number
// of words, ${NAME} a part of one, "$$" a dollar sign. Any other dollar sign stays. Source: systemd.service(5); measured
// with systemd 252.
func expandUnit(words []field, s *scope) []field {
	var out []field
	for _, w := range words {
		v := w.shape()
		switch {
		case len(v) > 1 && v[0] == '$' && v[1] != '{' && v[1] != '$' && syntax.ValidName(v[1:]):
			out = append(out, splitUnit(s.unitVariable(v[1:], span(w)))...)
		case strings.Contains(v, "${") || strings.Contains(v, "$$"):
			out = append(out, braced(w, v, s))
		default:
			out = append(out, w)
		}
	}
	return out
}

// unitVariable is what a variable holds. HOME where nobody sets it stays as it is written.
func (s *scope) unitVariable(name string, use source.Span) field {
	b, ok := s.vars[name]
	switch {
	case ok:
		return through(b.value, use)
	case name == "HOME":
		return field{{text: use.Text(), at: []source.Span{use}, verbatim: true}}
	}
	why := fmt.Sprintf("the unit sets no %s: a drop-in may", name)
	if s.elsewhere != "" {
		why = s.origin(name)
	}
	return field{{text: use.Text(), at: []source.Span{use}, unresolved: why, many: true, verbatim: true}}
}

// splitUnit divides a value at its blanks.
func splitUnit(value field) []field {
	if value.unresolved() != "" || value.text().Home {
		return []field{value}
	}
	e := &expander{}
	for _, p := range value {
		e.split(p)
	}
	e.finish()
	return e.fields
}

// braced fills ${NAME} and "$$" into a word.
func braced(w field, v string, s *scope) field {
	var out field
	from := 0
	for at := 0; at+1 < len(v) && len(out) < maxPieces; at++ {
		if v[at] != '$' {
			continue
		}
		end := strings.IndexByte(v[at:min(len(v), at+256)], '}')
		name := ""
		if v[at+1] == '{' && end > 0 {
			name = v[at+2 : at+end]
		}
		switch {
		case v[at+1] == '$':
			out = append(out, w.slice(from, at+1)...)
			from = at + 2
			at++
		case syntax.ValidName(name):
			if at > from {
				out = append(out, w.slice(from, at)...)
			}
			for _, p := range s.unitVariable(name, span(w.slice(at, at+end+1))) {
				p.many = false
				out = append(out, p.quoted(w[0].quoting))
			}
			at += end
			from = at + 1
		}
	}
	if from < len(v) || out == nil {
		out = append(out, w.slice(from, len(v))...)
	}
	return out
}
