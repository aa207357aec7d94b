package report

import (
	"cmp"
	"slices"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// Cause is what somebody has to act on: the findings of one problem on one root, and those that follow from them.
type Cause struct {
	Problem *checks.Problem
	// Root is the entry, key, line, image, host or proxy to mend; where findings have several, what stands before all.
	Root string
	// Status is the worst of Findings.
	Status checks.Status
	// Findings are the cause's own, worst first.
	Findings []checks.Finding
	// Explained are the findings of other causes that follow from these ones, directly or in several steps.
	Explained []checks.Finding
	// By are the causes that explain this group of findings; empty for what has to be mended itself.
	By []Ref
	// Hint is that of the first finding; Commands are those of all. Several roots have one hint and its commands.
	Hint     string
	Commands []string
	// Runners are those that are hit; empty means all of them.
	Runners []string
	// Roots are those that Root stands before; empty where it is the only one.
	Roots []string

	// own and follows are where Findings and Explained stand in the results.
	own, follows []place
	// first orders causes that are equally bad.
	first int
}

// Ref names a cause. Of those without By, no two have the same.
type Ref struct{ Problem, Root string }

// Ref is the cause's name.
func (c Cause) Ref() Ref { return Ref{c.Problem.ID, c.Root} }

// Location is where the cause stands: the first place of its own findings. What stands before several roots stands in
// no file.
func (c Cause) Location() source.Span {
	if len(c.Roots) > 0 {
		return source.Span{}
	}
	for _, f := range c.Findings {
		if f.Location.File != nil {
			return f.Location
		}
	}
	return source.Span{}
}

// Size is how many findings come down to the cause, its own included.
func (c Cause) Size() int { return len(c.Findings) + len(c.Explained) }

// Group finds the causes behind the results' warnings, errors and failures. A finding explains another if its problem
// says so, both touch the same entry, host, image or file for the same runner, and it is at least as bad: no warning
// hides a failure. What has to be mended comes first, worst first; the groups that are explained follow, each with
// its By. No finding is lost but those that are ignored. One that several causes explain is beneath each of them, since
// mending one is not enough.
func Group(results []checks.Result) []Cause {
	g := newGraph(results)
	tops, rest := g.groups(func(i int) bool { return !g.explained[i] }),
		g.groups(func(i int) bool { return g.explained[i] })
	slices.SortStableFunc(tops, worstFirst)
	slices.SortStableFunc(rest, worstFirst)
	by := map[place][]Ref{}
	for _, top := range tops {
		for _, at := range top.follows {
			by[at] = append(by[at], top.Ref())
		}
	}
	for i := range rest {
		for _, member := range rest[i].own {
			rest[i].By = append(rest[i].By, by[member]...)
		}
		rest[i].By = unique(rest[i].By)
	}
	return append(tops, rest...)
}

// worstFirst orders causes; those that are equally bad are in the order of their first findings.
func worstFirst(a, b Cause) int {
	return cmp.Or(cmp.Compare(b.Status, a.Status), cmp.Compare(b.Size(), a.Size()), cmp.Compare(a.first, b.first))
}

// place is where a finding stands in the results.
type place struct{ check, finding int }

// node is one finding with its place.
type node struct {
	checks.Finding
	at place
}

// graph has the findings in order, and which one explains which.
type graph struct {
	nodes     []node
	effects   [][]int
	explained []bool
}

func newGraph(results []checks.Result) *graph {
	g := &graph{}
	for i, result := range results {
		for j, finding := range result.Findings {
			if finding.Status >= checks.Warn && finding.Problem != nil && finding.Ignored == nil {
				g.nodes = append(g.nodes, node{finding, place{i, j}})
			}
		}
	}
	slices.SortStableFunc(g.nodes, inOrder)
	g.effects, g.explained = make([][]int, len(g.nodes)), make([]bool, len(g.nodes))
	g.link()
	return g
}

// inOrder puts findings in the order of checks, then of places, then as the check has them.
func inOrder(a, b node) int {
	p, q := a.Location.Position(), b.Location.Position()
	return cmp.Or(cmp.Compare(a.at.check, b.at.check), cmp.Compare(p.Path, q.Path), cmp.Compare(p.Line, q.Line),
		cmp.Compare(p.Column, q.Column), cmp.Compare(a.at.finding, b.at.finding))
}

// link finds out which finding explains which.
func (g *graph) link() {
	type about struct{ problem, touch string }
	of := map[about][]int{}
	for i, n := range g.nodes {
		for _, touch := range n.Touches {
			of[about{n.Problem.ID, touch}] = append(of[about{n.Problem.ID, touch}], i)
		}
	}
	explains := explanations(g.nodes)
	for i, n := range g.nodes {
		for _, problem := range explains[n.Problem.ID] {
			for _, touch := range n.Touches {
				for _, effect := range of[about{problem, touch}] {
					if e := g.nodes[effect]; e.Status <= n.Status && shareRunner(n.Finding, e.Finding) {
						g.effects[i] = append(g.effects[i], effect)
						g.explained[effect] = true
					}
				}
			}
		}
	}
}

// explanations are the problems that each problem explains. Problems that explain each other, over however many
// steps, explain nothing: neither is the cause of the other, and both are shown.
func explanations(nodes []node) map[string][]string {
	said := map[string][]string{}
	for _, n := range nodes {
		said[n.Problem.ID] = n.Problem.Explains
	}
	causes := map[string][]string{}
	for id, effects := range said {
		for _, effect := range effects {
			if !leadsTo(said, effect, id) {
				causes[id] = append(causes[id], effect)
			}
		}
		causes[id] = unique(causes[id])
	}
	return causes
}

// leadsTo tells whether one problem explains another over any number of steps, or is the same.
func leadsTo(said map[string][]string, from, to string) bool {
	seen, todo := map[string]bool{from: true}, []string{from}
	for len(todo) > 0 {
		id := todo[0]
		if id == to {
			return true
		}
		todo = todo[1:]
		for _, next := range said[id] {
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return false
}

func shareRunner(a, b checks.Finding) bool {
	return len(a.Runners) == 0 || len(b.Runners) == 0 ||
		slices.ContainsFunc(a.Runners, func(name string) bool { return slices.Contains(b.Runners, name) })
}

// groups makes causes of the findings that are wanted.
func (g *graph) groups(wanted func(int) bool) []Cause {
	var order []Ref
	members := map[Ref][]int{}
	shared := g.shared(wanted)
	for i, n := range g.nodes {
		if wanted(i) {
			ref := Ref{n.Problem.ID, n.Root}
			if behind := (Ref{n.Problem.ID, n.Behind.Name}); shared[behind] {
				ref = behind
			}
			order = append(order, ref)
			members[ref] = append(members[ref], i)
		}
	}
	var causes []Cause
	for _, ref := range unique(order) {
		c := g.cause(members[ref])
		if shared[ref] {
			c.stand(ref.Root)
		}
		causes = append(causes, c)
	}
	return causes
}

// shared tells what stands before several roots of one problem, among the findings that are wanted.
func (g *graph) shared(wanted func(int) bool) map[Ref]bool {
	first, shared := map[Ref]string{}, map[Ref]bool{}
	for i, n := range g.nodes {
		if n.Behind.Name == "" || !wanted(i) {
			continue
		}
		behind := Ref{n.Problem.ID, n.Behind.Name}
		if root, seen := first[behind]; seen && root != n.Root {
			shared[behind] = true
		} else {
			first[behind] = n.Root
		}
	}
	return shared
}

// stand makes a cause of what stands before the roots of its findings.
func (c *Cause) stand(before string) {
	for _, f := range c.Findings {
		c.Roots = append(c.Roots, f.Root)
	}
	c.Root, c.Roots = before, unique(c.Roots)
	c.Hint, c.Commands = c.Findings[0].Behind.Together(c.Findings)
}

// cause makes a cause of its own findings.
func (g *graph) cause(own []int) Cause {
	slices.SortStableFunc(own, func(a, b int) int { return cmp.Compare(g.nodes[b].Status, g.nodes[a].Status) })
	worst := g.nodes[own[0]]
	c := Cause{Problem: worst.Problem, Root: worst.Root, Status: worst.Status, Hint: worst.Hint, first: own[0]}
	all := false
	for _, i := range own {
		f := g.nodes[i].Finding
		c.Findings, c.own = append(c.Findings, f), append(c.own, g.nodes[i].at)
		c.Runners = append(c.Runners, f.Runners...)
		all = all || len(f.Runners) == 0
	}
	c.Commands, c.Runners = commandsOf(c.Findings), unique(c.Runners)
	if all {
		c.Runners = nil
	}
	for _, i := range g.reached(own) {
		c.Explained, c.follows = append(c.Explained, g.nodes[i].Finding), append(c.follows, g.nodes[i].at)
	}
	return c
}

// commandsOf are the commands of findings, each once. Those with which all of them end, as the restart of the runner, come
// after all others.
func commandsOf(findings []checks.Finding) []string {
	var commands, last []string
	first := true
	for _, f := range findings {
		switch {
		case len(f.Commands) == 0:
		case first:
			last, first = f.Commands, false
		default:
			last = last[len(last)-sameEnd(last, f.Commands):]
		}
	}
	for _, f := range findings {
		commands = append(commands, f.Commands[:max(0, len(f.Commands)-len(last))]...)
	}
	return unique(append(commands, last...))
}

// sameEnd is how many items two lists end with in common.
func sameEnd(a, b []string) (n int) {
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// reached are the findings that follow from the given ones, in order.
func (g *graph) reached(from []int) []int {
	seen := map[int]bool{}
	for _, i := range from {
		seen[i] = true
	}
	var found []int
	for todo := slices.Clone(from); len(todo) > 0; todo = todo[1:] {
		for _, effect := range g.effects[todo[0]] {
			if !seen[effect] {
				seen[effect] = true
				found, todo = append(found, effect), append(todo, effect)
			}
		}
	}
	slices.Sort(found)
	return found
}

// unique is the list with the first of those alone that are equal.
func unique[T comparable](all []T) []T {
	seen := make(map[T]bool, len(all))
	var kept []T
	for _, v := range all {
		if !seen[v] {
			seen[v] = true
			kept = append(kept, v)
		}
	}
	return kept
}
