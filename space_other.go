//go:build !linux

package main

import (
	"errors"

	"runner-preflight/checks"
)

// owner is not known: who may use a file is not for its mode to say.
func owner(string) (checks.Owner, error) { return checks.Owner{}, errors.ErrUnsupported }

// space is not known: docker's data root is in a virtual machine of its own here.
func space(string) (checks.Space, error) { return checks.Space{}, errors.ErrUnsupported }
