package checks

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var definitionCommand = Check{
	Name:  "definition-command",
	Title: "The runner's definition says what was meant",
	Doc: "Reads the files as a shell, docker and the other tools do that start a runner from them, and " +
		"looks for what makes the command another one than was meant: lines that do not continue, options " +
		"in the wrong place, an image that is missing or not the vendor's. What a file takes from elsewhere " +
		"is said, and not guessed.",
	Problems: []*Problem{
		definitionUnreadable, noDefinition, noRunner, unresolvedValue, brokenContinuation, imageMissing,
		optionAfterImage, unknownOption, unknownKey, conflictingOptions, detachedService, ttyWithoutTerminal,
		unofficialRunnerImage, outdatedRunnerImage,
	},
	Run: func(_ context.Context, h *Host) []Finding {
		findings := judgeReadings(h)
		findings = append(findings, perRunner(h, func(r *Runner) []Finding {
			if r.Definition == nil {
				return nil
			}
			found := judgeCommand(r)
			if worst(found) < Warn && !cutShort(h, r.Definition) {
				found = append(found, Passed(r.Name, "the definition was read to its end, and says what was meant"))
			}
			return found
		})...)
		if len(findings) == 0 {
			return []Finding{Skipped("definition", "no runner definition was given")}
		}
		return findings
	},
}

var definitionUnreadable = &Problem{
	ID:    "definition-unreadable",
	Title: "A runner definition cannot be parsed",
	Doc: "The file is not what it appears to be: a quote is never closed, a bracket is left open, an " +
		"indentation does not fit. Whatever starts the runner from it stops there too, or reads something " +
		"else than was meant. The message says as what the file was read and where that ended. In YAML a value in " +
		"braces, as the UUIDs of a runner are, needs quotes: without them it is a mapping.",
	Source: "the syntax of the format itself",
	Explains: []string{
		"no-runner", "env-missing", "image-missing", "docker-socket-unmounted", "containers-unmounted",
		"working-directory-unmounted", "working-directory-mismatch", "config-mount-target",
	},
}

var noDefinition = &Problem{
	ID:    "no-definition",
	Title: "No runner definition was given",
	Doc: "Without a definition the vendor's default images and hosts are judged, with what the flags say. A " +
		"runner that is started with overrides needs others. Give the file that starts it: " +
		"`runner-preflight check run.sh`.",
	Source: "what this tool can know",
}

var noRunner = &Problem{
	ID:    "no-runner",
	Title: "A file has no runner in it",
	Doc: "The file was read, but nothing in it starts a runner as far as this tool can tell, so that " +
		"nothing about it was established. Name the file that holds the `docker container run` command, or " +
		"the variables of the runner.",
	Source: "what this tool can read",
}

var unresolvedValue = &Problem{
	ID:    "unresolved-value",
	Title: "A value comes from elsewhere",
	Doc: "A definition may take values from a script's arguments, the environment of the shell, or files " +
		"that were not given. Those are not guessed: what depends on them is skipped, and the report says " +
		"so. Give the missing file, or set the value in the definition, to have it judged.",
	Source: "what this tool can know",
}

var brokenContinuation = &Problem{
	ID:    "broken-continuation",
	Title: "A line of the command does not end as it should",
	Doc: "A shell joins two lines only if the backslash is the very last character of the first. Behind a " +
		"blank or a carriage return it joins nothing: the command ends there, and what follows is run as " +
		"commands of its own. Pasted into one line, as from the documentation, each backslash makes an " +
		"argument that begins with a blank, which docker takes for the image. A comment between continued " +
		"lines ends the command too. The carriage return of a Windows line end becomes part of the line's last " +
		"word. Let each backslash end its line, and save the file with plain line ends.",
	Source: "POSIX shell command language, 2.2.1 and 2.3; the vendor's page shows its commands in one line",
	Prints: []Print{
		{printsInvalidReference, 2},
		{printsUnknownFlag, 2},
		{printsNoImage, 2},
	},
}

var imageMissing = &Problem{
	ID:    "image-missing",
	Title: "The command names no image",
	Doc: "`docker container run` needs an image after its options: without one docker prints its usage, and " +
		"no runner starts. The private-registry examples of the vendor's documentation leave it out. Write " +
		"the runner's image at the end. A service of compose needs an `image`, or a `build`.",
	Source: "docker container run --help; the vendor's page",
	Prints: []Print{
		{printsNoImage, 1},
	},
}

