package checks

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"runner-preflight/checks/registry"
	"runner-preflight/checks/source"
)

// configUse is one config.json and the runners that read it.
type configUse struct {
	*Config
	runners []*Runner
	// images are the overrides of these runners that may need credentials: none of the vendor's own registries.
	images []Image
	// platforms are those for which they are pulled.
	platforms map[Image]string
	// every says that each registry counts as needed: nothing is known of the images, or not of all.
	every bool

	// needs are those of images that need credentials, as far as is known; notes is about each entry of auths, and
	// pulled are the images that get an entry, by its index: see look.
	needs  []Image
	notes  []entryNote
	pulled map[int][]Image
	// left are the needed registries that are left without an entry that speaks of credentials.
	left func() []string
	// asked are the hosts of all images, loose the keys of all entries: each image is compared with each key.
	asked func() map[string]bool
	loose func() []looseKey
}

// configUses groups a host's runners by the config.json that they read; without are those of which none is known.
func configUses(h *Host) (uses []*configUse, without []*Runner) {
	at := map[*Config]*configUse{}
	for _, r := range h.Runners {
		if r.Config == nil {
			without = append(without, r)
			continue
		}
		use, known := at[r.Config]
		if !known {
			use = &configUse{Config: r.Config}
			at[r.Config] = use
			uses = append(uses, use)
		}
		use.add(r, h.Live)
	}
	return uses, without
}

func (u *configUse) add(r *Runner, live bool) {
	u.runners = append(u.runners, r)
	if r.Definition == nil && !live {
		u.every = true
	}
	for _, image := range r.Images {
		if image.Role != RoleRunner && image.Unresolved != "" {
			u.every = true
		}
	}
	if u.platforms == nil {
		u.platforms = map[Image]string{}
	}
	for _, image := range r.Overrides() {
		known := image.Unresolved == "" && !isVendorRegistry(registryHost(image.Reference))
		if _, seen := u.platforms[image]; known && !seen {
			u.images, u.platforms[image] = append(u.images, image), r.Platform
		}
	}
}

// configView is every config.json of a host with its entries looked up.
type configView struct {
	once    sync.Once
	uses    []*configUse
	without []*Runner
}

func (v *configView) at(ctx context.Context, h *Host) ([]*configUse, []*Runner) {
	v.once.Do(func() {
		v.uses, v.without = configUses(h)
		for _, u := range v.uses {
			if u.unjudged() == "" {
				u.look(ctx, h)
			}
		}
	})
	return v.uses, v.without
}

// eachConfig judges every config.json of the host but those for which skip gives a reason.
func eachConfig(ctx context.Context, h *Host, skip func(*configUse) string,
	judge func(*configUse) []Finding,
) []Finding {
	uses, without := h.lookedUp.at(ctx, h)
	if len(uses)+len(without) == 0 {
		return []Finding{Skipped(configName, "there is no runner whose config.json could be judged")}
	}
	var findings []Finding
	for _, u := range uses {
		found := []Finding{Skipped(u.Path, skip(u))}
		if found[0].Message == "" {
			found = judge(u)
		}
		for _, f := range found {
			findings = append(findings, u.ending(h, f, u.runners...).For(u.names()...))
		}
	}
	for _, r := range without {
		findings = append(findings, notGiven(r))
	}
	return findings
}

func notGiven(r *Runner) Finding {
	return Skipped("config.json", "no config.json was given (--config PATH)").For(r.Name)
}

// unread says why there is no content to judge, "" if there is.
func (u *configUse) unread() string {
	switch {
	case u.File == nil:
		return "there is no file to read"
	case filepath.Base(u.Path) == legacyConfig:
		return "written in the older format of " + legacyConfig + ", which is not judged"
	case u.File.Blank:
		return "the file is empty"
	}
	return ""
}

// unjudged says why the content is not judged beyond its form, "" if it is.
func (u *configUse) unjudged() string {
	if reason := u.unread(); reason != "" {
		return reason
	}
	if u.File.Syntax != nil {
		return "the file is not valid JSON"
	}
	return ""
}

func (u *configUse) names() []string {
	names := make([]string, len(u.runners))
	for i, r := range u.runners {
		names[i] = r.Name
	}
	return names
}

