package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// check judges a runner on its own host.
func check(c *cli.Context, p process) error { return judge(c, p, true) }

// lint judges files alone.
func lint(c *cli.Context, p process) error {
	if c.NArg() == 0 && !c.IsSet("config") {
		return misused("try runner-preflight lint run.sh ~/.docker/config.json", "lint takes the FILEs to judge, or folders")
	}
	return judge(c, p, false)
}

// judge reads what it is given, runs the checks and writes the reports. Its error is an exitCode or a usage error.
func judge(c *cli.Context, p process, live bool) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	if err := o.checkFormat(); err != nil {
		return misused("", "%w", err)
	}
	if err := flagsFirst(c.Args().Slice()); err != nil {
		return err
	}
	in, err := o.input(c, p, live)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	if live {
		o.askDaemon(ctx, p, &in)
	}
	ctx, cancel := o.limited(ctx, live)
	defer cancel()
	host, err := o.build(ctx, in)
	if err != nil {
		return err
	}
	if err := o.spare(host, c.Args().Slice()); err != nil {
		return err
	}
	return o.judgeHost(ctx, p, host)
}

// limited is a context that ends when the time of the run is over. Lint waits for nobody, has no --timeout, and takes the
// time that its files need.
func (o options) limited(ctx context.Context, live bool) (context.Context, context.CancelFunc) {
	if !live {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, o.timeout)
}

// build makes the host that an input describes, on this machine.
func (o options) build(ctx context.Context, in checks.Input) (*checks.Host, error) {
	host, err := checks.Build(ctx, in, ownWindows())
	if err != nil {
		path := o.config
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			path = at.Path
		}
		return nil, misused("", "--config %s: %s", path, reason(err))
	}
	return host, nil
}

// ownWindows are those of this machine.
func ownWindows() checks.Windows {
	folder, _ := os.Getwd() // unknown when it is gone
	return checks.Windows{
		Files: osFiles{}, Folder: folder, Now: time.Now, Real: realPath, Within: within, Owner: owner, Space: space,
	}
}

// judgeHost runs the selected checks on a host and writes the reports.
func (o options) judgeHost(ctx context.Context, p process, host *checks.Host) error {
	started := time.Now()
	stop := o.progress(p, host)
	results := checks.Run(ctx, host, o.selection)
	stop()
	var interrupted interruption
	r := report.New(report.Run{
		Version: version, Started: started, Duration: time.Since(started), Host: host,
		Results: results, Interrupted: errors.As(context.Cause(ctx), &interrupted),
	})
	if o.baseline != nil {
		r = r.Against(*o.baseline, o.selection)
	}
	code := exitCode(r.ExitCode(o.failOn))
	if err := o.write(p, r); err != nil {
		p.complain(err)
		if code == exitClean {
			code = exitUnestablished
		}
	}
	switch {
	case r.Interrupted:
		return interrupted.exitCode()
	case code == exitClean:
		return nil
	}
	return code
}

// write writes the report files and gives standard output its format: last, as a reader that has gone ends the process.
func (o options) write(p process, r report.Report) error {
	var errs []error
	for _, file := range o.reports {
		if err := o.writeReport(file, r); err != nil {
			errs = append(errs, fmt.Errorf("writing %s: %s", file.path, reason(err)))
		}
	}
	if err := o.formats()[o.format](p.out, r); err != nil {
		errs = append(errs, fmt.Errorf("writing to standard output: %s", reason(err)))
	}
	return errors.Join(errs...)
}

// writeReport writes the file, or the folder, of one --report.
func (o options) writeReport(file reportFile, r report.Report) error {
	if folder, ok := report.FolderFormats()[file.format]; ok {
		return writeFolder(file.path, folder, r)
	}
	return writeWhole(file.path, func(w io.Writer) error { return o.fileFormats()[file.format](w, r) })
}

// spare refuses to write a report over one of the files that are judged.
func (o options) spare(host *checks.Host, files []string) error {
	files = append(files, checks.IgnoreFile)
	if o.config != "" { // of a host that was not read in time nothing else is known
		files = append(files, o.config, filepath.Join(o.config, "config.json"))
	}
	for _, r := range host.Runners {
		if r.Config != nil {
			files = append(files, r.Config.Path)
		}
		if r.Definition != nil {
			files = append(files, r.Definition.File.Path)
			for _, env := range r.Definition.EnvFiles {
				if env.File != nil {
					files = append(files, env.File.Path)
				}
			}
		}
	}
	for _, report := range o.reports {
		for _, file := range files {
			if slices.ContainsFunc(report.files(), func(path string) bool { return sameFile(path, file) }) {
				return misused("", "--report would write over %s, which is judged", file)
			}
		}
	}
	return nil
}

