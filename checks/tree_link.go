package checks

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// each drops those files of folders that were named too, or are in several of the folders.
func (b *builder) each(files []InputFile) []InputFile {
	if len(b.Folders) == 0 {
		return files
	}
	seen := map[string]bool{}
	for _, file := range files {
		if file.Folder == "" {
			seen[b.key(file.Path)] = true
		}
	}
	var kept []InputFile
	for _, file := range files {
		key := b.key(file.Path)
		if file.Folder == "" || !seen[key] {
			kept = append(kept, file)
		}
		seen[key] = true
	}
	return kept
}

// key is the same for all paths of one file.
func (b *builder) key(name string) string {
	if key, known := b.keys.Load(name); known {
		return key.(string)
	}
	key, _ := b.host.canonical(name)
	b.keys.Store(name, key)
	return key
}

// linkedReading is what a file says of runners, with the keys of the file and of others in which it says that.
type linkedReading struct {
	FileReading
	key   string
	links []string
}

// readAll reads files together, as one may need another.
func (b *builder) readAll(files []InputFile) []linkedReading {
	openers := make([]opener, len(files))
	inputs := make([]runner.Input, len(files))
	for i, file := range files {
		openers[i] = opener{b, file, map[string]string{}}
		inputs[i] = runner.Input{Path: file.Path, Data: file.Data, Open: openers[i].open}
	}
	linked := make([]linkedReading, len(files))
	for i, reading := range runner.ReadAll(inputs) {
		linked[i] = b.link(files[i], reading, openers[i].places)
	}
	return linked
}

// opener opens the files that one file names, and remembers where they are.
type opener struct {
	*builder
	file   InputFile
	places map[string]string
}

// open looks for a file where docker would, from the current folder, then beside the file that names it, then, by an
// absolute path, in the folder that was named, which may be a picture of the runner's host.
func (o opener) open(name string) (text []byte, err error) {
	for _, at := range o.placesOf(o.file, name) {
		text, failure := o.openNamed(at)
		if failure == nil {
			o.places[name] = at
			return text, nil
		}
		if err == nil {
			err = failure
		}
	}
	return nil, err
}

// link says of a reading in which other files it says what it does.
func (b *builder) link(file InputFile, read runner.Reading, places map[string]string) linkedReading {
	reading := linkedReading{key: b.key(file.Path), FileReading: FileReading{Path: file.Path, Reading: read}}
	for _, text := range textsOf(reading.Definitions) {
		if at, known := places[text.Path]; known {
			text.Path = at
		}
	}
	if reading.Passed = passed(file, reading.Reading); reading.Passed != "" {
		return reading
	}
	for _, at := range places {
		if key := b.key(at); key != reading.key {
			reading.links = append(reading.links, key)
		}
	}
	return reading
}

// textsOf are the texts of env files and of scripts that are taken in, each once.
func textsOf(definitions []*runner.Definition) []*source.File {
	seen := map[*source.File]bool{nil: true}
	var texts []*source.File
	add := func(text *source.File) {
		if !seen[text] {
			seen[text] = true
			texts = append(texts, text)
		}
	}
	for _, d := range definitions {
		add(d.File)
		add(d.Image.Place.File)
		for _, file := range d.EnvFiles {
			add(file.File)
		}
		for _, v := range d.Environment {
			add(v.Value.Place.File)
		}
		for _, m := range d.Mounts {
			add(m.Source.Place.File)
		}
	}
	return texts
}

func (b *builder) placesOf(file InputFile, name string) []string {
	places := []string{name}
	switch {
	case strings.HasPrefix(file.Path, "<"):
	case !path.IsAbs(name):
		if beside := filepath.Join(filepath.Dir(file.Path), name); beside != filepath.Clean(name) {
			places = append(places, beside)
		}
	case file.Folder != "" && !b.Live:
		places = append(places, filepath.Join(file.Folder, name))
	}
	return places
}

