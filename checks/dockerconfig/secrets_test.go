package dockerconfig

import (
	"strings"
	"testing"
)

// The canaries: a password, an auth, a token, and a password that looks like structure.
const (
	canaryPassword = "zq7Kv-wXy9"
	canaryToken    = "eyJzcTdLdndYeTki"
	canaryQuote    = "zq7 Kv:wXy,9{j"
)

// leaking are texts in which secrets stand where they belong and where they do not. PASS, AUTH, TOKEN and QUOTE stand
// for the canaries, AUTH for the base64 of user:PASS.
var leaking = []string{
	`{"auths": {"reg.example.com": {"auth": "AUTH"}}}`,
	`{"auths": {"reg.example.com": {"username": "ci", "password": "PASS", "identitytoken": "TOKEN", ` +
		`"registrytoken": "TOKEN"}}}`,
	`{"auths": {"reg.example.com": {"auth": "user:PASS"}}}`,
	`{"auths": {"reg.example.com": {"password": "QUOTE"}}}`,
	`{"auths": {"reg.example.com": {"Auth": "AUTH", "passwd": "PASS", "pass": "PASS", "token": "TOKEN"}}}`,
	`{"auths": {"reg.example.com": {"auth": ["AUTH", {"x": "PASS"}]}}}`,
	`{"auths": {"reg.example.com": "AUTH"}}`,
	`{"auths": {"reg.example.com": ["user", "PASS"]}}`,
	`{"auths": "AUTH"}`,
	`{"auths": ["AUTH"]}`,
	`["AUTH"]`,
	`"AUTH"`,
	`{"auth": "AUTH"}`,
	`{"Auths": {"reg.example.com": {"auth": "AUTH"}}}`,
	`{"reg.example.com": {"auth": "AUTH", "password": "PASS"}}`,
	`{"auths": {"AUTH": {}}}`,
	`{"auths": {"user:PASS@reg.example.com": {}}}`,
	`{"auths": {"https://user:PASS@reg.example.com/v2/": {}}}`,
	`{"auths": {"https://PASS@reg.example.com/v2/": {}}}`,
	`{"auths": {"reg.example.com?token=PASS": {}}}`,
	`{"auths": {"user:PASS": {}}}`,
	`{"auths": {"reg.example.com": {"username": "TOKEN", "email": "user:PASS@x"}}}`,
	`{"auths": {"reg.example.com": {"serveraddress": "https://user:PASS@reg.example.com"}}}`,
	`{"auths": {"reg.example.com": {"TOKEN": "x", "AUTH": "x"}}}`,
	`{"proxies": {"default": {"httpProxy": "http://user:PASS@proxy:3128", "httpsProxy": "user:PASS@proxy:3128"}}}`,
	`{"HttpHeaders": {"Authorization": "Bearer TOKEN", "X-Meta": "PASS"}}`,
	`{"credsStore": "AUTH", "credHelpers": {"reg.example.com": "TOKEN"}}`,
	`{"AUTH": 1, "TOKEN": 1}`,
	"{\"auths\": {}}\n\nauth = AUTH\npassword: PASS\n",
	"{\"auths\": {}}}{\"auths\": {\"reg.example.com\": {\"auth\": \"AUTH\"}}}",
	// Broken ones.
	"{\n  \"auths\": {\n    \"reg.example.com\": {\n      \"auth\": \"AUTH\",\n    }\n  }\n}",
	"{\n  \"auths\": {\n    \"reg.example.com\": {\n      \"auth: \"AUTH\"\n    }\n  }\n}",
	"{\n  \"auths\": {\n    \"reg.example.com\": {\n      \"auth\": AUTH\n    }\n  }\n}",
	"{\n  \"auths\": {\n    \"reg.example.com\": {\n      \"auth\": \"AUTH\n    }\n  }\n}",
	"{\n  \"auths\": {\n    \"reg.example.com\": {\n      \"auth\": AUTH\"\n    }\n  }\n}",
	`{"auths": {"reg.example.com": {"password": "QUOTE",}}}`,
	`{"auths": {"reg.example.com": {"password: "QUOTE"}}}`,
	`{"auths": {"reg.example.com": {password: 'QUOTE'}}}`,
	`{“auths”: {“reg.example.com”: {“password”: “QUOTE”, “auth”: “AUTH”}}}`,
	`{"auths": {"reg.example.com": {"password": "\PASS"}}}`,
	`{"auths": {"reg.example.com" {"password" "PASS"}}}`,
	"{\n // was AUTH, PASS\n \"auths\": {}}",
	"{ /* user:PASS\n AUTH */ }",
	"auths:\n  reg.example.com:\n    auth: AUTH\n    password: PASS\n    token: \"TOKEN\"\n",
	"AUTH", "AUTH\n", "user:PASS", "machine reg.example.com login ci password PASS", "PASS", "TOKEN",
	"auth = AUTH\nemail = ci@example.com\n",
	"{\"auths\": {\"reg.example.com\": {\"auth\": \"AUTH\xfc\"}}}",
	"{\"auths\": {\"b\xfcro PASS\": {\"auth\": \"AUTH\"}}}",
	"{\"auths\":\u00a0{\"reg.example.com\": {\"auth\":\u00a0\"AUTH\"}}}",
	"{\"auths\": {\"reg.example.com\": {\"auth\": \"\x00AUTH\"}}}",
	`{"auths": {"reg.example.com": {"auth": "AUTH"}}`,
	`{"auths": {"AUTH": {"PASS": }}}`,
	`{"auths": {"user:PASS@reg.example.com": {}},}`,
	`{"auths": {"https://user:PASS@reg.example.com": {}},}`,
	`{"auths": {"TOKEN.TOKEN.TOKEN": {}},}`,
	`<html>PASS AUTH</html>`,
	`export DOCKER_AUTH_CONFIG='{"auths": {"reg.example.com": {"auth": "AUTH"}}}'`,
}

