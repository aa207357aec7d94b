package checks

import (
	"context"
	"fmt"
	"maps"
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
	Prints: []Print{
		{printsNoCredentials, 1},
	},
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
	Prints: []Print{
		{printsNoCredentials, 4},
	},
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
	Prints: []Print{
		{printsNoCredentials, 5},
	},
}

func storeFindings(u *configUse) []Finding {
	found := alike{path: u.Path}
	if f, set := storeFinding(u); set {
		found.add(f)
	}
	helperFindings(u, &found)
	for e := range u.entries(withFault(bare)) {
		found.addAll(e, []Finding{e.about(Failed(emptyEntry, e.name(),
			fmt.Sprintf("the entry %s has no credentials", quoted(e.Key)),
			`give it "auth", the base64 of USER:PASSWORD`+restart).At(e.KeyPlace()).Try(encodeCommand))})
	}
	findings := found.all()
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
	left := slices.DeleteFunc(slices.Clone(u.left()), func(host string) bool { _, is := helped[host]; return is })
	program := "docker-credential-" + source.Printable(name)
	f := Failed(credentialStore, store.Key, "",
		`write an entry with "auth", the base64 of USER:PASSWORD, then take "credsStore" out`+restart).
		Try(encodeCommand).At(store.KeyPlace())
	switch {
	case len(left) > 0:
		f.Message = fmt.Sprintf("the passwords of %s are left to %s: docker pull works here because docker "+
			"asks it; the runner will not",
			listed(left), program)
		f = f.Touching(u.referencesOf(left)...)
	case u.every && len(u.notes) == 0:
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

// bareEntries names the entries without credentials, which a store leaves behind, as far as there are findings about
// them.
func (u *configUse) bareEntries() []string {
	var touches []string
	for i, key := range u.File.Keys() {
		if u.notes[i].fault == bare && (len(touches) <= mostAlike || len(u.pulled[i]) > 0) {
			touches = append(touches, Entry(key))
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
		host := helpedHost(m.Key)
		if _, known := at[host]; !known {
			at[host] = m
		}
	}
	return at
}

// helpedHost is the registry of a key of credHelpers.
func helpedHost(key string) string {
	if host := keyHost(key); host != hubKey && host != "index.docker.io" {
		return host
	}
	return hubHost
}

// helperFindings judges credHelpers: each needed registry that is left to a helper, and the rest in one.
func helperFindings(u *configUse, found *alike) {
	helped := helpers(u)
	if len(helped) == 0 {
		return
	}
	for i, key := range u.File.Keys() {
		if fault := u.notes[i].fault; fault != bare && fault != leftover {
			delete(helped, forPeople(keyHost(key)))
		}
	}
	byPlace := func(a, b dockerconfig.Member) int { return a.KeyPlace().Start - b.KeyPlace().Start }
	var idle []dockerconfig.Member
	for _, m := range slices.SortedFunc(maps.Values(helped), byPlace) {
		host := helpedHost(m.Key)
		references := u.referencesOf([]string{host})
		if len(references) == 0 && (!u.every || isVendorRegistry(host)) {
			idle = append(idle, m)
			continue
		}
		found.take(Failed(credentialHelper, m.Key,
			fmt.Sprintf("the password of %s is left to docker-credential-%s: docker pull works here "+
				"because docker asks it; the runner will not",
				quoted(m.Key), source.Printable(m.Value.Text())),
			`write an entry for it into "auths" by hand`+restart).
			Touching(Entry(m.Key), Entry(host)).Touching(references...).At(m.KeyPlace()).Try(encodeCommand),
			len(references) > 0)
	}
	if len(idle) > 0 {
		found.add(idleHelpers(idle))
	}
}

// idleHelpers warns once of the helpers whose registries no image needs, at the first of them.
func idleHelpers(idle []dockerconfig.Member) Finding {
	var keys []string
	for _, m := range idle {
		keys = append(keys, shown(m.Key))
	}
	return Warned(credentialHelper, idle[0].Key,
		fmt.Sprintf("the runner asks no credential helper, as the one of %s; no image of this runner needs "+
			"it", listed(keys)),
		`write an entry into "auths" before an image comes from there`).At(idle[0].KeyPlace())
}
