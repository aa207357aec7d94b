package checks

import (
	"regexp"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// inspectedKind begins the kind of a file that docker inspect printed, inspectCommand makes one.
const (
	inspectedKind  = "docker inspect output"
	inspectCommand = "docker inspect NAME > runner.json"
)

// alreadyMade tells whether a definition is a container that was made already: what it was told cannot be changed any more.
func alreadyMade(d *runner.Definition) bool { return d != nil && d.Dialect == runner.Inspected }

var (
	// optionHint matches a hint to write an option of docker run, which is group 1.
	optionHint = regexp.MustCompile(`^(?:write|(?:mount|set) it(?: read-only| under one path)?:) (-[ve] .*|--memory .*)$`)
	// variableHint matches a hint to write a variable, which is group 1.
	variableHint = regexp.MustCompile(`^(?:set it:|write(?: the tag:| it without them:| your own value there:)?) ([A-Z][A-Z_]+=.*)$`)
	// sameContainer matches hints after which the same container can stay: about files of the host, and about secrets.
	sameContainer = regexp.MustCompile(`\banew\b|^create |^keep what docker inspect prints`)
)

// anew returns the finding with a hint that fits a definition's kind: a container cannot be changed, and is made anew with
// other options. What was not found in it, as the image of a flag, is mended elsewhere.
func (f Finding) anew(d *runner.Definition) Finding {
	if !alreadyMade(d) || f.Status < Warn || f.Hint == "" || f.Location.File != d.File {
		return f
	}
	hint := strings.TrimSuffix(f.Hint, d.Dialect.WhereMounts())
	switch option, variable := optionHint.FindStringSubmatch(hint), variableHint.FindStringSubmatch(hint); {
	case option != nil:
		f.Hint = "make the container anew with " + option[1]
	case variable != nil:
		f.Hint = "make the container anew with -e " + variable[1]
	case !sameContainer.MatchString(f.Hint):
		f.Hint += ", and make the container anew"
	}
	return f
}

// definitionIn is the first definition that stands in a file; nil if none does.
func (h *Host) definitionIn(file *source.File) *runner.Definition {
	for _, r := range h.Runners {
		if r.Definition != nil && r.Definition.File == file && file != nil {
			return r.Definition
		}
	}
	return nil
}
