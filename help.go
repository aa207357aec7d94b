package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/report"
)

// fileText says what the commands judge.
const fileText = `
FILE is what starts the runner (a shell script with its docker run command, an
env file, a compose file, a Kubernetes manifest, a systemd unit), what docker
inspect prints of it, or its config.json, recognised by its content; - is
standard input. Of a DIR, all that it holds is judged.
`

// What each command's help says beside its flags.
const (
	checkText = fileText + `
Without one, the runners among this host's containers are judged, else the
vendor's defaults with this user's config.json.

Every image is asked for with the credentials that the runner would send, and
every host that this runner needs is connected to. Where docker's socket may be
used, the docker daemon is asked what it sees itself. Nothing is pulled.

Examples:
  runner-preflight check run.sh
  runner-preflight check --config /home/runner/.docker run.sh
  runner-preflight check --only network run.sh
  runner-preflight check --format json run.sh | jq -r '.causes[0].problem'`
	lintText = fileText + `
An env file or a config.json that such a file names is read too if it is there,
below the current folder. No home folder and no environment are looked at.

DIR is looked through for runners and config.json files, by their content. What
git ignores is left out, links are not followed, and documentation and samples
(README.md, runner.env.example) are not judged unless they are named.

A finding that is accepted: # runner-preflight: ignore=PROBLEM reason, above its
statement, or an entry of .runner-preflight.yaml in the current folder.

Examples:
  runner-preflight lint run.sh config.json
  runner-preflight lint .
  runner-preflight lint --only config --fail-on warn config.json
  runner-preflight lint --report json=lint.json run.sh`
	explainText = `
NAME is that of a problem, as a report has it, of a check or of a group. A line
that docker or the runner printed, in quotes, or a whole log on standard input
(-) leads to the problems that print it, the likeliest first.

Examples:
  runner-preflight explain credential-store
  runner-preflight explain 'no basic auth credentials'
  runner-preflight explain - <runner.log`
	listText = `
The names go with explain, --only and --skip. What the JSON holds is told by
runner-preflight schema list.

Examples:
  runner-preflight list
  runner-preflight list --format json | jq -r '.problems[].id'`
	demoText = `
A healthy runner is checked, then the same with four typical mistakes, in a
network of its own on this machine's loopback. The exit code is 0. A --report
is about the second one: runner-preflight demo --report html=demo.html`
	completionText = `
The script asks runner-preflight itself what fits, so it need not be made anew
with a new version.

Examples:
  source <(runner-preflight completion bash)     in ~/.bashrc
  source <(runner-preflight completion zsh)      in ~/.zshrc, behind compinit
  runner-preflight completion fish | source      in ~/.config/fish/config.fish
  runner-preflight completion powershell | Out-String | Invoke-Expression`
	manText = `
It has what --help says, of all commands.

Examples:
  runner-preflight man | man -l -
  runner-preflight man >/usr/local/share/man/man1/runner-preflight.1`
	schemaText = `
What --format json writes is as the schema says: that of check and lint
(report), of allowlist, of list; and .runner-preflight.yaml, the file of
ignores. The default is report.

Examples:
  runner-preflight schema
  runner-preflight schema allowlist >allowlist.schema.json`
	versionHelp = `
With it: the commit, whether files were changed since, Go's version and the
platform.`
)

// The headings under which help lists commands.
const (
	commandsHeading = "Commands"
	aroundHeading   = "For shells and scripts"
)

