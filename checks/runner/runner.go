// Package runner reads runner definitions: what a runner is told, each thing with the place where it is written.
package runner

import (
	"runner-preflight/checks/source"
)

// Text is a value as the runner, or docker, gets it.
type Text struct {
	Value string
	// Place is where it is written.
	Place source.Span
	// Unresolved says why Value is not known ("" when it is): "$1 is an argument of the script".
	Unresolved string
}

// Definition is one runner as a file defines it. No reader of it knows which kind of file that was.
type Definition struct {
	// File is the text that defines it; Place the command, unit or service in it.
	File  *source.File
	Place source.Span
	// Image is the runner's own image; its Place is the zero Span when there is none.
	Image Text
	// Environment is in the order in which it takes effect: the last of one name wins.
	Environment []Variable
	Mounts      []Mount
	// EnvFiles are the files that it takes variables from; those variables are in Environment.
	EnvFiles []EnvFile
	// States says what this kind of definition speaks of: an env file knows no image and no mounts.
	States Aspects
}

// Aspects are the parts of a definition.
type Aspects struct{ Image, Environment, Mounts bool }

// EnvFile is a file of variables that a definition names.
type EnvFile struct {
	Path Text
	// Err is what kept it from being read.
	Err error
}

// Variable is one environment variable.
type Variable struct {
	// Name stands at its Place, without the value.
	Name, Value Text
}

// Mount is one volume or bind mount.
type Mount struct {
	Source, Target Text
	ReadOnly       bool
	// Volume says that Source names a volume, not a path of the host.
	Volume bool
	Place  source.Span
}

// Reading is what a file says of runners.
type Reading struct {
	// Kind is what the file was read as: "shell script", "env file"; empty when it is nothing that can be read.
	Kind        string
	Definitions []*Definition
}

// Read reads a file, recognised by its content. It never fails: what is wrong is part of the answer. The function
// open reads the files that it names (env files), by the path as it is written there.
func Read(path string, data []byte, open func(path string) ([]byte, error)) Reading {
	return Reading{}
}
