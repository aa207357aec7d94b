package report

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// FuzzFormats puts a text into whatever findings hold. No format may fail over it, obey it or be broken by it.
func FuzzFormats(f *testing.F) {
	for _, r := range hostile() {
		for _, finding := range r.Findings {
			f.Add(finding.Message, 3, 9)
		}
	}
	f.Add("", 0, 0)
	f.Add("\t{\"a\": \"漢\",\r\n}\n", 5, 6)
	f.Fuzz(func(t *testing.T, text string, start, end int) {
		file := source.New(text, []byte(text))
		start = min(max(start, 0), len(text))
		place := file.At(start, min(max(end, start), len(text)))
		finding := checks.Failed(store, text, "m"+text, "h"+text).On(text).Touching(text).Try(text+"c", "two\n"+text).
			At(place).With(text, text).With(text, []string{text})
		r := New(Run{Version: "1", Results: []checks.Result{
			result(configStore, 0, finding, checks.Passed(text, text)),
			result(resolves, 0, checks.Failed(missing, text, "m"+text, "h").Touching(text), checks.Skipped(text, text)),
		}})
		var document any
		if err := json.Unmarshal([]byte(written(t, JSON, r)), &document); err != nil {
			t.Error(err)
		}
		checkMachines(t, r)
		for _, o := range []TextOptions{{Unicode: true, Verbose: true}, {Width: 1}, {Width: 60, Quiet: true}} {
			got := written(t, Text(o), r)
			obeyed := func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x2028 }
			if !utf8.ValidString(got) || strings.ContainsFunc(got, obeyed) {
				t.Errorf("the text holds control characters or is no text: %q", got)
			}
		}
	})
}

// checkMachines reads back what other programs would.
func checkMachines(t *testing.T, r Report) {
	t.Helper()
	var root element
	if err := xml.Unmarshal([]byte(written(t, JUnit, r)), &root); err != nil {
		t.Error(err)
	}
	for _, s := range []seen{
		readSARIF(t, written(t, SARIF, r)), readCodeQuality(t, r, written(t, CodeQuality, r)),
	} {
		if s.Fail != r.Summary.Fail {
			t.Errorf("%d of %d failures", s.Fail, r.Summary.Fail)
		}
	}
	if s, _ := readGitHub(t, written(t, GitHub, r)); s.Fail != r.Summary.Fail {
		t.Errorf("%d of %d failures", s.Fail, r.Summary.Fail)
	}
	readMarkdown(t, written(t, Markdown, r))
}
