package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
	"runner-preflight/report"
)

// judge reads what it is given, runs the checks and writes the reports. Its error is an exitCode or a usage error.
func judge(c *cli.Context, p process, live bool) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	if err := flagsFirst(c.Args().Slice()); err != nil {
		return err
	}
	if !live && c.NArg() == 0 && o.config == "" {
		return misused("try runner-preflight lint run.sh ~/.docker/config.json", "lint takes the FILEs to judge")
	}
	in, err := o.input(c, p, live)
	if err != nil {
		return err
	}
	host, err := checks.Build(in, checks.Windows{Files: osFiles{}, Folder: currentFolder(), Now: time.Now})
	if err != nil {
		return misused("", "%w", err)
	}
	return o.judgeHost(c.Context, p, host)
}

// judgeHost runs the selected checks on a host and writes the reports.
func (o options) judgeHost(ctx context.Context, p process, host *checks.Host) error {
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	stop := o.progress(p, host)
	results := checks.Run(ctx, host, o.selection)
	stop()
	r := report.New(report.Run{
		Version: version, Started: started, Duration: time.Since(started), Host: host,
		Results: results, Interrupted: errors.Is(context.Cause(ctx), errInterrupted),
	})
	code := exitCode(r.ExitCode(o.failOn))
	if err := o.write(p, r); err != nil {
		fmt.Fprintf(p.err, "runner-preflight: %v\n", err)
		if code == exitClean {
			code = exitUnestablished
		}
	}
	if code == exitClean {
		return nil
	}
	return code
}

// write gives standard output its format and writes the report files.
func (o options) write(p process, r report.Report) error {
	format := o.formats()[o.format]
	errs := []error{format(p.out, r)}
	for _, file := range o.reports {
		errs = append(errs, writeWhole(file.path, func(w io.Writer) error { return o.fileFormats()[file.format](w, r) }))
	}
	return errors.Join(errs...)
}

// input turns the command line into what is to be judged.
func (o options) input(c *cli.Context, p process, live bool) (checks.Input, error) {
	in := checks.Input{
		Config: o.config, Images: o.images, Platform: o.platform, Endpoints: o.endpoints,
		Live: live, Offline: !live || o.offline,
	}
	if live {
		in.Env = p.env
		in.Route = route(p, o)
		if in.Platform == "" {
			in.Platform = "linux/" + runtime.GOARCH
		}
	}
	for _, name := range c.Args().Slice() {
		data, err := readInput(name, p.in)
		if err != nil {
			return in, misused("", "%s: %s", name, reason(err))
		}
		if name == "-" {
			name = "<stdin>"
		}
		in.Files = append(in.Files, checks.InputFile{Path: name, Data: data})
	}
	return in, nil
}

// flagsFirst refuses a flag behind a FILE, where the command line's grammar would take it for a FILE.
func flagsFirst(args []string) error {
	for i, arg := range args {
		if i > 0 && len(arg) > 1 && strings.HasPrefix(arg, "-") {
			return misused("", "flags come before files: put %s before %s", source.Printable(arg), source.Printable(args[0]))
		}
	}
	return nil
}

// reason says in plain words why a file cannot be opened.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, checks.ErrIsDirectory):
		return "is a folder; name the files in it"
	case errors.Is(err, errTooLarge):
		return errTooLarge.Error()
	}
	return "cannot be read"
}

// explain writes what a problem or a check is.
func explain(c *cli.Context, p process) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	if c.NArg() != 1 {
		return misused("runner-preflight list has all names", "explain takes one NAME of a problem or check")
	}
	name := c.Args().First()
	all := checks.All()
	if !slices.Contains(checks.Names(all), name) {
		near := checks.Nearest(name, checks.Names(all))
		if near != "" {
			return misused("runner-preflight explain "+near, "no problem or check is called %q; did you mean %q?", name, near)
		}
		return misused("runner-preflight list has all names", "no problem or check is called %q", name)
	}
	return report.Explain(p.out, all, name, o.text)
}

// list writes all checks and problems.
func list(c *cli.Context, p process) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	return report.List(p.out, checks.All(), o.text)
}
