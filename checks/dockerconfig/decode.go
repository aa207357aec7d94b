package dockerconfig

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// Decoded is what an `auth` says.
type Decoded struct {
	// Present says that there is an `auth`, other than null.
	Present bool
	// Username and Password are as decoded, nothing trimmed; empty when Err says why. Both may be secret.
	Username, Password string
	// Err says why the runner's reader does not take it, and with it the whole file; nil when it does.
	Err *DecodeError
	// DockerReads says that docker's CLI (Go's strict decoder, which skips line breaks and insists on padding)
	// makes a user and a password of it.
	DockerReads bool
	// EncodedTwice says that what was decoded is base64 of user:password once more.
	EncodedTwice bool
	// BareToken says that there is no colon, and that what was decoded is one word, or the text as it stands has the
	// look of a token: a password alone.
	BareToken bool
	// NoText says that what was decoded is no text: it was perhaps never encoded.
	NoText bool
}

// DecodeError says why an `auth` does not decode.
type DecodeError struct {
	Kind DecodeKind
	// Text is what the runner logs.
	Text string
	// Offset is that of the byte at which the runner's reader stops, from 0, in the decoded JSON string: the length
	// of the string if that is at its end.
	Offset int
	// Place is that byte's character in the file; for EmptyAuth, WithoutColon and BadPadding the whole value.
	Place source.Span
}

// DecodeKind names what is wrong with an `auth`.
type DecodeKind string

// The kinds of DecodeError. Of several mistakes in one value, the kind is the first of this order; Offset and Text
// are always those of the byte at which the reader stops.
const (
	EmptyAuth      DecodeKind = "empty"
	Percent        DecodeKind = "percent-encoded" // %3D for =
	LineBreak      DecodeKind = "line-break"      // in base64; it may be spelled \n in the file
	QuotedAuth     DecodeKind = "quotes"
	URLSafe        DecodeKind = "url-safe"    // - or _ for + or /
	Plaintext      DecodeKind = "plaintext"   // user:password as it is
	BlankInAuth    DecodeKind = "blank"       // white space in or around base64
	BadPadding     DecodeKind = "bad-padding" // cut short, or = in the wrong place or number
	OtherCharacter DecodeKind = "other"
	WithoutColon   DecodeKind = "without-colon"
)

// Decoded decodes the entry's `auth` as the runner's reader does. The zero value stands for an entry without one.
func (e Entry) Decoded() Decoded {
	if e.Auth == nil || e.Auth.Value.Kind == Null || e.Auth.Value.Kind == Absent {
		return Decoded{}
	}
	value := e.Auth.Value
	text := value.bytes()
	d := Decoded{Present: true, DockerReads: value.Kind == String && dockerReads(string(text))}
	plain, failure := decodeBase64(text)
	switch {
	case failure.text != "":
		kind := decodeKind(text, failure)
		d.Err = &DecodeError{kind, failure.text, failure.offset, value.Place()}
		if kind != BadPadding && value.Kind == String {
			d.Err.Place = value.character(failure.offset)
		}
		d.BareToken = tokenShape(string(text[:min(len(text), longestGuess)]))
		return d
	case len(text) == 0:
		d.Err = &DecodeError{EmptyAuth, invalidAuth, 0, value.Place()}
		return d
	}
	decoded := string(bytes.ToValidUTF8(plain, []byte("\uFFFD")))
	user, password, found := strings.Cut(decoded, ":")
	if !found {
		d.Err = &DecodeError{WithoutColon, invalidAuth, len(text), value.Place()}
		d.guess(string(text), strings.TrimSpace(decoded))
		return d
	}
	d.Username, d.Password = user, password
	return d
}

// guess tells what an `auth` without a colon may be.
func (d *Decoded) guess(text, decoded string) {
	text, decoded = text[:min(len(text), longestGuess)], decoded[:min(len(decoded), longestGuess)]
	d.EncodedTwice = dockerReads(decoded) || dockerReads(padded(decoded))
	d.BareToken = !d.EncodedTwice && (bareToken.MatchString(decoded) || tokenShape(text))
	d.NoText = strings.ContainsFunc(decoded, func(c rune) bool { return c == utf8.RuneError || unicode.IsControl(c) })
}

