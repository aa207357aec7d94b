package checks

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"runner-preflight/checks/engine"
)

var containerRuns = Check{
	Name:  "container-runs",
	Title: "The runner's container runs",
	Doc: "Looks at the containers of this host that are runners, where `check` is given no file: whether they run, how " +
		"they ended, how often docker started them anew, and whether the end of their log has a message that is known. " +
		"Nothing of the log is shown but such a message.",
	Problems: []*Problem{runnerStopped},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachContainer(h, func(r *Runner) []Finding { return []Finding{runFinding(ctx, h, r)} })
	},
}

var runnerStopped = &Problem{
	ID:    "runner-stopped",
	Title: "The runner's container does not run, or not for long",
	Doc: "A runner that ended takes no steps, and one that docker starts again and again ends each time for the same " +
		"reason: a config.json that its reader refuses, credentials of OAuth that are not accepted, no docker socket, " +
		"too little memory (exit code 137). The other findings of this report name most of them; the end of its log " +
		"tells the rest. What was stopped on purpose only warns.",
	Source: "the state and the log that docker's daemon tells",
}

// eachContainer judges each runner that was found as a container, all at the same time.
func eachContainer(h *Host, judge func(*Runner) []Finding) []Finding {
	found := make([][]Finding, len(h.Runners))
	var group sync.WaitGroup
	for i, r := range h.Runners {
		if r.Container != nil {
			group.Go(func() { found[i] = judge(r) })
		}
	}
	group.Wait()
	var all []Finding
	for i, r := range h.Runners {
		for _, f := range found[i] {
			all = append(all, f.For(r.Name))
		}
	}
	if len(all) == 0 {
		return []Finding{Skipped("container", "no runner was found among the containers of this host")}
	}
	return all
}

// logTail is how many lines of a log are looked at.
const logTail = 200

// runFinding judges the state of one container.
func runFinding(ctx context.Context, h *Host, r *Runner) Finding {
	c := r.Container
	status, state := stateOf(c)
	if status == Pass {
		return Passed(c.Name, "the container "+c.Name+" "+state)
	}
	hint, command := "mend what else is found here, then start it", "docker start "+shellWord(c.Name)
	if c.State == "running" || c.State == "restarting" {
		hint, command = "mend what else is found here, and look at its log", "docker logs --tail 50 "+shellWord(c.Name)
	}
	f := Failed(runnerStopped, c.Name, "the container "+c.Name+" "+state, hint).As(status).Try(command)
	lines, err := h.Engine.Log(ctx, *c, logTail)
	if err != nil {
		return f
	}
	if known := MatchLog(h.all, lines); len(known) > 0 {
		var names []string
		for _, problem := range known[0].Problems[:min(3, len(known[0].Problems))] {
			names = append(names, problem.ID)
		}
		f.Message += fmt.Sprintf("; its log says %q, which comes of %s", clip(known[0].Text), strings.Join(names, ", "))
		f.Hint = "look these up with runner-preflight explain, and mend the cause"
	}
	return f
}

// stateOf says how a container fares, in words that follow its name.
func stateOf(c *engine.Container) (Status, string) {
	switch {
	case c.State == "restarting":
		return Fail, fmt.Sprintf("ends with exit code %d again and again: docker started it anew %d times", c.ExitCode, c.Restarts)
	case c.State == "running" && c.Restarts > 3:
		return Warn, fmt.Sprintf("runs, and docker had to start it anew %d times", c.Restarts)
	case c.State == "running":
		return Pass, "runs"
	case c.State == "created":
		return Warn, "was made and never started"
	case c.State == "paused":
		return Fail, "is paused"
	case c.ExitCode == 0, c.ExitCode == 130, c.ExitCode == 143:
		return Warn, fmt.Sprintf("does not run: it was stopped (exit code %d)", c.ExitCode)
	}
	return Fail, fmt.Sprintf("does not run: it ended with exit code %d", c.ExitCode)
}
