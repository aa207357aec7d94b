package dockerconfig

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Mistakes that people make, what they are called, and what is pointed at: KIND LINE:COLUMN TEXT.
func TestSyntax(t *testing.T) {
	const entry = `"reg.example.com": {"auth": "dXNlcjpwYXNz"}`
	for _, row := range []struct{ name, text, want string }{
		{"fine", `{"auths": {` + entry + `}}`, ""},
		{"fine, escapes", `{"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00": -0.5e+10}`, ""},
		{"fine, typographic quotes and colons in a string", `{"a": "he said ”:” and 'x': y”, \"”}"}`, ""},
		{"fine, empty key and nested", `{"": [[], {}, [null, true, false, 0]]}`, ""},
		{
			"trailing comma behind the last entry", "{\n  \"auths\": {\n    " + entry + ",\n  }\n}",
			"trailing-comma 3:48 ,",
		},
		{"trailing comma behind the last member", `{"auths": {},}`, "trailing-comma 1:13 ,"},
		{"trailing comma in an array", `{"a": [1, ]}`, "trailing-comma 1:9 ,"},
		{
			"missing comma between entries", "{\"auths\": {\n  " + entry + "\n  " + entry + "\n}}",
			"missing-comma 2:46 ",
		},
		{"missing comma between members", "{\n  \"auths\": {}\n  \"credsStore\": \"x\"\n}", "missing-comma 2:14 "},
		{"missing comma between fields", `{"a": {"username": "u" "password": "p"}}`, "missing-comma 1:23 "},
		{"two commas", `{"a": 1,, "b": 2}`, "extra-comma 1:9 ,"},
		{"comma first", `{, "a": 1}`, "extra-comma 1:2 ,"},
		{"missing colon", `{"auths" {}}`, "missing-colon 1:9 "},
		{"equals sign", `{"auths" = {}}`, "missing-colon 1:10 ="},
		{"arrow", `{"auths" => {}}`, "missing-colon 1:10 =>"},
		{"comma for a colon", `{"auths", {}}`, "missing-colon 1:9 "},
		{"missing value", `{"auths": }`, "missing-value 1:10 "},
		{"line comment", "{\n  // ours\n  \"auths\": {}}", "comment 2:3 // ours"},
		{"comment behind a value", "{\"auths\": {} # ours\n}", "comment 1:14 # ours"},
		{"block comment", "{ /* one\ntwo */ \"auths\": {}}", "comment 1:3 /* one"},
		{"single quotes", `{'auths': {}}`, "single-quotes 1:2 '"},
		{"single quotes around a value", `{"a": 'b'}`, "single-quotes 1:7 '"},
		{"quote closed by a single one", "{\"a': 1}", "single-quotes 1:4 '"},
		{"typographic quotes", "{\n  “auths”: {}\n}", "typographic-quotes 2:3 “"},
		{"typographic quote closes", "{\n  \"auths”: {}\n}", "typographic-quotes 2:9 ”"},
		{"German quotes", `{„auths“: {}}`, "typographic-quotes 1:2 „"},
		{"typographic single quotes", `{‘auths’: {}}`, "typographic-quotes 1:2 ‘"},
		{"JSON5 key", `{auths: {}}`, "unquoted-key 1:2 auths"},
		{"JSON5 host", `{"auths": {reg.example.com: {}}}`, "unquoted-key 1:12 reg.example.com"},
		{"unquoted value", `{"auth": dXNlcjpwYXNz}`, "unquoted-value 1:10 dXNlcjpwYXNz"},
		{"Python's literals", `{"a": True}`, "unquoted-value 1:7 True"},
		{"leading zero", `{"a": 01}`, "unquoted-value 1:7 01"},
		{"last brace missing", "{\n  \"auths\": {\n    " + entry + "\n  }\n", "unclosed-bracket 1:1 {"},
		{
			"a brace missing inside, as the indentation shows",
			"{\n  \"auths\": {\n    \"reg.example.com\": {\n      \"auth\": \"x\"\n  }\n}\n",
			"unclosed-bracket 3:24 {",
		},
		{"the inner closing brace missing, on one line", `{"auths": {"r": {"auth": "x"}}`, "unclosed-bracket 1:1 {"},
		{"cut off", "{\n  \"auths\": {\n    \"reg.example.com\": {", "unclosed-bracket 3:24 {"},
		{"array closed by a brace", `{"a": [1, 2}`, "unclosed-bracket 1:7 ["},
		{"closing bracket that closes nothing", `{"a": 1]}`, "extra-bracket 1:8 ]"},
		{"string not closed", "{\n  \"auth\": \"dXNl\n}", `unclosed-string 2:11 "dXNl`},
		{"string not closed before a comma", "{\n  \"a\": \"x,\n  \"b\": \"y\"\n}", `unclosed-string 2:8 "x`},
		{"key not closed", "{\n  \"auths: {\n    \"b\": {}}}", `unclosed-string 2:3 "auths: {`},
		{"string not closed at the end", `{"auth": "dXNl`, `unclosed-string 1:10 "dXNl`},
		{"Windows path", `{"a": "C:\path"}`, `backslash 1:10 \p`},
		{"half an escape", `{"a": "\u12"}`, `backslash 1:8 \u`},
		{"wrapped value", "{\"auth\": \"dXNl\ncjpwYXNz\"}", "control-character 1:15 \n"},
		{"wrapped value, quote on its own line", "{\"auth\": \"dXNl\n\"}", "control-character 1:15 \n"},
		{"tab in a string", "{\"a\": \"x\ty\"}", "control-character 1:9 \t"},
		{"NUL between values", "{\"a\": 1\x00}", "control-character 1:8 \x00"},
		{"YAML", "auths:\n  reg.example.com:\n    auth: x\n", "yaml 1:1 auths"},
		{"YAML with quotes", "\"auths\":\n  x: 1\n", "yaml 1:1 \"auths\""},
		{"a string with a colon in it", "\"A: \" ", ""},
		{"YAML with its mark", "---\nauths:\n", "yaml 1:1 ---"},
		{"brace missing at the beginning", "\"auths\": {\"a\": {}}\n}", "missing-brace 1:1 \"auths\""},
		{"Latin-1", "{\"a\": \"b\xfcro\"}", "invalid-utf8 1:9 \xfc"},
		{"Latin-1 outside a string", "{\"a\": \xfc}", "invalid-utf8 1:7 \xfc"},
		{"non-breaking space", "{\n\u00a0 \"a\": 1}", "non-breaking-space 2:1 \u00a0"},
		{"invisible character", "{\u200b\"a\": 1}", "non-breaking-space 1:2 \u200b"},
		{"a word", "hello", "not-json 1:1 hello"},
		{"too deep", strings.Repeat("[", 10_002), "nested-too-deeply 1:10001 ["},
		{"the first of several", `{"a": 1 "b": 'x',}`, "missing-comma 1:8 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := Parse("config.json", []byte(row.text))
			got := ""
			if s := f.Syntax; s != nil {
				at := s.Place.Position()
				got = fmt.Sprintf("%s %d:%d %s", s.Kind, at.Line, at.Column, s.Place.Text())
			}
			if got != row.want {
				t.Errorf("%s\ngot  %q\nwant %q", row.text, got, row.want)
			}
			if valid := json.Valid([]byte(row.text)); row.want == "" && !valid {
				t.Errorf("%s is not valid at all", row.text)
			}
		})
	}
}

