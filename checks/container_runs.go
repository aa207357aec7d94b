package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/runner"
)

var containerRuns = Check{
	Name:  "container-runs",
	Title: "The runner's container runs",
	Doc: "Looks at the containers of this host that are runners, or at those of the file that `check` is given: whether " +
		"they run, how they ended, how often docker started them anew, and whether the end of their log has a message that " +
		"is known. Nothing of the log is shown but such a message. Where the file says otherwise than the container was " +
		"made, that only warns, as it is not the file's runner that does not run.",
	Problems: []*Problem{runnerStopped},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachContainer(h, func(r *Runner, live *liveRunner) Finding {
			f := runFinding(ctx, h, live.Container)
			if f.Status > Warn && r.Container == nil && len(live.differences(r.Definition)) > 0 {
				return f.As(Warn)
			}
			return f
		})
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

// eachContainer judges each runner that is in a container, all at the same time.
func eachContainer(h *Host, judge func(*Runner, *liveRunner) Finding) []Finding {
	var jobs []func() Finding
	for _, r := range h.Runners {
		if live := h.liveOf(r); live != nil {
			jobs = append(jobs, func() Finding { return judge(r, live).For(r.Name) })
		}
	}
	if len(jobs) == 0 {
		return []Finding{noContainer(h, "no runner was found among the containers of this host")}
	}
	found := make([]Finding, len(jobs))
	atOnce(len(jobs), func(i int) { found[i] = jobs[i]() })
	return found
}

// noContainer is the skip of a check that has no container to look at: for the reason given, unless no daemon told of any.
func noContainer(h *Host, reason string) Finding {
	return Skipped("container", cmp.Or(undaemonedHost(h), reason))
}

// Of a log so many lines are looked at; of that of a runner that runs, only what it printed since it started, and lately.
const (
	logTail   = 200
	logRecent = time.Hour
)

// restartedLately is how long after its last start a container counts as one that docker starts again and again: its
// waits between two starts grow to a minute, and a runner takes a while to end.
const restartedLately = 2 * time.Minute

// runFinding judges the state of one container.
func runFinding(ctx context.Context, h *Host, c *engine.Container) Finding {
	status, state := stateOf(c, h.Now())
	message := "the container " + c.Name + " " + state
	if status == Pass {
		recent := h.Now().Add(-logRecent)
		if c.Started.After(recent) {
			recent = c.Started
		}
		return Passed(c.Name, message+complaint(ctx, h, c, recent))
	}
	hint, commands := h.remedy(c)
	known := complaint(ctx, h, c, time.Time{})
	if known != "" && c.Unstarted == "" {
		hint = "look these up with runner-preflight explain, and mend the cause"
	}
	return Failed(runnerStopped, c.Name, message+known, hint).As(status).Touching(Container(c.Name)).Try(commands...)
}

// remedy is what makes a container run again.
func (h *Host) remedy(c *engine.Container) (hint string, commands []string) {
	name := c.Word()
	log, start := h.client()+" logs --tail 50 "+name, h.client()+" start "+name
	switch {
	case c.State == "running" || c.State == "restarting":
		return "mend what else is found here, and look at its log", []string{log}
	case c.State == "paused":
		return "have it go on", []string{h.client() + " unpause " + name}
	case c.Unstarted != "":
		return "mend that, remove the container, and run the runner's own command again", h.removal(c)
	case c.OutOfMemory && c.MemoryLimit > 0:
		return "let it use more memory, then start it", []string{h.moreMemory(c), start}
	case c.OutOfMemory:
		return "make room in the machine's memory, then start it", []string{"free -m", start}
	}
	return "mend what else is found here, then start it; its log tells how it ended", []string{log, start}
}

// moreMemory is the command that gives a container a gibibyte, or twice what it may use if that is more, and as much again
// of swap as docker does by default. A container need not be made anew for that.
func (h *Host) moreMemory(c *engine.Container) string {
	mebibytes := max(1<<10, c.MemoryLimit>>19)
	return fmt.Sprintf("%s update --memory %dm --memory-swap %dm %s", h.client(), mebibytes, 2*mebibytes, c.Word())
}

// removal are the commands that remove a container. What it was made with is kept before, as the vendor shows the runner's
// secret only once.
func (h *Host) removal(c *engine.Container) []string {
	name := c.Word()
	return []string{
		"(umask 077; " + h.client() + " inspect " + name + " > runner.json)  # it holds the runner's secret",
		h.client() + " rm -f " + name,
	}
}

// complaint says which message that is known is the last in what a container printed since a time, or in what docker says
// of why it could not start it; "" for none.
func complaint(ctx context.Context, h *Host, c *engine.Container, since time.Time) string {
	lines, said := []string{c.Unstarted}, "that"
	if c.Unstarted == "" {
		said = "its log says"
		lines, _ = h.Engine.Log(ctx, *c, since, logTail) // some log drivers cannot be read
	}
	known := MatchLog(h.all, slices.Values(lines))
	if len(known) == 0 {
		return ""
	}
	var names []string
	for _, problem := range known[0].Problems[:min(3, len(known[0].Problems))] {
		names = append(names, problem.ID)
	}
	if c.Unstarted == "" {
		said += fmt.Sprintf(" %q, which", clip(known[0].Text))
	}
	return fmt.Sprintf("; %s comes of %s", said, strings.Join(names, ", "))
}

// stateOf says how a container fares, in words that follow its name.
func stateOf(c *engine.Container, now time.Time) (Status, string) {
	switch {
	case c.State == "restarting":
		return Fail, fmt.Sprintf("ends with %s again and again: docker started it anew %d times", ended(c), c.Restarts)
	case c.State == "running" && c.Restarts > 3 && c.Started.After(now.Add(-restartedLately)):
		return Fail, fmt.Sprintf("ends again and again: docker started it anew %d times, the last time %d seconds ago",
			c.Restarts, int(now.Sub(c.Started).Seconds()))
	case c.State == "running" && c.Restarts > 3:
		return Warn, fmt.Sprintf("runs, and docker had to start it anew %d times", c.Restarts)
	case c.State == "running":
		return Pass, "runs"
	case c.State == "paused":
		return Fail, "is paused"
	case c.Unstarted != "":
		return Fail, "does not run: docker could not start it: " + unstarted(c)
	case c.State == "created":
		return Warn, "was made and never started"
	case c.ExitCode == 0, c.ExitCode == 130, c.ExitCode == 143:
		return Warn, fmt.Sprintf("does not run: it was stopped (exit code %d)", c.ExitCode)
	}
	return Fail, "does not run: it ended with " + ended(c)
}

func ended(c *engine.Container) string {
	if c.OutOfMemory {
		return fmt.Sprintf("exit code %d (it took more memory than it may)", c.ExitCode)
	}
	return fmt.Sprintf("exit code %d", c.ExitCode)
}

// unstarted is why docker could not start a container, without the steps that led there.
func unstarted(c *engine.Container) string {
	said := c.Unstarted
	for _, step := range []string{"container process: ", "container init: "} {
		if _, cause, found := strings.Cut(said, step); found {
			said = cause
		}
	}
	return clip(runner.WithoutSecrets(said, c.Environment, maxWords))
}

// maxWords is how many characters of docker's reason are looked at: more than a message shows.
const maxWords = 1000
