package checks

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/runner"
)

// homes are the files that "~" may lead to where this process was called by sudo: in its own home folder, and in that of
// the user who called sudo. Nobody can know whose shell will fill it in.
type homes struct {
	own, callers *Config
	caller       Caller
}

// inHome opens a path below the home folder of who starts a runner. The shell has filled it in before sudo of the command
// itself runs; otherwise it is this process's own, unless the other one alone has the file. Services of systemd do not
// come from sudo.
func (b *builder) inHome(r *Runner, rest string, origin ConfigOrigin) *Config {
	own := b.openOnce(b.Env("HOME")+rest, origin)
	d := r.Definition
	service := d != nil && (d.Service != nil || d.Dialect == runner.Unit || d.Dialect == runner.Quadlet)
	if !b.Live || service || b.Caller.Home == "" || path.Clean(b.Caller.Home) == path.Clean(b.Env("HOME")) {
		return own
	}
	r.homes = &homes{own, b.openOnce(b.Caller.Home+rest, origin), b.Caller}
	sudo, callers := d != nil && d.Sudo, r.homes.callers
	if !callers.missing() && (sudo || own.missing()) || sudo && own.missing() {
		return callers
	}
	return own
}

func (c *Config) missing() bool { return errors.Is(c.Err, fs.ErrNotExist) }

// homeNote says where a runner's config.json is in the home folder of who called sudo, or in neither.
func homeNote(r *Runner) string {
	if r.homes == nil {
		return ""
	}
	own, callers := r.homes.own, r.homes.callers
	note := fmt.Sprintf("; it is that of %s, who called sudo", clip(r.homes.caller.Name))
	switch {
	case own.missing() && callers.missing() && r.Config == own:
		return "; nor is there " + clip(callers.Path)
	case own.missing() && callers.missing():
		return "; nor is there " + clip(own.Path)
	case r.Config == callers && own.missing():
		return note + ": there is no " + clip(own.Path)
	case r.Config == callers:
		return note
	}
	return ""
}

// uncertainHome warns of a mount of a file in a home folder where it matters in which: the other one has other credentials,
// or the right one has none.
func uncertainHome(h *Host, u *configUse, r *Runner) []Finding {
	m := mountOf(r)
	if r.homes == nil || r.Config != r.homes.own || m == nil || unexpandedHome(m.Source) || len(u.images) == 0 {
		return nil
	}
	own, callers, name := r.homes.own, r.homes.callers, clip(r.homes.caller.Name)
	message := ""
	switch {
	case own.missing():
		return nil
	case callers.missing() && r.Definition.Sudo:
		message = fmt.Sprintf("the shell fills %s in before sudo runs, with the home folder of %s, where there is no %s: what "+
			"sudo docker login wrote is not what is mounted", homeWord(m), name, clip(callers.Path))
	case !callers.missing() && !sameForRunner(own, callers, u.images):
		message = fmt.Sprintf("where %s leads to depends on who starts the runner: this file is judged, and %s, of %s, who called "+
			"sudo, has other credentials", homeWord(m), clip(callers.Path), name)
	default:
		return nil
	}
	source := path.Clean(own.Path)
	if path.Base(path.Clean(m.Target.Value)) != configName {
		source = path.Dir(source)
	}
	f := Warned(ambiguousHome, own.Path, message,
		"write the whole path: "+r.Definition.Dialect.Mount(source, m.Target.Value, m.ReadOnly)).At(m.Place).
		Touching(Path(own.Path))
	if !callers.missing() {
		f = f.Try(strings.Replace(checkAgain(h), " check", " check --config "+shellWord(callers.Path), 1))
	}
	return []Finding{f}
}

// homeWord is how a mount writes the home folder.
func homeWord(m *runner.Mount) string {
	if written := m.Source.Place.Text(); homeSign(written) != "" {
		return homeSign(written)
	}
	return "~"
}

// sameForRunner tells whether a runner finds the same credentials for images in two files, as far as both can be read.
func sameForRunner(a, b *Config, images []Image) bool {
	if a.File == nil || b.File == nil {
		return a.Err != nil && b.Err != nil
	}
	return !slices.ContainsFunc(images, func(image Image) bool {
		return sentFor(a, image) != sentFor(b, image)
	})
}

// sentFor is what a runner sends for an image, without the entry that it stands in; nothing usable is one answer,
// whatever the reason.
func sentFor(c *Config, image Image) dockerconfig.RunnerCredentials {
	sent := c.File.ForRunner(image.Reference)
	if sent.Reason != "" {
		return dockerconfig.RunnerCredentials{}
	}
	sent.Key, sent.Entry, sent.Dropped, sent.ServerAddress = "", nil, nil, ""
	return sent
}
