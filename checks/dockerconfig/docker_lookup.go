package dockerconfig

import (
	"github.com/distribution/reference"
)

// DockerCredentials is what docker's CLI on the same host would find.
type DockerCredentials struct {
	// Key is the entry's key, empty when there is none.
	Key string
	// Username and Password are what the registry gets; Password is never printed.
	Username, Password string
	// Helper is the suffix of the credential helper that would be asked (docker-credential-SUFFIX); Key and the
	// credentials are then empty.
	Helper string
	// Entry is the entry that matched; nil when none did, or a helper is asked.
	Entry *Member
	// IdentityToken says that the entry has an identity token, which goes before the password.
	IdentityToken bool
}

// ForDocker looks an image's credentials up as docker's CLI does. A nil file is a missing one.
//
// Where docker depends on chance this does not: of several keys of one host the first is taken, and one `auth` that
// does not decode leaves the other entries as they are. DOCKER_AUTH_CONFIG, which goes before all of it, is left out.
//
// Source: docker's CLI 29, cli/config/configfile and cli/config/credentials.
func (f *File) ForDocker(image string) DockerCredentials {
	key := dockerKey(image)
	if f == nil || key == "" {
		return DockerCredentials{}
	}
	docker := f.docker()
	if !docker.reads {
		return DockerCredentials{}
	}
	if helper := docker.helper(key); helper != "" {
		return DockerCredentials{Helper: helper}
	}
	entry, found := docker.match(key)
	if !found {
		return DockerCredentials{}
	}
	return dockerCredentials(entry, docker.typesHold)
}

// dockerKey is the key under which docker's CLI looks for an image's credentials; "" for a reference that it does not
// accept.
func dockerKey(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	host := reference.Domain(named)
	if host == "docker.io" || host == "index.docker.io" {
		return HubKey
	}
	return host
}

// dockerView is a config.json as docker's CLI sees it.
type dockerView struct {
	auths   []Value // objects that are merged
	helpers map[string]string
	store   string
	// reads says that docker reads the text at all.
	reads bool
	// typesHold says that every value is of the type that docker wants: if one is not, no `auth` is decoded.
	typesHold bool
}

// docker is worked out once, when somebody asks.
func (f *File) docker() dockerView {
	f.dockerOnce.Do(func() { f.dockerSees = f.dockerView() })
	return f.dockerSees
}

// DockerReads tells whether docker's CLI reads the text at all: it takes UTF-8 without a byte order mark alone, but
// does not mind bytes that are no UTF-8 inside strings. (See WrongTypes for what else it minds.)
func (f *File) DockerReads() bool {
	if f == nil || f.Encoding != UTF8 {
		return false
	}
	if f.Syntax == nil || f.Syntax.Kind != InvalidUTF8 {
		return f.Syntax == nil
	}
	r := f.readerAt(0, len(f.Source.Text))
	reads := true
	r.report = func(kind SyntaxKind, _, _ int, _ string) { reads = reads && kind == InvalidUTF8 }
	r.blanks()
	r.read(1)
	return reads
}

func (f *File) dockerView() dockerView {
	view := dockerView{reads: f.DockerReads()}
	for m := range f.Root.Members() {
		switch lowerName(m.Key) {
		case "auths":
			view.addAuths(m.Value)
		case "credhelpers":
			view.addHelpers(m.Value)
		case "credsstore":
			if m.Value.Kind == String {
				view.store = m.Value.Text()
			}
		}
	}
	view.typesHold = len(f.WrongTypes()) == 0
	return view
}

func (d *dockerView) addAuths(v Value) {
	switch v.Kind {
	case Null:
		d.auths = nil
	case Object:
		d.auths = append(d.auths, v)
	}
}

func (d *dockerView) addHelpers(v Value) {
	if v.Kind == Null {
		d.helpers = nil
	}
	for m := range v.Members() {
		if d.helpers == nil {
			d.helpers = map[string]string{}
		}
		if m.Value.Kind == String || m.Value.Kind == Null {
			d.helpers[m.Key] = m.Value.Text()
		}
	}
}

// helper is the suffix of the helper for a key, "" for the file.
func (d dockerView) helper(key string) string {
	if helper, named := d.helpers[key]; named {
		return helper
	}
	return d.store
}

// match finds the entry of a key: the exact one, else the first of its host, each in its last form.
func (d dockerView) match(key string) (Member, bool) {
	var exact, first Member
	for _, auths := range d.auths {
		for m := range auths.Members() {
			switch {
			case m.Key == key:
				exact = m
			case first.Value.file == nil && KeyHost(m.Key) == key, first.Value.file != nil && m.Key == first.Key:
				first = m
			}
		}
	}
	if exact.Value.file != nil {
		return exact, true
	}
	return first, first.Value.file != nil
}

// dockerCredentials is what docker's CLI makes of an entry: what `auth` says, else the fields.
func dockerCredentials(entry Member, decode bool) DockerCredentials {
	c := DockerCredentials{Key: entry.Key, Entry: &entry}
	auth := ""
	for m := range entry.Value.Members() {
		if m.Value.Kind != String {
			continue
		}
		switch headerField(m.Key) {
		case "auth":
			auth = m.Value.Text()
		case "username":
			c.Username = m.Value.Text()
		case "password":
			c.Password = m.Value.Text()
		case "identitytoken":
			c.IdentityToken = m.Value.Text() != ""
		}
	}
	if auth == "" || !decode {
		return c
	}
	if user, password, err := dockerDecode(auth); err == nil {
		c.Username, c.Password = user, password
	}
	return c
}
