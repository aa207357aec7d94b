package report

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// readSARIF checks what schemas of SARIF miss, and what code scanning insists on.
func readSARIF(t *testing.T, text string) seen {
	t.Helper()
	for _, member := range []string{`"results": [`, `"rules": [`, `"toolExecutionNotifications": [`} {
		if !strings.Contains(text, member) {
			t.Errorf("there is no %s", member)
		}
	}
	var log sarifLog
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	s := seen{Pass: run.Properties["pass"]}
	for _, rule := range run.Tool.Driver.Rules {
		if rule.ID == "" || rule.Short.Text == "" || rule.Full.Text == "" || rule.Help.Text == "" {
			t.Errorf("a rule lacks something: %+v", rule)
		}
	}
	prints := map[string]bool{}
	for _, result := range run.Results {
		if run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID {
			t.Errorf("%s has the index of another rule", result.RuleID)
		}
		print := result.Fingerprints["primaryLocationLineHash"]
		if prints[print] || print == "" || result.Message.Text == "" || len(result.Locations) != 1 {
			t.Errorf("a result lacks something: %+v", result)
		}
		prints[print] = true
		checkPlace(t, result.Locations[0].Physical)
		if len(result.Suppressions) > 0 {
			if result.Properties.Ignored == "" || result.Level == "note" {
				t.Errorf("a result is suppressed, and says nothing of it or has lost its level: %+v", result)
			}
			s.Ignored++
			continue
		}
		s.add(t, result.RuleID, result.Level, result.Properties)
	}
	for _, note := range run.Invocations[0].Notifications {
		id := ""
		if note.Properties.Ignored != "" && note.Level == "note" {
			s.Ignored++
			continue
		}
		if note.Rule != nil {
			id = note.Rule.ID
		}
		s.add(t, id, note.Level, note.Properties)
	}
	return s
}

// add counts by the status, which must fit the level.
func (s *seen) add(t *testing.T, id, level string, properties sarifFinding) {
	t.Helper()
	levels := map[string]string{"fail": "error", "error": "warning", "warn": "warning", "skip": "note"}
	if level != levels[properties.Status] {
		t.Errorf("%s is of the level %s", properties.Status, level)
	}
	counts := map[string]*int{"fail": &s.Fail, "error": &s.Error, "warn": &s.Warn, "skip": &s.Skip}
	*counts[properties.Status]++
	if id != "" {
		s.IDs = append(s.IDs, id)
	}
}

func checkPlace(t *testing.T, at sarifPhysical) {
	t.Helper()
	u, err := url.Parse(at.Artifact.URI)
	if err != nil || u.Path == "" || strings.HasPrefix(u.Path, "/") != (u.Scheme == "file") {
		t.Errorf("%q is no relative URI, %v", at.Artifact.URI, err)
	}
	r := at.Region
	if r.StartLine < 1 || r.EndLine != 0 && (r.StartColumn < 1 || r.EndLine < r.StartLine || r.EndColumn < 1 ||
		r.EndLine == r.StartLine && r.EndColumn < r.StartColumn) {
		t.Errorf("a region is no region: %+v", r)
	}
}

// What stands in no file is shown where the image is written; columns count as editors do, a smiley twice.
func TestSARIFAnchors(t *testing.T) {
	var log sarifLog
	if err := json.Unmarshal([]byte(written(t, SARIF, anchored())), &log); err != nil {
		t.Fatal(err)
	}
	results, notes := log.Runs[0].Results, log.Runs[0].Invocations[0].Notifications
	var got []sarifRegion
	for _, result := range results {
		if uri := result.Locations[0].Physical.Artifact.URI; uri != "deploy/run.sh" {
			t.Errorf("%s is shown in %s", result.RuleID, uri)
		}
		got = append(got, result.Locations[0].Physical.Region)
	}
	// "  -e X='😀' -e PAUSE_IMAGE=": 27 units before the image, which has 36.
	image, own := sarifRegion{2, 28, 2, 64}, sarifRegion{3, 3, 3, 11}
	if len(got) != 3 || got[0] != image || got[1] != own || got[2] != image {
		t.Errorf("got %+v", got)
	}
	if len(notes) != 2 || notes[0].Rule.ID != "connect-timeout" {
		t.Errorf("a finding without any file is no notification: %+v", notes)
	}
}

func TestURIs(t *testing.T) {
	for path, want := range map[string]string{
		"run.sh": "run.sh", "./deploy//run.sh": "deploy/run.sh", "../run.sh": "../run.sh",
		"/root/.docker/config.json": "file:///root/.docker/config.json", "a b/100%.sh": "a%20b/100%25.sh",
		"a:b.sh": "./a:b.sh", "x?y#z": "x%3Fy%23z",
	} {
		if got := uri(path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}