// notRead is why nothing is known of a file of a kind from which runners are started.
const notRead = "it speaks of a runner, and runners are not read from "

// passed says why a file that was found in a folder is not judged though it speaks of runners; empty if it is judged,
// or does not matter.
func passed(file InputFile, reading runner.Reading) string {
	switch {
	case file.Folder == "":
		return ""
	case len(reading.Definitions) > 0:
		if form := reading.InPassing(file.Path, file.Data); form != "" {
			return form + " that shows how a runner is started: judged only if it is named"
		}
	case !runner.Mentions(file.Data):
	case reading.Unsupported:
		return notRead + article(reading.Kind)
	case reading.Broken(file.Path, file.Data):
		return "it speaks of a runner, and could not be followed: " + reading.Mistakes[0].Detail
	}
	return ""
}

// unlinked drops the files that belong to others, and those of folders that are no runner's. Of two that name each
// other the later one stays.
func (b *builder) unlinked(readings []linkedReading) []linkedReading {
	owners := map[string][]int{}
	for i, reading := range readings {
		for _, link := range reading.links {
			owners[link] = append(owners[link], i)
		}
	}
	found := map[string]bool{}
	for _, file := range b.Files {
		if file.Folder != "" {
			found[file.Path] = true
		}
	}
	dropped := make([]bool, len(readings))
	var kept []linkedReading
	for i, reading := range readings {
		var definitions []*runner.Definition
		for _, owner := range owners[reading.key] {
			if !dropped[owner] {
				definitions = append(definitions, readings[owner].Definitions...)
			}
		}
		dropped[i] = reading.Part || found[reading.Path] && len(reading.Definitions) == 0 && reading.Passed == "" ||
			len(definitions) > 0 && partOf(reading.Reading, definitions)
		if !dropped[i] {
			kept = append(kept, reading)
		}
	}
	return kept
}

// partOf tells whether a file says nothing that the definitions which name it do not say too: it holds variables
// alone, or commands that are among theirs.
func partOf(reading runner.Reading, owners []*runner.Definition) bool {
	for _, d := range reading.Definitions {
		if !d.States.Image {
			continue
		}
		same := func(owner *runner.Definition) bool {
			return owner.Place.Start == d.Place.Start && owner.Place.Text() == d.Place.Text()
		}
		if !slices.ContainsFunc(owners, same) {
			return false
		}
	}
	return true
}

// assignConfigs finds the config.json of each runner.
func (b *builder) assignConfigs() {
	b.standing, b.beside = map[string]*Config{}, map[string][]*Config{}
	for _, c := range b.configs {
		b.standing[b.key(c.Path)] = c
		if c.folder != "" {
			folder := b.holder(c.Path)
			b.beside[folder] = append(b.beside[folder], c)
		}
	}
	var guessed []*Runner
	sources := map[*Config][]string{}
	for _, r := range b.host.Runners {
		if r.Config = b.projectedConfig(r.Definition); r.Config != nil && b.Config == "" {
			continue
		}
		source := mountedConfig(r.Definition)
		if r.Config = b.mountedHere(r.Definition, source); r.Config != nil {
			continue
		}
		if r.Config = b.nearest(r.Definition, source); r.Config == nil {
			r.Config = b.configOf(r, source)
			continue
		}
		guessed = append(guessed, r)
		if source != "" {
			sources[r.Config] = appendNew(sources[r.Config], []string{source})
		}
	}
	for _, r := range guessed {
		if len(sources[r.Config]) > 1 { // it cannot be what all of them mount, and which it is is not known
			r.Config = b.configOf(r, mountedConfig(r.Definition))
		}
	}
}

// holder is the folder for which a config.json stands there; .docker is what docker calls the file's own.
func (b *builder) holder(config string) string {
	folder := path.Dir(b.key(config))
	if path.Base(folder) == path.Base(configFolder) {
		folder = path.Dir(folder)
	}
	return folder
}

