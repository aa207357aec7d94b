package checks

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

var configBasicAuth = Check{
	Name:  "config-basic-auth",
	Title: "Every entry holds a user name and a password that last",
	Doc: "The runner supports a user name with a password alone. This looks for what is none (tokens in fields " +
		"of their own), what ends within hours (cloud registries' login passwords), what has ended, what was " +
		"never filled in, and what is not needed.",
	Problems: []*Problem{
		identityToken, registryToken, timedPassword, expiredPassword, wrongUsername,
		needlessCredentials, placeholderCredentials,
	},
	Run: func(ctx context.Context, h *Host) []Finding {
		judge := func(u *configUse) []Finding { return basicFindings(u, h.Now()) }
		return eachConfig(ctx, h, (*configUse).unjudged, judge)
	},
}

const basicOnly = "Atlassian, \"Use your Docker images in self-hosted runners\": \"The use of authentication " +
	"credentials other than basic " +
	"authentication (a username with a password), such as tokens and timed passwords is not supported\""

var identityToken = &Problem{
	ID:    "identity-token",
	Title: "An entry holds an identity token, not a password",
	Doc: "docker login stores identitytoken instead of a password for registries that hand one out (Azure " +
		"Container Registry, a login in " +
		"the browser). The runner's documentation excludes such tokens. Write an entry with a user name and a " +
		"password by hand, " +
		"of a service principal, a robot account or a personal access token: " + encodeCommand + " makes the " +
		"value of auth.",
	Source:   basicOnly,
	Explains: unsent(),
}

var registryToken = &Problem{
	ID:    "registry-token",
	Title: "An entry holds a registry token, not a password",
	Doc: "registrytoken is a bearer token for one registry that ends within minutes. The runner's " +
		"documentation excludes such tokens. " +
		"Write an entry with a user name and a password: " + encodeCommand + " makes the value of auth.",
	Source:   basicOnly,
	Explains: unsent(),
}

var timedPassword = &Problem{
	ID:    "timed-password",
	Title: "A password ends within hours",
	Doc: "The login passwords of cloud registries look like passwords and end: Amazon ECR's after 12 hours, " +
		"Google's access tokens after one, Azure's after three, those of CI jobs with the job. The runner " +
		"reads config.json once, when it starts, so that not even a refreshed file helps it. Use credentials " +
		"that last (a robot account, a service-account key, a deploy token), or mirror the images to a " +
		"registry that has them. A token that says when it ends is reported from 30 days before, and fails " +
		"within 24 hours.",
	Source:   basicOnly + "; the registries' own documentation",
	Explains: []string{"credentials-rejected", "access-denied"},
	Prints: []Print{
		{printsUnauthorized, 2},
	},
}

var expiredPassword = &Problem{
	ID:    "expired-password",
	Title: "A password has expired",
	Doc: "The password itself says when it ends (ECR's login passwords, JSON web tokens, JFrog's reference " +
		"tokens do), and that time has passed: the registry refuses it. Replace it by one that lasts, then " +
		"restart the runner, which reads the file once.",
	Source:   "the password's own end, by this machine's clock",
	Explains: []string{"credentials-rejected", "access-denied", "credentials-missing"},
	Prints: []Print{
		{printsUnauthorized, 3},
	},
}

var wrongUsername = &Problem{
	ID:    "wrong-username",
	Title: "This registry does not accept such a user name",
	Doc: "Some registries have fixed user names: Amazon ECR takes AWS alone, a Google service-account key goes " +
		"with _json_key or _json_key_base64. And a shell cuts names: in double quotes \"robot$pull\" becomes " +
		"robot, as $pull is an unset variable. Write such names in single quotes.",
	Source:   "the registries' own documentation; Harbor, robot accounts",
	Explains: []string{"credentials-rejected", "access-denied"},
	Prints: []Print{
		{printsUnauthorized, 6},
	},
}

var needlessCredentials = &Problem{
	ID:    "needless-credentials",
	Title: "There are credentials for a registry of the vendor that needs none",
	Doc: "The vendor's registries serve the runner's default images to everybody. Credentials that are sent " +
		"and wrong fail even there: nothing falls back to an anonymous pull. Delete the entry.",
	Source: "Atlassian: \"All of the above default images can be retrieved using docker pull without logging " +
		"in\"; docker's daemon",
	Explains: []string{"credentials-rejected", "access-denied"},
	Prints: []Print{
		{printsUnauthorized, 7},
	},
}

