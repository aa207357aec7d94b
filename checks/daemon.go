package checks

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/url"
	"path"
	"strings"

	"runner-preflight/checks/network"
)

// daemonFile is where docker's daemon reads its settings, daemonDropIns where systemd reads what the daemon's
// environment is to be beside its unit.
const (
	daemonFile    = "/etc/docker/daemon.json"
	daemonDropIns = "/etc/systemd/system/docker.service.d"
)

// daemonSettings are what the files of this machine tell its docker daemon.
type daemonSettings struct {
	Insecure []string `json:"insecure-registries"`
	Proxies  struct {
		HTTPS string `json:"https-proxy"`
		No    string `json:"no-proxy"`
	} `json:"proxies"`
	// environment is what systemd is told to start it with, by name, and the file that says so.
	environment map[string]setting
}

type setting struct{ value, file string }

// readDaemon reads what there is; a file that is not there, or not readable, says nothing.
func readDaemon(files Files) daemonSettings {
	settings := daemonSettings{environment: map[string]setting{}}
	if data, err := files.ReadFile(daemonFile); err == nil {
		_ = json.Unmarshal(data, &settings) // the daemon does not start with a file that is no JSON
	}
	entries, _ := files.ReadDir(daemonDropIns)
	for _, entry := range entries {
		file := path.Join(daemonDropIns, entry.Name())
		if data, err := files.ReadFile(file); err == nil && strings.HasSuffix(file, ".conf") {
			for name, value := range unitEnvironment(string(data)) {
				settings.environment[name] = setting{value, file}
			}
		}
	}
	return settings
}

// unitEnvironment is what the Environment= lines of a systemd unit set. Source: systemd.exec(5), systemd.syntax(7).
func unitEnvironment(unit string) map[string]string {
	set := map[string]string{}
	unit = strings.ReplaceAll(strings.ReplaceAll(unit, "\r\n", "\n"), "\\\n", " ")
	for line := range strings.Lines(unit) {
		key, value, found := strings.Cut(line, "=")
		if !found || strings.TrimSpace(key) != "Environment" {
			continue
		}
		for _, word := range unitWords(value) {
			if name, value, found := strings.Cut(word, "="); found {
				set[name] = value
			}
		}
	}
	return set
}

// unitWords splits a value at blanks that are not in quotes, and takes the quotes off.
func unitWords(value string) []string {
	var words []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range value + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && strings.ContainsRune(" \t\n", r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	return words
}

// certificateFolder holds a folder for each registry, named as references write it, with the certificates that the
// daemon is given for it.
const certificateFolder = "/etc/docker/certs.d"

// certify makes a way of its own to each registry for which the daemon is given certificates: they hold for everything
// that is done on the registry's behalf, at its token service and where its blobs redirect to as well.
// Source: docker's engine, daemon/pkg/registry; measured with docker login.
func (h *Host) certify(route network.Config) {
	h.certified = map[string]Pulling{}
	for _, r := range h.Runners {
		for _, image := range r.Images {
			host := registryHost(image.Reference)
			entries, _ := h.Files.ReadDir(path.Join(certificateFolder, host))
			if _, known := h.certified[host]; !known && len(entries) > 0 {
				h.certified[host] = newPulling(onBehalf(route, host))
			}
		}
	}
}

// onBehalf is the route with the certificates of one registry, whatever host is met on the way.
func onBehalf(route network.Config, host string) network.Config {
	address := host
	if _, _, err := net.SplitHostPort(host); err != nil {
		address = net.JoinHostPort(host, "443")
	}
	if roots := route.Roots; roots != nil {
		route.Roots = func(string) (*x509.CertPool, error) { return roots(address) }
	}
	if certificates := route.ClientCertificates; certificates != nil {
		route.ClientCertificates = func(string) ([]tls.Certificate, error) { return certificates(address) }
	}
	return route
}

// proxy chooses the daemon's proxies: those of its settings, else those of its environment, else what stands for them.
func (d daemonSettings) proxy(otherwise func(*url.URL) (*network.Proxy, error)) func(*url.URL) (*network.Proxy, error) {
	env := func(name string) string { return d.environment[name].value }
	switch {
	case d.Proxies.HTTPS != "":
		env = func(name string) string {
			return map[string]string{"HTTPS_PROXY": d.Proxies.HTTPS, "NO_PROXY": d.Proxies.No}[name]
		}
		return named(network.ProxyFromEnv(env), func(string) string { return `"https-proxy" of ` + daemonFile })
	case env("HTTPS_PROXY") != "" || env("https_proxy") != "":
		return named(network.ProxyFromEnv(env), func(name string) string { return name + " of " + d.environment[name].file })
	}
	return otherwise
}

// named says of each proxy where it comes from.
func named(choose func(*url.URL) (*network.Proxy, error), name func(variable string) string,
) func(*url.URL) (*network.Proxy, error) {
	return func(u *url.URL) (*network.Proxy, error) {
		proxy, err := choose(u)
		if proxy != nil {
			proxy.Variable = name(proxy.Variable)
		}
		return proxy, err
	}
}