var optionAfterImage = &Problem{
	ID:    "option-after-image",
	Title: "An option stands behind the image",
	Doc: "Everything behind the image is handed to the program in the container. Docker never sees an " +
		"option that stands there: a `-v` mounts nothing, an `-e` sets nothing, `--restart` does not " +
		"restart. Move it before the image.",
	Source: "docker container run [OPTIONS] IMAGE [COMMAND] [ARG...]",
	Explains: []string{
		"env-missing", "docker-socket-unmounted", "containers-unmounted",
		"working-directory-unmounted", "config-unmounted",
	},
}

var unknownOption = &Problem{
	ID:    "unknown-option",
	Title: "Docker does not know an option",
	Doc: "`docker container run` stops at an option that it does not know, and no runner starts. A newer " +
		"docker may know more options than this tool does, therefore it only warns.",
	Source: "the reference of docker container run",
	Prints: []Print{
		{printsUnknownFlag, 1},
	},
}

var unknownKey = &Problem{
	ID:    "unknown-key",
	Title: "A key of the definition is not known",
	Doc: "Compose refuses a file with a key that it does not know, and no runner starts: `volume` for `volumes`, " +
		"`env-file` for `env_file`. What stands under such a key is judged here as what was meant. A key near which " +
		"there is no other may be one of a newer compose than this tool knows, therefore it only warns; a key of your " +
		"own begins with `x-`.",
	Source: "the Compose Specification, and its JSON Schema",
}

var unofficialRunnerImage = &Problem{
	ID:    "unofficial-runner-image",
	Title: "The runner's image is not where the vendor has it",
	Doc: "The vendor serves the runner as " +
		"`docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner`, and neither " +
		"without `sox/` nor on Docker Hub. A mirror of your own is fine.",
	Source: "the vendor's documentation; that the image is nowhere else is inferred from it",
	Prints: []Print{
		{printsNoAccess, 6},
	},
}

var outdatedRunnerImage = &Problem{
	ID:    "outdated-runner-image",
	Title: "The runner is pinned to its first major version",
	Doc: "Older pages of the documentation show the runner's image with the tag `:1`. Such a runner is " +
		"years old: it lacks what Bitbucket has changed since, and may not know today's image overrides.",
	Source: "the vendor's documentation, past and present; which version knows what is inferred",
}

// judgeReadings judges the files themselves.
func judgeReadings(h *Host) []Finding {
	var findings []Finding
	for _, reading := range h.Readings {
		if reading.Passed != "" {
			findings = append(findings, Skipped(reading.Path, reading.Passed).At(source.New(reading.Path, nil).Whole()))
			continue
		}
		for _, m := range append(slices.Clone(reading.Mistakes), reading.Faults...) {
			if m.Kind == runner.Unreadable {
				findings = append(findings, unreadableDefinition(reading.Path, reading.Kind, m))
			}
		}
		bare := len(reading.Definitions)+len(reading.Mistakes)+len(reading.Configs) == 0
		if bare && !reading.Companion && reading.Within == "" {
			findings = append(findings, lacksRunner(reading))
		}
	}
	findings = append(findings, folderFindings(h)...)
	if h.Live && len(h.Readings)+len(h.Folders) == 0 && !anyDefinition(h) {
		findings = append(findings, undefined(h).Touching(daemonTouch(h)...))
	}
	return findings
}

// undefined is the finding where nothing is known of the runner. The daemon of a user, where it may run, is not asked unless
// it is named.
func undefined(h *Host) Finding {
	f := Warned(noDefinition, "definition",
		"no runner definition was given: the vendor's defaults are judged, which may not be this runner",
		"name the file that starts the runner, as: runner-preflight check run.sh")
	others := h.rootlessSockets()
	if len(others) == 0 {
		return f
	}
	f.Message += "; a rootless docker daemon that was not asked has its socket at " + listed(clipped(others))
	f.Hint += "; or have the rootless daemon asked"
	for _, socket := range others[:min(len(others), 3)] {
		f = f.Try(askedOf("unix://"+socket, "runner-preflight check"))
	}
	return f
}

// cutShort tells whether the file of a definition could not be read to its end.
func cutShort(h *Host, d *runner.Definition) bool {
	return slices.ContainsFunc(h.Readings, func(reading FileReading) bool {
		return len(reading.Mistakes) > 0 && slices.Contains(reading.Definitions, d)
	})
}

func anyDefinition(h *Host) bool {
	for _, r := range h.Runners {
		if r.Definition != nil {
			return true
		}
	}
	return false
}

