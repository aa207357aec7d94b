package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks"
)

// told is a cause in one line: PROBLEM ROOT: own subjects > explained subjects < causes.
func told(causes []Cause) []string {
	var lines []string
	for _, c := range causes {
		line := fmt.Sprintf("%s %s:%s", c.Problem.ID, c.Root, subjects(c.Findings))
		if len(c.Explained) > 0 {
			line += " >" + subjects(c.Explained)
		}
		for _, ref := range c.By {
			line += fmt.Sprintf(" < %s %s", ref.Problem, ref.Root)
		}
		lines = append(lines, line)
	}
	return lines
}

func subjects(findings []checks.Finding) string {
	text := ""
	for _, f := range findings {
		text += " " + f.Subject
	}
	return text
}

func TestGroup(t *testing.T) {
	a := &checks.Problem{ID: "a", Explains: []string{"b"}}
	b := &checks.Problem{ID: "b", Explains: []string{"c"}}
	c := &checks.Problem{ID: "c"}
	loopA := &checks.Problem{ID: "a", Explains: []string{"b", "a"}}
	loopB := &checks.Problem{ID: "b", Explains: []string{"a"}}
	fail := func(p *checks.Problem, subject string, touches ...string) checks.Finding {
		return checks.Failed(p, subject, "m", "h").Touching(touches...)
	}
	tests := map[string]struct {
		findings []checks.Finding
		want     []string
	}{
		"nothing":          {nil, nil},
		"passes and skips": {[]checks.Finding{checks.Passed("s", "m"), checks.Skipped("s", "m")}, nil},
		"one root": {
			[]checks.Finding{fail(c, "s1").On("r"), fail(c, "s2").On("r"), fail(c, "s3")},
			[]string{"c r: s1 s2", "c s3: s3"},
		},
		"explained": {[]checks.Finding{fail(b, "s2", "x"), fail(a, "s1", "x")}, []string{
			"a s1: s1 > s2",
			"b s2: s2 < a s1",
		}},
		"nothing shared": {[]checks.Finding{fail(b, "s2", "x"), fail(a, "s1", "y")}, []string{
			"b s2: s2",
			"a s1: s1",
		}},
		"in two steps": {
			[]checks.Finding{fail(a, "s1", "x"), fail(b, "s2", "x", "y"), fail(c, "s3", "y")},
			[]string{"a s1: s1 > s2 s3", "b s2: s2 > s3 < a s1", "c s3: s3 < a s1"},
		},
		"a step is missing": {[]checks.Finding{fail(a, "s1", "x"), fail(c, "s3", "x")}, []string{
			"a s1: s1",
			"c s3: s3",
		}},
		"a warning hides no failure": {
			[]checks.Finding{fail(a, "s1", "x").As(checks.Warn), fail(b, "s2", "x")},
			[]string{"b s2: s2", "a s1: s1"},
		},
		"an error hides no failure": {
			[]checks.Finding{fail(a, "s1", "x").As(checks.Error), fail(b, "s2", "x")},
			[]string{"b s2: s2", "a s1: s1"},
		},
		"an error explains an error": {
			[]checks.Finding{fail(a, "s1", "x").As(checks.Error), fail(b, "s2", "x").As(checks.Error)},
			[]string{"a s1: s1 > s2", "b s2: s2 < a s1"},
		},
		"a failure explains a warning": {
			[]checks.Finding{fail(a, "s1", "x"), fail(b, "s2", "x").As(checks.Warn)},
			[]string{"a s1: s1 > s2", "b s2: s2 < a s1"},
		},
		"another runner": {
			[]checks.Finding{fail(a, "s1", "x").For("one"), fail(b, "s2", "x").For("two")},
			[]string{"a s1: s1", "b s2: s2"},
		},
		"a shared runner": {
			[]checks.Finding{fail(a, "s1", "x").For("one", "two"), fail(b, "s2", "x").For("two"), fail(b, "s3", "x")},
			[]string{"a s1: s1 > s2 s3", "b s2: s2 < a s1", "b s3: s3 < a s1"},
		},
		"two causes": {
			[]checks.Finding{fail(a, "s1", "x"), fail(a, "s2", "x"), fail(b, "s3", "x")},
			[]string{"a s1: s1 > s3", "a s2: s2 > s3", "b s3: s3 < a s1 < a s2"},
		},
		"explained in part": {
			[]checks.Finding{fail(a, "s1", "x"), fail(b, "s2", "x").On("r"), fail(b, "s3", "y").On("r")},
			[]string{"a s1: s1 > s2", "b r: s3", "b r: s2 < a s1"},
		},
		"one root behind something": {
			[]checks.Finding{behind(fail(c, "s1").On("r"), "wall"), behind(fail(c, "s2").On("r"), "wall")},
			[]string{"c r: s1 s2"},
		},
		"several roots behind one thing": {
			[]checks.Finding{
				behind(fail(c, "s1").As(checks.Warn), "wall"), behind(fail(c, "s2"), "wall"), fail(c, "s3"),
				behind(fail(c, "s4"), "door"), behind(fail(a, "s5"), "wall"),
			},
			[]string{"c wall: s2 s1", "c s3: s3", "c s4: s4", "a s5: s5"},
		},
		"what is behind one thing is explained in part": {
			[]checks.Finding{fail(b, "s1", "x"), behind(fail(c, "s2", "x"), "wall"), behind(fail(c, "s3"), "wall")},
			[]string{"b s1: s1 > s2", "c s3: s3", "c s2: s2 < b s1"},
		},
		"each explains the other": {
			[]checks.Finding{fail(loopA, "s1", "x"), fail(loopB, "s2", "x"), fail(loopA, "s3", "x")},
			[]string{"a s1: s1", "b s2: s2", "a s3: s3"},
		},
		"worst first": {[]checks.Finding{
			fail(c, "s1").As(checks.Warn), fail(c, "s2").As(checks.Error), fail(c, "s3"),
			fail(a, "s4").On("r"), fail(a, "s5").On("r"),
		}, []string{"a r: s4 s5", "c s3: s3", "c s2: s2", "c s1: s1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := told(Group([]checks.Result{result(configFile, 0, test.findings...)}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGroupOrdersByCheckAndPlace(t *testing.T) {
	c := &checks.Problem{ID: "c"}
	text := "one\ntwo\nthree\n"
	found := func(word string) checks.Finding { return checks.Failed(c, word, "m", "h").At(at("f", text, word)) }
	got := told(Group([]checks.Result{
		result(configJSON, 0, found("three"), found("two"), found("one")),
		result(configFile, 0, checks.Failed(c, "zero", "m", "h")),
	}))
	if diff := cmp.Diff([]string{"c one: one", "c two: two", "c three: three", "c zero: zero"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCauseHasAllCommandsAndRunners(t *testing.T) {
	f := checks.Failed(store, "s", "m", "first").On("r")
	causes := Group([]checks.Result{result(configFile, 0, f.As(checks.Warn).Try("w"), f.Try("b", "a").For("one"),
		checks.Failed(store, "t", "m", "second").On("r").Try("a", "c").For("two", "one"))})
	if len(causes) != 1 {
		t.Fatalf("got %v", told(causes))
	}
	c := causes[0]
	commands := []string{"b", "a", "c", "w"}
	if c.Status != checks.Fail || c.Hint != "first" || c.Runners != nil || !slices.Equal(c.Commands, commands) {
		t.Errorf("got %+v", c)
	}
}

// behind puts something before a finding's root.
func behind(f checks.Finding, name string) checks.Finding {
	f.Behind = checks.Barrier{Name: name, Fact: "do not answer", Mend: "open it for these", List: "list"}
	return f
}

// TestCauseOfWhatStandsBeforeSeveralHosts has one hint and the first host's commands for all hosts, and stands in no file;
// a host by itself keeps its own, and either way its fingerprint.
func TestCauseOfWhatStandsBeforeSeveralHosts(t *testing.T) {
	host := func(name string) checks.Finding {
		f := checks.Failed(store, name, "m", "open it for "+name).Try("try " + name)
		return behind(f.At(at("f", "one\n", "one")), "wall")
	}
	one := Group([]checks.Result{result(configFile, 0, host("a"))})[0]
	if one.Root != "a" || one.Hint != "open it for a" || len(one.Commands) != 1 || one.Location().File == nil {
		t.Errorf("one host: %+v", one)
	}
	r := New(Run{Host: &checks.Host{}, Results: []checks.Result{
		result(configFile, 0, host("b").As(checks.Warn), host("a"), host("c")),
	}})
	all := r.Causes[0]
	const hint = "open it for these: a, c; also to these, which may be needed: b; runner-preflight allowlist prints all " +
		"that is needed"
	if all.Root != "wall" || all.Hint != hint || !slices.Equal(all.Commands, []string{"try a", "list"}) ||
		all.Location().File != nil {
		t.Errorf("three hosts: %+v", all)
	}
	alone := New(Run{Host: &checks.Host{}, Results: []checks.Result{result(configFile, 0, host("a"))}})
	if got, want := problems(r)[1].print, problems(alone)[0].print; got != want {
		t.Errorf("the fingerprint is %s with other hosts, and %s without", got, want)
	}
}

// world makes results at random, with problems that explain each other in any way, cycles included.
func world(random *rand.Rand) []checks.Result {
	problems := make([]*checks.Problem, 6)
	for i := range problems {
		problems[i] = &checks.Problem{ID: fmt.Sprintf("p%d", i)}
		for range random.IntN(3) {
			problems[i].Explains = append(problems[i].Explains, fmt.Sprintf("p%d", random.IntN(len(problems))))
		}
	}
	results := []checks.Result{{Check: configFile}, {Check: configJSON}, {Check: resolves}}
	for i := range random.IntN(25) {
		f := checks.Failed(problems[random.IntN(len(problems))], fmt.Sprintf("s%d", i), "m", "h").
			As(checks.Status(random.IntN(5))).On(fmt.Sprintf("r%d", random.IntN(4)))
		for range random.IntN(3) {
			f = f.Touching(fmt.Sprintf("t%d", random.IntN(5)))
		}
		if random.IntN(4) == 0 {
			f = behind(f, "wall")
		}
		if random.IntN(3) == 0 {
			f = f.For([]string{"one", "two", "three"}[random.IntN(3)])
		}
		in := &results[random.IntN(len(results))]
		in.Findings = append(in.Findings, f)
	}
	return results
}

// follows tells, in the plainest way, whether findings follow from a cause's own: by steps each of which the problems
// allow, that share a touch and a runner, and that get no worse.
func follows(all []checks.Finding, from []checks.Finding) map[string]bool {
	reached := map[string]bool{}
	for todo := slices.Clone(from); len(todo) > 0; todo = todo[1:] {
		for _, f := range all {
			cause := todo[0]
			shared := slices.ContainsFunc(cause.Touches,
				func(touch string) bool { return slices.Contains(f.Touches, touch) })
			together := len(cause.Runners) == 0 || len(f.Runners) == 0 || cause.Runners[0] == f.Runners[0]
			if slices.Contains(cause.Problem.Explains, f.Problem.ID) && shared && together &&
				f.Status <= cause.Status &&
				!reached[f.Subject] {
				reached[f.Subject] = true
				todo = append(todo, f)
			}
		}
	}
	return reached
}

func TestGroupLosesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		results := world(random)
		causes := Group(results)
		checkCauses(t, results, causes)
		for i := range results {
			findings := results[i].Findings
			random.Shuffle(len(findings), func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
		}
		if diff := cmp.Diff(unordered(causes), unordered(Group(results))); diff != "" {
			t.Fatalf("the order of findings matters: %s", diff)
		}
		if diff := cmp.Diff(told(Group(results)), told(Group(results))); diff != "" {
			t.Fatalf("the same findings give other causes: %s", diff)
		}
	}
}

// unordered is what causes are made of, whatever the order.
func unordered(causes []Cause) []string {
	causes = slices.Clone(causes)
	bySubject := func(a, b checks.Finding) int { return strings.Compare(a.Subject, b.Subject) }
	for i := range causes {
		c := &causes[i]
		c.Findings, c.Explained = slices.SortedFunc(slices.Values(c.Findings), bySubject),
			slices.SortedFunc(slices.Values(c.Explained), bySubject)
		c.By = slices.SortedFunc(slices.Values(c.By), func(a, b Ref) int {
			return strings.Compare(a.Problem+" "+a.Root, b.Problem+" "+b.Root)
		})
	}
	lines := told(causes)
	slices.Sort(lines)
	return lines
}

func checkCauses(t *testing.T, results []checks.Result, causes []Cause) {
	t.Helper()
	var all []checks.Finding
	for _, r := range results {
		for _, f := range r.Findings {
			if f.Status >= checks.Warn {
				all = append(all, f)
			}
		}
	}
	seen, explained, tops := map[string]int{}, map[string]bool{}, 0
	for i, c := range causes {
		if len(c.By) == 0 {
			tops++
			if tops != i+1 {
				t.Fatalf("what is explained comes first: %v", told(causes))
			}
			if i > 0 && worstFirst(causes[i-1], c) > 0 {
				t.Fatalf("not worst first: %v", told(causes))
			}
		}
		reachable := follows(all, c.Findings)
		for _, f := range c.Explained {
			if !reachable[f.Subject] || f.Status > c.Status {
				t.Fatalf("%s is explained by an unrelated cause: %v", f.Subject, told(causes))
			}
			explained[f.Subject] = explained[f.Subject] || len(c.By) == 0
		}
		for _, f := range c.Findings {
			seen[f.Subject]++
			shared := len(c.Roots) > 1 && f.Behind.Name == c.Root && slices.Contains(c.Roots, f.Root)
			if f.Problem != c.Problem || f.Root != c.Root && !shared {
				t.Fatalf("%s is in the wrong group: %v", f.Subject, told(causes))
			}
		}
	}
	for _, c := range causes {
		for _, f := range c.Findings {
			if explained[f.Subject] != (len(c.By) > 0) {
				t.Fatalf("%s is not beneath the causes that it names: %v", f.Subject, told(causes))
			}
		}
	}
	for _, f := range all {
		if seen[f.Subject] != 1 {
			t.Fatalf("%s is in %d groups: %v", f.Subject, seen[f.Subject], told(causes))
		}
	}
	if len(seen) != len(all) {
		t.Fatalf("there are more findings than were made: %v", told(causes))
	}
}

// A config.json of thirty thousand bad entries must not keep anybody waiting.
func TestGroupIsFast(t *testing.T) {
	var findings []checks.Finding
	for i := range 30_000 {
		key := fmt.Sprintf("registry-%d.example.com", i)
		findings = append(findings, checks.Failed(malformed, key, "m", "h").Touching(checks.Entry(key),
			checks.Path("config.json")))
	}
	images := result(resolves, 0, checks.Failed(missing, "PAUSE_IMAGE", "m",
		"h").Touching(checks.Path("config.json")))
	started := time.Now()
	r := New(Run{Results: []checks.Result{result(configAuth, 0, findings...), images}})
	var out strings.Builder
	if err := Text(TextOptions{Unicode: true})(&out, r); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), " and 29,980 more (all with -v or --format json)") {
		t.Errorf("the report does not say what it cuts:\n%s", out.String()[:2000])
	}
}

// TestCommandsOf puts what all findings of a cause end with behind what each of them wants before.
func TestCommandsOf(t *testing.T) {
	for _, c := range []struct{ of, want string }{
		{"a restart, b restart", "a b restart"},
		{"a restart, , restart", "a restart"},
		{"fetch install-1, fetch install-2", "fetch install-1 install-2"},
		{"fetch install, fetch install", "fetch install"},
		{"a restart-1, a restart-2", "a restart-1 restart-2"},
		{"", ""},
	} {
		var findings []checks.Finding
		for _, commands := range strings.Split(c.of, ",") {
			findings = append(findings, checks.Finding{Commands: strings.Fields(commands)})
		}
		if got := strings.Join(commandsOf(findings), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.of, got, c.want)
		}
	}
}
