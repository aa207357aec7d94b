package checks

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

// authEntry is an entry of auths with what the checks share of it.
type authEntry struct {
	dockerconfig.Entry
	decoded dockerconfig.Decoded
	// host is the registry that the runner's reader takes the key for.
	host string
	// needed says that a needed registry gets this very entry.
	needed bool
	// images are those that get it.
	images []Image
	// fault is the most specific thing that is wrong with the entry as a whole; the checks leave the rest alone.
	fault entryFault
}

// entryFault says which check has the say about an entry, so that one mistake is one finding.
type entryFault uint8

// The faults, the most specific first.
const (
	sound entryFault = iota
	// leftover is what a web login leaves beside the Hub's entry.
	leftover
	// misshapen is no object, misspelled has a key that is nearly one that matters, mistyped a field that is no string.
	misshapen
	misspelled
	mistyped
	// tokenField has an identity token or a registry token.
	tokenField
	// placeholder was never filled in.
	placeholder
	// vendors is for a public registry of the vendor.
	vendors
	// bare has no credentials at all.
	bare
)

// look finds out which images need credentials, and which entry each of them gets.
func (u *configUse) look(ctx context.Context, h *Host) {
	for _, image := range u.images {
		if readerHost(image.Reference) == "" {
			continue // the reader throws: no entry helps
		}
		sends := u.File.ForRunner(image.Reference)
		if sends.Username == "" && servedAnonymously(ctx, h, image, u.platform(image)) {
			continue
		}
		u.needs = append(u.needs, image)
	}
	u.notes, u.pulled = make([]entryNote, u.File.Len()), map[int][]Image{}
	u.left = sync.OnceValue(u.withoutCredentials)
	u.asked, u.loose = sync.OnceValue(u.imageHosts), sync.OnceValue(u.looseKeys)
	for i := range u.notes {
		e := u.entry(i)
		e.fault = e.classify()
		e.needed = u.every && e.fault != leftover && !isVendorRegistry(e.host)
		u.notes[i] = entryNote{e.fault, e.needed, e.decoded.Err == nil, u.isClean(e, h.Now())}
	}
	for _, image := range u.needs {
		if i := u.File.Match(readerHost(image.Reference)); i >= 0 {
			u.notes[i].needed, u.notes[i].clean, u.pulled[i] = true, false, append(u.pulled[i], image)
		}
	}
}

// entryNote is what is kept of an entry: of a hundred thousand, few are ever looked at again.
type entryNote struct {
	fault           entryFault
	needed, decodes bool
	// clean says that there is nothing to find in what the entry holds.
	clean bool
}

func (u *configUse) isClean(e authEntry, now time.Time) bool {
	return e.fault == sound && e.decoded.Err == nil && entryEncoding(u, e) == nil && entryBasics(u, e, now) == nil
}

// entry makes an entry of its note.
func (u *configUse) entry(index int) authEntry {
	e := u.File.EntryAt(index)
	note := u.notes[index]
	return authEntry{e, e.Decoded(), keyHost(e.Key), note.needed, u.pulled[index], note.fault}
}

// entries yields the entries whose notes are wanted, in file order.
func (u *configUse) entries(wanted func(entryNote) bool) iter.Seq[authEntry] {
	return func(yield func(authEntry) bool) {
		for i, note := range u.notes {
			if wanted(note) && !yield(u.entry(i)) {
				return
			}
		}
	}
}

// withFault wants the entries with one of the faults, but for clean ones.
func withFault(faults ...entryFault) func(entryNote) bool {
	return func(n entryNote) bool { return !n.clean && slices.Contains(faults, n.fault) }
}

// platform is that of the first runner that pulls the image.
func (u *configUse) platform(image Image) string { return u.platforms[image] }

// readerHost is the registry of an image as the runner's reader sees it, Docker Hub by its key; "" where the reader
// takes no host out of the reference.
func readerHost(reference string) string {
	host, _ := dockerconfig.RunnerHost(reference)
	return host
}

