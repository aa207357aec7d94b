package report

import (
	"cmp"
	"fmt"
	"strings"

	"runner-preflight/checks"
)

type htmlGroup struct {
	ID, Heading string
	Checks      []htmlCheck
}

type htmlCheck struct {
	Name, Title, Counts string
	Status              htmlStatus
	// Fold says that nobody has to look at its findings.
	Fold     bool
	Findings []htmlFinding
}

type htmlFinding struct {
	Status htmlStatus
	// ID is the problem's, Print the fingerprint; both are empty on a pass and a skip.
	ID, Print               string
	Subject, Message, Where string
	Runners                 string
	Causes                  []int
	Evidence                []htmlFact
}

// htmlGroups are all checks with all findings, under the headings of the text report.
func htmlGroups(r Report) []htmlGroup {
	numbers, index := numbersByPlace(r), map[string]int{}
	var groups []htmlGroup
	for i, all := range findings(r) {
		check := r.Results[i].Check
		at, found := index[check.Group()]
		if !found {
			at = len(groups)
			index[check.Group()] = at
			groups = append(groups, htmlGroup{ID: check.Group(), Heading: heading(check.Group())})
		}
		shown := htmlCheckOf(r.Results[i])
		for j, f := range all {
			shown.Findings = append(shown.Findings, htmlFindingOf(r, f, numbers[place{i, j}]))
		}
		groups[at].Checks = append(groups[at].Checks, shown)
	}
	return groups
}

func htmlCheckOf(r checks.Result) htmlCheck {
	counts := map[string]int{}
	for _, f := range r.Findings {
		counts[entry{Finding: f}.state().Name]++
	}
	var parts []string
	for _, state := range []string{"fail", "error", "warn", "pass", "skip", "ignored"} {
		if n := counts[state]; n > 0 && len(counts) > 1 {
			parts = append(parts, checks.Thousands(n)+" "+state)
		}
	}
	if len(counts) == 1 && len(r.Findings) > 1 {
		parts = append(parts, checks.Thousands(len(r.Findings)))
	}
	if r.Duration > 0 {
		parts = append(parts, "in "+duration(r.Duration))
	}
	return htmlCheck{
		Name: r.Check.Name, Title: r.Check.Title, Status: htmlStatusOf(r.Status), Fold: r.Status <= checks.Pass,
		Counts: strings.Join(parts, ", "),
	}
}

func htmlFindingOf(r Report, f entry, causes []int) htmlFinding {
	out := htmlFinding{
		Status: f.state(), Subject: legible(f.Subject), Message: legible(f.Message), Where: legible(f.where()),
		Causes: causes,
	}
	if strings.HasPrefix(out.Message, out.Subject) {
		out.Subject = ""
	}
	if f.Ignored != nil {
		out.Evidence = append(out.Evidence, htmlFact{Name: "ignored", Text: legible(f.id() + ": " + f.ignoredAs())})
	}
	if f.trouble() {
		out.ID, out.Print = f.id(), f.print
	}
	if len(f.Runners) > 0 && len(f.Runners) < len(r.Runners) {
		out.Runners = legible(checks.Few(f.Runners, fewSubjects))
	}
	for _, e := range f.Evidence {
		out.Evidence = append(out.Evidence, htmlFact{Name: legible(e.Name), Text: legible(inWords(e.Value))})
	}
	return out
}

type htmlRunner struct {
	Number int
	Name   string
	Facts  []htmlFact
	Images []htmlImage
}

type htmlImage struct{ Role, Reference, Unresolved, Origin, Runner, Docker string }

func htmlRunners(r Report) []htmlRunner {
	var all []htmlRunner
	for i, runner := range r.Runners {
		shown := htmlRunner{Number: i + 1, Name: legible(runner.Name), Facts: []htmlFact{
			{Name: "Definition", Text: cmp.Or(legible(runner.Definition), "none: the vendor’s defaults")},
			{Name: "config.json", Text: cmp.Or(legible(runner.Config), "none")},
			{Name: "Platform", Text: cmp.Or(legible(runner.Platform), "not known")},
		}}
		if len(runner.Endpoints) > 0 {
			shown.Facts = append(shown.Facts, htmlFact{Name: "Needs", Text: legible(strings.Join(runner.Endpoints, ", "))})
		}
		for _, image := range runner.Images {
			shown.Images = append(shown.Images, htmlImageOf(image))
		}
		all = append(all, shown)
	}
	return all
}

func htmlImageOf(i Image) htmlImage {
	out := htmlImage{
		Role: i.Role, Reference: legible(i.Reference), Unresolved: legible(i.Unresolved), Runner: "what is not known",
		Docker: "what is not known",
		Origin: map[string]string{
			string(checks.OriginDefinition): "as defined", string(checks.OriginDefault): "by default",
			string(checks.OriginFlag): "by a flag",
		}[i.Origin],
	}
	switch c := i.Runner; {
	case i.Role == string(checks.RoleRunner):
		out.Runner = "nothing: docker’s CLI pulls its own image"
	case c != nil && c.Reason != "":
		out.Runner = "nothing: " + reasonInWords(c.Reason)
	case c != nil:
		out.Runner = sent(c)
	}
	if c := i.Docker; c != nil {
		out.Docker = sent(c)
	}
	return out
}

// sent is what is sent of credentials that are there.
func sent(c *Credentials) string {
	switch {
	case c.Helper != "":
		return legible(fmt.Sprintf("what docker-credential-%s says", c.Helper))
	case c.Key == "":
		return "nothing: no entry is for it"
	}
	return legible(fmt.Sprintf("the user %s, of the entry %s", cmp.Or(c.Username, "(none)"), c.Key))
}

// reasonInWords says why nothing is sent.
func reasonInWords(reason string) string {
	words := map[string]string{
		"no-entry": "no entry is for it", "no-file": "there is no config.json", "empty-entry": "its entry is empty",
		"empty-credentials": "the user or the password of its entry is empty",
		"store":             "a credential store has the password", "helper": "a credential helper has the password",
		"dropped-header":    "a field of its entry is no string",
		"invalid-reference": "the runner cannot read the reference",
		"file-rejected":     "the runner refuses config.json as a whole",
	}
	return cmp.Or(words[reason], reason)
}
