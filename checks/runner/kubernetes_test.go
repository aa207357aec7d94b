package runner

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/source"
)

// notThere opens nothing.
func notThere(string) ([]byte, error) { return nil, fs.ErrNotExist }

// kubeCases are the manifests among the cases of the checks.
func kubeCases(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/*/*/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no manifests", err)
	}
	found := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimPrefix(path, "../../testdata/")] = data
	}
	return found
}

// kubeManifest is a runner with all that it needs; "canary" begins what must not be shown.
const kubeManifest = `apiVersion: v1
kind: Secret
metadata:
  name: runner-oauth
type: Opaque
data:
  clientId: aWQtY2FuYXJ5LTAxMjM0NTY3ODk=
  clientSecret: %s
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: bitbucket-runner
spec:
  template:
    spec:
      containers:
        - name: runner
          image: docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:3
          env:
            - name: ACCOUNT_UUID
              value: "{0b1e7a3c-9d52-4f6e-8a41-7c35d2e9b016}"
            - name: RUNNER_UUID
              value: '{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}'
            - name: OAUTH_CLIENT_ID
              valueFrom:
                secretKeyRef:
                  name: runner-oauth
                  key: clientId
            - name: OAUTH_CLIENT_SECRET
              valueFrom:
                secretKeyRef:
                  name: runner-oauth
                  key: clientSecret
            - name: PAUSE_IMAGE
              value: registry.example.com/pause:3.8
            - name: WORKING_DIRECTORY
              value: /tmp
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            - name: node
              mountPath: /var/lib/docker/containers
              readOnly: true
        - name: dind
          image: docker:27-dind
          securityContext:
            privileged: true
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
        - name: node
          hostPath:
            path: /var/lib/docker/containers
`

// TestKubernetesValues compares what a runner gets with what the objects around it say.
func TestKubernetesValues(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: r}\nspec:\n  containers:\n    - name: r\n" +
		"      image: x/bitbucket-pipelines-runner\n"
	const env = pod + "      env:\n        - name: RUNNER_UUID\n          "
	const secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
	const ref = "valueFrom: {secretKeyRef: {name: s, key: k}}\n"
	for name, c := range map[string]struct{ text, value, unresolved string }{
		"literal":             {text: env + "value: '{a}'\n", value: "{a}"},
		"null":                {text: env + "value:\n"},
		"braces":              {text: env + "value: {a-b}\n", value: "{a-b}"},
		"template in braces":  {text: env + "value: {{ .Values.a }}\n", value: "{{ .Values.a }}", unresolved: kubeHelmReason},
		"template in quotes":  {text: env + "value: \"{{ .Values.a }}\"\n", value: "{{ .Values.a }}", unresolved: kubeHelmReason},
		"two templates":       {text: env + "value: {{ .a }}-{{ .b }}x\n", value: "{{ .a }}-{{ .b }}x", unresolved: kubeHelmReason},
		"mark":                {text: env + "value: \"{<%runnerUuid%>}\"\n", value: "{<%runnerUuid%>}", unresolved: kubeScalerReason},
		"data":                {text: env + ref + secret + "data: {k: e2F9}\n", value: "{a}"},
		"folded data":         {text: env + ref + secret + "data:\n  k: |\n    e2\n    F9\n", value: "{a}"},
		"stringData":          {text: env + ref + secret + "stringData: {k: '{a}'}\n", value: "{a}"},
		"stringData wins":     {text: env + ref + secret + "stringData: {k: '{a}'}\ndata: {k: eA==}\n", value: "{a}"},
		"not given":           {text: env + ref, unresolved: "it is in the Secret s, which was not given"},
		"no such key":         {text: env + ref + secret + "data: {l: eA==}\n", unresolved: "the Secret s has no such key"},
		"other namespace":     {text: env + ref + strings.Replace(secret, "s}", "s, namespace: n}", 1) + "data: {k: e2F9}\n", value: "{a}"},
		"field":               {text: env + "valueFrom: {fieldRef: {fieldPath: metadata.uid}}\n", unresolved: "it is a field of the pod, known when that runs"},
		"resource":            {text: env + "valueFrom: {resourceFieldRef: {resource: limits.cpu}}\n", unresolved: "it is a limit of the container, known when that runs"},
		"reference":           {text: pod + "      env:\n        - {name: U, value: a}\n        - {name: RUNNER_UUID, value: '{$(U)}'}\n", value: "{a}"},
		"reference to later":  {text: pod + "      env:\n        - {name: RUNNER_UUID, value: '{$(U)}'}\n        - {name: U, value: a}\n", value: "{$(U)}"},
		"no reference":        {text: env + "value: '{$$(U)}'\n", value: "{$(U)}"},
		"dollar":              {text: env + "value: '{$U ${V}}'\n", value: "{$U ${V}}"},
		"reference to empty":  {text: pod + "      env:\n        - {name: U, value: ''}\n        - {name: RUNNER_UUID, value: '$(U)'}\n"},
		"envFrom":             {text: pod + "      envFrom: [{prefix: RUNNER_, secretRef: {name: s}}]\n" + secret + "data: {UUID: e2F9}\n", value: "{a}"},
		"envFrom, overridden": {text: pod + "      envFrom: [{secretRef: {name: s}}]\n      env: [{name: RUNNER_UUID, value: b}]\n" + secret + "data: {RUNNER_UUID: e2F9}\n", value: "b"},
		"ConfigMap": {text: env + "valueFrom: {configMapKeyRef: {name: c, key: k}}\n---\napiVersion: v1\nkind: ConfigMap\n" +
			"metadata: {name: c}\ndata: {k: '{a}'}\n", value: "{a}"},
		"binaryData": {text: env + "valueFrom: {configMapKeyRef: {name: c, key: k}}\n---\napiVersion: v1\nkind: ConfigMap\n" +
			"metadata: {name: c}\nbinaryData: {k: e2F9}\n", value: "{a}"},
		"JSON": {text: `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"r","image":"x/bitbucket-pipelines-runner",` +
			`"env":[{"name":"RUNNER_UUID","value":"{a}"}]}]}}`, value: "{a}"},
	} {
		t.Run(name, func(t *testing.T) {
			reading := Read("r.yaml", []byte(c.text), notThere)
			if reading.Kind != kubeKind || len(reading.Definitions) != 1 {
				t.Fatalf("%q with %d runners, %+v", reading.Kind, len(reading.Definitions), reading.Mistakes)
			}
			v, _ := reading.Definitions[0].Last("RUNNER_UUID")
			if v.Value.Value != c.value || v.Value.Unresolved != c.unresolved {
				t.Errorf("%q, unresolved %q; want %q, %q", v.Value.Value, v.Value.Unresolved, c.value, c.unresolved)
			}
		})
	}
}

