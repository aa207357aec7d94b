package checks

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigFindingsHoldNoSecret runs the config checks over all of their cases, with a canary in place of every
// secret, and looks for it in all that they say.
func TestConfigFindingsHoldNoSecret(t *testing.T) {
	const canary = "cAnAry7Qx"
	encoded := base64.StdEncoding.EncodeToString([]byte("ci:" + canary))
	bare := base64.StdEncoding.EncodeToString([]byte(canary))
	pasted := "ghp_" + strings.Repeat(canary, 4)
	const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
	for name, config := range map[string]string{
		"plain":           `{"auths": {"registry.example.com": {"auth": "ci:` + canary + `"}}}`,
		"encoded":         `{"auths": {"registry.example.com": {"auth": "` + encoded + `"}}}`,
		"url-safe":        `{"auths": {"registry.example.com": {"auth": "` + encoded + `-_"}}}`,
		"cut":             `{"auths": {"registry.example.com": {"auth": "` + encoded[:len(encoded)-3] + `"}}}`,
		"wrong host":      `{"auths": {"registry.example.org": {"auth": "` + encoded + `"}}}`,
		"in the key":      `{"auths": {"https://ci:` + canary + `@registry.example.com": {"auth": "` + encoded + `"}}}`,
		"bare":            `{"auths": {"registry.example.com": {"auth": "` + bare + `"}}}`,
		"fields":          `{"auths": {"r.example.com": {"auth": "` + encoded + `", "username": "x", "password": "` + canary + `"}}}`,
		"token":           `{"auths": {"registry.example.com": {"identitytoken": "` + canary + `"}}}`,
		"as the user":     `{"auths": {"` + ecr + `": {"username": "` + pasted + `", "password": "x"}}}`,
		"misspelled":      `{"auths": {"registry.example.com": {"pasword": "` + canary + `"}}}`,
		"entry":           `{"auths": {"registry.example.com": "` + encoded + `"}}`,
		"auths":           `{"auths": "` + canary + `"}`,
		"top level":       `{"auth": "` + canary + `"}`,
		"broken":          `{"auths": {"registry.example.com": {"auth": "` + encoded + `"},}}`,
		"trailing":        `{"auths": {}} {"auth": "` + canary + `"}`,
		"key placeholder": `{"auths": {"${REGISTRY}": {"auth": "` + encoded + `"}}}`,
		"in an array":     `{"auths": {"registry.example.com": {"password": ["` + canary + `"]}}}`,
		"stray in key":    `{"auths": {"ci:` + canary + `@registry.example.com": {}}, "credsStore": "desktop"}`,
	} {
		t.Run(name, func(t *testing.T) {
			h := hostWith(config, "registry.example.com/ci/pause:1")
			for _, result := range Run(context.Background(), h, Selection{Checks: configChecks()}) {
				for _, f := range result.Findings {
					said := fmt.Sprint(f.Subject, f.Root, f.Message, f.Hint, f.Commands, f.Evidence)
					if strings.Contains(said, canary) || strings.Contains(said, encoded[:12]) {
						t.Errorf("%s: %s", result.Check.Name, said)
					}
				}
			}
		})
	}
}

// TestHealthyConfigsAreSilent runs all config checks over the cases of each other that are called ok.
func TestHealthyConfigsAreSilent(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("..", "testdata", "config-*", "ok*"))
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		for _, result := range Run(context.Background(), hostOf(t, folder), Selection{Checks: configChecks()}) {
			if result.Status > Pass {
				t.Errorf("%s: %s is %s: %+v", folder, result.Check.Name, result.Status, result.Findings)
			}
		}
	}
}
