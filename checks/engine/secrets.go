package engine

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"runner-preflight/checks/source"
)

// mask stands for what was sent, where the daemon repeats it.
const mask = "********"

// hidden is what the daemon says, in one line, without what it was sent: the password, and the user's name where that has
// the shape of a token, however they are spelled.
func (c Credentials) hidden(said string) string {
	var forms []string
	for _, secret := range c.secrets() {
		forms = append(forms, spellings(secret)...)
	}
	forms = slices.DeleteFunc(forms, func(form string) bool { return form == "" })
	if len(forms) == 0 {
		return said
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for i, form := range forms {
		forms[i] = regexp.QuoteMeta(valid(form))
	}
	return regexp.MustCompile("(?i)"+strings.Join(slices.Compact(forms), "|")).ReplaceAllLiteralString(valid(said), mask)
}

// valid is a text with a replacement character for each byte that is no UTF-8, as the daemon's JSON is read.
func valid(text string) string { return string([]rune(text)) }

// secrets are what nobody may read.
func (c Credentials) secrets() []string {
	if source.Username(c.Username) != c.Username {
		return []string{c.Password, c.Username}
	}
	return []string{c.Password}
}

// spellings are the forms in which a text may stand within another: escaped for URLs, JSON, Go or HTML, in hexadecimal, in
// base64 of whatever it is a part of, and each of them with its blanks as a message of one line has them.
func spellings(text string) []string {
	quoted, _ := json.Marshal(text)
	inner := string(quoted[1 : len(quoted)-1])
	goes := strconv.Quote(text)
	forms := []string{
		text, inner, goes[1 : len(goes)-1], url.QueryEscape(text), url.PathEscape(text), html.EscapeString(text),
		url.QueryEscape(url.QueryEscape(text)), hex.EncodeToString([]byte(text)),
	}
	forms = append(forms, inBase64(text)...)
	if inner != text { // X-Registry-Auth is base64 of JSON
		forms = append(forms, inBase64(inner)...)
	}
	for _, form := range forms {
		forms = append(forms, strings.Join(strings.Fields(form), " "))
	}
	return forms
}

// leastCore is how many characters of base64 say enough to be taken for those of a secret.
const leastCore = 6

// inBase64 is what base64 of any text with this one in it must have, by where that begins: what depends on the
// neighbours is left out.
func inBase64(text string) []string {
	forms := []string{base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text))}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + text))
			first, end := (before*8+5)/6, (before+len(text))*8/6
			if end-first >= leastCore {
				forms = append(forms, encoded[first:end])
			}
		}
	}
	return forms
}