func unreadableDefinition(file, kind string, m runner.Mistake) Finding {
	message := m.Detail
	if m.Place.Position().Line > 0 && kind != "" {
		message = fmt.Sprintf("read as %s: %s", article(kind), m.Detail)
	}
	f := Failed(definitionUnreadable, file, message, "mend the syntax at this place, then run this again").
		At(m.Place).Touching(Path(file))
	switch {
	case m.Near != "":
		f.Hint = "write " + m.Near
	case strings.HasPrefix(m.Place.Text(), "export"):
		f.Hint = "take \"export\" out: an env file is no script"
	case m.Place.Text() == "%":
		f.Hint = "write %% for the percent sign"
	case strings.HasSuffix(m.Place.Text(), ":"):
		f.Hint = "write an equals sign for each colon and the blank behind it"
	case strings.HasPrefix(kind, "UTF-16"):
		f.Hint = "save it as UTF-8, without a byte order mark"
		f = f.Try(fmt.Sprintf("iconv -f UTF-16 -t UTF-8 %[1]s > %[1]s.utf8", shellWord(file)))
	case strings.HasPrefix(m.Place.Text(), "{{"):
		f.Hint = "give what Helm makes of it"
		f = f.Try("helm template CHART -f VALUES.yaml | runner-preflight lint -")
	case strings.HasSuffix(m.Detail, "in quotes"):
		f.Hint = "write it in quotes"
	case strings.HasPrefix(kind, inspectedKind):
		f.Hint = "save the whole output anew, unchanged"
		f = f.Try(inspectCommand)
	case m.Place.Position().Line == 0:
		f.Hint = "give the file that starts the runner, with its docker container run"
	}
	return f
}

func lacksRunner(reading FileReading) Finding {
	message := fmt.Sprintf("it was read as %s, and has no runner in it", article(reading.Kind))
	switch {
	case reading.Unsupported:
		return unreadKind(reading)
	case reading.Starts.Value != "", reading.Runs.Value != "":
		return startedElsewhere(reading)
	case reading.Kind == "":
		message = "it is empty"
	}
	if reading.LookedFor != "" {
		message += "; looked for " + reading.LookedFor
	}
	hint := "give the file that starts the runner, with its docker container run, or its env file"
	if reading.Kind == "Kubernetes manifest" {
		hint = "give the manifest that has the runner's pod, with the Secrets and ConfigMaps that it names"
	}
	if strings.HasPrefix(reading.Kind, inspectedKind) {
		hint = "give what docker inspect prints of the runner's container: " + inspectCommand
	}
	if strings.HasPrefix(reading.LookedFor, "a service") {
		hint = "give the file that has the runner's service, with the files that it includes"
	}
	return Erred(noRunner, reading.Path, message, hint).
		At(source.New(reading.Path, nil).Whole()).Touching(Path(reading.Path))
}

// article puts the indefinite article before a noun.
func article(noun string) string {
	switch {
	case noun == "" || strings.HasPrefix(noun, "text") || strings.Contains(noun, " output"):
		return noun
	case strings.ContainsAny(noun[:1], "aeiouAEIOU"):
		return "an " + noun
	}
	return "a " + noun
}

// judgeCommand judges the form of one definition.
func judgeCommand(r *Runner) []Finding {
	d := r.Definition
	findings := brokenLines(r)
	for _, m := range d.Mistakes {
		switch m.Kind {
		case runner.Unreadable:
			findings = append(findings, unreadablePlace(r, m))
		case runner.ImageMissing:
			findings = append(findings, lacksImage(r, m))
		case runner.OptionAfterImage:
			findings = append(findings, misplacedOption(r, m))
		case runner.UnknownOption:
			findings = append(findings, strangeOption(m))
		case runner.UnknownKey:
			findings = append(findings, strangeKey(m))
		}
	}
	for _, f := range slices.Concat(conflicts(d), judgeService(d)) {
		findings = append(findings, f.On(r.Name).Touching(Path(r.Name)))
	}
	findings = append(findings, runnerImage(d)...)
	return append(findings, unresolvedValues(d)...)
}

// unreadablePlace reports what keeps a definition from being read, though what was meant is clear and judged too. Of a
// compose file each place is a mistake of its own; one in a mount may leave something unmounted.
func unreadablePlace(r *Runner, m runner.Mistake) Finding {
	d := r.Definition
	f := unreadableDefinition(r.Name, "", m)
	if d.Dialect != runner.Compose {
		return f
	}
	if m.Near == "" {
		f.Hint = "mend this place, until docker compose config -q is content with the file"
	}
	f = f.On(m.Place.Position().String())
	f.Touches = nil
	for _, mount := range d.Mounts {
		if mount.Place == m.Place {
			f = f.Touching(Variable(path.Clean(mount.Target.Value)), Variable(envWorkingDirectory))
		}
	}
	return f
}

