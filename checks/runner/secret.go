package runner

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// form is a form in which secrets stand in scripts; the secret is group 1 of its pattern. One of the needles must be
// in the text, in lower case, for a search to be worth its time.
type form struct {
	pattern *regexp.Regexp
	needles []string
}

func secretForms() []form {
	return []form{
		{ownedSecret, []string{"//"}},
		{imageSecret, []string{"@"}},
		{ownedReference, []string{"@"}},
		{loginSecret, []string{"login"}},
		{pipedSecret, []string{"--password-stdin"}},
		{jsonSecret, []string{`auth"`, `auth\"`, `password"`, `password\"`, `token"`, `token\"`}},
		{knownSecret, []string{"atoa", "atatt", "atbb", "dckr_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-"}},
		{bearerSecret, []string{"bearer", "basic"}},
		{namedSecret, []string{"value"}},
	}
}

var (
	assignedSecret = regexp.MustCompile(`^[A-Za-z0-9_.]*["']?[ \t]*(?::=|:-|[=:])[ \t]*` +
		`(["']?\$?\{\{[^\n]*?\}\}["']?|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|(?:\\.|[^\s\\"'])+(?:"[^"\n]*"|'[^'\n]*')*)`)
	ownedSecret = regexp.MustCompile(`//([^\s"'@/<>]+|[^\s"'@/<>]*:[^\s"'<>]*)@`)
	imageSecret = regexp.MustCompile(`[\w.-]:([^\s"'@=/][^\s"'@]*)@[\w-]+\.[\w.-]+[:/]`)
	// ownedReference matches user:password@host/name, without a scheme.
	ownedReference = regexp.MustCompile(`(?:^|[\s"'=])([^\s"'=/@:<>$]+:[^\s"'<>@/]+)@[\w.-]+(?::\d+)?/`)
	loginSecret    = regexp.MustCompile(`login\b[^\n|]*?[ \t](?:-p[ \t=]*|--password[ =])("[^"\n]*"|'[^'\n]*'|[^\s"']+)`)
	pipedSecret    = regexp.MustCompile(`(?:echo|printf)[ \t]+(?:-\w+[ \t]+|['"]?%s['"]?[ \t]+)*` +
		`("[^"\n]*"|'[^'\n]*'|[^\s"'|]+)[^\n]*--password-stdin`)
	jsonSecret  = regexp.MustCompile(`\\?"(?:auth|password|identitytoken|registrytoken)\\?"[ \t]*:[ \t]*\\?"([^"\n\\]*)`)
	knownSecret = regexp.MustCompile(`\b(AT(?:OA|ATT|BB)[A-Za-z0-9_=.-]{16,}` +
		`|dckr_pat_[\w-]{8,}|gh[pousr]_\w{16,}|glpat-[\w-]{12,})`)
	bearerSecret = regexp.MustCompile(`(?i)(?:bearer|basic)[ \t]+([A-Za-z0-9+/=._~-]{12,})`)
	// namedSecret matches a variable of a manifest, whose name and value stand apart.
	namedSecret = regexp.MustCompile(`(?i)name["']?[ \t]*:[ \t]*["']?[\w.-]*(?:secr|passw|token)[\w.-]*["']?[ \t]*(?:,|\r?\n)` +
		`[ \t\r\n#]*["']?value["']?[ \t]*:[ \t]*("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^\s"'{}|>&*#][^\n,}]*)`)
	// kubeOwner matches the keys of Kubernetes' own whose names speak of secrets: what stands behind them is a name, or a
	// mapping.
	kubeOwner = regexp.MustCompile(`^(?:(?:secret(?:s|Name|KeyRef|Ref)|imagePullSecrets?|automountServiceAccountToken|` +
		`serviceAccountToken|tokenExpirationSeconds)["']?[ \t]*:(?:[ \t\r\n]|$)|secret["']?[ \t]*:[ \t]*\{)`)
	notSecret = regexp.MustCompile(`^(?:<[^<>]*>|\$\w+|\$\{\w+\}|\$?\{\{[^}"']*\}\}|)$`)
)

// hideSecrets hides what has the form of a secret wherever it stands in the file, comments and all, and every
// other place at which the same text stands.
func hideSecrets(file *source.File) {
	lower := lowered(file.Text)
	hideAssigned(file, lower)
	for _, form := range secretForms() {
		if !slices.ContainsFunc(form.needles, func(needle string) bool { return bytes.Contains(lower, []byte(needle)) }) {
			continue
		}
		for _, found := range form.pattern.FindAllSubmatchIndex(file.Text, -1) {
			hide(file, found[2], found[3])
		}
	}
}

