package runner

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

const (
	kubeKind      = "Kubernetes manifest"
	kubeLookedFor = "a container whose image is bitbucket-pipelines-runner, or that sets ACCOUNT_UUID, RUNNER_UUID or one " +
		"of the images"
)

// kubeFile is one manifest.
type kubeFile struct {
	yamlFile
	objects []kubeObject
	// helm is where the file is a template that kubectl cannot read; nil if it is none.
	helm *Mistake
	// visits counts the objects and lists that were looked at.
	visits int
	// set is what all manifests of the set say; nil until the first of them is read.
	set *kubeSet
}

// kubeObject is one object of a manifest, or of a template within a ConfigMap.
type kubeObject struct {
	node
	file            *kubeFile
	kind, namespace string
}

// maxKubeObjects and maxKubeParts are more than anybody writes: a text of a few lines can ask for billions.
const (
	maxKubeObjects = 20_000
	maxKubeParts   = 300_000
	maxKubeDepth   = 6
)

func recogniseKubernetes(y yamlFile) document {
	k := &kubeFile{yamlFile: y}
	if (y.mistake != nil || slices.ContainsFunc(y.documents, node.holdsTemplate)) && bytes.Contains(y.Text, []byte("{{")) {
		k.readTemplate()
	}
	for _, document := range k.documents {
		k.collect(document, 0)
	}
	if len(k.objects) == 0 && (k.mistake == nil || !beginsManifest.Match(y.Text)) {
		return nil
	}
	if k.mistake != nil {
		k.hideMistake()
	}
	k.hideSecrets()
	return k
}

// beginsManifest matches the first lines of a manifest, comments and templates apart.
var beginsManifest = regexp.MustCompile(`\A\x{FEFF}?(?:[ \t]*(?:#[^\n]*|---[^\n]*|\{\{[^\n]*|)\r?\n)*` +
	`[ \t]*(?:apiVersion|kind|metadata)[ \t]*:`)

// collect finds the objects in a document: those of lists too, and of the templates that a ConfigMap holds.
func (k *kubeFile) collect(n node, depth int) {
	if k.visits++; depth > maxKubeDepth || k.visits > maxKubeObjects {
		return
	}
	kind := k.value(n.at("kind")).Value
	if kind == "" {
		return
	}
	if items := n.at("items"); strings.HasSuffix(kind, "List") && items.isSequence() {
		for _, item := range items.items() {
			k.collect(item, depth+1)
		}
		return
	}
	if !n.at("apiVersion").isScalar() {
		return
	}
	namespace := k.value(n.at("metadata", "namespace")).Value
	k.objects = append(k.objects, kubeObject{n, k, kind, namespace})
	if kind != "ConfigMap" {
		return
	}
	for _, m := range n.at("data").members() {
		if !m.value.isScalar() || !manifestForm.MatchString(m.value.Value) {
			continue
		}
		inner := m.value.embedded()
		documents, _ := parseYAML(inner)
		for _, document := range documents {
			k.collect(document, depth+2)
		}
	}
}

func (*kubeFile) looksAround() {}

// read makes the readings of all manifests when the first of them is read.
func (k *kubeFile) read(s *set) Reading {
	if k.set == nil {
		newKubeSet(others[*kubeFile](s))
	}
	return k.set.readings[k]
}

// kubeSet is what all manifests of a set say: a container may take values from the objects of another file.
type kubeSet struct {
	files    []*kubeFile
	stores   map[string][]*kubeStore
	readings map[*kubeFile]Reading
	// pulling are the names of the Secrets with which kubelets pull the images of pods.
	pulling map[string]bool
	// parts is how many more variables and mounts are read.
	parts int
}

