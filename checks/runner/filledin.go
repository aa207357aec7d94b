package runner

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// filled takes what the program that a file is for fills in for values that come from elsewhere: a template engine, just,
// the command line of Windows. What kind of file it is, its name tells.
func (r Reading) filled(name string, text []byte) {
	for _, d := range r.Definitions {
		switch {
		case isTemplate(name):
			d.filledIn()
		case isBatch(name, text):
			d.onWindows()
		}
	}
}

// isTemplate tells by its name a file in which {{ … }} is filled in before it is used.
func isTemplate(name string) bool {
	base := strings.ToLower(path.Base(name))
	return slices.Contains([]string{".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".gotmpl", ".just"}, path.Ext(base)) ||
		strings.TrimPrefix(base, ".") == "justfile"
}

// maxTemplate is more than what stands between the braces of a template, in bytes.
const maxTemplate = 200

// templateAt is how many bytes the template takes with which a text begins, {{ name }}, blanks included; 0 for none.
func templateAt(text string) int {
	if !strings.HasPrefix(text, "{{") {
		return 0
	}
	line, _, _ := strings.Cut(text[:min(len(text), maxTemplate)], "\n")
	if end := strings.Index(line, "}}"); end > 0 {
		return end + len("}}")
	}
	return 0
}

// isBatch tells a batch file of Windows.
func isBatch(name string, text []byte) bool {
	return slices.Contains([]string{".bat", ".cmd"}, strings.ToLower(path.Ext(name))) || echoOff.Match(text)
}

var (
	echoOff = regexp.MustCompile(`(?i)\A\s*@echo[ \t]+off\b`)
	// batchVariable matches a variable of cmd.exe: %NAME%, %1, %~dp0.
	batchVariable = regexp.MustCompile(`%(?:[A-Za-z_]\w*%|~?[a-z]*\d)`)
)

// onWindows takes the variables of cmd.exe for what they are; and a carriage return ends a line there.
func (d *Definition) onWindows() {
	d.Batch = true
	d.eachText(func(t *Text) {
		if t.Unresolved == "" && batchVariable.MatchString(t.Value) {
			t.Placeholder, t.Unresolved = "", batchVariable.FindString(t.Value)+" is filled in by the command line of Windows"
		}
	})
	d.Mistakes = slices.DeleteFunc(d.Mistakes, func(m Mistake) bool { return m.Kind == CarriageReturn })
}