// keyHost is the host that the runner's reader takes a key for.
func keyHost(key string) string {
	if key == hubKey {
		return hubKey
	}
	return dockerconfig.KeyHost(key)
}

// registry is the host for people, and for telling kinds of credentials.
func (e authEntry) registry() string { return forPeople(e.host) }

func forPeople(host string) string {
	if host == hubKey {
		return hubHost
	}
	return host
}

func (e authEntry) classify() entryFault {
	switch {
	case isLoginLeftover(e.Key):
		return leftover
	case e.Value.Kind != dockerconfig.Object || nestedAuths(e.Entry):
		return misshapen
	}
	if _, _, found := misspelledField(e.Entry); found {
		return misspelled
	}
	switch {
	case mistypedField(e.Entry) != nil:
		return mistyped
	case e.tokenField() != nil:
		return tokenField
	case e.unfilled() != nil, isPlaceholder(e.host):
		return placeholder
	case !e.hasAny():
		return bare
	case isVendorRegistry(e.host):
		return vendors
	}
	return sound
}

// isLoginLeftover tells the two entries that docker login adds to the Hub's after a login in the browser.
func isLoginLeftover(key string) bool {
	return key == hubKey+"access-token" || key == hubKey+"refresh-token"
}

// nestedAuths tells an auths inside of auths from an entry.
func nestedAuths(e dockerconfig.Entry) bool {
	if e.Key != "auths" || e.Auth != nil {
		return false
	}
	for m := range e.Value.Members() {
		return m.Value.Kind == dockerconfig.Object
	}
	return false
}

// fields are those of an entry that matter; absent ones are nil.
func fields(e dockerconfig.Entry) [6]*dockerconfig.Member {
	return [...]*dockerconfig.Member{e.Auth, e.Username, e.Password, e.ServerAddress, e.IdentityToken, e.RegistryToken}
}

// mistypedField is the first field that should be a string and is none; nil if all are.
func mistypedField(e dockerconfig.Entry) *dockerconfig.Member {
	for _, m := range fields(e) {
		if m != nil && m.Value.Kind != dockerconfig.String && m.Value.Kind != dockerconfig.Null {
			return m
		}
	}
	return nil
}

// isText tells whether a field is there as a string, empty or not.
func isText(m *dockerconfig.Member) bool { return m != nil && m.Value.Kind == dockerconfig.String }

// hasText tells whether a field holds something.
func hasText(m *dockerconfig.Member) bool {
	return m != nil && m.Value.Kind != dockerconfig.Null && m.Value.Text() != ""
}

// hasAny tells whether an entry speaks of credentials at all: a user name or a password, be they empty beside an
// auth, or an auth, be it empty.
func (e authEntry) hasAny() bool {
	return isText(e.Auth) || hasText(e.Username) || hasText(e.Password) || e.tokenField() != nil
}

// tokenField is the field that holds a token; nil if none does.
func (e authEntry) tokenField() *dockerconfig.Member {
	switch {
	case hasText(e.IdentityToken):
		return e.IdentityToken
	case hasText(e.RegistryToken):
		return e.RegistryToken
	}
	return nil
}

// misspelledField is the first key of an entry that is nearly one that matters, with what was meant.
func misspelledField(e dockerconfig.Entry) (dockerconfig.Member, string, bool) {
	for m := range e.Value.Members() {
		if meant := meantField(m.Key); meant != "" && !present(e, meant) {
			return m, meant, true
		}
	}
	return dockerconfig.Member{}, "", false
}

func present(e dockerconfig.Entry, name string) bool {
	for _, m := range fields(e) {
		if m != nil && m.Key == name {
			return true
		}
	}
	return false
}

func fieldNames() []string {
	return []string{"auth", "username", "password", "serveraddress", "identitytoken", "registrytoken", "email"}
}