// strangeKey reports a key that compose does not know: it refuses the file, unless it is newer than this tool.
func strangeKey(m runner.Mistake) Finding {
	key := source.Printable(m.Place.Text())
	if m.Near == "" {
		return Warned(unknownKey, key, key+": "+m.Detail, "take it out, or write x-"+key+" if it is a key of your own").At(m.Place)
	}
	return Failed(unknownKey, key, key+": "+m.Detail, "write "+m.Near).At(m.Place)
}

// brokenLines reports the backslashes that join no lines: one finding for a line of the file, and one for all
// of its Windows line ends.
func brokenLines(r *Runner) []Finding {
	var findings []Finding
	at := map[string]int{}
	for _, m := range r.Definition.Mistakes {
		if m.Kind != runner.BrokenContinuation && m.Kind != runner.CarriageReturn {
			continue
		}
		f, group := brokenLine(r, m)
		first, seen := at[group]
		if !seen {
			at[group] = len(findings)
			findings = append(findings, f)
			continue
		}
		findings[first].Status = max(findings[first].Status, f.Status)
	}
	return findings
}

// brokenLine reports one, and tells with which others it is one mistake.
func brokenLine(r *Runner, m runner.Mistake) (f Finding, group string) {
	f = Failed(brokenContinuation, "command", m.Detail,
		"let the backslash be the last character of its line, with nothing behind it")
	line, windows := lineAt(m.Place)
	group = strconv.Itoa(m.Place.Position().Line)
	switch {
	case windows:
		group = "windows"
		f.Hint = "turn the Windows line ends of the file into plain ones"
		f = f.Try(fmt.Sprintf(`sed -i 's/\r$//' %s`, shellWord(m.Place.File.Path)))
	case strings.HasPrefix(strings.TrimLeft(line, " \t"), "#"):
		f.Hint = "move the comment above the command"
	case m.Place.Text() == "/":
		f.Hint = "write a backslash for the slash"
	case m.Place.Start == m.Place.End:
		f.Hint = "end the line with a backslash"
	case !m.Loses:
		f.Hint = "take the backslash out: nothing follows it"
	case strings.Contains(m.Detail, "mid-line"):
		f.Hint = "begin a new line behind each backslash, or take the backslashes out"
	}
	if !m.Loses {
		f = f.As(Warn)
	}
	return f.At(m.Place).On(r.Name).Touching(Path(r.Name)), group
}

// lineAt is the line in which a place is, and whether it ends as on Windows.
func lineAt(place source.Span) (line string, windows bool) {
	place = place.Outermost()
	if place.File == nil || place.Start < 0 {
		return "", false
	}
	start, end := place.File.Line(place.Position().Line)
	text := place.File.Text
	return string(text[start:end]), end < len(text) && text[end] == '\r'
}

func lacksImage(r *Runner, m runner.Mistake) Finding {
	image := defaultImages(RoleRunner)[0]
	message, hint := m.Detail+": docker starts nothing", "write the runner's image at the end: "+image
	switch r.Definition.Dialect {
	case runner.Compose:
		hint = "name the runner's image: image: " + image
	case runner.Kubernetes:
		message, hint = m.Detail+": Kubernetes refuses it", "write image: "+image
	}
	return Failed(imageMissing, "image", message, hint).At(m.Place).On(r.Name).
		Touching(Path(r.Name), Variable("image"))
}

// misplacedOption reports an option behind the image, or the stray word that docker takes for the image. That
// may be anything, a secret too, and is not quoted.
func misplacedOption(r *Runner, m runner.Mistake) Finding {
	option, hint := "image", "join this word to what it belongs to: with = where it is the value of a variable "+
		"(-e NAME=VALUE), else without the blank, or both in quotes"
	if text := m.Place.Text(); strings.HasPrefix(text, "-") {
		option, hint = optionName(text), "move it before the image"
	}
	return Failed(optionAfterImage, option, m.Detail, hint).At(m.Place).On(r.Name).Touching(Path(r.Name))
}

// optionName is an option without its value, also where that follows the letter at once.
func optionName(text string) string {
	end := strings.IndexAny(text, "= \t\\\n\"")
	if end < 0 {
		end = len(text)
	}
	if !strings.HasPrefix(text, "--") {
		end = min(end, 2)
	}
	return text[:end]
}

