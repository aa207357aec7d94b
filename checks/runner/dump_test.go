package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestDump(t *testing.T) {
	dir := os.Getenv("DUMP")
	if dir == "" {
		t.Skip()
	}
	paths, _ := filepath.Glob(dir + "/*")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			continue
		}
		r := Read(filepath.Base(p), data, func(n string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, "files", n)) })
		fmt.Printf("===== %s\n%s", filepath.Base(p), describe(r))
		fmt.Println("unsupported", r.Unsupported, "starts", r.Starts.Value, "runs", r.Runs.Value)
	}
}
