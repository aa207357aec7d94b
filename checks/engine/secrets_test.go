package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const canary = `p@ss  "wörd"/&<7>`

// What the daemon repeats of the credentials is masked, however it spells them and whatever it says besides.
func TestDaemonRepeats(t *testing.T) {
	as := Credentials{"ci", canary, "reg.example.com"}
	inJSON, _ := json.Marshal(canary)
	shifted := base64.RawURLEncoding.EncodeToString([]byte("someone-else:" + canary + "!"))
	for name, said := range map[string]string{
		"as it is":          canary,
		"behind a version":  "client version 1.2 is too old for " + canary,
		"in JSON":           string(inJSON),
		"in Go":             fmt.Sprintf("%q", canary),
		"in a query":        url.QueryEscape(canary),
		"in small letters":  strings.ToLower(url.QueryEscape(canary)),
		"in a path":         url.PathEscape(canary),
		"in hexadecimal":    fmt.Sprintf("%X", canary),
		"the header":        as.header(),
		"Basic":             base64.StdEncoding.EncodeToString([]byte("ci:" + canary)),
		"in another base64": shifted,
	} {
		d := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(map[string]string{"message": "denied: " + said + " (that was it)"})
		})
		_, err := d.engine().Distribution(context.Background(), "reg.example.com/a:1", as)
		failed := (*Failure)(nil)
		if !errors.As(err, &failed) || !strings.Contains(failed.Detail, mask) || strings.Contains(failed.Detail, "rd") {
			t.Errorf("%s: %v", name, err)
		}
		if failed != nil && strings.Contains(failed.Detail, base64.StdEncoding.EncodeToString([]byte(canary))[3:9]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing that a daemon says shows a password in one of the forms that are known.
func FuzzHidden(f *testing.F) {
	f.Add("denied: ", "s3cret-pass", "ci:", "\n")
	f.Add(`Get "https://reg.example.com/v2/?p=`, "p%40ss  word", "", `": EOF`)
	f.Add("", "a\"b\\c\x00dé", "x", "yz")
	f.Add("0", "0000000\x80", "0", "0")
	f.Fuzz(func(t *testing.T, before, password, first, last string) {
		if len(password) < 8 || strings.Contains(before+first+last, password) {
			return
		}
		as := Credentials{Username: "ci", Password: password}
		inJSON, _ := json.Marshal(password)
		for _, form := range []string{
			password, url.QueryEscape(password), string(inJSON), fmt.Sprintf("%q", password),
			base64.StdEncoding.EncodeToString([]byte(first + password + last)),
			base64.RawURLEncoding.EncodeToString([]byte(first + password + last)),
		} {
			said := as.hidden(oneLine(errors.New(before + " " + form + " " + last)))
			if !strings.Contains(said, mask) {
				t.Errorf("%q shows %q", said, form)
			}
		}
	})
}
