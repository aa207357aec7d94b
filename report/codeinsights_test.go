package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// readInsights reads the files as Bitbucket takes them: it refuses fields that are too long or empty, more than 100
// annotations in a request, 1,000 in a report and 10 of its data, and external ids that are there twice.
func readInsights(t *testing.T, r Report) (insightsReport, []insightsAnnotation) {
	t.Helper()
	var out insightsReport
	var all []insightsAnnotation
	ids := map[string]bool{}
	for i, file := range CodeInsights(r) {
		if file.Name != FolderFormats()["codeinsights"].Names[i] {
			t.Errorf("file %d is %s", i, file.Name)
		}
		var text strings.Builder
		if err := file.Write(&text); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(strings.NewReader(text.String()))
		decoder.DisallowUnknownFields()
		var annotations []insightsAnnotation
		var into any = &annotations
		if i == 0 {
			into = &out
		}
		if err := decoder.Decode(into); err != nil {
			t.Fatal(err)
		}
		if i > 0 && (len(annotations) == 0 || len(annotations) > 100) {
			t.Errorf("%d annotations in a request", len(annotations))
		}
		all = append(all, annotations...)
	}
	if len(all) > 1000 || len(out.Data) > 10 || !fits(out.Details, 2000) || !slices.Contains([]string{"PASSED", "FAILED"}, out.Result) {
		t.Errorf("%d annotations, %+v", len(all), out)
	}
	for _, a := range all {
		if ids[a.ID] || !fits(a.ID, 450) || !fits(a.Title, 450) || !fits(a.Summary, 450) || !fits(a.Details, 2000) {
			t.Errorf("is there twice, empty or too long: %+v", a)
		}
		ids[a.ID] = true
		if a.Line > 0 != (a.Path != "") || a.Path != "" && !filepath.IsLocal(a.Path) || strings.HasPrefix(a.Path, "./") {
			t.Errorf("no place in a repository: %s:%d", a.Path, a.Line)
		}
	}
	return out, all
}

func fits(text string, most int) bool {
	return text != "" && utf8.RuneCountInString(text) <= most && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' })
}

func TestCodeInsightsTellsTheSame(t *testing.T) {
	for name, r := range machineSamples() {
		out, all := readInsights(t, r)
		want := seenIn(r)
		if len(all) != min(1000, want.Fail+want.Error+want.Warn) {
			t.Errorf("%s: %d annotations of %+v", name, len(all), want)
		}
		if passed := r.ExitCode(checks.Fail) == 0; passed != (out.Result == "PASSED") {
			t.Errorf("%s: %s", name, out.Result)
		}
		text := fmt.Sprint(out, all)
		if strings.Contains(text, canary) {
			t.Errorf("%s shows a secret", name)
		}
	}
}

// manyFindings is a report of n failures, of which two have one fingerprint, with texts that are long and odd.
func manyFindings(n int, text string) Report {
	file := source.New("deploy/run.sh", []byte(strings.Repeat("line\n", n)))
	result := checks.Result{Check: definition, Status: checks.Fail}
	for i := range n {
		f := checks.Failed(envMissing, fmt.Sprint(text, i/2), text, text).At(file.At(i*5, i*5+4))
		if i == n-1 {
			f = checks.Warned(envMissing, "last", text, text).At(source.New("/etc/run.sh", nil).Whole())
		}
		result.Findings = append(result.Findings, f)
	}
	return New(Run{Host: &checks.Host{}, Results: []checks.Result{result}})
}

func TestCodeInsightsLimits(t *testing.T) {
	for _, text := range append(hostileTexts(), "plain", strings.Repeat("ä", 5000), "\x1b[31m\x00\xff]]>\u2028") {
		for _, n := range []int{1, 2, 100, 101, 1000, 1001, 1234} {
			if text != "plain" && n != 2 && n != 101 {
				continue
			}
			out, all := readInsights(t, manyFindings(n, text+"."))
			if len(all) != min(n, 1000) || strings.Contains(out.Details, "not among") != (n > 1000) {
				t.Errorf("%d findings: %d annotations, %s", n, len(all), out.Details)
			}
		}
	}
}

// TestCodeInsightsStable moves every finding: Bitbucket must take it for the same.
func TestCodeInsightsStable(t *testing.T) {
	_, before := readInsights(t, manyFindings(3, "x"))
	moved := manyFindings(3, "x")
	file := source.New("deploy/run.sh", []byte(strings.Repeat("\n", 100)))
	for i := range moved.Results[0].Findings[:2] {
		moved.Results[0].Findings[i].Location = file.At(50+i, 50+i)
	}
	_, after := readInsights(t, moved)
	for i := range before {
		if before[i].ID != after[i].ID {
			t.Errorf("%s became %s", before[i].ID, after[i].ID)
		}
	}
	if before[0].Path != "deploy/run.sh" || before[0].Line != 1 || before[2].Path != "" || !strings.Contains(before[2].Details, "/etc/run.sh") {
		t.Errorf("%+v", before)
	}
}
