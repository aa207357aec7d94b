package report

import (
	"bytes"
	_ "embed" // for list.schema.json
	"io"

	"runner-preflight/checks"
)

//go:embed list.schema.json
var listSchema []byte

// ListSchema is the JSON Schema (draft 2020-12) of what ListJSON writes.
func ListSchema() []byte { return bytes.Clone(listSchema) }

// ListFormat writes what there is to find, in one form.
type ListFormat func(w io.Writer, version string, all []checks.Check) error

// ListFormats are all formats of the list of checks and problems by name; the options are those of text.
func ListFormats(o TextOptions) map[string]ListFormat {
	return map[string]ListFormat{
		"text":     func(w io.Writer, _ string, all []checks.Check) error { return List(w, all, o) },
		"markdown": func(w io.Writer, _ string, all []checks.Check) error { return ListMarkdown(w, all) },
		"json":     ListJSON,
	}
}

type listJSON struct {
	SchemaVersion int               `json:"schema_version"`
	Tool          toolJSON          `json:"tool"`
	Groups        []listGroupJSON   `json:"groups"`
	Checks        []listCheckJSON   `json:"checks"`
	Problems      []listProblemJSON `json:"problems"`
}

type listGroupJSON struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

type listCheckJSON struct {
	Name        string   `json:"name"`
	Group       string   `json:"group"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Problems    []string `json:"problems"`
}

type listProblemJSON struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Source      string   `json:"source"`
	FoundBy     []string `json:"found_by"`
	Explains    []string `json:"explains"`
	ExplainedBy []string `json:"explained_by"`
}

// ListJSON writes one JSON object that list.schema.json describes: groups, checks and problems, each once, in the order
// of reports.
func ListJSON(w io.Writer, version string, all []checks.Check) error {
	l := listJSON{SchemaVersion: schemaVersion, Tool: toolJSON{tool, version}}
	for _, group := range groupsOf(all) {
		l.Groups = append(l.Groups, listGroupJSON{group, heading(group)})
	}
	for _, check := range all {
		var ids []string
		for _, problem := range check.Problems {
			ids = append(ids, problem.ID)
		}
		l.Checks = append(l.Checks, listCheckJSON{check.Name, check.Group(), check.Title, check.Doc, list(ids)})
	}
	for _, x := range checks.Problems(all) {
		l.Problems = append(l.Problems, listProblemJSON{
			x.ID, x.Title, x.Doc, x.Source, list(foundBy(all, x)), list(x.Explains), list(explainedBy(all, x)),
		})
	}
	return writeJSON(w, l)
}

// groupsOf are the groups of the checks in their order.
func groupsOf(all []checks.Check) []string {
	var groups []string
	for _, check := range all {
		groups = append(groups, check.Group())
	}
	return unique(groups)
}
