package runner

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"runner-preflight/checks/source"
)

// Bounds on how much of a script is followed.
const (
	maxSteps  = 50_000
	maxNested = 12
	maxLoop   = 16
	maxCalls  = 200
)

// call is one docker run, with its words as docker gets them.
type call struct {
	words []field
	// place is from docker's own word to the last.
	place source.Span
	// scope holds the variables that docker sees in its own environment.
	scope *scope
	by    origin
	// sudo says that the words stand behind sudo.
	sudo bool
}

// shell follows a script as far as that is possible without running it.
type shell struct {
	// around are the files that are read together with this one.
	around *set
	files  map[string]*source.File
	// written are the files that the script writes, by the paths that it gives them, in their order.
	written []writtenFile
	posix   bool
	funcs   map[string]function
	// called are the names of the functions that were.
	called        map[string]bool
	calls         []call
	found         []region
	steps, nested int
	// by is how the commands are started that are followed now.
	by origin
}

// origin is how a command is started, other than by hand.
type origin struct {
	dialect  Dialect
	service  *Service
	keeper   Keeper
	mistakes []Mistake
}

func newShell(s *set) *shell {
	return &shell{
		around: s, files: map[string]*source.File{}, funcs: map[string]function{}, called: map[string]bool{},
	}
}

// code is a file as a shell reads it, with the form of its docker runs mended.
func (s *shell) code(file *source.File) *code {
	c := &code{file: file, text: clean(file.Text)}
	s.found = append(s.found, regions(file, c.text)...)
	protect(c.text)
	protectAssigned(c.text)
	return c
}

// regionsOf are the docker runs that were found in a file.
func (s *shell) regionsOf(file *source.File) []region {
	return slices.DeleteFunc(slices.Clone(s.found), func(r region) bool { return r.file != file })
}

type function struct {
	decl *syntax.FuncDecl
	code *code
}

// frame is one shell at work: on some code, with what it knows.
type frame struct {
	*shell
	*code
	*scope
}

func (f frame) with(s *scope) frame { f.scope = s; return f }

func (f frame) expander() *expander {
	return &expander{code: f.code, scope: f.scope, posix: f.posix}
}

func (f frame) stmts(list []*syntax.Stmt) {
	for _, s := range list {
		f.stmt(s)
	}
}

func (f frame) stmt(s *syntax.Stmt) {
	f.steps++
	if s == nil || s.Cmd == nil || f.steps > maxSteps || f.nested > maxNested {
		return
	}
	f.nested++
	defer func() { f.nested-- }()
	switch cmd := s.Cmd.(type) {
	case *syntax.CallExpr:
		f.simple(cmd, s.Redirs)
	case *syntax.DeclClause:
		f.declare(cmd)
	case *syntax.Block:
		f.stmts(cmd.Stmts)
	case *syntax.Subshell:
		f.with(f.fork()).stmts(cmd.Stmts)
	case *syntax.TimeClause:
		f.stmt(cmd.Stmt)
	case *syntax.CoprocClause:
		f.stmt(cmd.Stmt)
	case *syntax.BinaryCmd:
		f.binary(cmd)
	case *syntax.FuncDecl:
		if cmd.Name == nil {
			f.stmt(cmd.Body)
			return
		}
		f.funcs[cmd.Name.Value] = function{cmd, f.code}
	default:
		f.compound(s.Cmd)
	}
}

func (f frame) compound(cmd syntax.Command) {
	switch cmd := cmd.(type) {
	case *syntax.IfClause:
		f.conditional(cmd)
	case *syntax.WhileClause:
		f.stmts(cmd.Cond)
		body := f.fork()
		f.with(body).stmts(cmd.Do)
		f.merge([]*scope{body}, false)
	case *syntax.ForClause:
		f.loop(cmd)
	case *syntax.CaseClause:
		f.cases(cmd)
	}
}

// fork copies what is known, for a branch or a subshell.
func (f frame) fork() *scope {
	f.steps += len(f.vars) / 8
	return f.scope.clone()
}

func (f frame) binary(cmd *syntax.BinaryCmd) {
	switch cmd.Op {
	case syntax.AndStmt, syntax.OrStmt:
		f.stmt(cmd.X)
		branch := f.fork()
		f.with(branch).stmt(cmd.Y)
		f.merge([]*scope{branch}, false)
	default:
		f.with(f.fork()).stmt(cmd.X)
		f.with(f.fork()).stmt(cmd.Y)
		if y, ok := cmd.Y.Cmd.(*syntax.CallExpr); ok {
			f.hereDocs(f.with(f.fork()).fields(y.Args), cmd.X.Redirs)
		}
	}
}

func (f frame) conditional(cmd *syntax.IfClause) {
	var branches []*scope
	whole := false
	for ; cmd != nil; cmd = cmd.Else {
		f.stmts(cmd.Cond)
		branch := f.fork()
		f.with(branch).stmts(cmd.Then)
		branches = append(branches, branch)
		whole = len(cmd.Cond) == 0
	}
	f.merge(branches, whole)
}

