package runner

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// composeService is one service of a project while it is read.
type composeService struct {
	*composeProject
	key    node
	layers []composeLayer
	d      *Definition
	// own are the variables of environment, files those of the env files.
	own   []composeVariable
	files []Variable
	// extended says that another service extends this one, shared that it has the mounts of those that it
	// takes them from.
	extended, shared bool
}

// composeLayer is what one place says of a service: what it extends first, then the file, then what overrides
// that.
type composeLayer struct {
	folder string
	// keys are its entries, by the key that is meant.
	keys map[string]member
}

// service reads a service.
func (p *composeProject) service(key node) *composeService {
	d := &Definition{
		Place: key.place(), Dialect: Compose, States: Aspects{Image: true, Environment: true, Mounts: true},
	}
	d.File, d.Keeper = d.Place.File, p.keeper(key)
	s := &composeService{composeProject: p, key: key, d: d}
	s.extended = p.set.bases()[composeBase{path.Clean(d.File.Path), key.Value}]
	before := len(p.values.mistakes)
	for _, file := range p.files {
		for _, root := range file.roots {
			s.gather(file.roots, root, key.Value, p.folder, 0)
		}
	}
	s.image()
	s.environment()
	s.envFiles()
	s.volumes()
	s.projected("configs", "/")
	s.projected("secrets", "/run/secrets/")
	s.options()
	s.arguments()
	d.Mistakes = append(d.Mistakes, p.values.mistakes[before:]...)
	return s
}

// maxExtends is how many services may extend one another.
const maxExtends = 16

// gather adds the layers of a service in a document: those that it extends, and its own.
func (s *composeService) gather(roots []node, root node, name, folder string, depth int) {
	if !s.take() {
		return
	}
	services := s.listedIn(root)
	if by := services.extended[s.key.Value]; by != "" {
		s.extended = true
	}
	if m, there := services.named[name]; there {
		if extends := m.value.at("extends"); extends.ok() {
			s.extend(roots, extends, folder, depth)
		}
		s.layer(m.value, folder)
	}
}

// composeBase is a service, by the path of its file.
type composeBase struct{ path, service string }

// composeBases are the services of found files that services of other files extend. A path with variables in it is not
// followed.
func composeBases(inputs []Input, documents []document) map[composeBase]bool {
	found := map[string]bool{}
	for _, in := range inputs {
		found[path.Clean(in.Path)] = in.Found
	}
	bases := map[composeBase]bool{}
	for _, document := range documents {
		c, ok := document.(*composeFile)
		if !ok {
			continue
		}
		for _, root := range c.roots {
			for _, m := range servicesOf(root) {
				extends := m.value.at("extends")
				file := extends.at("file").scalar()
				at := path.Clean(inFolder(path.Dir(c.Path), file))
				if file != "" && found[at] && at != path.Clean(c.Path) {
					bases[composeBase{at, extends.at("service").scalar()}] = true
				}
			}
		}
	}
	return bases
}

// extendsHere is the service of the same file that one extends, "" if there is none.
func extendsHere(service node) string {
	extends := service.at("extends")
	if extends.isMapping() {
		if extends.at("file").ok() {
			return ""
		}
		return extends.at("service").scalar()
	}
	return extends.scalar()
}

// extend adds the layers of what a service extends.
func (s *composeService) extend(roots []node, extends node, folder string, depth int) {
	service, file := extends, node{}
	if extends.isMapping() {
		service, file = extends.at("service"), extends.at("file")
	}
	unknown := func(reason string) {
		place := extends.place()
		s.d.Unread = append(s.d.Unread, Text{Value: "extends", Place: place, Unresolved: reason})
	}
	if depth >= maxExtends {
		unknown("the services extend one another without end")
		return
	}
	if file.isScalar() {
		name := s.text(file).text()
		base := (*composeFile)(nil)
		if name.Unresolved == "" {
			base = s.set.composeFile(inFolder(folder, name.Value))
		}
		if base == nil {
			unknown(notGiven("the file that it extends,", name.Value) + ": what that sets is not known")
			return
		}
		roots, folder = base.roots, path.Dir(base.Path)
	}
	there := false
	for _, root := range roots {
		_, named := s.listedIn(root).named[service.scalar()]
		there = there || named
		s.gather(roots, root, service.scalar(), folder, depth+1)
	}
	if !there {
		s.mistake(service.place(), "there is no such service to extend, and compose refuses that")
	}
}

func (s *composeService) mistake(place source.Span, detail string) {
	s.d.Mistakes = append(s.d.Mistakes, Mistake{Kind: Unreadable, Place: place, Detail: detail, Loses: true})
}

