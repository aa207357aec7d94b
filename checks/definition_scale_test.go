package checks

import (
	"context"
	"fmt"
	"testing"
	"time"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// TestManyVariables proves that the work grows with the number of variables and no faster: of names that are
// nobody's, and that are nearly the runner's, some of them set twice.
func TestManyVariables(t *testing.T) {
	file := source.New("run.sh", []byte("docker run"))
	const variables, distinct = 120_000, 100_000
	for _, form := range []string{"VAR_%d", "RUNNER_UIID%d"} {
		d := &runner.Definition{File: file, Place: file.At(0, 6), States: runner.Aspects{Environment: true}}
		for i := range variables {
			text := func(s string) runner.Text { return runner.Text{Value: s, Place: file.At(0, 6)} }
			d.Environment = append(d.Environment, runner.Variable{Name: text(fmt.Sprintf(form, i%distinct)), Value: text("x")})
		}
		r := &Runner{Name: "run.sh", Definition: d}
		h := &Host{Runners: []*Runner{r}, Offline: true, Windows: Windows{Files: folderFiles{}, Now: time.Now}}
		started := time.Now()
		Run(context.Background(), h, Selection{Checks: []Check{definitionEnvironment, definitionSecrets}})
		if took := time.Since(started); took > 30*time.Second {
			t.Errorf("%s: took %s", form, took)
		} else {
			t.Logf("%s: took %s", form, took)
		}
	}
}
