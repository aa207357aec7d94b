package checks

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var definitionCommand = Check{
	Name:  "definition-command",
	Title: "The runner's definition says what was meant",
	Doc: "Reads the files as a shell, docker and the other tools do that start a runner from them, and looks for what makes the " +
		"command another one than was meant: lines that do not continue, options in the wrong place, an image that is missing " +
		"or not the vendor's. What a file takes from elsewhere is said, and not guessed.",
	Problems: []*Problem{
		definitionUnreadable, noDefinition, noRunner, unresolvedValue, brokenContinuation, imageMissing,
		optionAfterImage, unknownOption, unofficialRunnerImage, outdatedRunnerImage,
	},
	Run: func(_ context.Context, h *Host) []Finding {
		findings := judgeReadings(h)
		for _, r := range h.Runners {
			if r.Definition == nil {
				continue
			}
			found := judgeCommand(r)
			if worst(found) < Warn {
				found = append(found, Passed(r.Name, "was read to its end, and says what was meant"))
			}
			for _, f := range found {
				findings = append(findings, f.For(r.Name))
			}
		}
		if len(findings) == 0 {
			return []Finding{Skipped("definition", "no runner definition was given")}
		}
		return findings
	},
}

var definitionUnreadable = &Problem{
	ID:    "definition-unreadable",
	Title: "A runner definition cannot be parsed",
	Doc: "The file is not what it appears to be: a quote is never closed, a bracket is left open, an indentation does not fit. " +
		"Whatever starts the runner from it stops there too, or reads something else than was meant. The message says as what " +
		"the file was read and where that ended.",
	Source:   "the syntax of the format itself",
	Explains: []string{"no-runner", "env-missing", "image-missing"},
}

var noDefinition = &Problem{
	ID:    "no-definition",
	Title: "No runner definition was given",
	Doc: "Without a definition the vendor's default images and hosts are judged, with what the flags say. A runner that is " +
		"started with overrides needs others. Give the file that starts it: `runner-preflight check run.sh`.",
	Source: "what this tool can know",
}

var noRunner = &Problem{
	ID:    "no-runner",
	Title: "A file has no runner in it",
	Doc: "The file was read, but nothing in it starts a runner as far as this tool can tell, so that nothing about it was " +
		"established. Name the file that holds the `docker container run` command, or the variables of the runner.",
	Source: "what this tool can read",
}

var unresolvedValue = &Problem{
	ID:    "unresolved-value",
	Title: "A value comes from elsewhere",
	Doc: "A definition may take values from a script's arguments, the environment of the shell, or files that were not given. " +
		"Those are not guessed: what depends on them is skipped, and the report says so. Give the missing file, or set the " +
		"value in the definition, to have it judged.",
	Source: "what this tool can know",
}

var brokenContinuation = &Problem{
	ID:    "broken-continuation",
	Title: "A command line does not continue where it should",
	Doc: "A shell joins two lines only if the backslash is the very last character of the first. Behind a blank or a carriage " +
		"return it joins nothing: the command ends there, and what follows is run as commands of its own. Pasted into one line, " +
		"as from the documentation, each backslash makes an argument that begins with a blank, which docker takes for the " +
		"image. A comment between continued lines ends the command too. Let each backslash end its line.",
	Source: "POSIX shell command language, 2.2.1 and 2.3; the vendor's page shows its commands in one line",
}

var imageMissing = &Problem{
	ID:    "image-missing",
	Title: "The command names no image",
	Doc: "`docker container run` needs an image after its options: without one docker prints its usage, and no runner starts. " +
		"The private-registry examples of the vendor's documentation leave it out. Write the runner's image at the end.",
	Source: "docker container run --help; the vendor's page",
}

var optionAfterImage = &Problem{
	ID:    "option-after-image",
	Title: "An option stands behind the image",
	Doc: "Everything behind the image is handed to the program in the container. Docker never sees an option that stands " +
		"there: a `-v` mounts nothing, an `-e` sets nothing, `--restart` does not restart. Move it before the image.",
	Source:   "docker container run [OPTIONS] IMAGE [COMMAND] [ARG...]",
	Explains: []string{"env-missing", "docker-socket-unmounted", "containers-unmounted", "working-directory-unmounted", "config-unmounted"},
}