func (f frame) cases(cmd *syntax.CaseClause) {
	var branches []*scope
	whole := false
	for _, item := range cmd.Items {
		branch := f.fork()
		f.with(branch).stmts(item.Stmts)
		branches = append(branches, branch)
		for _, pattern := range item.Patterns {
			whole = whole || pattern.Lit() == "*"
		}
	}
	f.merge(branches, whole)
}

// loop follows a loop over words that are known once for each of them.
func (f frame) loop(cmd *syntax.ForClause) {
	iter, ok := cmd.Loop.(*syntax.WordIter)
	if !ok || iter.Name == nil {
		f.with(f.fork()).stmts(cmd.Do)
		return
	}
	items := f.fields(iter.Items)
	if len(items) == 0 || len(items) > maxLoop {
		items = []field{nil}
	}
	for _, item := range items {
		name := iter.Name.Value
		if item == nil || item.unresolved() != "" {
			from, to := f.of(iter.Name)
			item = field{{
				text: "$" + name, at: []source.Span{f.span(from, to)},
				unresolved: "$" + name + " differs from round to round",
			}}
		}
		f.set(name, binding{value: item})
		f.stmts(cmd.Do)
	}
}

func (f frame) fields(words []*syntax.Word) []field {
	var out []field
	for _, w := range words {
		out = append(out, f.expander().word(w)...)
	}
	return out
}

// assign takes an assignment over into s.
func (f frame) assign(a *syntax.Assign, s *scope, export bool) {
	if a.Name == nil {
		return
	}
	name, b := a.Name.Value, binding{exported: export}
	_, end := f.of(a)
	b.line = f.span(end, end).Position().Line
	switch {
	case a.Naked:
		if old, ok := s.vars[name]; ok {
			old.exported = old.exported || export
			s.vars[name] = old
		} else if export {
			// Exported without a value: what the environment holds is passed on.
			return
		}
		return
	case a.Array != nil:
		b.array = []field{}
		if a.Append {
			b.array = append(b.array, s.vars[name].array...)
		}
		for _, element := range a.Array.Elems {
			if element.Value != nil && len(b.array) < maxPieces {
				b.array = append(b.array, f.expander().word(element.Value)...)
			}
		}
	default:
		b.value = f.expander().value(a.Value, end)
		if old := s.vars[name].value; a.Append && len(old)+len(b.value) < maxPieces && len(old.value()) < maxValue {
			b.value = slices.Concat(old, b.value)
		}
	}
	if a.Index == nil {
		s.set(name, b)
	}
}

func (f frame) declare(cmd *syntax.DeclClause) {
	export := cmd.Variant.Value == "export"
	for _, a := range cmd.Args {
		if a.Naked && a.Name == nil && a.Value != nil {
			flags := a.Value.Lit()
			export = export || strings.HasPrefix(flags, "-") && strings.Contains(flags, "x")
		}
		if a.Naked && a.Value != nil {
			f.imports([]*syntax.Word{a.Value})
		}
		f.substitutions(a)
		f.assign(a, f.scope, export)
	}
}

// substitutions follows what runs in $(…) and <(…) within a node.
func (f frame) substitutions(node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			f.with(f.fork()).stmts(n.Stmts)
			return false
		case *syntax.ProcSubst:
			f.with(f.fork()).stmts(n.Stmts)
			return false
		}
		return true
	})
}

func (f frame) simple(cmd *syntax.CallExpr, redirs []*syntax.Redirect) {
	f.substitutions(cmd)
	if len(cmd.Args) == 0 {
		for _, a := range cmd.Assigns {
			f.assign(a, f.scope, false)
		}
		return
	}
	words := f.fields(cmd.Args)
	if len(words) == 0 {
		return
	}
	inner := f
	if slices.ContainsFunc(cmd.Args, isPrinted) {
		inner = f.with(f.fork())
		inner.imports(cmd.Args)
	}
	if len(cmd.Assigns) > 0 {
		inner = f.with(f.fork())
		for _, a := range cmd.Assigns {
			f.assign(a, inner.scope, true)
		}
	}
	if f.builtin(words) {
		return
	}
	if fn, ok := f.funcs[words[0].value()]; ok {
		inner.invoke(words[0].value(), fn, words[1:])
		return
	}
	inner.writes(words, redirs)
	if inner.docker(words) {
		return
	}
	inner.innerShells(words)
	inner.hereDocs(words, redirs)
}

// builtin follows the builtins that change what is known.
func (f frame) builtin(words []field) bool {
	name := words[0].value()
	switch name {
	case "export", "readonly", "local", "declare", "typeset":
		f.assigned(words[1:], name == "export")
	case "set":
		f.options(words)
	case "unset":
		for _, w := range words[1:] {
			delete(f.vars, w.value())
		}
	case "read", "mapfile", "readarray", "getopts":
		f.input(words[1:])
	case "shift":
		f.shift(words[1:])
	case "source", ".":
		if len(words) > 1 {
			f.source(words[1])
		}
	default:
		return false
	}
	return true
}

