// Runner-preflight tells why a Bitbucket Pipelines self-hosted Docker runner will not pull its images, which line is
// wrong and what to type to mend it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
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

func main() {
	os.Exit(run(os.Args, process{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}))
}

// process is what the tool has of the process it runs in.
type process struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
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
	ctx, interrupted, stop := untilSignal()
	defer stop()
	err := newApp(p).RunContext(ctx, args)
	var code exitCode
	switch {
	case err == nil:
		code = exitClean
	case !errors.As(err, &code):
		complain(p.err, err)
		code = exitUsage
	}
	if signaled := interrupted(); signaled != nil {
		code = exitInterrupted
		if signaled == syscall.SIGTERM {
			code = exitTerminated
		}
	}
	return int(code)
}

// untilSignal ends the context at the first SIGINT or SIGTERM, which the second function then returns; another signal
// ends the process at once.
func untilSignal() (ctx context.Context, received func() os.Signal, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals, done := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if s, open := <-signals; open {
			signal.Stop(signals)
			done <- s
			cancel(errInterrupted)
		}
	}()
	received = func() os.Signal {
		select {
		case s := <-done:
			return s
		default:
			return nil
		}
	}
	return ctx, received, func() { signal.Stop(signals); cancel(nil) }
}

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// complain writes an error for people: what, and how to go on.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "runner-preflight: %v\n", err)
	hint := "see runner-preflight --help"
	if u := (usageError{}); errors.As(err, &u) && u.hint != "" {
		hint = u.hint
	}
	fmt.Fprintln(w, hint)
}

// newApp is the command line.
func newApp(p process) *cli.App {
	return &cli.App{
		Name:                      "runner-preflight",
		Usage:                     "tells why a Bitbucket Pipelines self-hosted Docker runner will not pull its images",
		UsageText:                 "runner-preflight [COMMAND] [FLAGS] [FILE…]",
		Description:               strings.TrimSpace(description),
		Version:                   version,
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		UseShortOptionHandling:    true,
		Reader:                    p.in,
		Writer:                    p.out,
		ErrWriter:                 p.err,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              onUsageError,
		Flags:                     judgingFlags(true),
		Action:                    func(c *cli.Context) error { return judge(c, p, true) },
		Commands: []*cli.Command{
			command("check", "judge the runner on its own host: files, images and network (the default)", checkText,
				judgingFlags(true), func(c *cli.Context) error { return judge(c, p, true) }),
			command("lint", "judge the given files alone: no network, nothing of this machine", lintText,
				judgingFlags(false), func(c *cli.Context) error { return judge(c, p, false) }),
			command("allowlist", "list every host and port that the runner needs, for whoever keeps the firewall", allowlistText,
				allowlistFlags(), func(c *cli.Context) error { return allowlist(c, p) }),
			command("explain", "say what a problem or check is, why it breaks a runner, how to mend it", "",
				outputFlags(), func(c *cli.Context) error { return explain(c, p) }),
			command("list", "list the checks and the problems they report", "",
				outputFlags(), func(c *cli.Context) error { return list(c, p) }),
			command("demo", "show the whole job on an embedded registry, with no network and no set-up", "",
				outputFlags(), func(c *cli.Context) error { return demo(c, p) }),
			command("version", "print the version", "", nil, func(*cli.Context) error {
				_, err := fmt.Fprintln(p.out, "runner-preflight "+version)
				return err
			}),
		},
	}
}

func command(name, usage, text string, flags []cli.Flag, action cli.ActionFunc) *cli.Command {
	arguments := map[string]string{"check": "[FILE…]", "lint": "FILE…", "allowlist": "[FILE…]", "explain": "NAME"}[name]
	return &cli.Command{
		Name: name, Usage: usage, Description: strings.TrimSpace(text), Flags: flags, Action: action,
		ArgsUsage: arguments, HideHelpCommand: true, OnUsageError: onUsageError, UseShortOptionHandling: true,
	}
}

// onUsageError keeps the usage text off standard output; complain says what is wrong.
func onUsageError(c *cli.Context, err error, isCommand bool) error {
	hint := "see runner-preflight --help"
	if isCommand && c.Command != nil {
		hint = "see runner-preflight " + c.Command.Name + " --help"
	}
	message, flag := err.Error(), ""
	if _, after, found := strings.Cut(message, "flag provided but not defined: -"); found {
		flag = strings.TrimLeft(after, "-")
		message = "no such flag: --" + flag
		if near := nearestFlag(c, flag); near != "" {
			message += fmt.Sprintf("; did you mean --%s?", near)
		}
	}
	return misused(hint, "%s", message)
}
