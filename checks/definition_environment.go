package checks

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var definitionEnvironment = Check{
	Name:  "definition-environment",
	Title: "The runner's environment is complete and well formed",
	Doc: "Reads the environment that a definition gives its runner, in the order in which it takes effect: " +
		"that what the runner requires is there and is no sample, that UUIDs have their form, that names " +
		"are the ones which the runner reads, that no quotes reach it, and that the secret is not on its " +
		"way into git. Git's own files are read; git is not run.",
	Problems: []*Problem{
		envMissing, envPlaceholder, malformedUUID, misspelledEnv, unknownEnv, literalQuotes, trailingComment,
		repeatedEnv, overrideIgnored, incompleteProxy, exposedSecret,
	},
	Run: func(_ context.Context, h *Host) []Finding {
		findings := perRunner(h, func(r *Runner) []Finding { return judgeEnvironment(h, r) })
		findings = append(findings, exposedLogins(h)...)
		findings = append(findings, exposedConfigs(h)...)
		if len(findings) == 0 {
			return []Finding{Skipped("environment", "no runner definition was given")}
		}
		return findings
	},
}

var envMissing = &Problem{
	ID:    "env-missing",
	Title: "A variable that the runner requires is not set",
	Doc: "The runner needs ACCOUNT_UUID, RUNNER_UUID, OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET and " +
		"WORKING_DIRECTORY. Without one of them it ends at once, or never comes online. Bitbucket shows the " +
		"values, in a ready-made command, when the runner is added; the secret is shown that once only.",
	Source:   "the vendor's documentation",
	Explains: []string{"working-directory-unmounted"},
}

var envPlaceholder = &Problem{
	ID:    "env-placeholder",
	Title: "A sample was never replaced",
	Doc: "The documentation writes `<my-account-id>` where your own value goes. To a shell `<` and `>` are " +
		"redirections: the variable stays empty and the command fails with \"No such file or directory\". A " +
		"template that nothing filled in (`{{ .Values.account }}`, `${ACCOUNT}` in single quotes or in an " +
		"env file) reaches the runner as it stands.",
	Source:   "the vendor's page; POSIX shell command language, 2.7; docker's env files expand nothing",
	Explains: pullFailures("env-missing", "malformed-uuid", "invalid-reference"),
	Prints: []Print{
		{`my-(account|repository|runner)-id|syntax error near unexpected token`, 1},
	},
}

var malformedUUID = &Problem{
	ID:    "malformed-uuid",
	Title: "A UUID does not have its form",
	Doc: "ACCOUNT_UUID, RUNNER_UUID and REPOSITORY_UUID are 32 hexadecimal digits in groups of 8-4-4-4-12, " +
		"within braces: `{0b1e7a3c-…}`. Without the braces Bitbucket knows no such runner. (Labels in " +
		"Kubernetes carry them without, as braces are not allowed there.)",
	Source: "the vendor's documentation and its ready-made command",
}

var misspelledEnv = &Problem{
	ID:    "misspelled-env",
	Title: "The name of a variable is misspelled",
	Doc: "The runner ignores names that it does not know, without a word. With the override of an image " +
		"misspelled, the vendor's image is pulled instead, from a registry that a firewall may block; with " +
		"one that it requires misspelled, the runner does not start.",
	Source: "the names that the vendor documents; that another one was meant is inferred from how little " +
		"is different",
	Explains: []string{"env-missing", "working-directory-unmounted", "incomplete-proxy"},
}

var unknownEnv = &Problem{
	ID:    "unknown-env",
	Title: "The runner does not read a variable",
	Doc: "The name looks like one of the runner's own, but the runner documents none of that name and " +
		"ignores it. Guides of other products, and invented deployments, set RUNNER_NAME, RUNNER_LABELS or " +
		"BITBUCKET_PIPELINES_RUNNER_UUID; a runner's name and labels are set in Bitbucket.",
	Source: "the vendor's documentation, and names seen in public deployments; it warns, as not all names " +
		"are documented",
	Explains: []string{"env-missing"},
}

