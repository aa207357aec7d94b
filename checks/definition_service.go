package checks

import (
	"fmt"
	"strconv"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var detachedService = &Problem{
	ID:    "detached-service",
	Title: "A service starts its container in the background",
	Doc: "A systemd service of Type simple (which is what no Type means), exec or notify lasts as long as its " +
		"command does. `docker run -d` ends as soon as the container runs, so that systemd takes the service for " +
		"ended: with Restart=always it starts it anew, again and again; with an ExecStop it stops the container; " +
		"with neither it no longer knows of the runner. Take `-d` out. It is right in a unit of Type=oneshot " +
		"with RemainAfterExit=yes, and for Podman with Type=forking or notify.",
	Source: "systemd.service(5); docker container run --help",
}

var ttyWithoutTerminal = &Problem{
	ID:    "tty-without-terminal",
	Title: "The command wants a terminal where there is none",
	Doc: "With both `-i` and `-t`, as in the command that Bitbucket shows, docker wants its own input to be a " +
		"terminal, and says \"the input device is not a TTY\" where it is none. A systemd service has none " +
		"unless StandardInput=tty says so. Take `-it` out: the runner reads nothing.",
	Source: "measured with docker's CLI, version 28; systemd.exec(5), StandardInput=",
}

var conflictingOptions = &Problem{
	ID:    "conflicting-options",
	Title: "Two options exclude each other",
	Doc: "A container that is removed when it ends (`--rm`) cannot be restarted then (`--restart`): docker " +
		"refuses the two together, and starts nothing. Keep `--restart`, or `--rm` where systemd restarts the runner.",
	Source: "measured with docker's CLI, version 28",
}

// switched is the option of that name if it is on; docker takes the last.
func switched(d *runner.Definition, long string) (runner.Option, bool) {
	o, found := optionOf(d, long)
	on, err := strconv.ParseBool(o.Value.Value)
	return o, found && (on || err != nil)
}

// conflicts reports --rm beside --restart. Podman takes some of these.
func conflicts(d *runner.Definition) []Finding {
	remove, removes := switched(d, "rm")
	restart, restarts := switched(d, "restart")
	policy := restart.Value
	if !removes || !restarts || d.Client == "podman" || policy.Unresolved != "" || policy.Value == "" || policy.Value == "no" {
		return nil
	}
	hint := "take --rm out, so that docker keeps the container to restart it"
	if d.Service != nil {
		hint = "take --restart out: systemd restarts the service"
	}
	return []Finding{Failed(conflictingOptions, restart.Name.Value,
		fmt.Sprintf("docker refuses %s together with --restart %s, and starts nothing", remove.Name.Value, policy.Value),
		hint).At(restart.Place)}
}

// judgeService judges a command that systemd runs.
func judgeService(d *runner.Definition) []Finding {
	if d.Service == nil || d.Created {
		return nil
	}
	detach, detached := switched(d, "detach")
	if !detached {
		return withoutTerminal(d)
	}
	if why, status := detachment(d); why != "" {
		f := Failed(detachedService, detach.Name.Value, why,
			"take "+detach.Name.Value+" out: the service lasts as long as docker run does").At(optionPlace(detach))
		return []Finding{f.As(status)}
	}
	return nil
}

// optionPlace is where an option's name is written: one letter of several, or the word.
func optionPlace(o runner.Option) source.Span {
	if o.Name.Place.File != nil {
		return o.Name.Place
	}
	return o.Place
}

// detachment says what becomes of a service whose command ends at once; "" if that is right, or cannot be told.
func detachment(d *runner.Definition) (why string, status Status) {
	s := d.Service
	const ended = "docker run ends at once with -d, and systemd takes the service for ended"
	podman := d.Client == "podman" && s.Type.Value == "notify"
	switch {
	case !s.Main, s.RemainAfterExit, s.Type.Value == "forking", podman:
		return "", Pass
	case s.Restart.Value == "always", s.Restart.Value == "on-success":
		return ended + ": with Restart=" + s.Restart.Value + " it starts the runner again and again", Fail
	case s.Stops.Value != "":
		return ended + ": its " + s.Stops.Value + " then removes the container", Fail
	case s.Type.Value == "oneshot":
		return "", Pass
	}
	return ended + ": it no longer knows of the runner", Warn
}

// withoutTerminal reports -it where there is no terminal. Podman only warns of that.
func withoutTerminal(d *runner.Definition) []Finding {
	tty, wanted := switched(d, "tty")
	if _, interactive := switched(d, "interactive"); !wanted || !interactive || d.Service.Terminal || d.Client == "podman" {
		return nil
	}
	return []Finding{Failed(ttyWithoutTerminal, "-it",
		"docker says \"the input device is not a TTY\" and starts nothing: systemd gives the command no terminal",
		"take -i and -t out: the runner reads nothing").At(optionPlace(tty))}
}

// unreadKind says of a file that runners are started from its kind, and that none is read from it.
func unreadKind(reading FileReading) Finding {
	return Erred(noRunner, reading.Path, fmt.Sprintf("it is %s, from which no runner is read", article(reading.Kind)),
		"give what docker inspect prints of the running container instead").
		Try("docker inspect NAME > runner.json").
		At(source.New(reading.Path, nil).Whole()).Touching(Path(reading.Path))
}

// startedElsewhere says of a unit that what it starts was defined in another place.
func startedElsewhere(reading FileReading) Finding {
	place := reading.Starts.Place
	message, hint := "", ""
	switch name := reading.Starts.Value; {
	case name != "":
		message = fmt.Sprintf("it starts the container %s, which something else has made", name)
		hint = "give the command that made it, or what docker inspect prints of it"
	default:
		place = reading.Runs.Place
		message = fmt.Sprintf("what it starts is defined elsewhere: in %s", reading.Runs.Value)
		hint = "give that file"
	}
	f := Erred(noRunner, reading.Path, message, hint).At(place).Touching(Path(reading.Path))
	if reading.Starts.Value != "" {
		f = f.Try("docker inspect " + shellWord(reading.Starts.Value) + " > runner.json")
	}
	return f
}
