package report

import (
	"encoding/json"
	"strings"
	"testing"
)

// readCodeQuality knows problems alone: passes and skips are no issues.
func readCodeQuality(t *testing.T, r Report, text string) seen {
	t.Helper()
	var issues []codeIssue
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&issues); err != nil || issues == nil {
		t.Fatalf("no list, %v: %.50s", err, text)
	}
	s := seen{Pass: r.Summary.Pass, Skip: r.Summary.Skip, Ignored: r.Summary.Ignored}
	prints := map[string]bool{}
	for _, issue := range issues {
		if prints[issue.Fingerprint] || issue.Fingerprint == "" {
			t.Errorf("the fingerprint %q is there twice, or empty", issue.Fingerprint)
		}
		prints[issue.Fingerprint] = true
		if p := issue.Location.Path; p == "" || strings.HasPrefix(p, "./") || issue.Location.Lines.Begin < 1 {
			t.Errorf("no place: %+v", issue.Location)
		}
		if issue.Description == "" {
			t.Errorf("%s has no description", issue.CheckName)
		}
		*map[string]*int{"critical": &s.Fail, "major": &s.Error, "minor": &s.Warn}[issue.Severity]++
		s.IDs = append(s.IDs, issue.CheckName)
	}
	return s
}
