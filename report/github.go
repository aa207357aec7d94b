package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"runner-preflight/checks"
)

// Of each level a step's first ten annotations are shown; the runner drops the rest without a word.
const mostAnnotations = 10

// GitHub writes workflow commands of GitHub Actions: an annotation for each finding, worst first, as many as are shown,
// then one line that sums up.
func GitHub(w io.Writer, r Report) error {
	var out strings.Builder
	shown, hidden := map[string]int{}, 0
	for _, f := range worstEntries(r) {
		if shown[level(f.Status)] == mostAnnotations {
			hidden++
			continue
		}
		shown[level(f.Status)]++
		out.WriteString(annotation(r, f))
	}
	for _, f := range slices.Concat(findings(r)...) {
		if f.Status == checks.Skip {
			out.WriteString("skipped: " + plainLine(f.check.Name+": "+f.about()) + "\n")
		}
	}
	sum := tool + ": " + summaryLine(r)
	if hidden > 0 {
		sum = "::notice title=" + tool + "::" + summaryLine(r) + "; " +
			checks.CountOf(hidden, "finding is", "findings are") + " not among the annotations: see the text report"
	}
	out.WriteString(sum + "\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// annotation is one finding as a command. Its columns are shown to people only, so they count in characters.
func annotation(r Report, f entry) string {
	var properties []string
	property := func(name, value string) {
		properties = append(properties, name+"="+githubProperty.Replace(value))
	}
	if at, found := r.anchor(f); found {
		property("file", shownPath(at))
		if at.Start >= 0 {
			begin, end := at.Position(), at.File.Position(max(at.Start, at.End))
			property("line", fmt.Sprint(begin.Line))
			property("endLine", fmt.Sprint(end.Line))
			if begin.Line == end.Line { // columns are refused for several lines
				property("col", fmt.Sprint(begin.Column))
				property("endColumn", fmt.Sprint(max(begin.Column, end.Column-1)))
			}
		}
	}
	property("title", f.id()+": "+oneLine(f.Problem.Title))
	text := strings.Join(append([]string{f.about()}, f.remedy()...), "\n")
	return "::" + level(f.Status) + " " + strings.Join(properties, ",") + "::" + githubData.Replace(cut(text)) + "\n"
}

// What the runner takes for the end of a command or of a property is spelled as its own library does; % comes first,
// which a Replacer sees to by reading each character once. "##[" begins a command of the old form, in mid-line too.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "# #[")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C", "##[", "# #[")
)

// plainLine is a text that is no command, in a line that begins with words of ours.
func plainLine(text string) string { return cut(strings.ReplaceAll(text, "##[", "# #[")) }

// worstEntries are the same as people should read them: worst first, and causes before what they explain.
func worstEntries(r Report) []entry {
	all := problems(r)
	slices.SortStableFunc(all, func(a, b entry) int {
		switch {
		case a.Status != b.Status:
			return int(b.Status - a.Status)
		case len(a.by) == 0 && len(b.by) > 0:
			return -1
		case len(a.by) > 0 && len(b.by) == 0:
			return 1
		}
		return 0
	})
	return all
}

// summaryLine is the summary of a report in one line.
func summaryLine(r Report) string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{r.Summary.Fail, "failed", "failed"},
		{r.Summary.Error, "not established", "not established"},
		{r.Summary.Warn, "warning", "warnings"},
		{r.Summary.Pass, "passed", "passed"},
		{r.Summary.Skip, "skipped", "skipped"},
		{r.Summary.Ignored, "ignored", "ignored"},
	} {
		if part.n > 0 {
			parts = append(parts, checks.CountOf(part.n, part.one, part.many))
		}
	}
	switch {
	case len(parts) == 0:
		parts = []string{strings.ToLower(strings.TrimSuffix(nothing(r), "."))}
	case !r.Summary.checked():
		parts = append(parts, "nothing was checked")
	}
	if r.Baseline != nil {
		parts = append(parts, r.Baseline.String())
	}
	if r.Interrupted {
		parts = append(parts, "interrupted: this is what was known by then")
	}
	return strings.Join(parts, ", ")
}
