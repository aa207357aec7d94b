// Package dockerconfig reads a config.json without losing anything, and answers two questions about it: what the
// runner would send for an image, and what docker's CLI would.
package dockerconfig

import (
	"runner-preflight/checks/source"
)

// File is a config.json as it was read.
type File struct {
	// Source is its text, as UTF-8, with every secret hidden.
	Source *source.File
}

// Parse reads a config.json. It never fails: what is wrong with the text is part of the answer.
func Parse(path string, data []byte) *File {
	return &File{Source: source.New(path, data)}
}

// Reason says why the runner sends nothing for an image.
type Reason string

// The reasons, as the JSON report spells them.
const (
	NoEntry          Reason = "no-entry"
	NoFile           Reason = "no-file"
	EmptyEntry       Reason = "empty-entry"
	EmptyCredentials Reason = "empty-credentials"
	Store            Reason = "store"
	Helper           Reason = "helper"
	DroppedHeader    Reason = "dropped-header"
	InvalidReference Reason = "invalid-reference"
	FileRejected     Reason = "file-rejected"
)

// RunnerCredentials is what the runner's reader finds for an image.
type RunnerCredentials struct {
	// Key is the key of the entry that matched; empty when none did.
	Key string
	// Username and Password are what the registry gets; Password is never printed.
	Username, Password string
	// Reason says why nothing usable is sent; empty when a user name and a password are.
	Reason Reason
}

// DockerCredentials is what docker's CLI on the same host would find.
type DockerCredentials struct {
	// Key is the entry's key, empty when there is none.
	Key                string
	Username, Password string
	// Helper is the suffix of the credential helper that would be asked (docker-credential-SUFFIX).
	Helper string
}

// ForRunner looks an image's credentials up as the runner does. A nil file is a missing one.
func (f *File) ForRunner(image string) RunnerCredentials { return RunnerCredentials{Reason: NoFile} }

// ForDocker looks an image's credentials up as docker's CLI does. A nil file is a missing one.
func (f *File) ForDocker(image string) DockerCredentials { return DockerCredentials{} }