// planted fills the canaries in, and returns what must not be seen.
func planted(text string) (string, []string) {
	auth := b64("user:" + canaryPassword)
	text = strings.NewReplacer("PASS", canaryPassword, "AUTH", auth, "TOKEN", canaryToken, "QUOTE",
		canaryQuote).Replace(text)
	// The first letters of an auth are those of its user.
	return text, []string{canaryPassword, auth[7:], canaryToken, canaryQuote, "Kv", "wXy", "zq7"}
}

// leak looks for a canary in the excerpts at each place of a file.
func leak(f *File, canaries []string) string {
	text := f.Source.Text
	for at := 0; at <= len(text); at++ {
		for _, end := range []int{at, at + 1, at + 7, len(text)} {
			excerpt := f.Source.At(at, min(end, len(text))).Excerpt().Text
			for _, canary := range canaries {
				if strings.Contains(excerpt, canary) {
					return excerpt
				}
			}
		}
	}
	return ""
}

func TestNoExcerptShowsASecret(t *testing.T) {
	for _, text := range leaking {
		planted, canaries := planted(text)
		for _, variant := range []string{planted, strings.ReplaceAll(planted, " ", "\n"), "\ufeff" + planted} {
			if excerpt := leak(Parse("config.json", []byte(variant)), canaries); excerpt != "" {
				t.Errorf("%s\nshows %s", variant, excerpt)
				break
			}
		}
	}
}

