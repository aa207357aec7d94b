package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// proposed asks as the scripts of shells do; the last word is the one under the cursor.
func proposed(t *testing.T, words ...string) (kind string, texts []string) {
	t.Helper()
	last := len(words) - 1
	got := preflightHere(nil, append([]string{completeCommand, "=" + words[last]}, words[:last]...)...)
	lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
	if got.code != exitClean || got.stderr != "" {
		t.Fatalf("%q: %+v", words, got)
	}
	for _, line := range lines[1:] {
		text, _, found := strings.Cut(line, "\t")
		if !found {
			t.Fatalf("%q: no tab in %q", words, line)
		}
		texts = append(texts, text)
	}
	return lines[0], texts
}

func TestPropose(t *testing.T) {
	for _, test := range []struct {
		words      []string
		kind, want string
	}{
		{[]string{"l"}, "files", "lint list"},
		{[]string{"run"}, "files", ""},
		{[]string{"help", ""}, "none", strings.Join(names(newApp(process{env: func(string) string { return "" }})), " ")},
		{[]string{"help", "lint", ""}, "none", ""},
		{[]string{"--ver"}, "none", "--verbose --version"},
		{[]string{"check", "--off"}, "none", "--offline"},
		{[]string{"lint", "--off"}, "none", ""},
		{[]string{"--off"}, "none", "--offline"},
		{[]string{"--offline", "--con"}, "none", "--config --connect-timeout"},
		{[]string{"explain", "--"}, "none", "--color --ascii --help"},
		{[]string{"explain", "--color", "never", "--"}, "none", "--ascii --help"},
		{[]string{"check", "--only", "config", "--on"}, "none", "--only"},
		{[]string{"check", ""}, "files", ""},
		{[]string{"check", "-q", ""}, "files", ""},
		{[]string{"check", "run.sh", ""}, "files", ""},
		{[]string{"check", "run.sh", "--f"}, "files", ""},
		{[]string{"check", "--", "--f"}, "files", ""},
		{[]string{"run.sh", ""}, "files", ""},
		{[]string{"lint", "--config", ""}, "files", ""},
		{[]string{"allowlist", "--against", ""}, "files", ""},
		{[]string{"lint", "--nonsense", ""}, "files", ""},
		{[]string{"lint", "--nonsense=x"}, "none", ""},
		{[]string{"check", "--timeout", ""}, "none", ""},
		{[]string{"check", "--pause-image", ""}, "none", ""},
		{[]string{"lint", "--fail-on", ""}, "none", "warn fail"},
		{[]string{"--color=a"}, "none", "--color=auto --color=always"},
		{[]string{"lint", "--format", "j"}, "none", "json junit"},
		{[]string{"lint", "--format=j"}, "none", "--format=json --format=junit"},
		{[]string{"lint", "--report", "j"}, "files", "json= junit="},
		{[]string{"lint", "--report", "json="}, "files", ""},
		{[]string{"lint", "--report=j"}, "files", "--report=json= --report=junit="},
		{[]string{"allowlist", "--format", ""}, "none", "csv json markdown squid text"},
		{[]string{"list", "--format", ""}, "none", "json markdown text"},
		{[]string{"version", "--format", ""}, "none", "json text"},
		{[]string{"lint", "--platform", "linux/a"}, "none", "linux/amd64 linux/arm64"},
		{[]string{"explain", "credential-s"}, "none", "credential-store"},
		{[]string{"explain", "credential-store", ""}, "none", ""},
		{[]string{"schema", ""}, "none", "report allowlist list ignores"},
		{[]string{"completion", "z"}, "none", "zsh"},
		{[]string{"completion", "zsh", ""}, "none", ""},
		{[]string{"demo", ""}, "none", ""},
		{[]string{"__complete", "=x", ""}, "none", ""},
	} {
		kind, texts := proposed(t, test.words...)
		if got := strings.Join(texts, " "); kind != test.kind || got != test.want {
			t.Errorf("%q: %s %q, want %s %q", test.words, kind, got, test.kind, test.want)
		}
	}
}

// All commands, flags, names and formats are proposed, and nothing is that the tool would refuse.
func TestProposalsAreGood(t *testing.T) {
	_, commands := proposed(t, "")
	if diff := cmp.Diff(append(names(newApp(process{env: func(string) string { return "" }})), "help"), commands); diff != "" {
		t.Error(diff)
	}
	for _, flag := range []string{"--only", "--skip"} {
		if _, texts := proposed(t, "lint", flag, ""); !slices.Equal(texts, checks.Names(checks.All())) {
			t.Errorf("%s: %q", flag, texts)
		}
	}
	if _, texts := proposed(t, "check", "--format", ""); !slices.Equal(texts, report.FormatNames()) {
		t.Errorf("--format: %q", texts)
	}
	for _, c := range commandsHere() {
		if c.Hidden {
			continue
		}
		_, flags := proposed(t, c.Name, "--")
		for _, flag := range c.Flags {
			if name := dashed(flag.Names()[0]); !slices.Contains(flags, name) {
				t.Errorf("%s %s is not proposed", c.Name, name)
			} else if flag.(cli.DocGenerationFlag).TakesValue() {
				acceptsValues(t, c, name)
			}
		}
	}
}

