package checks_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks"
)

// What reports draw of whole hosts: how each connection went, and what hangs below each image.
func TestPictures(t *testing.T) {
	for _, test := range []struct {
		host string
		want []string
	}{
		{"hosts/blobs-behind-the-firewall", []string{
			"registry.example.com:5000 by docker daemon: dns tcp tls http",
			"cdn.example.com:443 by docker daemon for blobs: dns tcp, broken tcp",
			"registry.example.com:5000/mirror/pause:3.8: connect-timeout at cdn.example.com:443",
		}},
		{"hosts/token-service-behind-the-firewall", []string{
			"auth.example.com:443 by docker daemon for token service: dns tcp, broken tcp",
		}},
		{"hosts/healthy-https-proxy", []string{
			"registry.example.com:5000 by docker daemon through proxy.example.com:3129: dns tcp proxy tls http",
			"bitbucket.org:443 by runner: dns tcp tls http",
		}},
		{"endpoint-reachable/block-page", []string{
			"registry.example.com:443 by docker daemon: dns tcp tls http, broken http",
		}},
	} {
		t.Run(test.host, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			selection, err := checks.Select(checks.All(), []string{"image-resolves", "endpoint-reachable"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			host := checks.HostOf(t, filepath.Join("../testdata", test.host))
			var drawn []string
			for _, result := range checks.Run(ctx, host, selection) {
				for _, f := range result.Findings {
					drawn = append(drawn, drawnOf(f)...)
				}
			}
			for _, want := range test.want {
				if !slices.Contains(drawn, want) {
					t.Errorf("%s is not among\n%s", want, strings.Join(drawn, "\n"))
				}
			}
		})
	}
}

// drawnOf are the lines of a finding's connection and of the first part of its image that cannot be read.
func drawnOf(f checks.Finding) []string {
	var lines []string
	if c := f.Connection; c != nil {
		line := c.Address + " by " + strings.Join(c.By, ", ")
		if why := strings.Join(c.Why, ", "); why == "blobs" || why == "token service" {
			line += " for " + why
		}
		if c.Proxy != "" {
			line += " through " + c.Proxy
		}
		line += ":"
		for _, step := range c.Phases {
			line += " " + string(step.Phase)
		}
		if c.Broken != "" {
			line += ", broken " + string(c.Broken)
		}
		lines = append(lines, line)
	}
	if p := f.Pull; p != nil {
		for _, blob := range p.Blobs {
			if blob.Problem != "" {
				return append(lines, fmt.Sprintf("%s: %s at %s", p.Reference, blob.Problem, blob.Host))
			}
		}
	}
	return lines
}
