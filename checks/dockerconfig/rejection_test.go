package dockerconfig

import (
	"strings"
	"testing"
)

// What the runner's reader refuses as a whole, and in which words. Places are LINE:COLUMN.
func TestRejection(t *testing.T) {
	good := `"reg.example.com":{"auth":"` + b64("user:pass") + `"}`
	const parse, invalid = "Failed to parse docker config.json", "Invalid auth configuration file"
	for _, row := range []struct{ name, config, text, place, key string }{
		{"good", `{"auths":{` + good + `}}`, "", "", ""},
		{"auth without a colon", `{"auths":{"b":{"auth":"bm9jb2xvbg=="}}}`, invalid, "1:23", "b"},
		{"empty auth", `{"auths":{"b":{"auth":""}}}`, invalid, "1:23", "b"},
		{"the entry is for another registry", `{"auths":{` + good + `,"b":{"auth":""}}}`, invalid, "1:65", "b"},
		{"auth in plain text", `{"auths":{"b":{"auth":"user:pass"}}}`, "Illegal base64 character 3a", "1:28", "b"},
		{
			"auth with a line break", `{"auths":{"b":{"auth":"dXNl\ncjpwYXNz"}}}`, "Illegal base64 character a",
			"1:28",
			"b",
		},
		{
			"auth with a carriage return", `{"auths":{"b":{"auth":"dXNlcjpwYXNz\r"}}}`, "Illegal base64 character d",
			"1:36", "b",
		},
		{"auth with a blank", `{"auths":{"b":{"auth":"dXNl cjpwYXNz"}}}`, "Illegal base64 character 20", "1:28", "b"},
		{"auth URL-safe -", `{"auths":{"b":{"auth":"dXNlcjr-"}}}`, "Illegal base64 character 2d", "1:31", "b"},
		{"auth URL-safe _", `{"auths":{"b":{"auth":"dXNlcjr_"}}}`, "Illegal base64 character 5f", "1:31", "b"},
		{"auth a number", `{"auths":{"b":{"auth":1234}}}`, invalid, "1:23", "b"},
		{"auth null", `{"auths":{"b":{"auth":null}}}`, "", "", ""},
		{"an entry that is null", `{"auths":{"b":null}}`, "NullPointerException", "1:15", "b"},
		{"the first bad entry counts", `{"auths":{"a":null,"b":{"auth":""}}}`, "NullPointerException", "1:15", "a"},
		{"a bad entry that is overwritten", `{"auths":{"b":null,"b":{}}}`, "", "", ""},
		{"a good entry that is overwritten", `{"auths":{"b":{},"b":null}}`, "NullPointerException", "1:22", "b"},
		{"an entry that is a string", `{"auths":{"b":"dXNlcjpwYXNz"}}`, parse, "1:15", "b"},
		{"an entry that is an array", `{"auths":{"b":[]}}`, parse, "1:15", "b"},
		{"an entry that is a string and overwritten", `{"auths":{"b":"x","b":{}}}`, parse, "1:15", ""},
		{"auths that is an array", `{"auths":[]}`, parse, "1:10", ""},
		{"auths that is a string", `{"auths":""}`, parse, "1:10", ""},
		{"auths that is an array and overwritten", `{"auths":[],"auths":{}}`, parse, "1:10", ""},
		{"a field that is an object", `{"auths":{"b":{"username":{}}}}`, parse, "1:27", "b"},
		{"a field that is an array", `{"auths":{"b":{"auth":["x"]}}}`, parse, "1:23", "b"},
		{"an unknown field that is an object", `{"auths":{"b":{"note":{}}}}`, "", "", ""},
		{"currentContext an object", `{"currentContext":{}}`, parse, "1:19", ""},
		{"currentContext a number", `{"currentContext":1}`, "", "", ""},
		{"credsStore an object", `{"credsStore":{},"psFormat":1,"plugins":[]}`, "", "", ""},
		{"bad JSON", `{"auths":{` + good + `}`, parse, "1:1", ""},
		{"a comment", "{\n  // mine\n  \"auths\":{}}", parse, "2:3", ""},
		{"a trailing comma", `{"auths":{},}`, parse, "1:12", ""},
		{"empty file", "", parse, "", ""},
		{"white space", " \n", parse, "", ""},
		{"an array", `[]`, parse, "1:1", ""},
		{"a string", `"x"`, parse, "1:1", ""},
		{"bytes that are not UTF-8", "{\"auths\":{\"b\xfcro\":{}}}", parse, "1:13", ""},
		{"null", `null`, "", "", ""},
		{"auths null", `{"auths":null}`, "", "", ""},
		{"no auths", `{}`, "", "", ""},
		{"Auths", `{"Auths":[]}`, "", "", ""},
		{"text after the end", `{"auths":{}}}`, "", "", ""},
		{"UTF-8 BOM", "\ufeff{}", "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			rejection := Parse("config.json", []byte(row.config)).Rejection()
			if rejection == nil {
				rejection = &Rejection{}
			}
			place := strings.TrimPrefix(rejection.Place.Position().String(), "config.json")
			if rejection.Text != row.text || strings.TrimPrefix(place, ":") != row.place || rejection.Key != row.key {
				t.Errorf("%s\ngot %q at %s, key %q; want %q at %s, key %q", row.config, rejection.Text, place,
					rejection.Key,
					row.text, row.place, row.key)
			}
			if got := rejection.Entry != nil; got != (row.key != "") {
				t.Errorf("has an entry: %t", got)
			}
		})
	}
}