// meantField is the field that a key was meant to be; "" when it is one, or nothing like one.
func meantField(key string) string {
	switch key {
	case "auth", "username", "password", "serveraddress", "identitytoken", "registrytoken", "email":
		return ""
	case "user", "login":
		return "username"
	case "pass", "passwd", "pwd":
		return "password"
	}
	lower := strings.ToLower(strings.Trim(key, " \t"))
	plain := strings.NewReplacer("-", "", "_", "").Replace(lower)
	switch {
	case plain == "email":
		return ""
	case slices.Contains(fieldNames(), plain):
		return plain
	}
	if meant := Nearest(plain, fieldNames()); meant != "email" {
		return meant
	}
	return ""
}

// credentials are what the daemon takes out of an entry: the fields go before what auth says.
type credentials struct {
	username, password           string
	usernamePlace, passwordPlace source.Span
}

func (e authEntry) credentials() credentials {
	c := credentials{username: e.decoded.Username, password: e.decoded.Password}
	if e.Auth != nil {
		c.usernamePlace, c.passwordPlace = e.Auth.Value.Place(), e.Auth.Value.Place()
	}
	if isText(e.Username) {
		c.username, c.usernamePlace = e.Username.Value.Text(), e.Username.Value.Place()
	}
	if isText(e.Password) {
		c.password, c.passwordPlace = e.Password.Value.Text(), e.Password.Value.Place()
	}
	return c
}

// about makes a finding one about this entry: it touches the entry, its registry and the images that get it. Where no
// needed registry gets the entry, it cannot hurt.
func (e authEntry) about(f Finding) Finding {
	f = f.Touching(Entry(e.Key)).Touching(referencesTo(e.images)...)
	if f.Status == Fail && !e.needed {
		f = f.As(Warn)
		f.Message += "; no image of this runner needs it"
	}
	return f
}

// quoted is a key as it is shown in messages.
func quoted(key string) string { return `"` + shown(key) + `"` }

// userinfo matches what stands before the host of a URL, password and all.
var userinfo = regexp.MustCompile(`^((?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?)[^/@]*:[^/@]*@`)

// longestShown is how much of a key is shown, in characters.
const longestShown = 300

// shown is a key without the password that somebody may have put into it.
func shown(key string) string {
	if strings.Contains(key, "@") {
		key = userinfo.ReplaceAllString(key, "${1}********@")
	}
	return source.Printable(source.Shortened(key, longestShown))
}

// name is the entry's key for people.
func (e authEntry) name() string { return shown(e.Key) }

// The forms of what somebody forgot to fill in. A name in lower case behind a bare $ is more likely a password.
var (
	angled   = regexp.MustCompile(`^<[\p{L}][\p{L}\d _./:-]*>$`)
	variable = regexp.MustCompile(`^(\$[A-Z_][A-Z0-9_]+|\$\{[^{}]+\}|\$\{\{.*\}\}|\{\{.*\}\}|` +
		`\$\([^()]+\)|%[A-Z_]{3,}%|\$env:\w+|` +
		`\$(password|passwd|pass|user|username|docker_\w+|registry_\w+))$`)
	wordless = regexp.MustCompile(`^(?i:x{3,}|\*{3,}|\.{3,}|…|change[-_ ]?me|replace[-_ ]?me|` +
		`to[-_ ]?do|\[?redacted\]?|` +
		`your[-_ ]?(user|username|password|token|secret|robot|docker[-_]?id|access[-_]?token)([-_ ]?here)?|` +
		`(insert|enter)[-_ ].*[-_ ]here|(base64[-_ ])?encoded[-_ ]?(credentials|auth|string)|base64(\(.*\))?|` +
		`base64[-_ ](encoded[-_ ])?(credentials|auth|string|user.*))$`)
)

// isPlaceholder tells whether a value was never filled in.
func isPlaceholder(value string) bool {
	const longest = 80
	if value == "" || len(value) > longest {
		return false
	}
	switch value[0] {
	case '<':
		return angled.MatchString(value)
	case '$', '{', '%':
		return variable.MatchString(value)
	}
	return strings.IndexByte("xX*.cCrRtT[yYiIeEbB\xe2", value[0]) >= 0 && wordless.MatchString(value)
}

