package checks

import (
	"fmt"
	"path"
	"slices"

	"runner-preflight/checks/ignores"
	"runner-preflight/checks/source"
)

// applyIgnores marks the findings that a host's ignores are about, and adds to those of ignoresValid, where that check
// ran, the ignores that are about none. The results themselves are not changed.
func applyIgnores(h *Host, results []Result) []Result {
	if h.ignores.none() {
		return results
	}
	a := applied{Host: h, by: map[string][]*inForce{}, matches: map[pathMatch]bool{}}
	for i := range h.ignores.all {
		a.add(&h.ignores.all[i])
	}
	results = slices.Clone(results)
	for i := range results {
		results[i].Findings = a.findings(results[i].Findings)
	}
	for i := range results {
		if results[i].Check.Name == ignoresValid.Name {
			results[i].Findings = withUnused(results[i].Findings, a.unused(results))
			if !lookedAt(results) {
				results[i].Findings = nothingLookedAt(results[i].Findings)
			}
		}
	}
	return results
}

// inForce is an ignore that has not expired, for one of its names.
type inForce struct {
	*ignores.Ignore
	name ignores.Name
	// file is the clean path of where it stands.
	file string
	used bool
}

// applied are ignores while they are held against findings.
type applied struct {
	*Host
	order []*inForce
	// by are the same by the problem that they name.
	by map[string][]*inForce
	// matches remembers which pattern has which path.
	matches map[pathMatch]bool
}

type pathMatch struct {
	ignore *ignores.Ignore
	path   string
}

func (a *applied) add(ignore *ignores.Ignore) {
	if !ignore.Until.IsZero() && ignore.Until.Over(a.Now()) {
		return
	}
	for _, name := range ignore.Names {
		if ignorable(name.ID) && slices.Contains(a.ignores.problems, name.ID) {
			one := &inForce{Ignore: ignore, name: name, file: a.cleanPath(ignore.Place.File.Path)}
			a.order, a.by[name.ID] = append(a.order, one), append(a.by[name.ID], one)
		}
	}
}

// findings are the same with those marked that are ignored.
func (a *applied) findings(all []Finding) []Finding {
	out := make([]Finding, 0, len(all))
	for _, f := range all {
		switch {
		case f.Problem == nil || f.Status < Warn || len(a.by[f.Problem.ID]) == 0:
			out = append(out, f)
		case f.Location.File != nil:
			out = append(out, a.placed(f))
		default:
			out = append(out, a.placeless(f)...)
		}
	}
	return out
}

// placed judges a finding that stands in a file. Every ignore that is about it is used, and the first is shown.
func (a *applied) placed(f Finding) Finding {
	file := a.cleanPath(f.Location.File.Path)
	for _, ignore := range a.by[f.Problem.ID] {
		if a.about(ignore, f, file, ignore.Reach.Covers(f.Location)) {
			ignore.used = true
			if f.Ignored == nil {
				f.Ignored = ignore.mark()
			}
		}
	}
	return f
}

// placeless judges a finding that stands in no file, as that a host is out of reach: it belongs to the definitions of its
// runners. Of several runners those are parted from the others whose definition, as a whole, ignores it.
func (a *applied) placeless(f Finding) []Finding {
	var open []string
	accepted := map[*inForce][]string{}
	runners := a.runnersOf(f)
	for _, r := range runners {
		file := ""
		if r.Definition != nil && r.Definition.File != nil {
			file = a.cleanPath(r.Definition.File.Path)
		}
		var first *inForce
		for _, ignore := range a.by[f.Problem.ID] {
			if a.about(ignore, f, file, ignore.Reach.Whole) {
				ignore.used = true
				if first == nil {
					first = ignore
				}
			}
		}
		if first == nil {
			open = append(open, r.Name)
		} else {
			accepted[first] = append(accepted[first], r.Name)
		}
	}
	if len(accepted) == 0 {
		return []Finding{f}
	}
	var out []Finding
	for _, ignore := range a.by[f.Problem.ID] {
		if names := accepted[ignore]; len(names) > 0 {
			one := f
			if len(names) < len(runners) {
				one = one.For(names...)
			}
			one.Ignored = ignore.mark()
			out = append(out, one)
		}
	}
	if len(open) > 0 {
		out = append([]Finding{f.For(open...)}, out...)
	}
	return out
}

// runnersOf are those that a finding is about: all if it names none.
func (a *applied) runnersOf(f Finding) []*Runner {
	if len(f.Runners) == 0 {
		return a.Runners
	}
	var runners []*Runner
	for _, r := range a.Runners {
		if slices.Contains(f.Runners, r.Name) {
			runners = append(runners, r)
		}
	}
	return runners
}

// about tells whether an ignore is about a finding of its problem, in a file that is named by its clean path; covered says
// whether a comment would reach it.
func (a *applied) about(ignore *inForce, f Finding, file string, covered bool) bool {
	if !ignore.External {
		return covered && file == ignore.file
	}
	if ignore.Subject != "" && ignore.Subject != f.Subject {
		return false
	}
	return a.hasPath(ignore.Ignore, file)
}

// hasPath tells whether a clean path has an ignore's pattern. One that begins with a slash is held against the whole path.
func (a *applied) hasPath(ignore *ignores.Ignore, file string) bool {
	key := pathMatch{ignore, file}
	match, known := a.matches[key]
	if !known {
		match = ignore.Path.Match(file)
		if path.IsAbs(ignore.Path.Pattern) && !path.IsAbs(file) && a.Folder != "" {
			match = ignore.Path.Match(path.Join(a.Folder, file))
		}
		a.matches[key] = match
	}
	return match
}

