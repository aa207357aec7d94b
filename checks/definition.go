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
	return v, found && hasValue(v)
}

// hasValue tells whether a variable is set to something.
func hasValue(v runner.Variable) bool { return v.Value.Value != "" || v.Value.Unresolved != "" }

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

// withoutReturn is a word without the carriage return that a Windows line end left there, which is a mistake of
// its own.
func withoutReturn(word string) string { return strings.TrimSuffix(word, "\r") }

// uuidVariables hold a UUID in braces.
func uuidVariables() []string { return []string{envAccount, envRunner, envRepository} }
