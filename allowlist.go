package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
	"runner-preflight/report"
)

const allowlistText = `
Lists every host and port that the runner needs, who needs it and what for. Registries are asked, as check asks them,
for the token services and the other hosts that they send their clients to. FILE is as for check; without one, the list
is for the vendor's defaults.

   runner-preflight allowlist run.sh                               for people
   runner-preflight allowlist --format markdown run.sh             a ticket, to be pasted as it is
   runner-preflight allowlist --format squid run.sh > runner.acl   for squid's dstdomain
   runner-preflight allowlist --against allowed.txt run.sh         what is missing from a list

A list has one host a line: HOST, *.HOST for the names below it, .HOST for both, each with :PORT if it is about that port
alone; # begins a comment.

Exit codes: 0 all is listed; 1 something is missing from the list of --against; 2 usage, or a file that cannot be read;
3 a registry could not be asked, so that hosts may be missing here.`

// allowlistFlags are those of check that say what is looked at, and how the list is to look.
func allowlistFlags() []cli.Flag {
	judging := []string{"only", "skip", "format", "report", "fail-on", "quiet", "verbose"}
	flags := slices.DeleteFunc(judgingFlags(true), func(f cli.Flag) bool { return slices.Contains(judging, f.Names()[0]) })
	return append(flags,
		&cli.StringFlag{Name: "format", Value: "text", Usage: "`text|csv|json|squid|markdown` on standard output"},
		&cli.StringFlag{Name: "against", Usage: "list what is missing from `FILE` alone, which has one host a line"},
		&cli.BoolFlag{Name: "required", Usage: "leave out what only some pipelines need"})
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

// allowlist lists the hosts that runners need. Its error is an exitCode or a usage error.
func allowlist(c *cli.Context, p process) error {
	l, err := readListing(c, p)
	if err != nil {
		return err
	}
	in, err := l.input(c, p, true)
	if err != nil {
		return err
	}
	folder, _ := os.Getwd() // unknown when it is gone
	host, err := checks.Build(in, checks.Windows{Files: osFiles{}, Folder: folder, Now: time.Now})
	if err != nil {
		return misused("", "--config %s: %s", l.config, reason(err))
	}
	return l.list(c.Context, p, host)
}

// readListing checks the flags, and reads the list that is to be compared.
func readListing(c *cli.Context, p process) (listing, error) {
	format := c.String("format")
	if err := c.Set("format", "text"); err != nil { // readOptions knows the formats of reports alone
		return listing{}, err
	}
	o, err := readOptions(c, p)
	if err != nil {
		return listing{}, err
	}
	l := listing{options: o, against: c.String("against"), required: c.Bool("required")}
	formats := report.AllowlistFormats(o.text)
	if l.write = formats[format]; l.write == nil {
		names := strings.Join(slices.Sorted(maps.Keys(formats)), ", ")
		return l, misused("", "--format: no format of an allowlist is called %q; there are %s", format, names)
	}
	if err := flagsFirst(c.Args().Slice()); err != nil {
		return l, err
	}
	switch {
	case l.against == "" && c.IsSet("against"):
		return l, misused("", "--against is empty")
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
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
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
		fmt.Fprintf(p.err, "runner-preflight: %s\n", source.Printable(line))
	}
	if err := l.write(p.out, found); err != nil {
		fmt.Fprintf(p.err, "runner-preflight: writing to standard output: %s\n", reason(err))
		return exitCode(exitUnestablished)
	}
	switch {
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