// assigned sets variables, and exports those and others where that is what is said.
func (f frame) assigned(words []field, export bool) {
	for _, w := range words {
		if at := strings.IndexByte(w.shape(), '='); at > 0 {
			f.set(w.value()[:at], binding{value: w.slice(at+1, len(w.value())), exported: export})
		} else if b, ok := f.vars[w.value()]; ok && export {
			b.exported = true
			f.vars[w.value()] = b
		}
	}
}

// options follows set: whether all that is assigned is exported, and the positional parameters.
func (f frame) options(words []field) {
	for i := 1; i < len(words); i++ {
		switch v := words[i].value(); {
		case v == "-a" || v == "allexport" && words[i-1].value() == "-o":
			f.export = true
		case v == "+a" || v == "allexport" && words[i-1].value() == "+o":
			f.export = false
		case v == "--":
			f.args, f.owner = words[i+1:], "the script"
			return
		}
	}
}

// shift drops positional parameters: one, or as many as are said.
func (f frame) shift(words []field) {
	n := 1
	if len(words) > 0 {
		var err error
		if n, err = strconv.Atoi(words[0].value()); err != nil || n < 0 {
			f.args = nil
			return
		}
	}
	if f.args != nil {
		f.args = f.args[min(n, len(f.args)):]
	}
}

func (f frame) input(words []field) {
	for _, w := range words {
		if name := w.value(); syntax.ValidName(name) {
			f.vars[name] = binding{value: field{{text: "$" + name, at: w[:1][0].at, unresolved: name + " is read from input"}}}
		}
	}
}

// invoke follows a function's body with the arguments of a call.
func (f frame) invoke(name string, fn function, args []field) {
	f.called[name] = true
	if f.nested > maxNested/2 {
		return
	}
	before, owner := f.args, f.owner
	if args == nil {
		args = []field{}
	}
	f.args, f.owner = args, name
	frame{f.shell, fn.code, f.scope}.stmt(fn.decl.Body)
	f.args, f.owner = before, owner
}

// source follows a file that the script reads, if it is there.
func (f frame) source(name field) {
	path := name.value()
	if name.unresolved() != "" || name.text().Home || f.nested > maxNested/2 {
		return
	}
	file := f.load(path)
	if file == nil {
		f.elsewhere = path
		return
	}
	c := &code{file: file, text: slices.Clone(file.Text)}
	if tree, _ := parse(c); tree != nil {
		frame{f.shell, c, f.scope}.stmts(tree.Stmts)
	}
}

func (s *shell) load(path string) *source.File {
	if file, ok := s.files[path]; ok {
		return file
	}
	if file := s.writtenAs(path); file != nil {
		return file
	}
	var file *source.File
	if data, err := s.around.open(path); err == nil && len(data) <= maxParsed {
		file = source.New(path, data)
		hideSecrets(file)
	}
	s.files[path] = file
	return file
}

var (
	dockerWord  = regexp.MustCompile(`(?i)^(docker|podman|nerdctl)(\.exe)?$`)
	shellWord   = regexp.MustCompile(`^(bash|sh|dash|ash|ksh|zsh|su|runuser|ssh|sshpass|eval|tmux|screen|script|watch|machinectl)$`)
	innerDocker = regexp.MustCompile(`(?s)(docker|podman|nerdctl|DOCKER).*\b(run|create)\b`)
)

// speaks names the commands that print their arguments, or look for them.
const speaks = " echo printf cat grep egrep fgrep log info warn error test [ which type man alias print die " +
	"usage trap "

// docker finds a docker run among the words of a command, behind sudo, env, timeout and the like.
func (f frame) docker(words []field) bool {
	if first := path.Base(words[0].value()); strings.Contains(speaks, " "+first+" ") {
		return true
	}
	for i, w := range words {
		if !isDocker(w) {
			if at := strings.IndexByte(w.shape(), '='); at > 0 && i > 0 && syntax.ValidName(w.value()[:at]) {
				f.scope = f.fork()
				f.set(w.value()[:at], binding{value: w.slice(at+1, len(w.value())), exported: true})
			}
			continue
		}
		if startsContainer(words[i+1:]) >= 0 {
			f.record(words[i:], slices.ContainsFunc(words[:i], isSudo))
		}
		return true
	}
	return false
}

func isDocker(w field) bool {
	v := w.value()
	if w.unresolved() != "" {
		return strings.Contains(strings.ToLower(v), "docker") && !strings.ContainsAny(v, " =:\n")
	}
	return dockerWord.MatchString(path.Base(v))
}

func isSudo(w field) bool { return slices.Contains([]string{"sudo", "doas"}, path.Base(w.value())) }

func (f frame) record(words []field, sudo bool) {
	place, _ := slices.Concat(words...).place()
	if len(f.calls) < maxCalls {
		f.calls = append(f.calls, call{words: words, place: place, scope: f.fork(), by: f.by, sudo: sudo})
	}
}
