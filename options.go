package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

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
	// ascii is --ascii, which is for report files too; a locale is for the terminal alone.
	ascii bool
}

// reportFile is one --report.
type reportFile struct{ format, path string }

// The categories under which help lists flags.
const (
	judgedFlags   = "What is judged"
	selectedFlags = "What is looked at"
	reportFlags   = "The report"
)

// judgingFlags are those of check and, without what needs a network, of lint.
func judgingFlags(live bool) []cli.Flag {
	flags := []cli.Flag{
		one(judgedFlags, "config", "", "`PATH` config.json, or the folder that holds it"),
		one(judgedFlags, "pause-image", "", "`REF` replaces what the definition says"),
		one(judgedFlags, "auth-proxy-image", "", "`REF` replaces what the definition says"),
		one(judgedFlags, "clone-image", "", "`REF` replaces what the definition says"),
	}
	if live {
		flags = append(flags,
			one(judgedFlags, "platform", "", "`OS/ARCH` of the images (default: the docker daemon's)"),
			several(judgedFlags, "endpoint", "`HOST[:PORT]` one more host that must be reachable (repeatable)"))
	} else {
		flags = append(flags, one(judgedFlags, "platform", "", "`OS/ARCH` of the images"))
	}
	flags = append(flags,
		several(selectedFlags, "only", "`NAME` this check, group or problem alone (repeatable)"),
		several(selectedFlags, "skip", "`NAME` not this check, group or problem (repeatable)"))
	if live {
		flags = append(flags,
			toggle(selectedFlags, "offline", "", "no network at all: what needs it is skipped"),
			limit("timeout", usualTimeout, "`TIME` limit of the whole run"),
			limit("connect-timeout", 5*time.Second, "`TIME` limit of one phase of a connection"))
	}
	return append(append(flags,
		one(reportFlags, "format", "text", "`NAME` what standard output gets"),
		reportFlag(),
		one(reportFlags, "fail-on", "fail", "`warn|fail` what makes the exit code 1"),
	), append(amountFlags(), lookFlags()...)...)
}

// amountFlags say how much of a report is printed.
func amountFlags() []cli.Flag {
	return []cli.Flag{
		toggle(reportFlags, "quiet", "q", "causes and summary only"),
		toggle(reportFlags, "verbose", "v", "evidence, explanations, every finding"),
	}
}

func reportFlag() cli.Flag {
	return several(reportFlags, "report", "`NAME=PATH` a further report, into a file (repeatable)")
}

// lookFlags say how text looks.
func lookFlags() []cli.Flag {
	return []cli.Flag{
		one(reportFlags, "color", "auto", "`auto|always|never` on standard output"),
		toggle(reportFlags, "ascii", "", "no sign beyond ASCII in what the tool itself says"),
	}
}

// formatFlag chooses one of a few formats; text is the default.
func formatFlag[F any](formats map[string]F) cli.Flag {
	names := strings.Join(slices.Sorted(maps.Keys(formats)), "|")
	return one(reportFlags, "format", "text", "`"+names+"` what standard output gets")
}

func one(category, name, value, usage string) cli.Flag {
	return &cli.StringFlag{Category: category, Name: name, Value: value, Usage: usage}
}

func several(category, name, usage string) cli.Flag {
	return &cli.StringSliceFlag{Category: category, Name: name, Usage: usage}
}

func toggle(category, name, short, usage string) cli.Flag {
	f := &cli.BoolFlag{Category: category, Name: name, Usage: usage}
	if short != "" {
		f.Aliases = []string{short}
	}
	return f
}

func limit(name string, value time.Duration, usage string) cli.Flag {
	return &cli.DurationFlag{Category: selectedFlags, Name: name, Value: value, Usage: usage}
}

// usualTimeout is how long a run may take unless --timeout says otherwise.
const usualTimeout = 30 * time.Second

// readOptions checks the flags.
func readOptions(c *cli.Context, p process) (options, error) {
	o := options{
		config: c.String("config"), offline: c.Bool("offline"), timeout: cmp.Or(c.Duration("timeout"), usualTimeout),
		connect: c.Duration("connect-timeout"), format: c.String("format"), platform: c.String("platform"),
		images: map[checks.Role]string{}, failOn: checks.Fail,
	}
	if c.String("fail-on") == checks.Warn.String() {
		o.failOn = checks.Warn
	}
	for flag, role := range map[string]checks.Role{
		"pause-image": checks.RolePause, "auth-proxy-image": checks.RoleAuthProxy, "clone-image": checks.RoleClone,
	} {
		if reference := c.String(flag); reference != "" {
			o.images[role] = reference
		}
	}
	if err := noCommas(c); err != nil {
		return o, misused("", "%w", err)
	}
	selection, err := checks.Select(checks.All(), c.StringSlice("only"), c.StringSlice("skip"))
	o.selection = selection
	for _, err := range []error{
		noneEmpty(c), oneOfFew(c), o.readEndpoints(c.StringSlice("endpoint")), o.readPlatform(), o.readReports(c),
		readLimits(c), o.readText(c, p), err,
	} {
		if err != nil {
			return o, misused("", "%w", err)
		}
	}
	return o, nil
}