// invalidAuth is what docker-java says of an auth without a colon.
const invalidAuth = "Invalid auth configuration file"

// bareToken matches one word of printable ASCII.
var bareToken = regexp.MustCompile(`^[!-~]{4,}$`)

func padded(text string) string { return text + strings.Repeat("=", (4-len(text)%4)%4) }

// dockerReads decodes as docker's CLI does: Go's decoder, a colon, a user that is not empty.
func dockerReads(auth string) bool {
	user, _, err := dockerDecode(auth)
	return err == nil && user != ""
}

// longestGuess is how much of a text is looked at to tell what it may be.
const longestGuess = 10_000

// decodeKind looks for the mistake that made somebody write this.
func decodeKind(text []byte, failure base64Failure) DecodeKind {
	text = text[:min(len(text), longestGuess)]
	without := func(allowed string) bool { return onlyBase64And(text, allowed) }
	switch {
	case len(text) == 0:
		return EmptyAuth
	case percentEscape.Match(text) && onlyBase64And(percentEscape.ReplaceAll(text, nil), ""):
		return Percent
	case bytes.ContainsAny(text, "\r\n") && without("\r\n"):
		return LineBreak
	case hasQuote(text) && without(`"'`+"`“”‘’ :\r\n") && bytes.IndexByte(text, ':') < 0:
		return QuotedAuth
	case bytes.ContainsAny(text, "-_") && without("-_\r\n") && urlSafePair(text):
		return URLSafe
	case bytes.IndexByte(text, ':') > 0:
		return Plaintext
	case (bytes.ContainsAny(text, " \t\r\n") || bytes.ContainsRune(text, 0xa0)) && without(" \t\u00a0\r\n"):
		return BlankInAuth
	case failure.ending:
		return BadPadding
	}
	return OtherCharacter
}

// hasQuote is what bytes.ContainsAny would tell, and quick where no character beyond ASCII is asked for.
func hasQuote(text []byte) bool {
	return bytes.ContainsAny(text, "\"'`") || bytes.ContainsRune(text, '“') || bytes.ContainsRune(text, '”') ||
		bytes.ContainsRune(text, '‘') || bytes.ContainsRune(text, '’')
}

// urlSafePair tells whether a text is user:password in the URL-safe alphabet, rather than a token as it is.
func urlSafePair(text []byte) bool {
	plain, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(string(text), "=\r\n"))
	return err == nil && bytes.IndexByte(plain, ':') > 0
}

var percentEscape = regexp.MustCompile(`%(?:3[Dd]|2[BbFf])`)

// onlyBase64And tells whether a text has no other characters than those of base64 and the allowed ones.
func onlyBase64And(text []byte, allowed string) bool {
	for _, c := range string(text) {
		if (c >= utf8.RuneSelf || base64Value(byte(c)) < 0 && c != '=') && !strings.ContainsRune(allowed, c) {
			return false
		}
	}
	return true
}

// character is the place of the character of a string's decoded text that holds the byte at the offset; at the end,
// the closing quote.
func (v Value) character(offset int) source.Span {
	raw, start := v.inner()
	decoded := 0
	for at := 0; at < len(raw); {
		size := escapeSize(raw[at:])
		n := size
		switch {
		case size == 1 && raw[at] >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(raw[at:])
			n = size
		case size > 1:
			n = len(appendUnescaped(nil, raw[at:at+size]))
		}
		if offset < decoded+n {
			return v.file.Source.At(start+at, start+at+size)
		}
		decoded += n
		at += size
	}
	return v.file.Source.At(start+len(raw), max(start+len(raw), v.end))
}

// base64Failure is why the Java decoder throws; its text is empty when it does not.
type base64Failure struct {
	text   string
	offset int
	ending bool // about the end and the padding, not about a character
}

// dockerDecode is what docker's CLI makes of an `auth` (configfile.decodeAuth): it cuts NULs off the password.
func dockerDecode(auth string) (user, password string, err error) {
	plain, err := base64.StdEncoding.DecodeString(auth)
	if err != nil {
		return "", "", err
	}
	user, password, found := strings.Cut(string(plain), ":")
	if !found || user == "" {
		return "", "", base64.CorruptInputError(len(auth))
	}
	return user, strings.Trim(password, "\x00"), nil
}
