package runner

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// volumes reads the mounts of a service. What comes later for one path in the container takes the place of
// what was there.
func (s *composeService) volumes() {
	at := map[string]int{}
	for _, layer := range s.all("volumes") {
		n := layer.keys["volumes"].value
		items := n.items()
		if n.isScalar() && !n.isNull() || n.isMapping() {
			s.mistake(n.place(),
				"volumes of a service is a list, and compose refuses anything else: begin each mount with a dash")
			if n.isScalar() {
				items = []node{n}
			}
		}
		for _, item := range items {
			if !s.within(item) {
				return
			}
			m, kept := s.mount(item, layer.folder)
			target := path.Clean(m.Target.Value)
			i, there := at[target]
			switch {
			case kept && there:
				s.d.Mounts[i] = m
			case kept:
				at[target] = len(s.d.Mounts)
				s.d.Mounts = append(s.d.Mounts, m)
			case there:
				s.d.Mounts[i].Target.Value = "" // a tmpfs stands there now
			}
		}
	}
	s.d.Mounts = slices.DeleteFunc(s.d.Mounts, func(m Mount) bool { return m.Target.nothing() })
	for _, m := range s.d.Mounts {
		s.declared(m)
	}
}

// mount reads one mount. It tells whether that mounts something at all that is kept: a tmpfs is an option.
func (s *composeService) mount(item node, folder string) (Mount, bool) {
	if _, template := item.flow(); template || item.isScalar() && !item.isNull() {
		return s.shortMount(s.text(item), folder), true
	}
	if f, spaced := s.spaced(item); spaced {
		return s.shortMount(f, folder), true
	}
	if item.isMapping() {
		return s.longMount(item, folder)
	}
	return Mount{}, false
}

// spaced is a mount with a blank behind its colon, of which YAML makes a mapping.
func (s *composeService) spaced(item node) (field, bool) {
	members := item.members()
	if len(members) != 1 || !strings.ContainsAny(members[0].key.Value, "/.~$") || !members[0].value.isScalar() {
		return nil, false
	}
	m := members[0]
	place := m.key.place()
	s.d.Mistakes = append(s.d.Mistakes, Mistake{
		Kind: Unreadable, Place: place, Loses: true,
		Detail: "a blank behind the colon makes a mapping of the mount, and compose refuses that",
		Near:   "- " + source.Printable(shortName(m.key.Value)+":"+shortName(m.value.Value)),
	})
	colon := piece{text: ":", at: []source.Span{place.File.At(place.End, place.End)}}
	return slices.Concat(s.text(m.key), field{colon}, s.text(m.value)), true
}

// shortMount reads SOURCE:TARGET[:OPTIONS] or TARGET.
func (s *composeService) shortMount(f field, folder string) Mount {
	m := volumeMount(f, Option{Name: Text{Value: "volumes"}, Value: f.text()}, false)
	parts := strings.Split(f.shape(), ":")
	switch {
	case windowsPath.MatchString(f.shape()):
		return m
	case len(parts) > 3:
		s.mistake(m.Place, "a mount has at most two colons, and compose refuses more: SOURCE:TARGET:OPTIONS")
	case len(parts) > 1 && slices.Contains(parts, ""):
		s.mistake(m.Place, "a part of the mount is empty, and compose refuses that: SOURCE:TARGET")
	}
	if len(parts) > 1 {
		m.Source, m.Volume = s.source(f.slice(0, len(parts[0])), folder)
	}
	return m
}

// declared reports a volume that stands nowhere at the top.
func (s *composeService) declared(m Mount) {
	name, target := m.Source.Value, path.Clean(m.Target.Value)
	if !m.Volume || name == "" || m.Source.Unresolved != "" || s.toplevel("volumes", name).key.ok() {
		return
	}
	folder := "./" + name
	if path.Base(target) == name {
		folder = target
	}
	s.d.Mistakes = append(s.d.Mistakes, Mistake{
		Kind: Unreadable, Place: m.Place, Loses: true,
		Detail: "no volume of this name stands under volumes at the top, and compose refuses that",
		Near: source.Printable("- " + shortName(folder) + ":" + shortName(m.Target.Value) +
			" for a folder of the host"),
	})
}

