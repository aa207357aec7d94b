package network

import (
	"context"
	"testing"
	"time"
)

// untold is a context whose time is up, though its timer has not run yet.
type untold struct {
	context.Context
	deadline time.Time
}

func (u untold) Deadline() (time.Time, bool) { return u.deadline, true }

func TestDeadlineBeforeItsTimer(t *testing.T) {
	up := untold{t.Context(), time.Now().Add(-time.Microsecond)}
	if f := outOfTime(up, PhaseTCP); f == nil || f.Kind != NotEstablished {
		t.Errorf("past the deadline: %v, want %s", f, NotEstablished)
	}
	if f := outOfTime(untold{t.Context(), time.Now().Add(time.Hour)}, PhaseTCP); f != nil {
		t.Errorf("before the deadline: %v, want nil", f)
	}
}
