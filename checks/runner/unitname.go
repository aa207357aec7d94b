package runner

import (
	"path"
	"regexp"
	"strings"
)

// unitName is what a unit's file is called, and whose unit it is: that is what specifiers stand for.
type unitName struct {
	// name is that of the unit, "runner@blue.service"; empty when it is not known.
	name string
	// user says that it is a unit of a user's own manager, system that it is one of the system's; neither if that is not
	// known.
	user, system bool
}

var (
	unitFileName = regexp.MustCompile(`^[\w:.@\\-]+\.(?:service|container)$`)
	// printedName matches the comment with which systemctl cat begins.
	printedName = regexp.MustCompile(`\A# (/\S+/[^/\s]+\.(?:service|container))\r?\n`)
)

// nameOf finds the name of a unit: that of its file, or of the one that systemctl cat printed.
func nameOf(file string, text []byte) unitName {
	if printed := printedName.FindSubmatch(text[:min(len(text), 4096)]); printed != nil {
		file = string(printed[1])
	}
	n := unitName{user: strings.Contains(file, "systemd/user/"), system: strings.Contains(file, "systemd/system/")}
	folder := path.Base(path.Dir(file))
	switch base := path.Base(file); {
	case unitFileName.MatchString(base):
		n.name = base
	case strings.HasSuffix(folder, ".d") && unitFileName.MatchString(strings.TrimSuffix(folder, ".d")):
		n.name = strings.TrimSuffix(folder, ".d")
	}
	return n
}

// instance takes a name apart: PREFIX@INSTANCE.SUFFIX. An instance is empty for a template.
func (n unitName) instance() (prefix, instance string, template bool) {
	stem := strings.TrimSuffix(n.name, path.Ext(n.name))
	return strings.Cut(stem, "@")
}

// keeper is the unit as systemctl is given it: a template alone is none, and Quadlet makes a service of a file.
func (n unitName) keeper() Keeper {
	if _, instance, template := n.instance(); n.name == "" || template && instance == "" {
		return Keeper{}
	}
	return Keeper{Name: strings.TrimSuffix(n.name, path.Ext(n.name)) + ".service", User: n.user}
}

// specifier is what "%" with a letter behind it stands for; it tells whether systemd knows that one.
// Source: systemd.unit(5), Specifiers.
func (n unitName) specifier(c byte) (piece, bool) {
	if c == '%' {
		return piece{text: "%"}, true
	}
	if text := n.fixed(c); text != "" {
		return piece{text: text, home: text == "~"}, true
	}
	meanings := map[byte]string{
		'a': "the machine's architecture", 'A': "the version of the operating system's image", 'b': "the ID of the boot",
		'B': "the build of the operating system", 'C': "the folder for caches", 'd': "the folder of the credentials",
		'D': "the folder for shared data", 'E': "the folder for configuration", 'f': "the path that the unit's name stands for",
		'g': "the group that systemd runs as", 'G': "the group that systemd runs as", 'h': "the home folder",
		'H': "the name of the host", 'i': "the instance, which is chosen when the unit is started", 'l': "the name of the host",
		'I': "the instance, which is chosen when the unit is started", 'j': "the end of the unit's name",
		'J': "the end of the unit's name", 'L': "the folder for logs", 'm': "the ID of the machine",
		'M': "the name of the operating system's image", 'n': "the unit's name", 'N': "the unit's name",
		'o': "the ID of the operating system", 'p': "the beginning of the unit's name", 'P': "the beginning of the unit's name",
		'q': "the name of the host", 's': "the shell of the user", 'S': "the folder for state", 't': "the folder for what runs",
		'T': "the folder for temporary files", 'u': "the user that systemd runs as", 'U': "the user that systemd runs as",
		'v': "the release of the kernel", 'V': "the folder for temporary files", 'w': "the version of the operating system",
		'W': "the variant of the operating system", 'y': "the path of the unit's file", 'Y': "the folder of the unit's file",
	}
	meaning, known := meanings[c]
	return piece{text: "%" + string(c), unresolved: "systemd fills in " + meaning}, known
}

// fixed is what a specifier stands for, if that can be said; "~" is the home folder.
func (n unitName) fixed(c byte) string {
	prefix, instance, _ := n.instance()
	own := map[byte]string{
		'n': n.name, 'N': strings.TrimSuffix(n.name, path.Ext(n.name)), 'p': prefix, 'i': instance,
	}
	if _, _, template := n.instance(); template && instance == "" {
		delete(own, 'n')
		delete(own, 'N')
	}
	system := map[byte]string{
		'h': "/root", 'u': "root", 'U': "0", 'g': "root", 'G': "0",
		't': "/run", 'S': "/var/lib", 'C': "/var/cache", 'L': "/var/log", 'E': "/etc",
	}
	folders := map[byte]string{'T': "/tmp", 'V': "/var/tmp"}
	switch {
	case own[c] != "":
		return own[c]
	case n.system && system[c] != "":
		return system[c]
	case c == 'h':
		return "~"
	}
	return folders[c]
}
