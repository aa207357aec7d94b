package registry

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"runner-preflight/checks/source"
)

// What a server says is hostile until it has passed through one of these: it may be long, may move a terminal's
// cursor, and may give back the very password that it was sent.

// maxQuote bounds what is repeated of a server's own words, in characters.
const maxQuote = 160

var (
	errorCode = regexp.MustCompile(`^[A-Z][A-Z_]{1,39}$`)
	mediaType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+/_-]{0,119}$`)
	tagName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// clean makes a server's words fit for one line.
func clean(text string) string {
	return source.Shortened(strings.Join(strings.Fields(source.Printable(text)), " "), maxQuote)
}

// plainName tells whether a host's name can be one, and be shown: it is not empty, and nothing in it moves a cursor or
// turns the direction of writing.
func plainName(host string) bool {
	return host != "" && len(host) <= 253 && source.Printable(host) == host && !strings.ContainsAny(host, " \t\"'`<>%$|")
}

// secrets are what must be in no answer of this package, in no spelling.
type secrets []string

// secretsOf lists the spellings of a password in which a server may repeat it.
func secretsOf(username, password string) secrets {
	if password == "" {
		return nil
	}
	pair := username + ":" + password
	return secrets{
		password, url.QueryEscape(password), url.PathEscape(password),
		base64.StdEncoding.EncodeToString([]byte(password)), base64.RawStdEncoding.EncodeToString([]byte(password)),
		base64.StdEncoding.EncodeToString([]byte(pair)), base64.RawURLEncoding.EncodeToString([]byte(pair)),
		hex.EncodeToString([]byte(password)),
	}
}

// quote is what may be repeated of a server's words: nothing, if a secret is among them.
func (s secrets) quote(text string) string {
	lower := strings.ToLower(text)
	for _, secret := range s {
		if strings.Contains(lower, strings.ToLower(secret)) {
			return ""
		}
	}
	return clean(text)
}

// diagnosis is what an answer says of why it is a refusal.
type diagnosis struct{ code, message string }

// diagnose reads the registry protocol's error out of an answer.
func (s secrets) diagnose(r reply) diagnosis {
	err := transport.CheckError(&http.Response{
		StatusCode: r.status, Header: r.header,
		Body: io.NopCloser(strings.NewReader(string(r.body))),
	})
	var refused *transport.Error
	if !errors.As(err, &refused) || len(refused.Errors) == 0 {
		return diagnosis{}
	}
	first := refused.Errors[0]
	d := diagnosis{message: s.quote(first.Message)}
	if code := s.quote(string(first.Code)); errorCode.MatchString(code) {
		d.code = code
	}
	return d
}

// said is the diagnosis as the end of a sentence.
func (d diagnosis) said() string {
	switch {
	case d.code != "" && d.message != "":
		return ": " + d.code + " (" + d.message + ")"
	case d.code != "":
		return ": " + d.code
	case d.message != "":
		return ": " + d.message
	}
	return ""
}

// isPage tells whether an answer is a page for people, as proxies and login screens give it.
func (r reply) isPage() bool {
	kind, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// mediaType is the type of what was served, without parameters; "" if it is malformed.
func (r reply) mediaType() string {
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	if kind = strings.TrimSpace(kind); mediaType.MatchString(kind) {
		return kind
	}
	return ""
}

// rateLimit reads the limit's headers; nil when there is none of them. Docker Hub writes "100;w=21600".
func rateLimit(header http.Header) *RateLimit {
	limit, window := amount(header.Get("Ratelimit-Limit"))
	remaining, span := amount(header.Get("Ratelimit-Remaining"))
	wait := retryAfter(header)
	if limit < 0 && remaining < 0 && wait == 0 {
		return nil
	}
	return &RateLimit{Limit: limit, Remaining: remaining, Window: max(window, span), RetryAfter: wait}
}

// amount reads NUMBER[;w=SECONDS]; the number is -1 when there is none.
func amount(text string) (n int, window time.Duration) {
	number, rest, _ := strings.Cut(text, ";")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 {
		return -1, 0
	}
	seconds, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(rest), "w="))
	if err != nil || seconds < 0 || seconds > 366*86400 {
		return n, 0
	}
	return n, time.Duration(seconds) * time.Second
}

// retryAfter reads the header, which is a number of seconds or a date by the server's own clock.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), 366*86400)) * time.Second
	}
	until, err := http.ParseTime(text)
	now, nowErr := http.ParseTime(header.Get("Date"))
	if err != nil || nowErr != nil {
		return 0
	}
	return max(until.Sub(now), 0).Round(time.Second)
}
