package report

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"runner-preflight/checks"
)

// TestVantageInEveryFormat has one image of which nothing but the evidence says from where it was looked at: whoever
// reads a verdict must know whose it is, in whatever format. Formats that list problems alone have no passes.
func TestVantageInEveryFormat(t *testing.T) {
	t.Parallel()
	problemsAlone := []string{"github", "codequality", "codeinsights", "sarif"}
	for _, seen := range []string{"this process", "docker daemon", "both"} {
		for verdict, f := range map[string]checks.Finding{
			"pass": checks.Passed("PAUSE_IMAGE", "it resolves"),
			"warn": checks.Warned(outdated, "PAUSE_IMAGE", "it is old", "copy it again"),
			"fail": checks.Failed(missing, "PAUSE_IMAGE", "it wants credentials", "add an entry"),
		} {
			r := New(Run{
				Version: "0.1.0", Host: oneRunner(), Results: []checks.Result{result(resolves, 0, f.With("vantage", seen))},
			})
			for format, text := range everyFormat(t, r) {
				if verdict == "pass" && slices.Contains(problemsAlone, format) {
					continue
				}
				if !strings.Contains(text, seen) || !strings.Contains(text, "vantage") {
					t.Errorf("%s: the %s does not have the vantage %q:\n%s", format, verdict, seen, text)
				}
			}
		}
	}
}

// everyFormat is a report in all formats, folders too, by name.
func everyFormat(t *testing.T, r Report) map[string]string {
	t.Helper()
	formats := Formats(TextOptions{Width: 80})
	for name, o := range map[string]TextOptions{"text -v": {Width: 80, Verbose: true}, "text of 40 columns": {Width: 40}} {
		formats[name] = Text(o)
	}
	texts := map[string]string{}
	for name, format := range formats {
		var out strings.Builder
		if err := format(&out, r); err != nil {
			t.Fatal(err)
		}
		texts[name] = strings.Join(strings.Fields(out.String()), " ")
	}
	for name, folder := range maps.All(FolderFormats()) {
		var out strings.Builder
		for _, file := range folder.Files(r) {
			if err := file.Write(&out); err != nil {
				t.Fatal(err)
			}
		}
		texts[name] = out.String()
	}
	return texts
}
