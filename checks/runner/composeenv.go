package runner

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// dotenv reads an env file as compose does: quotes are taken off, "export" is allowed, a "#" behind a blank
// begins a comment, variables are filled in but within single quotes, and a quoted value may go over several
// lines. Source: the documentation of docker compose, "Syntax for environment files", and what docker compose
// 2 makes of it.
type dotenv struct {
	file *source.File
	text []byte
	at   int
	*composeValues
	variables []Variable
	// fields are the values of the variables.
	fields []field
}

// readDotenv reads a file's variables, in their order, and what compose refuses in it. What it sets is added
// to the values.
func readDotenv(file *source.File, values *composeValues) *dotenv {
	d := &dotenv{file: file, text: file.Text, composeValues: values}
	d.at = len(d.text) - len(bytes.TrimPrefix(d.text, []byte("\ufeff")))
	for d.next() && d.statement() {
	}
	return d
}

// next goes to where the next statement begins.
func (d *dotenv) next() bool {
	for d.at < len(d.text) {
		r, size := utf8.DecodeRune(d.text[d.at:])
		switch {
		case unicode.IsSpace(r):
			d.at += size
		case r == '#':
			d.at = d.lineEnd()
		default:
			return true
		}
	}
	return false
}

func (d *dotenv) lineEnd() int { return lineEnd(d.text, d.at) }

// wrong reports what compose refuses; it reads no further.
func (d *dotenv) wrong(from, to int, detail string) bool {
	d.mistakes = append(d.mistakes, Mistake{
		Kind: Unreadable, Place: d.file.At(from, min(to, len(d.text))), Detail: detail, Loses: true,
	})
	return false
}

// statement reads one variable, and tells whether compose reads on.
func (d *dotenv) statement() bool {
	rest, found := bytes.CutPrefix(d.text[d.at:], []byte("export"))
	if found && len(rest) > 0 && dotenvBlank(rest) > 0 {
		d.at += len("export")
		d.blanks()
	}
	start, end, sign := d.name()
	name := strings.TrimRightFunc(string(d.text[start:end]), unicode.IsSpace)
	switch {
	case sign < 0:
		return d.wrong(start, d.lineEnd(), "an env file of compose has NAME=value in each line, and this is no name")
	case strings.ContainsAny(name, " "):
		return d.wrong(start, start+len(name), "the name of a variable has no blank in it")
	}
	v := Variable{FromFile: true, Name: Text{Value: name, Place: d.file.At(start, start+len(name))}}
	v.Place = v.Name.Place
	if sign == '\n' {
		v.NoValue = true
		d.take(v, nil)
		return true
	}
	d.blanks()
	value, ok := d.value(secretFrom(name, 0))
	if !ok {
		return false
	}
	v.Place.End = max(d.at, v.Place.End)
	d.take(v, value)
	if d.at < len(d.text) && d.text[d.at] != '\n' && d.next() {
		d.trailing()
	}
	return true
}

// trailing reports what stands behind a closing quote, if the next name does: compose takes that for a name
// too.
func (d *dotenv) trailing() {
	before := d.text[:d.at]
	if i := bytes.LastIndexByte(before, '\n'); i < 0 || len(bytes.TrimSpace(before[i:])) > 0 {
		if d.variables[len(d.variables)-1].Secret() { // what follows is probably the rest of it
			d.file.Hide(d.at, d.lineEnd())
		}
		d.wrong(d.at, d.at, "the value ends at its closing quote, and compose takes what follows for another name")
	}
}

// take adds a variable. One without a value is taken from the environment, or from what is known.
func (d *dotenv) take(v Variable, value field) {
	if v.NoValue {
		known, set := d.lookup(v.Name.Value)
		if !set {
			unset := d.unset(source.Printable(v.Name.Value), false)
			known = field{{at: []source.Span{v.Name.Place}, unresolved: unset}}
		}
		value = known
	}
	v.Value = value.text()
	d.variables, d.fields = append(d.variables, v), append(d.fields, value)
	d.set[v.Name.Value] = value
	hidePieces(v, value)
}