func strangeOption(m runner.Mistake) Finding {
	option := m.Place.Text()
	hint := "look it up in: docker container run --help"
	if m.Near != "" {
		hint = "write " + m.Near
	}
	if !strings.HasPrefix(option, "-") && len(option) == 1 {
		option = "-" + option
	}
	return Warned(unknownOption, option, option+": "+m.Detail, hint).At(m.Place)
}

const (
	vendorHost      = "docker-public.packages.atlassian.com"
	runnerImageName = "bitbucket-pipelines-runner"
	runnerImagePath = "sox/atlassian/" + runnerImageName
)

// firstMajor matches the tags of the runner's first major version.
var firstMajor = regexp.MustCompile(`^v?1(\.\d+)*$`)

// runnerImage judges where the runner itself comes from.
func runnerImage(d *runner.Definition) []Finding {
	if d.Image.Unresolved != "" || d.Image.Value == "" {
		return nil
	}
	image := withoutReturn(d.Image.Value)
	host, repository, tag, _ := splitReference(image)
	place := func(f Finding) []Finding { return []Finding{f.At(d.Image.Place).Touching(Reference(image))} }
	switch {
	case malformedReference(image) != nil:
	case unofficial(host, repository):
		return place(Warned(unofficialRunnerImage, image,
			fmt.Sprintf("the vendor serves no runner under the name %s", image),
			"write "+defaultImages(RoleRunner)[0]))
	case path.Base(repository) == runnerImageName && firstMajor.MatchString(tag):
		return place(Warned(outdatedRunnerImage, image,
			fmt.Sprintf("the tag %q is the runner's first major version, which is no longer kept up", tag),
			"take the tag out, or write a current one: "+strings.TrimSuffix(image, ":"+tag)))
	}
	return nil
}

// unofficial tells whether an image looks like the vendor's runner but is not to be had there.
func unofficial(host, repository string) bool {
	repository = strings.ToLower(repository)
	switch name := path.Base(repository); {
	case host == "" || host == hubHost || host == "index.docker.io" || host == "registry-1.docker.io":
		account, _, nested := strings.Cut(repository, "/")
		return (!nested || account == "atlassian" || account == "sox") && nearly(name, runnerImageName)
	case isVendorRegistry(host), strings.HasSuffix(host, ".atlassian.com"):
		return (host != vendorHost || repository != runnerImagePath) && nearly(name, runnerImageName)
	}
	return false
}

func nearly(name, right string) bool { return name == right || Nearest(name, []string{right}) != "" }

// unresolvedValues lists the values that come from elsewhere.
func unresolvedValues(d *runner.Definition) []Finding {
	var findings []Finding
	say := func(subject, reason string, place source.Span) {
		findings = append(findings, unresolvedAt(subject, reason, place))
	}
	if d.Image.Unresolved != "" {
		say("image", d.Image.Unresolved, d.Image.Place)
	}
	for _, name := range knownVariables() {
		if v, set := effective(d, name); set && v.Value.Unresolved != "" {
			say(name, v.Value.Unresolved, v.Value.Place)
		}
	}
	for _, m := range d.Mounts {
		for _, text := range []runner.Text{m.Source, m.Target} {
			if text.Unresolved != "" && !d.Dialect.Inside() {
				say("mount", text.Unresolved, text.Place)
			}
		}
		if m.Unlisted != "" {
			say("mount", m.Unlisted, m.Place)
		}
	}
	findings = append(findings, unreadEnvFiles(d)...)
	for _, text := range d.Unread {
		reason := text.Unresolved
		if reason == "" {
			reason = fmt.Sprintf("%q may hold any number of options", text.Value)
		}
		subject := "options"
		if d.Dialect != runner.DockerRun {
			subject = "definition"
		}
		say(subject, reason, text.Place)
	}
	return findings
}

func unresolvedAt(subject, reason string, place source.Span) Finding {
	return found(Skip, unresolvedValue, subject, reason, "").At(place)
}

// unreadEnvFiles says which env files are not known, or were not read.
func unreadEnvFiles(d *runner.Definition) []Finding {
	var findings []Finding
	for _, file := range d.EnvFiles {
		name, reason := "env file", file.Path.Unresolved
		switch {
		case d.Dialect == runner.Kubernetes:
			name = "envFrom"
		case reason != "":
		case file.File == nil:
			reason = file.Path.Value + " was not given, or cannot be read: what it sets is not known"
		default:
			continue
		}
		findings = append(findings, unresolvedAt(name, reason, file.Path.Place))
	}
	return findings
}
