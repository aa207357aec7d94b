package checks

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
	"runner-preflight/checks/runner"
)

// Input is what the user asks to have judged.
type Input struct {
	// Files are runner definitions and config.json files, in the order in which they were given.
	Files []InputFile
	// Config is the path of a config.json or of its folder; empty to find it.
	Config string
	// Images are overrides of what the definitions say, by role.
	Images map[Role]string
	// Platform is OS/ARCH[/VARIANT]; empty when unknown.
	Platform string
	// Endpoints are further hosts that must be reachable.
	Endpoints []Endpoint
	// Live says that this is the runner's own host, Offline that the network is not to be used.
	Live, Offline bool
	// Env is this process's environment; nil under lint, which must not see it.
	Env func(name string) string
	// Route is the way out of this machine.
	Route network.Config
}

// InputFile is one file that the user named.
type InputFile struct {
	Path string
	Data []byte
}

// ErrIsDirectory says that a folder stands where a file should be.
var ErrIsDirectory = errors.New("is a directory")

// Build makes the host that an input describes. Its errors are usage errors: a --config that cannot be found.
func Build(in Input, windows Windows) (*Host, error) {
	h := &Host{Live: in.Live, Offline: in.Offline, Windows: windows, Daemon: network.New(in.Route)}
	h.Registries = registry.New(h.Daemon)
	var configs []*Config
	for _, file := range in.Files {
		if isConfig(file) {
			configs = append(configs, &Config{Path: file.Path, Origin: ConfigFile,
				File: dockerconfig.Parse(file.Path, file.Data)})
			continue
		}
		reading := runner.Read(file.Path, file.Data, windows.Files.ReadFile)
		for i, definition := range reading.Definitions {
			name := filepath.Base(file.Path)
			if i > 0 {
				name = fmt.Sprintf("%s#%d", name, i+1)
			}
			h.Runners = append(h.Runners, &Runner{Name: name, Definition: definition})
		}
	}
	_ = configs // the rest follows with the command line
	return h, nil
}

// isConfig tells a config.json from a runner definition.
func isConfig(file InputFile) bool {
	return strings.HasPrefix(strings.TrimLeft(string(file.Data[:min(len(file.Data), 64)]), " \t\r\n\ufeff"), "{")
}

// Address is the endpoint as host:port.
func (e Endpoint) Address() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

var _ = fs.ErrNotExist
