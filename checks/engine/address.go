package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Address is where a docker daemon listens.
type Address struct {
	// Host is a URL: unix:///var/run/docker.sock, tcp://10.0.0.5:2376.
	Host string
	// Origin says who names it, as a noun phrase: "DOCKER_HOST", `the docker context "build"`, Default.
	Origin string
	// Folder holds ca.pem, cert.pem and key.pem for a daemon that is reached by TLS; empty for none. Its certificate is
	// not looked at if Unverified.
	Folder     string
	Unverified bool
}

// Default is the origin of an address that nobody names.
const Default = "docker's default"

// defaultSocket is where docker listens unless it is told otherwise.
const defaultSocket = "/var/run/docker.sock"

// Surroundings is what an address is found by: what docker's CLI looks at.
type Surroundings struct {
	// Env is the environment.
	Env func(name string) string
	// ReadFile reads a file; Exists tells whether something stands at a path.
	ReadFile func(path string) ([]byte, error)
	Exists   func(path string) bool
	// User is this process's, 0 or less where it has no daemon of its own.
	User int
}

// Find finds the daemon as docker's CLI does: DOCKER_HOST, DOCKER_CONTEXT, the current context of its config.json, its
// default; beyond that the socket of a rootless daemon where the default is not there. It returns an error where what
// is named cannot be followed. Source: docker's documentation, "Docker contexts" and "Rootless mode".
func Find(s Surroundings) (Address, error) {
	if host := s.Env("DOCKER_HOST"); host != "" {
		address := Address{Host: host, Origin: "DOCKER_HOST"}
		if s.Env("DOCKER_TLS_VERIFY") != "" || s.Env("DOCKER_CERT_PATH") != "" {
			address.Folder = s.Env("DOCKER_CERT_PATH")
			address.Unverified = s.Env("DOCKER_TLS_VERIFY") == ""
			if address.Folder == "" {
				address.Folder = s.configFolder()
			}
		}
		return address, nil
	}
	name := s.Env("DOCKER_CONTEXT")
	if name == "" {
		name = s.currentContext()
	}
	if name != "" && name != "default" {
		return s.context(name)
	}
	if socket := s.rootless(); socket != "" && !s.Exists(defaultSocket) {
		return Address{Host: "unix://" + socket, Origin: "the socket of a rootless daemon"}, nil
	}
	return Address{Host: "unix://" + defaultSocket, Origin: Default}, nil
}

// RuntimeFolder holds a folder for each user who is logged in, or lingers: his XDG_RUNTIME_DIR. Source: pam_systemd(8).
const RuntimeFolder = "/run/user"

// rootless is the socket of this user's own daemon; "" if there is none. XDG_RUNTIME_DIR is not set after su, nor for
// what cron runs.
func (s Surroundings) rootless() string {
	folder := s.Env("XDG_RUNTIME_DIR")
	if folder == "" && s.User > 0 {
		folder = filepath.Join(RuntimeFolder, strconv.Itoa(s.User))
	}
	if socket := filepath.Join(folder, "docker.sock"); folder != "" && s.Exists(socket) {
		return socket
	}
	return ""
}

func (s Surroundings) configFolder() string {
	if folder := s.Env("DOCKER_CONFIG"); folder != "" {
		return folder
	}
	return filepath.Join(s.Env("HOME"), ".docker")
}

func (s Surroundings) currentContext() string {
	data, err := s.ReadFile(filepath.Join(s.configFolder(), "config.json"))
	var config struct{ CurrentContext string }
	if err != nil || json.Unmarshal(data, &config) != nil {
		return ""
	}
	return config.CurrentContext
}

// context reads what docker keeps of a context, in a folder that is named by the digest of its name.
func (s Surroundings) context(name string) (Address, error) {
	origin := fmt.Sprintf("the docker context %q", name)
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	data, err := s.ReadFile(filepath.Join(s.configFolder(), "contexts", "meta", id, "meta.json"))
	if err != nil {
		return Address{Origin: origin}, fmt.Errorf("%s has no files: %w", origin, err)
	}
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := json.Unmarshal(data, &meta); err != nil || meta.Endpoints["docker"].Host == "" {
		return Address{Origin: origin}, fmt.Errorf("%s names no docker daemon", origin)
	}
	endpoint := meta.Endpoints["docker"]
	address := Address{Host: endpoint.Host, Origin: origin, Unverified: endpoint.SkipTLSVerify}
	if folder := filepath.Join(s.configFolder(), "contexts", "tls", id, "docker"); s.Exists(folder) {
		address.Folder = folder
	}
	return address, nil
}

// Socket is the path of the socket, "" for a daemon that is reached otherwise.
func (a Address) Socket() string {
	path, unix := strings.CutPrefix(a.Host, "unix://")
	if !unix {
		return ""
	}
	return path
}

// Private tells whether nobody on the way can read what is sent there: a socket, or verified TLS. Credentials are sent
// to no other daemon.
func (a Address) Private() bool {
	return a.Socket() != "" || strings.HasPrefix(a.Host, "npipe://") || a.Folder != "" && !a.Unverified
}
