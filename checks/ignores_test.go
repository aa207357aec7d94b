package checks

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks/ignores"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// accepting is a host with two runners, of which the first has text as its definition, and a file of ignores.
func accepting(text, file string) (*Host, *source.File) {
	h := &Host{Windows: Windows{Folder: "/srv/repo", Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}}
	first, second := source.New("run.sh", []byte(text)), source.New("second.sh", nil)
	h.Runners = []*Runner{
		{Name: "run.sh", Definition: &runner.Definition{File: first}},
		{Name: "second.sh", Definition: &runner.Definition{File: second}},
	}
	h.ignores = hostIgnores{judged: map[string]bool{"run.sh": true, "second.sh": true}, checks: All()}
	for _, p := range Problems(All()) {
		h.ignores.problems = append(h.ignores.problems, p.ID)
	}
	h.ignores.all, h.ignores.mistakes = ignores.Comments(first, ignores.Script, nil)
	found, mistakes := ignores.ParseFile(IgnoreFile, []byte(file))
	h.ignores.all, h.ignores.mistakes = append(h.ignores.all, found...), append(h.ignores.mistakes, mistakes...)
	return h, first
}

// toldIgnored are findings in a short form: the runners, and who ignores it.
func toldIgnored(findings []Finding) []string {
	var all []string
	for _, f := range findings {
		line := f.Status.String() + " " + strings.Join(f.Runners, "+")
		if f.Ignored != nil {
			line += " ignored by " + f.Ignored.Location.Position().String()
		}
		all = append(all, line)
	}
	return all
}

const headIgnore = "# runner-preflight: ignore=connect-timeout opened next week\n"

