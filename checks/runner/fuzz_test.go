package runner

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// FuzzRead checks that no text makes the reader panic, that every place lies in its file, and that the value of a
// secret variable never shows.
func FuzzRead(f *testing.F) {
	for _, name := range caseNames(f) {
		data, err := openCase(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		missing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
		reading := Read("run.sh", data, missing)
		for _, d := range reading.Definitions {
			for _, text := range texts(d) {
				for _, s := range []int{text.Place.Start, text.Use.Start} {
					if text.Place.File != nil && s > len(text.Place.File.Text) {
						t.Errorf("%q at %d", text.Value, s)
					}
				}
				_ = text.Place.Text() + text.Use.Text()
				text.Place.Excerpt()
			}
			for _, m := range append(d.Mistakes, reading.Mistakes...) {
				_ = m.Place.Text()
				m.Place.Excerpt()
			}
			secretsHidden(t, d)
		}
	})
}

// secretsHidden checks that the excerpt at a secret's value does not show that.
func secretsHidden(t *testing.T, d *Definition) {
	t.Helper()
	for _, v := range d.Environment {
		value := v.Value.Place.Text()
		if !v.Secret() || v.Value.Unresolved != "" || len(value) < 8 || strings.ContainsAny(value, "\n\r<>${}") {
			continue
		}
		if shown := v.Value.Place.Excerpt().Text; strings.Contains(shown, value) {
			t.Errorf("%s shows in %q", v.Name.Value, shown)
		}
	}
}

// TestBounds reads texts made to take long, to go deep or to grow. Each takes under half a second by itself; the limit
// is for what grows with the square of the text, on a machine that has other things to do and looks for races.
func TestBounds(t *testing.T) {
	run := "docker run -e ACCOUNT_UUID=x atlassian/bitbucket-pipelines-runner "
	doubling := "A=aaaaaaaaaaaaaaaa\n" + strings.Repeat("A=$A$A\n", 60) +
		"docker run -e ACCOUNT_UUID=$A x/bitbucket-pipelines-runner\n"
	for name, text := range map[string]string{
		"long line":         strings.Repeat("a", 256<<10),
		"long option":       run + strings.Repeat("-e A=b ", 120_000),
		"many commands":     strings.Repeat(run+"\n", 15_000),
		"commands in one":   "# " + strings.Repeat(run, 15_000),
		"names in a path":   strings.Repeat("docker/", 80_000),
		"brackets":          strings.Repeat("(", 256<<10) + run,
		"substitutions":     strings.Repeat("$(", 30_000) + run,
		"conditions":        strings.Repeat("if ", 80_000) + run,
		"arithmetic":        run + strings.Repeat("$((1+", 50_000),
		"quotes":            run + strings.Repeat(`"'`, 120_000),
		"backslashes":       run + strings.Repeat("\\ \n", 80_000),
		"placeholders":      run + strings.Repeat("<a-b> ", 80_000),
		"doubling":          doubling,
		"recursion":         "f() { f; f; docker run -e ACCOUNT_UUID=x x/bitbucket-pipelines-runner; }\nf\n",
		"secrets":           strings.Repeat("TOKEN=abcdefgh ", 50_000),
		"one long secret":   "TOKEN=\"" + strings.Repeat("token=", 80_000),
		"here-documents":    strings.Repeat("cat <<A\n", 30_000) + run,
		"zeros":             run + strings.Repeat("\x00", 256<<10),
		"invalid bytes":     run + strings.Repeat("\xff\xfe", 256<<10),
		"nested inner text": strings.Repeat("bash -c '", 1000) + run,
		"branches":          strings.Repeat("if a; then X=1; else Y=2; fi\n", 8000) + run,
		"variables":         many(4000) + strings.Repeat("a && b\n", 4000) + run,
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			Read("run.sh", []byte(text), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// many assigns n variables.
func many(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "V%d=1\n", i)
	}
	return out.String()
}
