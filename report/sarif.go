package report

import (
	"io"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Automation  sarifAutomation   `json:"automationDetails"`
	ColumnKind  string            `json:"columnKind"`
	Invocations []sarifInvocation `json:"invocations"`
	// Results are there also when there are none: readers refuse a run without them.
	Results    []sarifResult  `json:"results"`
	Properties map[string]int `json:"properties"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID    string       `json:"id"`
	Short sarifMessage `json:"shortDescription"`
	Full  sarifMessage `json:"fullDescription"`
	Help  sarifMessage `json:"help"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Start         string              `json:"startTimeUtc"`
	End           string              `json:"endTimeUtc"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Descriptor sarifReference  `json:"descriptor"`
	Rule       *sarifReference `json:"associatedRule,omitempty"`
	Level      string          `json:"level"`
	Message    sarifMessage    `json:"message"`
	Properties sarifFinding    `json:"properties"`
}

type sarifReference struct {
	ID string `json:"id"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifMessage       `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	// Baseline is "new" or "unchanged" where there is a baseline; what is mended is no result.
	Baseline   string       `json:"baselineState,omitempty"`
	Properties sarifFinding `json:"properties"`
}

// sarifSuppression says that a result is known and accepted.
type sarifSuppression struct {
	Kind          string         `json:"kind"`
	Status        string         `json:"status"`
	Justification string         `json:"justification,omitempty"`
	Location      *sarifLocation `json:"location,omitempty"`
}

// sarifFinding is what SARIF itself has no words for.
type sarifFinding struct {
	Status      string   `json:"status"`
	Check       string   `json:"check"`
	Subject     string   `json:"subject"`
	ExplainedBy []string `json:"explainedBy,omitempty"`
	Ignored     string   `json:"ignored,omitempty"`
	// Vantage is from where an image was looked at, where that is not this process alone.
	Vantage string `json:"vantage,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

// SARIF writes the report as SARIF 2.1.0, as code scanning reads it. A result needs a file: what stands in none is shown
// where the definition names the image or the runner, and without a definition it is a notification of the tool, as a
// skip is.
func SARIF(w io.Writer, r Report) error {
	rules, index := sarifRules(r)
	run := sarifRun{
		Tool: sarifTool{sarifDriver{tool, r.Version, rules}}, Automation: sarifAutomation{tool + "/"},
		ColumnKind: "utf16CodeUnits", Results: []sarifResult{}, Properties: map[string]int{
			"pass": r.Summary.Pass, "warn": r.Summary.Warn, "error": r.Summary.Error, "fail": r.Summary.Fail,
			"skip": r.Summary.Skip, "ignored": r.Summary.Ignored,
		},
	}
	notes := []sarifNotification{}
	for _, all := range findings(r) {
		for _, f := range all {
			at, found := r.anchor(f)
			switch {
			case (f.trouble() || f.Ignored != nil) && found:
				result := sarifOf(f, index[f.Problem.ID], at)
				if r.Baseline != nil {
					result.Baseline = map[bool]string{false: "new", true: "unchanged"}[f.Known]
				}
				run.Results = append(run.Results, result)
			case f.trouble() || f.Status == checks.Skip || f.Ignored != nil:
				notes = append(notes, sarifNote(f))
			}
		}
	}
	run.Invocations = []sarifInvocation{{
		!r.Interrupted && r.Summary.checked(), r.Started.UTC().Format(time.RFC3339),
		r.Started.Add(r.Duration).UTC().Format(time.RFC3339), notes,
	}}
	return writeJSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifRules are the problems that the checks which ran can report, and where each one stands.
func sarifRules(r Report) (rules []sarifRule, index map[string]int) {
	rules, index = []sarifRule{}, map[string]int{}
	add := func(x *checks.Problem) {
		if _, known := index[x.ID]; known {
			return
		}
		index[x.ID] = len(rules)
		more := tool + " explain " + x.ID
		rules = append(rules, sarifRule{
			x.ID,
			sarifMessage{Text: x.Title},
			sarifMessage{Text: x.Doc},
			sarifMessage{x.Doc + "\n\nMore: " + more, escaped(x.Doc) + "\n\nMore: `" + more + "`"},
		})
	}
	for _, result := range r.Results {
		for _, x := range result.Check.Problems {
			add(x)
		}
	}
	for _, f := range slices.Concat(findings(r)...) {
		if f.trouble() || f.Ignored != nil {
			add(f.Problem)
		}
	}
	return rules, index
}

func sarifOf(f entry, rule int, at source.Span) sarifResult {
	return sarifResult{
		f.id(), rule, level(f.Status), sarifText(f),
		[]sarifLocation{sarifPlace(at)},
		map[string]string{"primaryLocationLineHash": f.print},
		sarifSuppressions(f),
		"", sarifProperties(f),
	}
}

func sarifPlace(at source.Span) sarifLocation {
	return sarifLocation{sarifPhysical{sarifArtifact{uri(at.File.Path)}, region(at)}}
}

// sarifSuppressions are none for a finding that counts: without the member a reader takes it for one.
func sarifSuppressions(f entry) []sarifSuppression {
	if f.Ignored == nil {
		return nil
	}
	one := sarifSuppression{Kind: "inSource", Status: "accepted", Justification: oneLine(f.Ignored.Reason)}
	if f.Ignored.External {
		one.Kind = "external"
	}
	if isFile(f.Ignored.Location) {
		place := sarifPlace(f.Ignored.Location)
		one.Location = &place
	}
	return []sarifSuppression{one}
}

func sarifNote(f entry) sarifNotification {
	note := sarifNotification{
		Descriptor: sarifReference{f.check.Name}, Level: level(f.Status), Message: sarifText(f), Properties: sarifProperties(f),
	}
	if f.Ignored != nil { // a notification knows no suppressions
		note.Rule, note.Level = &sarifReference{f.id()}, "note"
	}
	if f.trouble() {
		note.Rule = &sarifReference{f.id()}
	}
	return note
}

// sarifText is a finding's message, and what to do. Its first sentence is what readers show as the title. What would
// make a link of a text is taken apart.
func sarifText(f entry) sarifMessage {
	text := f.about()
	if f.trouble() || f.Ignored != nil {
		text += ".\n" + strings.Join(f.remedy(), "\n")
	}
	return sarifMessage{Text: strings.ReplaceAll(text, "](", "] (")}
}

func sarifProperties(f entry) sarifFinding {
	out := sarifFinding{Status: f.Status.String(), Check: f.check.Name, Subject: oneLine(f.Subject), Vantage: vantage(f.Finding)}
	if f.Ignored != nil {
		out.Ignored = f.ignoredAs()
	}
	for _, ref := range f.by {
		out.ExplainedBy = append(out.ExplainedBy, ref.Problem)
	}
	return out
}

// level is a status in the words of SARIF. What could not be established is no error of the runner's.
func level(s checks.Status) string {
	switch s {
	case checks.Fail:
		return "error"
	case checks.Error, checks.Warn:
		return "warning"
	}
	return "note"
}

// region is a place within its file; a file as a whole is its first line, as readers want one.
func region(at source.Span) sarifRegion {
	if at.Start < 0 {
		return sarifRegion{StartLine: 1}
	}
	end := max(at.Start, at.End)
	return sarifRegion{
		at.Position().Line, utf16Column(at.File, at.Start),
		at.File.Position(end).Line, utf16Column(at.File, end),
	}
}