// idle tells that no runner of these reads the file, or none could need what is in it: what is wrong with it hurts
// nobody today.
func (u *configUse) idle() bool {
	return !u.every && len(u.images) == 0 && !slices.ContainsFunc(u.runners, u.readBy)
}

// readBy tells whether a runner is given the file, as far as is known: this user's own is not where a definition mounts
// none, unless this process is in the runner's place and finds it.
func (u *configUse) readBy(r *Runner) bool {
	return u.Origin != ConfigUser || r.Definition == nil || r.seesConfig || mountOf(r) != nil
}

// references names all images of these runners, as a fault of the whole file hits them all.
func (u *configUse) references() []string {
	var touches []string
	for _, r := range u.runners {
		for _, image := range r.Images {
			if image.Role != RoleRunner && image.Reference != "" && image.Unresolved == "" {
				touches = appendNew(touches, []string{Reference(image.Reference)})
			}
		}
	}
	return touches
}

// hosts are the registries of the images that may need credentials, each once.
func (u *configUse) hosts() []string {
	var hosts []string
	for _, image := range u.images {
		hosts = appendNew(hosts, []string{registryHost(image.Reference)})
	}
	return hosts
}

// place is where the file is spoken of: the mount that brings it to the runner, else the file itself.
func (u *configUse) place(r *Runner) source.Span {
	if u.Origin == ConfigMount {
		if mount := mountOf(r); mount != nil {
			return mount.Place
		}
	}
	return source.New(u.Path, nil).Whole()
}

// servedAnonymously tells whether the registry was asked for an image without credentials and shows it. It is
// asked only where the image check asks the same.
func servedAnonymously(ctx context.Context, h *Host, image Image, platform string) bool {
	return askedAnonymously(ctx, h, image, platform).Digest != ""
}

// askedAnonymously is what a registry answers about an image without credentials; nothing where none is asked.
func askedAnonymously(ctx context.Context, h *Host, image Image, platform string) registry.Resolution {
	if !h.Live || h.Offline {
		return registry.Resolution{}
	}
	return h.pulling(image.Reference).Registries.Resolve(ctx, registry.Request{Reference: image.Reference, Platform: platform})
}

// encodeCommand prints an auth value. The shell keeps no line break and no history of a placeholder.
const encodeCommand = `printf %s 'USER:PASSWORD' | base64 | tr -d '\n'`

// stored gives a finding about a config.json in a Secret the words for that: no command edits it in place, it is made
// anew and applied.
func (u *configUse) stored(f Finding) Finding {
	if u.Origin != ConfigSecret {
		return f
	}
	f.Hint = strings.Replace(f.Hint, restart, ", apply the "+strings.Fields(u.Object + " Secret")[0]+
		" and start the pod anew: the runner reads it once", 1)
	f.Hint = strings.Replace(f.Hint, "write the file by logging in", "make it anew with what it has to hold", 1)
	if f.Status > Pass && len(f.Commands) > 0 {
		f.Commands = []string{u.storeCommand()}
	}
	return f
}

// storeCommand makes the object anew that holds a config.json.
func (u *configUse) storeCommand() string {
	kind, name, _ := strings.Cut(u.Object, " ")
	if !plainWord.MatchString(name) || strings.ContainsAny(name, "{}<>%") {
		name = "NAME"
	}
	switch {
	case kind == "ConfigMap":
		return "kubectl create configmap " + name + " --from-file=" + u.Key + "=config.json --dry-run=client -o yaml"
	case u.Key != "" && u.Key != ".dockerconfigjson" && u.Key != legacyConfig:
		return "kubectl create secret generic " + name + " --from-file=" + u.Key + "=config.json --dry-run=client -o yaml"
	}
	server := "REGISTRY"
	if hosts := u.hosts(); len(hosts) == 1 {
		server = hosts[0]
	}
	if server == hubHost {
		server = hubKey
	}
	return "kubectl create secret docker-registry " + name + " --docker-server=" + shellWord(server) +
		" --docker-username=USER --docker-password='PASSWORD' --dry-run=client -o yaml"
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./~-]+$`)

// shellWord quotes a word for a POSIX shell where it needs it.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
