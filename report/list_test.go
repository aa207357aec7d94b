package report

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"runner-preflight/checks"
)

func listJSONOf(t *testing.T, all []checks.Check) string {
	t.Helper()
	var out bytes.Buffer
	if err := ListJSON(&out, "1.2.3", all); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The JSON list is as its schema says, and the schema refuses what is not.
func TestListJSON(t *testing.T) {
	golden(t, filepath.Join("testdata", "list.json"), listJSONOf(t, documented()))
	compiled := schemaOf(t, ListSchema())
	validate := func(text string) error {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		return compiled.Validate(document)
	}
	for _, all := range [][]checks.Check{documented(), checks.All()} {
		if err := validate(listJSONOf(t, all)); err != nil {
			t.Error(err)
		}
	}
	good := listJSONOf(t, documented())
	for _, mistake := range [][2]string{
		{`"schema_version": 1`, `"schema_version": "1"`},
		{`"id": "`, `"name": "`},
		{`"id": "`, `"id": " `},
		{`"group": "config"`, `"group": ""`},
		{`"explains": [`, `"explained": [`},
		{`"source": "`, `"source": 1, "x": "`},
	} {
		bad := strings.ReplaceAll(good, mistake[0], mistake[1])
		if bad == good || validate(bad) == nil {
			t.Errorf("the schema takes %s", mistake[1])
		}
	}
}

// Names lead somewhere within the list, and relations can be followed both ways.
func TestListJSONHolds(t *testing.T) {
	var l listJSON
	if err := json.Unmarshal([]byte(listJSONOf(t, checks.All())), &l); err != nil {
		t.Fatal(err)
	}
	problems := map[string]listProblemJSON{}
	for _, x := range l.Problems {
		problems[x.ID] = x
	}
	for _, check := range l.Checks {
		if !slices.ContainsFunc(l.Groups, func(g listGroupJSON) bool { return g.Name == check.Group }) {
			t.Errorf("%s: no group %s", check.Name, check.Group)
		}
		for _, id := range check.Problems {
			if !slices.Contains(problems[id].FoundBy, check.Name) {
				t.Errorf("%s does not say that %s finds it", id, check.Name)
			}
		}
	}
	for _, x := range l.Problems {
		for _, id := range x.Explains {
			if !slices.Contains(problems[id].ExplainedBy, x.ID) {
				t.Errorf("%s does not say that %s explains it", id, x.ID)
			}
		}
	}
	if len(l.Checks) != len(checks.All()) || len(problems) != len(checks.Problems(checks.All())) {
		t.Errorf("%d checks and %d problems", len(l.Checks), len(problems))
	}
}
