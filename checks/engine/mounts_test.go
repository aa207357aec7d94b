package engine

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ofContainer is what Docker 20.10 on Linux 6.1 mounted into a container, whose config.json was then replaced by a rename.
const ofContainer = `711 650 0:56 / / rw,relatime master:3 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/42LS
712 711 0:59 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
716 711 0:62 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
727 711 254:0 /tmp /tmp rw,relatime - ext4 /dev/vda rw,discard
729 711 0:55 /containers/0cf46ee6bb62/resolv.conf /etc/resolv.conf rw,relatime - tmpfs tmpfs rw
730 711 0:55 /containers/0cf46ee6bb62/hostname /etc/hostname rw,relatime - tmpfs tmpfs rw
732 711 254:0 /home/.docker/config.json//deleted /root/.docker/config.json rw,relatime - ext4 /dev/vda rw,discard
733 711 254:0 /srv/two\040words /two\040words ro,relatime - ext4 /dev/vda rw,discard
cut off
`

func TestReadMounts(t *testing.T) {
	want := MountTable{
		{Root: "/", Target: "/"},
		{Root: "/", Target: "/proc"},
		{Root: "/", Target: "/sys", ReadOnly: true},
		{Root: "/tmp", Target: "/tmp"},
		{Root: "/containers/0cf46ee6bb62/resolv.conf", Target: "/etc/resolv.conf"},
		{Root: "/containers/0cf46ee6bb62/hostname", Target: "/etc/hostname"},
		{Root: "/home/.docker/config.json", Target: "/root/.docker/config.json", Deleted: true},
		{Root: "/srv/two words", Target: "/two words", ReadOnly: true},
	}
	got := ReadMounts([]byte(ofContainer))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for id, own := range map[string]bool{"0cf46ee6bb62": true, "0cf46ee6bb6": false, "": false, "tmp": false} {
		if got.Of(id) != own {
			t.Errorf("the mounts of the container %q: %v", id, !own)
		}
	}
}

// What is mounted later at the same place hides what was there.
func TestMountTableAt(t *testing.T) {
	table := MountTable{{Root: "/a", Target: "/x"}, {Root: "/b", Target: "/x"}, {Root: "/c", Target: "/x/y"}}
	if m, found := table.At("/x/"); !found || m.Root != "/b" {
		t.Error(m, found)
	}
	if m, found := table.At("/x/z"); found {
		t.Error(m)
	}
}

// A container's own root may write what it likes into the paths of its mounts.
func FuzzReadMounts(f *testing.F) {
	f.Add(ofContainer, "/root/.docker/config.json", "0cf46ee6bb62")
	f.Add("1 2 0:0 /a\\040\\134040b//deleted /x\\012y ro,rw\n\x00\n1 2 3 4 5 6\n", "/x\ny", "a")
	f.Add("711 650 0:56 "+strings.Repeat("/..", 4000)+" / rw", "/", "..")
	f.Fuzz(func(t *testing.T, text, target, id string) {
		table := ReadMounts([]byte(text))
		if len(table) > strings.Count(text, "\n")+1 {
			t.Errorf("%d mounts in %d lines", len(table), strings.Count(text, "\n")+1)
		}
		if m, found := table.At(target); found && m.Target != path.Clean(target) {
			t.Errorf("%q is at %q", m.Target, target)
		}
		if table.Of(id) && !strings.Contains(text, "/"+id+"/") && !strings.Contains(text, `\`) {
			t.Errorf("the mounts of %q: %q", id, text)
		}
	})
}
