package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/report"
)

// What each command's help says beside its flags.
const (
	checkText = `
FILE is what starts the runner (a shell script with its docker run command, an
env file) or its config.json, recognised by its content; - is standard input;
of a DIR, all that it holds is judged (see lint).
Without one, the vendor's defaults are judged, with this user's config.json.

Every image is asked for with the credentials that the runner would send, and
every host that this runner needs is connected to. Nothing is pulled.

Examples:
  runner-preflight check run.sh
  runner-preflight check --config /home/runner/.docker run.sh
  runner-preflight check --only network run.sh
  runner-preflight check --format json run.sh | jq -r '.causes[0].problem'`
	lintText = `
FILE is what starts the runner (a shell script with its docker run command, an
env file) or its config.json, recognised by its content; - is standard input.
An env file or a config.json that such a file names is read too if it is there,
below the current folder. No home folder and no environment are looked at.

DIR is looked through for runners and config.json files, by their content. What
git ignores is left out, links are not followed, and documentation and samples
(README.md, runner.env.example) are not judged unless they are named.

Examples:
  runner-preflight lint run.sh config.json
  runner-preflight lint .
  runner-preflight lint --only config --fail-on warn config.json
  runner-preflight lint --report json=lint.json run.sh`
	explainText = `
NAME is that of a problem, as a report has it, of a check or of a group.

Examples:
  runner-preflight explain credential-store
  runner-preflight explain config-registry-key`
	listText = `
The names go with explain, --only and --skip.`
	demoText = `
A healthy runner is checked, then the same with four typical mistakes, in a
network of its own on this machine's loopback. The exit code is 0.`
)

const appText = `Usage: runner-preflight [COMMAND] [FLAGS] [FILE|DIR…]

Tells why a Bitbucket Pipelines self-hosted Docker runner will not pull its
images: the one cause, the line that is wrong, the command that mends it.
Read-only: nothing is pulled, no program is run, no secret is printed.

Commands:
%s
FILE is what starts the runner (a shell script with its docker run command, an
env file) or its config.json, recognised by its content, or a folder that holds
such files; - is standard input.

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
  130  interrupted (143: terminated); the report has what was known by then

Flags come before files. A command's own: runner-preflight COMMAND --help
`

// formatsText names what --format and --report take.
func formatsText() string { return "\n\nFormats: " + strings.Join(report.FormatNames(), ", ") }

// appHelp is the help of the tool as a whole.
func appHelp(commands []*cli.Command) string {
	var lines strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&lines, "  %-9s  %s\n", c.Name, c.Usage)
	}
	return fmt.Sprintf(appText, lines.String())
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

// flagHelp is a flag's line. What stands between backticks at the start of its usage names its value.
func flagHelp(f cli.DocGenerationFlag) string {
	var names []string
	for _, name := range f.Names() {
		names = append([]string{dashed(name)}, names...)
	}
	lead, usage := strings.Join(names, ", "), f.GetUsage()
	if _, value, found := strings.Cut(usage, "`"); found {
		value, usage, _ = strings.Cut(value, "`")
		lead += " " + value
	}
	if fallback := f.GetValue(); f.TakesValue() && fallback != "" {
		usage += " (default " + fallback + ")"
	}
	return fmt.Sprintf("  %-26s %s\n", lead, strings.TrimSpace(usage))
}

// dashed is a flag as people write it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
