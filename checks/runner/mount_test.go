package runner

import "testing"

// Docker mounts a path from the deepest of the mounts above it, and of two at one place from the last.
func TestCover(t *testing.T) {
	mount := func(source, target string) Mount {
		return Mount{Source: Text{Value: source}, Target: Text{Value: target}}
	}
	mounts := []Mount{
		mount("/srv", "/"), mount("/old", "/var/run"), mount("/run", "/var/run/"), mount("/s", "/var/run/docker.sock"),
		{Source: Text{Value: "/x"}, Target: Text{Value: "/etc", Unresolved: "$1"}},
	}
	for wanted, source := range map[string]string{
		"/var/run/docker.sock": "/s", "/var/run/a": "/run/a", "/var/running": "/srv/var/running", "/etc": "/srv/etc",
	} {
		if _, got, found := Cover(mounts, wanted); !found || got != source {
			t.Errorf("%s comes from %s, %v", wanted, got, found)
		}
	}
	if _, _, found := Cover(mounts[1:], "/tmp"); found {
		t.Error("nothing is mounted at /tmp")
	}
}
