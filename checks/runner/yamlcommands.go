package runner

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// commandsForm matches what a YAML text has at the beginning of a line that holds commands: cloud-init, pipelines,
// playbooks.
var commandsForm = regexp.MustCompile(`(?m)^(?:\x{feff})?` +
	`(?:#cloud-config|---|-[ \t]+\w|["']?[A-Za-z_][\w.-]*["']?:(?:[ \t]|\r?$))`)

// mayHoldCommands tells whether a text may be YAML with commands in it, rather than a script or a page.
func mayHoldCommands(data []byte) bool {
	return len(data) <= maxParsed && !bytes.HasPrefix(data, []byte("#!")) && innerDocker.Match(data) &&
		(commandsForm.Match(data) || formOf(data) == speakingJSON) && !bytes.Contains(data, []byte("```"))
}

// yamlCommands is a YAML text whose values hold commands.
type yamlCommands struct{ yamlFile }

func recogniseYAMLCommands(y yamlFile) document {
	if y.mistake != nil || !mayHoldCommands(y.Text) {
		return nil
	}
	structured := func(n node) bool { return n.isMapping() || n.isSequence() }
	if len(y.documents) == 0 || !slices.ContainsFunc(y.documents, structured) {
		return nil
	}
	return yamlCommands{y}
}

func (y yamlCommands) read(s *set) Reading {
	r := &commandReader{set: s, shell: newShell(s)}
	for _, document := range y.documents {
		r.walk(document, "", 0)
	}
	reading := Reading{Kind: "text with commands", LookedFor: lookedFor, Passwords: loginPasswords(y.File)}
	definitions := slices.Concat(r.shell.definitions(y.File), r.shell.fromWritten(), r.found)
	for _, d := range definitions {
		d.filledIn()
	}
	reading.Definitions = sortByPlace(definitions)
	if len(definitions) == 0 {
		reading.Kind, reading.Unsupported = documentKind(y.Text, "text")
	}
	return reading
}

// commandReader reads the commands in the values of a YAML text.
type commandReader struct {
	*set
	shell *shell
	found []*Definition
	steps int
}

// walk looks for commands in a node and below it. Those of one list are run by one shell.
func (r *commandReader) walk(n node, name string, depth int) {
	r.steps++
	if depth > maxDepth || r.steps > maxSteps/8 {
		return
	}
	switch {
	case n.isMapping():
		name := n.at("path").scalar()
		for _, m := range n.members() {
			r.walk(m.value, name, depth+1)
		}
	case n.isSequence() && isArgv(n):
		r.argv(n)
	case n.isSequence():
		items := n.items()
		scope := &scope{vars: map[string]binding{}, owner: "the script"}
		commands := slices.ContainsFunc(items, func(item node) bool { return innerDocker.MatchString(item.scalar()) })
		for _, item := range items {
			if item.isScalar() && commands {
				r.script(item, name, scope)
			} else if !item.isScalar() {
				r.walk(item, name, depth+1)
			}
		}
	case innerDocker.MatchString(n.scalar()):
		r.script(n, name, &scope{vars: map[string]binding{}, owner: "the script"})
	}
}

// script follows a value: as a file of its own where it is one, else as commands.
func (r *commandReader) script(n node, name string, scope *scope) {
	file := n.embedded()
	if unitForm.Match(file.Text) || bytes.HasPrefix(file.Text, []byte("#!")) {
		r.found = append(r.found, r.within(file, name)...)
		return
	}
	top := frame{r.shell, r.shell.code(file), scope}
	if isProse(file.Text) {
		top.fragments(r.shell.regionsOf(file))
		return
	}
	top.whole()
}

// isArgv tells whether a list is one command, a word in each item: [sh, -c, "docker run …"].
func isArgv(n node) bool {
	items := n.items()
	programs := []string{"docker", "podman", "nerdctl", "sudo", "sh", "bash"}
	if len(items) < 2 || !slices.Contains(programs, path.Base(items[0].scalar())) {
		return false
	}
	return !slices.ContainsFunc(items, func(item node) bool { return !item.isScalar() })
}

// argv follows a list that is one command.
func (r *commandReader) argv(n node) {
	var words []field
	for _, item := range n.items() {
		words = append(words, item.field())
	}
	scope := &scope{vars: map[string]binding{}, owner: "the script"}
	top := frame{r.shell, &code{file: n.text.file}, scope}
	if top.docker(words) || !startsShell(words) {
		return
	}
	for i, w := range words[:len(words)-1] {
		if shellCommand.MatchString(w.value()) {
			file := embed(n.text.file, words[i+1])
			frame{r.shell, r.shell.code(file), scope}.whole()
			return
		}
	}
}

// filledIn takes the templates in a definition ({{ account }}, ${{ secrets.ID }}) for values that come from elsewhere:
// who runs the file fills them in.
func (d *Definition) filledIn() {
	d.eachText(func(t *Text) {
		if strings.HasPrefix(strings.TrimPrefix(t.Placeholder, "$"), "{{") {
			t.Placeholder, t.Unresolved = "", "a template fills it in before the command is run"
		}
	})
	d.Mistakes = slices.DeleteFunc(d.Mistakes, func(m Mistake) bool {
		return m.Kind == Placeholder && templateForm.MatchString(m.Place.Text())
	})
}

// eachText does something to each value of a definition.
func (d *Definition) eachText(do func(*Text)) {
	do(&d.Image)
	for i := range d.Environment {
		do(&d.Environment[i].Name)
		do(&d.Environment[i].Value)
	}
	for i := range d.Mounts {
		do(&d.Mounts[i].Source)
		do(&d.Mounts[i].Target)
	}
	for i := range d.Options {
		do(&d.Options[i].Value)
	}
	for i := range d.EnvFiles {
		do(&d.EnvFiles[i].Path)
	}
}

var templateForm = regexp.MustCompile(`^\$?\{\{`)