// hidePieces hides a secret wherever its pieces are written.
func hidePieces(v Variable, value field) {
	hideVariable(v)
	for _, p := range value {
		if at := p.written(); v.Secret() && at.File != nil && p.unresolved == "" && p.verbatim && p.text != "" {
			hide(at.File, at.Start, at.End)
		}
	}
}

// name finds the end of the name here, and the sign behind it: "=", ":", a line break or -1 for what is none.
func (d *dotenv) name() (start, end int, sign rune) {
	start = d.at
	for d.at < len(d.text) {
		r, size := utf8.DecodeRune(d.text[d.at:])
		end = d.at
		switch {
		case r == '=' || r == ':' || r == '\n':
			d.at += size
			return start, end, r
		case dotenvBlank(d.text[d.at:]) > 0, strings.ContainsRune("_.-[]", r):
		case unicode.IsLetter(r), unicode.IsNumber(r):
		default:
			return start, end, -1
		}
		d.at += size
	}
	return start, len(d.text), '\n'
}

// dotenvBlank is the length of the blank at the beginning of a text, which is no line break.
func dotenvBlank(text []byte) int {
	r, size := utf8.DecodeRune(text)
	if strings.ContainsRune("\t\v\f\r \u0085\u00a0", r) && r != utf8.RuneError {
		return size
	}
	return 0
}

func (d *dotenv) blanks() {
	for d.at < len(d.text) {
		n := dotenvBlank(d.text[d.at:])
		if n == 0 {
			return
		}
		d.at += n
	}
}

// secretFrom is where what is secret begins in a text that holds the value of a variable from a byte on. The
// address of a proxy may hold a password.
func secretFrom(name string, at int) int {
	if secretName(name) || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
		return at
	}
	return noSecret
}

// value reads a value to its end.
func (d *dotenv) value(secret int) (field, bool) {
	if d.at < len(d.text) && (d.text[d.at] == '"' || d.text[d.at] == '\'') {
		return d.quoted(secret)
	}
	start, end := d.at, d.lineEnd()
	d.at = end
	line := d.text[start:end]
	if i := bytes.Index(line, []byte(" #")); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRightFunc(line, unicode.IsSpace)
	written := field{{text: string(line), at: []source.Span{d.file.At(start, start+len(line))}, verbatim: true}}
	return d.fill(written, secret), true
}

// quoted reads a value in quotes.
func (d *dotenv) quoted(secret int) (field, bool) {
	quote, opening := d.text[d.at], d.at
	s := scalarReader{file: d.file, text: d.text, at: d.at + 1, quoting: SingleQuoted}
	if quote == '"' {
		s.quoting = DoubleQuoted
	}
	s.add(s.at, s.at)
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == quote:
			s.flush()
			d.at = s.at + 1
			if quote == '\'' {
				return s.out, true
			}
			return d.fill(s.out, secret), true
		case c == '\\' && s.at+1 < len(s.text):
			dotenvEscape(&s, quote)
		default:
			s.at++
			s.add(s.at-1, s.at)
		}
	}
	return nil, d.wrong(opening, opening+1, "this quote is never closed")
}

// dotenvEscape reads a backslash in quotes: in single quotes it makes a quote alone, in double quotes what it
// makes in a shell's echo, and a dollar sign that begins no variable.
func dotenvEscape(s *scalarReader, quote byte) {
	from, c := s.at, s.text[s.at+1]
	if c == quote {
		s.at += 2
		s.stand(string(quote), from, s.at)
		return
	}
	if quote == '"' {
		if text, length := echoEscape(s.text[from:min(from+5, len(s.text))]); length > 0 {
			s.at += length
			s.stand(text, from, s.at)
			return
		}
	}
	s.at += 2
	s.add(from, s.at)
}

