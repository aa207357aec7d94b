package checks

import (
	"testing"
	"time"

	"runner-preflight/checks/engine"
)

// TestSiteOf tells a daemon of the system from a user's own, and where each has its settings.
func TestSiteOf(t *testing.T) {
	at := func(socket string) *engine.Engine {
		return engine.New(engine.Address{Host: "unix://" + socket}, time.Second)
	}
	const own = "/run/user/1000/docker.sock"
	rootless := func(root string) *engine.Info { return &engine.Info{Rootless: true, DataRoot: root} }
	for name, row := range map[string]struct {
		told                *engine.Info
		engine              *engine.Engine
		settings, systemctl string
	}{
		"nobody asked":       {nil, nil, "/etc/docker/daemon.json", "sudo systemctl restart docker"},
		"the system's":       {&engine.Info{}, at("/var/run/docker.sock"), "/etc/docker/daemon.json", "sudo systemctl restart docker"},
		"at a user's":        {&engine.Info{}, at(own), "/etc/docker/daemon.json", "sudo systemctl restart docker"},
		"rootless":           {rootless("/home/op/.local/share/docker"), at(own), "/home/op/.config/docker/daemon.json", "systemctl --user restart docker"},
		"rootless and moved": {rootless("/srv/docker"), at(own), "~/.config/docker/daemon.json", "systemctl --user restart docker"},
		"rootless and down":  {nil, at(own), "~/.config/docker/daemon.json", "systemctl --user restart docker"},
	} {
		site := siteOf(row.told, row.engine)
		if got := site.systemctl("restart docker"); site.settings != row.settings || got != row.systemctl {
			t.Errorf("%s: %s, %s; want %s, %s", name, site.settings, got, row.settings, row.systemctl)
		}
	}
}