// TestKubernetesNearest takes a Secret from the file that is nearest.
func TestKubernetesNearest(t *testing.T) {
	pod := func(namespace string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: r, namespace: " + namespace + "}\nspec:\n  containers:\n    - name: r\n" +
			"      image: x/bitbucket-pipelines-runner\n      env:\n        - name: RUNNER_UUID\n" +
			"          valueFrom: {secretKeyRef: {name: s, key: k}}\n"
	}
	secret := func(namespace, value string) string {
		return "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: " + namespace + "}\nstringData: {k: " + value + "}\n"
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"same file":   {map[string]string{"a/pod.yaml": pod("n") + secret("n", "right"), "a/s.yaml": secret("n", "wrong")}, "right"},
		"same folder": {map[string]string{"a/pod.yaml": pod("n"), "a/s.yaml": secret("n", "right"), "b/s.yaml": secret("n", "wrong")}, "right"},
		"namespace":   {map[string]string{"a/pod.yaml": pod("n"), "a/s.yaml": secret("m", "wrong"), "b/s.yaml": secret("n", "right")}, "right"},
		"none":        {map[string]string{"a/pod.yaml": pod("n"), "a/s.yaml": secret("m", "wrong")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var inputs []Input
			for path, text := range c.files {
				inputs = append(inputs, Input{Path: path, Data: []byte(text), Open: notThere})
			}
			for _, reading := range ReadAll(inputs) {
				for _, d := range reading.Definitions {
					if v, _ := d.Last("RUNNER_UUID"); v.Value.Value != c.want {
						t.Errorf("%q, want %q", v.Value.Value, c.want)
					}
				}
				if !reading.Companion {
					t.Error("no part of a set with a runner")
				}
			}
		})
	}
}

