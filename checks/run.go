package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Result is what one check found.
type Result struct {
	Check Check
	// Status is the worst of those findings that are not ignored; Skip if all are.
	Status   Status
	Duration time.Duration
	Findings []Finding
}

// grace is how long a check, or the reading of files, may take beyond its time before it is reported as not established.
const grace = 500 * time.Millisecond

var notEstablished = &Problem{
	ID:    "not-established",
	Title: "Something could not be established",
	Doc: "The tool ran out of time, was not permitted to look, or was interrupted: nothing is known, which is neither a pass " +
		"nor a failure. Give it more time (--timeout), or run it as the user that runs the runner.",
	Source: "the tool's own limits",
}

// Run runs the selected checks at the same time and returns their results in the order of the selection.
// It ends soon after ctx does, with what is known by then.
func Run(ctx context.Context, host *Host, selection Selection) []Result {
	results := make([]Result, len(selection.Checks))
	done := make([]chan Result, len(selection.Checks))
	for i, check := range selection.Checks {
		done[i] = make(chan Result, 1)
		go func() { done[i] <- runOne(ctx, host, check) }()
	}
	patience, stop := patienceOf(ctx)
	defer stop()
	speaker := max(slices.IndexFunc(selection.Checks, func(c Check) bool { return c.Name == definitionCommand.Name }), 0)
	for i, check := range selection.Checks {
		results[i] = await(ctx, check, done[i], patience)
		if i == speaker {
			results[i].Findings = append(results[i].Findings, unreadFindings(host)...)
		}
	}
	results = applyIgnores(host, results)
	for i, check := range selection.Checks {
		results[i].Findings = selection.keep(check, results[i].Findings)
		results[i].Status = worst(results[i].Findings)
	}
	return results
}

// patienceOf ends a little after a context does. To stop it frees what it holds.
func patienceOf(ctx context.Context) (patience <-chan struct{}, stop func() bool) {
	over := make(chan struct{})
	return over, context.AfterFunc(ctx, func() { time.AfterFunc(grace, func() { close(over) }) })
}

// unreadInTime is why nothing is known of a host that is late.
const unreadInTime = "the files were not read in time"

// await waits for a check's result until patience is closed; a result that is there by then counts.
func await(ctx context.Context, check Check, done <-chan Result, patience <-chan struct{}) Result {
	select {
	case result := <-done:
		return result
	case <-patience:
	}
	select {
	case result := <-done:
		return result
	default:
		return Result{Check: check, Findings: []Finding{Unestablished(ctx, check.Name, "the check did not end in time")}}
	}
}

func runOne(ctx context.Context, host *Host, check Check) (result Result) {
	started := time.Now()
	defer func() {
		if crash := recover(); crash != nil {
			result = Result{Check: check, Findings: []Finding{Erred(notEstablished, check.Name,
				fmt.Sprintf("the check crashed: %v", crash), "report this with the output of -v")}}
		}
		result.Duration = time.Since(started)
	}()
	if host.late {
		return Result{Check: check, Findings: []Finding{Unestablished(ctx, check.Name, unreadInTime)}}
	}
	return Result{Check: check, Findings: merged(check.Run(ctx, host))}
}

// Unestablished reports that there was no time, or no permission, to find something out.
func Unestablished(ctx context.Context, subject, message string) Finding {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Erred(notEstablished, subject, message, "give it more time with --timeout 2m").On("--timeout")
	case ctx.Err() != nil:
		return Erred(notEstablished, subject, message, "let it run to its end").On("interrupted")
	}
	return Erred(notEstablished, subject, message, "run it again as the user that runs the runner")
}

// identity is what findings that differ in their runners alone have in common.
type identity struct {
	status                        Status
	problem                       *Problem
	subject, root, message, place string
}

// identity leaves out the runner that a finding is named after: what two runners have from the same words (a function
// that is called twice, a shared env file) is one finding about both.
func (f Finding) identity() identity {
	id := identity{f.Status, f.Problem, f.Subject, f.Root, f.Message, f.Location.Position().String()}
	if f.Problem == nil || f.Location.File == nil {
		return id
	}
	if slices.Contains(f.Runners, f.Subject) {
		id.subject = ""
	}
	if slices.Contains(f.Runners, f.Root) {
		id.root = ""
	}
	return id
}

// merged makes one finding of those that differ in their runners alone.
func merged(findings []Finding) []Finding {
	at := make(map[identity]int, len(findings))
	var out []Finding
	var alike []*together
	for _, f := range findings {
		id := f.identity()
		i, seen := at[id]
		if !seen {
			at[id] = len(out)
			out, alike = append(out, f), append(alike, nil)
			continue
		}
		if alike[i] == nil {
			alike[i] = &together{runners: newNames(out[i].Runners), touches: newNames(out[i].Touches), all: len(out[i].Runners) == 0}
		}
		alike[i].add(f)
	}
	for i, t := range alike {
		if t != nil {
			out[i].Runners, out[i].Touches = t.runners.names, t.touches.names
			if t.all {
				out[i].Runners = nil
			}
		}
	}
	return out
}

// together is what findings that are the same otherwise are about.
type together struct {
	runners, touches *names
	// all says that one of them is about all runners.
	all bool
}

func (t *together) add(f Finding) {
	t.all = t.all || len(f.Runners) == 0
	t.runners.add(f.Runners)
	t.touches.add(f.Touches)
}

// names are in the order in which they came, each once.
type names struct {
	names []string
	has   map[string]bool
}

func newNames(first []string) *names {
	n := &names{has: make(map[string]bool, len(first))}
	n.add(first)
	return n
}

func (n *names) add(more []string) {
	for _, name := range more {
		if !n.has[name] {
			n.has[name] = true
			n.names = append(n.names, name)
		}
	}
}

func appendNew(to, from []string) []string {
	for _, s := range from {
		if !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}

// worst is the status of those findings together that count.
func worst(findings []Finding) Status {
	status := Skip
	for _, f := range findings {
		if f.Ignored == nil {
			status = max(status, f.Status)
		}
	}
	return status
}
