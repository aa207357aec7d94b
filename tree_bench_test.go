package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkFolder is a lint of folders in which one file in twenty starts a runner, as runner-preflight runs it. The
// time per file stays the same from the smallest to the largest:
//
//	go test -run '^$' -bench Folder .
func BenchmarkFolder(b *testing.B) {
	for _, files := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(files), func(b *testing.B) {
			folder := b.TempDir()
			fillTree(b, folder, files, files/20)
			b.Chdir(folder)
			var total time.Duration
			for b.Loop() {
				started := time.Now()
				var out, complaints bytes.Buffer
				code := run([]string{"runner-preflight", "lint", "."}, process{
					in: strings.NewReader(""), out: &out, err: &complaints, env: func(string) string { return "" },
				})
				total += time.Since(started)
				if code != exitFindings || complaints.Len() > 0 {
					b.Fatalf("exit code %d\n%s%s", code, &out, &complaints)
				}
			}
			b.ReportMetric(float64(total.Microseconds())/float64(b.N)/float64(files), "µs/file")
		})
	}
}

// fillTree makes a repository of so many files: scripts that start runners, each with an env file of its own, one in ten
// of them wrong; and what else a repository holds.
func fillTree(t testing.TB, folder string, files, runners int) {
	t.Helper()
	write := func(name string, text string) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".gitignore", "*.log\nbuild/\n/dist\n!keep.log\n")
	write("config.json", string(labFile(t, "config.json")))
	script := string(labFile(t, "run.sh"))
	for i := range runners {
		text := script
		if i%10 == 0 {
			text = strings.Replace(text, "WORKING_DIRECTORY=/tmp", "WORKING_DIRECTORY=/opt", 1)
		}
		write(fmt.Sprintf("deploy/site-%d/runner-%d/run.sh", i/50, i), text)
	}
	source := strings.Repeat("func handler(w http.ResponseWriter, r *http.Request) { serve(w, r) }\n", 60)
	for i := range files - runners - 2 {
		switch i % 10 {
		case 0:
			write(fmt.Sprintf("assets/%d/image-%d.png", i/100, i), "\x89PNG\r\n\x1a\n\x00"+source)
		case 1:
			write(fmt.Sprintf("data/%d/settings-%d.json", i/100, i), `{"name": "x", "values": [`+strings.Repeat("1, ", 500)+"1]}")
		default:
			write(fmt.Sprintf("src/%d/module-%d/file-%d.go", i/1000, i/100, i), source)
		}
	}
}
