package main

import "golang.org/x/sys/windows"

// takesEscapes has a console act on escape sequences, which it does not by itself, and tells whether it will.
// Source: Microsoft, "Console Virtual Terminal Sequences".
func takesEscapes(console uintptr) bool {
	var mode uint32
	if err := windows.GetConsoleMode(windows.Handle(console), &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(windows.Handle(console), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