func (i *inForce) mark() *Ignored {
	return &Ignored{Reason: i.Reason, Location: i.Place, Until: i.Until.String(), External: i.External}
}

// unused are the ignores that are about no finding, as far as that can be said.
func (a *applied) unused(results []Result) []Finding {
	looked := map[string]bool{}
	var findings []Finding
	for _, ignore := range a.order {
		id := ignore.name.ID
		switch {
		case ignore.used, a.comesAndGoes(id):
			continue
		case ignore.External && !(ignore.Path.Exact() && a.judgedPath(ignore.Ignore)):
			continue
		case !a.soughtAfter(results, ignore, looked):
			continue
		}
		message := fmt.Sprintf("no %s was found in what it covers", id)
		hint := "take it out, or put it at the end of the line that the report names, or directly above the statement"
		switch {
		case ignore.External && ignore.Subject != "":
			message = fmt.Sprintf("no %s was found about that subject in that file", id)
			hint = "take the entry out, or write subject and path as the report has them"
		case ignore.External:
			message = fmt.Sprintf("no %s was found in that file", id)
			hint = "take the entry out, or write the path as the report has it"
		case ignore.Reach.Whole:
			message = fmt.Sprintf("no %s was found in this file", id)
			hint = "take it out"
		case ignore.Reach == ignores.Reach{}:
			message = "a blank line, or the end of the file, stands below it: it covers nothing"
			hint = "put it directly above the statement"
		}
		findings = append(findings, atIgnore(Warned(ignoreUnused, id, message, hint), ignore.name.Place))
	}
	return findings
}

func (a *applied) judgedPath(ignore *ignores.Ignore) bool {
	for file := range a.ignores.judged {
		if a.hasPath(ignore, file) {
			return true
		}
	}
	return false
}

// soughtAfter tells whether a problem was looked for wherever an ignore may be about it: each check that may report it
// ran, and skipped nothing there.
func (a *applied) soughtAfter(results []Result, ignore *inForce, known map[string]bool) bool {
	file := ignore.file
	if ignore.External {
		file = a.cleanPath(ignore.Path.Pattern)
	}
	key := ignore.name.ID + "\n" + file
	if sought, seen := known[key]; seen {
		return sought
	}
	sought := true
	for _, check := range a.ignores.checks {
		if reports(check, ignore.name.ID) {
			i := slices.IndexFunc(results, func(r Result) bool { return r.Check.Name == check.Name })
			sought = sought && i >= 0 && !slices.ContainsFunc(results[i].Findings, func(f Finding) bool { return a.leavesOut(f, file) })
		}
	}
	known[key] = sought
	return sought
}

func reports(check Check, id string) bool {
	return slices.ContainsFunc(check.Problems, func(p *Problem) bool { return p.ID == id })
}

// leavesOut tells whether a finding says that something was not looked at which may be about a file.
func (a *applied) leavesOut(f Finding, file string) bool {
	if f.Status != Skip && f.Status != Error {
		return false
	}
	if f.Location.File != nil {
		return a.cleanPath(f.Location.File.Path) == file
	}
	for _, r := range a.runnersOf(f) {
		if a.belongs(r, file) {
			return true
		}
	}
	return len(f.Runners) == 0
}

// belongs tells whether a runner takes anything from a file.
func (a *applied) belongs(r *Runner, file string) bool {
	if r.Config != nil && a.cleanPath(r.Config.Path) == file {
		return true
	}
	if r.Definition == nil {
		return false
	}
	places := placesOf(r.Definition)
	places = append(places, source.Span{File: r.Definition.File})
	for _, env := range r.Definition.EnvFiles {
		places = append(places, source.Span{File: env.File})
	}
	return slices.ContainsFunc(places, func(place source.Span) bool {
		return place.File != nil && a.cleanPath(place.File.Path) == file
	})
}

// comesAndGoes tells whether a problem that was not found may be there all the same for a run of another kind, or at
// another time: what only the runner's own host shows, what an answer of a registry proves harmless there, what depends on
// a git work tree, what a registry mends by itself.
func (a *applied) comesAndGoes(id string) bool {
	changing := []*Problem{exposedSecret, rateLimited, registryFailure, tokenServiceFailure, configMissing, configMountTarget}
	if a.Live {
		changing = append(changing, configUnmounted, credentialStore, credentialHelper, emptyEntry, unmatchedKey,
			hubKeyProblem, hubReference, sharedHostKeys)
	} else {
		changing = append(changing, configIsDirectory, configUnreadable, configExposed, mountSourceMissing, noDefinition)
	}
	return slices.ContainsFunc(changing, func(p *Problem) bool { return p.ID == id })
}

// withUnused adds findings in the place of a pass.
func withUnused(findings, unused []Finding) []Finding {
	if len(unused) == 0 {
		return findings
	}
	findings = slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Status == Pass })
	return append(findings, unused...)
}

// lookedAt tells whether any other check looked at anything that is not ignored, or no other check ran.
func lookedAt(results []Result) bool {
	others := 0
	for _, r := range results {
		if r.Check.Name == ignoresValid.Name {
			continue
		}
		others++
		if worst(r.Findings) > Skip {
			return true
		}
	}
	return others == 0
}

// nothingLookedAt makes a skip of a pass: sound ignores are no sign that anything of a runner was judged.
func nothingLookedAt(findings []Finding) []Finding {
	findings = slices.Clone(findings)
	for i, f := range findings {
		if f.Status == Pass {
			findings[i] = Skipped(f.Subject, "nothing was judged that could count")
		}
	}
	return findings
}
