package report

import (
	"context"
	"encoding/base64"
	"io/fs"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks"
)

// emptyFiles is a file system with nothing in it.
type emptyFiles struct{}

func (emptyFiles) Stat(path string) (fs.FileInfo, error)      { return nil, notThere(path) }
func (emptyFiles) ReadFile(path string) ([]byte, error)       { return nil, notThere(path) }
func (emptyFiles) ReadDir(path string) ([]fs.DirEntry, error) { return nil, notThere(path) }

func notThere(path string) error { return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist} }

const kubePod = `---
apiVersion: v1
kind: Pod
metadata: {name: runner}
spec:
  imagePullSecrets: [{name: pull}]
  containers:
    - name: runner
      image: x/bitbucket-pipelines-runner
      env:
        - name: OAUTH_CLIENT_SECRET
          valueFrom: {secretKeyRef: {name: oauth, key: clientSecret}}
        - {name: RUNNER_UUID, valueFrom: {secretKeyRef: {name: oauth, key: uuid}}}
        - {name: PAUSE_IMAGE, value: registry.example.com/pause:1}
      volumeMounts: [{name: docker, mountPath: /root/.docker}]
  volumes:
    - name: docker
      secret: {secretName: regcred}
---
apiVersion: v1
kind: Secret
metadata: {name: oauth}
`

// TestKubernetesSecretsHidden writes reports of manifests, in every format and at every verbosity, and looks for what
// their Secrets hold, decoded, encoded once and encoded twice.
func TestKubernetesSecretsHidden(t *testing.T) {
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	auth := encode("ci:" + canary)
	for name, config := range map[string]string{
		"whole":      `{"auths": {"registry.example.com": {"auth": "` + auth + `"}}}`,
		"near":       `{"auths": {"registry.example.org": {"auth": "` + auth + `"}}}`,
		"fields":     `{"auths": {"registry.example.com": {"username": "ci", "password": "` + canary + `\n"}}}`,
		"token":      `{"auths": {"registry.example.com": {"identitytoken": "` + canary + `"}}}`,
		"broken":     `{"auths": {"registry.example.com": {"auth": "` + auth + `"},}}`,
		"in plain":   `{"auths": {"registry.example.com": {"auth": "ci:` + canary + `"}}}`,
		"misspelled": `{"Auths": {"registry.example.com": {"auth": "` + auth + `"}}, "x": "` + canary + `"}`,
		"no JSON":    canary,
		"line break": `{"auths": {"registry.example.com": {"auth": "` + encode("ci:"+canary+"\n") + `"}}}`,
	} {
		for form, data := range map[string]string{
			"data: {.dockerconfigjson: %}":                                  encode(config),
			"data: {.dockerconfigjson: '%'}":                                config,
			"data:\n  .dockerconfigjson: \"%\"":                             encode(encode(config)),
			"stringData: {.dockerconfigjson: %}":                            encode(config),
			"stringData:\n  .dockerconfigjson: |\n    %":                    config,
			"data: {config.json: %}":                                        encode(config),
			"data: {note: x, .dockerconfigjson: %":                          encode(config),
			"metadata: {name: pull}\ndata:\n  .dockerconfigjson: >-\n    %": encode(config),
		} {
			secret := "---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/dockerconfigjson\n"
			if !strings.Contains(form, "metadata") {
				secret += "metadata: {name: regcred}\n"
			}
			secret += strings.Replace(form, "%", data, 1) + "\n"
			for value, oauth := range map[string]string{
				"plain": "data: {clientSecret: " + canary + ", uuid: " + canary + "}\n",
				"once":  "data: {clientSecret: " + encode(canary) + ", uuid: " + encode(canary) + "}\n",
				"twice": "stringData: {clientSecret: " + encode(canary+"\n") + ", uuid: \"" + canary + "\\n\"}\n",
			} {
				for place, text := range map[string]string{"with": kubePod + oauth + secret, "alone": secret} {
					where := strings.Join([]string{name, form, value, place}, ", ")
					r := judged(t, text)
					for end, format := range variants() {
						out := written(t, format, r)
						if found := leaked(out, canary); found != nil {
							t.Errorf("%s: %s holds %q", where, end, found)
						}
						if len(data) > 60 && data[0] != '{' && strings.Contains(out, data[len(data)-40:len(data)-20]) {
							t.Errorf("%s: %s holds what the Secret does", where, end)
						}
					}
				}
			}
		}
	}
}

// judged is the report of one manifest.
func judged(t *testing.T, text string) Report {
	t.Helper()
	in := checks.Input{Files: []checks.InputFile{{Path: "runner.yaml", Data: []byte(text)}}, Offline: true}
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	host, err := checks.Build(t.Context(), in, checks.Windows{Files: emptyFiles{}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	selection, err := checks.Select(checks.All(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return New(Run{Host: host, Results: checks.Run(context.Background(), host, selection)})
}