// WithoutSecrets is a text that holds a command line, for people: what has the form of a secret in it is masked, and the
// values of those variables whose names say that they are secret. The text is cut to so many characters.
func WithoutSecrets(text string, environment []string, most int) string {
	file := source.New("", []byte(text))
	hideSecrets(file)
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		for at := 0; secretName(name) && value != ""; at += len(value) {
			next := strings.Index(text[at:], value)
			if next < 0 {
				break
			}
			at += next
			file.Hide(at, at+len(value))
		}
	}
	return file.At(0, len(text)).Shown(most)
}

// loginPasswords are the passwords that are written out behind "docker login" in a file.
func loginPasswords(file *source.File) []source.Span {
	var places []source.Span
	for _, found := range loginSecret.FindAllSubmatchIndex(file.Text, maxCalls) {
		start, end := found[2], found[3]
		if quote := file.Text[start]; end-start > 1 && (quote == '"' || quote == '\'') && file.Text[end-1] == quote {
			start, end = start+1, end-1
		}
		word := file.Text[start:end]
		line := bytes.LastIndexByte(file.Text[:found[0]], '\n') + 1
		if len(word) > 5 && !bytes.ContainsAny(word, "$`<{") && !commented(file.Text, found[0]) &&
			bytes.Contains(file.Text[line:found[0]], []byte("docker")) {
			places = append(places, file.At(start, end))
		}
	}
	return places
}

// maxSecret is how far the value of an assignment is looked for its end.
const maxSecret = 8 << 10

// hideAssigned hides what is assigned to a name that says that it is secret.
func hideAssigned(file *source.File, lower []byte) {
	for _, word := range []string{"secret", "passw", "token"} {
		for at := 0; ; {
			i := bytes.Index(lower[at:], []byte(word))
			if i < 0 {
				break
			}
			at += i + len(word)
			if kubeOwned(file.Text, at) {
				continue
			}
			found := assignedSecret.FindSubmatchIndex(file.Text[at:min(len(file.Text), at+maxSecret)])
			if found != nil {
				end := secretEnd(file.Text, at+found[2], at+found[3], at-len(word))
				hide(file, at+found[2], end)
				at = end
			}
		}
	}
}

// kubeOwned tells whether the word that ends at an offset belongs to a key of Kubernetes' own.
func kubeOwned(text []byte, at int) bool {
	start := at
	for limit := max(0, at-32); start > limit && letter(text[start-1]); {
		start--
	}
	if start > 0 && (letter(text[start-1]) || bytes.IndexByte([]byte("_.$-0123456789"), text[start-1]) >= 0) {
		return false
	}
	return kubeOwner.Match(text[start:min(len(text), at+32)])
}

// secretEnd is where a secret ends that was found from start to end, and whose name has a letter at name: at the
// brace for a default (${TOKEN:-x}), at the quote for "TOKEN=x y".
func secretEnd(text []byte, start, end, name int) int {
	if start > 0 && text[start-1] == '-' {
		if i := bytes.IndexByte(text[start:end], '}'); i >= 0 {
			return start + i
		}
	}
	for limit := max(0, name-64); name > limit && (text[name-1] == '_' || letter(text[name-1])); {
		name--
	}
	if name == 0 || text[name-1] != '"' && text[name-1] != '\'' || text[start-1] == text[name-1] {
		return end
	}
	near := text[:min(len(text), start+maxSecret)] // a line of 20 MB is not looked through for each of its secrets
	rest := near[start:lineEnd(near, start)]
	if i := bytes.IndexByte(rest, text[name-1]); i >= 0 && text[start] != text[name-1] {
		return max(end, start+i)
	}
	return end
}

// maybeSecret tells a value that may be one from samples and variables that stand in the place of one.
func maybeSecret(value string) bool {
	return !notSecret.MatchString(value) || source.FilledSample(value)
}

// hide hides one secret, less the quotes around it, and its repetitions.
func hide(file *source.File, start, end int) {
	if end-start >= 2 && (file.Text[start] == '"' || file.Text[start] == '\'') {
		if file.Text[end-1] == file.Text[start] {
			end--
		}
		start++
	}
	if start >= end || !maybeSecret(string(file.Text[start:end])) {
		return
	}
	if bytes.HasPrefix(file.Text[end:], []byte("@sha256:")) {
		return
	}
	file.Hide(start, end)
	if end-start >= 6 {
		file.HideEvery(string(file.Text[start:end]))
	}
}

// plainName matches a name to which no value is glued: such a value is hardly in capitals alone.
var plainName = regexp.MustCompile(`^[A-Z_]{1,40}$`)

// hideVariable hides the value of a variable whose name says so, wherever it came from. A name without a value is none,
// unless the value is glued to it.
func hideVariable(v Variable) {
	place := v.Value.Place
	if place == v.Name.Place && plainName.MatchString(v.Name.Value) {
		return
	}
	known := v.Value.Unresolved == "" || !strings.HasPrefix(v.Value.Value, "$")
	if v.Secret() && known && place.File != nil && place.Start >= 0 && maybeSecret(place.Text()) {
		hide(place.File, place.Start, place.End)
	}
}
