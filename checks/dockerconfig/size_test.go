package dockerconfig

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

type hostileText struct{ name, head, again, tail string }

// hostile are texts that make careless readers slow or hungry: a head, what is repeated, a tail.
var hostile = []hostileText{
	{"one long string", `{"auths":{"r":{"auth":"`, "A", `"}}}`},
	{"one long key", `{"`, "A", `":1}`},
	{"open brackets", "", "[", ""},
	{"open braces", "", `{"a":`, ""},
	{"brackets that close nothing", "{", "]", ""},
	{"braces that close arrays", strings.Repeat("[", 9000) + strings.Repeat(`{"a":`, 900), "]", ""},
	{"deep, then wide", strings.Repeat("[", 9990), `"a",`, "1" + strings.Repeat("]", 9990)},
	{"deep twins", "", `{"a":1,"a":`, ""},
	{"twins", `{"a":0`, `,"a":1`, "}"},
	{"large twins", `{"a":"` + strings.Repeat("x", 100_000) + `"`, `,"a":1`, "}"},
	{"an array of numbers", "[0", ",1", "]"},
	{"an array of strings", `[""`, `,"a"`, "]"},
	{"an array of objects", `[{}`, `,{}`, "]"},
	{"commas", "{", ",", "}"},
	{"blanks", "", " ", ""},
	{"line breaks", "{", "\n", "}"},
	{"indented brackets", strings.Repeat(" ", 100_000), "[", ""},
	{"quotes and line breaks", "{", "\"\n", ""},
	{"escaped quotes and line breaks", "{", "\"\n\\", ""},
	{"escaped quotes", "{\"", "\\\"", ""},
	{"strings over line breaks", "{", "\"a\nb", ""},
	{"single quotes", "{", "'", ""},
	{"typographic quotes", "{", "“", ""},
	{"a typographic quote in each string", "[\"\"", ",\"”,\"", "]"},
	{"words", "{", "a ", ""},
	{"keys without quotes", "{", "a:b,", ""},
	{"hosts without quotes", "", "reg.example.com: {\n", ""},
	{"hosts without a colon", "[", "a.b.c.d.e.f.g.h.", ""},
	{"comments", "{", "/**/", ""},
	{"open comments", "{", "/*", ""},
	{"equals signs", "{", "a=", ""},
	{"zeros", "{", "\x00", ""},
	{"bytes that are not UTF-8", "{\"", "\xff", "\"}"},
	{"non-breaking spaces", "{", "\u00a0", "}"},
	{"lone surrogates", `{"auths":{"`, `\ud800`, `":{"auth":""}}}`},
	{"backslashes", `{"`, `\`, `"}`},
	{"entries", `{"auths":{"a":{}`, `,"b":{"auth":"eDp5"}`, "}}"},
	{"null entries", `{"auths":{"a":{}`, `,"b":null`, "}}"},
	{"auths", `{"auths":{}`, `,"auths":{"a":null}`, "}"},
	{"text behind the end", "{}", "a b ", ""},
	{"UTF-16", "\xff\xfe{\x00", " \x00", "}\x00"},
}

// text repeats up to a size.
func (h hostileText) text(size int) []byte {
	again := max(0, size-len(h.head)-len(h.tail)) / len(h.again)
	return []byte(h.head + strings.Repeat(h.again, again) + h.tail)
}

// At a size at which time that grows with its square would take minutes.
func TestHostileTexts(t *testing.T) {
	for _, h := range hostile {
		data := h.text(200_000)
		started := time.Now()
		f := Parse("config.json", data)
		for _, image := range []string{"reg.example.com/a", "b/c", "b.example.com/d"} {
			f.ForRunner(image)
			f.ForDocker(image)
		}
		f.Source.At(len(f.Source.Text)/2, len(f.Source.Text)/2).Excerpt()
		if took := time.Since(started); took > 30*time.Second {
			t.Errorf("%s: took %v", h.name, took)
		}
	}
}

// manyEntries is a pretty-printed config.json of some 200 bytes for each entry.
func manyEntries(count int) []byte {
	var out bytes.Buffer
	auth := b64("user:" + strings.Repeat("x", 100))
	for i := range count {
		fmt.Fprintf(&out, ",\n\t\t\"registry-%06d.example.com\": {\n\t\t\t\"auth\": \"%s\"\n\t\t}", i, auth)
	}
	return []byte("{\n\t\"auths\": {" + out.String()[1:] + "\n\t}\n}\n")
}

// A config.json of 20 MB must leave a process small: what is kept of it beside its text is a fifth of that.
func TestMemoryOfManyEntries(t *testing.T) {
	data := manyEntries(100_000)
	before := heap()
	f := Parse("config.json", data)
	kept := heap() - before
	if kept > 12<<20 {
		t.Errorf("keeps %d MB of %d MB", kept>>20, len(data)>>20)
	}
	last := f.ForRunner("registry-099999.example.com/a")
	if last.Username != "user" || f.ForDocker("registry-000000.example.com/a").Username != "user" {
		t.Error("does not find the last entry, or the first")
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkManyEntries takes about half a second of processor time for 20 MB with 100,000 entries, and 62 MB at most
// in a process of its own.
func BenchmarkManyEntries(b *testing.B) {
	data := manyEntries(100_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		f := Parse("config.json", data)
		f.ForRunner("registry-099999.example.com/a")
		f.ForDocker("registry-099999.example.com/a")
	}
}