var literalQuotes = &Problem{
	ID:    "literal-quotes",
	Title: "Quotes are part of a value",
	Doc: "Docker's env files take everything behind the `=` as it stands, and so do items of a YAML list " +
		"(`- NAME=\"value\"`) and quotes within quotes: the runner gets the quotes as part of the value, " +
		"and knows no such UUID, secret or image. Compose and systemd take them off in their own env files. " +
		"Write the value without quotes.",
	Source:   "docker's documentation of --env-file; the YAML specification",
	Explains: spoiltValue(),
}

var trailingComment = &Problem{
	ID:    "trailing-comment",
	Title: "A comment is part of a value",
	Doc: "In docker's env files a comment has a line of its own: of `NAME=value # why` the runner gets the comment too, and " +
		"knows no such UUID, secret or image. systemd reads the files of EnvironmentFile= likewise; compose takes the " +
		"comment off in its own, but for those with `format: raw`. Put the comment on a line of its own.",
	Source:   "docker's pkg/kvfile; systemd.exec(5); the Compose Specification, env_file",
	Explains: spoiltValue(),
}

// spoiltValue are the problems that come of a value with something in it that is none of it.
func spoiltValue() []string {
	return pullFailures("malformed-uuid", "invalid-reference", "working-directory-unmounted",
		"working-directory-mismatch", "docker-socket-unmounted", "containers-unmounted", "config-unmounted",
		"config-mount-target")
}

var repeatedEnv = &Problem{
	ID:    "repeated-env",
	Title: "A variable is set twice",
	Doc: "Docker takes the last `-e` of one name, and any `-e` before what an env file says; compose takes the last " +
		"item of a list. The other value has no effect, which is seldom what was meant. Delete one of the two. (In a " +
		"mapping of YAML a key that stands twice is refused: definition-unreadable.)",
	Source: "docker's documentation of --env and --env-file, and of compose",
}

var overrideIgnored = &Problem{
	ID:    "override-ignored",
	Title: "An image override has no effect on this kind of runner",
	Doc: "\"This feature is only available to Docker self-hosted runners. Other runners (such as " +
		"shell-based runners) don't use containers.\" A runner whose RUNTIME is linux-shell, macos-bash or " +
		"windows-powershell pulls no images.",
	Source: "the vendor's documentation, limitations of private images",
}

var incompleteProxy = &Problem{
	ID:    "incomplete-proxy",
	Title: "A proxy is set for HTTP and not for HTTPS",
	Doc: "All that the runner talks to is HTTPS: it needs HTTPS_PROXY, and HTTP_PROXY alone changes " +
		"nothing. The docker daemon has a proxy of its own (/etc/docker/daemon.json), which counts for " +
		"images.",
	Source: "the vendor's documentation of proxies: HTTPS_PROXY at a minimum",
}

// judgeEnvironment judges the environment of one runner.
func judgeEnvironment(h *Host, r *Runner) []Finding {
	d := r.Definition
	switch {
	case d == nil:
		return nil
	case !d.States.Environment:
		return []Finding{Skipped(r.Name, "the definition does not speak of the environment")}
	}
	findings := missingVariables(h, r)
	findings = append(findings, strayPlaceholders(r)...)
	variables := effectiveVariables(d)
	set := map[string]bool{}
	for _, v := range variables {
		set[v.Name.Value] = hasValue(v)
	}
	for _, v := range variables {
		findings = append(findings, judgeVariable(r, v, set)...)
	}
	findings = append(findings, quotedMounts(r)...)
	findings = append(findings, repeated(d)...)
	findings = append(findings, ignoredOverrides(r)...)
	findings = append(findings, proxyGap(d)...)
	findings = append(findings, exposed(h, d)...)
	if len(findings) == 0 {
		findings = append(findings, Passed(r.Name, "what the runner requires is set, and well formed"))
	}
	return findings
}

