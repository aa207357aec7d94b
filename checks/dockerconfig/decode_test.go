package dockerconfig

import (
	"encoding/json"
	"testing"
)

// entryOf parses a config.json whose only entry has the auth, a decoded string.
func entryOf(t *testing.T, auth string) Entry {
	t.Helper()
	quoted, err := json.Marshal(auth)
	if err != nil {
		t.Fatal(err)
	}
	return Parse("config.json", []byte(`{"auths":{"r":{"auth":`+string(quoted)+`}}}`)).Entries()[0]
}

// What java.util.Base64.getDecoder() of OpenJDK 17 says of each.
func TestDecodeBase64(t *testing.T) {
	for _, row := range []struct{ text, want, failure string }{
		{"dXNlcjpwYXNz", "user:pass", ""},
		{"dXNlcjpwYXNzMQ==", "user:pass1", ""},
		{"dXNlcjpwYXNzMQ", "user:pass1", ""},
		{"dXNlcjpwYXNzMQ=", "", "Input byte array has wrong 4-byte ending unit"},
		{"dXNlcjpwYXNzMTI=", "user:pass12", ""},
		{"dXNlcjpwYXNzMTI", "user:pass12", ""},
		{"dXNlcjpwYXNzMTI==", "", "Input byte array has incorrect ending byte at 16"},
		{"dXNlcjpwYXNzMQ===", "", "Input byte array has incorrect ending byte at 16"},
		{"dXNlcjpwYXNz=", "", "Input byte array has wrong 4-byte ending unit"},
		{"dXNlcjpwYXNz==", "", "Input byte array has wrong 4-byte ending unit"},
		{"dXNlcjpwYXNzM", "", "Last unit does not have enough valid bits"},
		{"dXNlcjpwYXNzM=", "", "Last unit does not have enough valid bits"},
		{"dXNlcjpwYXNzMR==", "user:pass1", ""},
		{"", "", ""},
		{"=", "", "Input byte[] should at least have 2 bytes for base64 bytes"},
		{"d", "", "Input byte[] should at least have 2 bytes for base64 bytes"},
		{"é", "", "Input byte[] should at least have 2 bytes for base64 bytes"},
		{"==", "", "Input byte array has wrong 4-byte ending unit"},
		{"dX", "u", ""},
		{"dXNlcjpwYXNzMQ==\n", "", "Input byte array has incorrect ending byte at 16"},
		{"dXNlcjpw\nYXNz", "", "Illegal base64 character a"},
		{"dXNlcjpw YXNz", "", "Illegal base64 character 20"},
		{"user:pass", "", "Illegal base64 character 3a"},
		{"dXNlcjr-", "", "Illegal base64 character 2d"},
		{"dXNlcjr_", "", "Illegal base64 character 5f"},
		{"dXNlcjpwYXNzMQ%3D%3D", "", "Illegal base64 character 25"},
		{`"dXNlcjpwYXNz"`, "", "Illegal base64 character 22"},
		{"dXNlé", "", "Illegal base64 character -17"},
		{"dXNl€", "", "Illegal base64 character 3f"},
		{"dXNl😀", "", "Illegal base64 character 3f"},
		{"😀dXNl", "", "Illegal base64 character 3f"},
		{"dXNlcjpw==YXNz", "", "Input byte array has wrong 4-byte ending unit"},
		{"dXNlcjpwYQ==YXNz", "", "Input byte array has incorrect ending byte at 12"},
	} {
		got, failure := decodeBase64([]byte(row.text))
		if string(got) != row.want || failure.text != row.failure {
			t.Errorf("%q: got %q, %q; want %q, %q", row.text, got, failure.text, row.want, row.failure)
		}
	}
}

func TestDecodeKinds(t *testing.T) {
	pair := b64("user:pass~~~???>>")
	for _, row := range []struct {
		name, auth string
		kind       DecodeKind
		offset     int
		docker     bool
	}{
		{"empty", "", EmptyAuth, 0, false},
		{"plain text", "user:pass", Plaintext, 4, false},
		{"plain text with blanks and dashes", "ci-user:pass word", Plaintext, 2, false},
		{"plain text with a percent sign", "user:100%25", Plaintext, 4, false},
		{"plain text with an umlaut", "bär:pass", Plaintext, 1, false},
		{"wrapped", pair[:8] + "\n" + pair[8:], LineBreak, 8, true},
		{"wrapped by Windows", pair[:8] + "\r\n" + pair[8:], LineBreak, 8, true},
		{"line break at the end", b64("user:pass1") + "\n", LineBreak, 16, true},
		{"blank inside", pair[:8] + " " + pair[8:], BlankInAuth, 8, false},
		{"blank at the beginning", " " + pair, BlankInAuth, 0, false},
		{"blank at the end", b64("user:pass1") + " ", BlankInAuth, 16, false},
		{"tab at the end", pair + "\t", BlankInAuth, len(pair), false},
		{"header pasted", "Basic " + pair, BlankInAuth, 5, false},
		{"non-breaking space", "\u00a0" + pair, BlankInAuth, 0, false},
		{"URL-safe", "dXNlcjp-fn4_", URLSafe, 7, false},
		{"token that has a dash", "glpat-abcdefghijklmnop", OtherCharacter, 5, false},
		{"quotes inside", `"` + pair + `"`, QuotedAuth, 0, false},
		{"single quotes inside", "'" + pair + "'", QuotedAuth, 0, false},
		{"percent-encoded padding", "dXNlcjpwYXNzMQ%3D%3D", Percent, 14, false},
		{"percent-encoded slash", "dXNlcjp%2fcGFz", Percent, 7, false},
		{"cut short", "dXNlcjpwYXNzM", BadPadding, 13, false},
		{"one = too few", "dXNlcjpwYXNzMQ=", BadPadding, 14, false},
		{"one = too many", "dXNlcjpwYXNz=", BadPadding, 12, false},
		{"= in the middle", "dXNlcjpwYQ==YXNz", BadPadding, 12, false},
		{"asterisks", "********", OtherCharacter, 0, false},
		{"template", "${AUTH}", OtherCharacter, 0, false},
		{"no colon", b64("user"), WithoutColon, 8, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := entryOf(t, row.auth).Decoded()
			if !d.Present || d.Err == nil {
				t.Fatalf("%q: got %+v", row.auth, d)
			}
			if d.Err.Kind != row.kind || d.Err.Offset != row.offset || d.DockerReads != row.docker {
				t.Errorf("%q: got %s at %d, docker %t; want %s at %d, docker %t", row.auth, d.Err.Kind, d.Err.Offset,
					d.DockerReads, row.kind, row.offset, row.docker)
			}
		})
	}
}

