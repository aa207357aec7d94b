package runner

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

const (
	composeKind      = "compose file"
	composeLookedFor = "a service whose image is bitbucket-pipelines-runner, or that sets ACCOUNT_UUID, RUNNER_UUID " +
		"or one of the images"
)

// composeFile is a file of docker compose. Source of all that is made of it: the Compose Specification, and
// what docker compose 2 does.
type composeFile struct {
	yamlFile
	// roots are the documents in it: compose merges them, one after another.
	roots []node
}

func (*composeFile) looksAround() {}

// composeOpening matches how a compose file begins that does not parse.
var composeOpening = regexp.MustCompile(`\A\x{feff}?(?:[ \t]*#[^\n]*\n|[ \t\r]*\n|---[^\n]*\n)*` +
	`["']?(?:version|name|services|include|volumes|networks|configs|secrets|x-[\w-]+)["']?[ \t]*:`)

// recogniseCompose tells a compose file by its services. One that does not parse is told by how it begins.
func recogniseCompose(y yamlFile) document {
	c := &composeFile{yamlFile: y}
	for _, document := range y.documents {
		if looksLikeCompose(document) {
			c.roots = append(c.roots, document)
		}
	}
	broken := y.mistake != nil && len(y.documents) == 0
	if c.roots == nil && !(broken && composeForm.Match(y.Text) && composeOpening.Match(y.Text)) {
		return nil
	}
	return c
}

// looksLikeCompose tells the services of compose from what other tools call so. Services that stand beside
// their key rather than below it count.
func looksLikeCompose(root node) bool {
	services := root.member("services")
	switch {
	case !services.key.ok():
		return false
	case services.value.isNull():
		return slices.ContainsFunc(root.members(), func(m member) bool { return looksLikeService(m.value) })
	case services.value.isSequence():
		return slices.ContainsFunc(services.value.items(), looksLikeServices)
	}
	return looksLikeServices(services.value)
}

func looksLikeServices(n node) bool {
	return slices.ContainsFunc(n.members(), func(m member) bool {
		return looksLikeService(m.value) || m.key.Value == "image" && m.value.isScalar()
	})
}

func looksLikeService(n node) bool {
	return slices.ContainsFunc(n.members(), func(m member) bool {
		return slices.Contains([]string{
			"image", "build", "environment", "env_file", "volumes", "volumes_from", "extends", "deploy",
			"mem_limit",
		}, m.key.Value)
	})
}

// composeProject is what compose makes one project of: a file with those that override it.
type composeProject struct {
	set   *set
	files []*composeFile
	// folder is the one to which relative paths belong.
	folder string
	values *composeValues
	// env is the .env, nil when there is none.
	env *EnvFile
	// beside are its variables.
	beside []Variable
	// envMistakes are those of .env.
	envMistakes []Mistake
	// include is how deep it is included by others.
	include int
	// left is how many entries may still be read: a few lines can ask for billions.
	left *int
	// listed are the services of documents.
	listed map[*yaml.Node]*composeServices
	// stray is what stands beside the services and belongs below.
	stray []Mistake
	// meant are the keys of services that were met, with what is meant by them.
	meant map[string]serviceKey
	// unfollowed are the files that could not be included.
	unfollowed []string
}

// keeper is a service as compose is given it. The project of one that is included is another file's.
func (p *composeProject) keeper(service node) Keeper {
	if p.include > 0 {
		return Keeper{}
	}
	k := Keeper{Name: service.Value}
	for _, file := range p.files {
		k.Files = append(k.Files, file.Path)
	}
	return k
}

// maxComposeEntries is more than anybody's services, variables and mounts together.
const maxComposeEntries = 50_000

// composeServices are the services of one document, by their keys.
type composeServices struct {
	keys  []node
	named map[string]member
	// extended are those that others extend in the same file, by their keys, with one of the others.
	extended map[string]string
}

// listedIn are the services of a document.
func (p *composeProject) listedIn(root node) *composeServices {
	if found := p.listed[root.Node]; found != nil {
		return found
	}
	found := &composeServices{named: map[string]member{}, extended: map[string]string{}}
	for _, m := range servicesOf(root) {
		if _, there := found.named[m.key.Value]; !there {
			found.keys = append(found.keys, m.key)
		}
		found.named[m.key.Value] = m
		if base := extendsHere(m.value); base != "" && base != m.key.Value {
			found.extended[base] = m.key.Value
		}
	}
	p.listed[root.Node] = found
	return found
}

