package checks

import (
	"context"
	"fmt"
	"strings"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

var configAuthEncoding = Check{
	Name:  "config-auth-encoding",
	Title: "Every auth decodes to a user name and a password",
	Doc: "Decodes each auth of config.json as the runner's reader does, which is stricter than docker: one " +
		"entry that does not decode makes it refuse the whole file. What is decoded is looked over for the " +
		"marks of a wrong encoding.",
	Problems: []*Problem{
		malformedBase64, authWithoutColon, emptyAuth, emptyUsername, emptyPassword, trailingNewline,
		strayWhitespace, conflictingCredentials,
	},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachConfig(ctx, h, (*configUse).unjudged, encodedFindings)
	},
}

var malformedBase64 = &Problem{
	ID:    "malformed-base64",
	Title: "An auth is not base64",
	Doc: "auth is the base64 of USER:PASSWORD in the standard alphabet, on one line. The runner's reader " +
		"decodes every entry when the " +
		"runner starts, and one that does not decode makes it refuse the whole file (\"Illegal base64 " +
		"character\"): no image gets " +
		"credentials, whichever registry the entry is for. docker's CLI is milder, and skips line breaks. GNU " +
		"base64 breaks lines " +
		"after 76 characters; " + encodeCommand + " does not.",
	Source:   "RFC 4648; " + measured,
	Explains: unsent(),
	Prints: []Print{
		{`illegal base64 character|last unit does not have enough valid bits|input byte\[?\]? ?array has (wrong|incorrect)`, 1},
	},
}

var authWithoutColon = &Problem{
	ID:    "auth-without-colon",
	Title: "An auth has no colon in it",
	Doc: "Once decoded, auth has to be USER:PASSWORD. Without a colon (a token alone, a password alone, " +
		"something that was encoded " +
		"twice) the runner's reader refuses the whole file (\"Invalid auth configuration file\"): no image " +
		"gets credentials. Encode " +
		"both together: " + encodeCommand + ".",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsInvalidAuth, 1},
	},
}

var emptyAuth = &Problem{
	ID:    "empty-auth",
	Title: "An auth is empty",
	Doc: "An auth that is \"\" is no missing auth: the runner's reader tries to split it into a user name and " +
		"a password, fails, and " +
		"refuses the whole file (\"Invalid auth configuration file\"): no image gets credentials. Delete the " +
		"entry, or fill it in: " +
		encodeCommand + ".",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsInvalidAuth, 2},
	},
}

var emptyUsername = &Problem{
	ID:    "empty-username",
	Title: "An entry has no user name",
	Doc: "The part before the first colon is empty. docker's daemon takes that for no credentials and pulls " +
		"anonymously, which a private registry refuses. A shell makes one of \"$oauthtoken:KEY\" in double " +
		"quotes: use single quotes.",
	Source:   measured + "; docker's daemon sends no credentials without a user name",
	Explains: unsent(),
}

var emptyPassword = &Problem{
	ID:    "empty-password",
	Title: "An entry has no password",
	Doc: "The part behind the first colon is empty, as after a variable that was not set. docker's daemon " +
		"takes that for no credentials and pulls anonymously, which a private registry refuses.",
	Source:   measured + "; moby, daemon/pkg/registry/session.go and containerd's authorizer",
	Explains: unsent(),
}

var trailingNewline = &Problem{
	ID:    "trailing-newline",
	Title: "A password ends in a line break",
	Doc: "echo ends its output with a line break, and base64 encodes it with the rest: the registry then gets " +
		"a password that is one " +
		"character too long and refuses it. Nothing is trimmed on the way. Encode without it: " + encodeCommand + ".",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsUnauthorized, 4},
	},
}

var strayWhitespace = &Problem{
	ID:    "stray-whitespace",
	Title: "A user name or password begins or ends with white space",
	Doc: "A blank, tab, non-breaking space or NUL at an end of the user name or the password is sent as it is: " +
		"nothing is trimmed by the runner (docker's CLI cuts NULs off). A password may really begin or end " +
		"with a blank; copied ones seldom do.",
	Source:   measured,
	Explains: []string{"credentials-rejected", "access-denied"},
}

var conflictingCredentials = &Problem{
	ID:    "conflicting-credentials",
	Title: "The fields of an entry contradict its auth",
	Doc: "An entry may have username, password and serveraddress beside auth. docker's CLI takes auth and " +
		"ignores them; the runner passes them on behind what it decoded, and docker's daemon takes the last: " +
		"empty ones make the pull anonymous, and another serveraddress keeps the credentials from being sent. " +
		"Delete the fields and leave auth.",
	Source:   measured + "; since version 3.2.9 of that library",
	Explains: unsent(),
	Prints: []Print{
		{printsUnauthorized, 5},
	},
}