var placeholderCredentials = &Problem{
	ID:    "placeholder-credentials",
	Title: "An entry was never filled in",
	Doc: "The entry holds a sample of the documentation (user:password, user1:password1), something in <angle " +
		"brackets>, changeme, or a " +
		"variable that nothing expands: config.json is read as it is. In a script, a here-document with a " +
		"quoted 'EOF' keeps $VAR as " +
		"it is. Put the real user name and password in: " + encodeCommand + " makes the value of auth.",
	Source:   "Atlassian, \"Use your Docker images in self-hosted runners\", its sample file",
	Explains: unsent(),
}

func basicFindings(u *configUse, now time.Time) []Finding {
	judge := func(e authEntry) []Finding { return entryBasics(u, e, now) }
	faulty, readable := withFault(tokenField, placeholder), withFault(sound, vendors)
	wanted := func(n entryNote) bool { return faulty(n) || n.decodes && readable(n) }
	return eachEntry(u, "with a user name and a password", wanted, judge)
}

func entryBasics(u *configUse, e authEntry, now time.Time) []Finding {
	switch e.fault {
	case tokenField:
		return []Finding{tokenFinding(u, e)}
	case placeholder:
		return []Finding{placeholderFinding(u, e)}
	case vendors:
		if e.decoded.Err != nil {
			return nil
		}
		return []Finding{e.about(Warned(needlessCredentials, e.name(),
			fmt.Sprintf("%s serves everybody: with an entry, wrong credentials fail where none are "+
				"needed", quoted(e.Key)),
			"delete the entry"+restart).At(e.KeyPlace()))}
	}
	if m, _ := contradiction(e); e.decoded.Err != nil || m != nil {
		return nil
	}
	c := e.credentials()
	c.username, c.password = strings.Trim(c.username, blanks), strings.Trim(c.password, blanks)
	if c.username == "" || c.password == "" {
		return nil
	}
	return kindFindings(e, c, now)
}

// tokenFinding reports a token in a field of its own.
func tokenFinding(u *configUse, e authEntry) Finding {
	m := e.tokenField()
	problem := identityToken
	if m.Key == "registrytoken" {
		problem = registryToken
	}
	f := Failed(problem, e.name(), fmt.Sprintf("%s has %s; the runner supports a user name with a password "+
		"alone", quoted(e.Key), quoted(m.Key)),
		`write "auth", the base64 of USER:PASSWORD, in its place`+restart).At(m.KeyPlace()).Try(encodeCommand)
	return u.refusing(e, f)
}

// refusing makes a finding about an entry one about the whole file where its auth does not decode.
func (u *configUse) refusing(e authEntry, f Finding) Finding {
	if e.decoded.Err == nil {
		return e.about(f)
	}
	f.Message += refusesAll
	return u.wholeFile(f.Touching(Entry(e.Key)))
}

func placeholderFinding(u *configUse, e authEntry) Finding {
	const hint = "put the real user name and password in" + restart
	if isPlaceholder(e.host) {
		f := Failed(placeholderCredentials, e.name(), fmt.Sprintf("the key %s is a placeholder: it is no "+
			"registry", quoted(e.Key)),
			"write the registry's host"+restart).At(e.KeyPlace())
		e.needed = e.needed || len(u.left()) > 0
		return u.refusing(e, f)
	}
	m := e.unfilled()
	what := "a placeholder"
	if c := e.credentials(); isSample(c.username, c.password) {
		what = "the sample of a documentation"
	}
	return u.refusing(e, Failed(placeholderCredentials, e.name(), fmt.Sprintf("%s of %s holds "+
		"%s", quoted(m.Key), quoted(e.Key), what), hint).
		At(m.Value.Place()).Try(encodeCommand))
}

// kindFindings judges what a user name and a password show of themselves: a user name that cannot be right hides the
// rest.
func kindFindings(e authEntry, c credentials, now time.Time) []Finding {
	if f, found := usernameFinding(e, c); found {
		return []Finding{f}
	}
	kind := dockerconfig.Classify(e.registry(), c.username, c.password)
	if f, found := lifetimeFinding(e, c, kind, now); found {
		return []Finding{f}
	}
	return nil
}

