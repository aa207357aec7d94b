package runner

import (
	"fmt"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

type composeVariable struct {
	Variable
	field field
}

// environment reads the variables of environment. What comes later under one name takes the place of what was
// there.
func (s *composeService) environment() {
	for _, layer := range s.all("environment") {
		s.d.Mapping = layer.keys["environment"].value.isMapping()
		earlier := map[string]bool{}
		for _, v := range s.own {
			earlier[v.Name.Value] = true
		}
		later := map[string][]composeVariable{}
		var further []composeVariable
		for _, v := range s.variables(layer.keys["environment"].value) {
			if name := v.Name.Value; earlier[name] {
				later[name] = append(later[name], v)
				continue
			}
			further = append(further, v)
		}
		s.own = append(replaced(s.own, later), further...)
	}
}

// replaced are variables with those of another layer in the places of what they replace.
func replaced(variables []composeVariable, by map[string][]composeVariable) []composeVariable {
	var out []composeVariable
	done := map[string]bool{}
	for _, v := range variables {
		with, replaces := by[v.Name.Value]
		switch {
		case !replaces:
			out = append(out, v)
		case !done[v.Name.Value]:
			out = append(out, with...)
		}
		done[v.Name.Value] = true
	}
	return out
}

// variables are those of a mapping, or of a list of NAME=value.
func (s *composeService) variables(n node) []composeVariable {
	var variables []composeVariable
	switch {
	case n.isMapping():
		members, last := n.members(), map[string]int{}
		for i, m := range members {
			last[m.key.Value] = i
		}
		for i, m := range members {
			if last[m.key.Value] == i && s.within(m.key) {
				variables = append(variables, s.entry(m))
			}
		}
	case n.isSequence():
		pairs := 0
		for _, item := range n.items() {
			if !s.within(item) {
				break
			}
			if item.isMapping() && len(item.Content) >= 2 && !n.isFlowText(item) {
				pairs++
				s.pairs(item, pairs)
				for _, m := range item.members() {
					variables = append(variables, s.entry(m))
				}
				continue
			}
			variables = append(variables, s.item(item))
		}
	case n.isScalar() && !n.isNull():
		s.mistake(n.place(),
			"environment is a list of NAME=value or a mapping of NAME: value, and compose refuses a text")
		variables = append(variables, s.item(n))
	}
	return slices.DeleteFunc(variables, func(v composeVariable) bool { return v.Name.nothing() })
}

// within tells whether an entry may still be read. Of a service that was not read to its end nothing is
// missed.
func (s *composeService) within(n node) bool {
	if s.take() {
		return true
	}
	if len(s.d.Unread) == 0 {
		const why = "the file is too long to be followed"
		s.d.Unread = append(s.d.Unread, Text{Value: "service", Place: n.place(), Unresolved: why})
	}
	return false
}

// isFlowText tells whether an item of a list is a template rather than a mapping.
func (n node) isFlowText(item node) bool {
	_, braced := item.flow()
	return braced
}

// pairs reports the first "- NAME: value" of a list.
func (s *composeService) pairs(item node, count int) {
	if count > 1 {
		return
	}
	m := item.members()[0]
	mistake := Mistake{
		Kind: Unreadable, Place: m.key.place(), Loses: true,
		Detail: "a list of the environment holds NAME=value; NAME: value belongs in a mapping, without the dash",
	}
	name, told := m.key.scalar(), m.value.isScalar() && !strings.Contains(m.value.Value, "@")
	if secretFrom(name, 0) == noSecret && told {
		mistake.Near = "- " + source.Printable(shortName(name)+"="+shortName(m.value.scalar()))
	}
	s.d.Mistakes = append(s.d.Mistakes, mistake)
}

// item reads NAME=value, or NAME alone.
func (s *composeService) item(n node) composeVariable {
	if n.isScalar() && n.ShortTag() != "!!str" {
		s.mistake(n.place(), "a list of the environment holds NAME=value, and YAML reads no text here")
	}
	name, _, _ := strings.Cut(n.scalar(), "=")
	f := s.value(n, secretFrom(name, len(name)+1))
	v := composeVariable{field: f}
	v.Place = span(f)
	if at := strings.IndexByte(f.shape(), '='); at >= 0 {
		end := len(strings.TrimRight(f.shape()[:at], " \t"))
		if end < at {
			s.mistake(span(f.slice(0, at)),
				"a blank stands between the name and the equals sign, and compose refuses that")
		}
		v.Name, v.field = f.slice(0, end).text(), f.slice(at+1, len(f.value()))
		v.Value = v.field.text()
		return v
	}
	v.Name = f.text()
	if v.Name.Unresolved != "" {
		s.d.Unread = append(s.d.Unread, v.Name)
	}
	s.inherit(&v)
	return v
}

// entry reads NAME: value.
func (s *composeService) entry(m member) composeVariable {
	v := composeVariable{Variable: Variable{Name: m.key.value(), Place: m.key.place()}}
	if m.value.isNull() {
		s.inherit(&v)
		return v
	}
	v.field = s.value(m.value, secretFrom(v.Name.Value, 0))
	v.Value = v.field.text()
	if at := v.field.outerPlace(); at.File == v.Place.File && v.field.outerEnd().End > v.Place.End {
		v.Place.End = v.field.outerEnd().End
	}
	s.typed(m.value, &v)
	return v
}

// typed takes over what YAML makes of a value that is no text: compose writes the number, not what is
// written.
func (s *composeService) typed(n node, v *composeVariable) {
	tag := n.ShortTag()
	if !n.isScalar() || !slices.Contains([]string{"!!int", "!!float", "!!bool", "!!timestamp"}, tag) {
		return
	}
	var value any
	if n.Decode(&value) != nil {
		return
	}
	made := fmt.Sprint(value)
	if made == n.Value {
		return
	}
	v.Value.Value = made
	v.field = field{{text: made, at: []source.Span{v.Value.Place}}}
	if tag == "!!bool" {
		return
	}
	mistake := Mistake{
		Kind: Unreadable, Place: v.Value.Place, Loses: true,
		Detail: "YAML reads a number or a date here, and the runner gets another value than is written; " +
			"put it in quotes",
	}
	if secretFrom(v.Name.Value, 0) == noSecret {
		mistake.Detail = fmt.Sprintf("YAML reads a number or a date here, and the runner gets %s", made)
		mistake.Near = `"` + source.Printable(shortName(n.Value)) + `"`
	}
	s.d.Mistakes = append(s.d.Mistakes, mistake)
}

// inherit is a variable that compose takes from its own environment, or from .env.
func (s *composeService) inherit(v *composeVariable) {
	v.NoValue = true
	known, set := s.values.lookup(v.Name.Value)
	if !set {
		reason := s.values.unset(source.Printable(v.Name.Value), false)
		known = field{{at: []source.Span{v.Name.Place}, unresolved: reason}}
	}
	v.field, v.Value = known, known.text()
}