// mountedHere is the given config.json that a definition mounts, itself or with its folder. With --config none is.
func (b *builder) mountedHere(d *runner.Definition, source string) *Config {
	if source == "" || b.Config != "" || len(b.configs) == 0 {
		return nil
	}
	at := func(place string) *Config {
		if c := b.standing[b.key(place)]; c != nil {
			return c
		}
		return b.standing[b.key(path.Join(place, configName))]
	}
	places := []string{source}
	if b.relative(d, source) {
		places = append(places, filepath.Join(filepath.Dir(d.File.Path), source))
	}
	for _, place := range places {
		if c := at(place); c != nil {
			return c
		}
	}
	if b.relative(d, source) {
		return nil
	}
	return b.pictured(source)
}

// pictured is the one config.json in a named folder that stands there as it does on the runner's host: with the whole
// path that is mounted, as far as that is known, at the end of its own.
func (b *builder) pictured(source string) *Config {
	end := path.Clean("/" + strings.TrimPrefix(source, homeSign(source)))
	if end == "/" || strings.Count(end, "/") < 2 && path.Base(end) != path.Base(configFolder) {
		return nil
	}
	var only *Config
	for _, c := range b.configs {
		key := b.key(c.Path)
		if c.folder == "" || !strings.HasSuffix(key, end) && !strings.HasSuffix(key, path.Join(end, configName)) {
			continue
		}
		if only != nil {
			return nil
		}
		only = c
	}
	return only
}

// nearest is the config.json that stands beside a definition, else in the next folder above that has one. A mount of a
// relative path says that it is another file, which was not given.
func (b *builder) nearest(d *runner.Definition, source string) *Config {
	onNode := d.Dialect == runner.Kubernetes // its paths are a node's, and what stands here is not there
	if b.Config != "" || len(b.beside) == 0 || d.File == nil || onNode || b.relative(d, source) {
		return nil
	}
	for folder := path.Dir(b.key(d.File.Path)); ; folder = path.Dir(folder) {
		if here := b.beside[folder]; len(here) > 0 {
			return theUsual(here)
		}
		if folder == "/" || folder == "." {
			return nil
		}
	}
}

// theUsual is the one of several config.json files in a folder that has the name which the runner looks for.
func theUsual(configs []*Config) *Config {
	if len(configs) == 1 {
		return configs[0]
	}
	var usual []*Config
	for _, c := range configs {
		if path.Base(filepath.ToSlash(c.Path)) == configName {
			usual = append(usual, c)
		}
	}
	if len(usual) == 1 {
		return usual[0]
	}
	return nil
}

// configOf is the config.json that a runner reads which mounts a source, if it is none of those that its own folders
// hold: the given one, else the one that it mounts, else, on the runner's host, this user's.
func (b *builder) configOf(r *Runner, source string) *Config {
	d := r.Definition
	named := slices.IndexFunc(b.configs, func(c *Config) bool { return c.folder == "" })
	if named >= 0 {
		return b.configs[named]
	}
	if beside := filepath.Join(filepath.Dir(d.File.Path), source); b.relative(d, source) && absent(b.host, source) &&
		!absent(b.host, beside) {
		source = beside
	}
	switch {
	case d.Dialect == runner.Kubernetes: // its paths are those of a node, and no user's files are there
		return nil
	case strings.HasPrefix(source, "~") && b.Env != nil:
		return b.inHome(r, source[1:], ConfigMount)
	case source != "" && (b.Live || b.below(source)):
		return b.openOnce(source, ConfigMount)
	case b.Live:
		return b.usersConfig(r)
	}
	return nil
}

// relative tells whether a definition's file says by its own place what a mount's source is.
func (b *builder) relative(d *runner.Definition, source string) bool {
	return source != "" && !path.IsAbs(source) && homeSign(source) == "" && d.File != nil && !strings.HasPrefix(d.File.Path, "<")
}
