package runner

import (
	"slices"

	"runner-preflight/checks/source"
)

// merge takes over what branches have assigned, one of which was followed (or none, unless they are all there are).
// A value that depends on which one is known no more; one that nobody knows yields to one that somebody does, as
// that is what the script falls back to.
func (f frame) merge(branches []*scope, whole bool) {
	changed := map[string][]binding{}
	for _, branch := range branches {
		for name, b := range branch.vars {
			if before, ok := f.vars[name]; !ok || !sameBinding(before, b) {
				changed[name] = append(changed[name], b)
			}
		}
	}
	for name, found := range changed {
		before, ok := f.vars[name]
		if ok && !(whole && len(found) == len(branches)) {
			found = append(found, before)
		}
		f.vars[name] = settle(name, found)
	}
}

func sameBinding(a, b binding) bool {
	samePiece := func(p, q piece) bool { return slices.Equal(p.at, q.at) }
	sameField := func(x, y field) bool {
		return x.value() == y.value() && x.unresolved() == y.unresolved() && slices.EqualFunc(x, y, samePiece)
	}
	return a.exported == b.exported && sameField(a.value, b.value) && slices.EqualFunc(a.array, b.array, sameField)
}

func settle(name string, found []binding) binding {
	best := found[0]
	for _, b := range found {
		best.exported = best.exported || b.exported
	}
	for _, b := range found[1:] {
		exported := best.exported
		switch {
		case b.array != nil && best.array != nil && !sameBinding(b, best):
			best = commonStart(name, best, b)
		case b.value.unresolved() != "" || b.value.value() == "" && b.array == nil:
		case best.value.unresolved() != "" || best.value.value() == "" && best.array == nil:
			best = b
		case b.value.value() != best.value.value() || len(b.array) != len(best.array):
			place, _ := best.value.place()
			best = binding{value: field{{
				text: "$" + name, at: []source.Span{place},
				unresolved: name + " depends on a condition",
			}}}
		}
		best.exported = exported
	}
	return best
}

// commonStart is what two ways of filling an array have in common: branches usually append to it.
func commonStart(name string, a, b binding) binding {
	n := 0
	for n < min(len(a.array), len(b.array)) && a.array[n].value() == b.array[n].value() {
		n++
	}
	rest := slices.Concat(a.array[n:], b.array[n:])
	if len(rest) == 0 {
		return a
	}
	place, _ := rest[0].place()
	more := piece{
		text: "${" + name + "[@]}", at: []source.Span{place}, many: true,
		unresolved: "what else is in " + name + " depends on a condition",
	}
	a.array = append(slices.Clone(a.array[:n]), field{more})
	return a
}
