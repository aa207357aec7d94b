package report

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks"
)

// readMarkdown takes a document apart as CommonMark says: fences, then code spans. It returns the problems of the table,
// and fails for what is left outside of code and could mean something.
func readMarkdown(t *testing.T, text string) []string {
	t.Helper()
	var ids []string
	closing := ""
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		mark := regexp.MustCompile("^ {0,3}(```+)").FindString(line)
		switch {
		case closing == "" && mark != "":
			closing = strings.TrimSpace(mark)
			continue
		case closing != "":
			if strings.TrimSpace(line) == strings.TrimSpace(mark) && len(mark) >= len(closing) {
				closing = ""
			}
			continue
		}
		if !regexp.MustCompile(`^($|#{2,3} |\| |Mend: |Explains: |Written by |And |[A-Z][^:]*: )`).MatchString(line) {
			t.Errorf("a line begins with words that are not ours: %q", line)
		}
		prose := outsideCode(t, line)
		if strings.HasPrefix(line, "|") {
			if strings.Count(line, "|") != 4 {
				t.Errorf("a row has not three cells: %q", line)
			}
			if match := regexp.MustCompile("^\\| (?:FAIL|ERROR|WARN) \\| `[a-z-]+` \\| `([a-z0-9-]+)`: ").FindStringSubmatch(line); match != nil {
				ids = append(ids, match[1])
			}
		}
		prose = regexp.MustCompile(`&#(96|124);`).ReplaceAllString(strings.TrimLeft(prose, "#"), "")
		if found := regexp.MustCompile("[\\\\*_{}\\[\\]<>#~@&$^!%`]|:/|www\\.").FindString(prose); found != "" {
			t.Errorf("%q is outside of code in %q", found, line)
		}
	}
	if closing != "" {
		t.Error("a fence is not closed")
	}
	return ids
}

func outsideCode(t *testing.T, line string) string {
	t.Helper()
	parts := strings.Split(line, "`")
	if len(parts)%2 == 0 {
		t.Errorf("a code span is not closed: %q", line)
	}
	var prose strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 0:
			prose.WriteString(part + " ")
		case part == "":
			t.Errorf("a code span is empty: %q", line)
		}
	}
	return prose.String()
}

func TestMarkdownTellsTheSame(t *testing.T) {
	for name, r := range machineSamples() {
		text := written(t, Markdown, r)
		if !strings.HasPrefix(text, "## Runner preflight: "+summaryLine(r)+"\n\n") {
			t.Errorf("%s does not begin with its summary: %q", name, text[:50])
		}
		// A row stands for all findings of one problem in one check, from one vantage.
		var want []string
		for _, all := range findings(r) {
			var ids []string
			for _, f := range all {
				if key := f.Status.String() + " " + f.id() + " " + vantage(f.Finding); f.trouble() && !slices.Contains(ids, key) {
					ids = append(ids, key)
				}
			}
			for _, key := range ids {
				want = append(want, strings.Fields(key)[1])
			}
		}
		if diff := cmp.Diff(want, readMarkdown(t, text)); diff != "" {
			t.Errorf("%s tells something else (-report +format):\n%s", name, diff)
		}
	}
}

// A container's place is one code span, as its name has a blank in it; other words in angle brackets are not joined.
func TestMarkdownPlaceInAContainer(t *testing.T) {
	for text, want := range map[string]string{
		"<container runner-1>:35:18": "`<container runner-1>:35:18`",
		"<the runner-1>:35:18":       "`<the` `runner-1>:35:18`",
	} {
		if got := markdownText(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

func TestMarkdownIsSafe(t *testing.T) {
	for _, text := range append(hostileTexts(), "```", "````\n# x", "`", "``` `` `", "a`b|c\\", "%1 !2 &3 $4 ~5 ^6 @x", "/close", "- x", "1. x", "> x", "\t\tx") {
		f := checks.Failed(store, text, text, text).On(text).At(at(text, "x"+text+"y", "x")).Try(text, "x\n"+text)
		got := written(t, Markdown, New(Run{Version: text, Results: []checks.Result{
			result(configStore, 0, f, checks.Skipped(text, text), checks.Passed(text, text)),
			result(resolves, 0, missingAt(text, text)),
		}}))
		readMarkdown(t, got)
	}
}
