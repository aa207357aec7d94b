package source

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Positions are compared with a count from the beginning of the text.
func TestPosition(t *testing.T) {
	texts := map[string]string{
		"empty": "", "one line": "abc", "line breaks alone": strings.Repeat("\n", 5000),
		"long line": strings.Repeat("x", 5000) + "\n" + strings.Repeat("é", 3000) + "\nend",
		"windows":   strings.Repeat("a\r\nbé\r\n", 900), "not UTF-8": "a\xff\xfeb\nc\x80d",
	}
	for name, text := range texts {
		file := New("f", []byte(text))
		for offset := 0; offset <= len(text); offset += 1 + offset%7 {
			if offset < len(text) && !utf8.RuneStart(text[offset]) {
				continue
			}
			before := text[:offset]
			start := strings.LastIndexByte(before, '\n') + 1
			want := Position{Path: "f", Line: strings.Count(before, "\n") + 1, Column: characters([]byte(before[start:])) + 1}
			if got := file.Position(offset); got != want {
				t.Fatalf("%s: Position(%d) = %v, want %v", name, offset, got, want)
			}
			first, end := file.Line(want.Line)
			line, _, _ := strings.Cut(text[start:], "\n")
			if first != start || text[first:end] != strings.TrimSuffix(line, "\r") {
				t.Fatalf("%s: Line(%d) = %d, %d, want %q at %d", name, want.Line, first, end, line, start)
			}
		}
	}
}

func TestExcerpt(t *testing.T) {
	file := New("f", []byte("{\n\t\"auth\": \"c2VjcmV0\", \"é\": \x1b[31m\u202e1\n}"))
	secret := strings.Index(string(file.Text), "c2VjcmV0")
	file.Hide(secret, secret+8)
	for _, c := range []struct {
		start, end int
		want       Excerpt
	}{
		{3, 9, Excerpt{2, ` "auth": "********", "é": ` + "\ufffd[31m\ufffd1", 1, 6}},
		{secret, secret + 8, Excerpt{2, ` "auth": "********", "é": ` + "\ufffd[31m\ufffd1", 10, 8}},
		{secret + 2, secret + 3, Excerpt{2, ` "auth": "********", "é": ` + "\ufffd[31m\ufffd1", 10, 8}},
		{len(file.Text), len(file.Text), Excerpt{3, "}", 1, 1}},
	} {
		if got := file.At(c.start, c.end).Excerpt(); got != c.want {
			t.Errorf("excerpt of %d to %d: %+v, want %+v", c.start, c.end, got, c.want)
		}
	}
	if got := (Span{}).Excerpt(); got != (Excerpt{}) {
		t.Errorf("excerpt of nothing: %+v", got)
	}
}

// A line of 20 MB is cut around the span, and costs nothing to speak of.
func TestExcerptOfALongLine(t *testing.T) {
	text := strings.Repeat("a", 10<<20) + "HERE" + strings.Repeat("b", 10<<20)
	file := New("f", []byte(text))
	for range 100 {
		got := file.At(10<<20, 10<<20+4).Excerpt()
		want := "…" + strings.Repeat("a", excerptMargin) + "HERE" + strings.Repeat("b", excerptMargin) + "…"
		if got.Text != want || got.Column != excerptMargin+1 || got.Width != 4 {
			t.Fatalf("excerpt: %+v", got)
		}
	}
}

// TestHideEvery hides one secret that stands in many places, once for each of them as readers do: no more than once is it
// searched for.
func TestHideEvery(t *testing.T) {
	const lines = 20_000
	text := strings.Repeat("TOKEN=s3cretvalue\n", lines)
	file := New("f", []byte(text))
	started := time.Now()
	for range lines {
		file.HideEvery("s3cretvalue")
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
	if shown := file.At(0, len(text)).Shown(len(text)); strings.Contains(shown, "s3cret") {
		t.Error("a secret is shown")
	}
}
