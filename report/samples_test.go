package report

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// canary is a secret that no output may hold, in any form.
const canary = "c4n4ry-Pa55word"

// The problems and checks of the samples are named as those of the tool, so that the goldens read as reports do.
var (
	store = &checks.Problem{
		ID: "credential-store", Title: "A credential store holds the passwords",
		Doc: "The runner reads user names and passwords from config.json alone. With credsStore docker keeps " +
			"them in a program's store, and the runner finds none.",
		Source:   "vendor's documentation: only basic authentication is supported",
		Explains: []string{"empty-entry", "credentials-missing"},
	}
	emptyEntry = &checks.Problem{
		ID: "empty-entry", Title: "An entry holds no credentials", Doc: "Docker leaves such entries behind.",
		Source: "measured", Explains: []string{"credentials-missing"},
	}
	missing = &checks.Problem{
		ID: "credentials-missing", Title: "No credentials would be sent",
		Doc: "The registry asks for credentials.", Source: "measured", Explains: []string{"platform-missing"},
	}
	timeout = &checks.Problem{
		ID: "connect-timeout", Title: "The host does not answer", Doc: "A firewall drops the packets.",
		Source: "TCP", Explains: []string{"layer-missing", "not-established"},
	}
	envMissing = &checks.Problem{ID: "env-missing", Title: "A required variable is not set", Doc: "d", Source: "s"}
	platform   = &checks.Problem{
		ID: "platform-missing", Title: "The image is not there for this platform",
		Doc: "d", Source: "s",
	}
	exposed = &checks.Problem{
		ID: "config-exposed", Title: "Others can read the passwords",
		Doc: "Anybody on the host can read them.", Source: "good practice",
	}
	outdated = &checks.Problem{
		ID: "image-outdated", Title: "The image is much older than the vendor's",
		Doc: "d", Source: "s",
	}
	unknown = &checks.Problem{
		ID: "not-established", Title: "Something could not be established", Doc: "d",
		Source: "s",
	}
	unread = &checks.Problem{
		ID: "config-unreadable", Title: "The file cannot be read", Doc: "d", Source: "s",
		Explains: []string{"not-established"},
	}
	malformed = &checks.Problem{
		ID: "malformed-base64", Title: "An auth does not decode", Doc: "d", Source: "s",
		Explains: []string{"credentials-missing"},
	}

	configFile  = checks.Check{Name: "config-file", Title: "The config.json can be read"}
	configJSON  = checks.Check{Name: "config-json", Title: "The config.json is valid JSON"}
	configStore = checks.Check{Name: "config-credential-store", Title: "No credential store holds the passwords"}
	configAuth  = checks.Check{Name: "config-auth-encoding", Title: "Every entry decodes"}
	definition  = checks.Check{Name: "definition-environment", Title: "The runner is told who it is"}
	resolves    = checks.Check{Name: "image-resolves", Title: "Every image resolves"}
	platforms   = checks.Check{Name: "image-platform", Title: "Every image is there for the platform"}
	current     = checks.Check{Name: "image-current", Title: "The overrides are about as new as the vendor's images"}
	reachable   = checks.Check{Name: "endpoint-reachable", Title: "Every host that the runner needs answers"}
	clock       = checks.Check{Name: "clock-accurate", Title: "The clock is right"}
)

// configText is a config.json as docker leaves it behind, with a secret that the reader has marked.
const configText = "{\n  \"credsStore\": \"desktop\",\n  \"auths\": {\n    \"registry.example.com\": " +
	"{\"auth\": \"" + canary + "\"}\n  }\n}\n"

// at is a place in a file of the samples.
func at(path, text, what string) source.Span {
	file := source.New(path, []byte(text))
	if i := strings.Index(text, canary); i >= 0 {
		file.Hide(i, i+len(canary))
	}
	i := strings.Index(text, what)
	return file.At(i, i+len(what))
}

func result(check checks.Check, duration time.Duration, findings ...checks.Finding) checks.Result {
	r := checks.Result{Check: check, Duration: duration, Findings: findings}
	for _, f := range findings {
		if f.Ignored == nil {
			r.Status = max(r.Status, f.Status)
		}
	}
	return r
}

const (
	pause = "registry.example.com/my-pause:latest"
	clone = "registry.example.com/my-clone:latest"
	own   = "docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner"
)

