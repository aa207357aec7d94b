// Package runner reads runner definitions: what a runner is told, each thing with the place where it is written.
// It holds facts alone: what a shell and docker make of a file. What of it breaks a runner is for others to judge.
package runner

import (
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// Reading is what a file says of runners.
type Reading struct {
	// Kind is what the file was read as: "shell script", "text with commands", "docker env file",
	// "compose file", "Kubernetes manifest", "binary file"; empty for an empty file.
	Kind        string
	Definitions []*Definition
	// Configs are the config.json files that stand within the file: Secrets of Kubernetes.
	Configs []Projected
	// Mistakes are those of the file as a whole: what keeps it from being read, and where.
	Mistakes []Mistake
	// Faults are those of the values that the file keeps for runners: in Secrets and ConfigMaps of Kubernetes.
	Faults []Mistake
	// Secrets are the places at which Secrets of Kubernetes hold a config.json.
	Secrets []source.Span
	// Companion says that files which are read with this one have runners that may use what is in it: it needs none itself.
	Companion bool
	// Unsupported says that runners are started from files of this kind, but are not read from them.
	Unsupported bool
	// Part says that another file of the set names this one, and that what is in it was read there.
	Part bool
	// Starts is the container that the file starts and something else has made: docker start NAME.
	Starts Text
	// Runs is a file that the file runs and that was not given, so that the runner may be there: a script, "a compose
	// file".
	Runs Text
	// Passwords are the places of passwords that are written out in commands which are no runner's: docker login.
	Passwords []source.Span
	// Within is the file that this one is a part of, and with which it is read: what a compose file overrides; "" where it
	// stands alone.
	Within string
	// LookedFor says, as a noun phrase, what would have been a runner in a file of this kind.
	LookedFor string
}

// Definition is one runner as a file defines it. No reader of it knows which kind of file that was.
type Definition struct {
	// File is the text that defines it; Place the command, unit or service in it.
	File  *source.File
	Place source.Span
	// Dialect is how it is written.
	Dialect Dialect
	// Service is the service of systemd that the command belongs to; nil where there is none.
	Service *Service
	// Keeper is what can start it anew.
	Keeper Keeper
	// Client is the program of the command line: "docker", "podman", "nerdctl"; empty where there is no command line, or
	// it is not known.
	Client string
	// Sudo says that the command stands behind sudo: the shell has filled the home folder in before, which is that of the
	// user who calls sudo.
	Sudo bool
	// Batch says that the command stands in a batch file of Windows, to which single quotes are none.
	Batch bool
	// Created says that the command makes the container and does not start it: docker create.
	Created bool
	// Daemon is the docker daemon that runs beside the runner and serves it alone (docker in docker); nil where the
	// runner uses that of its host.
	Daemon *Daemon
	// PullSecrets are the names of the Secrets with which the runner's own image is pulled; the runner never sees them.
	PullSecrets []Text
	// Image is the runner's own image; its Place is the zero Span when there is none.
	Image Text
	// Environment is in the order in which it takes effect: the last of one name wins. Variables of env files
	// come first, as docker takes them.
	Environment []Variable
	// Mapping says that environment is a mapping (NAME: value) rather than a list (- NAME=value).
	Mapping bool
	Mounts  []Mount
	// Options are all options before the image, -e, -v and those that docker does not know among them; where there is no
	// command line, what is said that docker has an option for.
	Options []Option
	// Misplaced are options of docker's that stand behind the image: docker hands them to the runner.
	Misplaced []Option
	// Arguments are what follows the image, Misplaced among it.
	Arguments []Text
	// EnvFiles are the files of --env-file, read or not; of a compose file those of env_file, and the .env beside it.
	EnvFiles []EnvFile
	// Beside are the variables of the .env beside a compose file, where env_file does not name it: they fill the file's
	// ${…} in, and do not reach the container.
	Beside []Variable
	// Unread are words that may hold any number of options, and are not known: an unset $OPTIONS, "$@",
	// --volumes-from. What is not found may be in them.
	Unread []Text
	// Lenders are the containers of --volumes-from that the file does not make; each is in Unread, until Lend says what it
	// has mounted.
	Lenders []Lender
	// States says what this kind of definition speaks of: an env file knows no image and no mounts.
	States Aspects
	// Mistakes are in the order of their places.
	Mistakes []Mistake

	// uses are the entries of Secrets and ConfigMaps of which it takes something.
	uses []*kubeEntry
}

// Aspects are the parts of a definition.
type Aspects struct{ Image, Environment, Mounts bool }

// Text is a value as the runner, or docker, gets it.
type Text struct {
	// Value is what is left after quotes, expansions and continuations. Where it is not known it is what is written.
	Value string
	// Place is where it is written, within its quotes: for "$IMAGE" the value in the assignment, if it was found.
	Place source.Span
	// Use is the expansion that brought it here ("$IMAGE"); the zero Span when it is written in place.
	Use source.Span
	// Unresolved says why Value is not known ("" when it is): "$1 is an argument of the script".
	Unresolved string
	// Quoting is how its first character is quoted.
	Quoting Quoting
	// Home says that Value begins with "~" because the shell puts the home folder there (~, $HOME). A Value that
	// begins with "~" or "$HOME" without it gets to docker as it stands.
	Home bool
	// Placeholder is the sample in it that somebody should have replaced, as "<my-account-id>", if its form shows
	// that: <…>, {{ … }}, ${{ … }}, {with blanks}.
	Placeholder string
}

// nothing tells whether there is no value, nor one that is not known.
func (t Text) nothing() bool { return t.Value == "" && t.Unresolved == "" }

// Quoting is how a character is quoted.
type Quoting int

// The quotings. A backslash quotes as single quotes do.
const (
	Unquoted Quoting = iota
	SingleQuoted
	DoubleQuoted
)

// Variable is one environment variable.
type Variable struct {
	// Name stands at its Place, without the value.
	Name, Value Text
	// Place is the whole assignment: NAME=value.
	Place source.Span
	// FromFile says that it is written in an env file, of which docker takes quotes as part of the value, or in an object
	// of Kubernetes that is taken whole (envFrom).
	FromFile bool
	// NoValue says that only the name is given (-e NAME): docker takes the value from its own environment. Value
	// is what the script exports under that name, or unresolved.
	NoValue bool
}

// Secret tells whether a variable's name says that its value must not be shown.
func (v Variable) Secret() bool { return secretName(v.Name.Value) }

// Mount is one volume or bind mount.
type Mount struct {
	// Source is empty for an anonymous volume.
	Source, Target Text
	ReadOnly       bool
	// Modes are what else is said of it, as docker's -v has it: "ro", "z".
	Modes []string
	// Volume says that Source names a volume (or is empty), not a path of the host.
	Volume bool
	// Place is the value of the option.
	Place source.Span
	// Projected are the files that the mount brings of itself, from a Secret, a ConfigMap or a compose file's configs;
	// nil for a mount of the host or a volume.
	Projected []Projected
	// Object is what brings the files, as "Secret regcred"; empty for a mount of the host or another volume.
	Object string
	// Unlisted says why not all files that the mount brings are known ("" when they are).
	Unlisted string
	// Private says that nobody but this container has the volume: nothing ever comes into it from elsewhere.
	Private bool
	// Option is how it was written: "-v", "--volume", "--mount", "volumes", "configs", "secrets", "volumeMounts",
	// "volumes_from" for one that stands at another service, and Joined says that the value follows a "=" (or the letter
	// itself), where no shell expands "~".
	Option string
	Joined bool
}

// Has tells whether one of the modes of a mount is the wanted one.
func (m Mount) Has(mode string) bool { return slices.Contains(m.Modes, mode) }

// Projected is one file that a definition puts into the container.
type Projected struct {
	// Path is where it is in the container, absolute; of one that no definition mounts its name.
	Path string
	// Place is where its name in the container is written, or follows from.
	Place source.Span
	// File is what is in it, with places in the file that holds it; nil when that is not given.
	File *source.File
	// Object is what holds it, as "Secret regcred", and Key the key that it has there; both may be empty.
	Object, Key string
}

// Service is what a systemd unit says of how its commands are run.
type Service struct {
	// Type is as systemd takes it, "simple" where none is written; its Place is the zero Span then.
	Type Text
	// Restart is as written, empty where none is.
	Restart Text
	// RemainAfterExit says that the service goes on when its commands have ended.
	RemainAfterExit bool
	// Stops is the first command that runs when the service has ended; the zero Text when there is none.
	Stops Text
	// Main says that this command is the one of ExecStart, and that nothing follows it there: when it ends, the service
	// does.
	Main bool
	// Terminal says that standard input is a terminal.
	Terminal bool
}

// Keeper is what starts a definition's runner, and can start it anew: a unit, compose, a controller of Kubernetes, or for
// a container that was made already docker itself.
type Keeper struct {
	// Name is what the keeper calls the runner: "runner.service", the name of the service of compose, "deployment/runner",
	// the name of the container. It is empty where there is no keeper, or the name is not known.
	Name string
	// User says that a unit is one of a user's own manager.
	User bool
	// Namespace is that of an object of Kubernetes; empty where the object names none.
	Namespace string
	// Files are those of the project of compose.
	Files []string
}

// Daemon is a docker daemon in a container beside the runner's.
type Daemon struct {
	// Name is that of its container or service.
	Name Text
	// Image is what it runs; the zero Text where that is not known.
	Image Text
	// Place is its container or service.
	Place source.Span
	// Privileged says that it may do what a daemon must. Confined is where that is said otherwise, or where it should be
	// said.
	Privileged bool
	Confined   source.Span
	// Mounts are its own: what it shares with the runner has the same Source there.
	Mounts []Mount
}

// Option is one option of docker's command line.
type Option struct {
	// Name is as written, without the value: "-e", "--name". Value is empty for a switch.
	Name, Value Text
	// Long is the long form without dashes: "env". Empty when docker does not know the option and none is near.
	Long string
	// Place is the option with its value.
	Place source.Span
	// Known says that docker knows the option; Near is what was probably meant if it does not.
	Known bool
	Near  string
}

// option adds what is said elsewhere than on a command line, under a key, for which docker has an option.
func (d *Definition) option(key, long string, value field) {
	d.Options = append(d.Options, Option{
		Name: Text{Value: key}, Value: value.text(), Long: long, Place: span(value), Known: true,
	})
}

// EnvFile is a file named by --env-file.
type EnvFile struct {
	// Path is as written.
	Path Text
	// File is its text; nil when it was not read, and then Err says why, or Path is unresolved.
	File *source.File
	Err  error
	// Optional says that it need not be there.
	Optional bool
}

// Mistake is something that a file gets wrong in its form, whatever it says.
type Mistake struct {
	// Kind is the problem's ID, where there is one (see the constants).
	Kind string
	// Place points at it.
	Place source.Span
	// Detail says what is wrong here, in words that fit after a colon. It quotes nothing secret.
	Detail string
	// Loses says that something is lost by it: the command is not the one that was meant.
	Loses bool
	// Near is what was probably meant, if that can be said: an option's right spelling.
	Near string
}

// The kinds of mistakes.
const (
	// BrokenContinuation is a backslash that does not continue its line, or a line without the one it needs. The
	// place is the backslash, the comment in its way, or the end of the line that lacks it.
	BrokenContinuation = "broken-continuation"
	// ImageMissing is a command without an image; its place is the last thing in the command.
	ImageMissing = "image-missing"
	// OptionAfterImage is one of docker's options behind the image, or the stray word that is taken for the image
	// so that all the rest comes behind it.
	OptionAfterImage = "option-after-image"
	// UnknownOption is an option that docker does not know.
	UnknownOption = "unknown-option"
	// UnknownKey is a key of a compose file that compose does not know.
	UnknownKey = "unknown-key"
	// Placeholder is a sample such as <my-account-id>, which a shell takes for redirections.
	Placeholder = "env-placeholder"
	// Unreadable is what keeps the file, or the command, from being parsed; its place is where that stopped.
	Unreadable = "definition-unreadable"
	// CarriageReturn is a Windows line end in a shell's command: the last word of the line ends in it.
	CarriageReturn = "carriage-return"
	// SecretKeyMissing is a key that a Secret or a ConfigMap does not have, where it is asked for. It loses nothing where
	// that is optional.
	SecretKeyMissing = "secret-key-missing"
	// UnencodedSecret is a value in a Secret that is no base64, or only looks like it.
	UnencodedSecret = "unencoded-secret"
	// DoubleEncodedSecret is base64 of base64.
	DoubleEncodedSecret = "double-encoded-secret"
)

// Last returns the variable of that name that takes effect.
func (d *Definition) Last(name string) (Variable, bool) {
	for i := len(d.Environment) - 1; i >= 0; i-- {
		if d.Environment[i].Name.Value == name {
			return d.Environment[i], true
		}
	}
	return Variable{}, false
}

// Complete tells whether all of the environment was read: no env file is missing, no option unknown. A container whose
// mounts are lent brings no variables.
func (d *Definition) Complete() bool {
	for _, file := range d.EnvFiles {
		if file.File == nil {
			return false
		}
	}
	return !slices.ContainsFunc(d.Unread, func(t Text) bool {
		return !slices.ContainsFunc(d.Lenders, func(l Lender) bool { return l.written == t })
	})
}

// secretName tells whether a name is one of a secret, misspelled ones too.
func secretName(name string) bool {
	upper := strings.ToUpper(name)
	for _, part := range []string{"SECR", "PASSW", "PASSPHRASE", "TOKEN", "API_KEY", "PRIVATE_KEY"} {
		if strings.Contains(upper, part) {
			return true
		}
	}
	return strings.HasPrefix(upper, "OAUTH") && strings.Contains(upper, "CLIENT") && !strings.HasSuffix(upper, "ID")
}
