package dockerconfig

import (
	"strings"
)

// Reason says why the runner sends nothing usable for an image.
type Reason string

// The reasons, as the JSON report spells them.
const (
	// NoEntry: no entry matches, and nothing else is configured for the host.
	NoEntry Reason = "no-entry"
	// NoFile: there is no config.json.
	NoFile Reason = "no-file"
	// EmptyEntry: the entry has neither user nor password nor token.
	EmptyEntry Reason = "empty-entry"
	// EmptyCredentials: the user or the password is empty: the daemon goes anonymous, unless a token is sent.
	EmptyCredentials Reason = "empty-credentials"
	// Store: no entry or an empty one, and credsStore is set.
	Store Reason = "store"
	// Helper: no entry or an empty one, and credHelpers names the registry.
	Helper Reason = "helper"
	// DroppedHeader: a field of the entry is no string, so that the daemon drops all of it.
	DroppedHeader Reason = "dropped-header"
	// InvalidReference: the reader throws at the image (see RunnerHost).
	InvalidReference Reason = "invalid-reference"
	// FileRejected: the reader refuses the whole file (see File.Rejection).
	FileRejected Reason = "file-rejected"
)

// RunnerCredentials is what the runner's reader finds for an image.
type RunnerCredentials struct {
	// Key is the key of the entry that matched; empty when none did.
	Key string
	// Username and Password are what the registry gets; Password is never printed.
	Username, Password string
	// Reason says why nothing usable is sent; empty when a user name and a password are.
	Reason Reason
	// Entry is the entry that matched; nil when none did.
	Entry *Entry
	// ServerAddress is what the daemon is told that the credentials are for: the entry's key, unless the entry
	// has a `serveraddress` of its own. Daemons with the containerd image store use them for that host alone.
	ServerAddress string
	// IdentityToken and RegistryToken say that such a token is sent too: the daemon prefers it to the password.
	IdentityToken, RegistryToken bool
	// Dropped is the field that makes the daemon drop all, for DroppedHeader.
	Dropped *Member
}

// ForRunner looks an image's credentials up as the runner does. A nil file is a missing one. An image that the reader
// does not accept comes first, then a file that it refuses.
//
// Source: docker-java 3.7.1 as measured. It sends the fields of an entry behind those that it decoded from `auth`, so
// that the daemon, which takes the last and ignores case, prefers them.
func (f *File) ForRunner(image string) RunnerCredentials {
	host, err := RunnerHost(image)
	switch {
	case err != nil:
		return RunnerCredentials{Reason: InvalidReference}
	case f == nil:
		return RunnerCredentials{Reason: NoFile}
	case f.rejection != nil:
		return RunnerCredentials{Reason: FileRejected}
	}
	index := f.Match(host)
	if index < 0 {
		return RunnerCredentials{Reason: f.instead(image, NoEntry)}
	}
	entry := f.entry(index)
	credentials := entry.sent()
	if credentials.Reason == EmptyEntry {
		credentials.Reason = f.instead(image, EmptyEntry)
	}
	return credentials
}

// Match returns the index of the entry that the runner's reader takes for a host (see RunnerHost), or -1.
func (f *File) Match(host string) int {
	first := -1
	for i, ref := range f.auths {
		key := f.key(ref)
		if string(key) == host {
			return i
		}
		if first < 0 && host != HubKey && string(keyHost(key)) == host {
			first = i
		}
	}
	return first
}

// instead tells why there is nothing in the file: docker keeps it elsewhere, or it is just not there.
func (f *File) instead(image string, otherwise Reason) Reason {
	docker := f.docker()
	key := dockerKey(image)
	switch {
	case docker.helper(key) == "":
		return otherwise
	case docker.helpers[key] != "":
		return Helper
	}
	return Store
}

// sent is what the daemon makes of the header that the runner's reader makes of an entry.
func (e Entry) sent() RunnerCredentials {
	c := RunnerCredentials{Key: e.Key, Entry: &e, ServerAddress: e.Key}
	d := e.Decoded()
	c.Username, c.Password = d.Username, d.Password
	hasPair := d.Present
	last := map[string]Member{}
	for m := range e.Value.Members() {
		last[m.Key] = m
	}
	for m := range e.Value.Members() {
		if last[m.Key].keyStart != m.keyStart || m.Value.Kind == Null {
			continue
		}
		field := headerField(m.Key)
		if field != "" && m.Value.Kind != String && c.Dropped == nil {
			c.Dropped = &m
		}
		text := m.Value.Text()
		switch field {
		case "username":
			c.Username, hasPair = text, true
		case "password":
			c.Password, hasPair = text, true
		case "serveraddress":
			c.ServerAddress = text
		case "identitytoken":
			c.IdentityToken = text != ""
		case "registrytoken":
			c.RegistryToken = text != ""
		}
	}
	c.Reason = c.why(hasPair)
	if c.Reason == DroppedHeader {
		c.Username, c.Password, c.IdentityToken, c.RegistryToken = "", "", false, false
	}
	return c
}

func (c RunnerCredentials) why(hasPair bool) Reason {
	switch {
	case c.Dropped != nil:
		return DroppedHeader
	case c.Username != "" && c.Password != "":
		return ""
	case !hasPair && !c.IdentityToken && !c.RegistryToken:
		return EmptyEntry
	}
	return EmptyCredentials
}

// headerField is the field of the header that the daemon takes a member for; "" if none. Its reader ignores case.
func headerField(key string) string {
	for _, field := range [...]string{
		"auth", "username", "password", "email", "serveraddress", "identitytoken",
		"registrytoken",
	} {
		if strings.EqualFold(key, field) {
			return field
		}
	}
	return ""
}