// input turns the command line into what is to be judged.
func (o options) input(c *cli.Context, p process, live bool) (checks.Input, error) {
	in := checks.Input{
		Config: o.config, Images: o.images, Platform: o.platform, Endpoints: o.endpoints,
		Live: live, Offline: !live || o.offline,
	}
	if live {
		in.Env, in.Caller = p.env, caller(p.env("SUDO_USER"))
		in.Files = p.definition(c.NArg())
		in.Route, in.Certified = route(p, o), certified
		in.Machine = "linux/" + runtime.GOARCH
	}
	for i, name := range c.Args().Slice() {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			folder, files := checks.Walk(ownWindows(), osFiles{}, name)
			if err := unlisted(folder); err != nil {
				return in, misused("", "%s: %s", name, reason(err))
			}
			in.Folders, in.Files = append(in.Folders, folder), append(in.Files, files...)
			continue
		}
		switch data, err := readInput(name, p.in); {
		case err != nil && i == 0 && errors.Is(err, fs.ErrNotExist):
			return in, notAFile(name, names(c.App))
		case err != nil:
			return in, misused("", "%s: %s", cmp.Or(name, `""`), reason(err))
		case name == "-" && slices.Index(c.Args().Slice(), name) < i:
			return in, misused("", "- stands for standard input, which can be read once")
		case name == "-":
			in.Files = append(in.Files, checks.InputFile{Path: "<stdin>", Data: data})
		default:
			in.Files = append(in.Files, checks.InputFile{Path: name, Data: data})
		}
	}
	return in, nil
}

// caller is the user of that name, who called sudo; nobody if it is empty, or he is not known.
func caller(name string) checks.Caller {
	if name == "" {
		return checks.Caller{}
	}
	known, err := user.Lookup(name)
	if err != nil {
		return checks.Caller{}
	}
	return checks.Caller{Name: name, Home: known.HomeDir}
}

// unlisted is what kept a folder that was named from being listed.
func unlisted(folder checks.Folder) error {
	for _, unread := range folder.Unread {
		if unread.Path == folder.Path {
			return unread.Err
		}
	}
	return nil
}

// notAFile says that the first FILE does not exist, and what a command was most likely meant to be.
func notAFile(name string, commands []string) error {
	if slices.Contains(commands, name) {
		return misused("", "commands come before flags: put %s first", name)
	}
	if near := nearest(name, commands); near != "" {
		return misused("see runner-preflight "+near+" --help", "%s: no such file or command; did you mean %s?", name, near)
	}
	if slices.Contains(checks.Names(checks.All()), name) {
		return misused("try runner-preflight explain "+name, "%s: no such file or command", name)
	}
	return misused("", "%s: no such file", cmp.Or(name, `""`))
}

// flagsFirst refuses a flag behind a FILE, where the command line's grammar would take it for a FILE.
func flagsFirst(args []string) error {
	for i, arg := range args {
		if i > 0 && len(arg) > 1 && strings.HasPrefix(arg, "-") {
			name, _, _ := strings.Cut(arg, "=")
			return misused("", "flags come before files: put %s before %s (a file of that name is ./%[1]s)", name, args[0])
		}
	}
	return nil
}

// explain writes what a problem or a check is.
func explain(c *cli.Context, p process) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	all := checks.All()
	hint := "runner-preflight list shows all names"
	if isMessage(c.Args().Slice(), checks.Names(all)) {
		return explainLog(c, p, o)
	}
	if c.NArg() != 1 {
		return misused(hint, "explain takes one NAME, of a problem or a check, or a line of a log")
	}
	name := c.Args().First()
	if slices.Contains(checks.Names(all), name) {
		return written(report.Explain(p.out, all, name, o.text))
	}
	if near := nearest(name, checks.Names(all)); near != "" {
		return misused("try runner-preflight explain "+near, "no problem or check is called %q; did you mean %q?", name, near)
	}
	return misused(hint, "no problem or check is called %q%s", name, containing(name, checks.Names(all)))
}

// mostNames is how many names an error lists.
const mostNames = 4

// containing lists the names that a part of a name may stand for.
func containing(part string, names []string) string {
	found := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return len(part) < 3 || !strings.Contains(name, strings.ToLower(part))
	})
	switch {
	case len(found) == 0:
		return ""
	case len(found) > mostNames:
		return fmt.Sprintf("; there are %s and %d more", strings.Join(found[:mostNames], ", "), len(found)-mostNames)
	case len(found) == 1:
		return "; there is " + found[0]
	}
	return "; there are " + strings.Join(found, ", ")
}

func noArguments(c *cli.Context) error {
	if c.NArg() > 0 {
		return misused("", "%s takes no argument", c.Command.Name)
	}
	return nil
}

// definition is this process's environment, where no FILE is given and it is a runner's: the tool then runs with the
// runner's own command, in the place of its image.
func (p process) definition(files int) []checks.InputFile {
	if files > 0 || p.environ == nil || p.env("RUNNER_UUID") == "" && p.env("ACCOUNT_UUID") == "" {
		return nil
	}
	var lines strings.Builder
	for _, variable := range p.environ() {
		if !strings.ContainsAny(variable, "\r\n") {
			lines.WriteString(variable + "\n")
		}
	}
	return []checks.InputFile{{Path: checks.EnvironmentPath, Data: []byte(lines.String())}}
}
