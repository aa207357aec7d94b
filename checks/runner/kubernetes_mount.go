package runner

import (
	"path"
	"slices"
	"strings"
)

// kubeSource is what a volume takes its files from: a Secret or a ConfigMap.
type kubeSource struct {
	node
	kind string
	name node
}

// sources are the Secrets and ConfigMaps of a volume, a projected one's in their order.
func (v kubeVolume) sources() []kubeSource {
	var out []kubeSource
	add := func(n node, secret, configMap string) {
		if s := n.at("secret"); s.isMapping() {
			out = append(out, kubeSource{s, "Secret", s.at(secret)})
		}
		if c := n.at("configMap"); c.isMapping() {
			out = append(out, kubeSource{c, "ConfigMap", c.at(configMap)})
		}
	}
	add(v.node, "secretName", "name")
	for _, s := range v.at("projected", "sources").items() {
		add(s, "name", "name")
	}
	return out
}

// project finds the files that a Secret or a ConfigMap brings with a mount.
func (p *kubePod) project(m *Mount, volume kubeVolume, sub node, d *Definition) {
	if m.Target.Unresolved != "" {
		return
	}
	var files []Projected
	sources := volume.sources()
	for _, s := range sources {
		files = append(files, p.files(s, m, d)...)
	}
	if len(sources) == 0 {
		return
	}
	m.Object = sources[0].kind + " " + p.file.value(sources[0].name).Value
	target, wanted := path.Clean(m.Target.Value), ""
	if sub.isScalar() && !sub.isNull() {
		wanted = path.Clean(sub.Value)
	}
	m.Projected = append(m.Projected, mountedAt(target, wanted, files)...)
	switch {
	case wanted == "" || len(m.Projected) > 0:
	case m.Unlisted != "":
		m.Projected, m.Unlisted = []Projected{{Path: target, Place: sub.place(), Object: m.Object, Key: wanted}}, ""
	default:
		optional := slices.ContainsFunc(sources, kubeSource.optional)
		keys := make([]string, len(files))
		for i, f := range files {
			keys[i] = f.Path
		}
		d.Mistakes = append(d.Mistakes, missingKey(m.Object, wanted, keys, sub, optional))
	}
}

// mountedAt are the files of a volume as they stand in the container: all of them, or those of one path in the volume.
func mountedAt(target, wanted string, files []Projected) []Projected {
	var mounted []Projected
	for _, f := range files {
		name := path.Clean(f.Path)
		switch rest, below := strings.CutPrefix(name, wanted+"/"); {
		case wanted == "":
			f.Path = path.Join(target, name)
		case name == wanted:
			f.Path = target
		case below:
			f.Path = path.Join(target, rest)
		default:
			continue
		}
		mounted = append(mounted, f)
	}
	return mounted
}

func (s kubeSource) optional() bool { return s.at("optional").scalar() == "true" }

// files are the files of a Secret or a ConfigMap, their paths relative to the mount.
func (p *kubePod) files(s kubeSource, m *Mount, d *Definition) []Projected {
	name := p.file.value(s.name)
	object := s.kind + " " + name.Value
	store := p.file.set.find(s.kind, name, p.kubeObject)
	items := s.at("items")
	if !items.isSequence() {
		if store == nil {
			m.Unlisted = "which files the " + object + " brings is not known: it was not given"
			return nil
		}
		var out []Projected
		for _, e := range store.entries {
			out = append(out, Projected{
				Path: e.name, Place: s.name.place(), File: e.file(), Object: object, Key: e.name,
			})
			d.uses = append(d.uses, e)
		}
		return out
	}
	var out []Projected
	for _, item := range items.items() {
		key, to := item.at("key"), item.at("path")
		f := Projected{Path: p.file.value(to).Value, Place: to.place(), Object: object, Key: key.scalar()}
		if store != nil {
			e := store.entry(key.scalar())
			if e == nil {
				d.Mistakes = append(d.Mistakes, missingKey(object, key.scalar(), store.keys(), key, s.optional()))
				continue
			}
			f.File = e.file()
			d.uses = append(d.uses, e)
		}
		out = append(out, f)
	}
	return out
}
