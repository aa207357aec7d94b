package dockerconfig

import (
	"regexp"
	"strings"

	"runner-preflight/checks/source"
)

// maxHidden bounds how many secrets are told apart: behind the last of them everything is hidden.
const maxHidden = 400_000

// hider hides secrets in one text, in order.
type hider struct {
	source *source.File
	count  int
}

func (h *hider) hide(start, end int) {
	switch {
	case start >= end || h.count > maxHidden:
		return
	case h.count == maxHidden:
		end = len(h.source.Text)
	}
	h.count++
	h.source.Hide(start, end)
}

// hideSecrets hides every secret in the excerpts of the text: where it cannot be understood, all that is not known to
// be harmless.
func (f *File) hideSecrets() {
	h := &hider{source: f.Source}
	if f.Syntax != nil {
		h.unread(0, len(f.Source.Text))
		return
	}
	if f.Root.Kind != Object {
		h.scalars(f.Root, secretByDefault)
	}
	for m := range f.Root.Members() {
		h.key(m.keyStart, m.keyEnd, m.Key)
		h.setting(m)
	}
	if at := f.Trailing; at.File != nil {
		h.unread(at.Start, at.End)
	}
}

// setting hides what is secret in the value of a top-level member.
func (h *hider) setting(m Member) {
	name := lowerName(m.Key)
	switch {
	case name == "proxies":
		h.scalars(m.Value, func(string, string) bool { return false })
	case harmlessSettings.MatchString(name):
		h.scalars(m.Value, nil)
	default:
		h.scalars(m.Value, secretByDefault)
	}
}

// harmlessSettings matches the settings, misspelled ones too, whose values are names and formats. HttpHeaders and
// auths are none.
var harmlessSettings = regexp.MustCompile(`store|helper|context|format|^(?:detachkeys|prunefilters|` +
	`clipluginsextradirs|plugins|aliases|features|experimental|stackorchestrator|currentcontext)$`)

// secretByDefault tells that a value is secret unless its key says that it is none.
func secretByDefault(key, _ string) bool {
	switch strings.ToLower(key) {
	case "username", "user", "email", "serveraddress", "server":
		return false
	}
	return true
}

// scalars hides the values inside a value that are secret, and the secret part of those that are not and of keys. With
// no function for it, a value is secret by its looks alone. It goes through the text once, however deep the brackets
// are nested.
func (h *hider) scalars(v Value, secret func(key, text string) bool) {
	if v.file == nil {
		return
	}
	r := v.file.readerAt(v.start, v.end)
	key := ""
	for r.blanks(); !r.done(); r.blanks() {
		switch c := r.peek(); {
		case strings.IndexByte("{}[],:", c) >= 0:
			r.at++
			continue
		case quoteAt(r.text, r.at) == 0:
			word := r.word(false)
			if word.Kind == Number && secret != nil && secret(key, word.Text()) {
				h.hide(word.start, word.end)
			}
			continue
		}
		text := r.str()
		end := r.at
		r.blanks()
		decoded := text.Text()
		switch {
		case r.peek() == ':':
			key = decoded
			h.key(text.start, end, key)
		case secret == nil && !LooksSecret(decoded):
		case secret == nil || secret(key, decoded):
			h.hide(text.start+1, end-1)
		default:
			h.key(text.start, end, decoded)
		}
	}
}

// key hides what is secret in a key or a name: a user and password before a host, a query, a token by mistake.
func (h *hider) key(start, end int, key string) {
	if Redacted(key) == key {
		return
	}
	raw := string(h.source.Text[start:end])
	if redacted := Redacted(raw[1 : len(raw)-1]); raw[1:len(raw)-1] == key && strings.Contains(redacted, mask) {
		before, after, _ := strings.Cut(redacted, mask)
		h.hide(start+1+len(before), end-1-len(after))
		return
	}
	h.hide(start+1, end-1)
}

const mask = "********"

// Redacted is a key, a user name or another text of a config.json for messages: what may be secret in it is masked.
func Redacted(text string) string {
	if LooksSecret(text) {
		return mask
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	} else {
		scheme += "://"
	}
	host, path, _ := strings.Cut(rest, "/")
	path = rest[len(host):][:min(len(path)+1, len(rest)-len(host))]
	if at := strings.LastIndexByte(host, '@'); at >= 0 && (strings.Contains(host[:at], ":") || found) {
		return scheme + mask + host[at:] + path
	}
	if query := strings.IndexByte(rest, '?'); query >= 0 {
		return scheme + rest[:query+1] + mask
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 && !portOnly.MatchString(host[colon:]) {
		return scheme + mask
	}
	return text
}

var portOnly = regexp.MustCompile(`^:\w{0,5}$`)

// LooksSecret tells whether a text that should be a name has the look of a password, a token or the base64 of one.
func LooksSecret(text string) bool {
	if len(text) < 8 || len(text) > longestName {
		return len(text) > longestName
	}
	if tokenShape(text) || holdsLongRun(text) {
		return true
	}
	if strings.ContainsAny(text, ".: @") {
		return false // no base64
	}
	plain, failure := decodeBase64([]byte(strings.NewReplacer("-", "+", "_", "/").Replace(text)))
	return failure.text == "" && printableCredentials.Match(plain)
}

// printableCredentials matches user:password.
var printableCredentials = regexp.MustCompile(`^[ -~]+:[ -~]+\s*$`)

// tokenShape tells whether a text begins as well-known kinds of tokens do, or holds a key in PEM.
func tokenShape(text string) bool {
	for _, prefix := range [...]string{
		"ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "gldt-",
		"glcbt-",
		"glrt-", "glptt-", "dckr_pat_", "dckr_oat_", "dop_v1_", "doo_v1_", "dor_v1_", "nvapi-", "AKCp", "cmVmdGtu",
		"ya29.", "eyJ", "xoxb-", "xoxp-", "hf_", "npm_",
	} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return strings.Contains(text, "PRIVATE KEY")
}

// longestName is how long a name may be.
const longestName = 2048

// longRun is how many letters and digits in a row, both of them, make a token of a name.
const longRun = 20

func holdsLongRun(text string) bool {
	letters, digits := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		default:
			letters, digits = 0, 0
		}
		if letters+digits >= longRun && letters > 0 && digits > 0 {
			return true
		}
	}
	return false
}
