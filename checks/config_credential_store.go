package checks

import (
	"context"
	"fmt"
	"slices"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

var configCredentialStore = Check{
	Name:  "config-credential-store",
	Title: "No credential store keeps the passwords",
	Doc: "docker login leaves the password in a credential store or with a credential helper where one is set " +
		"up, and in config.json no more than an empty entry. docker's CLI asks the store; the runner cannot.",
	Problems: []*Problem{credentialStore, credentialHelper, emptyEntry},
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachConfig(ctx, h, (*configUse).unjudged, storeFindings)
	},
}

const unsupportedStore = "Atlassian, \"Use your Docker images in self-hosted runners\": \"The use of a " +
	"credential store is also not " +
	"supported\"; " + measured

var credentialStore = &Problem{
	ID:    "credential-store",
	Title: "A credential store is configured",
	Doc: "With credsStore, docker login gives the password to a program (docker-credential-desktop, -pass, " +
		"-secretservice …) and writes " +
		"no more than an empty entry. docker's CLI on the host asks that program, so that docker pull works; " +
		"the runner asks no " +
		"program and pulls without credentials. Write the entry yourself: " + encodeCommand + " makes the " +
		"value of auth. Then take " +
		"credsStore out, or the next docker login moves the entry into the store. Taking it out first does not " +
		"help, as docker " +
		"login finds the store's program again and puts it back while there is no entry.",
	Source:   unsupportedStore,
	Explains: append(unsent(), "empty-entry"),
}

var credentialHelper = &Problem{
	ID:    "credential-helper",
	Title: "A credential helper holds the password of a needed registry",
	Doc: "credHelpers names a program for one registry (ecr-login, gcloud, acr-env …) that docker's CLI asks " +
		"for credentials. The runner asks no program: it takes an entry of auths for the registry if there is " +
		"one, and pulls without credentials if there is none. Write an entry with a user name and a password " +
		"that lasts, a robot account or a service-account key.",
	Source:   unsupportedStore,
	Explains: append(unsent(), "empty-entry"),
}

var emptyEntry = &Problem{
	ID:    "empty-entry",
	Title: "An entry has no credentials",
	Doc: "An entry without auth, and without username and password, is what docker login leaves in config.json " +
		"when a credential store " +
		"holds the password. The runner sends an empty user name and password for it, which gets nothing from " +
		"a private registry. " +
		"Write the credentials into the entry: " + encodeCommand + " makes the value of auth.",
	Source:   measured,
	Explains: unsent(),
}

func storeFindings(u *configUse) []Finding {
	findings := helperFindings(u)
	if f, found := storeFinding(u); found {
		findings = append([]Finding{f}, findings...)
	}
	for _, e := range u.auths {
		if e.fault != bare {
			continue
		}
		findings = append(findings, e.about(Failed(emptyEntry, e.name(),
			fmt.Sprintf("the entry %s has no credentials", quoted(e.Key)),
			`give it "auth", the base64 of USER:PASSWORD`+restart).At(e.KeyPlace()).Try(encodeCommand)))
	}
	if findings == nil {
		findings = []Finding{Passed(u.Path, "no credential store and no credential helper")}
	}
	return findings
}

