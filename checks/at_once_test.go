package checks

import (
	"context"
	"strings"
	"testing"
)

// A crash in what a check does beside itself is that check's, and the others report.
func TestCrash(t *testing.T) {
	t.Parallel()
	var found [3]bool
	crashing := Check{Name: "crashing", Run: func(context.Context, *Host) []Finding {
		atOnce(len(found), func(i int) {
			found[i] = true
			if i == 1 {
				panic("nothing is there")
			}
		})
		return []Finding{Passed("crashing", "it went on")}
	}}
	sound := Check{Name: "sound", Run: func(context.Context, *Host) []Finding { return []Finding{Passed("sound", "it ran")} }}
	results := Run(t.Context(), &Host{}, Selection{Checks: []Check{crashing, sound}})
	f := results[0].Findings[0]
	if f.Status != Error || !strings.Contains(f.Message, "nothing is there") || results[1].Status != Pass {
		t.Errorf("%+v", results)
	}
	if found != [3]bool{true, true, true} {
		t.Errorf("%v", found)
	}
}
