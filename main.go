// Runner-preflight tells why a Bitbucket Pipelines self-hosted Docker runner will not pull its images, which line is
// wrong and what to type to mend it.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
	"runner-preflight/report"
)

// The exit codes, the same for every format.
const (
	exitClean         = 0
	exitFindings      = 1
	exitUsage         = 2
	exitUnestablished = 3
	exitInterrupted   = 130
	exitTerminated    = 143
)

// version is set by the linker for releases.
var version = "0.1.0-dev" //nolint:gochecknoglobals // the linker can set nothing else

// garbage is how much may be left lying about, in percent of what is in use: a file of 20 MB must not make the process
// three times as large.
const garbage = 40

func main() {
	debug.SetGCPercent(garbage)
	log.SetOutput(io.Discard) // net/http logs there what a server sends unasked
	os.Exit(run(os.Args, process{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv, environ: os.Environ}))
}

// process is what the tool has of the process it runs in.
type process struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	// environ lists the environment as NAME=value; nil lists nothing.
	environ func() []string
}

// exitCode carries the exit code of a run whose report has been written.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a mistake on the command line; hint says how to go on.
type usageError struct {
	err  error
	hint string
}

func (u usageError) Error() string { return u.err.Error() }

func (u usageError) Unwrap() error { return u.err }

// misused makes a usage error.
func misused(hint, format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...), hint}
}

// run is the tool without the process around it: it returns the exit code.
func run(args []string, p process) int {
	app := newApp(p)
	args, err := withCommand(args, names(app))
	if err == nil {
		err = app.Run(args)
	}
	var code exitCode
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usageError{}):
		p.complain(err)
		return exitUsage
	}
	p.complain(err)
	return exitUnestablished
}

// withCommand puts the default command where none is named: what stands first is then a flag, a FILE or nothing.
func withCommand(args, commands []string) ([]string, error) {
	if len(args) < 2 {
		return append(slices.Clone(args), "check"), nil
	}
	switch first := args[1]; {
	case first == "--version", first == "-version":
		return append([]string{args[0], "version"}, args[2:]...), nil
	case first == "help" && len(args) > 2 && slices.Contains(commands, args[2]):
		return []string{args[0], args[2], "--help"}, nil
	case first == "help" && len(args) > 2 && !strings.HasPrefix(args[2], "-"):
		return nil, noHelp(args[2], commands)
	case first == "help":
		return []string{args[0], "--help"}, nil
	case first == "--help", first == "-h", first == completeCommand, slices.Contains(commands, first):
		return args, nil
	}
	return slices.Insert(slices.Clone(args), 1, "check"), nil
}

// noHelp says that there is no such command, and what was most likely meant.
func noHelp(name string, commands []string) error {
	if slices.Contains(checks.Names(checks.All()), name) {
		return misused("try runner-preflight explain "+name, "%s is no command, but what a check or a problem is called", name)
	}
	if near := nearest(name, commands); near != "" {
		return misused("try runner-preflight help "+near, "no command is called %q; did you mean %q?", name, near)
	}
	return misused("runner-preflight --help shows all commands", "no command is called %q", name)
}

// interruption is the cause of a context that a signal ended.
type interruption struct{ os.Signal }

func (i interruption) Error() string { return "interrupted by " + i.String() }