// oneRunner is the host of most samples.
func oneRunner() *checks.Host {
	definition := &runner.Definition{File: source.New("run.sh", []byte("docker run"))}
	return &checks.Host{Runners: []*checks.Runner{{
		Name: "run.sh", Definition: definition, Platform: "linux/amd64",
		Config: &checks.Config{Path: "~/.docker/config.json", Err: fs.ErrNotExist},
		Images: []checks.Image{
			{Role: checks.RolePause, Reference: pause, Origin: checks.OriginDefinition},
			{Role: checks.RoleClone, Origin: checks.OriginDefinition, Unresolved: "$1 is an argument of the script"},
			{
				Role: checks.RoleRunner, Reference: own,
				Origin: checks.OriginDefault,
			},
		},
		Endpoints: []checks.Endpoint{{Host: "bitbucket.org", Port: 443}, {Host: "api.bitbucket.org", Port: 443}},
	}}}
}

// samples are reports that between them have everything that formats must get right.
func samples() map[string]Report {
	started := time.Date(2026, 11, 24, 13, 37, 5, 0, time.FixedZone("CET", 3600))
	all := map[string]Report{}
	for name, run := range map[string]Run{
		"clean": {Results: healthy()}, "failing": {Results: failing()}, "warnings": {Results: warned()},
		"skips": {Results: skipped()}, "errors": {Results: erred()}, "hostile": {Results: hostile()},
		"thousand": {Results: thousand()}, "runners": {Results: several(), Host: severalRunners()},
		"interrupted": {Results: erred()[2:], Interrupted: true}, "chain": {Results: chain()},
		"nothing": {Host: &checks.Host{}}, "ways": {Results: ways()},
		"ignored": {Results: ignored()}, "all-ignored": {Results: ignored()[:1]},
	} {
		run.Version, run.Started, run.Duration = "0.1.0", started, 412*time.Millisecond
		if run.Host == nil {
			run.Host = oneRunner()
		}
		all[name] = New(run)
	}
	return all
}

func traced(address string) checks.Finding {
	return checks.Passed(address, "dns 2 ms  tcp 14 ms  tls 31 ms  http 40 ms").With("dns", 2*time.Millisecond).
		With("addresses", []string{"192.0.2.1", "2001:db8::1"}).With("status", 200)
}

func healthy() []checks.Result {
	return []checks.Result{
		result(configFile, time.Millisecond, checks.Passed("~/.docker/config.json", "")),
		result(configJSON, time.Millisecond, checks.Passed("~/.docker/config.json", "412 bytes")),
		result(configStore, 0, checks.Passed("~/.docker/config.json", "neither credsStore nor credHelpers")),
		result(configAuth, 0, checks.Passed("~/.docker/config.json", "3 entries")),
		result(definition, 0, checks.Passed("run.sh", "5 variables")),
		result(resolves, 210*time.Millisecond, checks.Passed("PAUSE_IMAGE", pause+" is sha256:0123456789abcdef").
			With("vantage", "this process"),
			checks.Passed("CLONE_IMAGE", clone+" is sha256:fedcba9876543210").With("vantage", "docker daemon")),
		result(platforms, 0, checks.Skipped("linux/amd64", "no image could be asked")),
		result(reachable, 120*time.Millisecond, traced("bitbucket.org:443"), traced("api.bitbucket.org:443")),
		result(clock, 0, checks.Passed("clock", "1 s behind bitbucket.org")),
	}
}

func storeFound(path string) checks.Finding {
	return checks.Failed(store, `credsStore "desktop"`, "the runner does not use credential stores, so "+
		"registry.example.com gets no credentials; docker pull works on this host because it asks "+
		"docker-credential-desktop, the "+
		"runner will not",
		"write the password into auths with docker's own login in a folder without a store, then restart the runner").
		On("credsStore").At(at(path, configText, `"credsStore"`)).
		Touching(checks.Path(path), checks.Entry("registry.example.com"), checks.Reference(pause),
			checks.Reference(clone)).
		Try("mkdir -p ~/runner-docker", "docker --config ~/runner-docker login registry.example.com")
}

func missingAt(role, image string) checks.Finding {
	return checks.Failed(missing, role, "registry.example.com asks for credentials and the runner would send "+
		"none: a credential store holds them", "give the runner credentials for registry.example.com").
		On("registry.example.com").Touching(checks.Reference(image)).With("status", 401).With("vantage", "both")
}

func silent(subject string, touches ...string) checks.Finding {
	return checks.Failed(timeout, subject, "registry-2.example.com:443 does not answer within 5 s, as where a "+
		"firewall drops the packets", "allow outgoing TCP from this host to registry-2.example.com:443").
		On("registry-2.example.com:443").Touching(append(touches, checks.HostPort("registry-2.example.com:443"))...).
		Try("nc -vz -w 5 registry-2.example.com 443").With("dns", 3*time.Millisecond).With("address", "192.0.2.7")
}

