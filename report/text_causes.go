package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// fewSubjects is how many subjects a list names before it says how many more there are.
const fewSubjects = 8

// causes writes what has to be mended, worst first, or that there is nothing.
func (p *page) causes(r Report) {
	if r.Interrupted {
		p.paragraph("", "", "Interrupted: what follows is what was known by then.", p.status[checks.Error])
		p.line("")
	}
	if len(r.Causes) == 0 {
		p.paragraph("", "", nothing(r), p.plain)
		return
	}
	by := map[checks.Status][]int{}
	for i, c := range r.Causes {
		if len(c.By) == 0 {
			by[c.Status] = append(by[c.Status], i)
		}
	}
	first := true
	for _, status := range []checks.Status{checks.Fail, checks.Error, checks.Warn} {
		if len(by[status]) == 0 {
			continue
		}
		if !first {
			p.line("")
		}
		p.paragraph("", "", headline(r, status, by[status], first), p.bold)
		first = false
		p.listCauses(r, by[status])
	}
	if !p.Quiet && !p.Verbose {
		p.line("")
		p.paragraph("", "", fmt.Sprintf("More: %s explain %s", tool, r.Causes[0].Problem.ID), p.faint)
	}
}

// listCauses writes causes by their places in the report.
func (p *page) listCauses(r Report, indexes []int) {
	left := len(indexes)
	for n, alike := range p.alikeCauses(r, indexes) {
		p.line("")
		if n == usualFindings && !p.Verbose {
			p.paragraph("", "", fmt.Sprintf("… and %s (all with -v or --format json)",
				checks.CountOf(left, "more cause", "more causes")), p.plain)
			return
		}
		p.cause(alike[0]+1, r.Causes[alike[0]])
		p.likewise(r, alike[1:])
		left -= len(alike)
	}
}

// alikeCauses puts those causes together that say the same of one runner each, where there are many runners.
func (p *page) alikeCauses(r Report, indexes []int) [][]int {
	var groups [][]int
	at := map[string]int{}
	for _, i := range indexes {
		c := r.Causes[i]
		key := strings.Join([]string{c.Problem.ID, c.Findings[0].Message, c.Hint}, "\n")
		if group, said := at[key]; said && !p.Verbose && p.many() && len(c.messages()) == 1 && len(c.Explained) == 0 {
			groups[group] = append(groups[group], i)
			continue
		}
		at[key] = len(groups)
		groups = append(groups, []int{i})
	}
	return groups
}

// likewise names the places of causes that are like the one above.
func (p *page) likewise(r Report, indexes []int) {
	var places []string
	for _, i := range indexes {
		where := p.safe(r.Causes[i].Root)
		if at := r.Causes[i].Location().Position(); at.Path != "" {
			where = p.safe(at.String())
		}
		places = append(places, fmt.Sprintf("%d at %s", i+1, where))
	}
	if len(places) > 0 {
		p.paragraph(body, "likewise: ", checks.Few(places, fewSubjects), p.plain)
	}
}

// nothing says that nothing was found, and how far that goes.
func nothing(r Report) string {
	switch {
	case len(r.Results) == 0:
		return "Nothing was checked: no check was selected."
	case !r.Summary.checked() && r.Summary.Skip == 0 && r.Summary.Ignored == 0:
		return "Nothing was checked."
	case !r.Summary.checked() && r.Summary.Ignored > 0:
		return "Nothing was checked: everything was skipped or is ignored."
	case !r.Summary.checked():
		return "Nothing was checked: everything was skipped."
	case r.Summary.Ignored > 0:
		return "Nothing found that would stop " + runnersInWords(r) + ", but for what is ignored."
	}
	return "Nothing found that would stop " + runnersInWords(r) + "."
}

func runnersInWords(r Report) string {
	if len(r.Runners) > 1 {
		return "these runners"
	}
	return "this runner"
}