// acceptsValues tries what is proposed for a flag with a FILE that does not exist: nothing else may be wrong.
func acceptsValues(t *testing.T, c *cli.Command, flag string) {
	_, values := proposed(t, c.Name, flag, "")
	for _, value := range values {
		if strings.HasSuffix(value, "=") {
			value += "out/file"
		}
		got := preflightHere(nil, c.Name, flag, value, "missing")
		if !strings.Contains(got.stderr, "missing: no such file") &&
			!strings.Contains(got.stderr, "takes no argument") &&
			!strings.Contains(got.stderr, `is called "missing"`) && got.code != exitClean {
			t.Errorf("%s %s %s: %+v", c.Name, flag, value, got)
		}
	}
}

// shellLines are command lines, what is typed, and what a shell that completes them makes of the last word; "" is that
// there is nothing that fits.
var shellLines = []struct{ line, want string }{
	{"expl", "explain"},
	{"lint --fo", "--format"},
	{"lint --format jso", "json"},
	{"lint --format=jso", "--format=json"},
	{"lint --report jun", "junit="},
	{"lint --report=jun", "--report=junit="},
	{"lint --report json=ru", "json=run.sh"},
	{"lint --color al", "always"},
	{"explain credential-s", "credential-store"},
	{"lint --only config --skip image-pl", "image-platform"},
	{"lint ru", "run.sh"},
	{"ru", "run.sh"},
	{"lint -v run.sh oth", "other.sh"},
	{"lint --config fol", "folder/"},
	{"completion pow", "powershell"},
	{"schema allo", "allowlist"},
	{"version ru", ""},
	{"list --format zz", ""},
}