// TestKubernetesAutoscaler reads the template of a job in a ConfigMap, whose marks are filled in later.
func TestKubernetesAutoscaler(t *testing.T) {
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: autoscaler}\ndata:\n  job.yaml.template: |\n"
	job := strings.ReplaceAll(fmt.Sprintf(kubeManifest, "<%oauthClientSecret_base64%>"), "'{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}'", `"<%runnerUuid%>"`)
	job = "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.ReplaceAll(job, "\n---\n", "\n- "), "\n", "\n  ")
	job = strings.ReplaceAll(job, "\n  - ", "\n- ")
	for line := range strings.Lines(job) {
		text += "    " + line
	}
	reading := Read("cm.yaml", []byte(text+"\n"), notThere)
	if len(reading.Definitions) != 1 || len(reading.Mistakes) > 0 || len(reading.Faults) > 0 {
		t.Fatalf("%d runners, %+v, %+v", len(reading.Definitions), reading.Mistakes, reading.Faults)
	}
	d := reading.Definitions[0]
	for name, want := range map[string]string{
		"RUNNER_UUID": kubeScalerReason, "ACCOUNT_UUID": "", "OAUTH_CLIENT_SECRET": "it is in the Secret runner-oauth: " + kubeScalerReason,
	} {
		if v, _ := d.Last(name); v.Value.Unresolved != want {
			t.Errorf("%s: %q, want %q", name, v.Value.Unresolved, want)
		}
	}
	v, _ := d.Last("ACCOUNT_UUID")
	if got := v.Value.Place.Outermost().Text(); got != v.Value.Value {
		t.Errorf("stands at %q", got)
	}
}

// TestKubernetesSecrets shows every line of a manifest, and looks for what its Secrets hold in any form.
func TestKubernetesSecrets(t *testing.T) {
	const plain = "canary-0123456789abcdef"
	coded := base64.StdEncoding.EncodeToString([]byte(plain))
	config := `{"auths":{"r.example.com":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("ci:"+plain)) + `"}}}`
	base := fmt.Sprintf(kubeManifest, coded)
	configSecret := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: regcred}\ntype: kubernetes.io/dockerconfigjson\ndata:\n" +
		"  .dockerconfigjson: "
	for name, text := range map[string]string{
		"data":              base,
		"commented":         base + "# the secret is " + plain + "\n",
		"encoded comment":   base + "# " + coded + "\n",
		"block":             fmt.Sprintf(kubeManifest, "|\n    "+coded[:8]+"\n    "+coded[8:]),
		"quoted":            fmt.Sprintf(kubeManifest, `"`+coded+`"`),
		"not encoded":       fmt.Sprintf(kubeManifest, plain),
		"twice":             fmt.Sprintf(kubeManifest, base64.StdEncoding.EncodeToString([]byte(coded))),
		"config":            base + configSecret + base64.StdEncoding.EncodeToString([]byte(config)) + "\n",
		"config in plain":   base + configSecret + "'" + config + "'\n",
		"literal":           strings.Replace(base, "value: /tmp", "value: /tmp\n            - name: MY_TOKEN\n              value: "+plain, 1),
		"commented literal": base + "#  - name: OAUTH_CLIENT_SECRET\n#    value: " + plain + "\n",
		"flow":              base + "# {name: OAUTH_CLIENT_SECRET, value: " + plain + "}\n",
		"unclosed quote":    fmt.Sprintf(kubeManifest, `"`+coded),
		"anchor":            fmt.Sprintf(kubeManifest, "*"+plain),
		"tab":               fmt.Sprintf(kubeManifest, "\t"+coded),
	} {
		t.Run(name, func(t *testing.T) {
			reading := Read("r.yaml", []byte(text), notThere)
			if reading.Kind != kubeKind {
				t.Fatalf("it was read as %q", reading.Kind)
			}
			file := kubeFileOf(t, reading)
			for _, m := range append(reading.Mistakes, reading.Faults...) {
				if strings.Contains(m.Detail+m.Place.Excerpt().Text, "canary") || strings.Contains(m.Place.Excerpt().Text, coded) {
					t.Errorf("%s: %s", m.Detail, m.Place.Excerpt().Text)
				}
			}
			if len(reading.Mistakes) > 0 {
				return // the line of the mistake is all that is shown
			}
			for line := 1; line <= strings.Count(text, "\n"); line++ {
				shown := file.At(file.Line(line)).Excerpt().Text
				for _, secret := range []string{plain, coded, "Y2FuYXJ5", "WTJGdVlYSjVM", coded[8:]} {
					if strings.Contains(shown, secret) {
						t.Errorf("line %d shows a secret: %s", line, shown)
					}
				}
			}
		})
	}
}