// What was meant is read all the same.
func TestReadsOn(t *testing.T) {
	for _, text := range []string{
		`{"auths": {"b": {"auth": "eDp5"}},}`,
		"{\"auths\": {\"b\": {\"auth\": \"eDp5\" // x\n}}}",
		`{'auths': {'b': {'auth': 'eDp5'}}}`,
		`{“auths”: {“b”: {“auth”: “eDp5”}}}`,
		`{auths: {b: {auth: eDp5}}}`,
		"{\"auths\": {\"b\": {\"auth\": \"eDp5\n}}}",
		"{\"auths\": {\"b\": {\"auth\": \"eDp5\"",
		`{"auths" {"b" {"auth" "eDp5"}}}`,
		"{\"auths\":\u00a0{\"b\": {\"auth\": \"eDp5\"}}}",
		`"auths": {"b": {"auth": "eDp5"}}}`,
	} {
		entries := Parse("config.json", []byte(text)).Entries()
		if len(entries) != 1 || entries[0].Key != "b" || entries[0].Decoded().Username != "x" {
			t.Errorf("%s: got %v", text, entries)
		}
	}
}

func TestTrailing(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", "{}\r\n\t ": "", `{}}`: "}", "{}\n\n{\"auths\": {}}\n": `{"auths": {}}`,
		`{"a": 1}, "b": 2}`: `, "b": 2}`,
	} {
		if got := Parse("config.json", []byte(text)).Trailing.Text(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestDuplicates(t *testing.T) {
	f := Parse("config.json",
		[]byte("{\"auths\": {\"a\": {}, \"b\": {\"x\": 1, \"x\": 2}, \"\\u0061\": 1},\n"+
			" \"auths\": {},\n \"auths\": 1, \"Auths\": 0}"))
	var got []string
	for _, d := range f.Duplicates {
		got = append(got, fmt.Sprintf("%s %v %v", d.First.Key, d.First.KeyPlace().Position(),
			d.Second.KeyPlace().Position()))
	}
	want := "x config.json:1:27 config.json:1:35;a config.json:1:12 config.json:1:44;" +
		"auths config.json:1:2 config.json:2:2;auths config.json:2:2 config.json:3:2"
	if strings.Join(got, ";") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ";"), want)
	}
	if object := f.Duplicates[2].Object.Place(); object.Start != 0 {
		t.Errorf("the object of auths begins at %d", object.Start)
	}
}