// An excerpt must show what the finding is about.
func TestExcerptsStayReadable(t *testing.T) {
	auth := b64("user:pass")
	for text, want := range map[string]string{
		`{"auths": {"reg.example.com": {"auth": "` + auth + `"}}, "credsStore": "desktop"}`:
		/**/ `{"auths": {"reg.example.com": {"auth": "********"}}, "credsStore": "desktop"}`,
		`{"auths": {"https://index.docker.io/v1/": {"username": "ci-bot", "email": "ci@example.com"}}}`:
		/**/ `{"auths": {"https://index.docker.io/v1/": {"username": "ci-bot", "email": "ci@example.com"}}}`,
		`{"auths": {"123456789012.dkr.ecr.eu-central-1.amazonaws.com:443": {"username": "AWS", "password": "x"}}}`:
		/**/ `{"auths": {"123456789012.dkr.ecr.eu-central-1.amazonaws.com:443": {"username": "AWS", ` +
			`"password": "********"}}}`,
		`{"credHelpers": {"reg.example.com": "ecr-login"}, "credStore": "osxkeychain", "psFormat": "table {{.ID}}"}`:
		/**/ `{"credHelpers": {"reg.example.com": "ecr-login"}, "credStore": "osxkeychain", ` +
			`"psFormat": "table {{.ID}}"}`,
		`{"proxies": {"default": {"httpProxy": "http://proxy.example.com:3128", ` +
			`"noProxy": "localhost,.example.com"}}}`:
		/**/ `{"proxies": {"default": {"httpProxy": "http://proxy.example.com:3128", ` +
			`"noProxy": "localhost,.example.com"}}}`,
		`{"auths": {"robot": {"username": "robot$project+name", "serveraddress": "https://index.docker.io/v1/"}}}`:
		/**/ `{"auths": {"robot": {"username": "robot$project+name", ` +
			`"serveraddress": "https://index.docker.io/v1/"}}}`,
		`{"auths": {"https://user:secret@reg.example.com/v2/": {}}}`:
		/**/ `{"auths": {"https://********@reg.example.com/v2/": {}}}`,
		`{"proxies": {"default": {"httpProxy": "http://user:x@proxy:3128"}}}`:
		/**/ `{"proxies": {"default": {"httpProxy": "http://********@proxy:3128"}}}`,
		`{"auths": {"reg.example.com": {"auth": "` + auth + `"},}}`:
		/**/ `{"auths": {"reg.example.com": {"auth": "********"},}}`,
		`{"auths": {"reg.example.com": {"password": "a b,c{d"}},}`:
		/**/ `{"auths": {"reg.example.com": {"password": "********"}},}`,
		`    auth: ` + auth: `    auth: ********`,
		`{auths: {https://reg.example.com:5000/v2/: {}}}`: `{auths: {https://reg.example.com:5000/v2/: {}}}`,
		`{"auths": true, // see the wiki`:                 `{"auths": true, // ********`,
	} {
		if got := Parse("config.json", []byte(text)).Source.At(0, 0).Excerpt().Text; got != want &&
			!strings.HasPrefix(want, strings.TrimSuffix(got, "…")) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestRedacted(t *testing.T) {
	for text, want := range map[string]string{
		"reg.example.com": "reg.example.com", "reg.example.com:5000": "reg.example.com:5000",
		" reg.example.com":                        " reg.example.com",
		"https://index.docker.io/v1/access-token": "https://index.docker.io/v1/access-token",
		"my-registry":                             "my-registry",
		"":                                        "", "localhost": "localhost",
		"registry:5000/team":       "registry:5000/team",
		"HTTPS://reg.example.com/": "HTTPS://reg.example.com/",
		"user@reg.example.com":     "user@reg.example.com", "user:x@reg.example.com/a": "********@reg.example.com/a",
		"https://user:x@reg.example.com": "https://********@reg.example.com",
		"reg.example.com?x=y":            "reg.example.com?********",
		"user:password":                  "********", b64("user:password"): "********", "ghp_abc12345": "********",
		"ci@example.com": "ci@example.com", "robot$a+b": "robot$a+b",
		"00000000-0000-0000-0000-000000000000": "00000000-0000-0000-0000-000000000000",
		"gitlab+deploy-token-1234567":          "gitlab+deploy-token-1234567", "_json_key": "_json_key",
		"reg.example.com:443":              "reg.example.com:443",
		"0123456789abcdef0123456789abcdef": "********", "12345678|robot-name": "12345678|robot-name",
	} {
		if got := Redacted(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
