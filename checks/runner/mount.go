package runner

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// volumeName is what docker takes for the name of a volume rather than for a path. Source: docker's documentation
// of docker volume create.
var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// volumeMount reads SOURCE:TARGET[:OPTIONS] or TARGET, the value of -v.
func volumeMount(value field, o Option, joined bool) Mount {
	m := Mount{Place: o.Value.Place, Option: o.Name.Value, Joined: joined}
	shape := value.shape()
	first := strings.IndexByte(shape, ':')
	if first < 0 {
		if value.unresolved() != "" {
			m.Source, m.Target = value.text(), value.text()
			return m
		}
		m.Target, m.Volume = value.text(), true
		return m
	}
	m.Source = value.slice(0, first).text()
	end := len(shape)
	if second := strings.IndexByte(shape[first+1:], ':'); second >= 0 {
		end = first + 1 + second
		m.Modes = strings.Split(shape[end+1:], ",")
		m.ReadOnly = m.Has("ro")
	}
	m.Target = value.slice(first+1, end).text()
	m.Volume = m.Source.Unresolved == "" && !m.Source.Home && volumeName.MatchString(m.Source.Value)
	return m
}

// optionMount reads type=bind,source=…,target=…, the value of --mount. It tells whether that mounts something of
// the host: a tmpfs does not.
func optionMount(value field, o Option, joined bool) (Mount, bool) {
	m := Mount{Place: o.Value.Place, Option: o.Name.Value, Joined: joined, Volume: true}
	for _, part := range csv(value) {
		key, _, _ := strings.Cut(part.shape(), "=")
		item := part.slice(min(len(key)+1, len(part.value())), len(part.value()))
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "type":
			kind := item.value()
			if kind == "tmpfs" || kind == "image" {
				return m, false
			}
			m.Volume = kind == "volume"
		case "source", "src":
			m.Source = item.text()
		case "target", "dst", "destination":
			m.Target = item.text()
		case "relabel": // of Podman's
			m.Modes = append(m.Modes, relabelling()[item.value()])
		case "readonly", "ro":
			v := item.value()
			m.ReadOnly = v == "" || v == "true" || v == "1"
		}
	}
	if value.opaque() {
		m.Source, m.Target = value.text(), value.text()
	}
	return m, true
}

// relabelling are the modes that the words of --mount stand for. Source: podman-run(1).
func relabelling() map[string]string { return map[string]string{"shared": "z", "private": "Z"} }

// csv divides a value at its commas; a part in double quotes keeps its own.
func csv(value field) []field {
	shape := value.shape()
	var parts []field
	start, quoted := 0, false
	for i := 0; i <= len(shape); i++ {
		switch {
		case i == len(shape) || shape[i] == ',' && !quoted:
			from, to := start, i
			if to-from >= 2 && shape[from] == '"' && shape[to-1] == '"' {
				from, to = from+1, to-1
			}
			parts = append(parts, value.slice(from, to))
			start = i + 1
		case shape[i] == '"':
			quoted = !quoted
		}
	}
	return parts
}

// Cover is the mount that a path in the container comes from, and the path that it has in the mount's source: of several
// mounts the deepest.
func Cover(mounts []Mount, wanted string) (m Mount, source string, found bool) {
	deepest := -1
	for _, mount := range mounts {
		target := path.Clean(mount.Target.Value)
		below := target == "/" || wanted == target || strings.HasPrefix(wanted, target+"/")
		if mount.Target.Unresolved == "" && mount.Target.Value != "" && below && len(target) >= deepest {
			m, found, deepest = mount, true, len(target)
			source = path.Join(mount.Source.Value, wanted[min(len(target), len(wanted)):])
		}
	}
	return m, source, found
}

// MountsKnown tells whether all mounts are known: only then does the absence of one prove anything.
func (d *Definition) MountsKnown() bool {
	unknown := func(m Mount) bool { return m.Target.Unresolved != "" }
	return len(d.Unread) == 0 && !slices.ContainsFunc(d.Mounts, unknown)
}
