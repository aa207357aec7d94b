package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks/runner"
)

// The runner's environment, as far as it is known. Source: the vendor's documentation, start scripts of
// runners.
const (
	envAccount          = "ACCOUNT_UUID"
	envRunner           = "RUNNER_UUID"
	envRepository       = "REPOSITORY_UUID"
	envClientID         = "OAUTH_CLIENT_ID"
	envClientSecret     = "OAUTH_CLIENT_SECRET"
	envWorkingDirectory = "WORKING_DIRECTORY"
	envRuntime          = "RUNTIME"
	envDockerHost       = "DOCKER_HOST"
	envDockerURI        = "DOCKER_URI"
	envDockerConfig     = "DOCKER_CONFIG"
)

// perRunner judges each runner.
func perRunner(h *Host, judge func(*Runner) []Finding) []Finding {
	var findings []Finding
	for _, r := range h.Runners {
		for _, f := range judge(r) {
			findings = append(findings, f.anew(r.Definition).For(r.Name))
		}
	}
	return findings
}

// requiredVariables are those without which no runner starts.
func requiredVariables() []string {
	return []string{envAccount, envRunner, envClientID, envClientSecret, envWorkingDirectory}
}

// uuidVariables hold a UUID in braces.
func uuidVariables() []string { return []string{envAccount, envRunner, envRepository} }

// overrideVariables name the images that a runner pulls instead of the vendor's.
func overrideVariables() []string {
	return []string{string(RolePause), string(RoleAuthProxy), string(RoleClone)}
}

// knownVariables are the names that the runner reads.
func knownVariables() []string {
	known := append(requiredVariables(), overrideVariables()...)
	return append(known, envRepository, envRuntime, envDockerURI, envDockerHost, envDockerConfig,
		"RUNTIME_PREREQUISITES_ENABLED", "RUNNER_ENVIRONMENT", "SCHEDULED_STATE_UPDATE_INITIAL_DELAY_SECONDS",
		"SCHEDULED_STATE_UPDATE_PERIOD_SECONDS", "CLEANUP_PREVIOUS_FOLDERS", "JAVA_OPTS",
		"LOGBACK_CONFIGURATION_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
}

// assignment is a variable with another value, in the way in which it is written: in an env file without quotes, as
// docker would take them for a part of the value.
func assignment(d *runner.Definition, v runner.Variable, value string) string {
	switch name := v.Name.Value; {
	case v.FromFile || !d.States.Mounts || d.Batch:
		return name + "=" + value
	case d.Dialect == runner.Compose, d.Dialect == runner.Kubernetes:
		return variableAs(d, name, value)
	default:
		return fmt.Sprintf("%s='%s'", name, value)
	}
}

// variableAs is a variable as the definition's kind writes it.
func variableAs(d *runner.Definition, name, value string) string {
	if !d.Mapping {
		return d.Dialect.Variable(name, value)
	}
	if plainScalar.MatchString(value) {
		return name + ": " + value
	}
	return fmt.Sprintf(`%s: "%s"`, name, value)
}

// plainScalar matches what YAML takes for a text without quotes.
var plainScalar = regexp.MustCompile(`^[/A-Za-z…][\w./:@…-]*$`)

// effective is the variable of that name that takes effect, if it has a value.
func effective(d *runner.Definition, name string) (runner.Variable, bool) {
	if d == nil {
		return runner.Variable{}, false
	}
	v, found := d.Last(name)
	return v, found && (v.Value.Value != "" || v.Value.Unresolved != "")
}

// containerless tells whether a runner is of a kind that starts no containers, and which.
func containerless(r *Runner) (runtime string, yes bool) {
	v, found := effective(r.Definition, envRuntime)
	if !found || v.Value.Unresolved != "" {
		return "", false
	}
	runtime = v.Value.Value
	return runtime, slices.ContainsFunc([]string{"shell", "bash", "powershell"},
		func(word string) bool { return strings.HasSuffix(runtime, "-"+word) })
}

// quoteSigns are the quotes of shells, and what word processors and web pages make of them.
const quoteSigns = "\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"

// inQuotes tells whether a value has quotes around it that nobody took off, or one of them alone.
func inQuotes(value string) bool {
	bare := strings.Trim(value, quoteSigns)
	first, _ := utf8.DecodeRuneInString(value)
	last, _ := utf8.DecodeLastRuneInString(value)
	opens, closes := strings.ContainsRune(quoteSigns, first), strings.ContainsRune(quoteSigns, last)
	return value != "" && bare != "" && (opens && closes || opens != closes && !strings.ContainsAny(bare, quoteSigns))
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
	braced    = regexp.MustCompile(`^\{([^{}]*)\}$`)
	uuidShape = regexp.MustCompile(`^\w{8}-\w{4}-\w{4}-\w{4}-\w{12}$`)
	notHex    = regexp.MustCompile(`[^0-9a-fA-F]`)
	// otherDash matches what stands for the dashes of a UUID by mistake.
	otherDash = regexp.MustCompile(`[_\x{2010}-\x{2015}\x{2212}]`)
)

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

// nearlyUUID tells a UUID with a mistake in it from a sample of its form.
func nearlyUUID(text string) bool {
	text = otherDash.ReplaceAllString(strings.TrimSpace(text), "-")
	return uuidShape.MatchString(text) && len(notHex.ReplaceAllString(text, "")) >= 16 || bareUUID.MatchString(text)
}

// withoutReturn is a word without the carriage return that a Windows line end left there, which is a mistake of
// its own.
func withoutReturn(word string) string { return strings.TrimSuffix(word, "\r") }
