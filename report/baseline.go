package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"runner-preflight/checks"
)

// Baseline is what a former report found: what is in it does not count again.
type Baseline struct {
	// found are its warnings, errors and failures by their fingerprints, in its order.
	found []Former
}

// Former is a finding of a former report.
type Former struct {
	Check, Problem, Subject, Fingerprint string
	status                               checks.Status
	runners                              []string
}

// Comparison is what has become of a former report's findings.
type Comparison struct {
	// Known and New count the warnings and failures of this report that are, and are not, in the former one. One that is a
	// failure now and was less then is new. What could not be established is neither.
	Known, New int
	// Mended are the former ones that are gone, as far as this report looked for them.
	Mended []Former
}

// The reasons for which a file is no baseline.
var (
	errNoReport       = errors.New("it is no JSON report of runner-preflight")
	errNoFingerprints = errors.New("its findings have no fingerprints, as it was written before there were baselines: write it anew")
)

// formerCheck is what is read of a check in a former report.
type formerCheck struct {
	Name     string `json:"name"`
	Findings []struct {
		Status      string   `json:"status"`
		Problem     string   `json:"problem"`
		Subject     string   `json:"subject"`
		Runners     []string `json:"runners"`
		Fingerprint string   `json:"fingerprint"`
	} `json:"findings"`
}

// ReadBaseline reads what JSON wrote. Its errors say in a few words why a text is none.
func ReadBaseline(text []byte) (Baseline, error) {
	var head struct {
		Version json.RawMessage `json:"schema_version"`
		Tool    toolJSON        `json:"tool"`
		Checks  json.RawMessage `json:"checks"`
	}
	if err := json.Unmarshal(text, &head); err != nil || head.Tool.Name != tool || head.Version == nil {
		return Baseline{}, errNoReport
	}
	if version := string(head.Version); version != fmt.Sprint(schemaVersion) {
		return Baseline{}, fmt.Errorf("it is a report of schema_version %.20s, and this version reads %d", version, schemaVersion)
	}
	var all []formerCheck
	if err := json.Unmarshal(head.Checks, &all); err != nil || all == nil {
		return Baseline{}, errNoReport
	}
	var b Baseline
	for _, check := range all {
		if err := b.take(check); err != nil {
			return Baseline{}, err
		}
	}
	return b, nil
}

// take adds what a check found.
func (b *Baseline) take(check formerCheck) error {
	for _, f := range check.Findings {
		status := checks.Status(slices.Index([]string{"skip", "pass", "warn", "error", "fail"}, f.Status))
		switch {
		case status < 0:
			return errNoReport
		case status < checks.Warn || f.Problem == "":
		case f.Fingerprint == "":
			return errNoFingerprints
		default:
			b.found = append(b.found, Former{check.Name, f.Problem, f.Subject, f.Fingerprint, status, f.Runners})
		}
	}
	return nil
}

// Against returns the report with what a former one knew marked as known, and with what is mended. The selection is that
// of this run: what it leaves out is not mended.
func (r Report) Against(b Baseline, selection checks.Selection) Report {
	former := map[string]Former{}
	for _, f := range b.found {
		former[f.Fingerprint] = f
	}
	comparison, seen := &Comparison{}, map[string]bool{}
	results := slices.Clone(r.Results)
	for i, all := range findings(r) {
		results[i].Findings = slices.Clone(results[i].Findings)
		for j, f := range all {
			seen[f.print] = true
			if !f.trouble() || f.Status == checks.Error {
				continue
			}
			if known, is := former[f.print]; is && f.Status <= known.status && known.status != checks.Error {
				results[i].Findings[j].Known = true
				comparison.Known++
				continue
			}
			comparison.New++
		}
	}
	for _, f := range b.found {
		if !seen[f.Fingerprint] && f.status != checks.Error && r.lookedFor(f, selection) {
			comparison.Mended = append(comparison.Mended, f)
		}
	}
	r.Results, r.Causes, r.Baseline = results, Group(results), comparison
	return r
}

// lookedFor tells whether a report looked for a former finding, to the end: at the same runner, with the same check.
func (r Report) lookedFor(f Former, selection checks.Selection) bool {
	judged := func(runner Runner) bool { return slices.Contains(f.runners, runner.Name) }
	i := slices.IndexFunc(r.Results, func(result checks.Result) bool { return result.Check.Name == f.Check })
	if i < 0 || r.Interrupted || !slices.ContainsFunc(r.Runners, judged) || !selection.Reports(f.Check, f.Problem) {
		return false
	}
	open := func(other checks.Finding) bool {
		return other.Status == checks.Error || other.Status == checks.Skip && clean(other.Subject) == f.Subject
	}
	return r.Results[i].Status > checks.Skip && !slices.ContainsFunc(r.Results[i].Findings, open)
}

// known counts the findings of one status that are in the baseline.
func (r Report) known(status checks.Status) int {
	n := 0
	for _, result := range r.Results {
		for _, f := range result.Findings {
			if f.Known && f.Status == status {
				n++
			}
		}
	}
	return n
}

// String is the comparison in one line.
func (c Comparison) String() string {
	return fmt.Sprintf("%s (in the baseline), %s new, %s mended", checks.CountOf(c.Known, "known finding", "known findings"),
		checks.Thousands(c.New), checks.Thousands(len(c.Mended)))
}

// mended names what is gone, by problem and subject.
func (c Comparison) mended() []string {
	var names []string
	for _, f := range c.Mended {
		names = append(names, oneLine(f.Problem)+" ("+oneLine(f.Subject)+")")
	}
	return names
}

// knownSuffix marks what is in the baseline.
func knownSuffix(known bool) string {
	if known {
		return " (known)"
	}
	return ""
}