// isQuayUser tells the user names of registries that begin with a dollar sign.
func isQuayUser(name string) bool {
	return name == "$oauthtoken" || name == "$app" || name == "$token"
}

// isSample tells the pairs of the vendor's documentation, and the plainest of others'.
func isSample(username, password string) bool {
	switch strings.ToLower(username + ":" + password) {
	case "user:password", "user1:password1", "user2:password2", "username:password", "<username>:<password>":
		return true
	}
	return false
}

// unfilled is the field in which a placeholder stands; nil if none does.
func (e authEntry) unfilled() *dockerconfig.Member {
	if isText(e.Auth) {
		raw := e.Auth.Value.Text()
		user, password, pair := strings.Cut(raw, ":")
		switch {
		case isPlaceholder(raw), pair && isPlaceholder(user) && !isQuayUser(user), pair && isPlaceholder(password):
			return e.Auth
		}
	}
	c := e.credentials()
	fromFields := isText(e.Username) || isText(e.Password)
	switch {
	case c.username != "<token>" && !isQuayUser(c.username) && isPlaceholder(c.username):
		return holder(e.Username, e.Auth)
	case isPlaceholder(c.password):
		return holder(e.Password, e.Auth)
	case isSample(c.username, c.password):
		if fromFields {
			return holder(e.Username, e.Password, e.Auth)
		}
		return e.Auth
	}
	return nil
}

// holder is the first of the fields that is there.
func holder(fields ...*dockerconfig.Member) *dockerconfig.Member {
	for _, m := range fields {
		if isText(m) {
			return m
		}
	}
	return nil
}

// served tells whether every needed registry has an entry with credentials.
func (u *configUse) served() bool {
	return len(u.left()) == 0 && (!u.every || len(u.notes) > 0)
}

// withoutCredentials are the needed registries that are left without an entry that speaks of credentials.
func (u *configUse) withoutCredentials() []string {
	has := map[string]bool{}
	for i, key := range u.File.Keys() {
		if u.notes[i].needed && u.notes[i].fault != bare {
			has[strings.Clone(keyHost(key))] = true
		}
	}
	var left []string
	for i, key := range u.File.Keys() {
		if host := keyHost(key); u.every && u.notes[i].needed && !has[host] {
			left = append(left, strings.Clone(shown(forPeople(host))))
		}
	}
	for _, image := range u.needs {
		if !has[readerHost(image.Reference)] {
			left = append(left, registryHost(image.Reference))
		}
	}
	slices.Sort(left)
	return slices.Compact(left)
}

// eachEntry judges the entries that are wanted one by one. Those that another check has the say about, as there is
// something wrong with them as a whole, are not counted as good.
func eachEntry(u *configUse, good string, wanted func(entryNote) bool, judge func(authEntry) []Finding) []Finding {
	found := alike{path: u.Path}
	for e := range u.entries(wanted) {
		found.addAll(e, judge(e))
	}
	passed := 0
	for _, note := range u.notes {
		if note.fault == sound && note.decodes || note.fault == leftover {
			passed++
		}
	}
	switch findings := found.all(); {
	case findings != nil:
		return findings
	case passed == 0 && len(u.notes) > 0:
		return []Finding{Skipped(u.Path, "no entry is whole enough to be judged")}
	}
	return []Finding{Passed(u.Path, fmt.Sprintf("%s %s", counted(passed, "entry", "entries"), good))}
}

// imageHosts are the hosts of all images, as the reader has them.
func (u *configUse) imageHosts() map[string]bool {
	hosts := map[string]bool{}
	for _, image := range u.images {
		hosts[readerHost(image.Reference)] = true
	}
	return hosts
}

// looseKeys are the keys of all entries, taken apart.
func (u *configUse) looseKeys() []looseKey {
	var keys []looseKey
	for _, key := range u.File.Keys() {
		keys = append(keys, loosen(key))
	}
	return keys
}
