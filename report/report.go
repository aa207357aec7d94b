// Package report puts what the checks found into words and files. It decides nothing: statuses come from the checks.
package report

import (
	"io"
	"maps"
	"slices"
	"time"

	"runner-preflight/checks"
)

// tool is the name by which reports call the program.
const tool = "runner-preflight"

// Run is one run of the tool, as it went.
type Run struct {
	// Version is the tool's.
	Version string
	Started time.Time
	// Duration is the whole run's.
	Duration time.Duration
	// Host is what was judged.
	Host *checks.Host
	// Results are in the order of the report.
	Results []checks.Result
	// Interrupted says that a signal ended the run.
	Interrupted bool
}

// Report is what formats write: one run as data, with nothing secret in it.
type Report struct {
	Version     string
	Started     time.Time
	Duration    time.Duration
	Runners     []Runner
	Results     []checks.Result
	Causes      []Cause
	Summary     Summary
	Interrupted bool
	// Baseline is how the findings compare with those of a former report; nil without one.
	Baseline *Comparison
}

// New makes the report of a run.
func New(run Run) Report {
	return Report{
		Version: run.Version, Started: run.Started, Duration: run.Duration, Runners: runners(run.Host),
		Results: run.Results, Causes: Group(run.Results), Summary: summarize(run.Results),
		Interrupted: run.Interrupted,
	}
}

// Summary counts findings by their status, but for those that are ignored.
type Summary struct {
	// Status is the worst.
	Status                        checks.Status
	Pass, Warn, Error, Fail, Skip int
	// Ignored counts the findings that are known and accepted, whatever their status.
	Ignored int
}

func summarize(results []checks.Result) Summary {
	var s Summary
	counts := map[checks.Status]*int{
		checks.Pass: &s.Pass, checks.Warn: &s.Warn, checks.Error: &s.Error,
		checks.Fail: &s.Fail, checks.Skip: &s.Skip,
	}
	for _, result := range results {
		for _, finding := range result.Findings {
			if finding.Ignored != nil {
				s.Ignored++
				continue
			}
			s.Status = max(s.Status, finding.Status)
			*counts[finding.Status]++
		}
	}
	return s
}

// checked tells whether anything was looked at.
func (s Summary) checked() bool { return s.Status > checks.Skip }

// ExitCode is 1 when a finding reaches the threshold, which is Warn or Fail. Otherwise it is 3 when something could
// not be established: an error, an interruption, or nothing that was looked at at all. Else it is 0. Findings that a
// baseline knows do not count; what could not be established always does.
func (r Report) ExitCode(failOn checks.Status) int {
	switch s := r.Summary; {
	case s.Fail > r.known(checks.Fail), s.Warn > r.known(checks.Warn) && failOn <= checks.Warn:
		return 1
	case s.Error > 0, r.Interrupted, !s.checked():
		return 3
	}
	return 0
}

// Format writes a report in one form.
type Format func(io.Writer, Report) error

// Formats are all formats by name; the options are those of text.
func Formats(o TextOptions) map[string]Format {
	return map[string]Format{
		"text": Text(o), "json": JSON, "junit": JUnit, "sarif": SARIF, "github": GitHub, "markdown": Markdown,
		"codequality": CodeQuality, "html": HTML,
	}
}

// FormatNames lists the formats in alphabetical order.
func FormatNames() []string { return slices.Sorted(maps.Keys(Formats(TextOptions{}))) }