// A finding that stands in no file belongs to its runners: those whose definition accepts it are parted from the others.
func TestPlacelessFindingsArePartedByRunner(t *testing.T) {
	const everywhere = "ignores: [{problem: connect-timeout, path: '**', reason: r}]"
	const byName = "ignores: [{problem: connect-timeout, path: second.sh, reason: r}]"
	f := Failed(connectTimeout, "x:443", "m", "h")
	for name, test := range map[string]struct {
		text, file string
		finding    Finding
		want       []string
	}{
		"nobody accepts":             {"x\n", "", f, []string{"fail "}},
		"one of both, for all":       {headIgnore, "", f, []string{"fail second.sh", "fail run.sh ignored by run.sh:1:1"}},
		"one of both, named":         {headIgnore, "", f.For("run.sh", "second.sh"), []string{"fail second.sh", "fail run.sh ignored by run.sh:1:1"}},
		"the other one":              {headIgnore, "", f.For("second.sh"), []string{"fail second.sh"}},
		"itself":                     {headIgnore, "", f.For("run.sh"), []string{"fail run.sh ignored by run.sh:1:1"}},
		"both, by one":               {"x\n", everywhere, f, []string{"fail  ignored by .runner-preflight.yaml:1:21"}},
		"each by another":            {headIgnore, byName, f, []string{"fail run.sh ignored by run.sh:1:1", "fail second.sh ignored by .runner-preflight.yaml:1:21"}},
		"a comment above a line":     {"x\n" + headIgnore + "y\n", "", f, []string{"fail "}},
		"another problem":            {headIgnore, "", Failed(dnsFailure, "x", "m", "h"), []string{"fail "}},
		"a skip is nothing to spare": {headIgnore, "", f.As(Skip), []string{"skip "}},
	} {
		h, _ := accepting(test.text, test.file)
		results := applyIgnores(h, []Result{{Check: endpointReachable, Findings: []Finding{test.finding}}})
		if diff := cmp.Diff(test.want, toldIgnored(results[0].Findings)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A finding that stands in a file is ignored there, whichever runners share it, and by that file's own comments alone.
func TestPlacedFindingsAreIgnoredWhereTheyStand(t *testing.T) {
	h, file := accepting("x\n# runner-preflight: ignore=implicit-tag r\ny\nz\n", "")
	f := Warned(implicitTag, "CLONE_IMAGE", "m", "h")
	other := source.New("second.sh", file.Text)
	absolute := source.New("/srv/repo/run.sh", file.Text)
	y := strings.Index(string(file.Text), "y\n")
	var findings []Finding
	for _, place := range []source.Span{file.At(y, y+1), file.At(y+2, y+3), other.At(y, y+1), absolute.At(y, y+1), file.Whole()} {
		findings = append(findings, f.At(place))
	}
	results := applyIgnores(h, []Result{{Check: definitionImages, Findings: append(findings, f.At(file.At(y, y+1)).For("run.sh", "second.sh"))}})
	const by = " ignored by run.sh:2:1"
	want := []string{"warn " + by, "warn ", "warn ", "warn " + by, "warn ", "warn run.sh+second.sh" + by}
	if diff := cmp.Diff(want, toldIgnored(results[0].Findings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if findings[0].Ignored != nil {
		t.Error("the finding that was given has changed")
	}
}

// An ignore is reported as unused only where its problem was looked for, and everywhere.
func TestUnusedOnlyWhereItWasLookedFor(t *testing.T) {
	h, file := accepting("# runner-preflight: ignore=implicit-tag r\n", "")
	pass := func(check Check, findings ...Finding) Result {
		return Result{Check: check, Findings: append(findings, Passed("s", "m"))}
	}
	own := Result{Check: ignoresValid, Findings: []Finding{Passed("ignores", "m")}}
	for name, test := range map[string]struct {
		results []Result
		want    bool
	}{
		"looked for":               {[]Result{pass(definitionImages), own}, true},
		"not run":                  {[]Result{pass(configFile), own}, false},
		"nobody asks":              {[]Result{pass(definitionImages)}, false},
		"skipped there":            {[]Result{pass(definitionImages, Skipped("x", "m").For("run.sh")), own}, false},
		"skipped for all":          {[]Result{pass(definitionImages, Skipped("x", "m")), own}, false},
		"skipped elsewhere":        {[]Result{pass(definitionImages, Skipped("x", "m").For("second.sh")), own}, true},
		"skipped at another place": {[]Result{pass(definitionImages, Skipped("x", "m").At(source.New("second.sh", nil).Whole())), own}, true},
		"out of time":              {[]Result{pass(definitionImages, Erred(notEstablished, "x", "m", "h")), own}, false},
		"found":                    {[]Result{pass(definitionImages, Warned(implicitTag, "x", "m", "h").At(file.Whole())), own}, false},
	} {
		results := applyIgnores(h, test.results)
		got := slices.ContainsFunc(results[len(results)-1].Findings, func(f Finding) bool { return f.Problem == ignoreUnused })
		if got != test.want {
			t.Errorf("%s: unused %v", name, got)
		}
	}
}

// What could not be established, and what is wrong with ignores, is never ignored.
func TestWhatCannotBeIgnored(t *testing.T) {
	for _, p := range append(slices.Clone(ignoresValid.Problems), notEstablished) {
		h, file := accepting("# runner-preflight: ignore="+p.ID+" r\n", "ignores: [{problem: "+p.ID+", path: '**', reason: r}]")
		f := Erred(p, "s", "m", "h")
		results := applyIgnores(h, []Result{{Check: definitionImages, Findings: []Finding{f, f.At(file.Whole())}}})
		for _, got := range results[0].Findings {
			if got.Ignored != nil {
				t.Errorf("%s is ignored", p.ID)
			}
		}
	}
}

// Sound ignores alone are no sign that anything was judged, unless they alone were asked for.
func TestIgnoresAloneAreNoPass(t *testing.T) {
	h, file := accepting("# runner-preflight: ignore=no-runner r\n", "")
	own := Result{Check: ignoresValid, Findings: []Finding{Passed("ignores", "m")}}
	skipped := Result{Check: configFile, Findings: []Finding{Skipped("s", "m")}}
	accepted := Result{Check: definitionCommand, Findings: []Finding{Erred(noRunner, "s", "m", "h").At(file.Whole())}}
	for name, test := range map[string]struct {
		results []Result
		want    Status
	}{
		"alone":       {[]Result{own}, Pass},
		"skips":       {[]Result{skipped, own}, Skip},
		"ignored":     {[]Result{accepted, own}, Skip},
		"with a pass": {[]Result{accepted, {Check: configJSON, Findings: []Finding{Passed("s", "m")}}, own}, Pass},
	} {
		results := applyIgnores(h, test.results)
		if got := worst(results[len(results)-1].Findings); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Many ignores and many findings together take little time.
func TestManyIgnores(t *testing.T) {
	text := strings.Repeat("# runner-preflight: ignore=implicit-tag r\nx\n", 1000)
	entries := "ignores:\n" + strings.Repeat("- {problem: implicit-tag, path: '**/a/**/b', reason: r}\n", 1000)
	h, file := accepting("y\n"+text, entries)
	var findings []Finding
	for i := range 10_000 {
		findings = append(findings, Warned(implicitTag, fmt.Sprint(i), "m", "h").At(file.At(i, i)))
	}
	started := time.Now()
	applyIgnores(h, []Result{{Check: definitionImages, Findings: findings}, {Check: ignoresValid, Findings: judgeIgnores(h)}})
	if took := time.Since(started); took > 60*time.Second {
		t.Errorf("it takes %v", took)
	}
}
