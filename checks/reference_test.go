package checks

import (
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// FuzzReference holds the judge of references to docker's own parser: what it lets pass docker takes, and what it
// does not has a problem, a message and a hint.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{
		"pause", "registry.example.com:5000/acme/pause:3.8", "https://registry.example.com/pause", "ACME/Pause:1",
		"a//b", "a/b:", "a/b@sha256:00", "localhost/pause", "my--pause", "my__pause", "[::1]:5000/a/b", "a b",
		"\u00a0a",
		"a@" + strings.Repeat("0", 64), strings.Repeat("a/", 200) + "b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image string) {
		wrong := formMistake(Image{Role: RolePause, Reference: image})
		if wrong != nil {
			if wrong.problem == nil || wrong.message == "" || wrong.hint == "" {
				t.Fatalf("%q: %+v", image, wrong)
			}
			return
		}
		if _, err := reference.ParseNormalizedNamed(image); err != nil {
			t.Fatalf("%q passes, and docker says: %v", image, err)
		}
	})
}
