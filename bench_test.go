package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/scene"
)

// Speed is printed by
//
//	go test -run '^$' -bench . -benchtime 20x .

// roundTrip is what BenchmarkCheckLatency adds to each.
const roundTrip = 50 * time.Millisecond

// longestChain counts the round trips that have to follow one another until an image behind a token service is known
// to be readable, with everything else done beside them: name, TCP, TLS and the ping of the registry; name, TCP, TLS
// and the token of its token service; then HEAD by tag, GET of the index by digest, GET of the manifest, and the blobs
// at once.
const longestChain = 4 + 4 + 4

// BenchmarkCheckLatency checks a runner with three images in a private registry far away. Its ratio is the time that
// this takes to that of the longest chain of round trips: 1 is the least possible, 1.3 the most that it should be.
func BenchmarkCheckLatency(b *testing.B) {
	network, err := scene.Start(farAway())
	if err != nil {
		b.Fatal(err)
	}
	defer network.Close()
	selection, err := checks.Select(checks.All(), nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	in := checks.Input{
		Live: true, Platform: "linux/amd64", Route: network.Config(),
		Env: func(string) string { return "" },
	}
	for _, name := range []string{"run.sh", "config.json"} {
		in.Files = append(in.Files, checks.InputFile{Path: name, Data: labFile(b, name)})
	}
	var total time.Duration
	for b.Loop() {
		host, err := checks.Build(b.Context(), in, checks.Windows{Files: osFiles{}, Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		started := time.Now()
		for _, result := range checks.Run(b.Context(), host, selection) {
			if result.Check.Group() == "image" && result.Status > checks.Warn {
				b.Fatalf("%s: %v", result.Check.Name, result.Findings)
			}
		}
		total += time.Since(started)
	}
	b.ReportMetric(float64(total)/float64(b.N)/float64(longestChain*roundTrip), "ratio")
}

// farAway is a network with a private registry, its token service, and all of the vendor's hosts.
func farAway() scene.Scene {
	images := func(names ...string) map[string]scene.Image {
		images := map[string]scene.Image{}
		for _, name := range names {
			images[name] = scene.Image{Platforms: []string{"linux/amd64", "linux/arm64"}, Created: time.Now()}
		}
		return images
	}
	const vendor = "sox/atlassian/bitbucket-pipelines-"
	return scene.Scene{
		Latency: scene.Duration(roundTrip), Others: &scene.Host{},
		Hosts: map[string]scene.Host{
			"registry.rig.test": {TLS: "private", Registry: &scene.Registry{
				Auth: "bearer", Realm: "auth.rig.test", Users: map[string]string{"ci": "s3cret"},
				Images: images("rig/pause:1", "rig/auth-proxy:1", "rig/clone:1"),
			}},
			"auth.rig.test": {TLS: "private"},
			"docker-public.packages.atlassian.com": {Registry: &scene.Registry{
				Images: images(vendor+"runner:latest", vendor+"auth-proxy:prod-stable",
					vendor+"dvcs-tools:prod-stable"),
			}},
			"k8s-docker.packages.atlassian.com": {Registry: &scene.Registry{Images: images("pause:3.8")}},
		},
	}
}

// BenchmarkLint is the whole process of a lint that finds nothing wrong, start and end included.
func BenchmarkLint(b *testing.B) {
	folder := b.TempDir()
	binary := buildBinary(b, folder)
	for _, name := range []string{"run.sh", "config.json"} {
		if err := os.WriteFile(filepath.Join(folder, name), labFile(b, name), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		cmd := exec.Command(binary, "lint", "run.sh", "config.json")
		cmd.Dir = folder
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			b.Fatal(fmt.Errorf("%w\n%s", err, &out))
		}
	}
}

// buildBinary makes the binary as it is shipped.
func buildBinary(t testing.TB, folder string) string {
	t.Helper()
	binary := filepath.Join(folder, "runner-preflight")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// labFile is a file of testdata/lab, for the laboratory's usual registry.
func labFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/lab", name))
	if err != nil {
		t.Fatal(err)
	}
	replace := strings.NewReplacer("@REGISTRY@", "registry.rig.test", "@PAUSE@", "registry.rig.test/rig/pause:1")
	return []byte(replace.Replace(string(data)))
}
