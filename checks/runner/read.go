package runner

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"runner-preflight/checks/source"
)

// maxParsed is the longest script that is parsed as a whole, maxOpen how many brackets it may open: the parser
// descends into each. Beyond that commands are read one by one.
const (
	maxParsed = 256 << 10
	maxOpen   = 5000
)

const lookedFor = "a docker run that starts bitbucket-pipelines-runner or sets ACCOUNT_UUID, RUNNER_UUID or one of the " +
	"images, or an env file that sets them"

// unreadable says what a file is that holds no text.
func unreadable(data []byte) string {
	head := data[:min(len(data), 64<<10)]
	const wide = "UTF-16, which no shell and no docker reads"
	for _, known := range []struct{ magic, kind string }{
		{"\x7fELF", "a program, not text"},
		{"\x1f\x8b", "a gzip archive, not text"},
		{"PK\x03\x04", "a zip archive, not text"},
		{"\x89PNG", "an image, not text"},
		{"\xff\xfe", wide},
		{"\xfe\xff", wide},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.kind
		}
	}
	if webPage.Match(head) {
		return "a web page, not a script"
	}
	if bytes.Count(head, []byte{0}) > len(head)/64 {
		return "binary data, not text"
	}
	return ""
}

var webPage = regexp.MustCompile(`(?i)\A\s*(?:<!doctype html|<html)`)

var (
	// colon matches a line of an env file that somebody wrote as YAML.
	colon      = regexp.MustCompile(`^[A-Z][A-Z0-9_]*:[ \t]`)
	assignment = regexp.MustCompile(`^\s*[A-Za-z_][A-Za-z0-9_.]*\s*=`)
	exported   = regexp.MustCompile(`^\s*export\s+[A-Za-z_]\w*=`)
	ownName    = regexp.MustCompile(`(?m)^\s*(?:export\s+)?(ACCOUNT_UUID|RUNNER_UUID|REPOSITORY_UUID|PAUSE_IMAGE|` +
		`AUTH_PROXY_IMAGE|CLONE_IMAGE|OAUTH_CLIENT_ID|OAUTH_CLIENT_SECRET|RUNTIME_PREREQUISITES_ENABLED)\s*(=|:[ \t]|$)`)
	bareName = regexp.MustCompile(`^\s*[A-Z][A-Z0-9_]*\s*$`)
)

