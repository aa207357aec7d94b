package dockerconfig

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// FuzzParse looks for texts that make the reader panic, point outside the text, disagree with encoding/json about
// what is JSON, or show a secret.
func FuzzParse(f *testing.F) {
	// An exclamation mark is in no name and in no host: wherever the fuzzer puts this, it is no key.
	const canary = "7!Kvw"
	for _, text := range leaking {
		planted, _ := planted(text)
		f.Add([]byte(planted))
		f.Add([]byte(strings.ReplaceAll(planted, canaryPassword, canary)))
	}
	for _, h := range hostile {
		if len(h.head) > 1000 {
			continue // the fuzzer would do nothing but shorten it
		}
		f.Add(h.text(len(h.head) + len(h.tail) + 3*len(h.again)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := Parse("config.json", data)
		checkSpans(t, file)
		checkJSON(t, file, data)
		for _, image := range []string{"pause", "reg.example.com/a:1", string(data[:min(len(data), 100)])} {
			runner := file.ForRunner(image)
			if runner.Reason == "" && (runner.Username == "" || runner.Password == "") {
				t.Errorf("no reason, and no credentials for %q", image)
			}
			file.ForDocker(image)
		}
		if file.Syntax != nil && len(data) < 500 && leak(file, []string{canary}) != "" {
			t.Errorf("%q shows a secret", data)
		}
	})
}

// checkJSON holds the verdict against that of encoding/json.
func checkJSON(t *testing.T, file *File, data []byte) {
	t.Helper()
	if file.Encoding != UTF8 || !utf8.Valid(data) {
		return
	}
	got := file.Syntax == nil && !file.Blank && file.Trailing.File == nil
	if want := json.Valid(data); got != want {
		t.Errorf("%q: valid %t, want %t (%+v)", data, got, want, file.Syntax)
	}
}

// checkSpans looks at every place that the file can give.
func checkSpans(t *testing.T, file *File) {
	t.Helper()
	inside := func(what string, s source.Span) {
		if s.File != nil && s.Start >= 0 && (s.Start > s.End || s.End > len(file.Source.Text)) {
			t.Errorf("%s: %d to %d of %d", what, s.Start, s.End, len(file.Source.Text))
		}
	}
	if file.Syntax != nil {
		inside("mistake", file.Syntax.Place)
		if at := file.Syntax.Place; !bytes.Equal([]byte(at.Text()), file.Source.Text[at.Start:at.End]) {
			t.Error("the mistake has no text")
		}
	}
	inside("root", file.Root.Place())
	inside("trailing", file.Trailing)
	for _, d := range file.Duplicates {
		if d.First.Key != d.Second.Key || d.First.keyStart >= d.Second.keyStart {
			t.Errorf("%q and %q are no twins", d.First.Key, d.Second.Key)
		}
		inside("twin", d.Second.KeyPlace())
		inside("object", d.Object.Place())
	}
	for _, e := range file.Entries() {
		inside("key", e.KeyPlace())
		inside("entry", e.Value.Place())
		if d := e.Decoded(); d.Err != nil {
			inside("auth", d.Err.Place)
		}
	}
	if r := file.Rejection(); r != nil {
		inside("rejection", r.Place)
	}
	for _, w := range file.WrongTypes() {
		inside("wrong type", w.Member.Value.Place())
	}
}
