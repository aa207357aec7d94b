package checks

import (
	"fmt"
	"strings"

	"runner-preflight/checks/runner"
)

// unexpandedHome tells whether a text begins with a sign for the home folder that nothing replaces.
func unexpandedHome(t runner.Text) bool {
	return !t.Home && t.Unresolved == "" && homeSign(t.Value) != ""
}

func homeSign(value string) string {
	for _, sign := range []string{"~", "${HOME}", "$HOME"} {
		if rest, found := strings.CutPrefix(value, sign); found && (rest == "" || rest[0] == '/' || sign == "~") {
			return sign
		}
	}
	return ""
}

func unexpandedHomes(r *Runner) []Finding {
	var findings []Finding
	for _, m := range r.Definition.Mounts {
		text := m.Source
		if !unexpandedHome(text) {
			if text = m.Target; !unexpandedHome(text) || isConfigMount(m) {
				continue
			}
		}
		message, hint := homeReason(r.Definition.Dialect, text, m)
		f := Failed(unexpandedHomeFolder, text.Value, message, hint).At(text.Place)
		if isConfigMount(m) {
			f = f.Touching(overrideReferences(r)...)
		}
		findings = append(findings, f)
	}
	if v, set := effective(r.Definition, envWorkingDirectory); set && unexpandedHome(v.Value) {
		findings = append(findings, Failed(unexpandedHomeFolder, envWorkingDirectory,
			fmt.Sprintf("%q reaches the runner as it stands: nothing fills the home folder in", v.Value.Value),
			"write an absolute path, the same as in its mount").At(v.Value.Place).
			Touching(Variable(envWorkingDirectory)))
	}
	return findings
}

// homeReason says why nothing fills the home folder in, and what to write.
func homeReason(d runner.Dialect, t runner.Text, m runner.Mount) (message, hint string) {
	sign := homeSign(t.Value)
	rest := strings.TrimPrefix(t.Value, sign)
	whole := "write the whole path, as /root" + rest
	switch d {
	case runner.Unit, runner.Quadlet:
		return fmt.Sprintf("systemd is no shell, and puts no home folder in the place of %s in %q", sign, t.Value), whole
	case runner.Kubernetes:
		return fmt.Sprintf("nothing fills %s in here: Kubernetes gets %q", sign, t.Value), whole
	}
	hint = fmt.Sprintf("write \"$HOME%s\" in double quotes", rest)
	if sign == "~" && rest != "" && rest[0] != '/' {
		user, _, _ := strings.Cut(rest, "/")
		hint = fmt.Sprintf("write the whole path of the home folder of %s", user)
	}
	switch {
	case m.Option == "volumes" && m.Target.Place == t.Place:
		return fmt.Sprintf("nothing fills %s in for the path in the container: docker gets %q", sign, t.Value),
			fmt.Sprintf("write the whole path, as /root%s", rest)
	case m.Option == "volumes":
		return fmt.Sprintf("a dollar sign that is doubled fills nothing in: docker gets %q", t.Value),
			fmt.Sprintf("write ${HOME}%s", rest)
	case t.Quoting != runner.Unquoted:
		return fmt.Sprintf("%s in quotes stays as it is: docker gets %q", sign, t.Value), hint
	case m.Joined, m.Option == "--mount", m.Target.Place == t.Place:
		return fmt.Sprintf("%s in the middle of a word stays as it is: docker gets %q", sign, t.Value), hint
	}
	return fmt.Sprintf("nothing fills %s in here: docker gets %q", sign, t.Value), whole
}