// isEnvFile tells an env file: lines of NAME=value, nothing but, some of them a runner's. One line that says
// "export" among them is a mistake; where most do, it is a script.
func isEnvFile(data []byte) bool {
	if len(data) > maxParsed || bytes.HasPrefix(data, []byte("#!")) || !ownName.Match(data) {
		return false
	}
	plain, exports, other := 0, 0, 0
	for _, line := range bytes.Split(data, []byte("\n")) {
		raw := bytes.TrimPrefix(line, []byte("\ufeff"))
		line = bytes.TrimSpace(raw)
		switch {
		case len(line) == 0 || line[0] == '#':
		case exported.Match(line):
			exports++
		case bareName.Match(line), colon.Match(raw),
			assignment.Match(line) && !bytes.HasSuffix(line, []byte(`\`)) && !innerDocker.Match(line):
			plain++
		default:
			other++
		}
	}
	return plain > 0 && exports <= plain/2 && other <= plain/2
}

func readEnvFile(file *source.File) Reading {
	variables, mistakes := envLines(file)
	d := &Definition{
		File: file, Place: file.Whole(), Environment: variables, Mistakes: mistakes,
		States: Aspects{Environment: true},
	}
	for _, v := range variables {
		hideVariable(v)
	}
	return Reading{Kind: "docker env file", Definitions: []*Definition{d}, LookedFor: lookedFor}
}

// readShell reads a script, or any text in which commands stand.
func readShell(name string, file *source.File, s *set) Reading {
	reading := Reading{Kind: "shell script", LookedFor: lookedFor, Passwords: loginPasswords(file)}
	sh := newShell(s)
	sh.posix = posixShebang.Match(file.Text)
	top := frame{sh, sh.code(file), &scope{vars: map[string]binding{}, owner: "the script"}}
	script := bytes.HasPrefix(file.Text, []byte("#!"))
	if !script && groovy.Match(file.Text) {
		unescapeDollars(top.text)
	}
	named := script || strings.HasSuffix(name, ".sh") || strings.HasSuffix(name, ".bash")
	if !named && isProse(file.Text) {
		reading.Kind = "text"
		if len(sh.found) > 0 {
			reading.Kind = "text with commands"
		}
		top.fragments(sh.regionsOf(file))
	} else if mistake := top.whole(); mistake != nil {
		if named || len(sh.found) > 0 {
			reading.Mistakes = append(reading.Mistakes, *mistake)
		} else {
			reading.Kind = "text"
		}
	}
	reading.Definitions = sortByPlace(append(sh.definitions(file), sh.fromWritten()...))
	if len(reading.Definitions) == 0 && !script {
		reading.Kind, reading.Unsupported = documentKind(file.Text, reading.Kind)
	}
	return reading
}

// whole follows a script from its beginning to its end; where it does not parse, its commands one by one.
func (f frame) whole() *Mistake {
	tree, mistake := parse(f.code)
	if tree == nil {
		f.fragments(f.regionsOf(f.code.file))
		return mistake
	}
	f.stmts(tree.Stmts)
	f.uncalled()
	return nil
}

// definitions makes definitions of the docker runs that start runners, in the order of their places.
func (s *shell) definitions(file *source.File) []*Definition {
	slices.SortStableFunc(s.calls, func(a, b call) int {
		if a.place.File != b.place.File {
			return 0
		}
		return a.place.Start - b.place.Start
	})
	var out []*Definition
	for _, call := range s.calls {
		if d := s.definition(file, call); d != nil && !slices.ContainsFunc(out, d.same) {
			out = append(out, d)
		}
	}
	s.lendWithin(file, out)
	return out
}

// groovy matches a Jenkinsfile.
var groovy = regexp.MustCompile(`(?m)^\s*(?:pipeline|node)\b[^\n]*\{`)

// unescapeDollars drops the backslash that keeps a dollar sign from Groovy, so that the shell gets it.
func unescapeDollars(text []byte) {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '\\' && text[i+1] == '$' {
			text[i] = dropped
		}
	}
}

// protectAssigned does the same for assignments of samples in angle brackets.
func protectAssigned(text []byte) {
	if !bytes.Contains(text, []byte("=<")) {
		return
	}
	for _, sample := range assignedSample.FindAllSubmatchIndex(text, -1) {
		for i := sample[2]; i < sample[3]; i++ {
			text[i] = 'x'
		}
	}
}

// assignedSample matches an assignment of a placeholder, which a shell takes for redirections.
var assignedSample = regexp.MustCompile(`(?m)^[ \t]*(?:(?:export|readonly|local)[ \t]+)?[A-Za-z_]\w*=` +
	`(<[A-Za-z_][^<>\n"']{0,80}>)[ \t]*(?:$|[\r;#])`)

var posixShebang = regexp.MustCompile(`^#!\s*\S*/(env\s+)?(sh|dash|ash)\b`)

// clean is the text with what the parser stops at, and no shell does, blotted out.
func clean(text []byte) []byte {
	out := slices.Clone(text)
	if bytes.HasPrefix(out, []byte("\ufeff")) {
		copy(out, "   ")
	}
	for i := 0; i < len(out); {
		if out[i] == 0 {
			out[i] = '_'
		}
		if out[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError && size == 1 {
			out[i] = '_'
		}
		i += size
	}
	if bytes.Contains(out, []byte("${")) {
		for _, found := range interpolated.FindAllIndex(out, maxSettings) {
			out[found[0]+1], out[found[1]-1] = '(', ')'
			for i := found[0] + 2; i < found[1]-1; i++ {
				if !letter(out[i]) {
					out[i] = '_'
				}
			}
		}
	}
	return out
}

// interpolated matches what Terraform and others fill into a script, and no shell can: ${var.account}. It is made a
// command's output, which nobody knows either.
var interpolated = regexp.MustCompile(`\$\{[ ]?[A-Za-z_][\w-]*\.[\w.\[\]"*-]+[ ]?\}`)

// parse parses code as any shell would. Without a tree the mistake says where that stopped; there is none if it was
// not tried.
func parse(c *code) (*syntax.File, *Mistake) {
	if len(c.text) > maxParsed || deep(c.text) {
		return nil, &Mistake{
			Kind: Unreadable, Place: c.span(0, 0), Loses: true,
			Detail: "as a shell script it is too long, or too deep, to be followed",
		}
	}
	var first error
	dialects := []syntax.LangVariant{syntax.LangBash, syntax.LangPOSIX, syntax.LangMirBSDKorn, syntax.LangZsh}
	for _, variant := range dialects {
		tree, err := syntax.NewParser(syntax.Variant(variant)).Parse(bytes.NewReader(c.text), "")
		if err == nil {
			return tree, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, syntaxMistake(c, first)
}

// deep tells whether a text may nest deeper than a parser should follow.
func deep(text []byte) bool {
	n := 0
	for _, word := range []string{"if ", "while ", "until "} {
		n += bytes.Count(text, []byte(word))
	}
	for _, c := range text {
		switch c {
		case '(', '{', '`', '[', '|', '!', '~':
			n++
		}
	}
	return n > maxOpen
}

func syntaxMistake(c *code, err error) *Mistake {
	at, detail := 0, "as a shell script it does not parse"
	var parse syntax.ParseError
	var language syntax.LangError
	switch {
	case errors.As(err, &parse):
		at, detail = int(parse.Pos.Offset()), "a shell stops here: "+source.Printable(parse.Text)
	case errors.As(err, &language):
		at, detail = int(language.Pos.Offset()), "a shell stops here"
	}
	at = min(max(at, 0), len(c.text))
	return &Mistake{Kind: Unreadable, Place: c.span(at, at), Detail: detail, Loses: true}
}

// uncalled follows the functions that nothing calls.
func (f frame) uncalled() {
	var names []string
	for name := range f.funcs {
		if !f.called[name] {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return int(f.funcs[a].decl.Pos().Offset()) - int(f.funcs[b].decl.Pos().Offset())
	})
	for _, name := range names {
		if f.called[name] {
			continue
		}
		fn, s := f.funcs[name], f.fork()
		s.args, s.owner = nil, "the function "+name
		frame{f.shell, fn.code, s}.stmt(fn.decl.Body)
	}
}

var assigns = regexp.MustCompile(`(?m)^[ \t]*(?:(?:export|readonly|local|declare|typeset)[ \t]+(?:-\w+[ \t]+)*)?` +
	`[A-Za-z_]\w*\+?=[^\n]*`)

// fragments reads the commands of a text that does not parse as a whole, with the assignments before them.
func (f frame) fragments(found []region) {
	at := 0
	for _, r := range found {
		for _, line := range assigns.FindAllIndex(f.text[at:r.start], 2000) {
			f.fragment(at+line[0], at+line[1])
		}
		if !f.fragment(r.start, r.end) {
			f.fragment(r.start, f.shorter(r))
		}
		at = max(at, r.end)
	}
}

// shorter is the end of the region's first line, for a command whose rest does not parse.
func (f frame) shorter(r region) int {
	if i := bytes.IndexByte(f.text[r.start:r.end], '\n'); i >= 0 {
		return r.start + i
	}
	return r.end
}

func (f frame) fragment(from, to int) bool {
	c := &code{file: f.code.file, base: f.base + from, text: f.code.text[from:to]}
	tree, _ := parse(c)
	if tree == nil {
		return false
	}
	frame{f.shell, c, f.scope}.stmts(tree.Stmts)
	return true
}

var sentence = regexp.MustCompile(`(?m)^[ \t>*-]*(?:\d+\.[ \t]+)?[A-Z][a-z]+(?:,? [A-Za-z’'-]+){3,}[^=$;\n]*$|^[ \t]*` + "```")

// isProse tells whether a text is meant for people, or for another program, rather than for a shell.
func isProse(text []byte) bool {
	text = text[:min(len(text), maxParsed)]
	return sentence.Match(text) || otherForm.Match(text)
}

// otherForm matches what a YAML, JSON, HTML or Markdown document has, or a program in another language, and a script has
// not.
var otherForm = regexp.MustCompile(`\A\s*[{<]|(?m)^(?:---[ \t]*$|[a-z_-]+:(?:[ \t]*$|[ \t]+\S)|[ \t]*` + "```" +
	`|Vagrant\.configure|pipeline[ \t]*\{|node[ \t]*[({]|(?:resource|module|provider|data|job|variable)[ \t]+"` +
	`|import[ \t]+\w+|from[ \t]+[\w.]+[ \t]+import|require[ \t]+['"]|const[ \t]+\w|package[ \t]+\w+;?$)`)

// container makes a definition of a docker run, whatever it starts.
func (s *shell) container(file *source.File, c call) *Definition {
	d := &Definition{
		File: file, Place: c.place, Dialect: c.by.dialect, Service: c.by.service, Keeper: c.by.keeper, Sudo: c.sudo,
		States: Aspects{Image: true, Environment: true, Mounts: true},
	}
	if d.Place.File != nil {
		d.File = d.Place.File
	}
	r := &reader{d: d, sh: s, scope: c.scope}
	options := 1 + startsContainer(c.words[1:])
	r.words, d.Created = c.words[options:], c.words[options-1].value() == "create"
	if name := strings.TrimSuffix(strings.ToLower(path.Base(c.words[0].value())), ".exe"); dockerWord.MatchString(name) {
		d.Client = name
	}
	r.grammar = grammarOf(d.Client)
	r.read()
	return d
}

// definition makes a definition of a docker run, or nil if that starts no runner.
func (s *shell) definition(file *source.File, c call) *Definition {
	d := s.container(file, c)
	if !isRunner(d) {
		return nil
	}
	d.Mistakes = append(d.Mistakes, c.by.mistakes...)
	first := c.words[0].visible()[0]
	for _, region := range s.found {
		if at := first.written(); at.File == region.file && region.start <= at.Start && at.Start < region.end ||
			first.at[0].File == region.file && region.start == first.at[0].Start {
			d.Mistakes = append(d.Mistakes, region.mistakes...)
			break
		}
	}
	slices.SortStableFunc(d.Mistakes, func(a, b Mistake) int {
		if a.Place.File != b.Place.File {
			return 0
		}
		return a.Place.Start - b.Place.Start
	})
	for _, v := range d.Environment {
		hideVariable(v)
	}
	return d
}

// same tells whether two definitions say the same at the same place, as a function that is called twice does.
func (d *Definition) same(other *Definition) bool {
	return d.Place == other.Place && d.summary() == other.summary()
}

// summary is all that the definition says, without where that came from.
func (d *Definition) summary() string {
	var out strings.Builder
	texts := append([]Text{d.Image}, d.Arguments...)
	for _, v := range d.Environment {
		texts = append(texts, v.Name, v.Value)
	}
	for _, o := range d.Options {
		texts = append(texts, o.Name, o.Value)
	}
	for _, t := range texts {
		fmt.Fprintf(&out, "%q %q\n", t.Value, t.Unresolved)
	}
	return out.String()
}
