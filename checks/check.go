// Package checks holds the judgment: what breaks a runner, and what to do about it. Facts come from the packages
// below this folder. Each file named after a check holds that check and the problems that it can report.
package checks

import (
	"context"
	"strings"
)

// Check is one independent question about a host. Checks run at the same time, in any order, and alone.
type Check struct {
	// Name is the check's ID in kebab case; its part before the first dash is the group.
	Name string
	// Title is an assertion that is true when the check passes.
	Title string
	// Doc says what is looked at, in one paragraph.
	Doc string
	// Problems are all that the check can report.
	Problems []*Problem
	// Run looks. It returns no error: what stops it from looking is a finding too. At least one finding is returned.
	Run func(context.Context, *Host) []Finding
}

// Group is the check's group: config, definition, image, network.
func (c Check) Group() string {
	group, _, _ := strings.Cut(c.Name, "-")
	return groupOf(group)
}

// groupOf maps a name's first word to its group: the two checks of the network group are named for what they
// assert rather than for the group.
func groupOf(word string) string {
	switch word {
	case "endpoint", "clock":
		return "network"
	}
	return word
}

// Problem is an answer known in advance. Explanations, the reference page and the rules of machine formats all
// derive from these values.
type Problem struct {
	// ID is the problem's name for people and machines. It is never renamed or reused.
	ID string
	// Title says what is wrong, as a short statement that takes the check's title's place on a failure.
	Title string
	// Doc says why it breaks a runner and how to mend it.
	Doc string
	// Source is where the rule comes from, and how strong the evidence is.
	Source string
	// Explains lists the IDs of the problems that this one causes on the same entry, host or image.
	Explains []string
	// Prints are the messages by which people meet the problem; none for one that prints nothing of its own.
	Prints []Print
}

// Status is a finding's verdict; of several the greatest counts.
type Status int

// Skip is zero, so that what nobody looked at never counts as a pass.
const (
	// Skip was not looked at; the message says why.
	Skip Status = iota
	// Pass was looked at and is right.
	Pass
	// Warn does not stop the runner, or not for certain.
	Warn
	// Error could not be established.
	Error
	// Fail will stop the runner.
	Fail
)

// String is the status as machine formats and flags spell it.
func (s Status) String() string {
	return [...]string{"skip", "pass", "warn", "error", "fail"}[s]
}