// refusesAll says what one bad entry does.
const refusesAll = "; because of it the runner's reader refuses the whole file"

func encodedFindings(u *configUse) []Finding {
	judge := func(e authEntry) []Finding { return entryEncoding(u, e) }
	return eachEntry(u, "without a fault in its encoding", withFault(sound, leftover, vendors), judge)
}

// entryEncoding reports what is wrong with the encoding of one entry; the first that applies hides the rest.
func entryEncoding(u *configUse, e authEntry) []Finding {
	if e.decoded.Err != nil {
		return []Finding{undecodable(u, e)}
	}
	if e.fault == leftover || e.fault == vendors {
		return nil
	}
	if f, found := conflict(e); found {
		return []Finding{f}
	}
	c, hint := e.credentials(), "encode the password too"
	if !e.decoded.Present {
		hint = `write "auth", the base64 of USER:PASSWORD`
	}
	switch {
	case c.username == "" && c.password == "":
		return []Finding{e.about(Failed(emptyUsername, e.name(), fmt.Sprintf("%s has neither user name nor "+
			"password", quoted(e.Key)),
			"encode both"+restart).At(c.usernamePlace).Try(encodeCommand))}
	case c.username == "":
		return []Finding{e.about(Failed(emptyUsername, e.name(),
			fmt.Sprintf("the user name of %s is empty: docker's daemon then sends nothing", quoted(e.Key)),
			"encode the user name too, in single quotes"+restart).At(orKey(e, c.usernamePlace)).Try(encodeCommand))}
	case c.password == "":
		return []Finding{e.about(Failed(emptyPassword, e.name(),
			fmt.Sprintf("the password of %s is empty: docker's daemon then sends nothing", quoted(e.Key)),
			hint+restart).At(orKey(e, c.passwordPlace)).Try(encodeCommand))}
	}
	return whitespace(e, c)
}

// orKey is the place, or the entry's key where the field that is missed is not there.
func orKey(e authEntry, place source.Span) source.Span {
	if place.File == nil {
		return e.KeyPlace()
	}
	return place
}

// undecodable reports an auth that makes the runner's reader refuse the whole file.
func undecodable(u *configUse, e authEntry) Finding {
	err := e.decoded.Err
	problem, what := malformedBase64, ""
	switch err.Kind {
	case dockerconfig.EmptyAuth:
		problem, what = emptyAuth, `is ""`
	case dockerconfig.WithoutColon:
		problem, what = authWithoutColon, "decodes to something without a colon"
		if e.decoded.EncodedTwice {
			what = "was encoded twice: it decodes to base64 once more"
		} else if e.decoded.BareToken {
			what = "decodes to something without a colon, a token or a password alone"
		}
	default:
		what = fmt.Sprintf("%s (byte %d)", decodeFault(e), err.Offset)
	}
	f := Failed(problem, e.name(), fmt.Sprintf("the auth of %s %s%s", quoted(e.Key), what, refusesAll),
		decodeHint(e)+restart).At(err.Place).Touching(Entry(e.Key)).Try(encodeCommand)
	if e.decoded.DockerReads {
		f.Message += ", while docker's CLI reads it"
	}
	return u.wholeFile(f)
}

// tokenPrefixes begin the tokens that people put into auth as they are.
func tokenPrefixes() []string {
	return []string{
		"ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "gldt-", "glcbt-", "dckr_pat_", "dckr_oat_",
		"dop_v1_", "nvapi-", "ATATT", "ATCTT", "ya29.",
	}
}

// decodeFault names the mistake behind an auth that is no base64.
func decodeFault(e authEntry) string {
	raw := e.Auth.Value.Text()
	for _, prefix := range tokenPrefixes() {
		if strings.HasPrefix(raw, prefix) {
			return "is a token as it is, neither encoded nor with a user name"
		}
	}
	if strings.HasPrefix(strings.ToLower(raw), "basic ") {
		return "begins with the word Basic, as the header of a request does"
	}
	switch e.decoded.Err.Kind {
	case dockerconfig.Percent:
		return "is percent-encoded: %3D stands for ="
	case dockerconfig.Plaintext:
		return "is in plain text, not base64"
	case dockerconfig.LineBreak:
		return "has a line break in it"
	case dockerconfig.QuotedAuth:
		return "has quotes in it"
	case dockerconfig.BlankInAuth:
		return "has a blank in it"
	case dockerconfig.URLSafe:
		return "is in the alphabet for URLs, with - and _ for + and /"
	case dockerconfig.BadPadding:
		return "is cut short, or its padding (=) is wrong"
	}
	return "has a character in it that is not base64"
}