// effectiveVariables are the variables that reach the runner, each name once, in the order of their places.
func effectiveVariables(d *runner.Definition) []runner.Variable {
	last := make(map[string]int, len(d.Environment))
	for i, v := range d.Environment {
		last[v.Name.Value] = i
	}
	var variables []runner.Variable
	for i, v := range d.Environment {
		if last[v.Name.Value] == i {
			variables = append(variables, v)
		}
	}
	return variables
}

// missingVariables reports what is required and absent or empty. With an env file that was not read, or options
// that are not known, absence proves nothing.
func missingVariables(h *Host, r *Runner) []Finding {
	d := r.Definition
	var findings []Finding
	for _, name := range requiredVariables() {
		v, given := d.Last(name)
		switch {
		case given && (strings.TrimSpace(v.Value.Value) != "" || v.Value.Unresolved != "" ||
			v.Value.Placeholder != ""):
		case given:
			findings = append(findings, missingVariable(r, name, name+" is set to nothing").At(v.Name.Place))
		case d.Complete() || brokenEnvFile(h, d) != "":
			f := missingVariable(r, name, name+" is not set").At(d.Place)
			if file := brokenEnvFile(h, d); file != "" {
				f.Message += fmt.Sprintf("; the env file %s does not exist", file)
				f.Hint = fmt.Sprintf("create %s, or name the right file", file)
			}
			findings = append(findings, f)
		default:
			findings = append(findings, Skipped(name,
				name+" may be set by what was not given or is not known (see unresolved-value)"))
		}
	}
	return findings
}

// brokenEnvFile is an env file that is not there, on the host that runs the definition; docker then starts
// nothing.
func brokenEnvFile(h *Host, d *runner.Definition) string {
	for _, file := range d.EnvFiles {
		placed := path.IsAbs(file.Path.Value) || d.Dialect.FromFolder()
		if h.Live && file.File == nil && file.Path.Unresolved == "" && placed && !file.Optional &&
			absent(h, file.Path.Value) {
			return file.Path.Value
		}
	}
	return ""
}

func missingVariable(r *Runner, name, message string) Finding {
	d, hint := r.Definition, "set it: "+whereFrom(r.Definition, name)
	if d.Dialect == runner.Kubernetes {
		hint = "set it under env of the container: " + whereFrom(d, name)
	}
	if sets := func(v runner.Variable) bool { return v.Name.Value == name }; slices.ContainsFunc(d.Beside, sets) {
		message += ": the .env beside the file fills ${…} in, and does not reach the container"
		hint = "name the file, as env_file: .env, or write " + variableAs(d, name, "${"+name+"}")
	}
	return Failed(envMissing, name, message, hint).On(r.Name).Touching(Path(r.Name), Variable(name))
}

// whereFrom says where the value of a variable is to be had, as the rest of a hint.
func whereFrom(d *runner.Definition, name string) string {
	if d.Dialect == runner.Kubernetes && name != envWorkingDirectory && !slices.Contains(overrideVariables(), name) {
		return "the value of " + name + " in the command that Bitbucket showed when the runner was added"
	}
	switch name {
	case envWorkingDirectory:
		return variableAs(d, envWorkingDirectory, "/tmp") + ", with " + d.Dialect.Mount("/tmp", "/tmp", false)
	case envAccount, envRunner, envRepository:
		uuid := runner.Variable{Name: runner.Text{Value: name}}
		return assignment(d, uuid, "{…}") + " as in the command that Bitbucket showed when the runner was added"
	case string(RolePause), string(RoleAuthProxy), string(RoleClone):
		return "the image that was mirrored for " + name
	}
	return assigned(d, name, "…") + " as in the command that Bitbucket showed when the runner was added"
}