// shellFolder has the files that shellLines complete.
func shellFolder(t *testing.T) string {
	folder := t.TempDir()
	for _, name := range []string{"run.sh", "other.sh"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// inShell runs a shell's script in shellFolder with no other configuration, and returns what it prints.
func inShell(t *testing.T, script string, command ...string) string {
	t.Helper()
	need(t, command[0])
	cmd := exec.Command(command[0], append(command[1:], script)...)
	cmd.Dir = shellFolder(t)
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_CONFIG_HOME="+cmd.Dir, "ZDOTDIR="+cmd.Dir, "LC_ALL=C.UTF-8", "TERM=dumb")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// Bash: the function is called as readline does, with the words taken apart at = and :, and bash's own files behind it.
func TestBash(t *testing.T) {
	t.Parallel()
	const script = `
set -u
source <(runner-preflight completion bash)
compopt() { [[ $1 == +o ]] && files=; [[ $2 == nospace ]] && space=; return 0; }
try() {
	COMP_LINE=$1 COMP_POINT=${2:-${#1}}
	shift 2
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) files=yes space=yes
	_runner_preflight
	printf '[%s] %s files=%s space=%s\n' "$COMP_LINE" "${COMPREPLY[*]-}" "$files" "$space"
}
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
try 'runner-preflight expl' '' runner-preflight expl
try 'runner-preflight lint --fo' '' runner-preflight lint --fo
try 'runner-preflight lint --format=js' '' runner-preflight lint --format = js
try 'runner-preflight lint --format=' '' runner-preflight lint --format =
try 'runner-preflight lint --report ju' '' runner-preflight lint --report ju
try 'runner-preflight lint --report json=ru' '' runner-preflight lint --report json = ru
try 'runner-preflight lint --report=json=' '' runner-preflight lint --report = json =
try 'runner-preflight lint --pause-image a:5000/p:1 --col' '' runner-preflight lint --pause-image a : 5000/p : 1 --col
try 'runner-preflight   lint  --color ' '' runner-preflight lint --color ''
try 'runner-preflight lint --format jsonx run.sh' 34 runner-preflight lint --format jsonx
try 'runner-preflight lint --format "js' '' runner-preflight lint --format '"js'
try 'runner-preflight explain credential-s' '' runner-preflight explain credential-s
try 'runner-preflight lint ru' '' runner-preflight lint ru
try 'runner-preflight version ru' '' runner-preflight version ru
try 'missing lint ru' '' missing lint ru
COMP_WORDBREAKS=$' \t\n'
try 'runner-preflight lint --format=js' '' runner-preflight lint --format=js
try 'runner-preflight lint --report json=ru' '' runner-preflight lint --report json=ru
complete -p runner-preflight
`
	const want = `[runner-preflight expl] explain files=yes space=yes
[runner-preflight lint --fo] --format files= space=yes
[runner-preflight lint --format=js] json files= space=yes
[runner-preflight lint --format=] codequality github json junit markdown sarif text files= space=yes
[runner-preflight lint --report ju] junit= files=yes space=
[runner-preflight lint --report json=ru]  files=yes space=yes
[runner-preflight lint --report=json=]  files=yes space=yes
[runner-preflight lint --pause-image a:5000/p:1 --col] --color files= space=yes
[runner-preflight   lint  --color ] auto always never files= space=yes
[runner-preflight lint --format jsonx run.sh] json files= space=yes
[runner-preflight lint --format "js] json files= space=yes
[runner-preflight explain credential-s] credential-store files= space=yes
[runner-preflight lint ru]  files=yes space=yes
[runner-preflight version ru]  files= space=yes
[missing lint ru]  files=yes space=yes
[runner-preflight lint --format=js] --format=json files= space=yes
[runner-preflight lint --report json=ru]  files=yes space=yes
complete -o bashdefault -o default -F _runner_preflight runner-preflight
`
	formats := strings.Join(report.FormatNames(), " ")
	got := inShell(t, script, "bash", "--norc", "-c")
	if diff := cmp.Diff(strings.ReplaceAll(want, "codequality github json junit markdown sarif text", formats), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Zsh: a shell with a terminal of its own completes what is on its command line, as for somebody who presses Tab.
func TestZsh(t *testing.T) {
	t.Parallel()
	var script strings.Builder
	script.WriteString(`
zmodload zsh/zpty
zpty -b shell zsh -f -i
wait_for() {
	local line i
	for i in {1..600}; do
		while zpty -r -t shell line; do :; done
		[[ -e $1 ]] && return
		sleep 0.05
	done
	print "$1 never came"; exit 1
}
zpty -w shell 'autoload -Uz compinit; compinit -u -D; source <(runner-preflight completion zsh); unsetopt auto_menu; PS1='
zpty -w shell 'complete_line() { BUFFER=$(<line); CURSOR=$#BUFFER; zle complete-word; print -r -- "$BUFFER" >.done; mv .done done; BUFFER= }'
zpty -w shell 'zle -N complete_line; bindkey "^G" complete_line; : >ready'
wait_for ready
try() {
	print -rn -- "$1" >line
	rm -f done
	zpty -w -n shell $'\x07'
	wait_for done
	print -r -- "$(<done)|"
}
`)
	var want strings.Builder
	for _, test := range shellLines {
		line := "runner-preflight " + test.line
		fmt.Fprintf(&script, "try %q\n", line)
		switch {
		case test.want == "":
			fmt.Fprintf(&want, "%s|\n", line)
		case strings.HasSuffix(test.want, "="), strings.HasSuffix(test.want, "/"):
			fmt.Fprintf(&want, "%s|\n", completed(line, test.want))
		default:
			fmt.Fprintf(&want, "%s |\n", completed(line, test.want))
		}
	}
	script.WriteString("zpty -d shell\n")
	if diff := cmp.Diff(want.String(), inShell(t, script.String(), "zsh", "-f", "-c")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// completed is a command line with another last word.
func completed(line, word string) string { return line[:strings.LastIndex(line, " ")+1] + word }

// Fish: it lists what fits itself.
func TestFish(t *testing.T) {
	t.Parallel()
	var script, want strings.Builder
	script.WriteString("runner-preflight completion fish | source\n")
	for _, test := range shellLines {
		fmt.Fprintf(&script, "echo '> %[1]s'\ncomplete -C 'runner-preflight %[1]s' | string replace -r '\\t.*' ''\n", test.line)
		fmt.Fprintf(&want, "> %s\n", test.line)
		if test.want != "" {
			fmt.Fprintln(&want, test.want)
		}
	}
	if diff := cmp.Diff(want.String(), inShell(t, script.String()+"true\n", "fish", "--no-config", "-c")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// PowerShell is not to be had everywhere: its script asks what the others ask, and each bracket is closed.
func TestPowerShell(t *testing.T) {
	script := preflightHere(nil, "completion", "powershell").stdout
	for _, piece := range []string{
		"Register-ArgumentCompleter -Native -CommandName 'runner-preflight', 'runner-preflight.exe'",
		"param($wordToComplete, $commandAst, $cursorPosition)",
		"'" + completeCommand + `' "=$wordToComplete" @before 2>$null`,
		"[System.Management.Automation.CompletionResult]::new(",
	} {
		if !strings.Contains(script, piece) {
			t.Errorf("the script lacks %s", piece)
		}
	}
	var open []rune
	pairs := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, r := range script {
		switch r {
		case '(', '[', '{':
			open = append(open, r)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != pairs[r] {
				t.Fatalf("%c closes nothing", r)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %q", string(open))
	}
}

// Every shell that completion names has a script, which is ASCII.
func TestShells(t *testing.T) {
	for _, shell := range shells() {
		got := preflightHere(nil, "completion", shell)
		if got.code != exitClean || !strings.Contains(got.stdout, completeCommand+` "=`) && shell != "powershell" || !isASCII(got.stdout) {
			t.Errorf("%s: %+v", shell, got)
		}
	}
}