func TestEncoding(t *testing.T) {
	const text = `{"auths": {"bär": {}}}`
	utf16 := func(low bool, mark string) string {
		out := mark
		for _, c := range text {
			pair := []byte{byte(c >> 8), byte(c)}
			if low {
				pair = []byte{byte(c), byte(c >> 8)}
			}
			out += string(pair)
		}
		return out
	}
	for _, row := range []struct {
		data string
		want Encoding
	}{
		{text, UTF8},
		{"\ufeff" + text, UTF8BOM},
		{utf16(true, "\xff\xfe"), UTF16LE},
		{utf16(false, "\xfe\xff"), UTF16BE},
		{utf16(true, ""), UTF16LE},
		{utf16(false, ""), UTF16BE},
		{"\xff\xfe\x00\x00{\x00\x00\x00}\x00\x00\x00", UTF32LE},
		{"\x00\x00\x00{\x00\x00\x00}", UTF32BE},
	} {
		f := Parse("config.json", []byte(row.data))
		if f.Encoding != row.want || f.Syntax != nil || f.Root.Kind != Object {
			t.Errorf("%q: got %s, %v", row.data, f.Encoding, f.Syntax)
		}
	}
	if f := Parse("config.json", []byte(utf16(true, "\xff\xfe"))); f.Entries()[0].Key != "bär" {
		t.Errorf("got %q", f.Entries()[0].Key)
	}
}

func TestBlank(t *testing.T) {
	for _, text := range []string{"", " ", "\r\n\t", "\ufeff", "\ufeff\n", "\xff\xfe"} {
		if f := Parse("config.json", []byte(text)); !f.Blank || f.Syntax != nil {
			t.Errorf("%q: blank %t, %v", text, f.Blank, f.Syntax)
		}
	}
	for _, text := range []string{"{}", "\x00", "null", "\u00a0", "# x"} {
		if f := Parse("config.json", []byte(text)); f.Blank {
			t.Errorf("%q counts as blank", text)
		}
	}
}