func TestDecodedPairs(t *testing.T) {
	for _, row := range []struct {
		auth, user, password string
		docker               bool
	}{
		{b64("user:pass"), "user", "pass", true},
		{b64("user:pa:ss"), "user", "pa:ss", true},
		{"dXNlcjpwYXNzMQ", "user", "pass1", false},
		{b64("user:pass\r\n"), "user", "pass\r\n", true},
		{b64(" user : pass "), " user ", " pass ", true},
		{b64(":pass"), "", "pass", false},
		{b64("user:"), "user", "", true},
		{b64(":"), "", "", false},
		{b64("bär:pässe"), "bär", "pässe", true},
		{b64("user:pass\x00"), "user", "pass\x00", true},
		{b64("_json_key:{\n\"a\": \"b:c\"\n}"), "_json_key", "{\n\"a\": \"b:c\"\n}", true},
	} {
		d := entryOf(t, row.auth).Decoded()
		if d.Err != nil || d.Username != row.user || d.Password != row.password || d.DockerReads != row.docker {
			t.Errorf("%s: got %+v", row.auth, d)
		}
	}
}

func TestDecodedGuesses(t *testing.T) {
	type guess struct{ twice, token, noText bool }
	for _, row := range []struct {
		name, auth string
		want       guess
	}{
		{"encoded twice", b64(b64("user:pass")), guess{true, false, false}},
		{"encoded twice, with echo's line break", b64(b64("user:pass") + "\n"), guess{true, false, false}},
		{"encoded twice, without padding", b64("dXNlcjpwYXNzMQ"), guess{true, false, false}},
		{"a token, encoded", b64("dckr_pat_abcdefghijklmnop"), guess{false, true, false}},
		{"a token as it is", "glpat-abcdefghijklmnop", guess{false, true, false}},
		{"a user alone", b64("user"), guess{false, true, false}},
		{"words", b64("user pass"), guess{false, false, false}},
		{"a password as it is", "correcthorse", guess{false, false, true}},
		{"good", b64("user:pass"), guess{false, false, false}},
	} {
		d := entryOf(t, row.auth).Decoded()
		if got := (guess{d.EncodedTwice, d.BareToken, d.NoText}); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
}

// The place of a bad character is its place in the file, escapes counted.
func TestDecodePlace(t *testing.T) {
	for _, row := range []struct{ auth, text, at string }{
		{`dXNl cjpw`, " ", "config.json:1:28"},
		{`dXNl\ncjpw`, `\n`, "config.json:1:28"},
		{`\u0064XNl\u000acjpw`, `\u000a`, "config.json:1:33"},
		{`dXNlä`, "ä", "config.json:1:28"},
		{`\ud83d\ude00XNl`, `\ud83d\ude00`, "config.json:1:24"},
		{`dXNlcjpwYXNzM`, `"dXNlcjpwYXNzM"`, "config.json:1:23"},
		{``, `""`, "config.json:1:23"},
	} {
		e := Parse("config.json", []byte(`{"auths":{"r":{"auth":"`+row.auth+`"}}}`)).Entries()[0]
		place := e.Decoded().Err.Place
		if place.Text() != row.text || place.Position().String() != row.at {
			t.Errorf("%s: got %q at %s, want %q at %s", row.auth, place.Text(), place.Position(), row.text, row.at)
		}
	}
}

func TestNoAuth(t *testing.T) {
	for _, entry := range []string{`{}`, `{"auth":null}`, `{"username":"x"}`, `null`, `"x"`, `[]`} {
		if d := Parse("config.json", []byte(`{"auths":{"r":`+entry+`}}`)).Entries()[0].Decoded(); d != (Decoded{}) {
			t.Errorf("%s: got %+v", entry, d)
		}
	}
}
