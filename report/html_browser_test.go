package report

import (
	"context"
	_ "embed" // for the script that drives the page
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// modules is the folder in which npm has put axe-core and html-validate. The browser's tests skip without the
// laboratory, and fail in it where one of their programs is missing.
func modules(t *testing.T) string {
	t.Helper()
	if os.Getenv("RUNNER_PREFLIGHT_LAB") != "1" {
		t.Skip("a browser takes Debian's chromium and packages of npm: RUNNER_PREFLIGHT_LAB=1 runs it, see .ci/run")
	}
	for _, name := range []string{"chromium", "node"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatal("the browser's test needs the program " + name)
		}
	}
	folder := os.Getenv("RUNNER_PREFLIGHT_NODE_MODULES")
	for _, name := range []string{"axe-core/axe.min.js", "html-validate/bin/html-validate.mjs"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Fatal("RUNNER_PREFLIGHT_NODE_MODULES must name the folder of axe-core and html-validate: " + err.Error())
		}
	}
	return folder
}

// browse opens a page in a browser, within a frame if there is one, and returns the document once nothing happens any
// more, and what the browser complained of.
func browse(t *testing.T, text, frame string, flags ...string) (dom, complaints string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "runner-preflight-page-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) }) // the browser's last helpers may still write there
	path := filepath.Join(folder, "page.html")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if frame != "" {
		path = filepath.Join(folder, "frame.html")
		if err := os.WriteFile(path, []byte(frame), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	arguments := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=" + folder,
		"--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom",
	}, flags...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "chromium", append(arguments, (&url.URL{Scheme: "file", Path: path}).String())...)
	command.Env = append(os.Environ(), "HOME="+folder)
	var errors strings.Builder
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, errors.String())
	}
	for _, line := range strings.Split(errors.String(), "\n") {
		if strings.Contains(line, ":CONSOLE") {
			complaints += line + "\n"
		}
	}
	return string(out), complaints
}

//go:embed testdata/browser.js
var browserScript string

var policyTag = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// driven is a copy of a page that a script of the tests drives: its policy, which would forbid that, is taken out.
func driven(t *testing.T, page, script string) string {
	t.Helper()
	changed := strings.Replace(policyTag.ReplaceAllString(page, ""), "</body>", "<script>"+script+"</script></body>", 1)
	if strings.Contains(changed, "default-src") || len(changed) < len(page) {
		t.Fatal("the page is not as the test expects")
	}
	return changed
}

