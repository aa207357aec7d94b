package report

import (
	"slices"
	"strings"
	"testing"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// Widths are those of Unicode's UAX #11: East Asian wide characters and emoji take two columns, marks none.
func TestColumns(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "漢字": 4, "é": 1, "e\u0301": 1, "…│✓–": 4, "😀": 2, "ｆ": 2,
		"ﬀ": 1, "한": 2, "\uFFFD": 1,
	} {
		if got := columns(text); got != want {
			t.Errorf("columns(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text string
		most int
		want []string
	}{
		{"", 10, []string{""}},
		{"one two", 7, []string{"one two"}},
		{"one two", 6, []string{"one", "two"}},
		{
			"see registry.example.com/a/very/long:reference now", 10,
			[]string{"see", "registry.example.com/a/very/long:reference", "now"},
		},
		{"漢字 漢字", 8, []string{"漢字", "漢字"}},
		{"two  blanks", 20, []string{"two  blanks"}},
	}
	for _, test := range tests {
		if got := wrap(test.text, test.most); !slices.Equal(got, test.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.most, got, test.want)
		}
	}
}

// The caret must stand under the stretch, whatever is before it and however narrow the page.
func TestCaretStandsUnderItsText(t *testing.T) {
	for _, before := range []string{"", "  ", "漢字漢字 ", "e\u0301", strings.Repeat("x", 70), strings.Repeat("漢", 70)} {
		for _, after := range []string{"", ": 1,", strings.Repeat("字", 70)} {
			for _, word := range []string{"auth", "漢", strings.Repeat("long", 20)} {
				text := before + word + after
				span := source.New("f", []byte(text)).At(len(before), len(before)+len(word))
				for _, most := range []int{24, 40, 72, 200} {
					checkCaret(t, span.Excerpt(), word, most)
				}
			}
		}
	}
}

func checkCaret(t *testing.T, e source.Excerpt, word string, most int) {
	t.Helper()
	line, caret := crop(e, most, "…")
	if columns(line) > most || columns(caret) > most {
		t.Errorf("%q and %q are wider than %d", line, caret, most)
	}
	start := strings.Index(caret, "^")
	at, marked := 0, ""
	for _, r := range line {
		if at >= start && at < len(caret) && runeColumns(r) > 0 {
			marked += string(r)
		}
		at += runeColumns(r)
	}
	if marked == "" || !strings.HasPrefix(word, strings.TrimSuffix(marked, "…")) {
		t.Errorf("the caret is under %q instead of %q:\n%s\n%s", marked, word, line, caret)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 99980: "99,980", 1234567: "1,234,567"} {
		if got := checks.Thousands(n); got != want {
			t.Errorf("checks.Thousands(%d) = %s, want %s", n, got, want)
		}
	}
}

// No line is wider than the page, but for what must stay whole: commands, and what has no blank in it.
func TestLinesFit(t *testing.T) {
	for name, r := range samples() {
		for _, width := range []int{40, 60, 80, 120} {
			for line := range strings.Lines(written(t, Text(TextOptions{Width: width, Unicode: true}), r)) {
				line = strings.TrimRight(line, "\n")
				whole := slices.ContainsFunc(strings.Fields(line),
					func(word string) bool { return columns(word) > width-24 })
				if columns(line) > width && !whole && !strings.HasPrefix(strings.TrimSpace(line), "$") {
					t.Errorf("%s at %d columns: %q", name, width, line)
				}
			}
		}
	}
}

// TestCommandsStayWhole writes no line break into a command, however narrow the page is: the terminal breaks the line, and
// what is copied from there, or read from a pipe, is one line that a shell takes. A break of ours would have to know quotes
// and comments.
func TestCommandsStayWhole(t *testing.T) {
	long := "(umask 077; docker inspect runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae > runner.json)  # it holds the runner's secret"
	for _, width := range []int{narrowest, 60, widest} {
		f := checks.Failed(missing, "a", "m", "h").Try(long, "one\ntwo")
		r := New(Run{Host: &checks.Host{}, Results: []checks.Result{result(configAuth, 0, f)}})
		lines := strings.Split(written(t, Text(TextOptions{Width: width}), r), "\n")
		for _, want := range []string{"   $ " + long, "   $ one", "     two"} {
			if !slices.Contains(lines, want) {
				t.Errorf("at %d columns there is no line %q in\n%s", width, want, strings.Join(lines, "\n"))
			}
		}
	}
}

// The words are those that people read first: they must be right for none, one and many.
func TestHeadlines(t *testing.T) {
	fail, warn := checks.Failed(missing, "a", "m", "h"), checks.Warned(exposed, "w", "m", "h")
	undone := checks.Erred(unknown, "e", "m", "h")
	cause := checks.Failed(store, "s", "m", "h").Touching("x")
	effect := func(subject string) checks.Finding { return checks.Failed(missing, subject, "m", "h").Touching("x") }
	tests := []struct {
		findings []checks.Finding
		want     []string
	}{
		{[]checks.Finding{checks.Passed("p", "m")}, []string{"Nothing found that would stop this runner."}},
		{
			[]checks.Finding{checks.Passed("p", "m"), checks.Skipped("k", "m")},
			[]string{"Nothing found that would stop this runner."},
		},
		{nil, []string{"Nothing was checked."}},
		{[]checks.Finding{checks.Skipped("k", "m")}, []string{"Nothing was checked: everything was skipped."}},
		{[]checks.Finding{fail}, []string{"1 failure. Mend it first:"}},
		{[]checks.Finding{fail, cause.On("other")}, []string{"2 failures. Mend these first:"}},
		{[]checks.Finding{cause, effect("b")}, []string{"1 cause explains 2 failures. Mend it first:"}},
		{
			[]checks.Finding{cause, effect("b"), fail, warn},
			[]string{"2 causes explain 3 failures. Mend these first:", "1 warning:"},
		},
		{[]checks.Finding{cause, effect("b").As(checks.Warn)}, []string{"1 failure. Mend it first:"}},
		{[]checks.Finding{warn}, []string{"1 warning, nothing that stops the runner:"}},
		{[]checks.Finding{warn, warn.On("v")}, []string{"2 warnings, nothing that stops the runner:"}},
		{
			[]checks.Finding{cause.As(checks.Warn), effect("b").As(checks.Warn)},
			[]string{"1 cause explains 2 warnings, nothing that stops the runner:"},
		},
		{
			[]checks.Finding{undone},
			[]string{"Nothing found that would stop this runner, but 1 thing could not be established:"},
		},
		{
			[]checks.Finding{undone, undone.On("f"), warn},
			[]string{
				"Nothing found that would stop this runner, but 2 things could not be established:",
				"1 warning:",
			},
		},
		{[]checks.Finding{undone, fail}, []string{"1 failure. Mend it first:", "1 thing could not be established:"}},
	}
	for _, test := range tests {
		r := New(Run{Results: []checks.Result{result(configFile, 0, test.findings...)}})
		text := written(t, Text(TextOptions{Width: 120}), r)
		at := 0
		for _, want := range test.want {
			i := strings.Index(text[at:], "\n"+want+"\n")
			if i < 0 {
				t.Errorf("%q is not there, or in the wrong place:\n%s", want, text)
				break
			}
			at += i
		}
	}
}

// Of messages that say the same of many images, one is enough; short ones, and all with -v, are told.
func TestMessagesThatAreAlike(t *testing.T) {
	p := &checks.Problem{ID: "connect-timeout", Title: "A host does not answer"}
	var findings []checks.Finding
	for _, role := range []string{"PAUSE_IMAGE", "CLONE_IMAGE"} {
		findings = append(findings, checks.Failed(p, role, "registry.example.com:443, which the docker daemon needs for "+
			role+": no answer from 192.0.2.1 within 5 s", "allow it").On("registry.example.com:443"))
	}
	for _, name := range []string{"OAUTH_CLIENT_ID", "RUNNER_UUID"} {
		findings = append(findings, checks.Failed(p, name, name+" is not set", "set it").On("run.sh"))
	}
	r := New(Run{Results: []checks.Result{{Check: checks.Check{Name: "image-resolves"}, Findings: findings}}})
	for verbose, want := range map[bool][]string{
		false: {"PAUSE_IMAGE: no", "affects: PAUSE_IMAGE, CLONE_IMAGE\n", "OAUTH_CLIENT_ID is not set\n   RUNNER_UUID is"},
		true:  {"PAUSE_IMAGE: no", "CLONE_IMAGE: no"},
	} {
		got := written(t, Text(TextOptions{Unicode: true, Verbose: verbose}), r)
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("%q is not in\n%s", text, got)
			}
		}
		if !verbose && strings.Contains(got, "CLONE_IMAGE: no") {
			t.Errorf("said twice:\n%s", got)
		}
	}
}

// A line of text that is broken does not begin with what a build would obey.
func TestWrapCommands(t *testing.T) {
	for _, command := range []string{"::error::x", "##vso[task.complete]x"} {
		for _, line := range wrap("refused: aaaa bbbb "+command+" cccc", 20)[1:] {
			if strings.HasPrefix(line, command) {
				t.Errorf("%q", line)
			}
		}
	}
}