// storeFinding judges credsStore. An empty one is none.
func storeFinding(u *configUse) (Finding, bool) {
	store, found := u.File.CredsStore()
	name := store.Value.Text()
	if !found || store.Value.Kind != dockerconfig.String || name == "" {
		return Finding{}, false
	}
	helped := helpers(u)
	left := slices.DeleteFunc(u.left(), func(host string) bool { _, is := helped[host]; return is })
	program := "docker-credential-" + source.Printable(name)
	f := Failed(credentialStore, store.Key, "", `write the entry by hand, then take "credsStore" out`+restart).
		Try(encodeCommand).At(store.KeyPlace())
	switch {
	case len(left) > 0:
		f.Message = fmt.Sprintf("the passwords of %s are left to %s: docker pull works here because docker "+
			"asks it; the runner will not",
			listed(left), program)
		f = f.Touching(u.referencesOf(left)...)
	case u.every && len(u.auths) == 0:
		f.Message = fmt.Sprintf("passwords are left to %s: docker pull works here because docker asks it; the "+
			"runner will not", program)
	case len(u.left()) > 0:
		f = f.As(Warn)
		f.Message = fmt.Sprintf("the runner does not ask %s; what is needed is left to credential helpers", program)
	case len(u.needs) == 0 && !u.every:
		f = f.As(Warn)
		f.Message = fmt.Sprintf("the runner does not ask %s; no image of this runner needs credentials", program)
	default:
		f = f.As(Warn)
		f.Message = fmt.Sprintf("every registry that is needed has an entry of its own, but the next docker "+
			"login would move it to %s", program)
		f.Hint = `take "credsStore" out`
		f.Commands = nil
	}
	return f.Touching(Path(u.Path)).Touching(u.bareEntries()...), true
}

// bareEntries names the entries without credentials, which a store leaves behind.
func (u *configUse) bareEntries() []string {
	var touches []string
	for _, e := range u.auths {
		if e.fault == bare {
			touches = append(touches, Entry(e.Key))
		}
	}
	return touches
}

// referencesOf names the images from the given registries.
func (u *configUse) referencesOf(hosts []string) []string {
	var touches []string
	for _, image := range u.needs {
		if slices.Contains(hosts, registryHost(image.Reference)) {
			touches = append(touches, Reference(image.Reference))
		}
	}
	return touches
}

// helpers are the registries that credHelpers names, by the host that docker asks for. A helper without a name turns
// the store off for its registry.
func helpers(u *configUse) map[string]dockerconfig.Member {
	at := map[string]dockerconfig.Member{}
	member, _ := u.File.CredHelpers()
	for m := range member.Value.Members() {
		if m.Value.Kind != dockerconfig.String || m.Value.Text() == "" {
			continue
		}
		host := keyHost(m.Key)
		if host == hubKey || host == "index.docker.io" {
			host = hubHost
		}
		if _, known := at[host]; !known {
			at[host] = m
		}
	}
	return at
}

// helperFindings judges credHelpers: each needed registry that is left to a helper, and the rest in one.
func helperFindings(u *configUse) []Finding {
	var findings []Finding
	var idle []dockerconfig.Member
	full := map[string]bool{}
	for _, e := range u.auths {
		full[e.registry()] = full[e.registry()] || e.fault != bare && e.fault != leftover
	}
	for host, m := range helpers(u) {
		references := u.referencesOf([]string{host})
		switch needed := len(references) > 0 || u.every && !isVendorRegistry(host); {
		case full[host]:
		case needed:
			findings = append(findings, Failed(credentialHelper, m.Key,
				fmt.Sprintf("the password of %s is left to docker-credential-%s: docker pull works here "+
					"because docker asks it; the runner will not",
					quoted(m.Key), source.Printable(m.Value.Text())),
				`write an entry for it into "auths" by hand`+restart).
				Touching(Entry(m.Key), Entry(host)).Touching(references...).At(m.KeyPlace()).Try(encodeCommand))
		default:
			idle = append(idle, m)
		}
	}
	byPlace := func(a, b Finding) int { return a.Location.Start - b.Location.Start }
	slices.SortFunc(findings, byPlace)
	if len(idle) > 0 {
		findings = append(findings, idleHelpers(idle))
	}
	return findings
}

// idleHelpers warns once of the helpers whose registries no image needs, at the first of them.
func idleHelpers(idle []dockerconfig.Member) Finding {
	slices.SortFunc(idle, func(a, b dockerconfig.Member) int { return a.KeyPlace().Start - b.KeyPlace().Start })
	var keys []string
	for _, m := range idle {
		keys = append(keys, shown(m.Key))
	}
	return Warned(credentialHelper, idle[0].Key,
		fmt.Sprintf("the runner asks no credential helper, as the one of %s; no image of this runner needs "+
			"it", listed(keys)),
		`write an entry into "auths" before an image comes from there`).At(idle[0].KeyPlace())
}
