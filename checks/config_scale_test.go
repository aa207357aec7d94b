package checks

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/dockerconfig"
)

// TestManyBadEntries proves that the work grows with the number of entries and no faster.
func TestManyBadEntries(t *testing.T) {
	const entries = 20_000
	bad := []string{"not base64!", "", "Y2k6", "dXNlcjpwYXNzd29yZA==", "QVdTOnBhc3N3b3Jk"}
	var text strings.Builder
	text.WriteString(`{"auths": {`)
	for i := range entries {
		fmt.Fprintf(&text, "\"registry%d.example.com\": {\"auth\": %q},\n", i, bad[i%len(bad)])
	}
	text.WriteString(`"last.example.com": {}}}`)
	h := hostWith(text.String(), "registry.example.com/ci/pause:1")
	started := time.Now()
	for _, result := range Run(context.Background(), h, Selection{Checks: configChecks()}) {
		t.Logf("%s: %d findings in %s", result.Check.Name, len(result.Findings), result.Duration)
		if kinds := len(bad); len(result.Findings) > kinds*(mostAlike+1) {
			t.Errorf("%s: %d findings, which nobody reads", result.Check.Name, len(result.Findings))
		}
	}
	if took := time.Since(started); took > 60*time.Second {
		t.Errorf("%d bad entries took %s", entries, took)
	}
}

// TestManyDuplicates proves the same for keys that stand twice, in auths and at the top level.
func TestManyDuplicates(t *testing.T) {
	for _, entry := range []string{`"registry.example.com": {"auth": "Y2k6azNROXZUN3c="}`, `"x": 1`} {
		text := `{"auths": {` + strings.Repeat(entry+",", 20_000) + entry + "}}"
		h := hostWith(text, "registry.example.com/ci/pause:1")
		started := time.Now()
		Run(context.Background(), h, Selection{Checks: configChecks()})
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("%.20s…: took %s", entry, took)
		}
	}
}

func configChecks() []Check {
	var checks []Check
	for _, check := range All() {
		if check.Group() == "config" {
			checks = append(checks, check)
		}
	}
	return checks
}

// hostWith is a host under lint, with one runner whose three images are the given one.
func hostWith(config, image string) *Host {
	c := &Config{Path: "config.json", Origin: ConfigFile, File: dockerconfig.Parse("config.json", []byte(config))}
	r := &Runner{Name: "config.json", Config: c}
	for _, role := range []Role{RolePause, RoleAuthProxy, RoleClone} {
		r.Images = append(r.Images, Image{Role: role, Reference: image, Origin: OriginFlag})
	}
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	return &Host{Runners: []*Runner{r}, Offline: true, Windows: Windows{Files: folderFiles{}, Now: now}}
}
