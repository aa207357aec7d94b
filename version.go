package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// build is what this binary was made of. Commit is empty where it was not made in a repository.
type build struct {
	SchemaVersion int    `json:"schema_version"`
	Name          string `json:"name"`
	Version       string `json:"version"`
	Commit        string `json:"commit"`
	// CommitTime is RFC 3339, in UTC.
	CommitTime string `json:"commit_time"`
	// Modified says that files were changed since the commit.
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisBuild is what Go wrote into this binary.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) build {
	b := build{
		SchemaVersion: 1, Name: "runner-preflight", Version: version, Go: info.GoVersion,
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.CommitTime = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// versionFormats are the formats of version by name.
func versionFormats() map[string]func(io.Writer, build) error {
	return map[string]func(io.Writer, build) error{"text": versionText, "json": versionJSON}
}

func versionText(w io.Writer, b build) error {
	commit := "commit unknown"
	if b.Commit != "" {
		commit = "commit " + b.Commit
	}
	if b.CommitTime != "" {
		commit += " of " + b.CommitTime
	}
	if b.Modified {
		commit += ", files changed since"
	}
	_, err := fmt.Fprintf(w, "%s %s\n%s\n%s %s\n", b.Name, b.Version, commit, b.Go, b.Platform)
	return err
}

func versionJSON(w io.Writer, b build) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(b)
}

func printVersion(c *cli.Context, p process) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	if err := noArguments(c); err != nil {
		return err
	}
	return written(versionFormats()[o.format](p.out, thisBuild()))
}
