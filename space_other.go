//go:build !linux

package main

import (
	"errors"

	"runner-preflight/checks"
)

// space is not known: docker's data root is in a virtual machine of its own here.
func space(string) (checks.Space, error) { return checks.Space{}, errors.ErrUnsupported }
