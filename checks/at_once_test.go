package checks

import (
	"context"
	"strings"
	"testing"

	"runner-preflight/checks/engine"
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

// Who is asked about images beside the caller crashes the caller too, who does not wait for one that is silent.
func TestCrashBeside(t *testing.T) {
	t.Parallel()
	pause := Image{Role: RolePause, Reference: defaultImages(RolePause)[0], Origin: OriginDefault}
	for name, ask := range map[string]func(context.Context, *Host){
		"best-word": func(ctx context.Context, h *Host) { bestWord(ctx, h, h.Runners[0], pause) },
		"look-up":   func(ctx context.Context, h *Host) { _, _ = lookUp(ctx, h, h.Runners[0], pause, engine.Credentials{}) },
	} {
		host := hostOf(t, "../testdata/vantage/silent")
		host.Pulling = Pulling{} // asks no registry, and crashes whoever has it ask one
		check := Check{Name: name, Run: func(ctx context.Context, h *Host) []Finding {
			ask(ctx, h)
			return []Finding{Passed(name, "it went on")}
		}}
		f := Run(t.Context(), host, Selection{Checks: []Check{check}})[0].Findings[0]
		if f.Status != Error || !strings.Contains(f.Message, "the check crashed") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
