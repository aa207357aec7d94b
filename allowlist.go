package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

const allowlistText = `
Without FILE the list is for the runners among this host's containers, as check
finds them, else for the vendor's defaults, and the docker daemon is asked for
its proxy and its mirrors. FILE is as for check, but no daemon is asked: a list
can be made where the runner does not run. What /etc/docker/daemon.json and the
environment of this machine say counts in both cases.
Registries are asked, as check asks them, for the token services and the other
hosts that they send their clients to.

A list for --against has one host a line: HOST, *.HOST for the names below it,
.HOST for both, each with :PORT if it is about that port alone. # begins a
comment.

Examples:
  runner-preflight allowlist                             on the runner's host
  runner-preflight allowlist run.sh
  runner-preflight allowlist --format markdown run.sh    a ticket to be pasted
  runner-preflight allowlist --format squid run.sh >runner.acl
  runner-preflight allowlist --against allowed.txt run.sh

Exit codes:
  0    all that is needed is listed
  1    something is missing from the list of --against
  2    usage, or a file that cannot be opened, or a line of it that is no host
  3    a registry, or a docker daemon that is there, could not be asked: hosts
       may be missing here`

// allowlistFlags are those of check that say what is looked at, and how the list is to look.
func allowlistFlags() []cli.Flag {
	judging := []string{"only", "skip", "format", "report", "fail-on", "baseline", "quiet", "verbose"}
	flags := slices.DeleteFunc(judgingFlags(true), func(f cli.Flag) bool { return slices.Contains(judging, f.Names()[0]) })
	return append(flags,
		toggle(reportFlags, "required", "", "without what only some pipelines need"),
		one(reportFlags, "against", "", "`LIST` show what is missing from that file alone"),
		one(reportFlags, "format", "text", "`NAME` "+strings.Join(allowlistFormats(), ", ")))
}

func allowlistFormats() []string {
	return slices.Sorted(maps.Keys(report.AllowlistFormats(report.TextOptions{})))
}

// listing is an allowlist as somebody wants it.
type listing struct {
	options
	write report.AllowlistFormat
	// against is the path of the list to compare, "" for none, patterns what is in it.
	against  string
	patterns []checks.Pattern
	// required leaves out what only some pipelines need.
	required bool
}

// allowlist lists the hosts that runners need. Its error is an exitCode or a usage error. A FILE may be of a runner that
// runs elsewhere, and be listed by a build: this machine's daemon, which another machine lacks, must not change its list.
func allowlist(c *cli.Context, p process) error {
	l, err := readListing(c, p)
	if err != nil {
		return err
	}
	in, err := l.input(c, p, true)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	if c.NArg() == 0 {
		l.askDaemon(ctx, p, &in)
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	host, err := l.build(ctx, in)
	if err != nil {
		return err
	}
	return l.list(ctx, p, host)
}

// readListing checks the flags, and reads the list that is to be compared.
func readListing(c *cli.Context, p process) (listing, error) {
	o, err := readOptions(c, p)
	if err != nil {
		return listing{}, err
	}
	l := listing{options: o, against: c.String("against"), required: c.Bool("required")}
	if l.write = report.AllowlistFormats(o.text)[o.format]; l.write == nil {
		return l, misused("", "%w", unknownFormat("--format", o.format, allowlistFormats()))
	}
	if err := flagsFirst(c.Args().Slice()); err != nil {
		return l, err
	}
	switch {
	case l.against == "-" && slices.Contains(c.Args().Slice(), "-"):
		return l, misused("", "standard input can be the FILE or the list of --against, not both")
	case l.against != "":
		err = l.readPatterns(p.in)
	}
	return l, err
}

func (l *listing) readPatterns(stdin io.Reader) error {
	data, err := readInput(l.against, stdin)
	if err != nil {
		return misused("", "--against %s: %s", l.against, reason(err))
	}
	if l.against == "-" {
		l.against = "<stdin>"
	}
	if l.patterns, err = checks.ParsePatterns(l.against, data); err != nil {
		return misused("write one host a line: registry.example.com, *.example.com, .example.com, registry.example.com:5000",
			"--against %w", err)
	}
	return nil
}

// list asks, and writes what is needed, or missing.
func (l listing) list(ctx context.Context, p process, host *checks.Host) error {
	stop := l.progress(p, host)
	found := report.NewAllowlist(ctx, version, host)
	stop()
	if l.required {
		found.Hosts = slices.DeleteFunc(found.Hosts, checks.Allowed.Optional)
	}
	if found.Against = l.against; l.against != "" {
		found.Hosts = checks.Missing(found.Hosts, l.patterns)
	}
	for _, line := range append(found.Caveats(), l.missing(found)...) {
		p.say(line)
	}
	if err := l.write(p.out, found); err != nil {
		return fmt.Errorf("writing to standard output: %s", reason(err))
	}
	var interrupted interruption
	switch {
	case errors.As(context.Cause(ctx), &interrupted):
		return interrupted.exitCode()
	case l.against != "" && len(found.Hosts) > 0:
		return exitCode(exitFindings)
	case found.Incomplete():
		return exitCode(exitUnestablished)
	}
	return nil
}

// missing says what is missing from the list that was compared.
func (l listing) missing(found report.Allowlist) []string {
	count := len(found.Hosts)
	if l.against == "" || count == 0 {
		return nil
	}
	line := fmt.Sprintf("%d hosts are missing from %s", count, l.against)
	if count == 1 {
		line = "1 host is missing from " + l.against
	}
	if !slices.ContainsFunc(found.Hosts, func(a checks.Allowed) bool { return !a.Optional() }) {
		line += ", all of them optional: --required leaves those out"
	}
	return []string{line}
}
