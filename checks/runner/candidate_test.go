package runner

import (
	"errors"
	"strings"
	"testing"
)

const starts = "docker run -v /tmp:/tmp -e ACCOUNT_UUID=x -e RUNNER_UUID=y bitbucket-pipelines-runner\n"

func TestCandidate(t *testing.T) {
	for text, want := range map[string]bool{
		starts:                                 true,
		"CLONE_IMAGE=x":                        true,
		"docker run --env-file x.env y":        true,
		"type: kubernetes.io/dockerconfigjson": true,
		"\xff\xfeR\x00U\x00N\x00N\x00E\x00R\x00_\x00U\x00U\x00I\x00D\x00": true,
		"docker run nginx":  false,
		"OAUTH_CLIENT_ID=x": false,
		"":                  false,
	} {
		if got := Candidate([]byte(text)); got != want {
			t.Errorf("Candidate(%q) = %v", text, got)
		}
	}
}

// Commands that start a runner are no definition wherever they stand.
func TestInPassing(t *testing.T) {
	prose := "This shows how a runner is started here:\n\n"
	for _, c := range []struct {
		name, text string
		definition bool
	}{
		{"run.sh", "#!/bin/sh\n" + starts, true},
		{"start", starts, true},
		{"run.sh", "#!/bin/sh\n# This shows how a runner is started\n" + starts + "fi\n", true},
		{"run.md", "#!/bin/sh\n" + starts, true},
		{"cloud-init.yml", "#cloud-config\n# This starts the runner of this host\nruncmd:\n  - " + starts, true},
		{"playbook.yml", "---\n- hosts: runners\n  tasks:\n    - shell: " + starts, true},
		{"runner.service", "[Service]\nExecStart=/usr/bin/" + starts, true},
		{"runner.env", "ACCOUNT_UUID=x\nRUNNER_UUID=y\n", true},
		{".env", "ACCOUNT_UUID=x\nDATABASE=y\n", false},
		{"README.md", "# Runners\n\n" + prose + "```sh\n" + starts + "```\n", false},
		{"README.md", starts, false},
		{"INSTALL", prose + "    " + starts, false},
		{"run.sh.example", "#!/bin/sh\n" + starts, false},
		{"runner.env.sample", "ACCOUNT_UUID=x\nRUNNER_UUID=y\n", false},
		{"package.json", `{"scripts": {"start": "` + strings.TrimSpace(starts) + `"}}`, false},
		{"main_test.go", "package main\n\nconst command = `" + starts + "`\n\nfunc main() { run(command) }\n", false},
		{"start.py", "import os\nos.system(\"" + strings.TrimSpace(starts) + "\")\n", false},
	} {
		open := func(string) ([]byte, error) { return nil, errors.New("there is none") }
		reading := Read(c.name, []byte(c.text), open)
		why := reading.InPassing(c.name, []byte(c.text))
		if judged := len(reading.Definitions) > 0 && why == ""; judged != c.definition {
			t.Errorf("%s: %d definitions, %q, read as %s\n%s", c.name, len(reading.Definitions), why, reading.Kind, c.text)
		}
	}
}
