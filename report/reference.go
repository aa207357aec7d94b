package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"runner-preflight/checks"
)

// Reference writes checks/README.md.
func Reference(w io.Writer, all []checks.Check) error {
	const origin = "<!-- Written by go test ./report -update: change the checks instead. -->\n\n"
	if _, err := io.WriteString(w, origin); err != nil {
		return err
	}
	return ListMarkdown(w, all)
}

// ListMarkdown writes every check with its problems, and every problem once.
func ListMarkdown(w io.Writer, all []checks.Check) error {
	var out strings.Builder
	out.WriteString("# Checks and problems\n\nA check looks at one thing; a problem is what it may find. Their names go " +
		"with `--only`, `--skip` and " +
		"`" + tool + " explain NAME`, and are never renamed.\n")
	written := map[*checks.Problem]bool{}
	for _, check := range all {
		referCheck(&out, all, check, written)
	}
	out.WriteString("\n## Any check\n")
	for _, problem := range checks.Problems(all) {
		if !written[problem] {
			referProblem(&out, all, problem)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// referCheck writes a check, and in full those of its problems that no check before it has.
func referCheck(out *strings.Builder, all []checks.Check, check checks.Check, written map[*checks.Problem]bool) {
	fmt.Fprintf(out, "\n## %s\n\n%s.\n", check.Name, escaped(check.Title))
	if check.Doc != "" {
		fmt.Fprintf(out, "\n%s\n", escaped(check.Doc))
	}
	if len(check.Problems) == 0 {
		return
	}
	out.WriteString("\n| problem | what is wrong |\n| --- | --- |\n")
	for _, problem := range check.Problems {
		fmt.Fprintf(out, "| [%s](#%s) | %s |\n", problem.ID, problem.ID,
			strings.ReplaceAll(escaped(problem.Title), "|", `\|`))
	}
	for _, problem := range check.Problems {
		if !written[problem] {
			written[problem] = true
			referProblem(out, all, problem)
		}
	}
}

// referProblem writes a problem under its name as a heading, to which other pages can link.
func referProblem(out *strings.Builder, all []checks.Check, x *checks.Problem) {
	fmt.Fprintf(out, "\n### %s\n\n**%s.** %s\n\nSource: %s.\n", x.ID, escaped(x.Title), escaped(x.Doc),
		strings.TrimSuffix(escaped(x.Source), "."))
	for _, relation := range []struct {
		words string
		ids   []string
	}{{"Explains", x.Explains}, {"Explained by", explainedBy(all, x)}} {
		var links []string
		for _, id := range relation.ids {
			links = append(links, fmt.Sprintf("[%s](#%s)", id, id))
		}
		if len(links) > 0 {
			fmt.Fprintf(out, "\n%s: %s.\n", relation.words, strings.Join(links, ", "))
		}
	}
}

// escaped is a text as Markdown that looks like it; what stands between backticks is code and left alone.
func escaped(text string) string {
	parts := strings.Split(text, "`")
	for i := range parts {
		if i%2 == 0 || i == len(parts)-1 {
			parts[i] = escapedProse(parts[i])
		}
	}
	return strings.Join(parts, "`")
}

func escapedProse(text string) string {
	var out strings.Builder
	word := func(i int) bool { return i >= 0 && i < len(text) && letterOrDigit.MatchString(text[i:i+1]) }
	for i := range len(text) {
		switch c := text[i]; {
		case c == '<':
			out.WriteString("&lt;")
			continue
		case c == '*', c == '\\', c == '[', c == '_' && (!word(i-1) || !word(i+1)):
			out.WriteByte('\\')
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

var letterOrDigit = regexp.MustCompile(`[0-9A-Za-z]`)
