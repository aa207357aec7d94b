package runner

import (
	"bytes"
	"regexp"
)

// otherKind is a kind of files that is told by its form, and of which no runner is read here.
type otherKind struct {
	form *regexp.Regexp
	kind string
	// starts says that runners are started from such files all the same.
	starts bool
}

// otherKinds are in the order in which they are tried: the more special form first.
func otherKinds() []otherKind {
	return []otherKind{
		{helmForm, "Helm template", true},
		{composeForm, "compose file", true},
		{manifestForm, "Kubernetes manifest", true},
		{dockerfileForm, "Dockerfile", true},
		{nomadForm, "Nomad job", true},
		{nixForm, "NixOS configuration", true},
		{puppetForm, "Puppet manifest", true},
		{chefForm, "Chef recipe", true},
		{saltForm, "Salt state", true},
		{ansibleForm, "Ansible playbook", true},
		{unraidForm, "Unraid template", true},
		{terraformForm, "Terraform file", true},
		{pipelinesForm, "configuration of pipelines", false},
	}
}

var (
	helmForm       = regexp.MustCompile(`\{\{-?[^{}\n]*(?:\.Values|\.Release|\.Chart|include )[^{}\n]*\}\}`)
	composeForm    = regexp.MustCompile(`(?m)^["']?services["']?[ \t]*:[ \t]*(?:#.*|[&{!].*)?\r?$`)
	manifestForm   = regexp.MustCompile(`(?m)^apiVersion:[ \t]*\S`)
	dockerfileForm = regexp.MustCompile(`\A(?:#[^\n]*\n|ARG [^\n]*\n|\s*\n)*(?i:FROM)[ \t]+\S`)
	nomadForm      = regexp.MustCompile(`(?m)^[ \t]*(?:job[ \t]+"|driver[ \t]*=[ \t]*"(?:docker|podman)")`)
	nixForm        = regexp.MustCompile(`virtualisation\.(?:oci-containers|docker|podman)|oci-containers[ \t]*=`)
	puppetForm     = regexp.MustCompile(`docker::run(?:_instance)?\b`)
	chefForm       = regexp.MustCompile(`(?m)^[ \t]*docker_container[ \t]+['"]`)
	saltForm       = regexp.MustCompile(`(?m)^[ \t]*(?:-[ \t]*)?docker_container\.running:?[ \t]*\r?$`)
	ansibleForm    = regexp.MustCompile(`(?m)^[ \t]*(?:-[ \t]*)?(?:[\w.]+\.)?(?:docker|podman)_container:[ \t]*(?:\{.*)?\r?$`)
	unraidForm     = regexp.MustCompile(`<Container(?:[ \t]+version=[^<>]*)?>`)
	terraformForm  = regexp.MustCompile(`(?m)^(?:resource|module|provider|data)[ \t]+"|^(?:terraform|locals)[ \t]*\{`)
	pipelinesForm  = regexp.MustCompile(`(?m)^pipelines:[ \t]*\r?$`)
	// mention matches what only a runner's definition says.
	mention = regexp.MustCompile(`pipelines?-runner|\b(?:ACCOUNT_UUID|RUNNER_UUID|PAUSE_IMAGE|AUTH_PROXY_IMAGE|CLONE_IMAGE)\b`)
)

// documentKind says what a text is in which no command starts a runner, and whether one is defined in it all the same,
// in a form that is not read.
func documentKind(text []byte, read string) (kind string, starts bool) {
	if len(bytes.TrimSpace(text)) == 0 {
		return "", false
	}
	text = text[:min(len(text), maxParsed)]
	for _, known := range otherKinds() {
		if known.form.Match(text) {
			return known.kind, known.starts && mention.Match(text)
		}
	}
	return read, false
}
