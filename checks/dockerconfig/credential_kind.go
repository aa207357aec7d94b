package dockerconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Lifetime says how long passwords of a kind work.
type Lifetime int

// The lifetimes.
const (
	// Plain is an ordinary password, or one whose kind does not show.
	Plain Lifetime = iota
	// Lasting works until somebody withdraws it.
	Lasting
	// Dated works until an end that it tells itself.
	Dated
	// Timed ends within hours, whatever is known of the end.
	Timed
	// Token is no password at all.
	Token
)

// CredentialKind is what a user name and a password show of themselves. It never holds the password.
type CredentialKind struct {
	// Name is the kind for people, with its article: "an Amazon ECR login password"; empty for a Plain one.
	Name string
	// Lifetime is how long passwords of the kind work, and Lasts the same for people, of a Timed one: "12 hours".
	Lifetime Lifetime
	Lasts    string
	// Ends is when this very password ends; zero if it does not tell, or has no end.
	Ends time.Time
	// Instead says which credentials of the same registry last, as an imperative.
	Instead string
}

// timedKind is a kind of password that ends within hours. Exact user names come first: nothing else of them
// lasts. The prefixes are those under which the issuers hand such passwords out.
type timedKind struct {
	users    [2]string
	prefixes [2]string
	kind     CredentialKind
}

const noneLasts = "use a robot account, a deploy token or another password that lasts"

// timedKinds are the kinds that end within hours. Sources: the registries' own documentation, and the token
// patterns of secret scanners.
func timedKinds() [8]timedKind {
	return [...]timedKind{
		{[2]string{"oauth2accesstoken", "gclouddockertoken"}, [2]string{"ya29."}, CredentialKind{
			Name: "a Google access token", Lasts: "60 minutes",
			Instead: "use a service-account key: user _json_key_base64, password the base64 of the key file in " +
				"one line",
		}},
		{[2]string{"00000000-0000-0000-0000-000000000000"}, [2]string{}, CredentialKind{
			Name: "an Azure Container Registry token", Lasts: "3 hours",
			Instead: "use a service principal, a repository-scoped token or the admin user",
		}},
		{[2]string{"gitlab-ci-token"}, [2]string{"glcbt-"}, CredentialKind{
			Name: "a GitLab job token", Lasts: "the length of one job",
			Instead: "use a deploy token with the scope read_registry",
		}},
		{[2]string{}, [2]string{"ghs_"}, CredentialKind{
			Name: "a GitHub job token", Lasts: "the length of one job",
			Instead: "use a classic personal access token with the scope read:packages",
		}},
		{[2]string{}, [2]string{"ghu_", "ghr_"}, CredentialKind{
			Name: "a GitHub app's user token", Lasts: "8 hours",
			Instead: "use a classic personal access token with the scope read:packages",
		}},
		{[2]string{"iambearer"}, [2]string{}, CredentialKind{
			Name: "an IBM Cloud bearer token", Lasts: "1 hour",
			Instead: "use an API key: user iamapikey",
		}},
		{[2]string{"cr_temp_user"}, [2]string{}, CredentialKind{
			Name: "an Alibaba Cloud temporary password", Lasts: "1 hour",
			Instead: "use the fixed password of a RAM user",
		}},
		{[2]string{"BEARER_TOKEN"}, [2]string{}, CredentialKind{
			Name: "an Oracle Cloud bearer token", Lasts: "1 hour",
			Instead: "use an auth token of a user: TENANCY/USER",
		}},
	}
}

// lastingKinds are tokens that serve as passwords and last, by their prefix.
func lastingKinds() [10][2]string {
	return [...][2]string{
		{"dckr_pat_", "a Docker Hub access token"},
		{"dckr_oat_", "a Docker Hub organization token"},
		{"ghp_", "a GitHub personal access token"},
		{"gho_", "a GitHub OAuth token"},
		{"github_pat_", "a GitHub fine-grained token"},
		{"glpat-", "a GitLab personal access token"},
		{"gldt-", "a GitLab deploy token"},
		{"dop_v1_", "a DigitalOcean token"},
		{"nvapi-", "an NVIDIA API key"},
		{"AKCp", "a JFrog API key"},
	}
}

// ecrHost matches the hosts of Amazon ECR, whose only user is AWS.
var ecrHost = regexp.MustCompile(
	`^(\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|` +
		`\d{12}\.dkr-ecr(-fips)?\.[a-z0-9-]+\.on\.aws|public\.ecr\.aws)$`)

// IsECR tells whether a registry host is one of Amazon ECR.
func IsECR(host string) bool { return ecrHost.MatchString(host) }

// googleHost matches the hosts of Google's two registries.
var googleHost = regexp.MustCompile(`^([a-z0-9-]+-docker\.pkg\.dev|([a-z0-9-]+\.)?gcr\.io)$`)

