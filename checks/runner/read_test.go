package runner

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks/source"
)

var update = flag.Bool("update", false, "write the .want files anew")

const cases = "testdata/cases"

func openCase(path string) ([]byte, error) { return os.ReadFile(filepath.Join(cases, path)) }

// TestRead compares what is read from each file of testdata/cases with the file's .want.
func TestRead(t *testing.T) {
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			data, err := openCase(name)
			if err != nil {
				t.Fatal(err)
			}
			reading := Read(name, data, openCase)
			wellPlaced(t, reading)
			noCanary(t, reading)
			got, path := describe(reading), filepath.Join(cases, name+".want")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func caseNames(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(cases, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	var names []string
	for _, path := range paths {
		if !strings.HasSuffix(path, ".want") {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// describe writes a reading down for people: what was read, each thing with its place.
func describe(r Reading) string {
	var out strings.Builder
	fmt.Fprintln(&out, r.Kind)
	for _, m := range r.Mistakes {
		fmt.Fprintln(&out, mistake(m))
	}
	for _, d := range r.Definitions {
		fmt.Fprintf(&out, "\nrunner %s\n", at(d.Place))
		if d.States.Image {
			fmt.Fprintln(&out, "  image", text(d.Image))
		}
		for _, v := range d.Environment {
			fmt.Fprintf(&out, "  env %s%s = %s\n", text(v.Name), flags("file", v.FromFile, "bare", v.NoValue), text(v.Value))
		}
		for _, m := range d.Mounts {
			fmt.Fprintf(&out, "  mount %s -> %s%s\n", text(m.Source), text(m.Target), flags("ro", m.ReadOnly, "volume", m.Volume))
		}
		for _, o := range d.Options {
			if o.Long != "env" && o.Long != "volume" && o.Long != "mount" {
				fmt.Fprintf(&out, "  option %s %q%s\n", o.Name.Value, o.Value.Value, flags("unknown", !o.Known))
			}
		}
		for _, a := range d.Arguments {
			fmt.Fprintln(&out, "  argument", text(a))
		}
		for _, u := range d.Unread {
			fmt.Fprintln(&out, "  unread", text(u))
		}
		for _, e := range d.EnvFiles {
			fmt.Fprintf(&out, "  file %s%s\n", text(e.Path), flags("missing", errors.Is(e.Err, fs.ErrNotExist)))
		}
		for _, m := range d.Mistakes {
			fmt.Fprintln(&out, " ", mistake(m))
		}
	}
	return out.String()
}

func at(s source.Span) string {
	p := s.Position()
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

func text(t Text) string {
	out := fmt.Sprintf("%q", t.Value)
	if t.Place.File != nil {
		out += " " + at(t.Place)
	}
	if t.Use.File != nil {
		out += " by " + at(t.Use)
	}
	if t.Unresolved != "" {
		out += " (" + t.Unresolved + ")"
	}
	if t.Placeholder != "" {
		out += " placeholder"
	}
	return out + flags("home", t.Home)
}

func flags(pairs ...any) string {
	out := ""
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].(bool) {
			out += " " + pairs[i].(string)
		}
	}
	return out
}

func mistake(m Mistake) string {
	out := fmt.Sprintf("! %s %s %q", m.Kind, at(m.Place), m.Place.Text())
	if m.Near != "" {
		out += " near " + m.Near
	}
	return out + flags("loses", m.Loses) + ": " + m.Detail
}

// texts are all texts of a definition.
func texts(d *Definition) []Text {
	out := append(append([]Text{d.Image}, d.Arguments...), d.Unread...)
	for _, v := range d.Environment {
		out = append(out, v.Name, v.Value)
	}
	for _, m := range d.Mounts {
		out = append(out, m.Source, m.Target)
	}
	for _, o := range append(append([]Option{}, d.Options...), d.Misplaced...) {
		out = append(out, o.Name, o.Value)
	}
	for _, e := range d.EnvFiles {
		out = append(out, e.Path)
	}
	return out
}

// wellPlaced checks that every place lies in its file, and that what stands there is what was read, but for what
// quotes, expansions and escapes account for.
func wellPlaced(t *testing.T, r Reading) {
	t.Helper()
	spans := []source.Span{}
	for _, m := range r.Mistakes {
		spans = append(spans, m.Place)
	}
	for _, d := range r.Definitions {
		spans = append(spans, d.Place)
		for _, m := range d.Mistakes {
			spans = append(spans, m.Place)
		}
		for _, text := range texts(d) {
			spans = append(spans, text.Place, text.Use)
			written := text.Place.Text()
			if text.Place.File == nil || text.Home || strings.ContainsAny(written, "$%\\\"'`") || text.Unresolved != "" {
				continue
			}
			if name := strings.TrimLeft(text.Value, "-"); written != text.Value && written != name {
				t.Errorf("%q is said to stand at %s, where %q is", text.Value, text.Place.Position(), written)
			}
		}
	}
	for _, s := range spans {
		if s.File != nil && s.Start >= 0 && (s.Start > s.End || s.End > len(s.File.Text)) {
			t.Errorf("a place from %d to %d in a file of %d bytes", s.Start, s.End, len(s.File.Text))
		}
	}
}

// noCanary checks that nothing that can be shown holds a secret: the cases' secrets begin with "canary".
func noCanary(t *testing.T, r Reading) {
	t.Helper()
	files := map[*source.File]bool{}
	for _, d := range r.Definitions {
		files[d.File] = true
		for _, e := range d.EnvFiles {
			files[e.File] = e.File != nil
		}
		for _, v := range d.Environment {
			if file := v.Value.Place.File; file != nil {
				files[file] = true
			}
		}
		for _, m := range d.Mistakes {
			if strings.Contains(m.Detail, "canary") {
				t.Errorf("a secret in %q", m.Detail)
			}
		}
	}
	for file, there := range files {
		for line := 1; there && line <= strings.Count(string(file.Text), "\n"); line++ {
			start, end := file.Line(line)
			if excerpt := file.At(start, end).Excerpt(); strings.Contains(excerpt.Text, "canary") {
				t.Errorf("a secret in line %d: %s", line, excerpt.Text)
			}
		}
	}
}

// fileOf is the file that a reading is of, as far as it points into one.
func fileOf(r Reading) *source.File {
	for _, d := range r.Definitions {
		return d.File
	}
	for _, m := range r.Mistakes {
		return m.Place.File
	}
	return nil
}
