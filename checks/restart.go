package checks

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/runner"
)

// restart ends the hints of all that is mended in config.json; remake ends them where the container was made with the file.
const (
	restart = ", then restart the runner: it reads the file once"
	remake  = ", then make the container anew: it keeps the file that it was made with"
)

// ending gives a finding about a config.json, where its hint says so, the commands after which these runners read it anew.
func (u *configUse) ending(h *Host, f Finding, runners ...*Runner) Finding {
	ends := strings.Contains(f.Hint, restart)
	f = u.stored(f)
	if !ends {
		return f
	}
	if slices.ContainsFunc(runners, withinCompose) {
		f.Hint = strings.Replace(f.Hint, restart, remake, 1)
	}
	return f.Try(h.restarts(runners...)...)
}

// withinCompose tells whether a runner's config.json stands in its compose file: compose writes it into the container when
// it makes that, so that a restart changes nothing.
func withinCompose(r *Runner) bool {
	return r.Config != nil && r.Definition != nil && r.Definition.Dialect == runner.Compose &&
		slices.Contains(r.Definition.Keeper.Files, r.Config.Path)
}

// restarts are the commands after which runners read their files anew, each once, of those whose name is known.
func (h *Host) restarts(runners ...*Runner) []string {
	var commands []string
	for _, r := range runners {
		if command := h.restarting(r); command != "" {
			commands = appendNew(commands, []string{command})
		}
	}
	return commands
}

// restarting is the command that has a runner read its files anew, as what keeps it would be told; "" where it is not known
// what it is called. A container that systemd does not stay with (-d) is docker's to restart: its unit may not be able to
// make it a second time. That a restart mounts files anew was measured with Docker 20.10.
func (h *Host) restarting(r *Runner) string {
	d := r.Definition
	if d == nil {
		return ""
	}
	keeper := d.Keeper
	_, detached := switched(d, "detach")
	live := h.liveOf(r)
	switch {
	case d.Dialect == runner.Kubernetes:
		return rollout(keeper)
	case withinCompose(r):
		return composed(keeper, "up -d --force-recreate")
	case strings.HasSuffix(keeper.Name, unitSuffix) && d.Dialect != runner.Inspected && !detached:
		return restartUnit(keeper)
	case live != nil:
		return restartContainer(h.client(), *live.Container)
	case d.Dialect == runner.Compose:
		return composed(keeper, "restart")
	case d.Dialect == runner.Inspected:
		return restartContainer(h.client(), engine.Container{Name: keeper.Name})
	}
	name, _ := switched(d, "name")
	if name.Value.Unresolved != "" {
		return ""
	}
	return restartContainer(cmp.Or(d.Client, "docker"), engine.Container{Name: name.Value.Value})
}

// restartContainer restarts a container; "" where it has no name that can be pasted.
func restartContainer(client string, c engine.Container) string {
	if word := c.Word(); word != engine.NoWord {
		return client + " restart " + word
	}
	return ""
}

// unitSuffix ends the names of units that run something.
const unitSuffix = ".service"

// pasted matches names of units, services and objects that are no option to a command, and no other command to a shell.
var pasted = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:@/-]*$`)

// restartUnit restarts a unit: the system's, unless it is known to be a user's own, as that of a rootless daemon is.
func restartUnit(keeper runner.Keeper) string {
	if !pasted.MatchString(keeper.Name) {
		return ""
	}
	return daemonSite{rootless: keeper.User}.systemctl("restart " + keeper.Name)
}

// rollout has a controller make its pods anew.
func rollout(keeper runner.Keeper) string {
	command := "kubectl rollout restart " + keeper.Name
	if keeper.Namespace != "" {
		command += " -n " + keeper.Namespace
	}
	if !pasted.MatchString(keeper.Name) || keeper.Namespace != "" && !pasted.MatchString(keeper.Namespace) {
		return ""
	}
	return command
}

// composed is a command of compose's about one service. It finds the usual files in the current folder by itself.
func composed(keeper runner.Keeper, verb string) string {
	unnamed := func(file string) bool { return strings.HasPrefix(file, "<") } // the text of standard input
	usual := func(file string) bool { return usualComposeFile.MatchString(path.Clean(file)) }
	if !pasted.MatchString(keeper.Name) || slices.ContainsFunc(keeper.Files, unnamed) {
		return ""
	}
	command := "docker compose "
	if slices.ContainsFunc(keeper.Files, func(file string) bool { return !usual(file) }) {
		for _, file := range keeper.Files {
			command += "-f " + shellWord(file) + " "
		}
	}
	return command + verb + " " + keeper.Name
}

// usualComposeFile matches what compose looks for where it is given no file.
var usualComposeFile = regexp.MustCompile(`^(?:docker-)?compose(?:\.override)?\.ya?ml$`)
