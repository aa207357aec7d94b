package checks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// isConfig tells a config.json from a runner definition: by how it begins, else by its name, since a file may be empty
// or hold something else entirely. Definitions may be JSON too.
func isConfig(file InputFile) bool {
	if file.Folder != "" {
		return dockerconfig.Recognise(file.Path, file.Data)
	}
	start := file.Data[:min(len(file.Data), 256)]
	start = bytes.Map(func(r rune) rune {
		if strings.ContainsRune("\x00 \t\r\n\ufeff\ufffd", r) { // UTF-16 without a reader's help, and its mark
			return -1
		}
		return r
	}, start)
	name := filepath.Base(file.Path)
	if arrayOrObject.Match(start) {
		named := strings.HasPrefix(name, configName) && !runner.IsInspected(file.Data)
		return named || !runner.IsJSONDefinition(file.Data) && !nixModule.Match(start)
	}
	return strings.HasPrefix(name, configName) || slices.Contains([]string{".dockerconfigjson", ".dockercfg"}, name)
}

// arrayOrObject matches the beginning of a JSON object, or of an array of them or of strings: the section of a systemd
// unit begins with a bracket too, a template with two braces.
var arrayOrObject = regexp.MustCompile(`^(\{([^{]|$)|\[[{"\]])`)

// nixModule matches the beginning of a NixOS module, without its blanks: { config, pkgs, ... }.
var nixModule = regexp.MustCompile(`^\{[a-z]\w*[,}?]`)

// readConfigs takes the config.json that --config names, else those among the files.
func (b *builder) readConfigs() error {
	for _, file := range b.Files {
		if isConfig(file) && !isIgnoreFile(file.Path) {
			b.configs = append(b.configs, &Config{
				Path: file.Path, Origin: ConfigFile,
				File: dockerconfig.Parse(file.Path, file.Data), folder: file.Folder,
			})
		}
	}
	if b.Config == "" {
		return nil
	}
	given := b.open(b.Config, ConfigFlag)
	if given.Err != nil && !errors.Is(given.Err, ErrIsDirectory) {
		return fmt.Errorf("--config: %w", given.Err)
	}
	b.configs = []*Config{given}
	return nil
}

// open reads the config.json at a path, or in the folder that the path names.
func (b *builder) open(name string, origin ConfigOrigin) *Config {
	info, err := b.host.Files.Stat(name)
	if err == nil && info.IsDir() && filepath.Base(name) != configName {
		name = filepath.Join(name, configName)
		info, err = b.host.Files.Stat(name)
	}
	if origin == ConfigUser && filepath.Base(name) != configName {
		name = filepath.Join(name, configName) // a folder that is not there is told by the file that is missed
		info, err = b.host.Files.Stat(name)
	}
	if errors.Is(err, syscall.ENOTDIR) { // a file stands in the place of its folder
		err = fs.ErrNotExist
	}
	c := &Config{Path: name, Origin: origin, Err: err}
	if err != nil {
		return c
	}
	c.Mode = info.Mode()
	if info.IsDir() {
		c.Err = ErrIsDirectory
		return c
	}
	data, err := b.host.Files.ReadFile(name)
	if err != nil {
		c.Err = err
		return c
	}
	c.File = dockerconfig.Parse(name, data)
	return c
}

// openOnce opens a path that several definitions may name. Under lint a file that is not there was not given.
func (b *builder) openOnce(name string, origin ConfigOrigin) *Config {
	if c, known := b.mounted[name]; known {
		return c
	}
	c := b.open(name, origin)
	if !b.Live && errors.Is(c.Err, fs.ErrNotExist) {
		c = nil
	}
	if b.mounted == nil {
		b.mounted = map[string]*Config{}
	}
	b.mounted[name] = c
	return c
}

// userConfig is the folder of this user's config.json.
func (b *builder) userConfig() string {
	if folder := b.Env("DOCKER_CONFIG"); folder != "" {
		return folder
	}
	return filepath.Join(b.Env("HOME"), ".docker")
}

// usersConfig is this user's config.json, for a runner that is not told of another one.
func (b *builder) usersConfig(r *Runner) *Config {
	if b.Env("DOCKER_CONFIG") != "" {
		return b.openOnce(b.userConfig(), ConfigUser)
	}
	return b.inHome(r, "/.docker", ConfigUser)
}

// projectedConfig is the config.json that a definition brings of itself, from a Secret; nil if it brings none, or its
// content is not given.
func (b *builder) projectedConfig(d *runner.Definition) *Config {
	wanted := path.Join(configFolderOf(d), configName)
	var meant *runner.Projected
	for _, m := range d.Mounts {
		for i, p := range m.Projected {
			switch {
			case p.File == nil:
			case p.Path == wanted:
				return b.embedded(p)
			case p.Key == ".dockerconfigjson" && meant == nil: // under another name, or elsewhere
				meant = &m.Projected[i]
			}
		}
	}
	if meant != nil {
		return b.embedded(*meant)
	}
	return nil
}

// embedded is a config.json that stands within another file. Two definitions may share it.
func (b *builder) embedded(p runner.Projected) *Config {
	file := p.File
	if b.within == nil {
		b.within = map[*source.File]*Config{}
	}
	if b.within[file] == nil {
		origin := ConfigSecret
		if p.Object == "" { // the file itself has the text, as the configs of compose may
			origin = ConfigMount
		}
		b.within[file] = &Config{
			Path: file.Path, Origin: origin, Object: p.Object, Key: p.Key, File: dockerconfig.ParseSource(file),
		}
	}
	return b.within[file]
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
	if b.Config != "" || len(b.beside) == 0 || d.File == nil || d.Dialect.OffHost() || b.relative(d, source) {
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
	case d.Dialect.OffHost(): // no user's files are there either
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

// holder is the folder for which a config.json stands there; .docker is what docker calls the file's own.
func (b *builder) holder(config string) string {
	folder := path.Dir(b.key(config))
	if path.Base(folder) == path.Base(configFolder) {
		folder = path.Dir(folder)
	}
	return folder
}

// mountedConfig is the host's path of what a definition mounts as the runner's config.json or its folder, "" if it
// mounts none. A mount at a wrong place counts when nothing stands at the right one: its content is judged too.
func mountedConfig(d *runner.Definition) string {
	folder, meant := configFolderOf(d), ""
	for _, m := range d.Mounts {
		source, target := m.Source.Value, path.Clean(m.Target.Value)
		switch base := path.Base(source); {
		case m.Volume || m.Source.Unresolved != "":
		case target == folder, target == path.Join(folder, configName):
			return source
		case base == configName, base == ".docker":
			meant = source
		}
	}
	return meant
}
