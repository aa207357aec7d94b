package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// environment reads the variables of a container: those of whole objects first, as they are overridden by the others.
func (p *kubePod) environment(c kubeContainer, d *Definition) {
	known := map[string]field{}
	add := func(v Variable, value field) {
		d.Environment = append(d.Environment, v)
		known[v.Name.Value] = value
	}
	for _, from := range c.at("envFrom").items() {
		p.wholeObject(from, d, add)
	}
	env := c.at("env")
	if env.isMapping() {
		d.Mistakes = append(d.Mistakes, Mistake{
			Kind: Unreadable, Place: env.place(), Loses: true,
			Detail: "env is a list in Kubernetes, of items with a name and a value",
			Near:   Kubernetes.Variable("NAME", "VALUE") + " for each variable",
		})
		for _, m := range env.members() {
			p.variable(m.key, m.value, m.value, d, known, add)
		}
	}
	for _, item := range env.items() {
		if p.file.set.parts--; p.file.set.parts < 0 {
			return
		}
		if item.isScalar() {
			p.listed(item, d, add)
			continue
		}
		p.variable(item.at("name"), item.at("value"), item, d, known, add)
	}
}

// listed reads NAME=value, as a compose file has it.
func (p *kubePod) listed(item node, d *Definition, add func(Variable, field)) {
	f := p.file.field(item)
	name, _, valued := strings.Cut(f.shape(), "=")
	if !valued {
		return
	}
	d.Mistakes = append(d.Mistakes, Mistake{
		Kind: Unreadable, Place: item.place(), Loses: true,
		Detail: "an item of env has a name and a value in Kubernetes, each with its key", Near: Kubernetes.Variable(name, "VALUE"),
	})
	value := f.slice(len(name)+1, len(f.value()))
	add(Variable{Name: f.slice(0, len(name)).text(), Value: value.text(), Place: item.place()}, value)
}

func (p *kubePod) variable(name, value, item node, d *Definition, known map[string]field, add func(Variable, field)) {
	if !name.isScalar() {
		return
	}
	v := Variable{Name: p.file.value(name), Place: item.place()}
	var f field
	switch from := item.at("valueFrom"); {
	case from.isMapping():
		f = p.valueFrom(from, d)
	case value.isScalar() && value.isNull():
		v.Value = Text{Place: value.place()}
	case value.isScalar():
		f = p.expanded(p.file.field(value), known, d)
		if what := untyped(value); what != "" && p.file.helm == nil {
			d.Mistakes = append(d.Mistakes, textWanted(value, what))
		}
	case value.ok():
		f = p.unquoted(value, d)
	}
	if f != nil {
		v.Value = f.text()
	}
	add(v, f)
}

// textWanted is the mistake of a value that YAML takes for something else than text.
func textWanted(value node, what string) Mistake {
	return Mistake{
		Kind: Unreadable, Place: value.place(), Loses: true,
		Detail: fmt.Sprintf("in YAML this is a %s, and kubectl takes nothing but text here: put the value in quotes", what),
	}
}

// kubeBoolean matches what kubectl's reader of YAML, of version 1.1, takes for a boolean.
var kubeBoolean = regexp.MustCompile(`^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|true|True|TRUE|false|False|FALSE)$`)

// untyped says what a scalar is that should be text; "" if it is text, or nothing.
func untyped(n node) string {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if n.Style&(quoted|yaml.TaggedStyle) != 0 {
		return ""
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "number"
	case "!!bool":
		return "boolean"
	}
	if kubeBoolean.MatchString(n.Value) {
		return "boolean"
	}
	return ""
}

// unquoted reads a value that begins with a brace or a bracket, which YAML takes for a mapping or a list: the value that
// was meant is what stands there.
func (p *kubePod) unquoted(value node, d *Definition) field {
	at := value.start()
	text := value.text.file.Text
	m := Mistake{Kind: Unreadable, Loses: true, Detail: "in YAML braces begin a mapping: put the value in quotes"}
	closing := byte('}')
	if value.isSequence() {
		m.Detail, closing = "in YAML brackets begin a list: put the value in quotes", ']'
	}
	end := at
	for end < len(text) && end-at < 200 && text[end] != '\n' && text[end] != closing {
		end++
	}
	if at >= len(text) || value.Style&yaml.FlowStyle == 0 || end >= len(text) || text[end] != closing {
		m.Detail, m.Place = "the value of a variable is text, and not a mapping or a list", value.place()
		d.Mistakes = append(d.Mistakes, m)
		return nil
	}
	m.Place = value.text.file.At(at, end+1)
	d.Mistakes = append(d.Mistakes, m)
	return field{{text: m.Place.Text(), at: []source.Span{m.Place}, verbatim: true}}
}

// unknown is a value that is not known.
func unknownField(place source.Span, reason string) field {
	return field{{at: []source.Span{place}, unresolved: reason}}
}