var unknownOption = &Problem{
	ID:    "unknown-option",
	Title: "Docker does not know an option",
	Doc: "`docker container run` stops at an option that it does not know, and no runner starts. A newer docker may know more " +
		"options than this tool does, therefore it only warns.",
	Source: "the reference of docker container run",
}

var unofficialRunnerImage = &Problem{
	ID:    "unofficial-runner-image",
	Title: "The runner's image is not where the vendor has it",
	Doc: "The vendor serves the runner as `docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner`, and " +
		"neither without `sox/` nor on Docker Hub. A mirror of your own is fine.",
	Source: "the vendor's documentation; that the image is nowhere else is inferred from it",
}

var outdatedRunnerImage = &Problem{
	ID:    "outdated-runner-image",
	Title: "The runner is pinned to its first major version",
	Doc: "Older pages of the documentation show the runner's image with the tag `:1`. Such a runner is years old: it lacks " +
		"what Bitbucket has changed since, and may not know today's image overrides.",
	Source: "the vendor's documentation, past and present; which version knows what is inferred",
}

// judgeReadings judges the files themselves.
func judgeReadings(h *Host) []Finding {
	var findings []Finding
	for _, reading := range h.Readings {
		for _, m := range reading.Mistakes {
			findings = append(findings, unreadableDefinition(reading.Path, reading.Kind, m))
		}
		if len(reading.Definitions) == 0 && len(reading.Mistakes) == 0 {
			findings = append(findings, lacksRunner(reading))
		}
	}
	if h.Live && len(h.Readings) == 0 && !anyDefinition(h) {
		findings = append(findings, Warned(noDefinition, "definition",
			"no runner definition was given: the vendor's defaults are judged, which may not be this runner",
			"name the file that starts the runner, as: runner-preflight check run.sh"))
	}
	return findings
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
	message := "cannot be read to its end: " + m.Detail
	if kind != "" {
		message = fmt.Sprintf("cannot be read as %s: %s", article(kind), m.Detail)
	}
	return Failed(definitionUnreadable, file, message, "mend the syntax at this place, then run this again").
		At(m.Place).Touching(Path(file))
}

func lacksRunner(reading FileReading) Finding {
	message := "has no runner in it"
	if reading.Kind != "" {
		message = fmt.Sprintf("was read as %s, and has no runner in it", article(reading.Kind))
	}
	if reading.LookedFor != "" {
		message += "; looked for " + reading.LookedFor
	}
	return Erred(noRunner, reading.Path, message, "give the file that starts the runner, with its docker container run").
		At(source.New(reading.Path, nil).Whole()).Touching(Path(reading.Path))
}

// article puts the indefinite article before a noun.
func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
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
			findings = append(findings, unreadableDefinition(r.Name, "", m))
		case runner.ImageMissing:
			findings = append(findings, lacksImage(r, m))
		case runner.OptionAfterImage:
			findings = append(findings, misplacedOption(r, m))
		case runner.UnknownOption:
			findings = append(findings, strangeOption(m))
		}
	}
	findings = append(findings, runnerImage(d)...)
	return append(findings, unresolved(d)...)
}

// brokenLines reports the backslashes that join no lines, one finding for a line of the file.
func brokenLines(r *Runner) []Finding {
	var findings []Finding
	count := map[int]int{}
	for _, m := range r.Definition.Mistakes {
		if m.Kind != runner.BrokenContinuation && m.Kind != runner.CarriageReturn {
			continue
		}
		line := m.Place.Position().Line
		if count[line]++; count[line] > 1 {
			last := &findings[len(findings)-1]
			last.Status = max(last.Status, continuationStatus(m))
			last.Evidence = []Evidence{{"places in this line", count[line]}}
			continue
		}
		findings = append(findings, brokenLine(r, m))
	}
	return findings
}

func continuationStatus(m runner.Mistake) Status {
	if m.Loses {
		return Fail
	}
	return Warn
}

