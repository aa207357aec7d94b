package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"runner-preflight/checks"
)

// rowIndent is what stands before a row's label: two blanks, the symbol, the word.
const rowIndent = 10

// row is one line about a check, or the lines beneath it.
type row struct {
	status checks.Status
	// label says what, detail about what.
	label, detail string
	// below are further lines.
	below []note
	// bare rows have neither symbol nor word.
	bare bool
}

// note is a paragraph beneath a row.
type note struct {
	label, text string
	faint       bool
}

// rows are what the page says of one check.
func (p *page) rows(r checks.Result, causes func(int) []int) []row {
	if !p.Verbose {
		return p.briefRows(r, causes)
	}
	rows := []row{{bare: true, label: r.Check.Name, detail: duration(r.Duration)}}
	for i, f := range r.Findings {
		rows = append(rows, p.row(r, f, causes(i)))
	}
	return rows
}

// kind is what many findings may have in common.
func kind(f checks.Finding) string {
	switch {
	case f.Problem == nil:
		return f.Status.String()
	case f.Ignored != nil:
		return "ignored " + f.Problem.ID
	}
	return f.Status.String() + " " + f.Problem.ID
}

func more(n int) string {
	return fmt.Sprintf("… and %s more (all with -v or --format json)", checks.Thousands(n))
}

// row is one finding, for -v.
func (p *page) row(r checks.Result, f checks.Finding, causes []int) row {
	out := row{status: f.Status, label: f.Subject, detail: f.Message}
	if f.Ignored != nil {
		out.status = checks.Skip
	}
	switch alone := len(r.Findings) == 1; {
	case f.Problem != nil:
		out.label, out.detail = f.Problem.Title, f.Subject
		if p.first(f.Message) {
			out.below = append(out.below, note{"", f.Message, false})
		}
	case alone || f.Subject == "":
		out.label = r.Check.Title
		if f.Message == "" {
			out.detail = f.Subject
		}
	}
	out.detail += p.suffix(f, causes)
	out.below = append(out.below, p.verbose(f)...)
	return out
}

// suffix names a finding's runners, if not all, and its causes.
func (p *page) suffix(f checks.Finding, causes []int) string {
	return p.runnersSuffix(f) + knownSuffix(f.Known) + causesSuffix(causes)
}

func (p *page) runnersSuffix(f checks.Finding) string {
	if len(f.Runners) == 0 || len(f.Runners) >= len(p.runners) {
		return ""
	}
	return " [" + checks.Few(f.Runners, 3) + "]"
}

func causesSuffix(causes []int) string {
	var numbers []string
	for _, n := range causes {
		numbers = append(numbers, fmt.Sprint(n))
	}
	switch len(numbers) {
	case 0:
		return ""
	case 1:
		return " (cause " + numbers[0] + ")"
	}
	return " (causes " + checks.Few(numbers, 3) + ")"
}

// verbose is all that is known of a finding beyond its row.
func (p *page) verbose(f checks.Finding) []note {
	var notes []note
	if at := f.Location.Position(); at.Path != "" {
		notes = append(notes, note{"at", at.String(), true})
	}
	if f.Ignored != nil {
		notes = append(notes, note{"ignored", ignoredInWords(f), false})
	}
	if f.Hint != "" && p.first(f.Hint+strings.Join(f.Commands, "\n")) {
		notes = append(notes, note{"mend", f.Hint, true})
		for _, command := range f.Commands {
			notes = append(notes, note{"$", command, true})
		}
	}
	if len(f.Evidence) > 0 {
		notes = append(notes, note{"evidence", p.evidence(f), true})
	}
	return notes
}

// ignoredInWords says what a finding would be, why it is ignored, and where that stands.
func ignoredInWords(f checks.Finding) string {
	text := strings.ToUpper(f.Status.String()) + " but for " + f.Ignored.Location.Position().String()
	if f.Ignored.Until != "" {
		text += " until " + f.Ignored.Until
	}
	return text + ": " + ignoredReason(f)
}

// ignoredReason is why a finding is ignored.
func ignoredReason(f checks.Finding) string { return cmp.Or(f.Ignored.Reason, "no reason is given") }

// evidence is what was seen, in one line.
func (p *page) evidence(f checks.Finding) string {
	var parts []string
	for _, e := range f.Evidence {
		parts = append(parts, e.Name+" "+inWords(e.Value))
	}
	return strings.Join(parts, "; ")
}

// inWords is a value for people.
func inWords(value any) string {
	if d, ok := value.(time.Duration); ok {
		return duration(d)
	}
	switch v := plain(value).(type) {
	case string:
		return v
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, inWords(item))
		}
		return strings.Join(parts, ", ")
	case nil:
		return "none"
	}
	return string(encoded(plain(value)))
}

// table writes rows with their details in one column, as far as they fit.
func (p *page) table(rows []row) {
	column := 0
	for _, r := range rows {
		if size := columns(p.safe(r.label)); !r.bare && r.detail != "" && size <= p.Width*5/8-rowIndent {
			column = max(column, size)
		}
	}
	for _, r := range rows {
		p.tableRow(r, column)
	}
}

func (p *page) tableRow(r row, column int) {
	if r.bare {
		p.paragraph("  ", "", strings.TrimSpace(r.label+"  "+r.detail), p.faint)
		return
	}
	word := fmt.Sprintf("%s %-5s", p.symbol(r.status), strings.ToUpper(r.status.String()))
	lead := "  " + p.status[r.status].Sprint(strings.TrimRight(word, " ")) +
		strings.Repeat(" ", rowIndent-2-columns(strings.TrimRight(word, " ")))
	label, detail := p.safe(r.label), p.safe(r.detail)
	ink := p.faint
	if r.status > checks.Pass {
		ink = p.plain
	}
	indent := strings.Repeat(" ", rowIndent)
	lines := wrap(label, p.Width-rowIndent)
	free := p.Width - rowIndent - columns(label) - columns(detail)
	gap := max(column-columns(label), 0) + 2
	if gap > free {
		gap = 2
	}
	if detail != "" && len(lines) == 1 && gap <= free {
		p.line("%s%s%s%s", lead, label, strings.Repeat(" ", gap), ink.Sprint(detail))
	} else {
		p.line("%s%s", lead, strings.Join(lines, "\n"+indent))
		p.paragraph(indent, "", detail, ink)
	}
	p.notes(indent, r.below)
}

// notes writes what stands beneath a row, the labels in one column.
func (p *page) notes(indent string, notes []note) {
	column := 0
	for _, n := range notes {
		if size := columns(p.safe(n.label)); size <= p.Width/2 {
			column = max(column, size)
		}
	}
	for _, n := range notes {
		ink := p.plain
		if n.faint {
			ink = p.faint
		}
		label := p.safe(n.label)
		switch {
		case n.label == "$":
			p.command(indent, n.text)
		case n.label == "":
			p.paragraph(indent, "", n.text, ink)
		case columns(label) > column || p.Width-columns(indent)-column-2 < narrowest:
			p.line("%s%s", indent, ink.Sprint(label))
			p.paragraph(indent+"  ", "", n.text, ink)
		default:
			p.paragraph(indent, label+strings.Repeat(" ", column-columns(label)+2), n.text, ink)
		}
	}
}
