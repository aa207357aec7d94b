package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

// helpTexts are those of the tool and of each command, by name.
func helpTexts() map[string]string {
	commands := commandsHere()
	texts := map[string]string{"": appHelp(commands)}
	for _, c := range commands {
		if !c.Hidden {
			texts[c.Name] = commandHelp(c)
		}
	}
	return texts
}

func commandsHere() []*cli.Command {
	return newApp(process{env: func(string) string { return "" }}).Commands
}

// On a narrow terminal help says the same, in lines that fit, but for what must not be broken: commands to paste.
func TestNarrowHelp(t *testing.T) {
	for name, text := range helpTexts() {
		for _, width := range []int{79, 60, 40, 20} {
			got := laidOut(text, width)
			if diff := cmp.Diff(strings.Fields(text), strings.Fields(got)); diff != "" {
				t.Errorf("%s at %d columns (-wide +narrow):\n%s", name, width, diff)
			}
			for line := range strings.Lines(got) {
				line = strings.TrimSuffix(line, "\n")
				long := len([]rune(line)) > max(width, narrowest) && strings.Contains(strings.TrimSpace(line), " ")
				if long && !strings.HasPrefix(line, "  runner-preflight ") && !strings.HasPrefix(line, "  source <(") {
					t.Errorf("%s at %d columns: %q", name, width, line)
				}
			}
		}
		if laidOut(text, 80) != text || laidOut(text, 200) != text {
			t.Errorf("%s is laid out anew where it fits", name)
		}
	}
}

func TestPartsOf(t *testing.T) {
	got := partsOf("One\ntwo.\n\nExit codes:\n  0    fine\n  1    a  b\n\nExamples:\n  x | y\nEnd:")
	want := []part{
		{text: "One two."},
		{heading: "Exit codes", rows: []row{{"0", "fine"}, {"1", "a  b"}}},
		{heading: "Examples", rows: []row{{"x | y", ""}, {"End:", ""}}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(part{}, row{})); diff != "" {
		t.Error(diff)
	}
}

// The manual page tells of every command, flag, exit code and variable that help tells of.
func TestMan(t *testing.T) {
	page := manPage(commandsHere(), manDate)
	for _, c := range commandsHere() {
		if c.Hidden {
			continue
		}
		_, own, found := strings.Cut(page, ".SS \""+roff(c.Name))
		own, _, _ = strings.Cut(own, "\n.S")
		if !found {
			t.Errorf("the page does not tell of %s", c.Name)
		}
		for _, flag := range c.Flags {
			for _, name := range flag.Names() {
				if !strings.Contains(own, roff(dashed(name))) {
					t.Errorf("the page does not tell of %s %s", c.Name, dashed(name))
				}
			}
		}
	}
	for _, code := range []int{
		exitClean, exitFindings, exitUsage, exitUnestablished, exitInterrupted,
		exitTerminated,
	} {
		if _, status, _ := strings.Cut(page, ".SH EXIT STATUS"); !strings.Contains(status, fmt.Sprintf("\n.B \"%d\"\n", code)) {
			t.Errorf("the page does not tell of exit code %d", code)
		}
	}
	for _, word := range []string{".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH ENVIRONMENT", ".SH EXAMPLES", `NO_COLOR`} {
		if !strings.Contains(page, word) {
			t.Errorf("the page has no %s", word)
		}
	}
	if strings.Contains(page, "!(") || !isASCII(page) {
		t.Error("the page is not ASCII, or was not put together well")
	}
	for line := range strings.Lines(page) {
		if len(line) > 1 && line[0] == '\'' {
			t.Errorf("taken for a request: %q", line)
		}
	}
}

// Those who read manual pages have nothing to say against it.
func TestManIsWellFormed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner-preflight.1")
	if err := os.WriteFile(path, []byte(preflightHere(nil, "man").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"mandoc", "-T", "lint", path}, {"man", "--warnings", "-l", path}} {
		t.Run(command[0], func(t *testing.T) {
			need(t, command[0])
			cmd := exec.Command(command[0], command[1:]...)
			var stderr strings.Builder
			cmd.Stderr, cmd.Env = &stderr, append(os.Environ(), "MANPAGER=cat", "LC_ALL=C.UTF-8")
			stdout, err := cmd.Output()
			if err != nil || stderr.Len() > 0 || command[0] == "mandoc" && len(stdout) > 0 {
				t.Errorf("%v\n%s%s", err, &stderr, stdout)
			}
		})
	}
}

// need skips a test that a program is missing for.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

// The Markdown list is what checks/README.md has.
func TestListMarkdown(t *testing.T) {
	page, err := os.ReadFile("checks/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(page), "-->\n\n")
	if diff := cmp.Diff(want, preflightHere(nil, "list", "--format", "markdown").stdout); diff != "" {
		t.Errorf("(-README +list):\n%s", diff)
	}
}

// With --ascii the tool itself says nothing beyond ASCII.
func TestASCII(t *testing.T) {
	utf8 := map[string]string{"LC_ALL": "en_US.UTF-8"}
	for _, args := range [][]string{
		{"list"},
		{"explain", "config"},
		{"explain", "definition"},
		{"explain", "image"},
		{"explain", "network"},
		{"allowlist", "--offline"},
		{"demo", "-v"},
	} {
		got := preflightHere(utf8, slices.Insert(slices.Clone(args), 1, "--ascii")...)
		if got.stdout == "" || !isASCII(got.stdout) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// The locale decides on characters, for standard error too.
func TestLocale(t *testing.T) {
	for _, test := range []struct {
		env  string
		want bool
	}{
		{"", true},
		{"LANG=C", false},
		{"LANG=C.UTF-8", true},
		{"LANG=de_DE.utf8", true},
		{"LANG=de_DE.ISO-8859-1 LC_CTYPE=de_DE.UTF-8", true},
		{"LANG=de_DE.UTF-8 LC_ALL=POSIX", false},
		{"LC_CTYPE=C LC_ALL= LANG=en_US.UTF-8", false},
	} {
		env := map[string]string{}
		for _, setting := range strings.Fields(test.env) {
			name, value, _ := strings.Cut(setting, "=")
			env[name] = value
		}
		p := process{env: func(name string) string { return env[name] }}
		var out strings.Builder
		p.err = &out
		if p.say("waiting…"); p.unicode(&out) != test.want || isASCII(out.String()) == test.want {
			t.Errorf("%s: %q", test.env, &out)
		}
	}
}

func TestBuild(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	vcs := []debug.BuildSetting{
		setting("vcs", "git"), setting("vcs.revision", "0123abc"), setting("vcs.time", "2026-11-24T08:49:31Z"),
		setting("vcs.modified", "true"),
	}
	for _, test := range []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, "commit unknown"},
		{vcs[:2], "commit 0123abc"},
		{vcs[:3], "commit 0123abc of 2026-11-24T08:49:31Z"},
		{vcs, "commit 0123abc of 2026-11-24T08:49:31Z, files changed since"},
	} {
		var text, js strings.Builder
		b := buildOf(&debug.BuildInfo{GoVersion: "go1.2.3", Settings: test.settings})
		if err := versionText(&text, b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(text.String(), "\n")
		if lines[0] != "runner-preflight "+version || lines[1] != test.want || !strings.HasPrefix(lines[2], "go1.2.3 ") {
			t.Errorf("%q", lines)
		}
		if err := versionJSON(&js, b); err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(js.String()), &members); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{
			"schema_version", "name", "version", "commit", "commit_time", "modified", "go",
			"platform",
		} {
			if _, ok := members[name]; !ok {
				t.Errorf("%s lacks %s", &js, name)
			}
		}
	}
}
