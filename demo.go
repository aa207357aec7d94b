package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/checks/network"
	"runner-preflight/checks/scene"
)

const (
	demoRegistry = "registry.example.com"
	demoUser     = "ci"
	demoPassword = "correct-horse-battery"
)

const demoScript = `#!/bin/sh
docker container run -d --restart always \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v "$HOME/.docker/config.json:/root/.docker/config.json" \
  -e ACCOUNT_UUID='{0b6a1f3e-5c24-4a95-84dd-ad9cdfae5b10}' \
  -e RUNNER_UUID='{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}' \
  -e OAUTH_CLIENT_ID=Gx7kT2mQ9vLr4WcZ8pYb3NsD6hFj1aKe \
  -e OAUTH_CLIENT_SECRET="$SECRET" \
  -e WORKING_DIRECTORY=/tmp \
  -e PAUSE_IMAGE=registry.example.com/mirror/pause:3.8 \
  -e AUTH_PROXY_IMAGE=registry.example.com/mirror/auth-proxy:2026-10 \
  -e CLONE_IMAGE=registry.example.com/mirror/dvcs-tools:2026-10 \
  --name runner docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
`

// demo shows a healthy runner and the same runner with four typical mistakes, in a network of its own on loopback.
func demo(c *cli.Context, p process) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	if err := noArguments(c); err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	healthy := demoHost{script: demoScript, config: demoConfig()}
	fmt.Fprint(p.out, demoHeading(o, "1 of 2: a healthy runner"))
	first := o
	first.reports = nil // files are about the second host: there is more to see
	if err := healthy.check(ctx, p, first); err != nil {
		return err
	}
	mistakes := strings.NewReplacer("  -v /tmp:/tmp \\\n", "", "'{b0ae87b8", "'b0ae87b8", "ddad9cdfae}'", "ddad9cdfae'")
	broken := demoHost{
		script: mistakes.Replace(demoScript),
		config: "{\n  \"auths\": {\n    \"" + demoRegistry + "\": {}\n  },\n  \"credsStore\": \"desktop\"\n}\n",
		block:  "bitbucket.org",
	}
	fmt.Fprint(p.out, "\n", demoHeading(o, "2 of 2: the same runner with four typical mistakes"))
	if err := broken.check(ctx, p, o); !errors.Is(err, exitCode(exitFindings)) {
		return err
	}
	return nil
}

func demoHeading(o options, text string) string {
	mark := "──"
	if !o.text.Unicode {
		mark = "--"
	}
	heading := fmt.Sprintf("%s demo %s", mark, text)
	if len([]rune(heading+" "+mark)) <= o.text.Width {
		heading += " " + mark
	}
	return heading + "\n\n"
}

// demoHost is a runner's host: its files, and which of its needs a firewall blocks.
type demoHost struct{ script, config, block string }

// check judges the host as the check command would.
func (d demoHost) check(ctx context.Context, p process, o options) (err error) {
	folder, err := os.MkdirTemp("", "runner-preflight-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := d.write(folder); err != nil {
		return err
	}
	lab, err := scene.Start(d.network())
	if err != nil {
		return err
	}
	defer lab.Close()
	way := lab.Config()
	way.Proxy, way.UserAgent = nil, "runner-preflight/"+version
	host, err := checks.Build(ctx, d.input(way), checks.Windows{Files: demoFiles{folder}, Now: time.Now})
	if err != nil {
		return err
	}
	o.timeout, o.failOn, o.format = 20*time.Second, checks.Fail, "text"
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return o.judgeHost(ctx, p, host)
}

// write puts down what the definition mounts.
func (d demoHost) write(folder string) error {
	var errs []error
	for _, name := range []string{"home/.docker", "tmp", "var/run", "var/lib/docker/containers"} {
		errs = append(errs, os.MkdirAll(filepath.Join(folder, name), 0o700))
	}
	for name, content := range map[string]string{"home/.docker/config.json": d.config, "var/run/docker.sock": ""} {
		errs = append(errs, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return errors.Join(errs...)
}

// demoFiles shows a folder as a whole file system.
type demoFiles struct{ root string }

// Stat follows links.
func (d demoFiles) Stat(path string) (fs.FileInfo, error) {
	return os.Stat(filepath.Join(d.root, path))
}

// ReadFile reads a file below the folder.
func (d demoFiles) ReadFile(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.root, path))
}

// ReadDir returns a folder's entries, by name.
func (d demoFiles) ReadDir(path string) ([]fs.DirEntry, error) {
	return os.ReadDir(filepath.Join(d.root, path))
}

func demoConfig() string {
	auth := base64.StdEncoding.EncodeToString([]byte(demoUser + ":" + demoPassword))
	return fmt.Sprintf("{\n  \"auths\": {\n    %q: {\n      \"auth\": %q\n    }\n  }\n}\n", demoRegistry, auth)
}

func (d demoHost) input(way network.Config) checks.Input {
	env := map[string]string{"HOME": "/home"}
	return checks.Input{
		Files: []checks.InputFile{{Path: "run.sh", Data: []byte(d.script)}}, Live: true, Platform: "linux/amd64",
		Env: func(name string) string { return env[name] }, Route: way,
	}
}

// network is the world in which the demo's runner lives: its registry, the vendor's hosts.
func (d demoHost) network() scene.Scene {
	image := scene.Image{Platforms: []string{"linux/amd64", "linux/arm64"}, Created: time.Now().AddDate(0, -1, 0)}
	mirror := &scene.Registry{Auth: "basic", Users: map[string]string{demoUser: demoPassword}, Images: map[string]scene.Image{
		"mirror/pause:3.8": image, "mirror/auth-proxy:2026-10": image, "mirror/dvcs-tools:2026-10": image,
	}}
	vendor := &scene.Registry{Images: map[string]scene.Image{
		"sox/atlassian/bitbucket-pipelines-runner:5":               image,
		"sox/atlassian/bitbucket-pipelines-auth-proxy:prod-stable": image,
		"sox/atlassian/bitbucket-pipelines-dvcs-tools:prod-stable": image,
	}}
	s := scene.Scene{Others: &scene.Host{}, PhaseTimeout: scene.Duration(3 * time.Second), Hosts: map[string]scene.Host{
		demoRegistry:                           {TLS: "private", Registry: mirror},
		"docker-public.packages.atlassian.com": {Registry: vendor},
		"k8s-docker.packages.atlassian.com":    {Registry: &scene.Registry{Images: map[string]scene.Image{"pause:3.8": image}}},
	}}
	if d.block != "" {
		s.Hosts[d.block] = scene.Host{TCP: "timeout"}
	}
	return s
}