// noneEmpty refuses flags without a value, as of a shell's variable that is not set: no silent fallback.
func noneEmpty(c *cli.Context) error {
	for _, flag := range c.Command.Flags {
		if f, ok := flag.(*cli.StringFlag); ok && c.IsSet(f.Name) && c.String(f.Name) == "" {
			return fmt.Errorf("--%s is empty", f.Name)
		}
	}
	return nil
}

// noCommas refuses lists of names: a flag is given once for each.
func noCommas(c *cli.Context) error {
	for _, flag := range []string{"only", "skip"} {
		for _, value := range c.StringSlice(flag) {
			if names := strings.FieldsFunc(value, func(r rune) bool { return r == ',' }); len(names) > 1 {
				return fmt.Errorf("--%s takes one name, and may be given again: --%[1]s %s", flag, strings.Join(names, " --"+flag+" "))
			}
		}
	}
	return nil
}

// oneOfFew refuses other values of a flag than those that help names.
func oneOfFew(c *cli.Context) error {
	for _, flag := range c.Command.Flags {
		f, ok := flag.(*cli.StringFlag)
		if !ok || !c.IsSet(f.Name) {
			continue
		}
		values, _ := valueName(f)
		if few := strings.Split(values, "|"); len(few) > 1 {
			if err := oneOf("--"+f.Name, c.String(f.Name), few); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneOf refuses a value that is none of a few, and says which of them was most likely meant.
func oneOf(what, value string, few []string) error {
	if slices.Contains(few, value) {
		return nil
	}
	if near := nearest(value, few); near != "" {
		return fmt.Errorf("%s %q is not %s; did you mean %q?", what, value, alternatives(few), near)
	}
	return fmt.Errorf("%s %q is not %s", what, value, alternatives(few))
}

func alternatives(few []string) string {
	last := len(few) - 1
	return strings.Join(few[:last], ", ") + " or " + few[last]
}

func (o *options) readEndpoints(values []string) error {
	for _, value := range values {
		if strings.Contains(value, "@") {
			return errors.New("--endpoint takes HOST or HOST:PORT, without a user and a password")
		}
		host, port, err := net.SplitHostPort(value)
		if err != nil {
			host, port = strings.Trim(value, "[]"), "443"
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || host == "" || strings.ContainsAny(host, "/ ") {
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
	taken := map[string]bool{}
	for _, value := range c.StringSlice("report") {
		format, path, found := strings.Cut(value, "=")
		switch {
		case !found || path == "":
			return fmt.Errorf("--report %q is not NAME=PATH, as junit=test-results/junit.xml", value)
		case o.fileFormats()[format] == nil:
			return unknownFormat("--report", format, report.FormatNames())
		case path == "-":
			return fmt.Errorf("--report writes files; --format %s is for standard output", format)
		case taken[filepath.Clean(path)]:
			return fmt.Errorf("--report writes %s twice", path)
		}
		taken[filepath.Clean(path)] = true
		o.reports = append(o.reports, reportFile{format, path})
	}
	return nil
}

// checkFormat refuses what is no format of reports.
func (o *options) checkFormat() error {
	if o.formats()[o.format] == nil {
		return unknownFormat("--format", o.format, report.FormatNames())
	}
	return nil
}

func unknownFormat(flag, format string, formats []string) error {
	if near := nearest(format, formats); near != "" {
		return fmt.Errorf("%s: no format is called %q; did you mean %q?", flag, format, near)
	}
	return fmt.Errorf("%s: no format is called %q; there are %s", flag, format, strings.Join(formats, ", "))
}

func readLimits(c *cli.Context) error {
	for _, name := range []string{"timeout", "connect-timeout"} {
		if c.IsSet(name) && c.Duration(name) <= 0 {
			return fmt.Errorf("--%s takes a time above zero, as 30s or 2m", name)
		}
	}
	return nil
}

// formats are those of standard output, fileFormats those of files: without color, at the default width.
func (o *options) formats() map[string]report.Format { return report.Formats(o.text) }

func (o *options) fileFormats() map[string]report.Format {
	return report.Formats(report.TextOptions{Verbose: o.text.Verbose, Quiet: o.text.Quiet, Unicode: !o.ascii})
}