// windowsPath matches a mount of a drive, whose colon divides nothing.
var windowsPath = regexp.MustCompile(`^[A-Za-z]:[\\/]`)

// source is what a mount takes, and whether that is a volume rather than a path of the host.
func (s *composeService) source(f field, folder string) (t Text, volume bool) {
	t = f.text()
	switch {
	case len(f) == 0 || t.Value == "":
		return t, true
	case t.Unresolved != "" || t.Home || t.Placeholder != "":
		return t, false
	case strings.IndexByte("./~$\\", t.Value[0]) >= 0 || windowsPath.MatchString(t.Value):
		return hostPath(f, folder), false
	}
	return s.namedVolume(f)
}

// hostPath is a path of the host as compose takes it: with the home folder for "~", and relative to a folder.
func hostPath(f field, folder string) Text {
	t := f.text()
	switch {
	case t.Unresolved != "" || t.Home || t.Value == "" || path.IsAbs(t.Value):
	case t.Value[0] == '~':
		t.Home = true
	case t.Value[0] == '\\', t.Value[0] == '$', windowsPath.MatchString(t.Value):
	default:
		t.Value = path.Join(folder, t.Value)
		if !path.IsAbs(t.Value) && t.Value != ".." && !strings.HasPrefix(t.Value, "../") {
			t.Value = "./" + t.Value
		}
	}
	return t
}

// toplevel is an entry of a section of the project, the last of that name.
func (p *composeProject) toplevel(section, name string) member {
	var found member
	for _, file := range p.files {
		for _, root := range file.roots {
			if m := root.at(section).member(name); m.key.ok() {
				found = m
			}
		}
	}
	return found
}

// namedVolume is a volume by its name. One that is made of a folder of the host is that folder.
func (s *composeService) namedVolume(f field) (t Text, volume bool) {
	t = f.text()
	declared := s.toplevel("volumes", t.Value)
	switch options := declared.value.at("driver_opts"); {
	case !declared.key.ok():
	case truth(declared.value.at("external")) || declared.value.at("external").isMapping():
		t.Unresolved = "the volume is made elsewhere (external)"
	case options.at("device").isScalar() && hasOption(options.at("o").scalar(), "bind"):
		device := hostPath(s.text(options.at("device")), s.folder)
		device.Use = t.Place
		return device, false
	case declared.value.at("driver").ok() && declared.value.at("driver").scalar() != "local":
		t.Unresolved = "the volume is one of another driver"
	}
	return t, true
}

// hasOption tells whether one of the options, which commas divide, is the wanted one.
func hasOption(options, wanted string) bool {
	return slices.Contains(strings.Split(options, ","), wanted)
}

func truth(n node) bool { return n.isScalar() && strings.EqualFold(n.scalar(), "true") }

// mountKeys are what a mount in long form may have.
func mountKeys() []string {
	return strings.Fields("type source target read_only consistency bind volume tmpfs image cluster")
}

// otherMountKeys are what people write for them, as docker's --mount and other tools have it.
func otherMountKeys() map[string]string {
	return map[string]string{
		"src": "source", "host": "source", "readonly": "read_only", "ro": "read_only",
		"dst": "target", "dest": "target", "destination": "target", "container": "target", "path": "target",
	}
}

// mountEntries are the entries of a mount in long form, by the key that is meant.
func (s *composeService) mountEntries(item node) map[string]node {
	keys := map[string]node{}
	for _, m := range item.members() {
		name, known := m.key.Value, slices.Contains(mountKeys(), m.key.Value)
		if !known && !strings.HasPrefix(name, "x-") {
			name = nearKey(name, mountKeys(), otherMountKeys())
			s.d.Mistakes = append(s.d.Mistakes, strange(m.key, name))
		}
		if _, there := keys[name]; known || !there {
			keys[name] = m.value
		}
	}
	return keys
}