func decodeHint(e authEntry) string {
	switch e.decoded.Err.Kind {
	case dockerconfig.EmptyAuth:
		return "delete the entry, or encode USER:PASSWORD on one line"
	case dockerconfig.WithoutColon:
		return "encode the user name and the password together, once"
	}
	return "encode USER:PASSWORD again, on one line"
}

// conflict reports fields that contradict auth, or a serveraddress that contradicts the key.
func conflict(e authEntry) (Finding, bool) {
	m, what := contradiction(e)
	if m == nil {
		return Finding{}, false
	}
	hint, effect := "delete "+quoted(m.Key), "docker's CLI takes auth, the daemon behind the runner takes the field"
	switch {
	case m == e.ServerAddress:
		effect = "docker's daemon then keeps the credentials for that host"
	case isText(e.Username) && isText(e.Password):
		hint = `delete "username" and "password"`
	}
	return e.about(Failed(conflictingCredentials, e.name(),
		fmt.Sprintf("%s of %s %s: "+
			"%s", quoted(m.Key), quoted(e.Key), what, effect), hint+restart).At(m.Value.Place())), true
}

func contradiction(e authEntry) (*dockerconfig.Member, string) {
	if isText(e.ServerAddress) && serverHost(e.ServerAddress.Value.Text()) != serverHost(e.Key) {
		return e.ServerAddress, "names another host than the key"
	}
	if !e.decoded.Present {
		return nil, ""
	}
	fields := []*dockerconfig.Member{e.Username, e.Password}
	for i, decoded := range []string{e.decoded.Username, e.decoded.Password} {
		m := fields[i]
		switch {
		case !isText(m) || m.Value.Text() == decoded:
		case m.Value.Text() == "":
			return m, "is empty, auth is not"
		default:
			return m, "says otherwise than auth"
		}
	}
	return nil, ""
}

// serverHost is the host of a server's address as docker's daemon compares it.
func serverHost(address string) string {
	host := keyHost(address)
	if host == hubKey || host == "index.docker.io" {
		return hubHost
	}
	return host
}

// blanks are the characters that nobody means to have at the end of a name or a password.
const blanks = " \t\r\n\x00\u00a0\u200b\ufeff"

// whitespace reports what was encoded by mistake. A service-account key is JSON, to which white space means nothing.
func whitespace(e authEntry, c credentials) []Finding {
	if c.username == "_json_key" {
		return nil
	}
	var findings []Finding
	password := strings.TrimRight(c.password, "\r\n")
	if password != c.password {
		mark := `\n`
		if strings.HasSuffix(c.password, "\r\n") {
			mark = `\r\n`
		} else if strings.HasSuffix(c.password, "\r") {
			mark = `\r`
		}
		findings = append(findings, e.about(Failed(trailingNewline, e.name(),
			fmt.Sprintf("the password of %s ends in a line break (%s), which the registry gets "+
				"too", quoted(e.Key), mark),
			"encode it again without the line break"+restart).At(c.passwordPlace).Try(encodeCommand)))
	}
	for _, part := range []struct {
		name, value string
		place       source.Span
	}{{"user name", c.username, c.usernamePlace}, {"password", password, c.passwordPlace}} {
		if end, mark := strayEnd(part.value); end != "" {
			findings = append(findings, e.about(Warned(strayWhitespace, e.name(),
				fmt.Sprintf("the %s of %s %s with %s, which the registry gets "+
					"too", part.name, quoted(e.Key), end, mark),
				"encode it again without, unless it is meant"+restart).At(part.place).Try(encodeCommand)))
		}
	}
	return findings
}

// strayEnd says at which end of a value white space stands, and what it is.
func strayEnd(value string) (end, mark string) {
	trimmed := strings.TrimLeft(value, blanks)
	if trimmed != value {
		return "begins", blankName(value[:len(value)-len(trimmed)])
	}
	if trimmed = strings.TrimRight(value, blanks); trimmed != value {
		return "ends", blankName(value[len(trimmed):])
	}
	return "", ""
}

func blankName(text string) string {
	switch r := []rune(text)[0]; r {
	case ' ':
		return "a blank"
	case '\t':
		return "a tab"
	case '\r', '\n':
		return "a line break"
	case 0:
		return "a NUL (docker's CLI cuts it off)"
	case 0xa0:
		return "a non-breaking space"
	}
	return "an invisible character"
}
