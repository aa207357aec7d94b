package checks

import (
	"context"
	"io/fs"
	"strings"
	"testing"
)

// silentFiles is a file system that does not answer until all is over.
type silentFiles struct {
	Files
	over <-chan struct{}
}

func (s silentFiles) Stat(string) (fs.FileInfo, error) {
	<-s.over
	return nil, fs.ErrNotExist
}

// Files that cannot be read in time keep nobody beyond the deadline, and pass nothing.
func TestBuildInTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	host, err := Build(ctx, Input{Config: "config.json"}, Windows{Files: silentFiles{over: t.Context().Done()}})
	if err != nil {
		t.Fatal(err)
	}
	selection, err := Select(All(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range Run(ctx, host, selection) {
		f := result.Findings[0]
		if len(result.Findings) != 1 || f.Status != Error || !strings.Contains(f.Message, "not read in time") || f.Root != "--timeout" {
			t.Errorf("%s: %+v", result.Check.Name, result.Findings)
		}
	}
	if hosts, gaps := Allowlist(ctx, host); len(hosts) != 0 || len(gaps) != 1 {
		t.Errorf("%v, %v", hosts, gaps)
	}
}