// exitCode is the one that a shell gives a process which the signal ended.
func (i interruption) exitCode() exitCode {
	if i.Signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// untilSignal ends the context at the first SIGINT or SIGTERM, with an interruption as its cause; another signal ends
// the process at once.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(interruption{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// complain writes an error for people: what, and for a mistake on the command line how to go on.
func (p process) complain(err error) {
	p.say(source.WithoutPassword(err.Error()))
	if u := (usageError{}); errors.As(err, &u) {
		fmt.Fprintln(p.err, p.spelled(p.err, cmp.Or(u.hint, "see runner-preflight --help")))
	}
}

// say writes a line to standard error.
func (p process) say(line string) {
	fmt.Fprintf(p.err, "runner-preflight: %s\n", p.spelled(p.err, source.Printable(line)))
}

// newApp is the command line.
func newApp(p process) *cli.App {
	commands := commands(p)
	return &cli.App{
		Name:                      "runner-preflight",
		CustomAppHelpTemplate:     shown(appHelp(commands), p),
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Reader:                    p.in,
		Writer:                    p.out,
		ErrWriter:                 p.err,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              onUsageError,
		Commands:                  commands,
	}
}

// names are those of the commands that help tells of.
func names(app *cli.App) []string {
	var names []string
	for _, c := range app.Commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

func commands(p process) []*cli.Command {
	type act func(*cli.Context, process) error
	command := func(name, arguments, usage, text string, flags []cli.Flag, action act) *cli.Command {
		c := &cli.Command{
			Name: name, ArgsUsage: arguments, Usage: usage, Description: strings.TrimSpace(text), Flags: flags,
			HideHelpCommand: true, OnUsageError: onUsageError, UseShortOptionHandling: true,
			Action: func(c *cli.Context) error { return hinting(name, action(c, p)) },
		}
		c.CustomHelpTemplate = shown(commandHelp(c), p)
		return c
	}
	around := func(c *cli.Command) *cli.Command { c.Category = aroundHeading; return c }
	return []*cli.Command{
		command("check", "[FILE|DIR…]", "judge a runner on its own host: files, images, network (default)",
			checkText+formatsText(), judgingFlags(true), check),
		command("lint", "FILE|DIR…", "judge the given files alone: no network, nothing of this machine",
			lintText+formatsText(), judgingFlags(false), lint),
		command("allowlist", "[FILE|DIR…]", "list every host and port that a runner needs, for a firewall", allowlistText,
			allowlistFlags(), allowlist),
		command("demo", "", "see it work on an embedded registry: no network, no set-up", demoText,
			slices.Concat(amountFlags(), []cli.Flag{reportFlag()}, lookFlags()), demo),
		command("explain", "NAME", "say what a problem is, why it breaks a runner, how to mend it", explainText,
			lookFlags(), explain),
		command("list", "", "list all checks and the problems that they report", listText,
			append([]cli.Flag{formatFlag(report.ListFormats(report.TextOptions{}))}, lookFlags()...), list),
		around(command("schema", "["+strings.Join(schemaNames(), "|")+"]", "print the JSON Schema of what --format json writes",
			schemaText, nil, printSchema)),
		around(command("completion", strings.Join(shells(), "|"), "print the script by which a shell completes commands and names",
			completionText, nil, completion)),
		around(command("man", "", "print the manual page", manText, nil, manual)),
		around(command("version", "", "print the version", versionHelp,
			[]cli.Flag{formatFlag(versionFormats())}, printVersion)),
		completionEntry(p),
	}
}

// hinting points at a command's help where a usage error says nothing better.
func hinting(command string, err error) error {
	if u, ok := err.(usageError); ok && u.hint == "" { //nolint:errorlint // actions return it as it is
		return usageError{u.err, "see runner-preflight " + command + " --help"}
	}
	return err
}

// shown is a help text as the reader's terminal and character set have it.
func shown(text string, p process) string {
	width, _ := terminalWidth(p.out)
	return p.spelled(p.out, laidOut(text, width))
}

// spelled is a text as it may be written to w.
func (p process) spelled(w io.Writer, text string) string {
	if p.unicode(w) {
		return text
	}
	return report.ASCII(text)
}

// onUsageError puts what the flag parser says into words; nothing goes to standard output.
func onUsageError(c *cli.Context, err error, isCommand bool) error {
	if !isCommand {
		return misused("", "%w", err)
	}
	message, hint := err.Error(), "see runner-preflight "+c.Command.Name+" --help"
	if _, name, found := strings.Cut(message, "flag provided but not defined: -"); found {
		return misused(hint, "%s", noSuchFlag(c, strings.TrimLeft(name, "-")))
	}
	if _, name, found := strings.Cut(message, "flag needs an argument: -"); found {
		return misused(hint, "%s needs a value", dashed(strings.TrimLeft(name, "-")))
	}
	if _, rest, found := strings.Cut(message, "invalid boolean value "); found {
		_, name, _ := strings.Cut(rest, " for -")
		name, _, _ = strings.Cut(name, ":")
		return misused(hint, "%s takes no value", dashed(name))
	}
	if value, rest, found := strings.Cut(strings.TrimPrefix(message, "invalid value "), " for flag -"); found {
		name, _, _ := strings.Cut(rest, ":")
		return misused(hint, "%s takes a time with its unit, as 30s or 2m, not %s", dashed(name), value)
	}
	return misused(hint, "%s", message)
}

// noSuchFlag says that a command has no such flag, and which was most likely meant.
func noSuchFlag(c *cli.Context, name string) string {
	own, others := []string{"help"}, []string{"version"}
	for _, command := range c.App.Commands {
		for _, flag := range command.Flags {
			if command == c.Command {
				own = append(own, flag.Names()...)
			} else {
				others = append(others, flag.Names()...)
			}
		}
	}
	meant := nearest(name, own)
	switch {
	case meant != "":
		meant = dashed(meant)
	case slices.Contains(others, name):
		return c.Command.Name + " has no " + dashed(name)
	case slices.Contains(own, "format") && slices.Contains(formatNames(c.Command), name):
		meant = "--format " + name
	case slices.Contains(own, "color") && (name == "no-color" || name == "no-colour"):
		meant = "--color never"
	case nearest(name, others) == "version":
		meant = "--version"
	}
	if meant == "" {
		return "no such flag: " + dashed(name)
	}
	return fmt.Sprintf("no such flag: %s; did you mean %s?", dashed(name), meant)
}

// nearest is what was most likely meant by a name that is none of the candidates, "" if that cannot be told.
func nearest(name string, candidates []string) string {
	for _, candidate := range candidates {
		if candidate != name && strings.EqualFold(candidate, name) {
			return candidate
		}
	}
	return checks.Nearest(name, candidates)
}
