package checks

import (
	"strings"
	"testing"
)

// What the images have packed counts three times.
func TestPackedImages(t *testing.T) {
	for _, row := range []struct {
		free, packed uint64
		want         Status
	}{
		{3_000_000_000, 1_000_000_000, Pass},
		{2_999_999_999, 1_000_000_000, Warn},
		{1_000_000_000, 0, Pass},
		{40_000_000_000, 4 * largestBlob, Warn},
	} {
		h := &Host{Windows: Windows{Space: func(string) (Space, error) {
			return Space{Total: 50_000_000_000, Free: row.free}, nil
		}}}
		f := judgeSpace(h, "/var/lib/docker", row.packed)
		if f.Status != row.want || strings.Contains(f.Message, "packed") != (row.want == Warn) {
			t.Errorf("%d free, %d packed: %s", row.free, row.packed, line(f))
		}
	}
}
