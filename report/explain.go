package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"runner-preflight/checks"
)

// ErrUnknownName says that no group, check or problem has the name.
var ErrUnknownName = errors.New("no check, group or problem has this name")

// Explain writes what a problem is, why it breaks a runner and how to mend it, or what a check or a group looks at.
func Explain(w io.Writer, all []checks.Check, name string, o TextOptions) error {
	p := newPage(o)
	if i := slices.IndexFunc(checks.Problems(all), func(x *checks.Problem) bool { return x.ID == name }); i >= 0 {
		p.problem(all, checks.Problems(all)[i])
	}
	for _, check := range all {
		if check.Name == name || check.Group() == name {
			if p.Len() > 0 {
				p.line("")
			}
			p.check(check)
		}
	}
	if p.Len() == 0 {
		return fmt.Errorf("%q: %w", name, ErrUnknownName)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// problem explains one problem.
func (p *page) problem(all []checks.Check, x *checks.Problem) {
	p.line("%s", p.bold.Sprint(x.ID))
	p.paragraph("", "", x.Title, p.plain)
	p.line("")
	p.prose("", x.Doc)
	p.line("")
	p.paragraph("", "source: ", x.Source, p.plain)
	p.paragraph("", "found by: ", strings.Join(foundBy(all, x), ", "), p.plain)
	p.paragraph("", "explains: ", strings.Join(x.Explains, ", "), p.plain)
	p.paragraph("", "explained by: ", strings.Join(explainedBy(all, x), ", "), p.plain)
}

// prose writes the paragraphs of a documentation.
func (p *page) prose(indent, text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.line("")
		}
		p.paragraph(indent, "", strings.ReplaceAll(paragraph, "\n", " "), p.plain)
	}
}

// foundBy are the checks that report a problem; none for one that any check may report.
func foundBy(all []checks.Check, x *checks.Problem) []string {
	var names []string
	for _, check := range all {
		if slices.Contains(check.Problems, x) {
			names = append(names, check.Name)
		}
	}
	return names
}

func explainedBy(all []checks.Check, x *checks.Problem) []string {
	var names []string
	for _, cause := range checks.Problems(all) {
		if slices.Contains(cause.Explains, x.ID) {
			names = append(names, cause.ID)
		}
	}
	return names
}

// check says what a check looks at, and what it may report.
func (p *page) check(c checks.Check) {
	p.line("%s", p.bold.Sprint(c.Name))
	p.paragraph("", "", c.Title, p.plain)
	if c.Doc != "" {
		p.line("")
		p.prose("", c.Doc)
	}
	if len(c.Problems) > 0 {
		p.line("")
		p.names(c.Problems, "  ")
	}
}

// List writes all groups, checks and problems with their titles, each problem once.
func List(w io.Writer, all []checks.Check, o TextOptions) error {
	p := newPage(o)
	groups := groupsOf(all)
	listed := map[*checks.Problem]bool{}
	for _, group := range groups {
		p.line("%s", p.bold.Sprint(heading(group)))
		for _, check := range all {
			if check.Group() == group {
				p.paragraph("  ", check.Name+"  ", check.Title, p.plain)
				p.newNames(check.Problems, listed)
			}
		}
		p.line("")
	}
	p.line("%s", p.bold.Sprint("Any check"))
	p.newNames(checks.Problems(all), listed)
	p.line("")
	p.paragraph("", "", fmt.Sprintf("The names of groups (%s), checks and problems go with --only and --skip. "+
		"%s explain NAME says more.", strings.Join(groups, ", "), tool), p.faint)
	_, err := io.WriteString(w, p.String())
	return err
}

// newNames lists the problems that were not listed before, and names the others; all of them need no naming.
func (p *page) newNames(problems []*checks.Problem, listed map[*checks.Problem]bool) {
	var news []*checks.Problem
	var others []string
	for _, x := range problems {
		if listed[x] {
			others = append(others, x.ID)
			continue
		}
		listed[x] = true
		news = append(news, x)
	}
	p.names(news, "    ")
	if len(others) < len(listed)-len(news) {
		p.paragraph("    ", "also: ", strings.Join(others, ", "), p.faint)
	}
}

// names lists problems with their titles, the titles in one column.
func (p *page) names(problems []*checks.Problem, indent string) {
	column := 0
	for _, x := range problems {
		column = max(column, columns(x.ID))
	}
	for _, x := range problems {
		if p.Width-columns(indent)-column-2 < narrowest/2 {
			p.line("%s%s", indent, x.ID)
			p.paragraph(indent+"  ", "", x.Title, p.faint)
			continue
		}
		p.paragraph(indent+x.ID+strings.Repeat(" ", column-columns(x.ID)+2), "", x.Title, p.faint)
	}
}