// usernameFinding judges the user name by the kind of registry.
func usernameFinding(e authEntry, c credentials) (Finding, bool) {
	host, name := e.registry(), source.Printable(source.Username(c.username))
	form := keyForm(c.password)
	f := Failed(wrongUsername, e.name(), "", "").At(c.usernamePlace)
	switch {
	case c.username == "<token>":
		return Finding{}, false
	case dockerconfig.IsECR(host) && c.username != "AWS":
		f.Message = fmt.Sprintf("Amazon ECR takes the user name AWS alone, not %q", name)
		f.Hint = "mirror the images to a registry with robot accounts: even as AWS, an ECR password ends after " +
			"12 hours"
	case form != "" && dockerconfig.IsGoogle(host) && !strings.HasPrefix(c.username, "_json_key"):
		f.Message = fmt.Sprintf("the password is a Google service-account key, and the user name is %q", name)
		f.Hint = "write the user name " + form + restart
	case c.username == "_json_key" && form == "_json_key_base64",
		c.username == "_json_key_base64" && form == "_json_key":
		f = f.As(Warn)
		f.Message = fmt.Sprintf("the user name is %s, the service-account key has the form for %s", c.username, form)
		f.Hint = "write the user name " + form + restart
	case (c.username == "robot" || strings.HasPrefix(c.username, "robot+")) && !strings.Contains(host, "quay"):
		f = f.As(Warn)
		f.Message = fmt.Sprintf("the user name %q looks cut by a shell, as $name is in double quotes: robot "+
			"accounts are called robot$name", name)
		f.Hint = "encode it again in single quotes" + restart
		f = f.Try(`printf %s 'robot$NAME:PASSWORD' | base64 | tr -d '\n'`)
	case c.username == "AWS" && !dockerconfig.IsECR(host) &&
		dockerconfig.Classify(host, c.username, c.password).Lifetime != dockerconfig.Timed:
		f = f.As(Warn)
		f.Message = fmt.Sprintf("AWS is the user name of Amazon ECR, and %s is none", quoted(host))
		f.Hint = "write the user name that this registry knows" + restart
	default:
		return Finding{}, false
	}
	return e.about(f), true
}

// keyForm tells a Google service-account key, by the user name that goes with its form; "" for other passwords.
func keyForm(password string) string {
	const mark = `"service_account"`
	if strings.HasPrefix(password, "{") && strings.Contains(password, mark) {
		return "_json_key"
	}
	if strings.HasPrefix(password, "ew") || strings.HasPrefix(password, "ey") {
		text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(password))
		if err == nil && strings.Contains(string(text), mark) {
			return "_json_key_base64"
		}
	}
	return ""
}

// Passwords that say when they end fail within aDay of that, and warn within aMonth.
const (
	aDay   = 24 * time.Hour
	aMonth = 30 * aDay
)

// lifetimeFinding judges how long a password lasts.
func lifetimeFinding(e authEntry, c credentials, kind dockerconfig.CredentialKind, now time.Time) (Finding, bool) {
	if kind.Lifetime == dockerconfig.Plain || kind.Lifetime == dockerconfig.Lasting {
		return Finding{}, false
	}
	left := kind.Ends.Sub(now)
	end := kind.Ends.Format("2006-01-02 15:04 MST")
	f := Failed(timedPassword, e.name(), "", kind.Instead+restart).At(c.passwordPlace)
	switch {
	case kind.Lifetime == dockerconfig.Token:
		return e.about(Failed(identityToken, e.name(),
			fmt.Sprintf("the user name of %s says that its password is an identity token", quoted(e.Key)),
			kind.Instead+restart).At(c.usernamePlace)), true
	case !kind.Ends.IsZero() && left <= 0:
		f.Problem = expiredPassword
		f.Message = fmt.Sprintf("the password of %s is %s that ended %s", quoted(e.Key), kind.Name, end)
	case kind.Lifetime == dockerconfig.Timed && kind.Ends.IsZero():
		f.Message = fmt.Sprintf("the password of %s is %s, which works for %s", quoted(e.Key), kind.Name, kind.Lasts)
	case kind.Lifetime == dockerconfig.Timed:
		f.Message = fmt.Sprintf("the password of %s is %s, which works for %s: this one ends "+
			"%s", quoted(e.Key), kind.Name, kind.Lasts, end)
	case kind.Lifetime != dockerconfig.Dated || left > aMonth:
		return Finding{}, false
	default:
		f.Message = fmt.Sprintf("the password of %s is %s that ends %s", quoted(e.Key), kind.Name, end)
		if left > aDay {
			f = f.As(Warn)
			f.Hint = "replace it before that" + restart
		}
		if f.Status == Warn && !e.needed {
			return Finding{}, false
		}
	}
	if !kind.Ends.IsZero() {
		f = f.With("ends", kind.Ends.Format(time.RFC3339))
	}
	return e.about(f), true
}