// IsGoogle tells whether a registry host is one of Google's.
func IsGoogle(host string) bool { return googleHost.MatchString(host) }

// Classify tells the kind of credentials for a registry host from what they show of themselves: the user name
// before the password, a readable end before a prefix.
func Classify(host, username, password string) CredentialKind {
	if username == "<token>" {
		return CredentialKind{Name: "an identity token", Lifetime: Token, Instead: noneLasts}
	}
	ends, form := readableEnd(password)
	kind, timed := timedByUser(host, username, form)
	if !timed && form != "" && form != ecrForm {
		return dated(form, ends)
	}
	if !timed {
		kind, timed = timedByPrefix(password)
	}
	if timed {
		kind.Lifetime, kind.Ends = Timed, ends
		return kind
	}
	return lasting(username, password)
}

func timedByUser(host, username, form string) (CredentialKind, bool) {
	if form == ecrForm || username == "AWS" && IsECR(host) {
		return CredentialKind{
			Name: "an Amazon ECR login password", Lasts: "12 hours",
			Instead: "ECR has none that lasts: mirror the images to a registry with robot accounts",
		}, true
	}
	for _, timed := range timedKinds() {
		if username != "" && slices.Contains(timed.users[:], username) {
			return timed.kind, true
		}
	}
	// The credential helper of Google puts its version into the name; "_token" is a name of theirs alone there.
	if strings.HasPrefix(username, "_dcgcr_") || username == "_token" && IsGoogle(host) {
		return timedKinds()[0].kind, true
	}
	return CredentialKind{}, false
}

func timedByPrefix(password string) (CredentialKind, bool) {
	for _, timed := range timedKinds() {
		for _, prefix := range timed.prefixes {
			if prefix != "" && strings.HasPrefix(password, prefix) {
				return timed.kind, true
			}
		}
	}
	return CredentialKind{}, false
}

func dated(form string, ends time.Time) CredentialKind {
	kind := CredentialKind{Name: form, Lifetime: Dated, Ends: ends, Instead: noneLasts}
	if ends.IsZero() {
		kind.Lifetime = Lasting
	}
	return kind
}

func lasting(username, password string) CredentialKind {
	for _, kind := range lastingKinds() {
		if strings.HasPrefix(password, kind[0]) {
			return CredentialKind{Name: kind[1], Lifetime: Lasting}
		}
	}
	switch username {
	case "_json_key", "_json_key_base64":
		return CredentialKind{Name: "a Google service-account key", Lifetime: Lasting}
	case "iamapikey":
		return CredentialKind{Name: "an IBM Cloud API key", Lifetime: Lasting}
	}
	return CredentialKind{}
}

// The forms of passwords that tell when they end.
const (
	ecrForm       = "an Amazon ECR login password"
	jwtForm       = "a JSON web token"
	referenceForm = "a JFrog reference token"
)

// readableEnd reads when a password ends out of the password itself, and says by which form: "" if it has none of
// the known ones. The end is zero when the form is known and there is no end.
func readableEnd(password string) (ends time.Time, form string) {
	if parts := strings.Split(password, "."); len(parts) == 3 && strings.HasPrefix(password, "eyJ") {
		if claims, ok := claimsOf(parts[1]); ok {
			return unix(claims.Exp), jwtForm
		}
	}
	text, ok := decodeAny(password)
	if !ok {
		return time.Time{}, ""
	}
	if fields := strings.Split(string(text), ":"); len(fields) >= 4 && fields[0] == "reftkn" {
		return unix(json.Number(strings.TrimLeft(fields[2], "0"))), referenceForm
	}
	var ecr struct {
		Payload    *string
		Expiration json.Number
	}
	isJSON := bytes.HasPrefix(text, []byte("{")) && json.Unmarshal(text, &ecr) == nil
	if isJSON && ecr.Payload != nil && ecr.Expiration != "" {
		return unix(ecr.Expiration), ecrForm
	}
	return time.Time{}, ""
}

type claims struct{ Exp json.Number }

func claimsOf(segment string) (claims, bool) {
	text, ok := decodeAny(segment)
	if !ok || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return claims{}, false
	}
	var c claims
	// An exp of another type leaves no end to read, and the token is one all the same.
	_ = json.Unmarshal(text, &c)
	return c, true
}

// decodeAny decodes either base64 alphabet, padded or not.
func decodeAny(text string) ([]byte, bool) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "-", "+"), "_", "/")
	data, err := base64.RawStdEncoding.DecodeString(text)
	return data, err == nil
}

// lastMoment is the end of the year 9999: what ends later does not end.
const lastMoment = 253402300799

func unix(seconds json.Number) time.Time {
	n, err := strconv.ParseFloat(string(seconds), 64)
	if err != nil || n <= 0 || n > lastMoment {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
