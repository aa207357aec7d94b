package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"runner-preflight/checks/ignores"
	"runner-preflight/checks/source"
)

var ignoresValid = Check{
	Name:  "ignores-valid",
	Title: "What is ignored is named, has a reason and is still found",
	Doc: "A finding that is known and accepted is ignored by a comment, `# runner-preflight: ignore=PROBLEM " +
		"reason`, at the end of its line, on the line above its statement, or above everything else for the whole " +
		"file; or by an entry of `" + ignores.FileName + "` in the current folder. It stays in the report and does not " +
		"count. This check judges the ignores themselves, once all others have run. What it finds cannot be " +
		"ignored, nor what could not be established (`not-established`).",
	Problems: []*Problem{ignoreInvalid, ignoreUnknown, ignoreWithoutReason, ignoreExpired, ignoreUnused},
	Run:      func(_ context.Context, h *Host) []Finding { return judgeIgnores(h) },
}

var ignoreInvalid = &Problem{
	ID:    "ignore-invalid",
	Title: "An ignore cannot be understood",
	Doc: "A comment looks like an ignore, or an entry of `" + ignores.FileName + "` is meant for one, but it is not " +
		"written as one: it ignores nothing, and the finding that it is about counts. A comment has the form " +
		"`# runner-preflight: ignore=PROBLEM,PROBLEM until=2027-01-31 reason` (the day may be left out). An entry has the " +
		"keys `problem`, `path`, `reason` and, if wanted, `subject` and `until`.",
	Source: "this tool's own format; the JSON Schema of the file is in the repository",
}

var ignoreUnknown = &Problem{
	ID:    "ignore-unknown",
	Title: "An ignore names no problem that there is",
	Doc: "Ignores name problems, one by one, as the report has them: no checks, no groups, no patterns. " +
		"`runner-preflight list` shows all names. The other names of the same ignore hold.",
	Source: "this tool's own names",
}

var ignoreWithoutReason = &Problem{
	ID:    "ignore-without-reason",
	Title: "An ignore gives no reason",
	Doc: "Whoever reads the file later cannot tell whether the finding was understood or silenced. The ignore " +
		"holds all the same. Write behind it, in a few words, why the finding does no harm here.",
	Source: "good practice",
}

var ignoreExpired = &Problem{
	ID:    "ignore-expired",
	Title: "An ignore has expired",
	Doc: "The last day of an ignore with `until=` has passed (days end in UTC): it ignores nothing any more, and what it " +
		"was about counts again. Mend that, or decide anew and write a later day.",
	Source: "the day that is written in the ignore",
}

var ignoreUnused = &Problem{
	ID:    "ignore-unused",
	Title: "An ignore is about nothing that was found",
	Doc: "The problem was looked for, and is not where the ignore stands: it was mended, the ignore is in the wrong " +
		"place, or its path or subject does not fit. It would hide the problem if it came back. Take it out, or " +
		"put it in its place: at the end of the line that the report names, or directly above the statement. " +
		"Nothing is said where the problem could not be found: its check did not run or skipped something, it is one " +
		"that `lint` and `check` see differently or that comes and goes, or a path with `*` or `?` may be about files that " +
		"were not given.",
	Source: "the other checks' findings of the same run",
}

// judgeIgnores judges what can be said of ignores without the findings of others.
func judgeIgnores(h *Host) []Finding {
	if h.ignores.none() {
		return []Finding{Skipped(ignores.FileName, "nothing is ignored: there is neither a comment nor a file for it")}
	}
	var findings []Finding
	for _, m := range h.ignores.mistakes {
		findings = append(findings, wrongIgnore(m))
	}
	n := 0
	for i := range h.ignores.all {
		ignore := &h.ignores.all[i]
		findings = append(findings, h.ignores.judge(h, ignore)...)
		n += len(ignore.Names)
	}
	if len(findings) == 0 {
		return []Finding{Passed("ignores", CountOf(n, "ignore is in force, with its reason",
			"ignores are in force, each with its reason"))}
	}
	return findings
}

func wrongIgnore(m ignores.Mistake) Finding {
	subject, message, hint := "ignore", m.Detail, m.Hint
	if len(m.Choices) > 0 {
		subject, message = m.Word, fmt.Sprintf("%q is none of its keys", m.Word)
		hint = "write one of " + strings.Join(m.Choices, ", ")
		if near := Nearest(m.Word, m.Choices); near != "" {
			message, hint = message+fmt.Sprintf("; did you mean %q?", near), "write "+near+":"
		}
	}
	return atIgnore(Warned(ignoreInvalid, subject, message, hint), m.Place)
}

// atIgnore places a finding about ignores: those of one file are mended together.
func atIgnore(f Finding, place source.Span) Finding {
	path := place.Position().Path
	return f.At(place).On(path).Touching(Path(path))
}

// judge judges one ignore.
func (i *hostIgnores) judge(h *Host, ignore *ignores.Ignore) []Finding {
	var findings []Finding
	var known []string
	for _, name := range ignore.Names {
		switch f, wrong := i.strange(name); {
		case wrong:
			findings = append(findings, atIgnore(f, name.Place))
		default:
			known = append(known, name.ID)
		}
	}
	if len(known) == 0 {
		return findings
	}
	subject := listed(known)
	if ignore.Reason == "" {
		hint := "write the reason behind the names"
		if ignore.External {
			hint = "add reason: and why the finding does no harm here"
		}
		findings = append(findings, atIgnore(Warned(ignoreWithoutReason, subject,
			"nothing says why "+subject+" may be ignored here", hint), ignore.Place))
	}
	if !ignore.Until.IsZero() && ignore.Until.Over(h.Now()) {
		findings = append(findings, atIgnore(Warned(ignoreExpired, subject,
			fmt.Sprintf("its last day was %s: %s counts again", ignore.Until, subject),
			"mend what it is about, or decide anew and write a later day"), ignore.Until.Place))
	}
	return findings
}

// strange judges a name that no ignore may have.
func (i *hostIgnores) strange(name ignores.Name) (f Finding, wrong bool) {
	shown := name.Shown()
	switch {
	case !ignorable(name.ID):
		return Warned(ignoreInvalid, shown, shown+" cannot be ignored", "take it out"), true
	case slices.Contains(i.problems, name.ID):
		return Finding{}, false
	}
	for _, check := range i.checks {
		if name.ID == check.Name || name.ID == check.Group() {
			return Warned(ignoreUnknown, shown, fmt.Sprintf("%q is no problem, but names several", shown),
				"write the problem's own name, as the report has it").Try("runner-preflight explain " + shown), true
		}
	}
	message, hint := fmt.Sprintf("no problem is called %q", shown), "write the name as the report has it"
	if near := Nearest(name.ID, i.problems); near != "" {
		message, hint = message+fmt.Sprintf("; did you mean %q?", near), "write "+near
	}
	return Warned(ignoreUnknown, shown, message, hint).Try("runner-preflight list"), true
}

// ignorable tells whether findings of a problem may be ignored: not those about ignores, nor what is not known.
func ignorable(problem string) bool {
	return problem != notEstablished.ID && !slices.ContainsFunc([]*Problem{
		ignoreInvalid, ignoreUnknown, ignoreWithoutReason, ignoreExpired, ignoreUnused,
	}, func(p *Problem) bool { return p.ID == problem })
}
