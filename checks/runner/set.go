package runner

import (
	"bytes"
	"path"
	"slices"

	"runner-preflight/checks/source"
)

// Input is one file to be read.
type Input struct {
	// Path is as the user gave it.
	Path string
	Data []byte
}

// Opener reads a file that another one names, by the path as it is written there or, where that kind of file says so,
// relative to the folder of the file that names it.
type Opener func(path string) ([]byte, error)

// ReadAll reads files that belong together: a compose file and its override, a manifest and the Secret that it names.
// There is a reading for each, in the order of the files. It never fails: what is wrong is part of the answer.
func ReadAll(inputs []Input, open Opener) []Reading {
	s := &set{open: givenFirst(inputs, open)}
	for _, in := range inputs {
		s.documents = append(s.documents, s.recognise(in))
	}
	readings := make([]Reading, 0, len(inputs))
	for _, document := range s.documents {
		readings = append(readings, document.read(s))
	}
	return readings
}

// givenFirst opens a file that was given, whether or not its folder may be looked into.
func givenFirst(inputs []Input, open Opener) Opener {
	return func(name string) ([]byte, error) {
		for _, in := range inputs {
			if path.Clean(in.Path) == path.Clean(name) {
				return in.Data, nil
			}
		}
		return open(name)
	}
}

// Read reads one file that stands alone.
func Read(path string, data []byte, open Opener) Reading {
	return ReadAll([]Input{{path, data}}, open)[0]
}

// set is what is read together.
type set struct {
	open      Opener
	documents []document
}

// document is a file that was recognised, of which the others may still need something.
type document interface {
	// read makes the reading, when all documents of the set are known.
	read(s *set) Reading
}

// kind recognises files of one kind by their content; it returns nil for others.
type kind func(file *source.File, in Input) document

// kinds are the kinds of files, in the order in which they are tried.
func kinds() []kind { return []kind{recogniseUnreadable, recogniseYAML, recogniseEnvFile} }

// recognise finds the kind of a file. What is nothing else may be a script, or a text with commands in it.
func (s *set) recognise(in Input) document {
	file := source.New(in.Path, in.Data)
	hideSecrets(file)
	for _, kind := range kinds() {
		if document := kind(file, in); document != nil {
			return document
		}
	}
	return commands{file}
}

// done is a document that was read when it was recognised.
type done struct{ Reading }

func (d done) read(*set) Reading { return d.Reading }

func recogniseUnreadable(file *source.File, in Input) document {
	kind := unreadable(in.Data)
	if kind == "" {
		return nil
	}
	mistake := Mistake{Kind: Unreadable, Place: file.Whole(), Detail: "it is " + kind, Loses: true}
	return done{Reading{Kind: kind, LookedFor: lookedFor, Mistakes: []Mistake{mistake}}}
}

func recogniseEnvFile(file *source.File, in Input) document {
	if !isEnvFile(in.Data) {
		return nil
	}
	return done{readEnvFile(file)}
}

// commands is a script, or any text in which commands stand.
type commands struct{ *source.File }

func (c commands) read(s *set) Reading { return readShell(c.Path, c.File, s.open) }

// yamlKinds are the kinds of files that are written in YAML or JSON.
func yamlKinds() []func(yamlFile) document {
	return []func(yamlFile) document{recogniseCompose, recogniseKubernetes, recogniseInspected}
}

// yamlFile is a text that is YAML, or JSON, up to the mistake.
type yamlFile struct {
	*source.File
	documents []node
	mistake   *Mistake
}

func recogniseYAML(file *source.File, in Input) document {
	if !mayBeYAML(in.Data) {
		return nil
	}
	documents, mistake := parseYAML(file)
	y := yamlFile{file, documents, mistake}
	for _, kind := range yamlKinds() {
		if document := kind(y); document != nil {
			return document
		}
	}
	return nil
}

// mayBeYAML tells whether a text is worth the YAML parser's time: it has the marks of one of the kinds.
func mayBeYAML(data []byte) bool {
	return composeForm.Match(data) || manifestForm.Match(data) || IsJSONDefinition(data)
}

func recogniseKubernetes(yamlFile) document { return nil }
func recogniseInspected(yamlFile) document  { return nil }

// others are the documents of one kind in the set, in the order of the files.
func others[D document](s *set) []D {
	var found []D
	for _, d := range s.documents {
		if of, ok := d.(D); ok {
			found = append(found, of)
		}
	}
	return slices.Clip(found)
}

// IsJSONDefinition tells a definition written in JSON from a config.json: what docker inspect, docker compose config
// --format json or kubectl -o json print. It looks at the names that every one of them has.
func IsJSONDefinition(data []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	has := func(name string) bool { return bytes.Contains(text, []byte(`"`+name+`"`)) }
	return has("apiVersion") && has("kind") || has("services") && has("image") || has("Config") && has("Image")
}
