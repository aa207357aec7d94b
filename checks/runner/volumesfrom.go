package runner

import (
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// volumesFrom is Mount.Option of a mount that a service has from another one.
const volumesFrom = "volumes_from"

// share adds the mounts that a service has from others, which count where it has none of its own; of others'
// the later ones do. A circle, which compose refuses, is followed once.
// Source: the Compose Specification, volumes_from; docker's engine, daemon/volumes.go.
func (s *composeService) share(services map[string]*composeService) {
	if s.shared {
		return
	}
	s.shared = true
	at := s.d.taken()
	for _, layer := range s.all(volumesFrom) {
		for _, item := range envFileItems(layer.keys[volumesFrom].value) {
			if !s.within(item) {
				return
			}
			s.shareOf(item, services, at)
		}
	}
}

// shareOf adds the mounts of one other service. What is mounted already is at an index, -1 if it is the
// service's own.
func (s *composeService) shareOf(item node, services map[string]*composeService, at map[string]int) {
	named := s.text(item).text()
	name, mode, _ := strings.Cut(named.Value, ":")
	other, unknown := services[name], named.Unresolved
	switch {
	case unknown != "":
	case name == "container":
		s.d.borrow(named, strings.TrimPrefix(named.Value, "container:"))
		return
	case other == nil && s.includes():
		unknown = "the mounts are also those of a service that an included file may have"
	case other == nil:
		s.mistake(named.Place, "there is no such service to take volumes from, and compose refuses that")
		return
	}
	if unknown != "" {
		named.Unresolved = unknown
		s.d.Unread = append(s.d.Unread, named)
		return
	}
	other.share(services)
	s.d.lacks(other.d, mode)
	for _, m := range other.d.lent() {
		if !s.within(item) {
			return
		}
		m.Option = volumesFrom
		s.d.lend(m, mode, at)
	}
}

// Lender is a container whose mounts a runner has too (--volumes-from), and which its file does not make.
type Lender struct {
	// Name is the container's name, or its ID.
	Name string
	// mode is what is said of its mounts: "ro", or nothing; written is where it is named.
	mode    string
	written Text
}

// borrow notes that a container has the mounts of another one, NAME or NAME:MODE. Until they are known they may be anything.
func (d *Definition) borrow(written Text, lender string) {
	name, mode, _ := strings.Cut(lender, ":")
	written.Unresolved = "the mounts are also those of the container " + name + ", which is made elsewhere"
	d.Lenders, d.Unread = append(d.Lenders, Lender{name, mode, written}), append(d.Unread, written)
}

// lacks notes what is not known of another container whose mounts a container has too: each thing once, as there may be
// many ways to it.
func (d *Definition) lacks(other *Definition, mode string) {
	for _, unread := range other.Unread {
		if !slices.Contains(d.Unread, unread) {
			d.Unread = append(d.Unread, unread)
		}
	}
	for _, lender := range other.Lenders {
		if hasOption(mode, "ro") {
			lender.mode = mode
		}
		if !slices.Contains(d.Lenders, lender) {
			d.Lenders = append(d.Lenders, lender)
		}
	}
}

// settle says that the mounts of a lender are known by now.
func (d *Definition) settle(lender Lender) {
	d.Lenders = slices.DeleteFunc(slices.Clone(d.Lenders), func(l Lender) bool { return l == lender })
	d.Unread = slices.DeleteFunc(slices.Clone(d.Unread), func(t Text) bool { return t == lender.written })
}

// Lend gives a definition the mounts of one of its lenders. They stand where it is named.
func (d *Definition) Lend(lender Lender, mounts []Mount) {
	at := d.taken()
	d.settle(lender)
	for _, m := range mounts {
		m.Place, m.Source.Place, m.Target.Place = lender.written.Place, lender.written.Place, lender.written.Place
		d.lend(m, lender.mode, at)
	}
}

// lendWithin gives definitions the mounts of those containers that commands beside theirs make. A name that is given to
// several which differ is nobody's.
func (s *shell) lendWithin(file *source.File, definitions []*Definition) {
	if !slices.ContainsFunc(definitions, func(d *Definition) bool { return len(d.Lenders) > 0 }) {
		return
	}
	made := map[string]*Definition{}
	for _, call := range s.calls {
		d := s.container(file, call)
		name := d.named()
		if other, twice := made[name]; twice && (other == nil || other.summary() != d.summary()) {
			d = nil
		}
		made[name] = d
	}
	done := map[*Definition]bool{}
	for _, d := range definitions {
		d.lendFrom(made, done)
	}
}

// lendFrom follows a container's lenders, and theirs, each once.
func (d *Definition) lendFrom(made map[string]*Definition, done map[*Definition]bool) {
	if done[d] {
		return
	}
	done[d] = true
	at := d.taken()
	for _, lender := range slices.Clone(d.Lenders) {
		other := made[lender.Name]
		if other == nil || lender.Name == d.named() {
			continue
		}
		other.lendFrom(made, done)
		d.settle(lender)
		d.lacks(other, lender.mode)
		for _, m := range other.lent() {
			d.lend(m, lender.mode, at)
		}
	}
}

// named is the container's name, as the last --name has it.
func (d *Definition) named() string {
	name := ""
	for _, o := range d.Options {
		if o.Long == "name" && o.Value.Unresolved == "" {
			name = o.Value.Value
		}
	}
	return name
}

// taken are the places at which a container has mounts of its own: see lend.
func (d *Definition) taken() map[string]int {
	at := map[string]int{}
	for _, m := range d.Mounts {
		at[path.Clean(m.Target.Value)] = -1
	}
	return at
}

// lend gives a container a mount of another one, but where it has one of its own; of others' the later one counts. What is
// mounted already is at an index, -1 if it is the container's own. Source: docker's engine, daemon/volumes.go.
func (d *Definition) lend(m Mount, mode string, at map[string]int) {
	m.ReadOnly = m.ReadOnly || hasOption(mode, "ro")
	target := path.Clean(m.Target.Value)
	switch i, there := at[target]; {
	case !there:
		at[target] = len(d.Mounts)
		d.Mounts = append(d.Mounts, m)
	case i >= 0:
		d.Mounts[i] = m
	}
}

// daemonFolder is where docker's daemon keeps what it has: a volume of the images that have it in them.
const daemonFolder = "/var/lib/docker"

// lent are the mounts that others may have of a service: what stands within the file is copied, and is no
// mount.
func (d *Definition) lent() []Mount {
	if looksLikeDaemon(d.Image.Value) && !d.mounts(daemonFolder) {
		folder := Text{Value: daemonFolder, Place: d.Image.Place}
		d.Mounts = append(d.Mounts, Mount{
			Target: folder, Place: folder.Place, Option: "volumes", Volume: true,
		})
	}
	return slices.DeleteFunc(slices.Clone(d.Mounts), func(m Mount) bool { return m.Projected != nil })
}

// includes tells whether the project has services of other files.
func (p *composeProject) includes() bool {
	for _, file := range p.files {
		for _, root := range file.roots {
			if root.at("include").ok() {
				return true
			}
		}
	}
	return false
}