func brokenLine(r *Runner, m runner.Mistake) Finding {
	hint := "let the backslash be the last character of its line, with nothing behind it"
	f := Failed(brokenContinuation, "\\", m.Detail, hint)
	if file := m.Place.File; file != nil {
		switch start, end := file.Line(m.Place.Position().Line); {
		case end < len(file.Text) && file.Text[end] == '\r':
			f.Hint = "turn the Windows line ends of the file into plain ones"
			f = f.Try(fmt.Sprintf(`sed -i 's/\r$//' %s`, shellWord(file.Path)))
		case strings.TrimLeft(string(file.Text[start:end]), " \t") != "" &&
			strings.HasPrefix(strings.TrimLeft(string(file.Text[start:end]), " \t"), "#"):
			f.Hint = "move the comment above the command"
		case !m.Loses:
			f.Hint = "take the backslash out: nothing follows it"
		}
	}
	return f.As(continuationStatus(m)).At(m.Place).On(r.Name).Touching(Path(r.Name))
}

func lacksImage(r *Runner, m runner.Mistake) Finding {
	image := defaultImages(RoleRunner)[0]
	return Failed(imageMissing, "image", "the command ends without an image: docker prints its usage and starts nothing",
		"write the runner's image at the end: "+image).At(m.Place).On(r.Name).Touching(Path(r.Name), Variable("image"))
}

func misplacedOption(r *Runner, m runner.Mistake) Finding {
	option := m.Place.Text()
	if first := strings.FieldsFunc(option, func(c rune) bool { return c == '=' || c == ' ' }); len(first) > 0 {
		option = first[0]
	}
	f := Failed(optionAfterImage, option, m.Detail, "move it before the image").At(m.Place).On(r.Name)
	return f.Touching(Path(r.Name))
}

func strangeOption(m runner.Mistake) Finding {
	option, _, _ := strings.Cut(m.Place.Text(), "=")
	hint := "look it up in: docker container run --help"
	if m.Near != "" {
		hint = "write " + m.Near
	}
	return Warned(unknownOption, option, m.Detail, hint).At(m.Place)
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
	var findings []Finding
	image := d.Image.Value
	host, repository, tag, _ := splitReference(image)
	place := func(f Finding) Finding { return f.At(d.Image.Place).Touching(Reference(image)) }
	name := path.Base(repository)
	if unofficial(host, repository) {
		findings = append(findings, place(Warned(unofficialRunnerImage, image, "the vendor serves no runner under this name",
			"write "+defaultImages(RoleRunner)[0])))
	}
	if name == runnerImageName && firstMajor.MatchString(tag) {
		findings = append(findings, place(Warned(outdatedRunnerImage, image, fmt.Sprintf("the tag %q is the runner's first major version, "+
			"which is no longer kept up", tag), "take the tag out, or write a current one: "+strings.TrimSuffix(image, ":"+tag))))
	}
	return findings
}

// unofficial tells whether an image looks like the vendor's runner but is not to be had there.
func unofficial(host, repository string) bool {
	switch name := path.Base(repository); {
	case host == "" || host == hubHost || host == hubKeyHost || host == "registry-1.docker.io":
		account, _, _ := strings.Cut(repository, "/")
		return (account == "atlassian" || account == "sox") && nearly(name, runnerImageName)
	case isVendorRegistry(host):
		return (host != vendorHost || repository != runnerImagePath) && nearly(name, runnerImageName)
	}
	return false
}

func nearly(name, right string) bool { return name == right || Nearest(name, []string{right}) != "" }

// unresolved lists the values that come from elsewhere.
func unresolved(d *runner.Definition) []Finding {
	var findings []Finding
	say := func(subject, reason string, place source.Span) {
		f := found(Skip, unresolvedValue, subject, reason, "").At(place)
		findings = append(findings, f)
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
			if text.Unresolved != "" {
				say("mount", text.Unresolved, text.Place)
			}
		}
	}
	for _, file := range d.EnvFiles {
		switch {
		case file.Path.Unresolved != "":
			say("env file", file.Path.Unresolved, file.Path.Place)
		case file.File == nil:
			say("env file", file.Path.Value+" was not given, or cannot be read: what it sets is not known", file.Path.Place)
		}
	}
	for _, text := range d.Unread {
		reason := text.Unresolved
		if reason == "" {
			reason = fmt.Sprintf("%q may hold any number of options", text.Value)
		}
		say("options", reason, text.Place)
	}
	return findings
}
