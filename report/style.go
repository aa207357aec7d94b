package report

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// TextOptions say how text looks.
type TextOptions struct {
	// Width is in columns; 0 means 80.
	Width int
	// Color turns escape sequences on.
	Color bool
	// Unicode says that the reader's character set has more than ASCII: symbols and lines then use it.
	Unicode bool
	// Quiet leaves only the causes and the summary. Verbose shows evidence, documentation, durations and every finding.
	Quiet, Verbose bool
}

// The widths between which text is laid out, in columns: lines that are longer are hard to read.
const (
	usualWidth    = 80
	narrowest     = 30
	widest        = 120
	usualFindings = 20
)

// page is a text in the making.
type page struct {
	strings.Builder
	TextOptions
	plain, bold, faint *color.Color
	status             map[checks.Status]*color.Color
	// runners are the names of all runners of the report.
	runners []string
	// told are the messages that stand on the page already.
	told map[string]bool
}

// many tells whether there are too many runners to name them wherever something is said of some.
func (p *page) many() bool { return len(p.runners) > fewSubjects }

func newPage(o TextOptions) *page {
	if o.Width <= 0 {
		o.Width = usualWidth
	}
	o.Width = min(max(o.Width, narrowest), widest)
	ink := func(attributes ...color.Attribute) *color.Color {
		c := color.New(attributes...)
		// The package looks at the environment and at standard output on its own: neither decides here.
		if c.DisableColor(); o.Color {
			c.EnableColor()
		}
		return c
	}
	plain := color.New()
	plain.DisableColor()
	return &page{
		TextOptions: o, told: map[string]bool{}, plain: plain, bold: ink(color.Bold),
		faint: ink(color.Faint), status: map[checks.Status]*color.Color{
			checks.Pass: ink(color.FgGreen), checks.Skip: ink(color.FgCyan), checks.Warn: ink(color.FgYellow),
			checks.Error: ink(color.FgMagenta, color.Bold), checks.Fail: ink(color.FgRed, color.Bold),
		},
	}
}

// symbol is a status at a glance; its word always stands beside it.
func (p *page) symbol(s checks.Status) string {
	if p.Unicode {
		return [...]string{"–", "✓", "!", "?", "✗"}[s]
	}
	return [...]string{"-", "+", "!", "?", "x"}[s]
}

// glyph chooses between a sign and what stands for it in ASCII.
func (p *page) glyph(sign, ascii string) string {
	if p.Unicode {
		return sign
	}
	return ascii
}

// safe is a text from anywhere as a terminal may have it.
func (p *page) safe(text string) string {
	text = source.Printable(clean(text))
	if p.Unicode {
		return text
	}
	return ASCII(text)
}

// ASCII spells the signs of texts that the tool writes in ASCII. What a user wrote, as letters of a path, stays as it
// is: it has to be found again.
func ASCII(text string) string {
	return strings.NewReplacer("…", "...", "–", "-", "—", "-", "’", "'", "‘", "'", "“", `"`, "”", `"`, "→",
		"->", "·", "-", "─", "-",
		"\u00a0", " ", "\uFFFD", "?").Replace(text)
}

// line writes one line as it is.
func (p *page) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	p.WriteString(strings.TrimRight(text, " ") + "\n")
}

// paragraph writes a text from anywhere, wrapped, behind a label that only the first line has; nothing if there is no
// text.
func (p *page) paragraph(indent, label, text string, ink *color.Color) {
	if text == "" {
		return
	}
	hanging := columns(indent + label)
	switch {
	case label == "":
	case ink == p.faint:
		label = ink.Sprint(label)
	default:
		label = p.bold.Sprint(label)
	}
	for i, line := range wrap(p.safe(text), p.Width-hanging) {
		if i == 0 {
			p.line("%s%s%s", indent, label, ink.Sprint(line))
			continue
		}
		p.line("%s%s", strings.Repeat(" ", hanging), ink.Sprint(line))
	}
}

// command writes what can be pasted: never wrapped, whatever its length. A terminal that is narrower breaks the line where it
// ends, and gives it whole to whoever copies it.
func (p *page) command(indent, command string) {
	for i, line := range strings.Split(strings.TrimRight(command, "\n"), "\n") {
		lead := "$ "
		if i > 0 {
			lead = "  "
		}
		p.line("%s%s%s", indent, p.faint.Sprint(lead), p.bold.Sprint(p.safe(line)))
	}
}

// first tells whether a text is new to the page.
func (p *page) first(text string) bool {
	told := p.told[text]
	p.told[text] = true
	return !told
}
