package runner

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

var (
	// recipeForm matches a rule of a makefile with a line of its recipe.
	recipeForm   = regexp.MustCompile(`(?m)^[\w.%/$(){}-]+[ \t]*::?(?:[ \t][^=\n]*)?\r?\n(?:#[^\n]*\n|[ \t]*\r?\n)*\t[ \t]*\S`)
	makefileName = regexp.MustCompile(`(?i)makefile|\.mk$`)
	// makeVariable matches an assignment of a makefile. In group 1 is the name, in group 2 the value.
	makeVariable = regexp.MustCompile(`(?m)^ *(?:export[ \t]+|override[ \t]+)?([A-Za-z_]\w*)[ \t]*(?:\?|:{1,3}|\+)?=` +
		`[ \t]*(.*?)[ \t]*(?:[ \t]#.*)?\r?$`)
	makeExport  = regexp.MustCompile(`(?m)^export[ \t]*\r?$`)
	makeInclude = regexp.MustCompile(`(?m)^-?s?include[ \t]+([\w./-]+)[ \t]*\r?$`)
	makeUse     = regexp.MustCompile(`\$\(([A-Za-z_]\w*)\)`)
)

// makefile is what make runs: recipes, whose lines a shell gets once make has filled in its own variables.
type makefile struct{ *source.File }

func recogniseMakefile(file *source.File, in Input) document {
	if len(in.Data) > maxParsed || !innerDocker.Match(in.Data) || !recipeForm.Match(in.Data) {
		return nil
	}
	if !makefileName.MatchString(path.Base(file.Path)) && !bytes.Contains(in.Data, []byte("\n.PHONY:")) {
		return nil
	}
	return makefile{file}
}

func (m makefile) read(s *set) Reading {
	sh := newShell(s)
	sh.posix = true
	c := &code{file: m.File, text: made(clean(m.Text))}
	sh.found = regions(m.File, c.text)
	protect(c.text)
	scope := &scope{vars: map[string]binding{}, owner: "make"}
	scope.export = makeExport.Match(m.Text)
	for _, name := range makeInclude.FindAllSubmatch(m.Text, 8) {
		if file := sh.load(string(name[1])); file != nil {
			scope.made(file)
		} else {
			scope.elsewhere = string(name[1])
		}
	}
	scope.made(m.File)
	for _, r := range sh.found {
		frame{sh, c, scope}.fragment(r.start, r.end)
	}
	return Reading{
		Kind: "makefile", Definitions: sh.definitions(m.File), LookedFor: lookedFor,
		Passwords: loginPasswords(m.File),
	}
}

// made is a makefile as the shell gets it: a dollar sign that is written twice is one, and a variable of make's stands
// as one of the shell's.
func made(text []byte) []byte {
	for _, use := range makeUse.FindAllSubmatchIndex(text, -1) {
		if use[0] > 0 && text[use[0]-1] == '$' {
			continue
		}
		text[use[2]-1], text[use[3]] = '{', '}'
	}
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '$' && text[i+1] == '$' {
			text[i] = dropped
			i++
		}
	}
	return text
}

// made takes over what a makefile assigns. Where one that it uses is not plain, it is not known.
func (s *scope) made(file *source.File) {
	text := file.Text[:min(len(file.Text), maxParsed)]
	for _, found := range makeVariable.FindAllSubmatchIndex(text, maxSettings) {
		name, value := string(text[found[2]:found[3]]), string(text[found[4]:found[5]])
		b := binding{value: field{{text: value, at: []source.Span{file.At(found[4], found[5])}, verbatim: true}}}
		if strings.Contains(value, "$") {
			b.value[0].unresolved = name + " is computed by make"
		}
		exports := bytes.HasPrefix(bytes.TrimLeft(text[found[0]:found[1]], " "), []byte("export"))
		b.exported = exports
		s.set(name, b)
	}
}

// sortByPlace puts definitions of one file in the order in which they stand there.
func sortByPlace(definitions []*Definition) []*Definition {
	slices.SortStableFunc(definitions, func(a, b *Definition) int {
		x, y := a.Place.Outermost(), b.Place.Outermost()
		if x.File != y.File {
			return 0
		}
		return x.Start - y.Start
	})
	return definitions
}
