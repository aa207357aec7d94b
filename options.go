package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

const description = `
Reads the runner's definition (a script with its docker run command, an env file) and its config.json as the runner
itself will read them, asks the registries for every image that it will pull, and connects to every host that it
needs. Read-only: nothing is pulled, no program is run, no secret is printed.

   runner-preflight lint run.sh config.json     before a deploy, in CI: the files alone, no network
   runner-preflight check run.sh                on the runner's host: everything
   runner-preflight demo                        see it work, with no network and no set-up
   runner-preflight explain credential-store    what a problem is and how to mend it

Exit codes: 0 nothing found at the threshold of --fail-on; 1 findings; 2 usage, or a file that cannot be opened;
3 something could not be established, or nothing was checked; 130, 143 interrupted.`

const checkText = `
FILE is a runner definition or a config.json, recognised by its content; - is standard input. Without one, the
vendor's defaults are judged, with this user's config.json.`

const lintText = `
FILE is a runner definition or a config.json, recognised by its content; - is standard input. An env file or a
config.json that a definition names below the current folder is read too. Nothing else is looked at: no network, no
home folder, no environment.`

// options are the flags, checked.
type options struct {
	config    string
	images    map[checks.Role]string
	platform  string
	endpoints []checks.Endpoint
	selection checks.Selection
	offline   bool
	timeout   time.Duration
	connect   time.Duration
	format    string
	reports   []reportFile
	failOn    checks.Status
	text      report.TextOptions
}

// reportFile is one --report.
type reportFile struct{ format, path string }

// outputFlags are those that say how to print.
func outputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`auto|always|never`: color on standard output"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "causes and summary only"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "evidence, explanations and every finding"},
	}
}

// judgingFlags are those of check and, without what needs a network, of lint.
func judgingFlags(live bool) []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "config.json at `PATH`, or in that folder"},
		&cli.StringFlag{Name: "pause-image", Usage: "`REF` instead of what the definition says"},
		&cli.StringFlag{Name: "auth-proxy-image", Usage: "`REF` instead of what the definition says"},
		&cli.StringFlag{Name: "clone-image", Usage: "`REF` instead of what the definition says"},
		&cli.StringFlag{Name: "platform", Usage: "`OS/ARCH` that images are pulled for (default: this machine's)"},
	}
	if live {
		flags = append(flags,
			&cli.StringSliceFlag{Name: "endpoint", Usage: "`HOST[:PORT]` that must be reachable too (repeatable)"},
			&cli.BoolFlag{Name: "offline", Usage: "no network at all: what needs it is skipped"},
			&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "`LIMIT` for the whole run"},
			&cli.DurationFlag{Name: "connect-timeout", Value: 5 * time.Second, Usage: "`LIMIT` for one phase of a connection"})
	}
	return append(append(flags,
		&cli.StringSliceFlag{Name: "only", Usage: "only this check, group or problem `NAME` (repeatable)"},
		&cli.StringSliceFlag{Name: "skip", Usage: "not this check, group or problem `NAME` (repeatable)"},
		&cli.StringFlag{Name: "format", Value: "text", Usage: "`text|json` on standard output"},
		&cli.StringSliceFlag{Name: "report", Usage: "a further report, as `FORMAT=PATH` (repeatable)"},
		&cli.StringFlag{Name: "fail-on", Value: "fail", Usage: "`warn|fail`: what makes the exit code 1"},
	), outputFlags()...)
}

// readOptions checks the flags.
func readOptions(c *cli.Context, p process) (options, error) {
	o := options{
		config: c.String("config"), offline: c.Bool("offline"), timeout: c.Duration("timeout"),
		connect: c.Duration("connect-timeout"), format: c.String("format"), platform: c.String("platform"),
	}
	if o.timeout == 0 {
		o.timeout = 30 * time.Second
	}
	var errs []error
	o.images, errs = imageFlags(c)
	errs = append(errs, o.readEndpoints(c.StringSlice("endpoint")), o.readPlatform(), o.readReports(c),
		o.readThreshold(c.String("fail-on")), o.readLimits(c), o.readText(c, p))
	selection, err := checks.Select(checks.All(), c.StringSlice("only"), c.StringSlice("skip"))
	o.selection = selection
	for _, err := range append(errs, err) {
		if err != nil {
			return o, misused("", "%w", err)
		}
	}
	return o, nil
}

func imageFlags(c *cli.Context) (map[checks.Role]string, []error) {
	images := map[checks.Role]string{}
	var errs []error
	for flag, role := range map[string]checks.Role{
		"pause-image":      checks.RolePause,
		"auth-proxy-image": checks.RoleAuthProxy, "clone-image": checks.RoleClone,
	} {
		if value := c.String(flag); value != "" {
			images[role] = value
		} else if c.IsSet(flag) {
			errs = append(errs, fmt.Errorf("--%s is empty", flag))
		}
	}
	return images, errs
}

func (o *options) readEndpoints(values []string) error {
	for _, value := range values {
		host, port, err := net.SplitHostPort(value)
		if err != nil {
			host, port = strings.Trim(value, "[]"), "443"
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || host == "" || strings.ContainsAny(host, "/ @") {
			return fmt.Errorf("--endpoint %q is not HOST or HOST:PORT", value)
		}
		o.endpoints = append(o.endpoints, checks.Endpoint{
			Host: host, Port: int(number), Actor: checks.ActorJVM,
			Why: "--endpoint",
		})
	}
	return nil
}

func (o *options) readPlatform() error {
	parts := strings.Split(o.platform, "/")
	if o.platform != "" && (len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "")) {
		return fmt.Errorf("--platform %q is not OS/ARCH, as linux/arm64", o.platform)
	}
	return nil
}

func (o *options) readReports(c *cli.Context) error {
	if _, known := o.formats()[o.format]; !known && c.IsSet("format") {
		return unknownFormat("--format", o.format)
	}
	taken := map[string]bool{}
	for _, value := range c.StringSlice("report") {
		format, path, found := strings.Cut(value, "=")
		switch {
		case !found || path == "":
			return fmt.Errorf("--report %q is not FORMAT=PATH", value)
		case o.fileFormats()[format] == nil:
			return unknownFormat("--report", format)
		case taken[path]:
			return fmt.Errorf("--report writes %s twice", path)
		}
		taken[path] = true
		o.reports = append(o.reports, reportFile{format, path})
	}
	return nil
}

func unknownFormat(flag, format string) error {
	near := checks.Nearest(format, report.FormatNames())
	if near != "" {
		return fmt.Errorf("%s: no format is called %q; did you mean %q?", flag, format, near)
	}
	return fmt.Errorf("%s: no format is called %q; there are %s", flag, format, strings.Join(report.FormatNames(), ", "))
}

func (o *options) readThreshold(value string) error {
	switch value {
	case "fail", "":
		o.failOn = checks.Fail
	case "warn":
		o.failOn = checks.Warn
	default:
		return fmt.Errorf("--fail-on %q is neither warn nor fail", value)
	}
	return nil
}

func (o *options) readLimits(c *cli.Context) error {
	if c.IsSet("timeout") && o.timeout <= 0 || c.IsSet("connect-timeout") && o.connect <= 0 {
		return errors.New("--timeout and --connect-timeout take a time above zero, as 30s or 2m")
	}
	return nil
}

// formats are those of standard output, fileFormats those of files: without color, at the default width.
func (o *options) formats() map[string]report.Format { return report.Formats(o.text) }

func (o *options) fileFormats() map[string]report.Format {
	return report.Formats(report.TextOptions{Verbose: o.text.Verbose, Quiet: o.text.Quiet, Unicode: true})
}
