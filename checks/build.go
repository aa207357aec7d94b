package checks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// Input is what the user asks to have judged.
type Input struct {
	// Files are runner definitions and config.json files, in the order in which they were given.
	Files []InputFile
	// Folders are those that were walked for some of the files.
	Folders []Folder
	// Config is the path of a config.json or of its folder; empty to find it.
	Config string
	// Images are overrides of what the definitions say, by role.
	Images map[Role]string
	// Platform is OS/ARCH[/VARIANT], as it was asked for; empty for the daemon's, else for Machine, which is what this
	// machine runs (empty when unknown).
	Platform, Machine string
	// Endpoints are further hosts that must be reachable.
	Endpoints []Endpoint
	// Live says that this is the runner's own host, Offline that the network is not to be used.
	Live, Offline bool
	// Env is this process's environment; nil under lint, which must not see it.
	Env func(name string) string
	// Caller is who called sudo for this process; the zero Caller where nobody did.
	Caller Caller
	// Route is the way out of this machine.
	Route network.Config
	// Certified is a route with the certificates of registries in a folder, as docker's daemon has them: roots (*.crt), and
	// what it shows (*.cert with *.key), in a folder named as the registry is in a reference. nil knows none.
	Certified func(route network.Config, folder string) network.Config
	// Engine is this machine's docker daemon; nil when none is looked for (lint), or none can be.
	Engine *engine.Engine
	// Told is what it says of itself; nil when it does not, and then Untold says why.
	Told   *engine.Info
	Untold *engine.Failure
	// Containers are the daemon's; Unlisted says why they are not all of those that it has, nil if they are.
	Containers []engine.Container
	Unlisted   *engine.Failure
}

// Caller is a user who called sudo, with his home folder.
type Caller struct{ Name, Home string }

// EnvironmentPath is the path of the file that stands for this process's environment.
const EnvironmentPath = "<environment>"

// InputFile is one file that the user named, or that Walk found.
type InputFile struct {
	Path string
	Data []byte
	// Folder is the named folder in which the file was found; empty for one that was named itself.
	Folder string
	// printedBy is the command that prints it, of a container that was found; empty for a file.
	printedBy string
}

// ErrIsDirectory says that a folder stands where a file should be.
var ErrIsDirectory = errors.New("is a directory")

// Build makes the host that an input describes. Its errors are usage errors: a --config that cannot be opened. It ends soon
// after ctx does: then nothing is known of the host, which Run says.
func Build(ctx context.Context, in Input, windows Windows) (*Host, error) {
	type made struct {
		host *Host
		err  error
	}
	done := beside(func() made {
		h, err := build(in, windows)
		return made{h, err}
	})
	patience, stop := patienceOf(ctx)
	defer stop()
	select {
	case result := <-done:
		made := result()
		return made.host, made.err
	case <-patience:
		h := unreadHost(in, windows)
		h.late = true
		return h, nil
	}
}

// unreadHost is what is known of a host before anything was read.
func unreadHost(in Input, windows Windows) *Host {
	return &Host{
		Live: in.Live, Offline: in.Offline, Machine: in.Machine, Windows: windows, Folders: in.Folders,
		Engine: in.Engine, Told: in.Told, Untold: in.Untold, Unlisted: in.Unlisted,
	}
}

func build(in Input, windows Windows) (*Host, error) {
	in.Route.PublicHost = isPublicHost
	h := unreadHost(in, windows)
	h.inside = insideContainer(in, windows.Files)
	h.daemon.site = siteOf(in.Told, in.Engine)
	if in.Certified != nil {
		in.Route = in.Certified(in.Route, h.daemon.site.certificates)
	}
	route := h.readSettings(in)
	h.all = All()
	h.live = liveRunners(in)
	if len(in.Files)+len(in.Folders) == 0 {
		for _, l := range h.live {
			in.Files = append(in.Files, l.file)
		}
	}
	b := builder{Input: in, host: h}
	b.Files = b.each(in.Files)
	if err := b.readConfigs(); err != nil {
		return nil, err
	}
	b.readDefinitions()
	b.addUnclaimed()
	b.mountOwn()
	for _, r := range h.Runners {
		r.Images, r.Platform = b.images(r.Definition), in.platform()
		r.Endpoints, r.Control = endpointsOf(r, in.Endpoints), b.control(r.Definition)
	}
	if in.Live {
		h.certify(route)
	}
	h.ignores = readIgnores(h, in.Files)
	return h, nil
}

// readSettings reads what the daemon is told, and returns the way on which it pulls. Where it tells itself of another one
// than the files of this machine, the host has both.
func (h *Host) readSettings(in Input) network.Config {
	route, own := in.Route, in.Route
	if in.Live {
		written := readDaemon(h.Files, h.daemon.site)
		own.Proxy = written.proxy(in.Route.Proxy)
		h.daemon = written.told(in.Told)
		route.Proxy = h.daemon.proxy(in.Route.Proxy)
	}
	h.Pulling = newPulling(route)
	if in.Told != nil {
		h.own = newPulling(own)
	}
	return route
}

// platform is what images are pulled for.
func (in Input) platform() string {
	if in.Platform == "" && in.Told != nil {
		return in.Told.Platform
	}
	return cmp.Or(in.Platform, in.Machine)
}

// control is the way out of the JVM of a definition's runner.
func (b *builder) control(d *runner.Definition) *network.Client {
	key := controlKey(d)
	if b.controls == nil {
		b.controls = map[string]*network.Client{}
	}
	if b.controls[key] == nil {
		injected := b.injected()
		if alreadyMade(d) {
			injected = injectedProxies{} // what docker put into the container is among its variables
		}
		b.controls[key] = network.New(controlRoute(b.Route, d, injected))
	}
	return b.controls[key]
}

