package checks

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// daemonConfig are what this machine's docker daemon is told: by its own word, or else by the files of the machine.
type daemonConfig struct {
	Insecure []string `json:"insecure-registries"`
	Mirrors  []string `json:"registry-mirrors"`
	Proxies  struct {
		HTTPS string `json:"https-proxy"`
		No    string `json:"no-proxy"`
	} `json:"proxies"`
	// environment is what systemd is told to start it with, by name.
	environment map[string]runner.Text
	// itself is the daemon's own word; nil for none.
	itself *engine.Info
	// site is where it reads that, and what keeps it running.
	site daemonSite
}

// readDaemon reads what there is; a file that is not there, or not readable, says nothing.
func readDaemon(files Files, site daemonSite) daemonConfig {
	settings := daemonConfig{site: site}
	if data, err := files.ReadFile(site.settings); err == nil {
		_ = json.Unmarshal(data, &settings) // the daemon does not start with a file that is no JSON
	}
	var dropIns []*source.File
	entries, _ := files.ReadDir(site.dropIns)
	for _, entry := range entries {
		file := path.Join(site.dropIns, entry.Name())
		if data, err := files.ReadFile(file); err == nil && strings.HasSuffix(file, ".conf") {
			dropIns = append(dropIns, source.New(file, data))
		}
	}
	settings.environment = runner.UnitEnvironment("docker.service", dropIns, files.ReadFile)
	return settings
}

// told are the settings as the daemon itself tells them, if it does: it may have been started before the files were
// changed, or by something that does not read them.
func (d daemonConfig) told(itself *engine.Info) daemonConfig {
	if itself != nil {
		d.Insecure, d.Mirrors, d.itself = itself.Insecure, itself.Mirrors, itself
	}
	return d
}

// elsewhere tells whether the daemon is in a virtual machine of its own, whose proxy and addresses this machine may not
// reach.
func (d daemonConfig) elsewhere() bool {
	return d.itself != nil && strings.Contains(d.itself.OperatingSystem, "Docker Desktop")
}

// hubMirror is a registry that the daemon asks before Docker Hub.
type hubMirror struct {
	// host is as references write it, address is host:port.
	host, address string
	// clear says that it is asked without TLS.
	clear bool
}

// hubMirrors are the daemon's, in the order in which it asks them; Docker Hub comes last. A mirror has no path.
// Source: docker's engine, daemon/pkg/registry/config.go (ValidateMirror).
func (d daemonConfig) hubMirrors() []hubMirror {
	var mirrors []hubMirror
	for _, written := range d.Mirrors {
		u, err := url.Parse(written)
		if err != nil || u.Hostname() == "" {
			continue
		}
		m := hubMirror{host: u.Host, address: network.AddressOf(u), clear: u.Scheme == "http"}
		if !strings.ContainsAny(m.host, ".:") { // a reference would take it for an account of Docker Hub
			m.host = m.address
		}
		mirrors = append(mirrors, m)
	}
	return mirrors
}

// reference is what a mirror has under the name of an image of Docker Hub.
func (m hubMirror) reference(path string) string { return m.host + "/" + path }

// clearProxy is the daemon's way to what it asks without TLS, as far as it tells.
func (d daemonConfig) clearProxy() *network.Client {
	if d.itself == nil {
		return network.New(network.Config{})
	}
	values := map[string]string{"HTTPS_PROXY": withoutUser(d.itself.HTTPProxy), "NO_PROXY": d.itself.NoProxy}
	proxy := network.ProxyFromEnv(func(name string) string { return values[name] })
	return network.New(network.Config{Proxy: named(proxy, func(string) string { return "the docker daemon's HTTP_PROXY" })})
}

// certify makes a way of its own to each registry for which the daemon is given certificates: they hold for everything
// that is done on the registry's behalf, at its token service and where its blobs redirect to as well.
// Source: docker's engine, daemon/pkg/registry; measured with docker login.
func (h *Host) certify(route network.Config) {
	h.certified = map[string]Pulling{}
	var hosts []string
	for _, mirror := range h.daemon.hubMirrors() {
		hosts = append(hosts, mirror.host)
	}
	for _, r := range h.Runners {
		for _, image := range r.Images {
			hosts = append(hosts, registryHost(image.Reference))
		}
	}
	slices.Sort(hosts)
	for _, host := range slices.Compact(hosts) {
		entries, _ := h.Files.ReadDir(path.Join(h.daemon.site.certificates, host))
		if len(entries) > 0 {
			h.certified[host] = newPulling(onBehalf(route, host))
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

// proxy chooses the daemon's proxies: those that it tells of, else those of its settings, else those of its environment,
// else what stands for them.
func (d daemonConfig) proxy(otherwise func(*url.URL) (*network.Proxy, error)) func(*url.URL) (*network.Proxy, error) {
	proxy, except, origin := d.written()
	switch {
	case d.elsewhere():
		return otherwise
	case d.itself != nil && !sameProxy(proxy, d.itself.HTTPSProxy):
		proxy, origin = withoutUser(d.itself.HTTPSProxy), "the docker daemon's HTTPS_PROXY"
		fallthrough
	case d.itself != nil:
		except = d.itself.NoProxy
	case proxy == "":
		return otherwise
	}
	values := map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": except}
	return named(network.ProxyFromEnv(func(name string) string { return values[name] }), func(string) string { return origin })
}

// written is the proxy that the files of this machine give the daemon, the hosts that it is not for, and where it stands.
func (d daemonConfig) written() (proxy, except, origin string) {
	if d.Proxies.HTTPS != "" {
		return d.Proxies.HTTPS, d.Proxies.No, `"https-proxy" of ` + d.site.settings
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		if set := d.environment[name]; set.Value != "" && set.Unresolved == "" {
			except := cmp.Or(d.environment["NO_PROXY"].Value, d.environment["no_proxy"].Value)
			return set.Value, except, name + " of " + set.Place.File.Path
		}
	}
	return "", "", ""
}

// maskedUser stands for a user and for a password where a daemon tells of its proxy. Source: docker's engine,
// daemon/info.go.
const maskedUser = "xxxxx"

// sameProxy tells whether a proxy is the one that a daemon tells of, whose user and password it masks.
func sameProxy(written, told string) bool {
	return written == told || written != "" && withoutUser(written) == withoutUser(told)
}

// withoutUser is a proxy's address without the user and the password.
func withoutUser(proxy string) string {
	scheme, rest, found := strings.Cut(proxy, "://")
	if !found {
		scheme, rest = "http", proxy
	}
	if rest == "" {
		return ""
	}
	return scheme + "://" + strings.TrimSuffix(rest[strings.LastIndexByte(rest, '@')+1:], "/")
}

// masked tells whether the daemon has a password for its proxy that this tool does not know.
func (d daemonConfig) masked() bool {
	if d.itself == nil || !strings.Contains(d.itself.HTTPSProxy, maskedUser+":"+maskedUser+"@") {
		return false
	}
	proxy, _, _ := d.written()
	return !sameProxy(proxy, d.itself.HTTPSProxy)
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