// judgeVariable judges one variable that takes effect: its name if the runner does not know it, else its value. Those in
// set have a value.
func judgeVariable(r *Runner, v runner.Variable, set map[string]bool) []Finding {
	name, value := v.Name.Value, v.Value
	if v.Name.Unresolved != "" {
		return nil
	}
	if !slices.Contains(knownVariables(), name) {
		return strangeName(r, v, set)
	}
	if value.Unresolved != "" && value.Placeholder == "" {
		return nil
	}
	about := func(f Finding) []Finding {
		if slices.Contains(overrideVariables(), name) {
			f = f.Touching(Reference(value.Value))
		}
		return []Finding{f.At(value.Place).Touching(Variable(name))}
	}
	if sample := sampleOf(v); sample != "" {
		hint := "write your own value there: " + whereFrom(r.Definition, name)
		if bare := strings.TrimPrefix(sample, "$"); r.Definition.Dialect == runner.Unit && variableName.MatchString(bare) {
			hint = fmt.Sprintf("write ${%s}: within a word systemd fills in nothing but that form", bare)
		}
		return about(Failed(envPlaceholder, name, sampleMessage(r.Definition, v, sample), hint).On(r.Name))
	}
	if inQuotes(value.Value) {
		bare := strings.Trim(value.Value, quoteSigns)
		if v.Secret() {
			bare = "…"
		}
		return about(Failed(literalQuotes, name, name+" has quotes in its value, and the runner gets them too",
			"write it without them: "+unquoted(r.Definition, v, bare)).On(rootOf(r, value)))
	}
	if at := commentIn(v); at >= 0 {
		return about(commentBehind(r, v, value.Value[:at]))
	}
	if slices.Contains(uuidVariables(), name) && strings.TrimSpace(value.Value) != "" &&
		!validUUID.MatchString(value.Value) {
		message, hint := uuidMistake(name, value.Value, func(value string) string { return assignment(r.Definition, v, value) })
		return about(Failed(malformedUUID, name, message, hint))
	}
	return nil
}

// spoilt tells whether a variable's value has something in it that is none of it, which judgeVariable reports.
func spoilt(v runner.Variable) bool {
	return sampleOf(v) != "" || inQuotes(v.Value.Value) || commentIn(v) >= 0
}

var (
	// comment matches where a comment begins behind a value.
	comment = regexp.MustCompile(`\s+#`)
	// quotedBefore matches one behind a value in quotes; systemd drops the blanks there, and keeps the comment.
	quotedBefore = regexp.MustCompile(`["']\s+#`)
)

// commentIn is where a comment begins in a value, with the blank before it; -1 if there is none, or what looks like one
// may be meant: in options of a JVM, and in a path that somebody wrote in quotes.
func commentIn(v runner.Variable) int {
	found := comment.FindStringIndex(v.Value.Value)
	switch {
	case v.Name.Value == "JAVA_OPTS", v.Name.Value == envWorkingDirectory && !v.FromFile:
		return -1
	case found != nil:
		return found[0]
	case quotedBefore.MatchString(v.Value.Place.Text()):
		return strings.IndexByte(v.Value.Value, '#')
	}
	return -1
}

// commentBehind reports a comment behind a value, neither of which is quoted.
func commentBehind(r *Runner, v runner.Variable, bare string) Finding {
	name, message, hint := v.Name.Value, "%s has a comment in its value, and the runner gets it too", "take the comment out"
	if (v.FromFile || v.Value.Place.File != r.Definition.File) && r.Definition.Dialect != runner.Kubernetes {
		message = "%s has a comment behind it, which an env file makes a part of the value"
		hint = "put the comment on a line of its own"
	}
	if inQuotes(bare) {
		hint += ", and take the quotes out, which the runner gets too"
	}
	return Failed(trailingComment, name, fmt.Sprintf(message, name), hint).On(rootOf(r, v.Value))
}

// unquoted is a variable with a value that needs no quotes of its own.
func unquoted(d *runner.Definition, v runner.Variable, bare string) string {
	if v.FromFile {
		return v.Name.Value + "=" + bare
	}
	return assigned(d, v.Name.Value, bare)
}