// longMount reads a mount of type, source and target.
func (s *composeService) longMount(item node, folder string) (Mount, bool) {
	keys := s.mountEntries(item)
	m := Mount{Place: item.place(), Option: "volumes", ReadOnly: truth(keys["read_only"])}
	kind, from := keys["type"].scalar(), s.text(keys["source"])
	if target := keys["target"]; target.ok() {
		m.Target = s.text(target).text()
	} else {
		s.mistake(item.place(), "the mount has no target, and compose refuses that")
	}
	m.Place = m.Place.File.At(item.start(), max(item.start(), m.Target.Place.End, s.end(keys["source"])))
	switch {
	case kind == "tmpfs":
		s.option(keys["target"], "tmpfs", s.text(keys["target"]))
		return m, false
	case kind == "image" || kind == "npipe" || kind == "cluster":
		return m, kind != "npipe"
	case kind == "bind" && len(from) > 0:
		m.Source = hostPath(from, folder)
	case kind == "volume" && len(from) > 0:
		m.Source, m.Volume = s.namedVolume(from)
	default:
		m.Source, m.Volume = s.source(from, folder)
	}
	if label := item.at("bind", "selinux"); label.isScalar() {
		m.Modes = append(m.Modes, s.text(label).value())
	}
	if kind == "" {
		s.mistake(item.place(), "the mount has no type, and compose refuses that: type: bind for a path of the host")
	}
	return m, true
}

func (s *composeService) end(n node) int {
	if !n.isScalar() {
		return 0
	}
	return n.place().End
}

// projected reads configs or secrets: each is a file in the container.
func (s *composeService) projected(section, folder string) {
	for _, layer := range s.all(section) {
		for _, item := range layer.keys[section].value.items() {
			name, target := item, node{}
			if item.isMapping() {
				name, target = item.at("source"), item.at("target")
			}
			if !name.isScalar() {
				continue
			}
			at := s.text(name).text()
			if target.isScalar() {
				at = s.text(target).text()
			}
			if at.Unresolved == "" && !path.IsAbs(at.Value) {
				at.Value = folder + at.Value
			}
			m := Mount{Target: at, Place: at.Place, ReadOnly: true, Option: section}
			s.content(&m, section, name)
			s.d.Mounts = append(s.d.Mounts, m)
		}
	}
}

// content finds what is in a config or secret.
func (s *composeService) content(m *Mount, section string, name node) {
	declared := s.toplevel(section, s.text(name).value())
	file := Projected{Path: path.Clean(m.Target.Value), Place: m.Target.Place}
	switch at := declared.value; {
	case !declared.key.ok():
		s.mistake(name.place(), "nothing of this name stands under "+section+" at the top, and compose refuses that")
		m.Source = Text{Place: name.place(), Unresolved: "it is not declared"}
		return
	case at.at("file").isScalar():
		m.Source = hostPath(s.text(at.at("file")), s.folder)
		return
	case at.at("content").isScalar():
		file.File = s.embed(at.at("content"))
	}
	m.Projected = []Projected{file}
}

// embed is a scalar with its variables filled in, as a file of its own.
func (s *composeService) embed(n node) *source.File {
	var text strings.Builder
	var pieces []source.Piece
	outer := n.text.file
	for _, p := range s.text(n) {
		if p.text == "" {
			continue
		}
		at := p.at[0]
		if at.File != outer {
			at = n.place()
		}
		pieces = append(pieces, source.Piece{Start: text.Len(), Outer: at})
		text.WriteString(p.text)
	}
	return outer.Embed([]byte(text.String()), pieces)
}

// looksLikeDaemon tells an image with docker's daemon in it.
func looksLikeDaemon(image string) bool {
	name := strings.ToLower(image[strings.LastIndexByte(image, '/')+1:])
	return strings.Contains(name, "dind") || strings.Contains(name, "docker-daemon") ||
		strings.HasPrefix(name, "docker:") || name == "docker"
}

