package runner

import (
	"path"
	"slices"
	"strings"
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
	at := map[string]int{}
	for _, m := range s.d.Mounts {
		at[path.Clean(m.Target.Value)] = -1
	}
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
		unknown = "the mounts are also those of a container that is made elsewhere"
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
	s.d.Unread = append(s.d.Unread, other.d.Unread...)
	for _, m := range other.lent() {
		if !s.within(item) {
			return
		}
		m.Option, m.ReadOnly = volumesFrom, m.ReadOnly || hasOption(mode, "ro")
		target := path.Clean(m.Target.Value)
		switch i, there := at[target]; {
		case !there:
			at[target] = len(s.d.Mounts)
			s.d.Mounts = append(s.d.Mounts, m)
		case i >= 0:
			s.d.Mounts[i] = m
		}
	}
}

// daemonFolder is where docker's daemon keeps what it has: a volume of the images that have it in them.
const daemonFolder = "/var/lib/docker"

// lent are the mounts that others may have of a service: what stands within the file is copied, and is no
// mount.
func (s *composeService) lent() []Mount {
	if looksLikeDaemon(s.d.Image.Value) && !s.d.mounts(daemonFolder) {
		folder := Text{Value: daemonFolder, Place: s.d.Image.Place}
		s.d.Mounts = append(s.d.Mounts, Mount{
			Target: folder, Place: folder.Place, Option: "volumes", Volume: true,
		})
	}
	return slices.DeleteFunc(slices.Clone(s.d.Mounts), func(m Mount) bool { return m.Projected != nil })
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
