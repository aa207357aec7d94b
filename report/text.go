package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"runner-preflight/checks"
)

// Text makes the format for people: causes first, then every check, then the summary.
func Text(o TextOptions) Format {
	return func(w io.Writer, r Report) error {
		p := newPage(o)
		for _, runner := range r.Runners {
			p.runners = append(p.runners, runner.Name)
		}
		if !p.Quiet {
			p.header(r)
		}
		if !p.Quiet || len(r.Causes) > 0 || !r.Summary.checked() {
			p.causes(r)
			p.line("")
		}
		if !p.Quiet {
			p.checks(r)
		}
		p.summary(r)
		_, err := io.WriteString(w, p.String())
		return err
	}
}

// header says what was judged.
func (p *page) header(r Report) {
	name := p.bold.Sprint(tool) + " " + p.safe(r.Version)
	switch len(r.Runners) {
	case 0:
		p.line("%s", name)
	case 1:
		what := p.subject(r.Runners[0])
		if columns(tool+" "+r.Version)+2+columns(what) <= p.Width {
			p.line("%s  %s", name, what)
			break
		}
		fallthrough
	default:
		most := len(r.Runners)
		if most > usualFindings && !p.Verbose {
			most, name = fewSubjects, name+"  "+checks.Thousands(most)+" runners"
		}
		p.line("%s", name)
		for i, runner := range r.Runners {
			if i == most {
				p.line("  %s and %s more", p.glyph("…", "..."), checks.Thousands(len(r.Runners)-i))
				break
			}
			p.paragraph("  ", "", p.subject(runner), p.plain)
		}
	}
	p.line("")
}

// subject is a runner in one line: its definition, config.json and platform.
func (p *page) subject(r Runner) string {
	parts := []string{r.Name}
	if r.Definition == "" && r.Name == r.Config {
		parts[0] = "no definition"
	}
	if r.Config == "" {
		parts = append(parts, "no config.json")
	} else {
		parts = append(parts, r.Config)
	}
	if r.Platform == "" {
		parts = append(parts, "platform unknown")
	} else {
		parts = append(parts, r.Platform)
	}
	for i := range parts {
		parts[i] = p.safe(parts[i])
	}
	return strings.Join(parts, " "+p.glyph("·", "-")+" ")
}

// summary counts what was found, in one line, or more where that is too long.
func (p *page) summary(r Report) {
	s := r.Summary
	line, used := "", 0
	add := func(n int, ink *color.Color, words string) {
		switch size := columns(words); {
		case n == 0:
			return
		case used == 0:
			used = size
		case used+2+size > p.Width:
			line, used = line+",\n", size
		default:
			line, used = line+", ", used+2+size
		}
		line += ink.Sprint(words)
	}
	add(s.Pass, p.status[checks.Pass], checks.Thousands(s.Pass)+" passed")
	add(s.Warn, p.status[checks.Warn], checks.CountOf(s.Warn, "warning", "warnings"))
	add(s.Error, p.status[checks.Error], checks.Thousands(s.Error)+" not established")
	add(s.Fail, p.status[checks.Fail], checks.Thousands(s.Fail)+" failed")
	add(s.Skip, p.status[checks.Skip], checks.Thousands(s.Skip)+" skipped")
	add(s.Ignored, p.status[checks.Skip], checks.Thousands(s.Ignored)+" ignored")
	if used == 0 {
		line = "0 checks"
	}
	end := " in " + duration(r.Duration)
	if r.Interrupted {
		end = ", interrupted after " + duration(r.Duration)
	}
	if used+columns(end) > p.Width {
		line, end = line+"\n", strings.TrimLeft(end, ", ")
	}
	p.line("%s%s", line, end)
	if r.Baseline == nil {
		return
	}
	p.paragraph("", "", r.Baseline.String(), p.plain)
	if names := r.Baseline.mended(); len(names) > 0 {
		p.paragraph("", "mended: ", checks.Few(names, fewSubjects), p.plain)
	}
}

func duration(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// checks writes every check under the heading of its group.
func (p *page) checks(r Report) {
	numbers := numbersByPlace(r)
	var groups []string
	for _, result := range r.Results {
		if group := result.Check.Group(); !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	for _, group := range groups {
		p.line("%s", p.bold.Sprint(heading(group)))
		var rows []row
		for i, result := range r.Results {
			if result.Check.Group() == group {
				rows = append(rows, p.rows(result, func(j int) []int { return numbers[place{i, j}] })...)
			}
		}
		p.table(folded(rows))
		p.line("")
	}
}

func heading(group string) string {
	switch group {
	case "config":
		return "Docker config"
	case "daemon":
		return "Docker daemon"
	case "definition":
		return "Runner definition"
	case "image":
		return "Images"
	}
	return strings.ToUpper(group[:1]) + group[1:]
}

// numbersByPlace numbers the causes and tells which findings belong to which.
func numbersByPlace(r Report) map[place][]int {
	numbers := map[place][]int{}
	for i, c := range r.Causes {
		if len(c.By) > 0 {
			break
		}
		for _, at := range append(slices.Clone(c.own), c.follows...) {
			numbers[at] = append(numbers[at], i+1)
		}
	}
	return numbers
}
