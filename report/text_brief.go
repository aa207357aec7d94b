package report

import (
	"fmt"
	"slices"
	"strings"

	"runner-preflight/checks"
)

// briefRows are the lines about one check without -v: one for each thing that it says, naming all the subjects of
// which it says so. What a cause above has told is not told again.
func (p *page) briefRows(r checks.Result, causes func(int) []int) []row {
	var rows []row
	for _, s := range p.sayings(r, causes) {
		switch {
		case s.first.Ignored != nil:
			rows = append(rows, row{status: checks.Skip, label: s.first.Problem.Title, detail: s.subjects() + ": ignored"})
		case s.first.Problem != nil:
			rows = append(rows, p.problemRow(s))
		case s.first.Status == checks.Skip:
			rows = append(rows, skipRow(r, s))
		default:
			rows = append(rows, p.passRow(r, s))
		}
	}
	return rows
}

// saying is the findings of a check that say the same.
type saying struct {
	first  checks.Finding
	suffix string
	// seen says from where images were looked at.
	seen string
	// own says that each subject is the runner itself, of which there are many: the suffix counts them.
	own      bool
	causes   []int
	findings []checks.Finding
}

// subjects names what is spoken of, and which causes above have told of it.
func (s *saying) subjects() string {
	var names []string
	for _, f := range s.findings {
		names = append(names, f.Subject)
	}
	if s.own {
		return strings.TrimSpace(s.suffix) + s.seen + causesSuffix(s.causes)
	}
	names = unique(names)
	listed := checks.Few(names, usualFindings)
	if len(names) > usualFindings {
		listed += " (all with -v or --format json)"
	}
	return listed + s.suffix + s.seen + causesSuffix(s.causes)
}

// sayings puts those findings together that differ in their subjects and causes alone: passes whatever they say, skips
// with one reason, those of one problem; and of images, those that were looked at from one place.
func (p *page) sayings(r checks.Result, causes func(int) []int) []*saying {
	index := map[string]*saying{}
	var all []*saying
	for i, f := range r.Findings {
		suffix := p.runnersSuffix(f) + knownSuffix(f.Known)
		if p.many() {
			suffix = knownSuffix(f.Known)
		}
		seen := vantageSuffix(f)
		key := kind(f) + "\n" + suffix + "\n" + seen
		if f.Status == checks.Skip {
			key += "\n" + f.Message
		}
		s := index[key]
		if s == nil {
			s = &saying{first: f, suffix: suffix, seen: seen}
			index[key] = s
			all = append(all, s)
		}
		s.findings = append(s.findings, f)
		for _, n := range causes(i) {
			if len(s.causes) == 0 || s.causes[len(s.causes)-1] != n {
				s.causes = append(s.causes, n)
			}
		}
	}
	if p.many() {
		for _, s := range all {
			p.countRunners(s)
		}
	}
	return all
}

// vantageSuffix says from where an image was looked at.
func vantageSuffix(f checks.Finding) string {
	seen := vantage(f)
	if seen == "" {
		return ""
	}
	return " (vantage: " + seen + ")"
}

// countRunners says of how many runners something is said, where they are too many to be named.
func (p *page) countRunners(s *saying) {
	told := map[string]bool{}
	s.own = true
	slices.Sort(s.causes)
	for _, f := range s.findings {
		if len(f.Runners) == 0 {
			s.own = false
			return
		}
		for _, name := range f.Runners {
			told[name] = true
		}
		s.own = s.own && len(f.Runners) == 1 && f.Subject == f.Runners[0]
	}
	switch {
	case s.own && len(told) == len(p.runners):
		s.suffix = fmt.Sprintf("all %s runners", checks.Thousands(len(p.runners)))
	case s.own:
		s.suffix = fmt.Sprintf("%s of %s runners", checks.Thousands(len(told)), checks.Thousands(len(p.runners)))
	case len(told) < len(p.runners):
		s.suffix = fmt.Sprintf(" [%s of %s runners]", checks.Thousands(len(told)), checks.Thousands(len(p.runners)))
	}
}

func (p *page) problemRow(s *saying) row {
	out := row{status: s.first.Status, label: s.first.Problem.Title, detail: s.subjects()}
	for i, f := range s.findings {
		if len(s.causes) == 0 && i < usualFindings && p.first(f.Message) {
			out.below = append(out.below, note{"", f.Message, false})
		}
	}
	return out
}

func skipRow(r checks.Result, s *saying) row {
	if s.first.Problem == nil && len(s.findings) == 1 && len(r.Findings) == 1 {
		return row{status: checks.Skip, label: r.Check.Title, detail: s.first.Message + s.suffix}
	}
	return row{status: checks.Skip, label: r.Check.Title, detail: s.subjects() + ": " + s.first.Message}
}

// passRow is a check's pass. What was seen is added where it fits beside its subject: a line for each that has one.
func (p *page) passRow(r checks.Result, s *saying) row {
	out := row{status: checks.Pass, label: r.Check.Title}
	if len(s.findings) == 1 && len(r.Findings) == 1 {
		out.detail = s.first.Message + s.suffix + s.seen
		if columns(p.safe(out.label+out.detail)) > p.Width-rowIndent-2 {
			out.detail = strings.TrimSpace(s.suffix + s.seen)
		}
		return out
	}
	if p.many() || !p.besideSubjects(s) {
		out.detail = s.subjects()
		return out
	}
	out.detail = strings.TrimSpace(s.seen)
	for i, f := range s.findings {
		if i == usualFindings {
			out.below = append(out.below, note{"", more(len(s.findings) - i), true})
			break
		}
		out.below = append(out.below, note{f.Subject, f.Message + s.suffix, true})
	}
	return out
}

// besideSubjects tells whether each message fits into one line with its subject.
func (p *page) besideSubjects(s *saying) bool {
	widest := 0
	for _, f := range s.findings {
		widest = max(widest, columns(p.safe(f.Subject)))
	}
	for _, f := range s.findings {
		if f.Message == "" || widest+columns(p.safe(f.Message)) > p.Width-rowIndent-2 {
			return false
		}
	}
	return true
}

// folded makes one line of neighbouring checks that were skipped for one reason.
func folded(rows []row) []row {
	var out []row
	for i := 0; i < len(rows); {
		n := 1
		for i+n < len(rows) && rows[i].status == checks.Skip && rows[i+n].status == checks.Skip &&
			rows[i].detail == rows[i+n].detail && !rows[i].bare && !rows[i+n].bare {
			n++
		}
		r := rows[i]
		if n > 1 {
			r.label = fmt.Sprintf("%d checks", n)
		}
		out = append(out, r)
		i += n
	}
	return out
}
