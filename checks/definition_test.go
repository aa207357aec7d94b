package checks

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// definitionFindings runs the checks of the definition group on a case's folder, by the check's name.
func definitionFindings(t *testing.T, folder string) map[string][]Finding {
	t.Helper()
	selection, err := Select(All(), []string{"definition"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]Finding{}
	for _, result := range Run(context.Background(), hostOf(t, folder), selection) {
		found[result.Check.Name] = result.Findings
	}
	return found
}

// TestOneMistakeOneProblem runs the other checks of the group on each check's cases: what they report must be
// explained by what the case is there to show, as a case has one mistake.
func TestOneMistakeOneProblem(t *testing.T) {
	folders, err := filepath.Glob("../testdata/definition-*/*")
	if err != nil || len(folders) == 0 {
		t.Fatal(err, len(folders))
	}
	for _, folder := range folders {
		own, name := filepath.Base(filepath.Dir(folder)), filepath.Base(folder)
		if strings.HasPrefix(name, "vendor-page-") {
			continue // these have several mistakes
		}
		if strings.HasPrefix(name, "not-judged-") {
			continue // what is wrong there is for another check of the group to say
		}
		findings := definitionFindings(t, folder)
		for check, others := range findings {
			for _, f := range others {
				if check != own && f.Status > Pass && !explained(f, findings[own]) {
					t.Errorf("%s/%s: %s", own, name, line(f))
				}
			}
		}
	}
}

// explained tells whether one of the causes explains a finding.
func explained(f Finding, causes []Finding) bool {
	return slices.ContainsFunc(causes, func(cause Finding) bool {
		shares := func(what string) bool { return slices.Contains(cause.Touches, what) }
		return cause.Problem != nil && slices.Contains(cause.Problem.Explains, f.Problem.ID) &&
			slices.ContainsFunc(f.Touches, shares)
	})
}

// TestHealthyDefinitions holds the checks to silence on what runs well.
func TestHealthyDefinitions(t *testing.T) {
	folders, err := filepath.Glob("../testdata/definition-*/ok*")
	if err != nil || len(folders) < 10 {
		t.Fatal(err, len(folders))
	}
	for _, folder := range folders {
		for _, findings := range definitionFindings(t, folder) {
			for _, f := range findings {
				if f.Status > Pass {
					t.Errorf("%s: %s", folder, line(f))
				}
			}
		}
	}
}

// TestDefinitionsKeepSecrets looks for the secrets of the cases in everything that the checks say.
func TestDefinitionsKeepSecrets(t *testing.T) {
	folders, err := filepath.Glob("../testdata/definition-*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		for _, findings := range definitionFindings(t, folder) {
			for _, f := range findings {
				text := line(f) + f.Root + strings.Join(f.Touches, " ") + f.Location.Excerpt().Text
				for _, secret := range []string{"Zk3vQ9xT7bLw2RmY8nHc5JdPfAgUe6Ks", "Wq7rTz"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s shows a secret: %s", folder, text)
					}
				}
			}
		}
	}
}

// TestOwnProblems holds each problem of the group to a case that shows it and one, of the same check, that
// passes.
func TestOwnProblems(t *testing.T) {
	for _, check := range All() {
		if check.Group() != "definition" {
			continue
		}
		folders, err := filepath.Glob(filepath.Join("..", "testdata", check.Name, "*"))
		if err != nil {
			t.Fatal(err)
		}
		shown := map[*Problem]bool{}
		for _, folder := range folders {
			for _, f := range definitionFindings(t, folder)[check.Name] {
				shown[f.Problem] = true
			}
		}
		for _, p := range check.Problems {
			if !shown[p] {
				t.Errorf("no case of %s shows %s", check.Name, p.ID)
			}
		}
	}
}