// answered is what a driving script has left in the document.
func answered(t *testing.T, dom string, into any) {
	t.Helper()
	_, after, _ := strings.Cut(dom, `<template id="answer">`)
	text, _, found := strings.Cut(after, "</template>")
	if !found {
		t.Fatal("the page's driver left no answer")
	}
	text = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&nbsp;", "\u00a0", "&amp;", "&").Replace(text)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// As it is written, its policy included, the page works: the script has run and nothing was refused. Hostile texts
// make the browser complain of nothing either. Without scripts, nothing is folded or hidden.
func TestBrowserRunsThePage(t *testing.T) {
	t.Parallel()
	modules(t)
	for _, name := range []string{"failing", "hostile-ways"} {
		dom, complaints := browse(t, written(t, HTML, htmlSamples()[name]), "")
		if complaints != "" {
			t.Errorf("%s: the browser complains:\n%s", name, complaints)
		}
		root := parsed(t, dom)
		for _, n := range elements(root) {
			if id, _ := attribute(n, "id"); id == "filter" {
				if _, hidden := attribute(n, "hidden"); hidden {
					t.Errorf("%s: the script did not run", name)
				}
			}
		}
		if len(withClass(root, "copy")) == 0 {
			t.Errorf("%s: there is nothing to copy with", name)
		}
	}
	refused := policyTag.ReplaceAllString(written(t, HTML, htmlSamples()["failing"]),
		`<meta http-equiv="Content-Security-Policy" content="script-src 'none'">`)
	dom, complaints := browse(t, refused, "")
	if !strings.Contains(complaints, "script-src") {
		t.Errorf("the browser refuses no script: %q", complaints)
	}
	if !strings.Contains(dom, `id="filter" hidden=""`) || len(withClass(parsed(t, dom), "copy")) > 0 {
		t.Error("without scripts there is something that takes one")
	}
	if strings.Count(dom, "<details") != strings.Count(dom, ` open=""`) {
		t.Error("without scripts something is folded")
	}
}

// The script filters, copies, opens for printing, and follows links to what it had folded.
func TestBrowserDrivesThePage(t *testing.T) {
	t.Parallel()
	modules(t)
	r := htmlSamples()["failing"]
	dom, complaints := browse(t, driven(t, written(t, HTML, r), browserScript), "")
	if complaints != "" {
		t.Errorf("the browser complains:\n%s", complaints)
	}
	var got struct {
		States                                             map[string]int
		Words, Groups, All                                 int
		Shown, Copied, Fallback, Said, SaidNot, Name       string
		Folded, Unfolded, FoldedAgain, Revealed, Focusable int
	}
	answered(t, dom, &got)
	s := r.Summary
	for state, want := range map[string]int{"fail": s.Fail, "error": s.Error, "warn": s.Warn, "pass": s.Pass, "skip": s.Skip} {
		if got.States[state] != want {
			t.Errorf("filtered by %s, there are %d findings to see of %d", state, got.States[state], want)
		}
	}
	all := s.Fail + s.Error + s.Warn + s.Pass + s.Skip
	command := r.Causes[0].Commands[0]
	if want := fmt.Sprintf("1 of %d findings", all); got.Words != 1 || got.Groups != 1 || got.Shown != want || got.All != all {
		t.Errorf("filtered by words, there are %d findings in %d groups, and %q; without, %d of %d", got.Words, got.Groups,
			got.Shown, got.All, all)
	}
	if got.Copied != command || got.Fallback != command {
		t.Errorf("copied %q and %q, want %q", got.Copied, got.Fallback, command)
	}
	if !strings.HasPrefix(got.Said, "Copied ") || !strings.HasPrefix(got.SaidNot, "Not copied") ||
		!strings.HasPrefix(got.Name, "Copy ") {
		t.Errorf("the button %q says %q and %q", got.Name, got.Said, got.SaidNot)
	}
	if got.Folded == 0 || got.Unfolded != 0 || got.FoldedAgain != got.Folded || got.Revealed != 1 || got.Focusable == 0 {
		t.Errorf("%d things are folded, %d when printing, %d after; a link reveals %d; %d take the keyboard", got.Folded,
			got.Unfolded, got.FoldedAgain, got.Revealed, got.Focusable)
	}
}

const axeScript = `addEventListener('load', async () => {
  document.querySelectorAll('details').forEach(details => { details.open = true; });
  const found = await axe.run(document, { resultTypes: ['violations', 'incomplete'] });
  parent.postMessage(JSON.stringify({
    width: innerWidth, over: document.documentElement.scrollWidth - document.documentElement.clientWidth, passes: found.passes.length,
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
    found: found.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary).join(' | ')),
  }), '*');
});`

// framePage shows a page in a frame of so many pixels, as no window of a browser is as narrow as a telephone, and keeps
// what the page's driver tells.
const framePage = `<!DOCTYPE html><html lang="en"><title>frame</title><iframe src="page.html" width="%d" height="900"></iframe>
<script>addEventListener('message', event => {
  const left = document.createElement('template');
  left.id = 'answer';
  left.content.append(event.data);
  document.body.append(left);
});</script>`

// Axe finds nothing, in light and dark, on a narrow screen and on a wide one, and no page is wider than its screen.
func TestBrowserFindsThePageAccessible(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(modules(t), "axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		width int
		dark  bool
	}{
		{"failing", 1920, false},
		{"failing", 360, true},
		{"ways", 360, false},
		{"ways", 1920, true},
		{"hostile-ways", 360, false},
		{"nothing", 1920, false},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Parallel()
			page := written(t, HTML, htmlSamples()[test.name])
			script := strings.ReplaceAll(string(axe), "</script", `<\/script`) + "\n" + axeScript
			dom, _ := browse(t, driven(t, page, script), fmt.Sprintf(framePage, test.width), "--window-size=2000,1000",
				fmt.Sprintf("--blink-settings=preferredColorScheme=%d", map[bool]int{true: 0, false: 1}[test.dark]))
			var got struct {
				Width, Over, Passes int
				Dark                bool
				Found               []string
			}
			answered(t, dom, &got)
			if got.Passes < 10 || got.Over > 0 || len(got.Found) > 0 || got.Dark != test.dark || got.Width != test.width {
				t.Errorf("at %d pixels, %d too wide, %d rules pass, dark is %v; axe found:\n%s", got.Width, got.Over,
					got.Passes, got.Dark, strings.Join(got.Found, "\n"))
			}
		})
	}
}

// The pages are HTML as the standard has it.
func TestBrowserPagesAreValid(t *testing.T) {
	t.Parallel()
	validator, folder := filepath.Join(modules(t), "html-validate/bin/html-validate.mjs"), t.TempDir()
	config := filepath.Join(folder, "config.json")
	rules := `{"extends": ["html-validate:standard", "html-validate:a11y"], "root": true}`
	if err := os.WriteFile(config, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	arguments := []string{validator, "--config", config, "--formatter", "text"}
	for name, r := range htmlSamples() {
		if name == "thousand" || name == "many-hosts" {
			continue // the same again and again
		}
		path := filepath.Join(folder, name+".html")
		if err := os.WriteFile(path, []byte(written(t, HTML, r)), 0o644); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, path)
	}
	if out, err := exec.CommandContext(t.Context(), "node", arguments...).CombinedOutput(); err != nil {
		t.Errorf("html-validate: %v\n%s", err, out)
	}
}