// headline introduces the causes of one status; first says that none worse went before.
func headline(r Report, status checks.Status, indexes []int, first bool) string {
	causes := len(indexes)
	switch {
	case status == checks.Fail && causes == 1:
		return countExplained(causes, r.Summary.Fail, "failure", "failures") + ". Mend it first:"
	case status == checks.Fail:
		return countExplained(causes, r.Summary.Fail, "failure", "failures") + ". Mend these first:"
	case status == checks.Error && first && len(r.Runners) == 0 && r.Causes[indexes[0]].Problem.ID == "no-runner":
		return "No runner was judged: " + checks.CountOf(causes, "thing", "things") + " could not be established:"
	case status == checks.Error && first:
		return "Nothing found that would stop " + runnersInWords(r) + ", but " +
			checks.CountOf(causes, "thing", "things") + " could not be established:"
	case status == checks.Error:
		return checks.CountOf(causes, "thing", "things") + " could not be established:"
	}
	text := countExplained(causes, warnings(r, indexes), "warning", "warnings")
	if first {
		text += ", nothing that stops " + strings.Replace(runnersInWords(r), "this", "the", 1)
	}
	return text + ":"
}

// countExplained words how many causes there are for how many findings: nothing is explained where each has its own.
func countExplained(causes, findings int, one, many string) string {
	switch {
	case causes >= findings:
		return checks.CountOf(findings, one, many)
	case causes == 1:
		return fmt.Sprintf("1 cause explains %s", checks.CountOf(findings, one, many))
	}
	return fmt.Sprintf("%s causes explain %s", checks.Thousands(causes), checks.CountOf(findings, one, many))
}

// warnings counts the findings of causes that are warnings, each once.
func warnings(r Report, indexes []int) int {
	seen := map[place]bool{}
	for _, i := range indexes {
		for _, at := range r.Causes[i].own {
			seen[at] = true
		}
		for _, at := range r.Causes[i].follows {
			seen[at] = true
		}
	}
	return len(seen)
}

// body is the indent of what belongs to a cause.
const body = "   "

// cause writes one cause: where it stands, what it is, what to do, what it explains.
func (p *page) cause(number int, c Cause) {
	p.title(number, c)
	p.excerpt(c)
	first := c.Findings[0]
	folded := p.messages(c)
	p.first(c.Hint + strings.Join(first.Commands, "\n"))
	p.alike(c, folded)
	p.paragraph(body, "mend: ", c.Hint, p.plain)
	for i, command := range c.Commands {
		if i == fewSubjects && !p.Verbose {
			p.paragraph(body, "", "… and "+checks.CountOf(len(c.Commands)-i, "more command", "more commands"), p.plain)
			break
		}
		p.command(body, command)
	}
	p.explained(c)
	if p.Verbose {
		p.paragraph(body, "evidence: ", p.evidence(first), p.faint)
		p.paragraph(body, "why: ", strings.ReplaceAll(c.Problem.Doc, "\n", " "), p.faint)
		p.paragraph(body, "source: ", c.Problem.Source, p.faint)
	}
}

// title is the cause's number, its name, and its place in a file or else what has to be mended.
func (p *page) title(number int, c Cause) {
	where := p.safe(c.Root)
	if at := c.Location().Position(); at.Path != "" {
		where = p.safe(at.String())
	}
	lead := fmt.Sprintf("%-2d ", number)
	known := knownSuffix(c.known())
	name := p.status[c.Status].Sprint(c.Problem.ID) + known
	if columns(lead+c.Problem.ID+known)+2+columns(where) > p.Width {
		p.line("%s%s", lead, name)
		p.line("%s%s", body, where)
		return
	}
	p.line("%s%s  %s", lead, name, where)
}

// known tells whether all of a cause's own findings are in the baseline.
func (c Cause) known() bool {
	return !slices.ContainsFunc(c.Findings, func(f checks.Finding) bool { return !f.Known })
}

// excerpt shows the line of the file with a caret under what is wrong.
func (p *page) excerpt(c Cause) {
	e := c.Location().Excerpt()
	if e.Line == 0 {
		return
	}
	if !p.Unicode {
		e = p.asciiExcerpt(e)
	}
	number, bar := fmt.Sprint(e.Line), p.glyph("│", "|")
	line, caret := crop(e, p.Width-columns(body+number)-3, p.glyph("…", "..."))
	p.line("%s%s %s", body, p.faint.Sprint(number+" "+bar), line)
	gutter := strings.Repeat(" ", len(number)) + " " + bar
	p.line("%s%s %s", body, p.faint.Sprint(gutter), p.status[c.Status].Sprint(caret))
}

