package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks"
)

var (
	//go:embed html/page.html
	htmlText string
	//go:embed html/page.css
	htmlStyle string
	//go:embed html/page.js
	htmlScript string
)

// HTML writes the report as one page that loads nothing: causes with their remedies first, then every check, the
// runners, and pictures of the ways to hosts and into images. It is whole without scripts.
func HTML(w io.Writer, r Report) error {
	page, err := template.New("page").Parse(htmlText)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, htmlPageOf(r)); err != nil {
		return fmt.Errorf("writing the HTML report: %w", err)
	}
	_, err = w.Write(out.Bytes())
	return err
}

// htmlPage is what the template shows. Texts from anywhere have been through legible.
type htmlPage struct {
	Tool, Version, Policy   string
	CSS                     template.CSS
	JS                      template.JS
	Status                  htmlStatus
	Name, Verdict, Subject  string
	Started, StartedInWords string
	Took                    string
	Interrupted             bool
	Counts                  []htmlCount
	Causes                  []htmlCauses
	Groups                  []htmlGroup
	Checks                  int
	Runners                 []htmlRunner
	Way                     *htmlWay
	Trees                   []htmlTree
	Problems                []htmlProblem
}

// htmlStatus is a status as people see it: never by its color alone.
type htmlStatus struct{ Name, Word, Symbol string }

func htmlStatusOf(s checks.Status) htmlStatus {
	name := s.String()
	return htmlStatus{name, strings.ToUpper(name), (&page{TextOptions: TextOptions{Unicode: true}}).symbol(s)}
}

// htmlCount is how many findings have a status.
// htmlIgnored is the state of a finding that somebody accepted, whatever its status.
func htmlIgnored() htmlStatus {
	state := htmlStatusOf(checks.Skip)
	state.Name, state.Word = "ignored", "IGNORED"
	return state
}

// state is how the page shows a finding.
func (f entry) state() htmlStatus {
	if f.Ignored != nil {
		return htmlIgnored()
	}
	return htmlStatusOf(f.Status)
}

type htmlCount struct {
	Status        htmlStatus
	N             int
	Number, Words string
}

// htmlCounts are the states that a finding may be in, the worst first: the filter has a box for each. A further state
// is a further line here, a color in page.css, and its findings' data-state. What nobody ignored needs no box.
func htmlCounts(s Summary) []htmlCount {
	var all []htmlCount
	for _, state := range []struct {
		status htmlStatus
		n      int
		words  string
	}{
		{htmlStatusOf(checks.Fail), s.Fail, "failed"},
		{htmlStatusOf(checks.Error), s.Error, "not established"},
		{htmlStatusOf(checks.Warn), s.Warn, "warnings"},
		{htmlStatusOf(checks.Pass), s.Pass, "passed"},
		{htmlStatusOf(checks.Skip), s.Skip, "skipped"},
		{htmlIgnored(), s.Ignored, "ignored"},
	} {
		if state.n == 0 && state.status == htmlIgnored() {
			continue
		}
		words := state.words
		if state.n == 1 {
			words = strings.TrimSuffix(words, "s")
		}
		all = append(all, htmlCount{
			state.status, state.n, checks.Thousands(state.n), checks.Thousands(state.n) + " " + words,
		})
	}
	return all
}

// legible is a text from anywhere as a page may have it: in one line, without what is unseen, of bounded length.
func legible(text string) string { return cut(oneLine(text)) }

func htmlPageOf(r Report) htmlPage {
	out := htmlPage{
		Tool: tool, Version: legible(r.Version), Policy: htmlPolicy(), CSS: template.CSS(htmlStyle),
		JS: template.JS(htmlScript), Status: htmlStatusOf(r.Summary.Status), Verdict: nothing(r), Name: tool,
		Subject:        htmlSubject(r),
		Started:        r.Started.UTC().Format(time.RFC3339),
		StartedInWords: r.Started.UTC().Format("2 January 2006, 15:04:05 UTC"), Took: duration(r.Duration),
		Interrupted: r.Interrupted, Counts: htmlCounts(r.Summary), Causes: htmlCausesOf(r), Groups: htmlGroups(r),
		Checks: len(r.Results), Runners: htmlRunners(r), Way: htmlWayOf(r), Trees: htmlTrees(r),
		Problems: htmlProblems(r),
	}
	if len(out.Causes) > 0 {
		out.Verdict = out.Causes[0].verdict
	}
	if len(r.Runners) > 0 {
		out.Name = tool + " of " + legible(r.Runners[0].Name)
	}
	return out
}

// htmlPolicy lets the page's own style and script be used, and nothing else.
func htmlPolicy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(htmlStyle) + "; script-src " + hash(htmlScript) +
		"; base-uri 'none'; form-action 'none'"
}

// htmlSubject says what was judged.
func htmlSubject(r Report) string {
	p := newPage(TextOptions{Unicode: true})
	if len(r.Runners) == 1 {
		return p.subject(r.Runners[0])
	}
	var names []string
	for _, runner := range r.Runners {
		names = append(names, legible(runner.Name))
	}
	return checks.Few(names, fewSubjects)
}

// htmlCauses are the causes of one status.
type htmlCauses struct {
	ID, Heading, Short, N string
	// Full are told in full, Brief, of which More says how many there are, as far as to act on them.
	Full, Brief []htmlCause
	More        string
	verdict     string
}

