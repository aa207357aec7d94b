package checks

import (
	"context"

	"runner-preflight/checks/network"
)

var httpBlocked = &Problem{ID: "http-blocked", Title: "Something answers in a host's place"}

// networkProblems are those that any check which talks to a host can report.
func networkProblems() []*Problem { return nil }

// networkFinding reports why a host could not be reached.
func networkFinding(_ context.Context, _ *Host, f *network.Failure, need string) Finding {
	return Failed(&Problem{ID: f.Kind, Title: f.Kind}, f.Address, f.Address+", "+need+": "+f.Detail, "mend it").
		On(f.Root).Touching(HostPort(f.Address))
}