// layer adds a layer. A key that compose does not know counts for the one that was probably meant.
func (s *composeService) layer(service node, folder string) {
	layer := composeLayer{folder: folder, keys: map[string]member{}}
	for _, m := range service.members() {
		key := s.keyFor(m.key.Value)
		switch {
		case strings.HasPrefix(m.key.Value, "x-") || !s.within(m.key):
			continue
		case !key.known && m.key.isScalar():
			s.d.Mistakes = append(s.d.Mistakes, strange(m.key, key.name))
		}
		if _, there := layer.keys[key.name]; key.known || !there {
			layer.keys[key.name] = m
		}
	}
	s.layers = append(s.layers, layer)
}

// last is what the last layer says that has a key.
func (s *composeService) last(key string) member {
	for _, layer := range slices.Backward(s.layers) {
		if m, there := layer.keys[key]; there {
			if m.value.Tag == "!reset" {
				break
			}
			return m
		}
	}
	return member{}
}

// all is what the layers say of a key, one after another, from the last on that resets what is before it.
func (s *composeService) all(key string) []composeLayer {
	var found []composeLayer
	for _, layer := range s.layers {
		m, there := layer.keys[key]
		switch {
		case !there:
			continue
		case m.value.Tag == "!reset":
			found = nil
			continue
		case m.value.Tag == "!override":
			found = nil
		}
		found = append(found, layer)
	}
	return found
}

// text is a scalar with its variables filled in; of anything else what it was probably meant to be, and a
// mistake. What is secret in a value begins at a byte of it.
func (s *composeService) text(n node) field { return s.value(n, noSecret) }

func (s *composeService) value(n node, secret int) field {
	switch {
	case !n.ok():
		return nil
	case n.isNull():
		at := n.start()
		return field{{at: []source.Span{n.text.file.At(at, at)}}}
	case n.isScalar():
		return s.values.fill(n.field(), secret)
	}
	place, braced := n.flow()
	if braced {
		written := field{{text: place.Text(), at: []source.Span{place}, verbatim: true}}
		if !strings.HasPrefix(place.Text(), "{{") {
			s.braces(place, secret != noSecret)
		}
		return written
	}
	at := n.start()
	s.mistake(n.text.file.At(at, at), "compose takes a text here, and no list and no mapping")
	return field{{at: []source.Span{n.text.file.At(at, at)}, unresolved: "it is no text"}}
}

// braces reports a value in braces, a UUID as a rule, of which YAML makes a mapping.
func (s *composeService) braces(place source.Span, secret bool) {
	m := Mistake{
		Kind: Unreadable, Place: place, Loses: true, Near: `"{…}" with the quotes`,
		Detail: "without quotes YAML makes a mapping of a value in braces, and compose refuses that",
	}
	if !secret {
		m.Near = `"` + source.Printable(place.Text()) + `"`
	}
	s.d.Mistakes = append(s.d.Mistakes, m)
}

// flow is the stretch of a mapping in braces that holds one word, as {word} or {{ word }}: what was meant for
// a text.
func (n node) flow() (source.Span, bool) {
	start := n.start()
	if !n.isMapping() || n.Style&yaml.FlowStyle == 0 || start >= len(n.text.file.Text) {
		return source.Span{}, false
	}
	if end := n.flowEnd(); end > 0 {
		return n.text.file.At(start, end), true
	}
	rest := string(n.text.file.Text[start:lineEnd(n.text.file.Text, start)])
	if i := strings.Index(rest, "}}"); strings.HasPrefix(rest, "{{") && i > 0 {
		return n.text.file.At(start, start+i+2), true
	}
	return source.Span{}, false
}

// flowEnd is where a mapping in braces that holds one word ends; 0 if it holds anything else.
func (n node) flowEnd() int {
	if !n.isMapping() || len(n.Content) != 2 || !(node{n.text, n.Content[1]}).isNull() {
		return 0
	}
	inner := node{n.text, n.Content[0]}
	end := inner.place().End
	if !inner.isScalar() {
		end = inner.flowEnd()
	}
	text := n.text.file.Text
	for end > 0 && end < len(text) && (text[end] == ' ' || text[end] == '\t') {
		end++
	}
	if end <= 0 || end >= len(text) || text[end] != '}' {
		return 0
	}
	return end + 1
}

func (s *composeService) image() {
	image := s.last("image")
	build := s.last("build")
	switch {
	case image.value.ok() && !image.value.isNull():
		s.d.Image = s.text(image.value).text()
	case !build.value.ok() && len(s.d.Unread) == 0:
		s.d.Mistakes = append(s.d.Mistakes, Mistake{
			Kind: ImageMissing, Place: s.d.Place, Loses: true,
			Detail: "the service names neither an image nor a build",
		})
	case build.value.ok():
		s.d.Image = Text{Place: build.key.place()}
	}
	if build.value.ok() && s.d.Image.Unresolved == "" {
		s.d.Image.Unresolved = "the image is built on the host (build)"
	}
}

