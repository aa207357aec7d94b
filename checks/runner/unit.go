package runner

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// unitFile is a systemd unit, a drop-in of one, or a file from which Quadlet makes one.
type unitFile struct {
	*source.File
	settings []setting
	name     unitName
}

const unitLookedFor = "an ExecStart with a docker run that starts bitbucket-pipelines-runner or sets ACCOUNT_UUID, " +
	"RUNNER_UUID or one of the images"

func recogniseUnit(file *source.File, in Input) document {
	if !unitForm.Match(in.Data[:min(len(in.Data), maxParsed)]) {
		return nil
	}
	return unitFile{file, readUnitLines(file), nameOf(file.Path, file.Text)}
}

func (u unitFile) read(s *set) Reading {
	r := &unitReader{set: s, unitFile: u, shell: newShell(s)}
	r.dropIns()
	r.whose()
	if len(r.list("Container", "Image")) > 0 {
		return r.quadlet()
	}
	r.environment()
	r.describe()
	for _, key := range []string{"ExecStartPre", "ExecStart", "ExecStartPost"} {
		for _, s := range r.list("Service", key) {
			r.commands(s)
		}
	}
	reading := Reading{Kind: "systemd unit", LookedFor: unitLookedFor, Passwords: loginPasswords(u.File)}
	reading.Definitions = r.shell.definitions(u.File)
	if len(reading.Definitions) == 0 {
		reading.Starts, reading.Runs = r.starts, r.runs
	} else {
		r.claim()
	}
	return reading
}

// unitReader reads a unit with its drop-ins.
type unitReader struct {
	unitFile
	set     *set
	shell   *shell
	scope   *scope
	service Service
	// named are the paths of the files that this one names.
	named []string
	// mistakes are those of the env files.
	mistakes []Mistake
	// starts is a container that was made elsewhere, runs a file from which the runner may come.
	starts, runs Text
}

// claim says that the files which this one names are parts of it.
func (r *unitReader) claim() {
	for _, name := range r.named {
		r.set.parts[name] = true
	}
}

// open reads a file that the unit names.
func (r *unitReader) open(name string) *source.File {
	file := r.set.named(name)
	if file != nil {
		r.named = append(r.named, file.Path)
	}
	return file
}

// dropIns adds the settings of the drop-ins: those of the set in the order of their names, else the one that systemctl
// edit writes.
func (r *unitReader) dropIns() {
	var found []unitFile
	for _, other := range others[unitFile](r.set) {
		if folder := path.Base(path.Dir(other.Path)); other.Path != r.Path && r.droppedInto(folder) {
			found = append(found, other)
		}
	}
	edited := path.Join(r.Path+".d", "override.conf")
	if len(found) == 0 && path.Base(r.Path) == r.name.name {
		if file := r.set.named(edited); file != nil && unitForm.Match(file.Text) {
			found = append(found, unitFile{File: file, settings: readUnitLines(file)})
		}
	}
	slices.SortStableFunc(found, func(a, b unitFile) int { return strings.Compare(path.Base(a.Path), path.Base(b.Path)) })
	for _, other := range found {
		r.settings = append(r.settings, other.settings...)
		r.named = append(r.named, other.Path)
	}
}

// droppedInto tells whether a folder holds drop-ins of this unit, or of the template that it was made from.
func (r *unitReader) droppedInto(folder string) bool {
	if r.name.name == "" || path.Base(r.Path) != r.name.name {
		return false
	}
	prefix, _, template := r.name.instance()
	return folder == r.name.name+".d" || template && folder == prefix+"@"+path.Ext(r.name.name)+".d"
}

// whose finds out whose manager runs the unit, if its path does not say.
func (r *unitReader) whose() {
	wanted := ""
	for _, s := range append(r.list("Install", "WantedBy"), r.list("Install", "RequiredBy")...) {
		wanted += string(s.value.text) + " "
	}
	switch {
	case r.name.user, r.name.system:
	case strings.Contains(wanted, "default.target"):
		r.name.user = true
	case strings.Contains(wanted, "multi-user.target"), strings.Contains(wanted, "graphical.target"), r.setting("User") != "":
		r.name.system = true
	}
}

// list are the settings of one key. An empty one takes back those before it.
func (r *unitReader) list(section, key string) []setting {
	var out []setting
	for _, s := range r.settings {
		switch {
		case s.section != section || s.key != key:
		case len(s.value.text) == 0:
			out = nil
		default:
			out = append(out, s)
		}
	}
	return out
}

// text is the last setting of one key, as it stands.
func (r *unitReader) text(key string) Text {
	all := r.list("Service", key)
	if len(all) == 0 {
		return Text{}
	}
	last := all[len(all)-1]
	return Text{Value: string(last.value.text), Place: last.place()}
}

func (r *unitReader) setting(key string) string { return r.text(key).Value }

// isYes tells whether a setting is what systemd takes for true.
func isYes(value string) bool {
	return slices.Contains([]string{"1", "yes", "y", "true", "t", "on"}, strings.ToLower(value))
}

// describe takes over what the unit says of its service. Source: systemd.service(5).
func (r *unitReader) describe() {
	r.service = Service{
		Type: r.text("Type"), Restart: r.text("Restart"), RemainAfterExit: isYes(r.setting("RemainAfterExit")),
		Terminal: strings.HasPrefix(r.setting("StandardInput"), "tty"),
	}
	if r.service.Type.Value == "" {
		r.service.Type.Value = "simple"
	}
	for _, key := range []string{"ExecStop", "ExecStopPost"} {
		for _, s := range r.list("Service", key) {
			if removes.Match(s.value.text) && r.service.Stops.Value == "" {
				r.service.Stops = Text{Value: key, Place: s.place()}
			}
		}
	}
}

