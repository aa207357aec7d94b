package report

import (
	"io"

	"runner-preflight/checks"
)

// GitLab's Code Quality report is a list of issues, each with a place, as GitLab's documentation has it.
type codeIssue struct {
	Description string    `json:"description"`
	CheckName   string    `json:"check_name"`
	Fingerprint string    `json:"fingerprint"`
	Severity    string    `json:"severity"`
	Location    codePlace `json:"location"`
}

type codePlace struct {
	Path  string    `json:"path"`
	Lines codeLines `json:"lines"`
}

type codeLines struct {
	Begin int `json:"begin"`
}

// CodeQuality writes the report for GitLab's merge requests. An issue needs a file and a line there: what has none is
// shown where the definition names the image or the runner, and without a definition under the tool's name.
func CodeQuality(w io.Writer, r Report) error {
	issues := []codeIssue{}
	for _, f := range problems(r) {
		text := f.about()
		for _, line := range f.remedy() {
			text += "; " + line
		}
		issues = append(issues, codeIssue{cut(text), f.id(), f.print, severity(f.Status), codePlaceOf(r, f)})
	}
	return writeJSON(w, issues)
}

func codePlaceOf(r Report, f entry) codePlace {
	at, found := r.anchor(f)
	if !found {
		return codePlace{tool, codeLines{1}}
	}
	return codePlace{shownPath(at), codeLines{max(1, at.Position().Line)}}
}

// severity is a status in GitLab's words.
func severity(s checks.Status) string {
	switch s {
	case checks.Fail:
		return "critical"
	case checks.Error:
		return "major"
	}
	return "minor"
}
