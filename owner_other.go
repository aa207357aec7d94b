//go:build !linux

package main

import (
	"errors"

	"runner-preflight/checks"
)

// owner is not known: who may use a file is not for its mode to say.
func owner(string) (checks.Owner, error) { return checks.Owner{}, errors.ErrUnsupported }
