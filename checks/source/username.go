package source

import (
	"regexp"
	"strings"
	"unicode"
)

// tokenPrefix matches the beginnings by which secrets of well-known services are told: GitHub, GitLab, Docker Hub,
// Atlassian, Slack, npm, PyPI, JFrog, and a JSON object in base64 (a JWT).
var tokenPrefix = regexp.MustCompile(`^(gh[pousr]_|github_pat_|gl(pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-` +
	`|dckr_[op]at_|AT[ABC][A-Z]{1,3}|xox[a-z]-|npm_|pypi-|AKCp|cmVmdGtu|eyJ)[0-9A-Za-z_.=-]{10}`)

// uuid matches the form of IDs, which say whose a password is and are none.
var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Sizes in characters: a name that is longer than longestName is hardly one, and one of shortestToken or more is a
// token if it looks random.
const (
	longestName   = 40
	shortestToken = 32
)

// Username returns the name for people to read: masked when it has the shape of a token, as where somebody pasted one
// into the wrong half of user:password.
func Username(name string) string {
	switch {
	case uuid.MatchString(name), isAddress(name):
		return name
	case tokenPrefix.MatchString(name), len(name) > longestName, len(name) >= shortestToken && random(name):
		return mask
	}
	return name
}

// IsToken tells whether a word has the shape of a token: by how it begins, or as it is long and looks random. The names
// of hosts, paths and digests may too.
func IsToken(word string) bool {
	return tokenPrefix.MatchString(word) || len(word) >= shortestToken && random(word) && !uuid.MatchString(word)
}

// FilledSample tells a value that somebody wrote between the angle brackets of a sample from the sample's own words
// (<my-client-secret>).
func FilledSample(value string) bool {
	inner, open := strings.CutPrefix(value, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	return open && closed && !strings.Contains(inner, " ") && random(inner)
}

// isAddress tells an e-mail address (a service account's is long) from a token with an @ in it.
func isAddress(name string) bool {
	local, domain, found := strings.Cut(name, "@")
	if !found || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "@:/ ") {
		return false
	}
	return !tokenPrefix.MatchString(local) && (len(local) < shortestToken || !random(local))
}

// random tells letters and digits without pattern from words that are joined: between two separators, a word is all
// letters of one case or all digits.
func random(name string) bool {
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_.+$/ ", r) }) {
		if len(word) > 20 || kinds(word) > 1 {
			return true
		}
	}
	return false
}

// kinds counts which of lower case, upper case and digits a word has.
func kinds(word string) int {
	lower, upper := strings.ContainsFunc(word, unicode.IsLower), strings.ContainsFunc(word, unicode.IsUpper)
	digit := strings.ContainsFunc(word, unicode.IsDigit)
	n := 0
	for _, has := range []bool{lower, upper, digit} {
		if has {
			n++
		}
	}
	return n
}

// A password stands in a URL, or before a host that looks like one (unlike the sha256 of a digest). One with a slash
// in it should not be, and is all the same.
var (
	urlPassword  = regexp.MustCompile(`(://[^\s/@:]*:)([^\s@]+)(@)`)
	hostPassword = regexp.MustCompile(`((?:^|[\s"'(=])[^\s/@:"'(=]+:)([^\s@]+)(@(?:[^\s/@:]+\.|localhost|[^\s/@:]+:\d{1,5}(?:/|$)))`)
	noPassword   = regexp.MustCompile(`^(?:\d{1,5}/|//|PASSWORD$)`) // a port and a path, what follows a scheme, a hint's word
)

// WithoutPassword masks the password in each URL of a text (https://user:password@host), and in each word that is
// user:password@host. References with a tag and a digest are left alone.
func WithoutPassword(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	for _, form := range []*regexp.Regexp{urlPassword, hostPassword} {
		text = form.ReplaceAllStringFunc(text, func(found string) string {
			part := form.FindStringSubmatch(found)
			if noPassword.MatchString(part[2]) {
				return found
			}
			return part[1] + mask + part[3]
		})
	}
	return text
}