type htmlCause struct {
	Number                 int
	Status                 htmlStatus
	ID, Title, Where, Hint string
	Excerpt                *htmlExcerpt
	Messages               []string
	More                   string
	Commands, MoreCommands []string
	Facts                  []htmlFact
}

// htmlExcerpt is a line of a file, around what is wrong.
type htmlExcerpt struct {
	Line                  int
	Before, Marked, After string
}

// htmlFact is a text with its name, and the problem that it belongs to.
type htmlFact struct{ Name, Text, ID string }

// htmlCausesOf are what has to be mended, worst first.
func htmlCausesOf(r Report) []htmlCauses {
	by := map[checks.Status][]int{}
	for i, c := range r.Causes {
		if len(c.By) == 0 {
			by[c.Status] = append(by[c.Status], i)
		}
	}
	var all []htmlCauses
	for _, status := range []checks.Status{checks.Fail, checks.Error, checks.Warn} {
		if len(by[status]) == 0 {
			continue
		}
		words := headline(r, status, by[status], len(all) == 0)
		verdict, _, _ := strings.Cut(strings.TrimSuffix(words, ":"), ". Mend")
		one := htmlCauses{
			ID: "to-mend-" + status.String(), Heading: verdict, verdict: verdict, N: checks.Thousands(len(by[status])),
			Short: map[checks.Status]string{
				checks.Fail: "Failures", checks.Error: "Not established", checks.Warn: "Warnings",
			}[status],
		}
		if len(all) == 0 {
			one.Heading, one.Short = "What to mend", "What to mend"
		}
		for n, i := range by[status] {
			if n < usualFindings {
				one.Full = append(one.Full, htmlCauseOf(r, i))
			} else {
				one.Brief = append(one.Brief, htmlCauseOf(r, i))
			}
		}
		one.More = checks.CountOf(len(one.Brief), "more cause", "more causes")
		all = append(all, one)
	}
	return all
}

func htmlCauseOf(r Report, i int) htmlCause {
	c := r.Causes[i]
	out := htmlCause{
		Number: i + 1, Status: htmlStatusOf(c.Status), ID: c.Problem.ID, Title: legible(c.Problem.Title),
		Where: legible(c.Root), Hint: legible(c.Hint), Excerpt: htmlExcerptOf(c), Facts: htmlFacts(r, c),
	}
	if at := c.Location().Position().String(); at != "" {
		out.Where = legible(at)
	}
	messages := c.messages()
	for _, message := range messages[:min(len(messages), fewSubjects)] {
		out.Messages = append(out.Messages, legible(message))
	}
	if more := len(messages) - fewSubjects; more > 0 {
		out.More = checks.Thousands(more)
	}
	for i, command := range c.Commands {
		lines := strings.Split(strings.TrimRight(command, "\n"), "\n")
		for j := range lines {
			lines[j] = oneLine(lines[j])
		}
		if text := strings.Join(lines, "\n"); i < fewSubjects {
			out.Commands = append(out.Commands, text)
		} else {
			out.MoreCommands = append(out.MoreCommands, text)
		}
	}
	return out
}

func htmlExcerptOf(c Cause) *htmlExcerpt {
	e := c.Location().Excerpt()
	if e.Line == 0 {
		return nil
	}
	text := []rune(e.Text)
	start := min(e.Column, len(text))
	end := min(start+e.Width, len(text))
	return &htmlExcerpt{
		e.Line, clean(string(text[:start])), clean(string(text[start:end])), clean(string(text[end:])),
	}
}

// htmlFacts say for what else a cause holds, and what follows from it.
func htmlFacts(r Report, c Cause) []htmlFact {
	var facts []htmlFact
	add := func(name string, all []string, id string) {
		facts = append(facts, htmlFact{name, legible(checks.Few(unique(all), 5*fewSubjects)), id})
	}
	var places []string
	for _, f := range c.Findings {
		if at := f.Location.Position(); at.Line > 0 {
			places = append(places, at.String())
		}
	}
	if subjects := c.subjects(); len(subjects) > c.told() {
		add("Affects", subjects, "")
	}
	if places = unique(places); len(places) > 1 && len(c.Roots) == 0 {
		add("Also at", places[1:], "")
	}
	if len(c.Runners) > 0 && len(c.Runners) < len(r.Runners) {
		add("Runners", c.Runners, "")
	}
	var order []string
	explained := map[string][]string{}
	for _, f := range c.Explained {
		order = append(order, f.Problem.ID)
		explained[f.Problem.ID] = append(explained[f.Problem.ID], f.Subject)
	}
	for _, id := range unique(order) {
		add("Explains", explained[id], id)
	}
	return facts
}

type htmlProblem struct{ ID, Title, Doc, Source string }

// htmlProblems are the problems of the report, in its order, each once.
func htmlProblems(r Report) []htmlProblem {
	var all []htmlProblem
	for _, f := range problems(r) {
		p := f.Problem
		if !slices.ContainsFunc(all, func(q htmlProblem) bool { return q.ID == p.ID }) {
			all = append(all, htmlProblem{p.ID, p.Title, strings.ReplaceAll(p.Doc, "\n", " "), p.Source})
		}
	}
	return all
}
