package checks

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"runner-preflight/checks/ignores"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// hostIgnores are the ignores of a host: those in the files that are judged, and those of the file for them.
type hostIgnores struct {
	all      []ignores.Ignore
	mistakes []ignores.Mistake
	// judged are the cleaned paths of the files that are judged.
	judged map[string]bool
	// checks are all that there are, problems the names of what they report.
	checks   []Check
	problems []string
}

func (i *hostIgnores) none() bool { return len(i.all) == 0 && len(i.mistakes) == 0 }

// IgnoreFile is the name of the file of ignores, in the current folder.
const IgnoreFile = ignores.FileName

// IgnoreSchema is the JSON Schema (draft 2020-12) of the file of ignores.
func IgnoreSchema() []byte { return ignores.Schema() }

// isIgnoreFile tells the file of ignores by its name: it is no definition, wherever it lies.
func isIgnoreFile(name string) bool { return filepath.Base(name) == IgnoreFile }

// readIgnores reads the ignores that apply to a host.
func readIgnores(h *Host, given []InputFile) hostIgnores {
	i := hostIgnores{judged: map[string]bool{}, checks: All()}
	for _, problem := range Problems(i.checks) {
		i.problems = append(i.problems, problem.ID)
	}
	i.readFile(h.Files)
	for _, file := range given {
		i.judged[h.cleanPath(file.Path)] = true
		if isIgnoreFile(file.Path) && h.cleanPath(file.Path) != IgnoreFile {
			i.unread(file.Path, "it is not read: only the one in the current folder is", "move its entries there")
		}
	}
	for _, r := range h.Runners {
		if r.Config != nil {
			i.judged[h.cleanPath(r.Config.Path)] = true
		}
	}
	i.readComments(h, given)
	return i
}

// readFile reads the file of ignores, if it is there. One of nearly that name, which nobody would ever read, is told.
func (i *hostIgnores) readFile(files Files) {
	data, err := files.ReadFile(IgnoreFile)
	switch {
	case err == nil:
		found, mistakes := ignores.ParseFile(IgnoreFile, data)
		i.all, i.mistakes = append(i.all, found...), append(i.mistakes, mistakes...)
		return
	case !errors.Is(err, fs.ErrNotExist):
		i.unread(IgnoreFile, "it cannot be read, so that nothing in it is ignored", "make it a file that this user may read")
		return
	}
	for _, other := range []string{".runner-preflight.yml", "runner-preflight.yaml", "runner-preflight.yml"} {
		if _, err := files.Stat(other); err == nil {
			i.unread(other, "it is not read: the file of ignores is called "+IgnoreFile, "rename it to "+IgnoreFile)
		}
	}
}

func (i *hostIgnores) unread(name, detail, hint string) {
	i.mistakes = append(i.mistakes, ignores.Mistake{Place: source.New(name, nil).Whole(), Detail: detail, Hint: hint})
}

// commented is a text that may have comments.
type commented struct {
	file     *source.File
	style    ignores.Style
	commands []source.Span
}

// readComments reads those of the definitions and of all files that they take values from.
func (i *hostIgnores) readComments(h *Host, given []InputFile) {
	data := map[string][]byte{}
	for _, file := range given {
		data[file.Path] = file.Data
	}
	var texts []*commented
	at := map[string]*commented{}
	add := func(file *source.File, style ignores.Style) *commented {
		if known := at[file.Path]; known != nil {
			return known
		}
		text := &commented{file: file, style: style}
		texts, at[file.Path] = append(texts, text), text
		return text
	}
	for _, reading := range h.Readings {
		if reading.Path == EnvironmentPath {
			continue
		}
		file := readFrom(reading)
		if file == nil {
			file = ignores.Alone(reading.Path, data[reading.Path])
		}
		text := add(file, commentStyle(reading.Path, reading.Kind))
		for _, d := range reading.Definitions {
			text.commands = append(text.commands, d.Place.Outermost())
			for _, other := range d.EnvFiles {
				if other.File != nil {
					add(other.File, ignores.EnvFile)
				}
			}
			for _, place := range placesOf(d) {
				if place = place.Outermost(); place.File != nil {
					add(place.File, commentStyle(place.File.Path, ""))
				}
			}
		}
	}
	for _, text := range texts {
		i.judged[h.cleanPath(text.file.Path)] = true
		found, mistakes := ignores.Comments(text.file, text.style, text.commands)
		i.all, i.mistakes = append(i.all, found...), append(i.mistakes, mistakes...)
	}
}

// readFrom is the text of a reading, in which its reader has hidden what is secret; nil when nothing leads to it.
func readFrom(reading FileReading) *source.File {
	for _, d := range reading.Definitions {
		if d.File != nil && d.File.Path == reading.Path {
			return d.File.Whole().Outermost().File
		}
	}
	for _, m := range reading.Mistakes {
		if m.Place.File != nil && m.Place.File.Path == reading.Path {
			return m.Place.Outermost().File
		}
	}
	return nil
}

// placesOf are the places of a definition's values: they may be in files that its own file reads.
func placesOf(d *runner.Definition) []source.Span {
	places := []source.Span{d.Image.Place}
	for _, v := range d.Environment {
		places = append(places, v.Value.Place)
	}
	for _, m := range d.Mounts {
		places = append(places, m.Source.Place, m.Target.Place)
	}
	for _, o := range d.Options {
		places = append(places, o.Value.Place)
	}
	return places
}

// commentStyle is how a file writes comments, by what it was read as and by its name.
func commentStyle(name, kind string) ignores.Style {
	switch {
	case strings.HasSuffix(kind, "env file"):
		return ignores.EnvFile
	case strings.Contains(kind, "systemd"), strings.Contains(kind, "Quadlet"):
		return ignores.Unit
	}
	for _, word := range []string{"compose", "Kubernetes", "pipelines", "YAML"} {
		if strings.Contains(kind, word) {
			return ignores.YAML
		}
	}
	if end := path.Ext(name); end == ".yml" || end == ".yaml" {
		return ignores.YAML
	}
	return ignores.Script
}

// cleanPath is a path as patterns are held against it: relative to the current folder where it is below it.
func (h *Host) cleanPath(name string) string {
	if path.IsAbs(name) && h.Folder != "" {
		if relative, err := filepath.Rel(h.Folder, name); err == nil && filepath.IsLocal(relative) {
			name = relative
		}
	}
	return path.Clean(name)
}