// options are what else is said that docker has an option for.
func (s *composeService) options() {
	for _, known := range []struct{ key, long string }{
		{"container_name", "name"},
		{"privileged", "privileged"},
		{"network_mode", "network"},
		{"platform", "platform"},
		{"restart", "restart"},
		{"user", "user"},
		{"userns_mode", "userns"},
		{"runtime", "runtime"},
	} {
		if m := s.last(known.key); m.value.isScalar() {
			s.option(m.key, known.long, s.text(m.value))
		}
	}
	s.memory()
	if m := s.last("entrypoint"); m.value.ok() && !m.value.isNull() {
		s.option(m.key, "entrypoint", slices.Concat(s.words(m.value)...))
	}
	for _, key := range []string{"tmpfs", "security_opt", "group_add"} {
		for _, layer := range s.all(key) {
			m := layer.keys[key]
			for _, item := range envFileItems(m.value) {
				s.option(m.key, strings.ReplaceAll(key, "_", "-"), s.text(item))
			}
		}
	}
}

func (s *composeService) option(key node, long string, value field) {
	o := Option{Name: key.value(), Long: long, Place: key.place(), Known: true}
	if len(value) > 0 {
		o.Value = value.text()
		o.Place = o.Value.Place
	}
	s.d.Options = append(s.d.Options, o)
}

// arguments are those of command.
func (s *composeService) arguments() {
	command := s.last("command")
	for _, word := range s.words(command.value) {
		s.d.Arguments = append(s.d.Arguments, word.text())
	}
}

// maxArguments is more than any command has.
const maxArguments = 1000

// words are the words of a command: a list, or one text.
func (s *composeService) words(n node) []field {
	var words []field
	if n.isSequence() {
		for _, item := range n.items() {
			words = append(words, s.text(item))
		}
		return words
	}
	if !n.isScalar() || n.isNull() {
		return nil
	}
	f := s.text(n)
	c, value, start := newCutter(f), f.value(), -1
	quote := byte(0)
	for i := 0; i <= len(value) && len(words) < maxArguments; i++ {
		blank := i == len(value) || quote == 0 && strings.IndexByte(" \t\n", value[i]) >= 0
		switch {
		case blank && start >= 0:
			words, start = append(words, c.cut(start, i)), -1
		case blank:
		case quote != 0 && value[i] == quote:
			quote = 0
		case quote == 0 && (value[i] == '"' || value[i] == '\''):
			quote, start = value[i], max(start, min(i, len(value)))
		}
		if !blank && start < 0 {
			start = i
		}
	}
	return words
}

// isRunner tells whether the service is a runner. Where another one is by its image, the variables of a
// shared env file make none of this one.
func (s *composeService) isRunner(byImage bool) bool {
	s.d.Environment = nil
	for _, v := range s.own {
		s.d.Environment = append(s.d.Environment, v.Variable)
	}
	switch {
	case s.extended && !s.sets("RUNNER_UUID") && s.d.Complete():
		return false
	case IsRunnerImage(s.d.Image.Value):
		return true
	case looksLikeDaemon(s.d.Image.Value) && byImage:
		return false
	case len(s.d.Environment) > 0 && isRunner(s.d):
		return true
	case byImage:
		return false
	}
	s.d.Environment = append(slices.Clone(s.files), s.d.Environment...)
	unknown := s.d.Image.Unresolved != "" || s.d.Image.Value == ""
	called := strings.Contains(strings.ToLower(s.key.Value), "runner")
	return len(s.d.Environment) > 0 && isRunner(s.d) ||
		unknown && called && s.d.mounts("/var/run/docker.sock")
}

// sets tells whether a variable is set, by environment or an env file.
func (s *composeService) sets(name string) bool {
	return slices.ContainsFunc(s.own, func(v composeVariable) bool { return v.Name.Value == name }) ||
		slices.ContainsFunc(s.files, func(v Variable) bool { return v.Name.Value == name })
}

// finish makes the definition of a runner's service.
func (s *composeService) finish() *Definition {
	d := s.d
	d.Environment = slices.Clone(s.files)
	for _, v := range s.own {
		d.Environment = append(d.Environment, v.Variable)
		hidePieces(v.Variable, v.field)
	}
	for _, v := range s.files {
		hideVariable(v)
	}
	if s.env != nil && !slices.ContainsFunc(d.EnvFiles, func(e EnvFile) bool { return e.File == s.env.File }) {
		d.EnvFiles = append(d.EnvFiles, *s.env)
		d.Beside = s.beside
	}
	d.Mistakes = append(d.Mistakes, s.envMistakes...)
	d.Mistakes = append(d.Mistakes, s.stray...)
	slices.SortStableFunc(d.Mistakes, func(a, b Mistake) int {
		if a.Place.File != b.Place.File {
			return 0
		}
		return a.Place.Start - b.Place.Start
	})
	return d
}
