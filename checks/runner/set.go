package runner

import (
	"maps"
	"path"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"runner-preflight/checks/source"
)

// Input is one file to be read.
type Input struct {
	// Path is as the user gave it.
	Path string
	Data []byte
	// PrintedBy is the command that printed Data, for people; empty for a file.
	PrintedBy string
	// Found says that nobody named the file: it is one of a folder, and what others of the folder take from it is theirs.
	Found bool
	// Open reads the files that it names.
	Open Opener
}

// Opener reads a file that another one names, by the path as it is written there or, where that kind of file says so,
// relative to the folder of the file that names it.
type Opener func(path string) ([]byte, error)

// ReadAll reads files that belong together: a compose file and its override, a manifest and the Secret that it names.
// There is a reading for each, in the order of the files. It never fails: what is wrong is part of the answer.
// Files are read at the same time, but for those that look into each other.
func ReadAll(inputs []Input) []Reading {
	documents := make([]document, len(inputs))
	inParallel(len(inputs), func(i int) { documents[i] = recognise(inputs[i]) })
	readings, sets := make([]Reading, len(inputs)), make([]*set, len(inputs))
	bases := sync.OnceValue(func() map[composeBase]bool { return composeBases(inputs, documents) })
	read := func(i int) {
		sets[i] = &set{inputs: inputs, documents: documents, parts: map[string]bool{}, bases: bases}
		sets[i].open = sets[i].orGiven(inputs[i].Open)
		readings[i] = documents[i].read(sets[i])
		readings[i].filled(inputs[i].Path, inputs[i].Data)
	}
	inParallel(len(inputs), func(i int) {
		if _, looks := documents[i].(around); !looks {
			read(i)
		}
	})
	for i := range inputs {
		if sets[i] == nil {
			read(i)
		}
	}
	parts := map[string]bool{}
	for _, s := range sets {
		maps.Copy(parts, s.parts)
	}
	starts := startedIn(readings)
	for i, in := range inputs {
		readings[i].Part = parts[in.Path] || readings[i].startsOneOf(starts)
	}
	return readings
}

// around marks a document that looks into others of its set.
type around interface{ looksAround() }

// inParallel does something for each of so many, on all processors.
func inParallel(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// startsOneOf tells whether a file only starts what another one of the set defines: a container by its name, a compose
// file.
func (r Reading) startsOneOf(starts map[string]bool) bool {
	return r.Starts.Value != "" && starts[r.Starts.Value] || r.Runs.Value == aComposeFile && starts[aComposeFile]
}

// startedIn are the names of the containers that definitions make, and aComposeFile where one is a compose file's.
func startedIn(readings []Reading) map[string]bool {
	starts := map[string]bool{}
	for _, r := range readings {
		for _, d := range r.Definitions {
			starts[aComposeFile] = starts[aComposeFile] || d.Dialect == Compose
			for _, o := range d.Options {
				if o.Long == "name" {
					starts[o.Value.Value] = true
				}
			}
		}
	}
	return starts
}

// orGiven opens files, and takes one that cannot be opened where it stands from those that were given: an env file is
// then a part of the file that names it.
func (s *set) orGiven(open Opener) Opener {
	return func(name string) ([]byte, error) {
		data, err := open(name)
		for i := 0; err != nil && i < len(s.inputs); i++ {
			if in := s.inputs[i]; path.Clean(in.Path) == path.Clean(name) {
				_, variables := s.documents[i].(done)
				s.parts[in.Path] = s.parts[in.Path] || variables
				return in.Data, nil
			}
		}
		return data, err
	}
}

// Read reads one file that stands alone.
func Read(path string, data []byte, open Opener) Reading {
	return ReadAll([]Input{{Path: path, Data: data, Open: open}})[0]
}

// set is what is read together.
type set struct {
	open      Opener
	inputs    []Input
	documents []document
	// parts are the paths of files that another one names, and that were read there.
	parts map[string]bool
	// bases are the services of found files that other files extend.
	bases func() map[composeBase]bool
	// depth counts the files within files that are read now.
	depth int
}

// given is the file of the set that another one names by a path of the host that will run it: the one of that path, else
// the only one of that name.
func (s *set) given(name string) (Input, bool) {
	var found []Input
	for _, in := range s.inputs {
		switch {
		case path.Clean(in.Path) == path.Clean(name):
			return in, true
		case path.Base(in.Path) == path.Base(name):
			found = append(found, in)
		}
	}
	if len(found) != 1 {
		return Input{}, false
	}
	return found[0], true
}

// named is a file that another one names: of the set, else as it can be opened; nil when there is none, or it is too
// long for what it should be.
func (s *set) named(name string) *source.File {
	in, ok := s.given(name)
	if !ok {
		data, err := s.open(name)
		if err != nil {
			return nil
		}
		in = Input{Path: name, Data: data}
	}
	if len(in.Data) > maxParsed {
		return nil
	}
	file := source.New(in.Path, in.Data)
	hideSecrets(file)
	return file
}

// document is a file that was recognised, of which the others may still need something.
type document interface {
	// read makes the reading, when all documents of the set are known.
	read(s *set) Reading
}

// kind recognises files of one kind by their content; it returns nil for others.
type kind func(file *source.File, in Input) document

// kinds are the kinds of files, in the order in which they are tried.
func kinds() []kind {
	return []kind{
		recogniseUnreadable, recogniseUnit, recogniseMakefile, recogniseInspected, recogniseYAML, recogniseEnvFile,
	}
}

// recognise finds the kind of a file. What is nothing else may be a script, or a text with commands in it.
func recognise(in Input) document {
	file := source.New(in.Path, in.Data)
	file.PrintedBy = in.PrintedBy
	hideSecrets(file)
	return recogniseKind(file, in)
}

func recogniseKind(file *source.File, in Input) document {
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

func (c commands) read(s *set) Reading { return readShell(c.Path, c.File, s) }

// yamlKinds are the kinds of files that are written in YAML or JSON.
func yamlKinds() []func(yamlFile) document {
	return []func(yamlFile) document{recogniseCompose, recogniseKubernetes, recogniseYAMLCommands}
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
	return composeForm.Match(data) || manifestForm.Match(data) || IsJSONDefinition(data) ||
		mayHoldCommands(data)
}

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
