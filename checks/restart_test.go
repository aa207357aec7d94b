package checks

import (
	"strings"
	"testing"

	"runner-preflight/checks/engine"
)

// TestRestarting has a runner restarted by what keeps it, under the name that it has there, or by nobody.
func TestRestarting(t *testing.T) {
	const (
		environment = "-e ACCOUNT_UUID={a} -e RUNNER_UUID={b} "
		image       = "docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner"
		run         = "docker container run " + environment
		unit        = "[Service]\nExecStart=/usr/bin/docker run "
		stays       = unit + environment + image
		service     = "services:\n  runner:\n    image: " + image + "\n    environment: {RUNNER_UUID: '{b}'}\n"
		deployment  = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bitbucket}\nspec:\n  template:\n    spec:\n" +
			"      containers:\n        - {name: runner, image: " + image + "}\n"
		inspect = `[{"Id": "x", "Created": "y", "Name": "/NAME", "HostConfig": {}, "Config": {"Image": "` + image +
			`", "Env": ["RUNNER_UUID={b}"]}}]`
		quadlet = "[Container]\nImage=" + image + "\nEnvironment=RUNNER_UUID={b}\n"
		workers = "metadata: {name: bitbucket, namespace: NAMESPACE}"
	)
	named := func(name string) string { return strings.Replace(inspect, "NAME", name, 1) }
	for name, c := range map[string]struct{ file, text, want string }{
		"container":            {"run.sh", run + "--name runner " + image, "docker restart runner"},
		"container of two":     {"run.sh", run + "--name a --name runner " + image, "docker restart runner"},
		"Podman's container":   {"run.sh", "podman run " + environment + "--name runner " + image, "podman restart runner"},
		"no name":              {"run.sh", run + image, ""},
		"unknown name":         {"run.sh", run + "--name $1 " + image, ""},
		"unsafe name":          {"run.sh", run + "--name 'runner; reboot' " + image, ""},
		"name like an option":  {"run.sh", run + "--name=--help " + image, ""},
		"compose":              {"compose.yaml", service, "docker compose restart runner"},
		"compose elsewhere":    {"deploy/runner 1.yml", service, "docker compose -f 'deploy/runner 1.yml' restart runner"},
		"compose by its input": {"<stdin>", service, ""},
		"unit":                 {"/etc/systemd/system/bitbucket.service", stays, "sudo systemctl restart bitbucket.service"},
		"unit of a user": {
			"/home/ci/.config/systemd/user/bitbucket.service", stays, "systemctl --user restart bitbucket.service",
		},
		"instance":                {"bitbucket@blue.service", stays, "sudo systemctl restart bitbucket@blue.service"},
		"template":                {"bitbucket@.service", stays, ""},
		"template with a name":    {"bitbucket@.service", unit + environment + "--name runner " + image, "docker restart runner"},
		"unit that does not stay": {"bitbucket.service", unit + "-d --name runner " + environment + image, "docker restart runner"},
		"unit of another name":    {"unit.txt", stays, ""},
		"unit with a backslash":   {`dev-a\x2d.service`, stays, ""},
		"Quadlet":                 {"bitbucket.container", quadlet, "sudo systemctl restart bitbucket.service"},
		"Quadlet's own name":      {"bitbucket.container", quadlet + "ServiceName=ci\n", "sudo systemctl restart ci.service"},
		"Deployment":              {"runner.yaml", deployment, "kubectl rollout restart deployment/bitbucket"},
		"StatefulSet in a namespace": {
			"runner.yaml", strings.NewReplacer("Deployment", "StatefulSet", "metadata: {name: bitbucket}",
				strings.Replace(workers, "NAMESPACE", "ci", 1)).Replace(deployment),
			"kubectl rollout restart statefulset/bitbucket -n ci",
		},
		"unsafe namespace": {"runner.yaml", strings.Replace(deployment, "metadata: {name: bitbucket}",
			strings.Replace(workers, "NAMESPACE", "'$(id)'", 1), 1), ""},
		"Job":                   {"runner.yaml", strings.Replace(deployment, "Deployment", "Job", 1), ""},
		"template of Helm":      {"runner.yaml", strings.Replace(deployment, "{name: bitbucket}", "{name: '{{ .Release.Name }}'}", 1), ""},
		"inspected":             {"runner.json", named("runner"), "docker restart runner"},
		"inspected unsafely":    {"runner.json", named("a b"), ""},
		"inspected like a unit": {"runner.json", named("a.service"), "docker restart a.service"},
	} {
		in := Input{Files: []InputFile{{Path: c.file, Data: []byte(c.text)}}}
		host, err := Build(t.Context(), in, Windows{Files: folderFiles{folder: t.TempDir()}})
		if err != nil || len(host.Runners) != 1 {
			t.Fatalf("%s: %v, %+v", name, err, host)
		}
		if got := host.restarting(host.Runners[0]); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestRestartingWhatRuns takes the name that the container has, unless systemd stays with it.
func TestRestartingWhatRuns(t *testing.T) {
	const image = "docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner"
	live := engine.Container{ID: "7a1b", Name: "ci-1", Image: image, Raw: []byte(`{"Id": "7a1b", "Created": "y", "Name": "/ci-1",
		"HostConfig": {}, "Config": {"Image": "` + image + `", "Env": ["RUNNER_UUID={b}"]}}`)}
	for name, c := range map[string]struct{ file, text, want string }{
		"no file":  {"", "", "docker restart ci-1"},
		"a script": {"run.sh", "docker run -e RUNNER_UUID={b} " + image, "docker restart ci-1"},
		"compose": {
			"compose.yaml", "services:\n  runner:\n    image: " + image + "\n    environment: {RUNNER_UUID: '{b}'}\n",
			"docker restart ci-1",
		},
		"a unit": {
			"ci.service", "[Service]\nExecStart=/usr/bin/docker run -e RUNNER_UUID={b} " + image,
			"sudo systemctl restart ci.service",
		},
	} {
		in := Input{Live: true, Offline: true, Env: func(string) string { return "" }, Containers: []engine.Container{live}}
		if c.file != "" {
			in.Files = []InputFile{{Path: c.file, Data: []byte(c.text)}}
		}
		host, err := Build(t.Context(), in, Windows{Files: folderFiles{folder: t.TempDir()}})
		if err != nil || len(host.Runners) != 1 {
			t.Fatalf("%s: %v, %+v", name, err, host)
		}
		if got := host.restarting(host.Runners[0]); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
