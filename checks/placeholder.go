package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// sampleOf is the sample in a variable's value; "" if it has a value of its own. Options of a JVM may hold
// anything.
func sampleOf(v runner.Variable) string {
	name, value := v.Name.Value, v.Value.Value
	switch {
	case v.Secret():
		return secretSample(v)
	case v.Value.Placeholder != "" && !nearlyUUID(strings.Trim(v.Value.Placeholder, "{}<>")):
		return v.Value.Placeholder
	case name == "JAVA_OPTS", name == envWorkingDirectory && unexpandedHome(v.Value):
		return ""
	case slices.Contains(requiredVariables(), name), name == envRepository:
		return placeholderValue(name, value)
	case slices.Contains(overrideVariables(), name):
		return sampleIn(value)
	}
	return ""
}

// secretSample is sampleOf for a secret. What may be a secret with odd characters in it is taken for one, as a
// sample is quoted and a secret never is.
func secretSample(v runner.Variable) string {
	value := strings.Trim(v.Value.Value, quoteSigns)
	sample := placeholderValue(v.Name.Value, value)
	inner := braced.FindStringSubmatch(value)
	switch {
	case v.Value.Placeholder == value && value != "":
		return value
	case sample != value:
		return ""
	case inner != nil && !namesSecret.MatchString(inner[1]):
		return ""
	}
	return sample
}

// namesSecret matches the words with which samples name a secret.
var namesSecret = regexp.MustCompile(`(?i)^[a-z_ -]*(secret|oauth|client|token|password)[a-z_ -]*$`)

// sampleMessage quotes a sample. What looks like one but may be a secret is not quoted.
func sampleMessage(d *runner.Definition, v runner.Variable, sample string) string {
	redirects := v.Value.Placeholder != "" && strings.HasPrefix(sample, "<") && !v.FromFile &&
		v.Value.Quoting == runner.Unquoted && d.Dialect.InShell()
	switch {
	case v.Secret() && source.FilledSample(sample) && redirects:
		return v.Name.Value + " stands in angle brackets, as a sample does, and a shell takes them for redirections"
	case v.Secret() && source.FilledSample(sample):
		return v.Name.Value + " stands in angle brackets, as a sample does, and the runner gets them too"
	case redirects:
		return fmt.Sprintf("%s is still the sample %s, which a shell takes for redirections", v.Name.Value, sample)
	case strings.HasPrefix(sample, "$"), strings.HasPrefix(sample, "{{"):
		return fmt.Sprintf("%s is still the template %s: nothing has put a value there", v.Name.Value, sample)
	}
	return fmt.Sprintf("%s is still the sample %s", v.Name.Value, sample)
}

// strayPlaceholders reports samples outside of the variables that the runner reads: in a mount, in the image,
// in other variables if a shell takes them for redirections.
func strayPlaceholders(r *Runner) []Finding {
	d := r.Definition
	var findings []Finding
	var places []source.Span
	report := func(sample string, place source.Span) {
		within := func(v runner.Variable) bool {
			return slices.Contains(knownVariables(), v.Name.Value) && inside(place, v.Place)
		}
		covered := func(other source.Span) bool { return inside(place, other) || inside(other, place) }
		if slices.ContainsFunc(d.Environment, within) || slices.ContainsFunc(places, covered) {
			return
		}
		places = append(places, place)
		if source.FilledSample(sample) {
			sample = "<…>" // it may be a secret
		}
		findings = append(findings, Failed(envPlaceholder, sample,
			fmt.Sprintf("%s is still a sample or a template", sample),
			"write your own value there").At(place).On(r.Name))
	}
	for _, m := range d.Mistakes {
		if m.Kind == runner.Placeholder {
			report(m.Place.Text(), m.Place)
		}
	}
	texts := []runner.Text{d.Image}
	for _, m := range d.Mounts {
		texts = append(texts, m.Source, m.Target)
	}
	for _, text := range texts {
		if text.Placeholder != "" {
			report(text.Placeholder, text.Place)
		}
	}
	return findings
}

// inside tells whether a place begins within another.
func inside(place, other source.Span) bool {
	return place.File == other.File && other.Start <= place.Start && place.Start < max(other.End, other.Start+1)
}

// sampleIn is the sample in a value that somebody should have replaced; "" if there is none.
func sampleIn(value string) string {
	for _, sample := range template.FindAllString(value, -1) {
		if inner := strings.Trim(sample, "{}"); !nearlyUUID(strings.Trim(sample, "{}<>")) && inner != "" {
			return sample
		}
	}
	return ""
}

// placeholderValue is sampleIn for values that can hold no words of their own: UUIDs and credentials.
func placeholderValue(name, value string) string {
	bare := strings.Trim(value, quoteSigns)
	if inner := braced.FindStringSubmatch(bare); inner != nil {
		if strings.Trim(inner[1], "0123456789abcdefABCDEF-") != "" && !nearlyUUID(inner[1]) {
			return bare
		}
		return ""
	}
	if nearlyUUID(strings.Trim(bare, "[]")) {
		return ""
	}
	if sampleWord.MatchString(bare) || strings.EqualFold(bare, name) {
		return bare
	}
	return sampleIn(bare)
}

var (
	// template matches what a template engine, or somebody who types, should have replaced.
	template = regexp.MustCompile(`<[^<>]*>|\{\{[^{}]*\}\}|\$\{[A-Za-z_][^}]*\}|\$[A-Za-z_]\w*|\$\([^)]*\)` +
		`|%[A-Za-z_]\w+%|@[A-Z][A-Z_]+@|__[A-Z][A-Z_]+__|#\{\w+\}#?|\[\[[^\]]*\]\]`)
	// sampleWord matches a value that says of itself that it is none.
	sampleWord = regexp.MustCompile(`(?i)^((change|replace)[-_ ]?(me|it|this)|replace[-_ ]?with[-_ ].*|` +
		`\[[^\[\]]*\]|todo|tbd|fixme|placeholder|x{3,}|\*{3,}|\.{3,}|…|your[-_ ].*|(insert|enter|paste)[-_ ].*|` +
		`my-(account|repository|runner|workspace)-u?u?id|` +
		`(my[-_ ])?(oauth[-_ ]?)?client[-_ ]?(id|secret)|(account|repository|runner|workspace|repo)[-_ ]?u?u?id)$`)
	braced = regexp.MustCompile(`^\{([^{}]*)\}$`)
)