// kubeFileOf is the file that was read.
func kubeFileOf(t *testing.T, reading Reading) *source.File {
	t.Helper()
	for _, d := range reading.Definitions {
		return d.Place.Outermost().File
	}
	for _, m := range slices.Concat(reading.Mistakes, reading.Faults) {
		return m.Place.Outermost().File
	}
	t.Fatal("nothing was read")
	return nil
}

// TestKubernetesNamesShown shows the names of Secrets, which are none themselves.
func TestKubernetesNamesShown(t *testing.T) {
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: r}\nspec:\n  automountServiceAccountToken: false\n" +
		"  imagePullSecrets: [{name: regcred}]\n  containers:\n    - name: r\n      image: x/bitbucket-pipelines-runner\n" +
		"      env:\n        - {name: OAUTH_CLIENT_SECRET, valueFrom: {secretKeyRef: {name: oauth-name, key: clientKey}}}\n" +
		"      envFrom: [secretRef: {name: other-name}]\n  volumes:\n    - name: v\n      secret:\n        secretName: regcred\n" +
		"    - {name: w, secret: {secretName: \"regcred-two\"}}\n"
	file := kubeFileOf(t, Read("r.yaml", []byte(text), notThere))
	for line := range strings.Lines(text) {
		at := strings.Index(text, line)
		if shown := file.At(at, at).Excerpt().Text; !strings.HasPrefix(line, strings.TrimSuffix(shown, "…")) {
			t.Errorf("%q is shown as %q", line, shown)
		}
	}
}

// TestKubernetesPlaces changes a manifest in ways that change nothing: what is written for each value must still stand
// at its place.
func TestKubernetesPlaces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	base := fmt.Sprintf(kubeManifest, "Y2FuYXJ5LTAxMjM0NTY3ODk=")
	want := describeKube(t, base)
	changes := []func(string) string{
		func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		func(s string) string { return "# ä 漢字 \U0001f600\n" + s },
		func(s string) string {
			return strings.ReplaceAll(s, "          env:", "          # ö\n\n          env:   # c")
		},
		func(s string) string { return strings.ReplaceAll(s, "value: /tmp", "value: \"/tmp\"  # here") },
		func(s string) string { return strings.ReplaceAll(s, "value: /tmp", "value: '/tmp'") },
		func(s string) string { return strings.ReplaceAll(s, "value: /tmp", "value: \"/t\\x6dp\"") },
		func(s string) string {
			return strings.ReplaceAll(s, "image: docker-", "image: >-\n            docker-")
		},
		func(s string) string {
			return strings.ReplaceAll(s, "            - name: tmp\n              mountPath: /tmp", "            - {mountPath: /tmp, name: tmp}")
		},
		func(s string) string { return strings.ReplaceAll(s, "\n---\n", "\n...\n--- # next\n") },
		func(s string) string { return strings.ReplaceAll(s, "name: ", "name:   ") },
	}
	for range 300 {
		text := base
		for _, i := range random.Perm(len(changes))[:1+random.IntN(4)] {
			text = changes[i](text)
		}
		if random.IntN(3) == 0 {
			text = "\ufeff" + text
		}
		if got := describeKube(t, text); got != want {
			t.Fatalf("%s\nwas read as\n%s\nwant\n%s", text, got, want)
		}
	}
}

// describeKube says what is read, and checks that it stands where it says.
func describeKube(t *testing.T, text string) string {
	t.Helper()
	reading := Read("r.yaml", []byte(text), notThere)
	if len(reading.Definitions) != 1 || len(reading.Mistakes) > 0 {
		t.Fatalf("%d runners in\n%s\n%+v", len(reading.Definitions), text, reading.Mistakes)
	}
	d := reading.Definitions[0]
	if d.Daemon == nil || !d.Daemon.Privileged {
		t.Fatal("no daemon")
	}
	var out strings.Builder
	for _, value := range append(texts(d), d.Daemon.Name, d.Daemon.Image) {
		fmt.Fprintf(&out, "%s\n", value.Value)
		written := value.Place.Text()
		if written != value.Value && !strings.Contains(written, `\x6d`) {
			t.Errorf("%q is said to stand where %q is", value.Value, written)
		}
		if outer := value.Place.Outermost(); outer.End > len(outer.File.Text) || outer.File.Path != "r.yaml" {
			t.Errorf("%q is outside of the file", value.Value)
		}
	}
	return out.String()
}