// valueFrom reads a value that comes from an object or from the pod itself.
func (p *kubePod) valueFrom(from node, d *Definition) field {
	for _, object := range []struct{ ref, kind string }{{"secretKeyRef", "Secret"}, {"configMapKeyRef", "ConfigMap"}} {
		if ref := from.at(object.ref); ref.at("key").isScalar() {
			return p.keyOf(object.kind, ref, ref.at("key"), d)
		}
	}
	if m := from.member("fieldRef"); m.value.ok() {
		return unknownField(m.value.at("fieldPath").orKey(m.key).place(), "it is a field of the pod, known when that runs")
	}
	if m := from.member("resourceFieldRef"); m.value.ok() {
		return unknownField(m.value.at("resource").orKey(m.key).place(), "it is a limit of the container, known when that runs")
	}
	return unknownField(from.place(), "valueFrom takes it from elsewhere")
}

// orKey is the node, or another where it is none.
func (n node) orKey(key node) node {
	if n.isScalar() {
		return n
	}
	return key
}

// keyOf is what one key of an object holds.
func (p *kubePod) keyOf(kind string, ref, key node, d *Definition) field {
	name := p.file.value(ref.at("name"))
	object := kind + " " + source.Printable(name.Value)
	store := p.file.set.find(kind, name, p.kubeObject)
	if store == nil {
		return unknownField(key.place(), "it is in the "+object+", which was not given")
	}
	e := store.entry(key.scalar())
	if e == nil {
		d.Mistakes = append(d.Mistakes, missingKey(object, key.scalar(), store.keys(), key, ref.at("optional").scalar() == "true"))
		return unknownField(key.place(), "the "+object+" has no such key")
	}
	d.uses = append(d.uses, e)
	return e.value(key.place())
}

// wholeObject reads an item of envFrom: every key of an object becomes a variable.
func (p *kubePod) wholeObject(from node, d *Definition, add func(Variable, field)) {
	prefix := p.file.value(from.at("prefix")).Value
	for _, ref := range []struct{ key, kind string }{{"secretRef", "Secret"}, {"configMapRef", "ConfigMap"}} {
		at := from.at(ref.key)
		if !at.isMapping() {
			continue
		}
		name := p.file.value(at.at("name"))
		store := p.file.set.find(ref.kind, name, p.kubeObject)
		if store == nil {
			name.Unresolved = fmt.Sprintf("the %s %s was not given: what it sets is not known", ref.kind,
				source.Printable(name.Value))
			d.EnvFiles = append(d.EnvFiles, EnvFile{Path: name})
			continue
		}
		for _, e := range store.entries {
			if p.file.set.parts--; p.file.set.parts < 0 {
				return
			}
			v := Variable{Name: e.key.value(), Place: e.key.place(), FromFile: true}
			v.Name.Value = prefix + v.Name.Value
			value := e.value(at.at("name").place())
			v.Value = value.text()
			d.uses = append(d.uses, e)
			add(v, value)
		}
	}
}

// maxExpanded is how long a value may become, and maxKubePieces of how many: each may name the one before it twice.
const (
	maxExpanded   = 64 << 10
	maxKubePieces = 256
)

// expanded fills in $(NAME) for the variables before this one; what has no value stays as it stands. Source:
// Kubernetes' documentation, "Define Dependent Environment Variables".
func (p *kubePod) expanded(f field, known map[string]field, d *Definition) field {
	var out field
	length := 0
	for _, part := range f {
		if part.unresolved != "" || !strings.Contains(part.text, "$") {
			out = append(out, part)
			continue
		}
		at := 0
		for _, found := range kubeReference.FindAllStringIndex(part.text, -1) {
			out = append(out, part.slice(at, found[0]))
			use := part.slice(found[0], found[1])
			name := strings.Trim(use.text, "$()")
			value, set := known[name]
			switch {
			case use.text == "$$":
				out = append(out, part.slice(found[0], found[0]+1))
			case set:
				out = append(out, through(value, use.written())...)
				length += len(value.value())
			default:
				if len(d.EnvFiles) > 0 || kubeServiceName.MatchString(name) {
					use.unresolved = name + " is set by what was not given"
				}
				out = append(out, use)
			}
			at = found[1]
			if length > maxExpanded || len(out) > maxKubePieces {
				return unknownField(part.written(), "it is too long when it is filled in")
			}
		}
		out = append(out, part.slice(at, len(part.text)))
	}
	filled := slices.DeleteFunc(out, func(p piece) bool { return p.text == "" && p.unresolved == "" })
	if len(filled) == 0 {
		return f[:1].empty()
	}
	return filled
}

// empty is the field with nothing in it, at its place.
func (f field) empty() field {
	p := f[0]
	p.text, p.verbatim = "", false
	return field{p}
}

var (
	kubeReference   = regexp.MustCompile(`\$\$|\$\([A-Za-z_.-][A-Za-z0-9_.-]*\)`)
	kubeServiceName = regexp.MustCompile(`_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)`)
)
