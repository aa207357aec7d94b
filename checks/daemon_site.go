package checks

import (
	"path"
	"strings"

	"runner-preflight/checks/engine"
)

// daemonSite is where a docker daemon reads what it is told, and what keeps it running.
type daemonSite struct {
	// settings is its daemon.json; dropIns is where systemd reads what its environment is to be, beside its unit.
	settings, dropIns string
	// certificates holds a folder for each registry, named as references write it, with the certificates that the daemon is
	// given for it.
	certificates string
	// rootless says that it is a user's own, whom sudo does not help.
	rootless bool
}

// The data root of a rootless daemon in its user's home folder, and where such a user keeps settings.
// Source: docker's documentation, "Rootless mode".
const (
	rootlessData     = "/.local/share/docker"
	rootlessSettings = "/.config/docker"
)

// siteOf is that of a daemon, by its own word, and where it says nothing by its socket.
func siteOf(told *engine.Info, e *engine.Engine) daemonSite {
	const system = "/etc/docker"
	rootless := told == nil && e != nil && strings.HasPrefix(e.Socket(), engine.RuntimeFolder+"/")
	if !rootless && (told == nil || !told.Rootless) {
		return daemonSite{system + "/daemon.json", "/etc/systemd/system/docker.service.d", system + "/certs.d", false}
	}
	home := "~"
	if told != nil {
		if owner, usual := strings.CutSuffix(told.DataRoot, rootlessData); usual {
			home = owner
		}
	}
	own := home + rootlessSettings
	return daemonSite{own + "/daemon.json", home + "/.config/systemd/user/docker.service.d", own + "/certs.d", true}
}

// sudo is a command as the daemon's own user gives it.
func (s daemonSite) sudo(command string) string {
	if s.rootless {
		return command
	}
	return "sudo " + command
}

// ofUser is a program of systemd's that is to look at the units of the daemon's user.
func (s daemonSite) ofUser(program string) string {
	if s.rootless {
		return program + " --user"
	}
	return program
}

// systemctl is a command that does something to the daemon's unit.
func (s daemonSite) systemctl(verb string) string { return s.sudo(s.ofUser("systemctl") + " " + verb) }

// unit is the command that shows the daemon's unit with its drop-ins.
func (s daemonSite) unit() string { return s.ofUser("systemctl") + " cat docker" }

// log is the command that shows the end of the daemon's log.
func (s daemonSite) log() string { return s.ofUser("journalctl") + " -u docker -n 50" }

// restart has systemd read the drop-ins, and the daemon its settings.
func (s daemonSite) restart() string {
	return s.systemctl("daemon-reload") + " && " + s.systemctl("restart docker")
}

// certificate is the command that gives the daemon a file for a registry, which is named as references write it.
func (s daemonSite) certificate(mode, file, registry string) string {
	return s.sudo("install -D -m " + mode + " " + file + " " + shellWord(path.Join(s.certificates, registry, file)))
}

// rootlessSockets are the sockets of rootless daemons of this machine that were not asked, as far as this user may look.
func (h *Host) rootlessSockets() []string {
	if !h.Live || h.inside {
		return nil
	}
	entries, _ := h.Files.ReadDir(engine.RuntimeFolder)
	var sockets []string
	for _, entry := range entries {
		socket := path.Join(engine.RuntimeFolder, entry.Name(), "docker.sock")
		info, err := h.Files.Stat(socket)
		if err == nil && !info.IsDir() && (h.Engine == nil || h.Engine.Socket() != socket) {
			sockets = append(sockets, socket)
		}
	}
	return sockets
}

// askedOf is a command that has another daemon asked.
func askedOf(host, command string) string { return "DOCKER_HOST=" + shellWord(host) + " " + command }