// removes matches commands that end a container.
var removes = regexp.MustCompile(`(?:docker|podman|nerdctl)\s+(?:container\s+)?(?:stop|rm|kill)\b`)

// commands follows the commands of a setting.
func (r *unitReader) commands(s setting) {
	words, mistakes := r.name.words(s.value)
	for len(words) > 0 {
		n := slices.IndexFunc(words, isSeparator)
		command, rest := words, []field(nil)
		if n >= 0 {
			command, rest = words[:n], words[n+1:]
		}
		service := r.service
		service.Main = s.key == "ExecStart" && len(rest) == 0
		r.command(command, origin{
			service: &service, keeper: r.name.keeper(), mistakes: slices.Concat(r.mistakes, s.mistakes, mistakes),
		})
		words = rest
	}
}

// isSeparator tells whether a word is the semicolon between two commands.
func isSeparator(w field) bool { return w.value() == ";" && w[0].verbatim && w[0].quoting == Unquoted }

// command follows one command: docker itself, a shell, or a script.
func (r *unitReader) command(words []field, by origin) {
	if len(words) == 0 {
		return
	}
	first := words[0].value()
	program := strings.TrimLeft(first, "@-:+!|")
	signs := first[:len(first)-len(program)]
	words = slices.Clone(words)
	words[0] = words[0].slice(len(signs), len(first))
	if strings.Contains(signs, "@") && len(words) > 1 {
		words = slices.Delete(words, 1, 2)
	}
	if words[0] == nil {
		return
	}
	if !strings.Contains(signs, ":") {
		words = expandUnit(words, r.scope)
	}
	before := len(r.shell.calls)
	by.dialect = Unit
	r.shell.by = by
	top := frame{r.shell, &code{file: r.File}, r.scope.clone()}
	switch {
	case top.docker(words):
		r.elsewhere(words)
	case startsShell(words):
		r.inner(words, by)
	default:
		r.script(words, by)
	}
	if len(r.shell.calls) == before && r.runs.Value == "" && composeWord.MatchString(path.Base(program)) {
		r.runs = Text{Value: aComposeFile, Place: span(words[0])}
	}
}

// aComposeFile is what docker compose runs, whatever it is called.
const aComposeFile = "a compose file"

var composeWord = regexp.MustCompile(`^(?:docker|podman)-compose$`)

// elsewhere notes what a command of docker's starts that was made elsewhere: a container, or a compose project.
func (r *unitReader) elsewhere(words []field) {
	at := slices.IndexFunc(words, isDocker)
	if at < 0 {
		return
	}
	for i, w := range words[at+1:] {
		switch v := w.value(); {
		case v == "compose":
			r.runs = Text{Value: aComposeFile, Place: span(w)}
			return
		case v == "start" && at+1+i+1 < len(words):
			r.starts = words[len(words)-1].text()
			return
		case v != "container" && !strings.HasPrefix(v, "-"):
			return
		}
	}
}

// inner follows the command that a shell is handed with -c, or the script that it is given.
func (r *unitReader) inner(words []field, by origin) {
	by.dialect = DockerRun
	for i, w := range words[1:] {
		v := w.value()
		switch {
		case shellCommand.MatchString(v) && i+2 < len(words):
			r.shell.posix = posixName.MatchString(path.Base(words[0].value()))
			r.follow(embed(words[i+2][0].at[0].File, words[i+2]), by, nil)
			return
		case shellWord.MatchString(path.Base(v)), strings.HasPrefix(v, "-"):
		case i == 0 || shellWord.MatchString(path.Base(words[i].value())) || strings.HasPrefix(words[i].value(), "-"):
			r.script(words[i+1:], by)
			return
		}
	}
}

var (
	shellCommand = regexp.MustCompile(`^-[a-z]*c$`)
	posixName    = regexp.MustCompile(`^(?:sh|dash|ash)$`)
)

// follow follows a script with what the unit's environment sets. A docker run is the service's own if it is the last
// thing in it.
func (r *unitReader) follow(file *source.File, by origin, args []field) {
	before := len(r.shell.calls)
	scope := r.scope.clone()
	scope.args, scope.owner = args, "the script"
	by.dialect = DockerRun
	r.shell.by = by
	frame{r.shell, r.shell.code(file), scope}.whole()
	for i := range r.shell.calls[before:] {
		c := &r.shell.calls[before+i]
		rest := ""
		if c.place.File == file {
			rest = string(file.Text[c.place.End:])
		}
		service := *by.service
		service.Main = by.service.Main && c.place.File == file && strings.Trim(rest, " \t\r\n\"'") == ""
		c.by.service = &service
	}
}

// script follows the script that a command runs, if it is there.
func (r *unitReader) script(words []field, by origin) {
	name := words[0].value()
	if !strings.Contains(name, "/") || systemFolder.MatchString(name) || words[0].unresolved() != "" {
		return
	}
	before := len(r.shell.calls)
	file := r.set.named(name)
	if file != nil && unreadable(file.Text) == "" {
		r.shell.posix = posixShebang.Match(file.Text)
		r.follow(file, by, words[1:])
	}
	switch {
	case file == nil:
		r.runs = words[0].text()
	case len(r.shell.calls) > before:
		r.named = append(r.named, file.Path)
	}
}

// systemFolder matches the paths of programs that come with the system.
var systemFolder = regexp.MustCompile(`^/(?:usr/)?s?bin/`)
