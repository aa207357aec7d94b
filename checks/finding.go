package checks

import (
	"runner-preflight/checks/source"
)

// Finding is this host's answer about one subject. Make one with Failed, Warned, Erred, Passed or Skipped.
type Finding struct {
	Status Status
	// Problem is what was found; nil on a pass and a skip.
	Problem *Problem
	// Runners names the runners that the finding is about; empty means all of them.
	Runners []string
	// Known says that a former report has the finding too: it counts for nothing. No check sets it.
	Known bool
	// Subject is what was looked at: a key of config.json, a role, a reference, host:port, a path, a variable.
	Subject string
	// Root is what somebody has to act on. Findings of one problem on one root have one cause.
	Root string
	// Behind is what stands before Root, and may stand before other roots of the same problem: if it does, that is their
	// one cause.
	Behind Barrier
	// Touches names the entries, hosts and images that the finding is about, as Entry, HostPort, Reference and
	// Path spell them: a problem explains those findings with which it shares one.
	Touches []string
	// Message is the fact, in one line: lower case, no final period, no secret.
	Message string
	// Hint says what to do, as an imperative.
	Hint string
	// Commands can be pasted into a shell. None holds a secret.
	Commands []string
	// Location is where the mistake stands; the zero value is nowhere in a file.
	Location source.Span
	// Evidence is what was seen, in the order in which people read it.
	Evidence []Evidence
	// Connection and Pull are what was seen of a host and of an image, for reports that draw it; nil for other subjects.
	Connection *Connection
	Pull       *Pull
	// Ignored says that the finding is known and accepted, and by whom; nil for all others. It keeps its status, and
	// counts for nothing.
	Ignored *Ignored
}

// Ignored is the ignore that a finding falls under.
type Ignored struct {
	// Reason is why, as its user wrote it: in one line, cut, secrets masked. It is empty where none was given.
	Reason string
	// Location is where the ignore stands.
	Location source.Span
	// Until is the last day on which it holds, as 2027-01-31; empty for no end.
	Until string
	// External says that it stands in the file of ignores, and not in the file that the finding is about.
	External bool
}

// Evidence is one thing seen: a phase with its milliseconds, a status code, a digest.
type Evidence struct {
	Name string
	// Value is a string, a number, a bool or a slice or map of those, as JSON can write it.
	Value any
}

// Failed reports what will stop the runner.
func Failed(p *Problem, subject, message, hint string) Finding {
	return found(Fail, p, subject, message, hint)
}

// Warned reports what may hurt, or hurts something else than this runner.
func Warned(p *Problem, subject, message, hint string) Finding {
	return found(Warn, p, subject, message, hint)
}

// Erred reports what could not be established.
func Erred(p *Problem, subject, message, hint string) Finding {
	return found(Error, p, subject, message, hint)
}

func found(status Status, p *Problem, subject, message, hint string) Finding {
	return Finding{Status: status, Problem: p, Subject: subject, Root: subject, Message: message, Hint: hint}
}

// Passed reports what was looked at and is right.
func Passed(subject, message string) Finding {
	return Finding{Status: Pass, Subject: subject, Message: message}
}

// Skipped reports what was not looked at, and why.
func Skipped(subject, reason string) Finding {
	return Finding{Status: Skip, Subject: subject, Message: reason}
}

// As returns the finding with another status, where the usual one does not fit this host.
func (f Finding) As(s Status) Finding { f.Status = s; return f }

// At returns the finding with the place where the mistake stands, in the file that the user has.
func (f Finding) At(place source.Span) Finding { f.Location = place.Outermost(); return f }

// On returns the finding with another root than its subject, before which nothing else stands.
func (f Finding) On(root string) Finding { f.Root, f.Behind = root, Barrier{}; return f }

// For returns the finding as one about the named runners alone.
func (f Finding) For(runners ...string) Finding { f.Runners = runners; return f }

// Touching returns the finding with more of what it is about (see Entry, HostPort, Reference, Path and Container).
func (f Finding) Touching(what ...string) Finding {
	f.Touches = append(f.Touches[:len(f.Touches):len(f.Touches)], what...)
	return f
}

// Try returns the finding with commands to run.
func (f Finding) Try(commands ...string) Finding {
	f.Commands = append(f.Commands[:len(f.Commands):len(f.Commands)], commands...)
	return f
}

// With returns the finding with one more piece of evidence.
func (f Finding) With(name string, value any) Finding {
	f.Evidence = append(f.Evidence[:len(f.Evidence):len(f.Evidence)], Evidence{name, value})
	return f
}

// Entry names an entry of config.json in Touches.
func Entry(key string) string { return "entry " + key }

// HostPort names a host in Touches, as host:port.
func HostPort(address string) string { return "host " + address }

// Reference names an image in Touches, by its reference as written.
func Reference(image string) string { return "image " + image }

// referencesTo names images in Touches.
func referencesTo(images []Image) []string {
	var touches []string
	for _, image := range images {
		touches = append(touches, Reference(image.Reference))
	}
	return touches
}

// Path names a file in Touches.
func Path(path string) string { return "file " + path }

// Container names a container in Touches.
func Container(name string) string { return "container " + name }

// Variable names a setting of the definition in Touches: an environment variable, an option.
func Variable(name string) string { return "variable " + name }
