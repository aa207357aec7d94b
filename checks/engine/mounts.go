package engine

import (
	"path"
	"slices"
	"strings"
)

// MountTable is what a process has mounted, the last one on top.
type MountTable []Mounted

// Mounted is one mount of a process.
type Mounted struct {
	// Root is what is mounted, by its path in its own file system. The path that it has on the host ends in it where that
	// file system is mounted as a whole there.
	Root string
	// Target is where it is mounted, as the process sees it.
	Target   string
	ReadOnly bool
	// Deleted says that what is mounted has no name any more: something else has taken its place, or nothing.
	Deleted bool
}

// deleted is what the kernel writes behind a root that has no name any more.
const deleted = "//deleted"

// ReadMounts reads what /proc/PID/mountinfo says. Source: proc_pid_mountinfo(5).
func ReadMounts(text []byte) MountTable {
	var table MountTable
	escaped := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			continue
		}
		root, gone := strings.CutSuffix(escaped.Replace(fields[3]), deleted)
		table = append(table, Mounted{
			Root: root, Target: escaped.Replace(fields[4]), Deleted: gone,
			ReadOnly: slices.Contains(strings.Split(fields[5], ","), "ro"),
		})
	}
	return table
}

// At is what is mounted at a path itself.
func (t MountTable) At(target string) (m Mounted, found bool) {
	for _, mounted := range t {
		if mounted.Target == path.Clean(target) {
			m, found = mounted, true
		}
	}
	return m, found
}

// Of tells whether these are the mounts of a container: docker, and Podman, mount files there which they keep for it in a
// folder that bears its ID. It is false for a container that has another one's network, as it has that one's files.
func (t MountTable) Of(id string) bool {
	for _, name := range []string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"} {
		if m, found := t.At(name); found && id != "" && strings.Contains(m.Root, "/"+id+"/") {
			return true
		}
	}
	return false
}
