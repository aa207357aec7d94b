package main

import (
	"fmt"
	"strings"

	"runner-preflight/report"
)

// part is a piece of a help text: a paragraph, or rows under a heading. Help for a narrow terminal and the manual page
// are made of parts, so that the texts are written once, as a terminal of 80 columns shows them.
type part struct {
	heading, text string
	rows          []row
}

// row is a term, as a flag or an example, and what is said of it, if anything.
type row struct{ term, meaning string }

// partsOf takes a help text apart. Parts stand between empty lines; rows are indented, two blanks or more behind a term
// stands its meaning.
func partsOf(text string) []part {
	var parts []part
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(block, "\n")
		if len(lines) < 2 || !strings.HasPrefix(lines[1], "  ") {
			parts = append(parts, part{text: strings.Join(lines, " ")})
			continue
		}
		p := part{heading: strings.TrimSuffix(lines[0], ":")}
		for _, line := range lines[1:] {
			term, meaning, _ := strings.Cut(strings.TrimSpace(line), "  ")
			p.rows = append(p.rows, row{term, strings.TrimSpace(meaning)})
		}
		parts = append(parts, p)
	}
	return parts
}

// narrowest is the least width for which help is laid out, in columns.
const narrowest = 30

// laidOut is a help text for a terminal of so many columns.
func laidOut(text string, width int) string {
	if width >= defaultWidth {
		return text
	}
	width = max(width, narrowest)
	var out strings.Builder
	for i, p := range partsOf(text) {
		if i > 0 {
			out.WriteString("\n")
		}
		if p.heading == "" {
			writeWrapped(&out, "", p.text, width)
			continue
		}
		out.WriteString(p.heading + ":\n")
		for _, r := range p.rows {
			p.writeRow(&out, r, width)
		}
	}
	return out.String()
}

// leastMeaning is how many columns a meaning must have beside its term; with fewer it stands below.
const leastMeaning = 30

func (p part) writeRow(out *strings.Builder, r row, width int) {
	column := 0
	for _, other := range p.rows {
		if other.meaning != "" {
			column = max(column, len([]rune(other.term)))
		}
	}
	switch {
	case r.meaning == "":
		fmt.Fprintf(out, "  %s\n", r.term)
	case column+4+leastMeaning > width:
		fmt.Fprintf(out, "  %s\n", r.term)
		writeWrapped(out, strings.Repeat(" ", 6), r.meaning, width)
	default:
		var meaning strings.Builder
		writeWrapped(&meaning, strings.Repeat(" ", column+4), r.meaning, width)
		fmt.Fprintf(out, "  %-*s  %s", column, r.term, strings.TrimLeft(meaning.String(), " "))
	}
}

func writeWrapped(out *strings.Builder, indent, text string, width int) {
	for _, line := range report.Wrap(text, width-len(indent)) {
		out.WriteString(indent + line + "\n")
	}
}