func exposedConfig() checks.Finding {
	return checks.Warned(exposed, "~/.docker/config.json", "mode 0644 lets every user of this host read the "+
		"passwords",
		"let only its owner read the file").Touching(checks.Path("~/.docker/config.json")).
		Try("chmod 600 ~/.docker/config.json").With("mode", "0644")
}

func failing() []checks.Result {
	other := "registry-2.example.com/auth-proxy:1"
	return []checks.Result{
		result(configFile, time.Millisecond, exposedConfig()),
		result(configJSON, time.Millisecond, checks.Passed("~/.docker/config.json", "412 bytes")),
		result(configStore, 0, storeFound("~/.docker/config.json")),
		result(configAuth, 0, checks.Passed("~/.docker/config.json", "3 entries")),
		result(definition, 0, unset("RUNNER_UUID"), unset("OAUTH_CLIENT_ID")),
		result(resolves, 5*time.Second, missingAt("PAUSE_IMAGE", pause),
			silent("AUTH_PROXY_IMAGE", checks.Reference(other)), missingAt("CLONE_IMAGE", clone),
			checks.Passed("RUNNER", own+" is sha256:0123456789abcdef")),
		result(platforms, 0, checks.Skipped("linux/amd64", "no image could be asked")),
		result(reachable, 5*time.Second, silent("registry-2.example.com:443"), traced("bitbucket.org:443"),
			traced("api.bitbucket.org:443")),
		result(clock, 0, checks.Skipped("clock", "too few hosts told the time")),
	}
}

func unset(name string) checks.Finding {
	text := "docker container run -it --rm -v /var/run/docker.sock:/var/run/docker.sock -v /tmp:/tmp " + own
	return checks.Failed(envMissing, name, name+" is not set", "set it, as in the command that Bitbucket showed").
		On("environment of run.sh").At(at("run.sh", text, text)).Touching(checks.Variable(name))
}

func warned() []checks.Result {
	return []checks.Result{
		result(configFile, 0, exposedConfig()),
		result(current, 0, checks.Warned(outdated, "CLONE_IMAGE", clone+" was made on 2026-01-02, 200 days "+
			"before the vendor's",
			"rebuild it from the vendor's current image"), checks.Passed("PAUSE_IMAGE", "2026-11-01")),
	}
}

func skipped() []checks.Result {
	return []checks.Result{
		result(resolves, 0, checks.Skipped("PAUSE_IMAGE", "--offline: the network is not used"),
			checks.Skipped("CLONE_IMAGE", "--offline: the network is not used")),
		result(platforms, 0, checks.Skipped("PAUSE_IMAGE", "its registry was not asked"),
			checks.Skipped("CLONE_IMAGE", "its reference is not known")),
		result(reachable, 0, checks.Skipped("endpoint-reachable", "--offline: the network is not used")),
	}
}

func erred() []checks.Result {
	return []checks.Result{
		result(configFile, 0, checks.Erred(unread, "~/.docker/config.json", "permission denied",
			"run it again as the user that runs the runner").Touching(checks.Path("~/.docker/config.json")).
			Try("sudo runner-preflight check run.sh")),
		result(configJSON, 0, checks.Erred(unknown, "~/.docker/config.json", "the file was not read",
			"see config-unreadable").
			Touching(checks.Path("~/.docker/config.json"))),
		result(clock, 0, checks.Passed("clock", "1 s behind bitbucket.org")),
		result(reachable, 30*time.Second, checks.Erred(unknown, "bitbucket.org:443", "the check did not end in time",
			"give it more time with --timeout 2m")),
	}
}

// hostile has what hostile servers, names and files may hold.
func hostile() []checks.Result {
	evil := "\x1b[31mred\x1b[0m\x07\x00 ]]> ::error::x |a %d # \u2028 \u202e \u009b2J \xff\xfe <b>&amp;</b>"
	text := "image: 漢字漢字/\x1b[2J" + strings.Repeat("長", 100) + " \"credsStore\" tail " + canary +
		strings.Repeat(" x", 300)
	return []checks.Result{
		result(configStore, 0, checks.Failed(store, evil, "message "+evil, "hint "+evil).On("root "+evil).
			At(at("dir \x1b[1m/config\n.json", text, `"credsStore"`)).Try("echo '"+evil+"'", "line one\nline two").
			With("evil "+evil, evil).With("twice", 1).With("twice", []string{"<a>", evil}).With("kind",
			map[string]int{"<b>": 1})),
		result(resolves, 0, checks.Skipped(evil, strings.Repeat("verylongword", 900)),
			checks.Failed(missing, "https://ci:"+canary+"@registry.example.com/x",
				"proxy http://ci:"+canary+"@proxy:3128 refuses",
				"unset https://:"+canary+"@proxy").At(source.New("empty", nil).Whole())),
	}
}