// injected are the proxies that docker's CLI puts into every container that it starts and that has none of its own, with
// the file that says so. Source: docker's documentation, "Configure the Docker client".
func (b *builder) injected() injectedProxies {
	if !b.Live || b.Env == nil {
		return injectedProxies{}
	}
	c := b.openOnce(b.userConfig(), ConfigUser)
	if c == nil || c.File == nil {
		return injectedProxies{}
	}
	proxies, _ := c.File.Proxies()
	standard, _ := proxies.Value.Member("default")
	https, _ := standard.Value.Member("httpsProxy")
	except, _ := standard.Value.Member("noProxy")
	return injectedProxies{https.Value.Text(), except.Value.Text(), c.Path}
}

// builder holds what is known while a host is made.
type builder struct {
	Input
	host *Host
	// configs are those that were given, by flag or among the files.
	configs []*Config
	// mounted are those that definitions mount, by path, so that two definitions share one.
	mounted map[string]*Config
	// within are those that stand within definitions.
	within map[*source.File]*Config
	// standing are the configs by what their paths lead to, in the folders that hold them.
	standing map[string]*Config
	beside   map[string][]*Config
	// opened are the texts that definitions name, by path.
	opened sync.Map
	// keys are what paths lead to.
	keys sync.Map
	// controls are the ways out of runners' own JVMs, by the proxies that their definitions name.
	controls map[string]*network.Client
}

// readDefinitions reads every other file. A file that another one names (an env file) is part of that one.
func (b *builder) readDefinitions() {
	files := slices.DeleteFunc(slices.Clone(b.Files), func(f InputFile) bool { return isConfig(f) || isIgnoreFile(f.Path) })
	for _, reading := range b.unlinked(b.readAll(files)) {
		b.host.Readings = append(b.host.Readings, reading.FileReading)
		if reading.Passed != "" {
			continue
		}
		for i, definition := range reading.Definitions {
			b.lend(definition)
			name := reading.Path
			if i > 0 {
				name = fmt.Sprintf("%s#%d", name, i+1)
			}
			b.host.Runners = append(b.host.Runners, &Runner{
				Name: name, Definition: definition, Container: b.host.containerOf(reading.Path),
			})
		}
	}
	b.assignConfigs()
}

// lend gives a definition the mounts of those of its lenders that are among the containers of this host.
func (b *builder) lend(d *runner.Definition) {
	for _, lender := range slices.Clone(d.Lenders) {
		if c := b.containerNamed(lender.Name); c != nil {
			if mounts, known := runner.InspectedMounts(c.Raw); known {
				d.Lend(lender, mounts)
			}
		}
	}
}

// containerNamed is the container of this host that docker takes a word for: its name, else the beginning of its ID; nil
// for none.
func (b *builder) containerNamed(word string) *engine.Container {
	var only *engine.Container
	for i := range b.Containers {
		switch c := &b.Containers[i]; {
		case c.Name == word:
			return c
		case word == "" || !strings.HasPrefix(c.ID, word):
		case only != nil:
			return nil
		default:
			only = c
		}
	}
	return only
}

// addUnclaimed makes a runner without a definition for each given config.json that no definition's runner reads, and
// where no file was given at all, for the vendor's defaults.
func (b *builder) addUnclaimed() {
	configs := slices.Clone(b.configs)
	for _, reading := range b.host.Readings {
		for _, p := range reading.Configs {
			configs = append(configs, b.embedded(p))
		}
	}
	claimed, named := map[*Config]bool{}, map[string]int{}
	for _, r := range b.host.Runners {
		claimed[r.Config] = true
		path, _, _ := strings.Cut(r.Name, "#")
		named[path]++
	}
	for _, c := range configs {
		if claimed[c] {
			continue
		}
		claimed[c] = true
		name := c.Path
		if named[c.Path]++; named[c.Path] > 1 {
			name = fmt.Sprintf("%s#%d", name, named[c.Path])
		}
		b.host.Runners = append(b.host.Runners, &Runner{Name: name, Config: c})
	}
	if len(b.host.Runners) > 0 || len(b.Files)+len(b.Folders) > 0 {
		return
	}
	r := &Runner{Name: "defaults"}
	if b.Live {
		r.Config = b.usersConfig(r)
	}
	b.host.Runners = append(b.host.Runners, r)
}

// images are the effective ones: flags before the definition before the vendor's defaults.
func (b *builder) images(d *runner.Definition) []Image {
	var images []Image
	for _, role := range []Role{RolePause, RoleAuthProxy, RoleClone, RoleRunner} {
		image := Image{Role: role, Reference: defaultImages(role)[0], Origin: OriginDefault}
		if text, found := defined(d, role); found {
			image = Image{role, text.Value, OriginDefinition, text.Place, text.Unresolved}
		}
		if reference := b.Images[role]; reference != "" {
			image = Image{Role: role, Reference: reference, Origin: OriginFlag}
		}
		image.Reference = withoutPassword(image.Reference)
		images = append(images, image)
	}
	return images
}

// defined is what a definition says of a role; of several variables of one name the last wins.
func defined(d *runner.Definition, role Role) (text runner.Text, found bool) {
	if d == nil {
		return text, false
	}
	if role == RoleRunner {
		return d.Image, d.Image.Value != "" || d.Image.Unresolved != ""
	}
	for _, v := range d.Environment {
		if v.Name.Value == string(role) {
			text, found = v.Value, true
		}
	}
	return text, found
}
