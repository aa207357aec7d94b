package checks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// TestHosts runs all checks on whole hosts: each folder of testdata/hosts is one, with the files that its user has and
// its network (scene.json). want.txt is the exit code, what has to be mended, and every finding beyond a pass.
func TestHosts(t *testing.T) {
	folders, err := filepath.Glob("../testdata/hosts/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("there are no hosts", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(folder, "want.txt")
			got := judged(t, folder)
			if *checks.Update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// judged is what is said of a host, in its stable form.
func judged(t *testing.T, folder string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// Nothing in a scene is slow but the machine that it runs on.
	selection, err := checks.Select(checks.All(), nil, []string{"slow-endpoint"})
	if err != nil {
		t.Fatal(err)
	}
	host := checks.HostOf(t, folder)
	r := report.New(report.Run{Host: host, Results: checks.Run(ctx, host, selection)})
	var out strings.Builder
	fmt.Fprintf(&out, "exit %d\n", r.ExitCode(checks.Fail))
	for _, cause := range r.Causes {
		if len(cause.By) == 0 {
			fmt.Fprintf(&out, "cause %s %s %s", cause.Status, cause.Problem.ID, cause.Root)
			if at := cause.Location().Position(); at.Path != "" {
				fmt.Fprintf(&out, " at %s", at)
			}
			fmt.Fprintf(&out, " explains %d\n", cause.Size()-len(cause.Findings))
		}
	}
	for _, result := range r.Results {
		for _, finding := range result.Findings {
			if finding.Status > checks.Pass {
				out.WriteString(checks.Line(finding))
			}
		}
	}
	return out.String()
}

// TestVantage has every format say that the docker daemon is who found an image, and none what is secret.
func TestVantage(t *testing.T) {
	for folder, want := range map[string]map[string]string{
		"healthy-docker-desktop": {
			"text": "resolves for the docker daemon, and not for this process", "json": `"vantage":"docker daemon"`,
			"html": "vantage", "markdown": "(vantage: docker daemon)", "junit": "resolves for the docker daemon",
			"sarif": `"vantage":"docker daemon"`,
		},
		"daemon-without-the-proxy": {
			"text": "the docker daemon goes to registry-1.docker.io directly", "json": `"vantage":"both"`, "html": "vantage",
			"markdown": "(vantage: both)", "junit": "vantage: both", "sarif": `"vantage":"both"`,
			"github": "the docker daemon goes to", "codequality": "the docker daemon goes to",
		},
		"daemon-without-the-authority": {
			"text": "does not trust", "json": `"vantage":"docker daemon"`, "html": "does not trust", "markdown": "does not trust",
		},
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			selection, err := checks.Select(checks.All(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			host := checks.HostOf(t, "../testdata/hosts/"+folder)
			r := report.New(report.Run{Host: host, Results: checks.Run(ctx, host, selection)})
			for name, format := range report.Formats(report.TextOptions{Verbose: true, Unicode: true, Width: 1000}) {
				var out strings.Builder
				if err := format(&out, r); err != nil {
					t.Fatal(err)
				}
				text := strings.Join(strings.Fields(strings.ReplaceAll(out.String(), `": "`, `":"`)), " ")
				if !strings.Contains(text, want[name]) {
					t.Errorf("%s lacks %q", name, want[name])
				}
				for _, secret := range []string{"correct-horse", "Y2k6Y29ycmVjdC1ob3JzZQ", "hub-s3cret-9"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s has %s", name, secret)
					}
				}
			}
		})
	}
}