// ignored has findings that are accepted: by a comment, by the file of ignores, for some days, without a reason, in words
// that mean to do harm; one of a problem of which another finding counts.
func ignored() []checks.Result {
	accepted := func(f checks.Finding, reason, until string, at source.Span) checks.Finding {
		f.Ignored = &checks.Ignored{Reason: reason, Until: until, Location: at, External: at.File.Path != "run.sh"}
		return f
	}
	const file = "ignores:\n- problem: credential-store\n"
	entry := at(".runner-preflight.yaml", file, "credential-store")
	comment := at("run.sh", "#!/bin/sh\n# runner-preflight: ignore=env-missing\n", "# runner-preflight: ignore=env-missing")
	evil := "\x1b[31mred\x1b[0m | ]]> ::error::x %0A https://ci:" + canary + "@registry.example.com <b> `x`\n\u202e"
	return []checks.Result{
		result(configStore, 0, accepted(storeFound("config.json"), "the entries are written by hand", "2027-01-31", entry)),
		result(definition, 0, accepted(unset("RUNNER_UUID"), "", "", comment), accepted(unset("OAUTH_CLIENT_ID"), evil, "", comment)),
		result(current, 0, checks.Passed("PAUSE_IMAGE", "2026-11-01")),
		result(reachable, 0, silent("registry-2.example.com:443").As(checks.Warn),
			accepted(silent("bitbucket.org:443"), "opened next week", "", comment)),
	}
}

func thousand() []checks.Result {
	var findings []checks.Finding
	for i := range 1000 {
		key := fmt.Sprintf("registry-%03d.example.com", i)
		findings = append(findings, checks.Failed(malformed, key, key+" has an auth that does not decode at byte 7",
			"write the auth anew").Touching(checks.Entry(key), checks.Path("config.json")).Try("docker login "+key))
	}
	return []checks.Result{
		result(configAuth, 0, findings...),
		result(resolves, 0, checks.Failed(missing, "PAUSE_IMAGE", "the file is refused as a whole", "mend the file").
			On("registry.example.com").Touching(checks.Path("config.json"))),
	}
}

func severalRunners() *checks.Host {
	host := &checks.Host{}
	for _, name := range []string{"run.sh", "run.sh#2", "deploy/compose.yaml"} {
		path, _, _ := strings.Cut(name, "#")
		host.Runners = append(host.Runners, &checks.Runner{
			Name:       name,
			Definition: &runner.Definition{File: source.New(path, nil)}, Config: &checks.Config{
				Path: "config.json",
				File: dockerconfig.Parse("config.json", []byte("{}")),
			},
		})
	}
	return host
}

func several() []checks.Result {
	return []checks.Result{
		result(configStore, 0, storeFound("config.json").For("run.sh", "run.sh#2"),
			checks.Passed("deploy/config.json", "neither credsStore nor credHelpers").For("deploy/compose.yaml")),
		result(resolves, 0, missingAt("PAUSE_IMAGE", pause).For("run.sh"),
			missingAt("PAUSE_IMAGE", pause).For("deploy/compose.yaml").On("elsewhere.example.com")),
	}
}

// chain has a cause, its effect and the effect's effect; a warning that may explain no failure; and a group of which
// one finding alone is explained.
func chain() []checks.Result {
	entry, reference := checks.Entry("registry.example.com"), checks.Reference(pause)
	return []checks.Result{
		result(configStore, 0, storeFound("config.json"),
			checks.Failed(emptyEntry, "registry.example.com", "the entry is {}", "log in again").
				At(at("config.json", configText, `"registry.example.com"`)).Touching(entry, reference),
			checks.Warned(emptyEntry, "quay.io", "the entry is {}", "take it out").Touching(checks.Entry("quay.io"),
				checks.Reference("quay.io/a:1"))),
		result(resolves, 0, missingAt("PAUSE_IMAGE", pause),
			checks.Failed(missing, "CLONE_IMAGE", "registry.example.com asks for credentials", "log in").
				On("registry.example.com").Touching(checks.Reference("registry.example.com/elsewhere:1")),
			checks.Failed(missing, "AUTH_PROXY_IMAGE", "quay.io asks for credentials", "log in").
				On("quay.io").Touching(checks.Reference("quay.io/a:1"))),
		result(platforms, 0, checks.Failed(platform, "PAUSE_IMAGE", "there is linux/arm64 alone",
			"build it for linux/amd64").
			Touching(reference)),
	}
}
