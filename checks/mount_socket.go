package checks

import (
	"fmt"
	"path"
	"strings"

	"runner-preflight/checks/runner"
)

// daemonSocket is the path in the container at which the runner looks for docker's socket. It looks at none if
// its variables name a daemon elsewhere.
func daemonSocket(d *runner.Definition) (socket string, elsewhere, unknown bool) {
	for _, name := range []string{envDockerHost, envDockerURI} {
		v, set := effective(d, name)
		if !set {
			continue
		}
		address := v.Value.Value
		switch unix, found := strings.CutPrefix(address, "unix://"); {
		case v.Value.Unresolved != "":
			return "", false, true
		case found:
			return path.Clean(unix), false, false
		case strings.HasPrefix(address, "/"):
			return path.Clean(address), false, false
		}
		return "", true, false
	}
	return dockerSocket, false, false
}

// ownDaemon tells whether the daemon is one that shares volumes with the runner (docker in docker) rather than
// the host's: then a volume is as good as a folder of the host.
func ownDaemon(d *runner.Definition) bool {
	socket, elsewhere, unknown := daemonSocket(d)
	if elsewhere || unknown {
		return true
	}
	m, _, found := runner.Cover(d.Mounts, socket)
	return found && m.Volume && m.Source.Value != "" && path.Clean(m.Target.Value) != socket
}

// socketPlaces are the paths of a socket: /var/run is a link to /run.
func socketPlaces(socket string) []string {
	if socket == dockerSocket {
		return []string{socket, "/run/docker.sock"}
	}
	return []string{socket}
}

// socketMount is the mount in which the runner finds docker's socket, and the path that it has in the mount's source.
func socketMount(d *runner.Definition) (m runner.Mount, from string, found bool) {
	socket, elsewhere, unknown := daemonSocket(d)
	if elsewhere || unknown {
		return m, "", false
	}
	for _, place := range socketPlaces(socket) {
		if m, from, found = runner.Cover(d.Mounts, place); found {
			return m, from, true
		}
	}
	return m, "", false
}

func judgeSocket(h *Host, r *Runner) []Finding {
	d := r.Definition
	socket, elsewhere, unknown := daemonSocket(d)
	switch {
	case elsewhere:
		return nil
	case unknown:
		return []Finding{Skipped(dockerSocket,
			"which daemon the runner talks to is not known (see unresolved-value)")}
	}
	hint := "mount it: " + mounting(d, socketOnHost(h), socket)
	for _, place := range socketPlaces(socket) {
		m, _, found := runner.Cover(d.Mounts, place)
		if found && m.Private {
			return lacking(r, Failed(dockerSocketUnmounted, dockerSocket, fmt.Sprintf("nothing puts docker's socket into the "+
				"volume %s: no other container mounts it", m.Source.Value),
				"add a container of docker:dind that mounts it at "+path.Dir(socket)+", privileged").At(m.Place))
		}
		if found && m.Volume && m.Source.Unresolved == "" &&
			(path.Clean(m.Target.Value) == place || m.Source.Value == "") {
			return lacking(r, Failed(dockerSocketUnmounted, dockerSocket,
				volumeNotFolder(d, m)+", where docker's socket should be", hint).At(m.Place))
		}
		if found {
			return nil
		}
	}
	f := Failed(dockerSocketUnmounted, dockerSocket,
		"docker's socket is not mounted"+into(d)+", and nothing names another daemon", hint)
	f = f.At(d.Place)
	for _, m := range d.Mounts {
		if strings.Contains(m.Source.Value, "docker.sock") && m.Target.Unresolved == "" {
			f.Message = fmt.Sprintf("docker's socket is mounted at %s, and the runner looks at %s",
				m.Target.Value, socket)
			f.Hint = "write " + d.Dialect.Mount(m.Source.Value, socket, false)
			f = f.At(m.Target.Place)
		}
	}
	return lacking(r, f)
}

// socketOnHost is where the daemon's socket is to be mounted from.
func socketOnHost(h *Host) string {
	switch {
	case h.Told != nil && h.Told.Rootless && h.Engine != nil && h.Engine.Socket() != "" && !h.apart():
		return clip(h.Engine.Socket())
	case h.Told != nil, !h.Live, !absent(h, dockerSocket):
		return dockerSocket
	}
	if others := h.rootlessSockets(); len(others) > 0 {
		return clip(others[0])
	}
	return dockerSocket
}