const appText = `Usage: runner-preflight [COMMAND] [FLAGS] [FILE|DIR…]

Tells why a Bitbucket Pipelines self-hosted Docker runner will not pull its
images: the one cause, the line that is wrong, the command that mends it.
Read-only: nothing is pulled, no program is run, no secret is printed.

%s` + fileText + `
Examples:
  runner-preflight demo
  runner-preflight lint run.sh config.json     before a deploy, in CI
  runner-preflight check run.sh                on the runner's host
  runner-preflight allowlist run.sh            for whoever keeps the firewall
  runner-preflight explain credential-store    about a name in a report

Exit codes:
  0    nothing found that stops the runner (--fail-on warn: no warning either)
  1    something was found
  2    usage, or a file that cannot be opened
  3    something could not be established, or nothing was checked
  130  interrupted; the report has what was known by then
  143  terminated, likewise

Environment:
  DOCKER_CONFIG           the folder of this user's config.json, for check
  DOCKER_HOST             the docker daemon that is asked; DOCKER_CONTEXT too
  HTTPS_PROXY, NO_PROXY   the way out, for check and allowlist; HTTP_PROXY too
  NO_COLOR, FORCE_COLOR   no color, or color whatever the output is
  CLICOLOR                0: no color; CLICOLOR_FORCE=1 is FORCE_COLOR
  LC_ALL, LC_CTYPE, LANG  the first that is set: ASCII alone if it is not UTF-8
  TERM                    dumb: no color, and no line that is written anew

Flags come before files. A command's own: runner-preflight COMMAND --help
`

// formatsText names what --format and --report take.
func formatsText() string {
	folders := slices.Sorted(maps.Keys(report.FolderFormats()))
	return "\n\nFormats: " + strings.Join(report.FormatNames(), ", ") +
		"\nFolders, for --report alone: " + strings.Join(folders, ", ")
}

// appHelp is the help of the tool as a whole.
func appHelp(commands []*cli.Command) string {
	lists := map[string]string{}
	for _, c := range commands {
		if !c.Hidden {
			lists[c.Category] += fmt.Sprintf("  %-10s  %s\n", c.Name, c.Usage)
		}
	}
	return fmt.Sprintf(appText, commandsHeading+":\n"+lists[""]+"\n"+aroundHeading+":\n"+lists[aroundHeading])
}

// commandHelp is the help of one command: what it does, examples, its flags by category.
func commandHelp(c *cli.Command) string {
	var out strings.Builder
	usage := []string{"Usage: runner-preflight", c.Name}
	if len(c.Flags) > 0 {
		usage = append(usage, "[FLAGS]")
	}
	if c.ArgsUsage != "" {
		usage = append(usage, c.ArgsUsage)
	}
	fmt.Fprintf(&out, "%s\n\n%s.\n", strings.Join(usage, " "), strings.ToUpper(c.Usage[:1])+c.Usage[1:])
	if c.Description != "" {
		fmt.Fprintf(&out, "\n%s\n", c.Description)
	}
	category := ""
	for _, flag := range c.Flags {
		if f, ok := flag.(cli.CategorizableFlag); ok && f.GetCategory() != category {
			category = f.GetCategory()
			fmt.Fprintf(&out, "\n%s:\n", category)
		}
		if f, ok := flag.(cli.DocGenerationFlag); ok {
			out.WriteString(flagHelp(f))
		}
	}
	return out.String()
}

// flagHelp is a flag's line. What stands between backticks at the start of its usage names its value: a|b|c are all
// the values that there are.
func flagHelp(f cli.DocGenerationFlag) string {
	var names []string
	for _, name := range f.Names() {
		names = append([]string{dashed(name)}, names...)
	}
	lead := strings.Join(names, ", ")
	value, usage := valueName(f)
	if value != "" {
		lead += " " + value
	}
	if fallback := f.GetValue(); f.TakesValue() && fallback != "" {
		usage += " (default " + fallback + ")"
	}
	return fmt.Sprintf("  %-25s  %s\n", lead, strings.TrimSpace(usage))
}

// valueName is the name that help gives a flag's value, "" if it takes none, and what help says of the flag.
func valueName(f cli.DocGenerationFlag) (name, usage string) {
	if _, rest, found := strings.Cut(f.GetUsage(), "`"); found {
		name, usage, _ = strings.Cut(rest, "`")
		return name, usage
	}
	return "", f.GetUsage()
}

// dashed is a flag as people write it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