func newKubeSet(files []*kubeFile) {
	s := &kubeSet{
		files: files, stores: map[string][]*kubeStore{}, readings: map[*kubeFile]Reading{}, pulling: map[string]bool{},
		parts: maxKubeParts,
	}
	for _, k := range files {
		k.set = s
		s.store(k)
	}
	runners := false
	for _, k := range files {
		r := Reading{Kind: kubeKind, LookedFor: kubeLookedFor, Definitions: k.definitions()}
		runners = runners || len(r.Definitions) > 0
		s.readings[k] = r
	}
	for _, k := range files {
		r := s.readings[k]
		r.Companion = runners
		k.finish(&r)
		s.readings[k] = r
	}
}

// finish adds what is known when all definitions are.
func (k *kubeFile) finish(r *Reading) {
	switch named := kubeRunnerWords.Match(k.Text); {
	case k.helm != nil && (named || len(r.Definitions) > 0):
		r.Mistakes = append(r.Mistakes, *k.helm)
	case k.mistake != nil && k.helm == nil:
		r.Mistakes = append(r.Mistakes, *k.mistake)
	}
	for _, key := range k.set.sortedKeys() {
		for _, store := range k.set.stores[key] {
			if store.file == k {
				store.finish(r)
			}
		}
	}
	byPlace := func(a, b source.Span) int { return a.Outermost().Start - b.Outermost().Start }
	slices.SortFunc(r.Configs, func(a, b Projected) int { return byPlace(a.Place, b.Place) })
	slices.SortFunc(r.Faults, func(a, b Mistake) int { return byPlace(a.Place, b.Place) })
	slices.SortFunc(r.Secrets, byPlace)
}

var kubeRunnerWords = regexp.MustCompile(`(?i)pipelines?-runner|ACCOUNT_UUID|RUNNER_UUID|bitbucket`)

// holdsTemplate tells whether a document has a template of Helm's in it that YAML takes for a mapping.
func (n node) holdsTemplate() bool {
	if n.Node == nil || n.Kind == yaml.AliasNode {
		return false
	}
	if n.Kind == yaml.MappingNode && bytes.HasPrefix(n.text.file.Text[n.start():], []byte("{{")) {
		return true
	}
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return node{n.text, c}.holdsTemplate() })
}

// kubeMask stands for the beginning of a template of Helm's in a text that is parsed in place of the file.
const kubeMask = "\ue000"

// readTemplate parses a template of Helm's as if its {{ … }} were values: lines of nothing else are left out.
func (k *kubeFile) readTemplate() {
	masked, first := maskTemplates(k.Text)
	if first < 0 {
		return
	}
	k.helm = &Mistake{
		Kind: Unreadable, Place: k.At(first, first+2), Loses: true,
		Detail: "it is a template of Helm, which kubectl cannot read as it stands",
	}
	inner := k.Embed(masked, []source.Piece{{Start: 0, Outer: k.At(0, len(k.Text))}})
	k.documents, k.mistake = parseYAML(inner)
}

// maskTemplates puts something that YAML reads into the place of each {{ … }}, byte for byte, and tells where the first
// one stands; -1 if there is none.
func maskTemplates(text []byte) (masked []byte, first int) {
	masked, first = slices.Clone(text), -1
	for at := 0; ; {
		start := bytes.Index(text[at:], []byte("{{"))
		if start < 0 {
			return masked, first
		}
		start += at
		end := bytes.Index(text[start:], []byte("}}"))
		if end < 0 {
			return masked, first
		}
		end += start + 2
		if first < 0 {
			first = start
		}
		alone := onlyTemplates(text, masked, start, end)
		for i := start; i < end; i++ {
			switch {
			case text[i] == '\n' || text[i] == '\r':
			case alone:
				masked[i] = ' '
			default:
				masked[i] = '.'
			}
		}
		if !alone {
			copy(masked[start:], kubeMask)
		}
		at = end
	}
}

// onlyTemplates tells whether nothing else stands in the lines of a template: what is before it in its line was
// masked already.
func onlyTemplates(text, masked []byte, start, end int) bool {
	line := bytes.LastIndexByte(text[:start], '\n') + 1
	rest := text[end:lineEnd(text, end)]
	if i := bytes.Index(rest, []byte("{{")); i >= 0 && bytes.HasSuffix(bytes.TrimRight(rest, " \t\r"), []byte("}}")) {
		rest = rest[:i]
	}
	return len(bytes.TrimSpace(masked[line:start])) == 0 && len(bytes.TrimSpace(rest)) == 0
}

