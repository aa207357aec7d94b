package dockerconfig

import (
	"strings"
)

// WrongType is a value of another type than docker's CLI wants there: it then warns and decodes no `auth` at all. null
// is right everywhere.
type WrongType struct {
	// Path names the value, as `psFormat` or `auths.reg.example.com.username`.
	Path string
	// Member holds the value; for an array's element the array.
	Member Member
	// Want is what docker wants, as "a string".
	Want string
}

// maxWrongTypes bounds WrongTypes: one is as good as many.
const maxWrongTypes = 100

// shape is a type of docker's configuration.
type shape struct {
	kind   Kind
	of     *shape            // what a map or an array holds
	fields map[string]*shape // what a struct holds, by lower-case name
}

// dockerShape is docker's ConfigFile. Source: docker's CLI 29, cli/config/configfile/file.go.
func dockerShape() *shape {
	text := &shape{kind: String}
	texts := &shape{kind: Array, of: text}
	byName := &shape{kind: Object, of: text}
	entry := fields(text, "username", "password", "auth", "email", "serveraddress", "identitytoken", "registrytoken")
	proxy := fields(text, "httpproxy", "httpsproxy", "noproxy", "ftpproxy", "allproxy")
	config := fields(text, "psformat", "imagesformat", "networksformat", "pluginsformat", "volumesformat",
		"statsformat",
		"detachkeys", "credsstore", "serviceinspectformat", "servicesformat", "tasksformat", "secretformat",
		"configformat", "nodesformat", "currentcontext", "experimental")
	for name, s := range map[string]*shape{
		"auths": {kind: Object, of: entry}, "httpheaders": byName,
		"credhelpers": byName, "prunefilters": texts, "proxies": {kind: Object, of: proxy},
		"clipluginsextradirs": texts, "plugins": {kind: Object, of: byName}, "aliases": byName, "features": byName,
	} {
		config.fields[name] = s
	}
	return config
}

func fields(of *shape, names ...string) *shape {
	s := &shape{kind: Object, fields: map[string]*shape{}}
	for _, name := range names {
		s.fields[name] = of
	}
	return s
}

// WrongTypes returns the values that docker's CLI cannot use, in file order; none for a text that is no JSON.
func (f *File) WrongTypes() []WrongType {
	if f == nil || f.Blank || f.Syntax != nil && f.Syntax.Kind != InvalidUTF8 {
		return nil
	}
	c := &typeCheck{}
	c.check(Member{Value: f.Root}, dockerShape())
	return c.found
}

type typeCheck struct {
	found []WrongType
	path  []string
}

func (c *typeCheck) check(m Member, want *shape) {
	switch {
	case want == nil, m.Value.Kind == Null, len(c.found) >= maxWrongTypes:
		return
	case m.Value.Kind != want.kind:
		c.found = append(c.found, WrongType{strings.Join(c.path, "."), m, want.kind.String()})
		return
	}
	for inner := range m.Value.Members() {
		next := want.of
		if want.fields != nil {
			next = want.fields[lowerName(inner.Key)]
		}
		c.path = append(c.path, inner.Key)
		c.check(inner, next)
		c.path = c.path[:len(c.path)-1]
	}
	if want.kind == Array {
		for v := range m.Value.Elements() {
			c.check(Member{m.Key, v, m.keyStart, m.keyEnd}, want.of)
		}
	}
}

// lowerName is a key in lower case; "" if it is longer than any name of a setting.
func lowerName(key string) string {
	if len(key) > 64 {
		return ""
	}
	return strings.ToLower(key)
}