// echoEscape is what a backslash and what follows stand for in double quotes, and their length; 0 if for
// themselves.
func echoEscape(text []byte) (string, int) {
	const letters, meanings = `abfnrtv\`, "\a\b\f\n\r\t\v\\"
	c := text[1]
	if i := strings.IndexByte(letters, c); i >= 0 {
		return meanings[i : i+1], 2
	}
	if c == '$' {
		return "$$", 2
	}
	if c != '0' {
		return "", 0
	}
	end := 2
	for end < len(text) && text[end] >= '0' && text[end] <= '7' {
		end++
	}
	if code, err := strconv.ParseUint(string(text[2:end]), 8, 8); err == nil && end == 5 {
		return string(rune(code)), end
	}
	return "", 0
}

// dotenvFile is the file beside a compose file that fills its variables in.
const dotenvFile = ".env"

// notGiven says of a file that a compose file names that it is not there to be read.
func notGiven(what, name string) string {
	return fmt.Sprintf("%s %s was not given, or cannot be read", what, source.Printable(shortName(name)))
}

// envFiles reads the files of env_file. What environment says counts before them, what a later one says
// before an earlier one.
func (s *composeService) envFiles() {
	values := &composeValues{
		set: map[string]field{}, before: map[string]field{}, room: s.values.room, beside: s.values.beside,
	}
	for _, v := range s.own {
		if !v.NoValue || v.Value.Unresolved == "" {
			values.before[v.Name.Value] = v.field
		}
	}
	maps.Copy(values.before, s.values.set)
	for _, layer := range s.all("env_file") {
		for _, n := range envFileItems(layer.keys["env_file"].value) {
			s.envFile(n, layer.folder, values)
		}
	}
	s.d.Mistakes = append(s.d.Mistakes, values.mistakes...)
}

// envFileItems are the files of env_file: one, or a list.
func envFileItems(n node) []node {
	if n.isSequence() {
		return n.items()
	}
	if !n.ok() || n.isNull() {
		return nil
	}
	return []node{n}
}

func (s *composeService) envFile(n node, folder string, values *composeValues) {
	named, raw, optional := n, false, false
	if n.isMapping() {
		named, raw = n.at("path"), n.at("format").scalar() == "raw"
		optional = strings.EqualFold(n.at("required").scalar(), "false")
	}
	if !named.ok() {
		s.mistake(n.place(), "an env file needs a path")
		return
	}
	read := EnvFile{Path: s.text(named).text(), Optional: optional}
	if read.Path.Unresolved == "" && read.Path.Home {
		read.Path.Unresolved = "it is in the home folder of who runs compose"
	}
	if read.Path.Unresolved != "" {
		s.d.EnvFiles = append(s.d.EnvFiles, read)
		return
	}
	read.Path.Value = inFolder(folder, read.Path.Value)
	again := func(other EnvFile) bool { return path.Clean(other.Path.Value) == path.Clean(read.Path.Value) }
	if slices.ContainsFunc(s.d.EnvFiles, again) {
		return
	}
	s.openEnvFile(&read, raw, values)
	s.d.EnvFiles = append(s.d.EnvFiles, read)
}

// openEnvFile reads the variables of an env file, if it is there to be read.
func (s *composeService) openEnvFile(read *EnvFile, raw bool, values *composeValues) {
	data, err := s.set.open(read.Path.Value)
	if err != nil {
		read.Err = err
		return
	}
	file := source.New(read.Path.Value, data)
	if s.env != nil && path.Clean(s.env.Path.Value) == path.Clean(read.Path.Value) {
		file = s.env.File
	}
	hideSecrets(file)
	read.File = file
	if raw {
		variables, mistakes := envLines(file)
		s.files, s.d.Mistakes = append(s.files, variables...), append(s.d.Mistakes, mistakes...)
		return
	}
	s.files = append(s.files, readDotenv(file, values).variables...)
}
