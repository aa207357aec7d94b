//go:build !windows

package main

// takesEscapes tells whether a terminal acts on escape sequences: all do that do not say TERM=dumb.
func takesEscapes(uintptr) bool { return true }