// take tells whether one more entry may be read.
func (p *composeProject) take() bool {
	*p.left--
	return *p.left >= 0
}

// read reads a file with those that override it. One that overrides another is read there.
func (c *composeFile) read(s *set) Reading {
	reading := Reading{Kind: composeKind, LookedFor: composeLookedFor}
	reading.Mistakes = c.formMistakes()
	if base := overridden(s, c); base != nil {
		reading.Within = base.Path
		return reading
	}
	p := newComposeProject(s, c)
	for _, file := range p.files {
		if !given(s, file) {
			reading.Mistakes = append(reading.Mistakes, file.formMistakes()...)
		}
	}
	reading.Definitions = p.definitions()
	for _, name := range p.unfollowed {
		reading.LookedFor += "; " + notGiven("the included file", name)
	}
	return reading
}

// formMistakes are those for which compose refuses a file before it looks at what is in it.
func (c *composeFile) formMistakes() []Mistake {
	var mistakes []Mistake
	if c.mistake != nil {
		mistakes = append(mistakes, *c.mistake)
	}
	for _, root := range c.roots {
		mistakes = append(mistakes, repeatedKeys(root)...)
	}
	return mistakes
}

func given(s *set, file *composeFile) bool { return slices.Contains(others[*composeFile](s), file) }

// newComposeProject gathers what belongs to a file.
func newComposeProject(s *set, c *composeFile) *composeProject {
	p := &composeProject{set: s, files: []*composeFile{c}, folder: path.Dir(c.Path)}
	room, left := maxComposeValues, maxComposeEntries
	p.left, p.listed, p.meant = &left, map[*yaml.Node]*composeServices{}, map[string]serviceKey{}
	p.values = &composeValues{set: map[string]field{}, room: &room}
	for _, other := range others[*composeFile](s) {
		if other != c && overridden(s, other) == c {
			p.files = append(p.files, other)
		}
	}
	p.addBeside(c)
	p.readEnv()
	for _, file := range p.files {
		for _, root := range file.roots {
			p.stray = append(p.stray, strayKeys(root)...)
		}
	}
	return p
}

var (
	composeName  = regexp.MustCompile(`^(docker-)?compose\.ya?ml$`)
	overrideName = regexp.MustCompile(`^(docker-)?compose\.override\.ya?ml$`)
)

// overridden is the given file that another given one overrides: by its name, or as it has the same service
// without what a service needs to stand alone.
func overridden(s *set, c *composeFile) *composeFile {
	before := true
	for _, base := range others[*composeFile](s) {
		before = before && base != c
		if base == c || path.Dir(base.Path) != path.Dir(c.Path) {
			continue
		}
		if overridesByName(base, c) || before && overridesService(base, c) {
			return base
		}
	}
	return nil
}

func overridesByName(base, c *composeFile) bool {
	return composeName.MatchString(path.Base(base.Path)) && overrideName.MatchString(path.Base(c.Path))
}

// overridesService tells whether the services of a file are not whole without those of the same names in
// another.
func overridesService(base, c *composeFile) bool {
	shared := 0
	services := map[string]bool{}
	for _, root := range base.roots {
		for _, m := range root.at("services").members() {
			services[m.key.Value] = true
		}
	}
	for _, root := range c.roots {
		for _, m := range root.at("services").members() {
			whole := m.value.at("image").ok() || m.value.at("build").ok() || m.value.at("extends").ok()
			switch there := services[m.key.Value]; {
			case !there && !whole:
				return false
			case there && !whole:
				shared++
			}
		}
	}
	return shared > 0
}

// addBeside adds the file that compose takes up of itself with a file of one of its own names: the override
// of a base, or the base of an override that was given alone.
func (p *composeProject) addBeside(c *composeFile) {
	name := path.Base(c.Path)
	base, override := composeName.MatchString(name), overrideName.MatchString(name)
	if !base && !override || len(p.files) > 1 {
		return
	}
	for _, other := range []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"} {
		if base {
			extension := path.Ext(other)
			other = strings.TrimSuffix(other, extension) + ".override" + extension
		}
		file := p.set.composeFile(path.Join(p.folder, other))
		switch {
		case file == nil || given(p.set, file):
		case base:
			p.files = append(p.files, file)
			return
		default:
			p.files = []*composeFile{file, c}
			return
		}
	}
}