// messages says what was found, each thing once. Long messages that are much like one above differ in the image or host
// that they name: alike tells of their subjects alone, as folded says.
func (p *page) messages(c Cause) (folded bool) {
	var shown []string
	for _, message := range c.messages() {
		like := func(other string) bool { return similar(other, message) }
		switch {
		case p.Verbose, len(c.Roots) > 0:
		case len(wrap(p.safe(message), p.Width-columns(body))) > 1 && slices.ContainsFunc(shown, like):
			folded = true
			continue
		case len(shown) == fewSubjects:
			p.paragraph(body, "", "… and "+checks.Thousands(len(c.messages())-len(shown))+" more like this", p.plain)
			return folded
		}
		p.paragraph(body, "", message, p.plain)
		p.first(message)
		shown = append(shown, message)
	}
	return folded
}

// fewRoots is how many hosts behind one thing are told of one by one.
const fewRoots = 4

// messages are the messages of a cause's own findings, each once; of many hosts behind one thing, what they come to.
func (c Cause) messages() []string {
	if len(c.Roots) > fewRoots {
		return []string{c.Findings[0].Behind.Told(c.Findings)}
	}
	var all []string
	for _, f := range c.Findings {
		all = append(all, f.Message)
	}
	return unique(all)
}

// similar tells whether half of a message's words, at least, are in another too.
func similar(one, other string) bool {
	in := map[string]bool{}
	for _, word := range strings.Fields(one) {
		in[word] = true
	}
	words, common := strings.Fields(other), 0
	for _, word := range words {
		if in[word] {
			common++
		}
	}
	return 2*common >= len(words)
}

// alike says for what else than its first finding a cause holds, where its messages do not.
func (p *page) alike(c Cause, folded bool) {
	var places []string
	files := map[string]bool{}
	for _, f := range c.Findings {
		files[f.Location.Position().Path] = true
		if at := f.Location.Position(); at.Line > 0 {
			places = append(places, p.safe(at.String()))
		}
	}
	most := fewSubjects
	if p.Verbose {
		most = len(c.Findings)
	}
	if subjects := c.subjects(); folded || len(subjects) > c.told() {
		p.paragraph(body, "affects: ", p.safe(checks.Few(subjects, most)), p.plain)
	}
	if places = unique(places); len(places) > 1 && len(c.Roots) == 0 {
		p.paragraph(body, "also at: ", checks.Few(places[1:], most), p.plain)
	}
	told := p.many() && !slices.ContainsFunc(c.Runners, func(name string) bool { return !files[name] })
	if len(c.Runners) > 0 && len(c.Runners) < len(p.runners) && !told {
		p.paragraph(body, "runners: ", checks.Few(c.Runners, most), p.plain)
	}
}

// subjects are what the cause's own findings are about, each once, but for the hosts that its hint names.
func (c Cause) subjects() []string {
	var all []string
	for _, f := range c.Findings {
		if !slices.Contains(c.Roots, f.Subject) {
			all = append(all, f.Subject)
		}
	}
	return unique(all)
}

// told is how many subjects the messages name.
func (c Cause) told() int {
	if len(c.Roots) > 0 {
		return 0
	}
	return len(c.messages())
}

// explained lists what follows from a cause, by problem.
func (p *page) explained(c Cause) {
	var order []string
	subjects := map[string][]string{}
	for _, f := range c.Explained {
		order = append(order, f.Problem.ID)
		subjects[f.Problem.ID] = append(subjects[f.Problem.ID], f.Subject)
	}
	var parts []string
	for _, id := range unique(order) {
		most := fewSubjects
		if p.Verbose {
			most = len(c.Explained)
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", checks.Few(unique(subjects[id]), most), id))
	}
	if len(parts) > 0 {
		p.paragraph(body, "explains: ", strings.Join(parts, "; "), p.plain)
	}
}

// asciiExcerpt spells an excerpt in ASCII, where that can be, and moves the marked stretch along.
func (p *page) asciiExcerpt(e source.Excerpt) source.Excerpt {
	text := []rune(e.Text)
	start := min(e.Column, len(text))
	end := min(start+e.Width, len(text))
	before, within := p.safe(string(text[:start])), p.safe(string(text[start:end]))
	return source.Excerpt{
		Line: e.Line, Text: before + within + p.safe(string(text[end:])),
		Column: utf8.RuneCountInString(before), Width: utf8.RuneCountInString(within),
	}
}