// assigned is a variable with a value, as a line of the definition's environment has it.
func assigned(d *runner.Definition, name, value string) string {
	switch {
	case d == nil:
		return name + "=" + value
	case d.Mapping:
		return variableAs(d, name, value)
	}
	return d.Dialect.Bare(name, value)
}

// quotedMounts reports mounts within quotes that nobody takes off: typographic ones, as they are pasted.
func quotedMounts(r *Runner) []Finding {
	var findings []Finding
	for _, m := range r.Definition.Mounts {
		source, target := m.Source.Value, m.Target.Value
		if strings.Trim(source, quoteSigns) == source && strings.Trim(target, quoteSigns) == target {
			continue
		}
		message := "the mount has quotes in its paths: they are none to a shell, and docker gets them too"
		if !r.Definition.Dialect.InShell() {
			message = "the mount has quotes in its paths, and docker gets them too"
		}
		findings = append(findings, Failed(literalQuotes, m.Option, message,
			`write it without them, or in plain quotes: "`+strings.Trim(m.Place.Text(), quoteSigns)+`"`).
			At(m.Place).On(m.Place.Text()).Touching(Path(r.Name)))
	}
	return findings
}

// variableName matches the name of a variable.
var variableName = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// rootOf is the file in which a value is written, as far as that is known.
func rootOf(r *Runner, value runner.Text) string {
	if value.Place.File == nil {
		return r.Name
	}
	return value.Place.File.Path
}

// repeated reports names that one file sets twice. An option that overrides an env file is how both are meant.
func repeated(d *runner.Definition) []Finding {
	type setting struct {
		name     string
		file     *source.File
		fromFile bool
	}
	first := make(map[setting]runner.Variable, len(d.Environment))
	var findings []Finding
	for _, v := range d.Environment {
		set := setting{v.Name.Value, v.Name.Place.File, v.FromFile}
		earlier, twice := first[set]
		if !twice {
			first[set] = v
		}
		if !twice || v.Name.Unresolved != "" {
			continue
		}
		message, line := "%s is set twice, in line %d too: this one wins", earlier.Name.Place.Position().Line
		if earlier.Value.Value == v.Value.Value {
			message = "%s is set twice to the same value, in line %d too"
		}
		findings = append(findings, Warned(repeatedEnv, v.Name.Value, fmt.Sprintf(message, v.Name.Value, line),
			"delete the one that is not meant").
			At(v.Name.Place).Touching(Variable(v.Name.Value)))
	}
	return findings
}

func ignoredOverrides(r *Runner) []Finding {
	runtime, yes := containerless(r)
	if !yes {
		return nil
	}
	var findings []Finding
	for _, name := range overrideVariables() {
		if v, set := effective(r.Definition, name); set {
			findings = append(findings, Warned(overrideIgnored, name,
				fmt.Sprintf("%s has no effect: a runner with RUNTIME %s uses no containers", name, runtime),
				"delete it, or run the Docker-based runner").On(envRuntime).At(v.Name.Place).Touching(Variable(name)))
		}
	}
	return findings
}

func proxyGap(d *runner.Definition) []Finding {
	plain, set := effective(d, "HTTP_PROXY")
	if !set {
		if plain, set = effective(d, "http_proxy"); !set {
			return nil
		}
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		if _, set := effective(d, name); set {
			return nil
		}
	}
	if options, _ := effective(d, "JAVA_OPTS"); strings.Contains(options.Value.Value, "https.proxyHost") ||
		!d.Complete() {
		return nil
	}
	name := plain.Name.Value
	other := strings.Replace(strings.Replace(name, "HTTP_", "HTTPS_", 1), "http_", "https_", 1)
	return []Finding{Warned(incompleteProxy, name, name+" is set and "+other+" is not: the runner talks HTTPS alone",
		"set HTTPS_PROXY to the same proxy").At(plain.Name.Place).
		Touching(Variable(name), Variable("HTTPS_PROXY"))}
}