// composeFile opens a compose file, one that was given or one that is there.
func (s *set) composeFile(name string) *composeFile {
	for _, file := range others[*composeFile](s) {
		if path.Clean(file.Path) == path.Clean(name) {
			return file
		}
	}
	data, err := s.open(name)
	if err != nil {
		return nil
	}
	file := source.New(name, data)
	hideSecrets(file)
	documents, mistake := parseYAML(file)
	c, _ := recogniseCompose(yamlFile{file, documents, mistake}).(*composeFile)
	return c
}

// readEnv reads the .env of the project's folder.
func (p *composeProject) readEnv() {
	name := path.Join(p.folder, dotenvFile)
	data, err := p.set.open(name)
	if err != nil {
		return
	}
	file := source.New(name, data)
	hideSecrets(file)
	p.values.beside = true
	p.beside = readDotenv(file, p.values).variables
	p.envMistakes = p.values.mistakes
	p.env = &EnvFile{Path: Text{Value: name, Place: file.Whole()}, File: file}
}

// definitions are those of the project's runners, and of the projects that it includes.
func (p *composeProject) definitions() []*Definition {
	var services []*composeService
	byKey := map[string]*composeService{}
	for _, key := range p.services() {
		if !p.take() {
			break
		}
		s := p.service(key)
		services, byKey[key.Value] = append(services, s), s
	}
	for _, s := range services {
		s.share(byKey)
	}
	named := func(s *composeService) bool { return IsRunnerImage(s.d.Image.Value) }
	byImage := slices.ContainsFunc(services, named)
	var daemons []*composeService
	for _, s := range services {
		if len(daemons) < maxDaemons && s.isDaemon() {
			daemons = append(daemons, s)
		}
	}
	var definitions []*Definition
	for _, s := range services {
		if s.isRunner(byImage) {
			s.d.Daemon = s.daemon(daemons)
			definitions = append(definitions, s.finish())
		}
	}
	for _, file := range p.files {
		for _, root := range file.roots {
			definitions = append(definitions, p.included(root)...)
		}
	}
	return definitions
}

// maxDaemons is more than anybody has in one file.
const maxDaemons = 32

// services are the keys of all services, each as it is first written.
func (p *composeProject) services() []node {
	var keys []node
	known := map[string]bool{}
	for _, file := range p.files {
		for _, root := range file.roots {
			for _, key := range p.listedIn(root).keys {
				if key.isScalar() && !strings.HasPrefix(key.Value, "x-") && !known[key.Value] {
					known[key.Value] = true
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}

// servicesOf are the services of a document: also those that stand in a list, or beside their key.
func servicesOf(root node) []member {
	services := root.at("services")
	switch {
	case services.isMapping():
		return withoutStray(services.members())
	case services.isSequence():
		var found []member
		for _, item := range services.items() {
			found = append(found, item.members()...)
		}
		return found
	}
	var found []member
	for _, m := range root.members() {
		if looksLikeService(m.value) && !strings.HasPrefix(m.key.Value, "x-") {
			found = append(found, m)
		}
	}
	return found
}

// maxIncludes is how deep files may include each other.
const maxIncludes = 8

// included are the definitions of the files that a document includes, each a project of its own folder.
func (p *composeProject) included(root node) []*Definition {
	var definitions []*Definition
	for _, entry := range includedPaths(root.at("include")) {
		name := p.values.fill(entry.field(), noSecret).text()
		file := (*composeFile)(nil)
		local := name.Unresolved == "" && !strings.Contains(name.Value, "://")
		if local && p.include < maxIncludes {
			file = p.set.composeFile(p.path(name.Value))
		}
		switch {
		case file == nil:
			p.unfollowed = append(p.unfollowed, name.Value)
		case !given(p.set, file) && p.take():
			inner := newComposeProject(p.set, file)
			*p.left -= maxComposeEntries / 100
			inner.include, inner.left = p.include+1, p.left
			definitions = append(definitions, inner.definitions()...)
			p.unfollowed = append(p.unfollowed, inner.unfollowed...)
		}
	}
	return definitions
}

func includedPaths(include node) []node {
	switch {
	case include.isScalar():
		return []node{include}
	case include.isMapping():
		return includedPaths(include.at("path"))
	}
	var paths []node
	for _, item := range include.items() {
		if item.isSequence() {
			continue
		}
		paths = append(paths, includedPaths(item)...)
	}
	return paths
}

// path is a path as compose takes it: relative to the folder of the project.
func (p *composeProject) path(name string) string { return inFolder(p.folder, name) }

func inFolder(folder, name string) string {
	if path.IsAbs(name) || strings.HasPrefix(name, "~") {
		return name
	}
	return path.Join(folder, name)
}
