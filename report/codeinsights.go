package report

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks"
)

// File is one of the files of a report that is a folder.
type File struct {
	// Name is the file's within the folder.
	Name  string
	Write func(io.Writer) error
}

// FolderFormat is a form of reports that is a folder.
type FolderFormat struct {
	// Names are those of all files that any report may write; what one does not write is left of a report before it.
	Names []string
	Files func(Report) []File
}

// FolderFormats are all formats by name that are folders.
func FolderFormats() map[string]FolderFormat {
	names := []string{insightsName(0)}
	for i := range insightsAnnotations / insightsRequest {
		names = append(names, insightsName(i+1))
	}
	return map[string]FolderFormat{"codeinsights": {names, CodeInsights}}
}

// insightsName is the name of the report, and from 1 on of its annotations.
func insightsName(i int) string {
	if i == 0 {
		return "report.json"
	}
	return fmt.Sprintf("annotations-%02d.json", i)
}

// The limits of Bitbucket's Code Insights: characters of a field, annotations of a report and of a request. Source: the
// documentation of its REST API.
const (
	insightsField       = 450
	insightsDetails     = longestField
	insightsAnnotations = 1000
	insightsRequest     = 100
)

type insightsReport struct {
	Title    string         `json:"title"`
	Details  string         `json:"details"`
	Type     string         `json:"report_type"`
	Reporter string         `json:"reporter"`
	Result   string         `json:"result"`
	Remote   bool           `json:"remote_link_enabled"`
	Data     []insightsData `json:"data"`
}

type insightsData struct {
	Title string `json:"title"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type insightsAnnotation struct {
	ID       string `json:"external_id"`
	Title    string `json:"title"`
	Type     string `json:"annotation_type"`
	Summary  string `json:"summary"`
	Details  string `json:"details"`
	Result   string `json:"result"`
	Severity string `json:"severity"`
	// Path is relative to the repository; there is none for what stands in no file of it, and then no line either.
	Path string `json:"path,omitempty"`
	Line int    `json:"line,omitempty"`
}

// CodeInsights makes the bodies of requests to Bitbucket's Code Insights: report.json to PUT, and annotations-01.json and
// so on to POST behind it, a hundred in each, the worst first.
func CodeInsights(r Report) []File {
	shown := worstEntries(r)
	hidden := max(0, len(shown)-insightsAnnotations)
	shown = shown[:len(shown)-hidden]
	files := []File{{insightsName(0), func(w io.Writer) error { return writeJSON(w, insightsOf(r, hidden)) }}}
	for batch := range slices.Chunk(shown, insightsRequest) {
		var annotations []insightsAnnotation
		for _, f := range batch {
			annotations = append(annotations, insightsEntry(r, f))
		}
		files = append(files, File{insightsName(len(files)), func(w io.Writer) error { return writeJSON(w, annotations) }})
	}
	return files
}

// insightsOf is the report without its findings. What could not be established is no pass.
func insightsOf(r Report, hidden int) insightsReport {
	s := r.Summary
	passed := r.ExitCode(checks.Fail) == 0
	out := insightsReport{
		Title: "Runner preflight", Details: summaryLine(r), Type: "TEST", Reporter: tool, Result: "FAILED",
		Data: []insightsData{
			{"Runner would work", "BOOLEAN", passed},
			{"Failed", "NUMBER", s.Fail},
			{"Not established", "NUMBER", s.Error},
			{"Warnings", "NUMBER", s.Warn},
			{"Passed", "NUMBER", s.Pass},
			{"Skipped", "NUMBER", s.Skip},
			{"Duration", "DURATION", r.Duration.Milliseconds()},
		},
	}
	if passed {
		out.Result = "PASSED"
	}
	if hidden > 0 {
		out.Details += fmt.Sprintf("; %s not among the annotations, which Bitbucket limits to %d",
			checks.CountOf(hidden, "finding is", "findings are"), insightsAnnotations)
	}
	out.Details = cutAt(out.Details, insightsDetails)
	return out
}

func insightsEntry(r Report, f entry) insightsAnnotation {
	out := insightsAnnotation{
		ID:    cutAt(tool+"-"+f.id()+"-"+strings.ReplaceAll(f.print, ":", "-"), insightsField),
		Title: cutAt(f.id()+": "+oneLine(f.Problem.Title), insightsField), Type: "BUG",
		Summary: cutAt(f.about(), insightsField), Result: "FAILED", Severity: "HIGH",
	}
	details := f.remedy()
	if utf8.RuneCountInString(f.about()) > insightsField {
		details = append([]string{f.about()}, details...)
	}
	switch f.Status {
	case checks.Warn:
		out.Type, out.Severity = "CODE_SMELL", "LOW"
	case checks.Error:
		out.Result, out.Severity = "SKIPPED", "MEDIUM"
	}
	if f.Known {
		out.Result = "IGNORED"
	}
	if at, found := r.anchor(f); found && filepath.IsLocal(at.File.Path) {
		out.Path, out.Line = shownPath(at), max(1, at.Position().Line)
	} else if where := f.where(); where != "" {
		details = append([]string{"at " + where}, details...)
	}
	out.Details = cutAt(strings.Join(details, "\n"), insightsDetails)
	return out
}
