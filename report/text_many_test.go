package report

import (
	"fmt"
	"strings"
	"testing"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// Of many runners a report says how many, and a mistake that each of them has by itself once.
func TestTextOfManyRunners(t *testing.T) {
	problem := &checks.Problem{ID: "working-directory-unmounted", Title: "The working directory is not mounted"}
	check := checks.Check{Name: "definition-mounts", Title: "What the runner needs is mounted", Problems: []*checks.Problem{problem}}
	var host checks.Host
	result := checks.Result{Check: check}
	for i := range 500 {
		name := fmt.Sprintf("deploy/runner-%03d/run.sh", i)
		host.Runners = append(host.Runners, &checks.Runner{Name: name})
		f := checks.Passed(name, "all is mounted").For(name)
		if i%5 == 0 {
			f = checks.Failed(problem, "WORKING_DIRECTORY", "/opt is not mounted", "mount it").On(name).For(name).
				At(source.New(name, []byte("docker run")).At(0, 6))
		}
		result.Findings = append(result.Findings, f)
	}
	var out strings.Builder
	r := New(Run{Host: &host, Results: []checks.Result{result}})
	if err := Text(TextOptions{Unicode: true})(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"runner-preflight   500 runners\n", "… and 492 more\n", "1  working-directory-unmounted  deploy/runner-000/run.sh:1:1\n",
		"likewise: 2 at deploy/runner-005/run.sh:1:1, 3 at", "91 more\n",
		"WORKING_DIRECTORY [100 of 500 runners] (causes 1, 2, 3 and 97 more)\n", "400 of 500 runners\n",
		"400 passed, 100 failed in 0 ms\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in it", want)
		}
	}
	if n := strings.Count(out.String(), "\n"); n > 50 || t.Failed() {
		t.Errorf("%d lines:\n%s", n, &out)
	}
}