// hideMistake hides what may be secret in the line that is shown for a mistake in the form, in a file with secrets.
func (k *kubeFile) hideMistake() {
	place := k.mistake.Place.Outermost()
	if place.Start < 0 || !kubeSecretWords.Match(k.Text) {
		return
	}
	start, end := k.Line(place.Position().Line)
	line := k.Text[start:end]
	if colon := bytes.IndexByte(line, ':'); colon >= 0 {
		if kubeOpenKey.Match(line[:colon]) {
			return
		}
		start += colon + 1
	}
	k.Hide(start, end)
}

var (
	kubeSecretWords = regexp.MustCompile(`Secret|SECRET|[Pp]assw|PASSW|[Tt]oken|TOKEN`)
	kubeOpenKey     = regexp.MustCompile(`^[ \t-]*"?(?:apiVersion|kind|metadata|name|namespace|image|spec|template|containers|` +
		`env|volumes|volumeMounts|mountPath|items|labels|data|stringData|type)"?[ \t]*$`)
)

// field is a scalar as a field in which what a template engine fills in is not known.
func (k *kubeFile) field(n node) field {
	if !n.isScalar() {
		return nil
	}
	var out field
	for _, p := range n.field() {
		out = append(out, p.divided()...)
	}
	return out
}

// value is a scalar for those outside of this package; the zero Text for anything else.
func (k *kubeFile) value(n node) Text {
	if !n.isScalar() || n.isNull() {
		return Text{Place: n.place()}
	}
	return k.field(n).text()
}

// The reasons why a value is not known.
const (
	kubeHelmReason   = "a template of Helm's fills it in"
	kubeScalerReason = "the autoscaler of runners fills it in"
)

// divided takes templates out of a piece: each becomes a piece that is not known.
func (p piece) divided() field {
	marked := func(mark string) bool { return strings.Contains(p.text, mark) }
	if !slices.ContainsFunc([]string{"{{", "<%", kubeMask}, marked) {
		return field{p}
	}
	var out field
	at := 0
	for at < len(p.text) {
		start, end, reason := nextTemplate(p, at)
		if start < 0 {
			break
		}
		if start > at {
			out = append(out, p.slice(at, start))
		}
		part := p.slice(start, end)
		written := part.written().Outermost()
		if strings.HasPrefix(part.text, kubeMask) {
			part.text = written.Text()
			part.at = []source.Span{written}
		}
		part.unresolved = reason
		out = append(out, part)
		at = end
	}
	if out == nil {
		return field{p}
	}
	if at < len(p.text) {
		out = append(out, p.slice(at, len(p.text)))
	}
	return out
}

// nextTemplate is the first template in a piece from at on; start is -1 if there is none.
func nextTemplate(p piece, at int) (start, end int, reason string) {
	found := kubeTemplate.FindStringIndex(p.text[at:])
	if found == nil {
		return -1, -1, ""
	}
	start, end = at+found[0], at+found[1]
	switch {
	case strings.HasPrefix(p.text[start:], "<%"):
		return start, end, kubeScalerReason
	case strings.HasPrefix(p.text[start:], kubeMask):
		written := p.slice(start, end).written().Outermost()
		if i := bytes.Index(written.File.Text[written.Start:], []byte("}}")); i >= 0 {
			end = min(start+i+2, len(p.text))
		}
	}
	return start, end, kubeHelmReason
}

// kubeTemplate matches what the autoscaler or Helm fills in. Other templates are told as samples.
var kubeTemplate = regexp.MustCompile(`<%[^%\n]{0,200}%>|` +
	`\{\{-? *(?:\.|\$|include |tpl |printf |default |quote |required )[^\n]*?\}\}|` +
	kubeMask + `\.*`)
