package checks

import (
	"io/fs"
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
		inputs[i] = runner.Input{
			Path: file.Path, Data: file.Data, PrintedBy: file.printedBy, Found: file.Folder != "", Open: openers[i].open,
		}
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

// openNamed reads a file that a definition names. Lint judges what was given: nothing beyond the current folder was.
func (b *builder) openNamed(name string) ([]byte, error) {
	if !b.Live && !b.below(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if text, read := b.opened.Load(name); read {
		return text.([]byte), nil
	}
	text, err := b.host.Files.ReadFile(name)
	if err == nil {
		b.opened.Store(name, text)
	}
	return text, err
}

// below tells whether a path stays below the current folder, or one that was named, so that lint may take the file
// for given.
func (b *builder) below(name string) bool {
	for _, folder := range b.Folders {
		if relative, err := filepath.Rel(folder.Path, name); err == nil && filepath.IsLocal(relative) {
			return true
		}
	}
	if relative, err := filepath.Rel(b.host.Folder, name); err == nil && b.host.Folder != "" && filepath.IsAbs(name) {
		name = relative
	}
	return filepath.IsLocal(name)
}
