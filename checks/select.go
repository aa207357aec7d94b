package checks

import (
	"fmt"
	"slices"
)

// Selection is which checks run, and which of their problems are reported.
type Selection struct {
	Checks []Check
	// wanted and unwanted are problem IDs by check name; a check without an entry reports all of its problems.
	wanted   map[string][]string
	unwanted []string
}

// Select chooses among all by the names of checks, groups and problems: only those named in only (all, if it is
// empty), less those named in skip. An unknown name is an error that proposes a near one.
func Select(all []Check, only, skip []string) (Selection, error) {
	selection := Selection{wanted: map[string][]string{}}
	for _, name := range append(slices.Clone(only), skip...) {
		if !known(all, name) {
			return selection, fmt.Errorf("no check, group or problem is called %q%s", name, near(all, name))
		}
	}
	for _, check := range all {
		whole, problems := chosen(check, only)
		if len(only) > 0 && !whole && len(problems) == 0 {
			continue
		}
		if out, _ := chosen(check, skip); out {
			continue
		}
		if len(only) > 0 && !whole {
			selection.wanted[check.Name] = problems
		}
		selection.Checks = append(selection.Checks, check)
	}
	selection.unwanted = skip
	return selection, nil
}

// chosen tells whether names name the check as a whole, by itself or by its group, and which of its problems.
func chosen(check Check, names []string) (whole bool, problems []string) {
	for _, name := range names {
		if name == check.Name || name == check.Group() {
			whole = true
		}
		if slices.ContainsFunc(check.Problems, func(p *Problem) bool { return p.ID == name }) || name == notEstablished.ID {
			problems = append(problems, name)
		}
	}
	return whole, problems
}

// keep drops the findings whose problems were not asked for. What could not be established always stays: it says
// that the answer is incomplete.
func (s Selection) keep(check Check, findings []Finding) []Finding {
	wanted, limited := s.wanted[check.Name]
	var kept []Finding
	for _, f := range findings {
		switch {
		case f.Problem == nil && !limited:
		case f.Problem == nil, f.Problem == notEstablished && !slices.Contains(s.unwanted, f.Problem.ID):
		case slices.Contains(s.unwanted, f.Problem.ID):
			continue
		case limited && !slices.Contains(wanted, f.Problem.ID):
			continue
		}
		kept = append(kept, f)
	}
	switch {
	case len(kept) > 0:
		return kept
	case len(findings) == 0:
		return []Finding{Skipped(check.Name, "there was nothing to look at")}
	}
	return []Finding{Passed(check.Name, "none of the problems that were asked for")}
}

// Reports tells whether a problem of a check is reported, if it is there.
func (s Selection) Reports(check, problem string) bool {
	wanted, limited := s.wanted[check]
	selected := slices.ContainsFunc(s.Checks, func(c Check) bool { return c.Name == check })
	return selected && !slices.Contains(s.unwanted, problem) && (!limited || slices.Contains(wanted, problem))
}

// Names lists every name that Select takes: groups, checks, problems.
func Names(all []Check) []string {
	var names []string
	for _, check := range all {
		names = appendNew(names, []string{check.Group(), check.Name})
	}
	for _, p := range Problems(all) {
		names = appendNew(names, []string{p.ID})
	}
	return names
}

// Problems lists the problems of the checks, each once.
func Problems(all []Check) []*Problem {
	var problems []*Problem
	for _, check := range all {
		for _, p := range check.Problems {
			if !slices.Contains(problems, p) {
				problems = append(problems, p)
			}
		}
	}
	if !slices.Contains(problems, notEstablished) {
		problems = append(problems, notEstablished)
	}
	return problems
}

func known(all []Check, name string) bool { return slices.Contains(Names(all), name) }

func near(all []Check, name string) string {
	if match := Nearest(name, Names(all)); match != "" {
		return fmt.Sprintf("; did you mean %q?", match)
	}
	return ""
}