// FuzzKubernetes reads anything that begins as a manifest: no panic, places within the file, no secret shown.
func FuzzKubernetes(f *testing.F) {
	for _, data := range kubeCases(f) {
		f.Add(data)
	}
	f.Add([]byte(fmt.Sprintf(kubeManifest, "Y2FuYXJ5LTAxMjM0NTY3ODk=")))
	f.Fuzz(func(t *testing.T, data []byte) {
		reading := Read("r.yaml", data, notThere)
		for _, p := range reading.Configs {
			for at := range min(len(p.File.Text), 64) {
				p.File.At(at, at+1).Excerpt()
			}
		}
		for _, m := range slices.Concat(reading.Mistakes, reading.Faults) {
			m.Place.Excerpt()
		}
		for _, d := range reading.Definitions {
			for _, text := range texts(d) {
				if outer := text.Place.Outermost(); outer.File != nil && (outer.Start > outer.End || outer.End > len(outer.File.Text)) {
					t.Errorf("%q from %d to %d", text.Value, outer.Start, outer.End)
				}
				text.Place.Excerpt()
			}
			secretsHidden(t, d)
		}
	})
}

// TestKubernetesBounds reads manifests made to take long, to go deep or to grow.
func TestKubernetesBounds(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: r\n      image: x/bitbucket-pipelines-runner\n"
	var doubling strings.Builder
	doubling.WriteString(pod + "      env:\n        - {name: V0, value: aaaaaaaa}\n")
	for i := range 60 {
		fmt.Fprintf(&doubling, "        - {name: V%d, value: $(V%d)$(V%d)}\n", i+1, i, i)
	}
	bomb := "apiVersion: v1\nkind: List\nx: &a {apiVersion: v1, kind: List, items: []}\n"
	for i := range 20 {
		bomb += fmt.Sprintf("x%d: &b%d {apiVersion: v1, kind: List, items: [%s]}\n", i, i, strings.Repeat(fmt.Sprintf("*b%d,", max(i-1, 0)), 9))
	}
	bomb = strings.Replace(bomb, "items: [*b0,*b0,*b0,*b0,*b0,*b0,*b0,*b0,*b0,]", "items: [*a]", 1) + "items: [*b19,*b19]\n"
	cube := "apiVersion: v1\nkind: List\ne: &e {name: ACCOUNT_UUID, value: x}\nc: &c {image: x/bitbucket-pipelines-runner, env: [" +
		strings.Repeat("*e,", 1000) + "]}\np: &p {apiVersion: v1, kind: Pod, spec: {containers: [" + strings.Repeat("*c,", 1000) +
		"]}}\nitems: [" + strings.Repeat("*p,", 1000) + "]\n"
	for name, text := range map[string]string{
		"doubling":       doubling.String(),
		"lists in lists": bomb,
		"aliases":        cube,
		"depth":          "apiVersion: v1\nkind: Pod\nx: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n",
		"templates":      "apiVersion: v1\nkind: Pod\nx: {{ a\n" + strings.Repeat("y: {{ .b }} {{\n", 50_000),
		"open templates": "apiVersion: v1\nkind: {{ .x }}\n" + strings.Repeat("{{ ", 300_000),
		"long line":      pod + "      env: [{name: ACCOUNT_UUID, value: " + strings.Repeat("a", 10<<20) + "}]\n",
		"many Secrets":   pod + strings.Repeat("---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {oauthClientSecret: Y2FuYXJ5LTAxMjM0NTY3ODk=}\n", 5000),
		"many keys":      pod + "---\napiVersion: v1\nkind: Secret\ndata:\n" + kubeNumbered("  oauthClient%d: eA==\n", 20_000),
		"many volumes":   pod + "      volumeMounts:\n" + kubeNumbered("        - {name: v%d, mountPath: /v}\n", 10_000) + "  volumes:\n" + numbered("    - name: v%d\n", 10_000),
		"many runners":   strings.Repeat(pod+"---\n", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			Read("r.yaml", []byte(text), notThere)
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}

func kubeNumbered(line string, n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, line, i)
	}
	return out.String()
}
