package checks

import (
	"net/url"
	"testing"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
)

// A daemon's own word counts, but for the password that it masks: that is in the file.
func TestDaemonProxy(t *testing.T) {
	const written = "http://ci:secret@proxy.example.com:3128"
	own := network.ProxyFromEnv(func(name string) string {
		return map[string]string{"HTTPS_PROXY": "http://own.example.com:8080"}[name]
	})
	for name, row := range map[string]struct {
		file   string
		itself *engine.Info
		want   string
		masked bool
	}{
		"nothing known": {"", nil, "http://own.example.com:8080 HTTPS_PROXY", false},
		"the file":      {written, nil, written + ` "https-proxy" of /etc/docker/daemon.json`, false},
		"no proxy":      {"", &engine.Info{}, "", false},
		"not restarted": {written, &engine.Info{}, "", false},
		"told": {
			"", &engine.Info{HTTPSProxy: "proxy.example.com:3128"},
			"http://proxy.example.com:3128 the docker daemon's HTTPS_PROXY", false,
		},
		"masked": {
			"", &engine.Info{HTTPSProxy: "http://xxxxx:xxxxx@proxy.example.com:3128"},
			"http://proxy.example.com:3128 the docker daemon's HTTPS_PROXY", true,
		},
		"masked, and in the file": {
			written, &engine.Info{HTTPSProxy: "http://xxxxx:xxxxx@proxy.example.com:3128/"},
			written + ` "https-proxy" of /etc/docker/daemon.json`, false,
		},
		"except": {"", &engine.Info{HTTPSProxy: "http://proxy.example.com:3128", NoProxy: ".example.com"}, "", false},
		"a virtual machine's": {
			"", &engine.Info{HTTPSProxy: "http.docker.internal:3128", OperatingSystem: "Docker Desktop"},
			"http://own.example.com:8080 HTTPS_PROXY", false,
		},
	} {
		settings := daemonConfig{site: siteOf(nil, nil)}
		settings.Proxies.HTTPS = row.file
		settings = settings.told(row.itself)
		got := ""
		proxy, err := settings.proxy(own)(&url.URL{Scheme: "https", Host: "registry.example.com"})
		if proxy != nil {
			got = proxy.URL.String() + " " + proxy.Variable
		}
		if err != nil || got != row.want || settings.masked() != row.masked {
			t.Errorf("%s: %q, masked %v, %v; want %q", name, got, settings.masked(), err, row.want)
		}
	}
}
