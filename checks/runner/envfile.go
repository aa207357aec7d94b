package runner

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// maxEnvLine is the longest line that docker's reader of env files takes (the buffer of Go's bufio.Scanner).
const maxEnvLine = 64 << 10

// envFile reads a file of --env-file.
func (r *reader) envFile(value field) {
	read := EnvFile{Path: value.text()}
	defer func() { r.d.EnvFiles = append(r.d.EnvFiles, read) }()
	if read.Path.Unresolved == "" && read.Path.Home {
		read.Path.Unresolved = "it is in the home folder of who runs the command"
	}
	if read.Path.Unresolved != "" {
		return
	}
	if read.File, read.Err = r.sh.envFile(read.Path.Value); read.File == nil {
		return
	}
	variables, mistakes := envLines(read.File)
	r.files = append(r.files, variables...)
	r.d.Mistakes = append(r.d.Mistakes, mistakes...)
}

// envFile is the file of that path: as the script has written it, else as it is.
func (s *shell) envFile(name string) (*source.File, error) {
	if file := s.writtenAs(name); file != nil {
		return file, nil
	}
	data, err := s.around.open(name)
	if err != nil {
		return nil, err
	}
	file := s.files[name]
	if file == nil {
		file = source.New(name, data)
		hideSecrets(file)
		s.files[name] = file
	}
	return file, nil
}

// colonMistake is said once of a file.
const colonMistake = "docker's env files are written NAME=value, and not NAME: value"

// envLines reads an env file as docker does: no quotes, no expansion, no "export"; comments at the beginning of a
// line alone; what follows "=" is the value to its last blank. Source: docker's pkg/kvfile.
func envLines(file *source.File) ([]Variable, []Mistake) {
	var variables []Variable
	var mistakes []Mistake
	text := file.Text
	for start := 0; start < len(text); {
		end := len(text)
		if i := bytes.IndexByte(text[start:], '\n'); i >= 0 {
			end = start + i
		}
		v, m := envLine(file, start, end)
		same := func(other Mistake) bool { return other.Detail == m.Detail }
		if m != nil && !(m.Detail == colonMistake && slices.ContainsFunc(mistakes, same)) {
			mistakes = append(mistakes, *m)
		}
		if v != nil {
			variables = append(variables, *v)
		}
		start = end + 1
	}
	return variables, mistakes
}

// envLine reads one line, from byte start to byte end of the file.
func envLine(file *source.File, start, end int) (*Variable, *Mistake) {
	text := file.Text
	if end > start && text[end-1] == '\r' {
		end--
	}
	wrong := func(from, to int, detail string) *Mistake {
		return &Mistake{Kind: Unreadable, Place: file.At(from, to), Detail: detail, Loses: true}
	}
	switch {
	case end-start > maxEnvLine:
		return nil, wrong(start, start, "docker takes no line of an env file that is longer than 64 KiB")
	case !utf8.Valid(text[start:end]):
		return nil, wrong(start, end, "docker takes no env file with bytes that are not UTF-8")
	case start == 0:
		start += len(text[:end]) - len(bytes.TrimPrefix(text[:end], []byte("\ufeff")))
	}
	start += len(text[start:end]) - len(bytes.TrimLeftFunc(text[start:end], unicode.IsSpace))
	if start == end || text[start] == '#' {
		return nil, nil
	}
	v, yaml := envVariable(file, start, end)
	switch name := v.Name.Value; {
	case name == "":
		return nil, wrong(start, end, "a line of an env file begins with the name of a variable")
	case yaml:
		return v, wrong(start, start+len(name)+1, colonMistake)
	case strings.ContainsFunc(name, unicode.IsSpace):
		return recovered(v, name), wrong(start, start+len(name), "docker takes no blank in the name of a variable")
	}
	return v, nil
}

// envVariable reads NAME=value, NAME alone, or NAME: value, which is YAML's and no env file's.
func envVariable(file *source.File, start, end int) (v *Variable, yaml bool) {
	line := file.Text[start:end]
	name, _, valued := bytes.Cut(line, []byte("="))
	from := start + len(name) + 1
	if found := colon.Find(line); found != nil {
		name, valued, yaml = found[:len(found)-2], true, true
		from = end - len(bytes.TrimLeft(line[len(name)+1:], " \t"))
	}
	v = &Variable{
		FromFile: true, Place: file.At(start, end), NoValue: !valued,
		Name: Text{Value: string(name), Place: file.At(start, start+len(name))},
	}
	if valued {
		value := string(file.Text[from:end])
		v.Value = Text{Value: value, Place: file.At(from, end), Placeholder: placeholder(value)}
		return v, yaml
	}
	v.Value = Text{Place: v.Name.Place, Unresolved: fmt.Sprintf(
		"%s without a value is taken from the environment of docker", source.Printable(string(name)))}
	return v, yaml
}

// recovered is the variable that a name with a blank was meant for: behind "export", or before "=".
func recovered(v *Variable, name string) *Variable {
	place := v.Name.Place
	trimmed := strings.TrimRightFunc(name, unicode.IsSpace)
	if rest, ok := strings.CutPrefix(trimmed, "export"); ok && rest != strings.TrimLeftFunc(rest, unicode.IsSpace) {
		trimmed = strings.TrimLeftFunc(rest, unicode.IsSpace)
	}
	if strings.ContainsFunc(trimmed, unicode.IsSpace) {
		return nil
	}
	place.Start += strings.Index(name, trimmed)
	place.End = place.Start + len(trimmed)
	v.Name = Text{Value: trimmed, Place: place}
	return v
}
