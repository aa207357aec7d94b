package checks

import (
	"io/fs"
	"path"
	"time"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/engine"
	"runner-preflight/checks/git"
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// Host is the machine as checks see it: its runners, and the windows through which checks look.
type Host struct {
	// Runners are what is judged; empty when files were given and no runner is in them.
	Runners []*Runner
	// Readings are the files that were read as runner definitions, with or without a runner in them.
	Readings []FileReading
	// Folders are those that were given.
	Folders []Folder
	// Live says that this is the machine on which the runner runs (check), not a checkout of its files (lint).
	Live bool
	// Offline says that no check may use the network.
	Offline bool
	// Machine is what this machine runs, as OS/ARCH; empty when unknown.
	Machine string

	// Engine is the machine's docker daemon; nil when none is looked for (lint), or none can be.
	Engine *engine.Engine
	// Told is what it says of itself; nil when it does not, and then Untold says why (nil too when it was not asked).
	Told   *engine.Info
	Untold *engine.Failure
	// Unlisted is why not all of its containers are known; nil if they are.
	Unlisted *engine.Failure
	// inside says that this process is in a container, in the place of the runner's.
	inside bool
	// mounts are what that container has mounted, and self is what docker's daemon says of it; nil if that is not known.
	mounts engine.MountTable
	self   *engine.Container

	Windows
	// PingTime is how long the docker daemon may take for a ping until it hangs; 0 means 5 s.
	PingTime time.Duration
	// daemon is what this machine's docker daemon is told; nothing under lint.
	daemon daemonConfig
	// Pulling is the way out of docker's daemon.
	Pulling
	// own is the way out that the files of this machine give the daemon, else that of this process: what a daemon that
	// goes another way may have missed. There is none where the daemon does not say how it goes.
	own Pulling
	// certified are the ways to registries for which the daemon is given certificates of their own, by the host as a
	// reference writes it.
	certified map[string]Pulling

	// late says that there was no time to read the files: there are no runners to be judged.
	late bool
	// ignores are what the user accepts.
	ignores hostIgnores
	// indexes are those of git that were read.
	indexes git.Indexes

	// live are the runners among the containers of this host.
	live []liveRunner
	// all are all checks, whose problems know what they print.
	all []Check

	// lookedUp is what the checks of config.json share; it is made once, by the first that asks.
	lookedUp configView
}

// Pulling is a way on which docker's daemon pulls images.
type Pulling struct {
	// Daemon connects.
	Daemon *network.Client
	// Registries asks registries about images, over Daemon.
	Registries *registry.Client
}

// newPulling makes a way over a route.
func newPulling(route network.Config) Pulling {
	daemon := network.New(route)
	return Pulling{daemon, registry.New(daemon)}
}

// pulling is the way on which an image is pulled.
func (h *Host) pulling(reference string) Pulling {
	if way, own := h.certified[registryHost(reference)]; own {
		return way
	}
	return h.Pulling
}

// FileReading is what one file says of runners.
type FileReading struct {
	Path string
	runner.Reading
	// Passed says why a file that was found in a folder is not judged, though it speaks of runners; empty if it is.
	Passed string
}

// Windows are the only ways in which checks touch the world.
type Windows struct {
	Files Files
	// Folder is the current folder, absolute; empty when unknown. What relative paths belong to is then unknown too.
	Folder string
	// Now is the clock.
	Now func() time.Time
	// Real is an absolute path without links in it; nil where there are none.
	Real func(path string) (string, error)
	// Within reads a file below a folder out of which no link leads, as the file system of another process is: its links are
	// not to be followed in that of this one. A folder is ErrIsDirectory. Within is nil where nobody can look.
	Within func(folder, name string) ([]byte, fs.FileInfo, error)
	// Owner tells whom a file belongs to, if its mode then says all about who may use it; nil where nobody can be asked.
	Owner func(path string) (Owner, error)
	// Space asks the file system of a path how much room it has; nil where nobody can be asked.
	Space func(path string) (Space, error)
}

// canonical is the one absolute path of what a path leads to, as far as that can be told.
func (w Windows) canonical(name string) (absolute string, known bool) {
	if !path.IsAbs(name) {
		name = path.Join(w.Folder, name)
	}
	if w.Real != nil {
		if real, err := w.Real(name); err == nil {
			name = real
		}
	}
	return path.Clean(name), path.IsAbs(name)
}

// Files is the file system as checks may see it. Paths are as users write them.
type Files interface {
	Stat(path string) (fs.FileInfo, error)
	ReadFile(path string) ([]byte, error)
	// ReadDir returns a folder's entries, by name.
	ReadDir(path string) ([]fs.DirEntry, error)
}

// Runner is one runner: what it is told, the config.json that it reads, the images that it will pull and the
// hosts that it needs.
type Runner struct {
	// Name tells the runner from others in the report: its file's name, with #2 and so on for further ones.
	Name string
	// Definition is what the runner is told; nil when there was none to read.
	Definition *runner.Definition
	// Config is the config.json that it reads; nil when it was not given (lint).
	Config *Config
	// Images are the effective ones: the three roles and the runner's own.
	Images []Image
	// Endpoints are the hosts that are known to be needed before any was asked.
	Endpoints []Endpoint
	// Platform is what images are pulled for, as OS/ARCH[/VARIANT]; empty when unknown.
	Platform string
	// Container is the container that it is on this host; nil for a runner that is known from files.
	Container *engine.Container
	// Control is the way out of the runner's own JVM.
	Control *network.Client

	// seesConfig says that this process is in the runner's place and finds a config.json where the runner looks: mounted, or
	// in the image itself.
	seesConfig bool
	// homes are the two files that its config.json may be; nil where it is one.
	homes *homes
}

// Config is a config.json, or what is in its place.
type Config struct {
	// Path is as the user gave it, or as the definition mounts it.
	Path string
	// Origin says why this one: ConfigFlag, ConfigFile, ConfigMount, ConfigUser or
	// ConfigSecret.
	Origin ConfigOrigin
	// Object is what holds one of ConfigSecret, as "Secret regcred", and Key the key that it has there.
	Object, Key string
	// File is its content; nil when there is none to read, and then Err says why.
	File *dockerconfig.File
	// Err is what kept it from being read: fs.ErrNotExist, fs.ErrPermission, ErrIsDirectory or another.
	Err error
	// Mode is the file's mode, 0 if unknown.
	Mode fs.FileMode

	// folder is the named one in which it was found; empty if it was named itself.
	folder string
}

// ConfigOrigin says why a config.json is taken for the runner's.
type ConfigOrigin string

// The origins of a config.json.
const (
	ConfigFlag  ConfigOrigin = "flag"
	ConfigFile  ConfigOrigin = "file"
	ConfigMount ConfigOrigin = "mount"
	ConfigUser  ConfigOrigin = "user"
	// ConfigSecret stands within a definition, in a Secret or a ConfigMap of Kubernetes.
	ConfigSecret ConfigOrigin = "secret"
)

// Role is what an image is for. Its value is the environment variable that overrides it, but for RoleRunner.
type Role string

// The roles of a runner's images.
const (
	RolePause     Role = "PAUSE_IMAGE"
	RoleAuthProxy Role = "AUTH_PROXY_IMAGE"
	RoleClone     Role = "CLONE_IMAGE"
	RoleRunner    Role = "RUNNER"
)

// Image is one effective image of a runner.
type Image struct {
	Role Role
	// Reference is as written; empty when Unresolved says why it is not known.
	Reference string
	// Origin says where it comes from.
	Origin ImageOrigin
	// Place is where it is written; the zero Span for a default or a flag.
	Place source.Span
	// Unresolved says why the reference is not known ("" when it is).
	Unresolved string
}

// ImageOrigin says where an image's reference comes from.
type ImageOrigin string

// The origins of an image's reference.
const (
	OriginDefinition ImageOrigin = "definition"
	OriginDefault    ImageOrigin = "default"
	OriginFlag       ImageOrigin = "flag"
)

// Actor is the program that makes a connection: proxies, roots and resolvers differ.
type Actor string

// The actors.
const (
	ActorDaemon Actor = "docker daemon"
	ActorJVM    Actor = "runner"
	ActorCLI    Actor = "docker CLI"
)

// Endpoint is a host that a runner needs.
type Endpoint struct {
	Host string
	Port int
	// Actor is who connects.
	Actor Actor
	// Why says what for, as "control channel" or "PAUSE_IMAGE".
	Why string
	// Optional says that only some pipelines need it, or that the evidence for it is weak: it warns.
	Optional bool
	// Registry says that the host must speak the registry protocol.
	Registry bool
	// OneOf names a group of endpoints of which one is enough; empty is none.
	OneOf string
}

// Overrides returns the images that are not the vendor's defaults, the runner's own left out: those that the
// runner's reader of config.json looks credentials up for.
func (r *Runner) Overrides() []Image {
	var images []Image
	for _, image := range r.Images {
		if image.Role != RoleRunner && image.Origin != OriginDefault && image.Reference != "" {
			images = append(images, image)
		}
	}
	return images
}
