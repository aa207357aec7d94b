package source

import (
	"strings"
	"testing"
)

// The forms of tokens are those that their services document.
func TestUsername(t *testing.T) {
	shown := []string{
		"", "ci", "AWS", "_json_key", "_json_key_base64", "oauth2accesstoken", "$oauthtoken", "robot$acme+pause",
		"gitlab-ci-token", "gitlab+deploy-token-1234567", "x-access-token", "00000000-0000-0000-0000-000000000000",
		"puller@acme-images-123456.iam.gserviceaccount.com", "jane.doe@example.com", "builds-of-the-platform-team-2024",
		"Müller", "glass-bot", "global-ci-reader", "npm_bot", "ATLAS_CI", "a b", "user:password",
	}
	for _, name := range shown {
		if got := Username(name); got != name {
			t.Errorf("Username(%q) = %q, want it as it is", name, got)
		}
	}
	hidden := []string{
		"ghp_16C7e42F292c6912E7710c838347Ae178B4a", "glpat-abcdefghijklmnopqrst", "gldt-abcdefghijklmnopqrst",
		"dckr_pat_abcdefghijklmnopqrstuvwxyz1", "dckr_oat_abcdefghijklmnop",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
		"github_pat_11ABCDEFG0abcdefghijkl", "ATBBabcdefghijklmnopqrstuv12345678", "ATCTT3xFfGN0abcdefghijklmnop",
		"0123456789abcdef0123456789abcdef", "dXNlcjpwYXNzd29yZGFuZG1vcmVhbmRtb3Jl", strings.Repeat("a", 41),
		"cmVmdGtuOjAxOjE3MDAwMDAwMDA6", "AKCp8abcdefghijklmn", "ghp_16C7e42F292c6912E7710c838347Ae178B4a@example.com",
	}
	for _, name := range hidden {
		if got := Username(name); got != mask {
			t.Errorf("Username(%q) = %q, want it masked", name, got)
		}
	}
}

func TestWithoutPassword(t *testing.T) {
	tests := map[string]string{
		"https://ci:s3cret@registry.example.com/v2/":    "https://ci:********@registry.example.com/v2/",
		"proxy http://ci:s3cret@proxy:3128 refuses":     "proxy http://ci:********@proxy:3128 refuses",
		"https://:s3cret@registry.example.com":          "https://:********@registry.example.com",
		"ci:s3cret@registry.example.com":                "ci:********@registry.example.com",
		"https://ci:s3c/r+t@registry.example.com/v2/":   "https://ci:********@registry.example.com/v2/",
		"ci:s3c/ret@registry.example.com/pause:1":       "ci:********@registry.example.com/pause:1",
		`the key "ci:s3cret@registry.example.com" is`:   `the key "ci:********@registry.example.com" is`,
		"-e PAUSE_IMAGE=ci:s3cret@reg.example.com/a:1":  "-e PAUSE_IMAGE=ci:********@reg.example.com/a:1",
		"run.sh:3:5: pause:3.8@sha256:0123456789abcdef": "run.sh:3:5: pause:3.8@sha256:0123456789abcdef",
		"ci:s3cret@registry:5000":                       "ci:********@registry:5000",
		"https://ci:********@registry.example.com":      "https://ci:********@registry.example.com",
		"https://ci@registry.example.com":               "https://ci@registry.example.com",
		"https://registry.example.com:5000/a@b":         "https://registry.example.com:5000/a@b",
		"pause:3.8@sha256:0123456789abcdef":             "pause:3.8@sha256:0123456789abcdef",
		"registry.example.com:5000/pause:1@sha256:0123": "registry.example.com:5000/pause:1@sha256:0123",
		"acme/pause:1@sha256:0123456789abcdef":          "acme/pause:1@sha256:0123456789abcdef",
		"jane@example.com":                              "jane@example.com",
	}
	for text, want := range tests {
		if got := WithoutPassword(text); got != want {
			t.Errorf("WithoutPassword(%q) = %q, want %q", text, got, want)
		}
	}
}