// isDaemon tells whether a service is a docker daemon.
func (s *composeService) isDaemon() bool {
	image := s.d.Image.Value
	return !s.hostSocket() && (looksLikeDaemon(image) || s.privileged() && !IsRunnerImage(image))
}

// daemon is the docker daemon that serves this service; nil if that is the host's.
func (s *composeService) daemon(daemons []*composeService) *Daemon {
	for _, other := range daemons {
		if other != s && s.talksTo(other) {
			d := &Daemon{Name: other.key.value(), Place: other.d.Place, Mounts: other.d.Mounts}
			d.Privileged = other.privileged()
			if !d.Privileged {
				d.Confined = other.d.Place
				if m := other.last("privileged"); m.value.isScalar() {
					d.Confined = m.value.place()
				}
			}
			return d
		}
	}
	return nil
}

// hostSocket tells whether a service has the socket of the host's own daemon: it is then no daemon, but a way
// to that.
func (s *composeService) hostSocket() bool {
	return slices.ContainsFunc(s.d.Mounts, func(m Mount) bool {
		return !m.Volume && strings.HasSuffix(m.Source.Value, "docker.sock")
	})
}

// privileged tells whether a service may do what a daemon must.
func (s *composeService) privileged() bool {
	privileged := s.last("privileged")
	runtime := s.last("runtime")
	return privileged.value.isScalar() && strings.EqualFold(s.text(privileged.value).value(), "true") ||
		strings.HasPrefix(runtime.value.scalar(), "sysbox")
}

// talksTo tells whether the service uses another one's daemon: by its address, or over a volume that holds
// its socket.
func (s *composeService) talksTo(other *composeService) bool {
	for _, name := range []string{"DOCKER_HOST", "DOCKER_URI"} {
		v, set := s.lastOf(name)
		if !set {
			continue
		}
		_, address, _ := strings.Cut(v.Value.Value, "://")
		host, _, _ := strings.Cut(address, ":")
		host, _, _ = strings.Cut(host, "/")
		if host != "" {
			return slices.Contains(other.names(s), host)
		}
	}
	for _, m := range s.d.Mounts {
		target := path.Clean(m.Target.Value) + "/"
		if !strings.HasPrefix(target, "/var/run/") && !strings.HasPrefix(target, "/run/") {
			continue
		}
		same := func(theirs Mount) bool { return theirs.Source.Value == m.Source.Value }
		if m.Volume && m.Source.Value != "" && slices.ContainsFunc(other.d.Mounts, same) {
			return true
		}
	}
	return false
}

// lastOf is the variable of that name that takes effect.
func (s *composeService) lastOf(name string) (Variable, bool) {
	found, set := Variable{}, false
	for _, v := range s.files {
		if v.Name.Value == name {
			found, set = v, true
		}
	}
	for _, v := range s.own {
		if v.Name.Value == name {
			found, set = v.Variable, true
		}
	}
	return found, set
}

// names are the names by which a service is reached from another one.
func (s *composeService) names(from *composeService) []string {
	names := []string{s.key.Value}
	for _, key := range []string{"container_name", "hostname"} {
		if m := s.last(key); m.value.isScalar() {
			names = append(names, s.text(m.value).value())
		}
	}
	for _, layer := range s.all("networks") {
		for _, network := range layer.keys["networks"].value.members() {
			for _, alias := range network.value.at("aliases").items() {
				names = append(names, alias.scalar())
			}
		}
	}
	for _, layer := range from.all("links") {
		for _, link := range layer.keys["links"].value.items() {
			if service, alias, found := strings.Cut(link.scalar(), ":"); found && service == s.key.Value {
				names = append(names, alias)
			}
		}
	}
	shared := "service:" + s.key.Value
	mine := from.last("network_mode")
	theirs := s.last("network_mode")
	if mine.value.scalar() == shared || theirs.value.scalar() == "service:"+from.key.Value ||
		mine.value.scalar() == "host" && theirs.value.scalar() == "host" {
		names = append(names, "localhost", "127.0.0.1")
	}
	return names
}
