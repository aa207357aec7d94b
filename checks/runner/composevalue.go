package runner

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"runner-preflight/checks/source"
)

// composeValues fills in the variables of a compose file's values. Source: the Compose Specification, 12
// (interpolation), and what docker compose 2 makes of it.
type composeValues struct {
	// set are the variables that are known, from .env or the env file that is read, by name; before are those
	// that count before them.
	set, before map[string]field
	// beside says that a .env was read, and does not set what is missing.
	beside bool
	// room is how many bytes may still be made: a few lines can ask for billions.
	room *int
	// mistakes are those of the values: compose refuses a file that has one.
	mistakes []Mistake
}

const (
	// maxComposeValue is more than any value holds, maxComposeValues than all of them together, at pieceCost
	// for each piece and each place of it.
	maxComposeValue  = 256 << 10
	maxComposeValues = 16 << 20
	pieceCost        = 32
	// maxDefaults is how deep defaults may stand within each other.
	maxDefaults = 64
)

// noSecret says that nothing in a text is secret.
const noSecret = -1

// fill is a value with its variables filled in. What is secret in it, from a byte on, is not told in the
// reason why it is not known.
func (v *composeValues) fill(f field, secret int) field {
	value := f.value()
	switch {
	case strings.IndexByte(value, '$') < 0:
		return f
	case len(value) > maxComposeValue:
		return field{{text: "", at: f[0].at[:1], unresolved: "it is too long to be followed"}}
	}
	t := template{
		composeValues: v, cutter: newCutter(f), text: value, braces: closingBraces(value), secret: secret,
	}
	t.expand(0, len(value), 0)
	switch {
	case len(t.out) > 0:
		return t.out
	case *v.room < 0:
		return field{{at: f[0].at[:1], unresolved: "the values grow too long to be followed"}}
	}
	return f.slice(0, 0)
}

// template is a value whose variables are being filled in.
type template struct {
	*composeValues
	cutter
	text string
	// braces are where each opening brace is closed.
	braces map[int]int
	// secret is where what is secret begins.
	secret int
	out    field
}

// expand fills in what stands from byte from to byte to.
func (t *template) expand(from, to, depth int) {
	for from < to {
		dollar := strings.IndexByte(t.text[from:to], '$')
		if dollar < 0 {
			break
		}
		dollar += from
		t.add(t.cut(from, dollar))
		from = t.variable(dollar, to, depth)
	}
	t.add(t.cut(from, to))
}

func (t *template) add(pieces field) {
	for _, p := range pieces {
		if *t.room < 0 {
			return
		}
		if *t.room -= len(p.text) + pieceCost*(1+len(p.at)); *t.room < 0 {
			p = piece{at: p.at[:1], unresolved: "the values grow too long to be followed"}
		}
		if p.text != "" || p.unresolved != "" {
			t.out = append(t.out, p)
		}
	}
}

// variable reads what begins with the dollar sign at a byte, and returns where that ends.
func (t *template) variable(at, to, depth int) int {
	next := byte(0)
	if at+1 < to {
		next = t.text[at+1]
	}
	switch end := nameEnd(t.text[:to], at+1); {
	case next == '$':
		t.add(t.cut(at, at+1))
		return at + 2
	case end > at+1:
		t.use(at, end, t.text[at+1:end])
		return end
	case next == '{':
		return t.braced(at, to, depth)
	}
	t.add(t.cut(at, at+1))
	return at + 1
}

// braced reads ${…}.
func (t *template) braced(at, to, depth int) int {
	end, closed := t.braces[at+1]
	name := nameEnd(t.text[:to], at+2)
	if !closed || end >= to || name == at+2 {
		return t.invalid(at, min(to, max(end+1, at+2)))
	}
	operator, word := t.text[name:end], name
	switch {
	case operator == "":
		t.use(at, end+1, t.text[at+2:name])
		return end + 1
	case strings.Contains(operator, "\n"):
		return t.invalid(at, end+1)
	case operator[0] == ':' && len(operator) > 1 && strings.IndexByte("-+?", operator[1]) >= 0:
		word += 2
	case strings.IndexByte("-+?", operator[0]) >= 0:
		word++
	default:
		return t.invalid(at, end+1)
	}
	t.operate(at, name, word, end, depth)
	return end + 1
}

// operate fills in a variable with a default (-), an alternative (+) or a demand (?), whose word stands from
// byte word to byte end. Every environment has a home folder.
func (t *template) operate(at, nameEnd, word, end, depth int) {
	name, colon := t.text[at+2:nameEnd], t.text[nameEnd] == ':'
	set := t.isSet(name, colon) || name == "HOME"
	switch t.text[word-1] {
	case '+':
		if set {
			t.word(at, word, end, depth)
		}
	case '-':
		if !set {
			t.word(at, word, end, depth)
			return
		}
		t.use(at, end+1, name)
	default:
		t.demand(at, end+1, name, colon)
	}
}

// demand fills in a variable without which compose stops.
func (t *template) demand(at, end int, name string, colon bool) {
	if !t.isSet(name, colon) && name != "HOME" {
		p := t.written(at, end)
		p.unresolved = t.unset(name, false)
		t.add(field{p})
		return
	}
	t.use(at, end, name)
}

