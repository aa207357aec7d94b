package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks"
)

// documented are checks of the samples with their problems, for the texts that derive from them.
func documented() []checks.Check {
	first, second, third := configStore, configAuth, resolves
	first.Doc = "Looks at credsStore and credHelpers."
	first.Problems = []*checks.Problem{store, emptyEntry}
	second.Doc = "Decodes the auth of every entry (`<user>:<password>`), *all* of them, __init__ and " +
		"ACCOUNT_UUID too.\n\nTwice."
	second.Problems = []*checks.Problem{malformed}
	third.Problems = []*checks.Problem{missing, timeout, malformed}
	return []checks.Check{first, second, third}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// The page that people read must be that of the checks; go test ./report -update writes it.
func TestReferenceIsFresh(t *testing.T) {
	var out bytes.Buffer
	if err := Reference(&out, checks.All()); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "checks", "README.md"), out.String())
}

func TestReference(t *testing.T) {
	var out bytes.Buffer
	if err := Reference(&out, documented()); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "reference.md"), out.String())
}

func TestExplain(t *testing.T) {
	for _, name := range []string{"credentials-missing", "config-auth-encoding", "config"} {
		for end, o := range map[string]TextOptions{"txt": {Unicode: true}, "40.txt": {Width: 40}} {
			var out bytes.Buffer
			if err := Explain(&out, documented(), name, o); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "explain-"+name+"."+end), out.String())
		}
	}
	err := Explain(&bytes.Buffer{}, documented(), "credential-shop", TextOptions{})
	if !errors.Is(err, ErrUnknownName) {
		t.Errorf("an unknown name gave %v", err)
	}
}

func TestList(t *testing.T) {
	for end, o := range map[string]TextOptions{"txt": {Unicode: true}, "40.txt": {Width: 40}} {
		var out bytes.Buffer
		if err := List(&out, documented(), o); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "list."+end), out.String())
	}
}

// A problem that explains an unknown one has a typing mistake, and would explain nothing.
func TestExplainedProblemsExist(t *testing.T) {
	known := map[string]bool{}
	for _, problem := range checks.Problems(checks.All()) {
		known[problem.ID] = true
	}
	for _, problem := range checks.Problems(checks.All()) {
		for _, id := range problem.Explains {
			if !known[id] {
				t.Errorf("%s explains %s, which no check reports", problem.ID, id)
			}
		}
	}
}

// Every name that can be selected can be explained, and every problem has one place in the reference.
func TestEveryNameIsExplained(t *testing.T) {
	for _, all := range [][]checks.Check{documented(), checks.All()} {
		for _, name := range checks.Names(all) {
			var out bytes.Buffer
			if err := Explain(&out, all, name, TextOptions{}); err != nil || !strings.Contains(out.String(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
		var out bytes.Buffer
		if err := Reference(&out, all); err != nil {
			t.Fatal(err)
		}
		for _, problem := range checks.Problems(all) {
			if n := strings.Count(out.String(), "\n### "+problem.ID+"\n"); n != 1 {
				t.Errorf("the reference has %s %d times", problem.ID, n)
			}
		}
	}
}
