package checks

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The forms are those of systemd.exec(5) and of docker's documentation on proxies.
func TestUnitEnvironment(t *testing.T) {
	const unit = "[Service]\nEnvironment=\"HTTPS_PROXY=http://proxy.example.com:3128\" 'NO_PROXY=localhost, 10.0.0.0/8'\n" +
		"Environment=A=1 B=\\\n  C=3\n#Environment=D=4\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/bin/dockerd E=5\n"
	want := map[string]string{
		"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "localhost, 10.0.0.0/8",
		"A": "1", "B": "", "C": "3",
	}
	if diff := cmp.Diff(want, unitEnvironment(unit)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