// word fills in a default, from byte from to byte to of what is used at byte at.
func (t *template) word(at, from, to, depth int) {
	if depth >= maxDefaults {
		p := t.written(from, to)
		p.unresolved = "its defaults stand too deep within each other to be followed"
		t.add(field{p})
		return
	}
	before := len(t.out)
	t.expand(from, to, depth+1)
	use := t.written(at, to+1).at
	for i := range t.out[before:] {
		t.out[before+i].at = slices.Concat(use, t.out[before+i].at)
	}
}

// hidden tells whether what stands at a byte is secret.
func (t *template) hidden(at int) bool { return t.secret != noSecret && at >= t.secret }

// invalid reports what compose takes for no variable and refuses.
func (t *template) invalid(at, end int) int {
	pieces := t.cut(at, end)
	place, _ := pieces.place()
	t.mistakes = append(t.mistakes, Mistake{
		Kind: Unreadable, Place: place, Loses: true,
		Detail: "compose takes this for a variable that is not well formed, and refuses the file; " +
			"a dollar sign of its own is $$",
	})
	p := t.written(at, end)
	p.unresolved = "the variable in it is not well formed"
	if t.hidden(at) && place.File != nil {
		place.File.Hide(place.Start, place.End)
	}
	if !t.hidden(at) && end-at < 64 && !strings.Contains(t.text, "@") {
		t.mistakes[len(t.mistakes)-1].Near = "$" + source.Printable(t.text[at:end]) + " if no variable is meant"
	}
	t.add(field{p})
	return end
}

func (v *composeValues) lookup(name string) (field, bool) {
	if value, known := v.before[name]; known {
		return value, true
	}
	value, known := v.set[name]
	return value, known
}

// use takes the value of a variable that is used from byte at to byte end.
func (t *template) use(at, end int, name string) {
	p := t.written(at, end)
	value, known := t.lookup(name)
	switch {
	case name == "HOME":
		p.text, p.home, p.verbatim = "~", true, false
		t.add(field{p})
	case !known:
		p.unresolved = t.unset(name, t.hidden(at) && (at > t.secret || end < len(t.text)))
		t.add(field{p})
	default:
		use := p.at
		for _, p := range value {
			p.at = slices.Concat(use, p.at)
			t.add(field{p})
		}
	}
}

// unset says why a variable's value is not known. Within a secret the name may be a part of the secret, in
// which nobody doubled the dollar sign.
func (v *composeValues) unset(name string, within bool) string {
	switch {
	case within:
		return "a part of it comes from the environment, or a dollar sign in it should be doubled"
	case name == "PWD":
		return "PWD is the folder in which compose is run"
	case v.beside:
		return fmt.Sprintf("%s comes from the environment: the .env beside does not set it", shortName(name))
	}
	return fmt.Sprintf("%s comes from the environment, or from a .env that was not given", shortName(name))
}

// isSet tells whether a variable has a value that counts: an empty one does not where a colon stands before
// the operator.
func (v *composeValues) isSet(name string, colon bool) bool {
	value, known := v.lookup(name)
	return known && !(colon && value.value() == "" && value.unresolved() == "")
}

// shortName keeps a name short enough for a message.
func shortName(name string) string { return source.Shortened(name, 64) }

// written is what stands from byte at to byte end as one piece.
func (t *template) written(at, end int) piece {
	pieces := t.cut(at, end)
	place, _ := pieces.place()
	return piece{text: t.text[at:end], at: []source.Span{place}, quoting: pieces[0].quoting, verbatim: true}
}

// nameEnd is where the name of a variable that begins at a byte ends.
func nameEnd(text string, at int) int {
	for i := at; i < len(text); i++ {
		c := text[i] | 0x20
		if text[i] != '_' && (c < 'a' || c > 'z') && (i == at || text[i] < '0' || text[i] > '9') {
			return i
		}
	}
	return max(at, len(text))
}

// closingBraces finds for each opening brace the one that closes it.
func closingBraces(text string) map[int]int {
	found := map[int]int{}
	var open []int
	for i := range len(text) {
		switch text[i] {
		case '{':
			open = append(open, i)
		case '}':
			if n := len(open); n > 0 {
				found[open[n-1]] = i
				open = open[:n-1]
			}
		}
	}
	return found
}

// cutter cuts stretches out of a field of many pieces.
type cutter struct {
	pieces field
	// starts are where the pieces begin in the value.
	starts []int
}

func newCutter(f field) cutter {
	c := cutter{pieces: f, starts: make([]int, 0, len(f))}
	at := 0
	for _, p := range f {
		c.starts = append(c.starts, at)
		at += len(p.text)
	}
	return c
}

// cut is the stretch from byte from to byte to of the value.
func (c cutter) cut(from, to int) field {
	first := max(sort.SearchInts(c.starts, from+1)-1, 0)
	last := max(sort.SearchInts(c.starts, max(to, from+1)), first+1)
	return c.pieces[first:min(last, len(c.pieces))].slice(from-c.starts[first], to-c.starts[first])
}
