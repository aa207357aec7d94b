package runner

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/source"
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
		sound(t, Read("run.sh", data, missing))
	})
}

// FuzzUnit does so for units, with any file for what they name.
func FuzzUnit(f *testing.F) {
	env, err := openCase("exported.env")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range caseNames(f) {
		if data, err := openCase(name); err == nil && unitForm.Match(data) {
			f.Add(data, env)
		}
	}
	f.Add([]byte("ExecStart=/bin/sh -c 'docker run \\\n -e A=\"${B}$$C%i\" x/pipelines-runner'\nEnvironmentFile=/x"), []byte("A='b\\"))
	f.Fuzz(func(t *testing.T, unit, named []byte) {
		if !unitForm.Match(unit) {
			unit = append([]byte("[Service]\n"), unit...)
		}
		sound(t, Read("/etc/systemd/system/a@b.service", unit, func(string) ([]byte, error) { return named, nil }))
	})
}

// sound checks that the places of a reading lie in their files, and that no secret shows.
func sound(t *testing.T, reading Reading) {
	t.Helper()
	for _, d := range reading.Definitions {
		for _, text := range texts(d) {
			for _, s := range []source.Span{text.Place, text.Use} {
				if s.File != nil && s.End > len(s.File.Text) {
					t.Errorf("%q at %d", text.Value, s.Start)
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
		"unit settings":     "[Service]\n" + strings.Repeat("ExecStart="+run+"\n", 15_000),
		"unit quotes":       "[Service]\nExecStart=" + run + strings.Repeat(`"a'`, 120_000),
		"unit variables":    "[Service]\nExecStart=" + run + strings.Repeat("${A", 120_000),
		"unit specifiers":   "[Service]\nExecStart=" + run + strings.Repeat("%i%z", 120_000),
		"unit escapes":      "[Service]\nExecStart=" + run + strings.Repeat(`\x41 \ -e `, 40_000),
		"unit comments":     "[Service]\nExecStart=" + run + strings.Repeat("\\\n# a\n", 120_000),
		"unit one line":     "[Service]\nExecStart=" + run + strings.Repeat("-e A=b ", 3_000_000),
		"unit lines":        "[Service]\nExecStart=" + run + strings.Repeat("\\\n-e A=b ", 2_000_000),
		"unit inner shells": "[Service]\nExecStart=sh -c '" + strings.Repeat("sh -c \"", 20_000) + run,
		"written files":     strings.Repeat("cat > a <<A\n"+run+"\nA\n", 5_000),
		"written in files":  strings.Repeat("cat > a <<A\n#!/bin/sh\n", 2_000) + run + strings.Repeat("\nA", 2000),
		"makefile":          "a:\n\t" + run + strings.Repeat("$(A)$$", 40_000),
		"yaml commands":     "a:\n" + strings.Repeat("  - "+run+"\n", 2_000),
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
