package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// defaultWidth is the width of a report that goes to no terminal, in columns.
const defaultWidth = 80

// readText decides how text looks: by flags, by the environment, by what standard output is.
func (o *options) readText(c *cli.Context, p process) error {
	width, _ := terminalWidth(p.out)
	o.ascii = c.Bool("ascii")
	o.text = report.TextOptions{
		Width: width, Color: colored(c.String("color"), p.env, obeys(p.out)), Unicode: !o.ascii && p.unicode(p.out),
		Quiet: c.Bool("quiet"), Verbose: c.Bool("verbose"),
	}
	if o.text.Quiet && o.text.Verbose {
		return errors.New("-q and -v exclude each other")
	}
	return nil
}

// terminalWidth is the width of the terminal that w is, in columns.
func terminalWidth(w io.Writer) (width int, terminal bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return defaultWidth, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		return defaultWidth, true
	}
	return width, true
}

// obeys tells whether w is a terminal that does what escape sequences say.
func obeys(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && takesEscapes(file.Fd())
}

// colored decides on color: the flag, then NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, CLICOLOR=0, then the terminal.
// Source: no-color.org and bixense.com/clicolors.
func colored(flag string, env func(string) string, terminal bool) bool {
	force := func(name string) bool { return env(name) != "" && env(name) != "0" }
	switch {
	case flag == "always":
		return true
	case flag == "never", env("NO_COLOR") != "":
		return false
	case force("FORCE_COLOR"), force("CLICOLOR_FORCE"):
		return true
	case env("CLICOLOR") == "0", env("TERM") == "dumb":
		return false
	}
	return terminal
}

// unicode tells whether what is written to w may leave ASCII: as the locale says. Without one, as in a container, whose
// logs are UTF-8, it may; on Windows only a console takes whatever Go writes, while a pipe has the console's code page.
func (p process) unicode(w io.Writer) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(p.env(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	if runtime.GOOS != "windows" {
		return true
	}
	_, terminal := terminalWidth(w)
	return terminal
}

// progressDelay is how long a run may take before it says that it is waiting.
const progressDelay = 700 * time.Millisecond

// waitingFor is what a run waits for that began some time ago. What this process does itself takes a phase or two; after
// that it is the daemon, if that owes an answer: what it cannot connect to it gives up after 15 seconds.
func (o options) waitingFor(host *checks.Host, past time.Duration) string {
	if past > o.connect && host.Engine != nil && host.Engine.Pending() {
		return "waiting for the docker daemon, which gives up after 15 s"
	}
	return "waiting for the network"
}

// progress says on a terminal's standard error that the run is waiting, and for how long it may; the returned function
// takes the line away.
func (o options) progress(p process, host *checks.Host) (stop func()) {
	width, _ := terminalWidth(p.err)
	if !obeys(p.err) || host.Offline || p.env("TERM") == "dumb" {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		started, wait := time.Now(), time.NewTimer(progressDelay)
		defer wait.Stop()
		shown := false
		for {
			select {
			case <-done:
				if shown {
					fmt.Fprint(p.err, "\r\x1b[K")
				}
				return
			case <-wait.C:
				shown = true
				past := time.Since(started)
				line := fmt.Sprintf("%s: %.0f s of at most %v", o.waitingFor(host, past), past.Seconds(), o.timeout)
				// A line that the terminal breaks could not be taken away.
				fmt.Fprint(p.err, "\r\x1b[K"+line[:min(len(line), width-1)])
				wait.Reset(time.Second)
			}
		}
	}()
	return func() { close(done); <-ended }
}
