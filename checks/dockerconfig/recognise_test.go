package dockerconfig

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func TestRecognise(t *testing.T) {
	wide := func(text string) string {
		out := "\xff\xfe"
		for _, unit := range utf16.Encode([]rune(text)) {
			out += string([]byte{byte(unit), byte(unit >> 8)})
		}
		return out
	}
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"a.json", `{"auths": {}}`, true},
		{"a.json", "\ufeff\n{\n  \"credsStore\": \"desktop\"\n}", true},
		{"a.json", `{"credHelpers": {"r.example.com": "ecr-login"}}`, true},
		{"a.json", `{"psFormat": "x", "auths": {"r.example.com": {"auth": "eA=="},}}`, true},
		{"a.json", `{'auths': {}}`, true},
		{"a.json", `{auths: {}}`, true},
		{"a.json", `{“auths”: {}}`, true},
		{"a.json", "{ // don't touch\n \"auths\": {}", true},
		{"a.json", `{"Auths": {}}`, true},
		{"a.json", wide(`{"auths": {}}`), true},
		{"config.json", `{"r.example.com": {"auth": "eA=="}}`, true},
		{"conf/config.json", `{"server": {"auth": "none", "host": "r.example.com"}}`, false},
		{"config.json", `{"port": 80, "log.level": "x"}`, false},
		{"a.json", `{"r.example.com": {"auth": "eA=="}}`, false},
		{"a.json", `{"settings": {"auths": {}}}`, false},
		{"a.json", `{"about": "auths"}`, false},
		{"a.json", `{"about": "\"auths\": {}"}`, false},
		{"a.json", `[{"auths": {}}]`, false},
		{"auths.txt", `auths: {}`, false},
		{"config.json", ``, false},
		{"config.json", `{`, false},
	} {
		if got := Recognise(c.name, []byte(c.text)); got != c.want {
			t.Errorf("Recognise(%q, %q) = %v", c.name, c.text, got)
		}
	}
}

// What somebody wrote to keep the reader busy takes time in proportion to its length.
func TestRecogniseIsLinear(t *testing.T) {
	for name, piece := range map[string]string{
		"quotes": "“", "escapes": `\"`, "apostrophes": "'x ", "braces": "{", "words": "auths ", "colons": `"a":`,
	} {
		text := []byte(`{"x": "auths", ` + strings.Repeat(piece, 1<<20/len(piece)))
		started := time.Now()
		Recognise("a.json", text)
		if took := time.Since(started); took > 30*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, seed := range []string{`{"auths": {}}`, `{'a.b': {"auth": "x"}}`, `{“auths: {]`, "\xff\xfe{\x00", `{"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) { Recognise("config.json", []byte(text)) })
}
