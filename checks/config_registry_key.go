package checks

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"iter"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

var configRegistryKey = Check{
	Name:  "config-registry-key",
	Title: "Every needed registry is found under its key",
	Doc: "The runner's reader finds the entry of an image by the registry's host, letter by letter and port by " +
		"port, and Docker Hub under one key alone. This looks for entries that an image misses by little, and " +
		"for what else leads the reader astray.",
	Problems: []*Problem{unmatchedKey, hubKeyProblem, hubReference, contextRedirect, sharedHostKeys},
	Run:      runConfigRegistryKey,
}

var unmatchedKey = &Problem{
	ID:    "unmatched-key",
	Title: "The key of an entry misses the registry by little",
	Doc: "The key has to be the host as the image spells it, with the port if it has one: " +
		"registry.example.com:5000. https:// before it and a path behind it are ignored; everything else is " +
		"compared letter by letter, also :443, case, blanks and user@. Where nothing matches, the runner pulls " +
		"without credentials, silently.",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsNoCredentials, 3},
	},
}

var hubKeyProblem = &Problem{
	ID:    "hub-key",
	Title: "Docker Hub's credentials are under a key that finds no image",
	Doc: "For an image on Docker Hub without a host in its name (acme/pause) the runner looks under " +
		"https://index.docker.io/v1/ alone, with the slash at the end. docker.io, index.docker.io and the like " +
		"do not match it, though docker's CLI takes some of them. docker login without a registry writes the " +
		"right key.",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsNoCredentials, 9},
		{printsNoAccess, 5},
	},
}

var hubReference = &Problem{
	ID:    "hub-reference",
	Title: "An image on Docker Hub is written so that its credentials are not found",
	Doc: "The runner takes docker.io/acme/pause for an image of a registry called docker.io and does not look " +
		"under the usual key of Docker Hub, https://index.docker.io/v1/; at index.docker.io/acme/pause its " +
		"reader fails (\"Invalid repository name\"). Write acme/pause: for docker that is the same image.",
	Source:   measured,
	Explains: append(unsent(), "repository-not-found"),
	Prints: []Print{
		{printsNoCredentials, 10},
		{`invalid repository name, try "`, 1},
	},
}

var contextRedirect = &Problem{
	ID:    "context-redirect",
	Title: "A docker context may send the runner to another docker",
	Doc: "With the whole ~/.docker mounted, the runner's reader follows currentContext to that context's " +
		"socket instead of /var/run/docker.sock, which need not exist in the container. Mount config.json " +
		"alone, set DOCKER_HOST for the runner, or take currentContext out (docker context use default).",
	Source: measured + "; since version 3.3.0 of that library",
}

var sharedHostKeys = &Problem{
	ID:    "shared-host-keys",
	Title: "Several keys stand for one registry host",
	Doc: "The runner's reader cuts the path off every key, so that registry.example.com/team-a and …/team-b " +
		"are the same to it: the entry whose key is the bare host wins, else the first in the file, for every " +
		"image of the host. Give the runner one entry whose user may pull all of its images.",
	Source:   measured,
	Explains: []string{"credentials-rejected", "access-denied", "repository-not-found"},
	Prints: []Print{
		{printsDenied, 3},
	},
}

func runConfigRegistryKey(ctx context.Context, h *Host) []Finding {
	findings := indexReferences(h)
	found := eachConfig(ctx, h, (*configUse).unjudged, func(u *configUse) []Finding { return keyFindings(h, u) })
	findings = append(findings, found...)
	for i, f := range findings {
		if f.Problem == hubReference {
			findings[i] = f.anew(h.definitionIn(f.Location.File))
		}
	}
	return findings
}

func keyFindings(h *Host, u *configUse) []Finding {
	var findings []Finding
	for _, images := range u.imagesWithout() {
		findings = append(findings, u.unmatched(images)...)
	}
	if u.every && len(u.images) == 0 {
		findings = append(findings, u.unmatchable()...)
	}
	findings = append(findings, u.sharedHosts()...)
	findings = append(findings, redirects(h, u)...)
	if findings == nil {
		findings = []Finding{Passed(u.Path, "no key misses a registry by little")}
	}
	return findings
}

// indexReferences reports images whose host makes the runner's reader throw, whatever is in config.json.
func indexReferences(h *Host) []Finding {
	var findings []Finding
	for _, r := range h.Runners {
		for _, image := range r.Overrides() {
			if host := registryHost(image.Reference); strings.Contains(host, "index.docker.io") {
				findings = append(findings, hubReferenceFinding(image,
					fmt.Sprintf("the runner's reader fails at the host %s", source.Printable(host))).For(r.Name))
			}
		}
	}
	return findings
}

func hubReferenceFinding(image Image, message string) Finding {
	_, name, _ := strings.Cut(image.Reference, "/")
	f := Failed(hubReference, string(image.Role), message, fmt.Sprintf("write %s: for docker that is the same "+
		"image", source.Printable(name)))
	return f.At(image.Place).On(image.Reference).Touching(Reference(image.Reference), Variable(string(image.Role)))
}

// imagesWithout are the images that get no entry, those of one host together.
func (u *configUse) imagesWithout() [][]Image {
	var groups [][]Image
	at := map[string]int{}
	for _, image := range u.needs {
		host := readerHost(image.Reference)
		if i, known := at[host]; known {
			groups[i] = append(groups[i], image)
			continue
		}
		if u.File.Match(host) < 0 {
			at[host] = len(groups)
			groups = append(groups, []Image{image})
		}
	}
	return groups
}

// unmatched looks for the entry that was meant for images of one host, which get none.
func (u *configUse) unmatched(images []Image) []Finding {
	host := readerHost(images[0].Reference)
	if isHubHost(host) {
		return u.unmatchedHub(images, host)
	}
	want := loosen(host)
	best, least, why := -1, apart, ""
	for i, key := range u.candidates() {
		if distance, reason := compareKey(want, u.loose()[i], key); distance < least {
			best, least, why = i, distance, reason
		}
		if least == differently {
			break
		}
	}
	if best < 0 {
		return nil
	}
	e := u.entry(best)
	f := Failed(unmatchedKey, e.name(), fmt.Sprintf("%s has no entry; the key %s misses it: "+
		"%s", source.Printable(host), quoted(e.Key), why),
		fmt.Sprintf("write the key as %s", quoted(host))+restart)
	f = f.At(e.KeyPlace()).Touching(Entry(e.Key)).Touching(referencesTo(images)...).With("image "+
		"host", host).With("key", e.name())
	if plainKey.MatchString(e.Key) && plainKey.MatchString(host) {
		escaped := strings.ReplaceAll(e.Key, ".", `\.`)
		f = f.Try(fmt.Sprintf(`sed -i 's|"%s"|"%s"|' %s`, escaped, host, shellWord(u.Path)))
	}
	return []Finding{f}
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9.:/_-]+$`)

// candidates are the entries that may be meant for another registry than their key says: those that no image gets.
// It yields their keys with their index.
func (u *configUse) candidates() iter.Seq2[int, string] {
	used := u.asked()
	store, _ := u.File.CredsStore()
	stored := store.Value.Text() != ""
	return func(yield func(int, string) bool) {
		for i, key := range u.File.Keys() {
			switch fault := u.notes[i].fault; {
			case fault == leftover, fault == misshapen, fault == placeholder:
			case fault == bare && stored, used[keyHost(key)]:
			case !yield(i, key):
				return
			}
		}
	}
}

// hubNames are the hosts that people take for Docker Hub's registry.
func hubNames() []string {
	return []string{
		hubHost, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com",
		"auth.docker.io", "www.docker.com", "docker.com",
	}
}

// isHubHost tells whether an image's host, as the runner's reader sees it, is one under which docker reaches the Hub.
func isHubHost(host string) bool {
	return host == hubKey || host == hubHost || host == "registry-1.docker.io" || host == "registry.hub.docker.com"
}

// unmatchedHub looks for the entry of Docker Hub that was meant.
func (u *configUse) unmatchedHub(images []Image, host string) []Finding {
	usual := u.File.Match(hubKey)
	if host != hubKey && usual >= 0 && u.notes[usual].fault != bare {
		var findings []Finding
		for _, image := range images {
			findings = append(findings, hubReferenceFinding(image,
				fmt.Sprintf("the runner looks for an entry of %s, and the credentials are under the usual key "+
					"of Docker Hub", host)).
				Touching(Entry(hubKey)))
		}
		return findings
	}
	for i, key := range u.candidates() {
		if key == hubKey || !nearHub(key) {
			continue
		}
		e := u.entry(i)
		f := Failed(hubKeyProblem, e.name(), fmt.Sprintf("the key %s finds no image of Docker Hub: %s "+
			"does", quoted(e.Key), quoted(hubKey)),
			"write the key as "+quoted(hubKey)+restart)
		if host != hubKey {
			f.Message = fmt.Sprintf("the key %s finds no image that is written %s/…", quoted(e.Key), host)
			f.Hint = fmt.Sprintf("write the key as %s and the image without %s/", quoted(hubKey), host) + restart
		}
		return []Finding{f.At(e.KeyPlace()).Touching(Entry(e.Key)).Touching(referencesTo(images)...).
			Try("docker --config " + shellWord(filepath.Dir(u.Path)) + " login -u USER")}
	}
	return nil
}

// nearHub tells whether a key was meant for Docker Hub.
func nearHub(key string) bool {
	name := strings.ToLower(loosen(key).name)
	return slices.Contains(hubNames(), name) || Nearest(name, []string{hubHost, "index.docker.io"}) != "" ||
		Nearest(key, []string{hubKey}) != ""
}

// unmatchable reports, where no image is known, keys that no image can match.
func (u *configUse) unmatchable() []Finding {
	present := sync.OnceValue(u.hostsOfEntries)
	found := alike{path: u.Path}
	for i, key := range u.File.Keys() {
		fault, host := u.notes[i].fault, keyHost(key)
		if fault != sound && fault != tokenField || key == hubKey || isVendorRegistry(host) {
			continue
		}
		loose := loosen(key)
		switch reason := cannotMatch(host, loose); {
		case nearHub(key) && (reason != "" || slices.Contains(hubNames(), host)):
			if !present()[hubKey] {
				found.add(hubKeyAlone(u.entry(i)))
			}
		case reason != "" && (withPort(loose) == host || !present()[withPort(loose)]):
			e := u.entry(i)
			found.add(Failed(unmatchedKey, e.name(),
				fmt.Sprintf("the key %s matches no image: %s", quoted(key), reason),
				"write the registry's host as images spell it"+restart).At(e.KeyPlace()).Touching(Entry(key)))
		}
	}
	return found.all()
}

// hubKeyAlone judges a key for Docker Hub where no image is known: some of its spellings find images that are spelled
// like them.
func hubKeyAlone(e authEntry) Finding {
	f := Failed(hubKeyProblem, e.name(), fmt.Sprintf("the key %s finds no image of Docker Hub", quoted(e.Key)),
		"write the key as "+quoted(hubKey)+restart).At(e.KeyPlace()).Touching(Entry(e.Key))
	if isHubHost(e.host) {
		f = f.As(Warn)
		f.Message = fmt.Sprintf("the key %s finds no image of Docker Hub but those that are written "+
			"%s/…", quoted(e.Key), e.host)
	}
	return f
}

// sharedHosts reports keys that stand for one host: the first of them wins.
func (u *configUse) sharedHosts() []Finding {
	found := alike{path: u.Path}
	for _, group := range u.groups() {
		for _, f := range u.sharedHost(group) {
			found.add(f)
		}
	}
	return found.all()
}

// groups are the indices of entries that stand for one host, of hosts with several.
func (u *configUse) groups() [][]int {
	seed := maphash.MakeSeed()
	hashes := make([]uint64, 0, len(u.notes))
	each := func(visit func(i int, hash uint64)) {
		for i, key := range u.File.Keys() {
			host := keyHost(key)
			if host != hubKey && host != "index.docker.io" && u.notes[i].fault != misshapen {
				visit(i, maphash.String(seed, host))
			}
		}
	}
	each(func(_ int, hash uint64) { hashes = append(hashes, hash) })
	slices.Sort(hashes)
	at := map[uint64]int{}
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			at[hashes[i]] = -1
		}
	}
	var groups [][]int
	each(func(i int, hash uint64) {
		group, several := at[hash]
		switch {
		case !several:
			return
		case group < 0:
			group = len(groups)
			at[hash], groups = group, append(groups, nil)
		}
		groups[group] = append(groups[group], i)
	})
	return groups
}

func (u *configUse) sharedHost(group []int) []Finding {
	winner := u.entry(group[0])
	for _, i := range group {
		if e := u.entry(i); e.Key == e.host {
			winner = e
		}
	}
	if !winner.needed {
		return nil
	}
	var findings []Finding
	for _, image := range winner.images {
		meant := u.meant(image, group, winner)
		if meant.Index != winner.Index && !sameCredentials(meant, winner) {
			findings = append(findings, sharedFinding(meant, winner, "an image below it").
				Touching(Reference(image.Reference)))
		}
	}
	if findings != nil {
		return findings
	}
	for _, i := range group {
		e := u.entry(i)
		scoped := keyPath(e.Key) != "" || keyPath(winner.Key) != ""
		if i != winner.Index && (scoped || !sameCredentials(e, winner)) {
			return []Finding{sharedFinding(e, winner, "every image of the host").As(Warn)}
		}
	}
	return nil
}

func sharedFinding(meant, winner authEntry, who string) Finding {
	return Failed(sharedHostKeys, meant.name(), fmt.Sprintf("%s gets the entry %s, never this one: the runner "+
		"cuts the path off every key",
		who, quoted(winner.Key)), "keep one entry for the host, of a user who may pull all of its images"+restart).
		At(meant.KeyPlace()).Touching(Entry(meant.Key), Entry(winner.Key))
}

// meant is the entry of a group whose path is the longest that an image's begins with.
func (u *configUse) meant(image Image, group []int, winner authEntry) authEntry {
	_, name, _ := strings.Cut(image.Reference, "/")
	best, longest := winner, 0
	for _, i := range group {
		e := u.entry(i)
		prefix := keyPath(e.Key)
		if len(prefix) > longest && strings.HasPrefix(name, prefix+"/") {
			best, longest = e, len(prefix)
		}
	}
	return best
}

// keyPath is the path behind the host of a key; the registry protocol's own does not count.
func keyPath(key string) string {
	_, rest, _ := strings.Cut(key, "://")
	if rest == "" {
		rest = key
	}
	_, rest, _ = strings.Cut(rest, "/")
	if rest = strings.Trim(rest, "/"); rest == "v1" || rest == "v2" {
		return ""
	}
	return rest
}

func sameCredentials(a, b authEntry) bool {
	x, y := a.credentials(), b.credentials()
	return x.username == y.username && x.password == y.password
}

// redirects reports a context that the runner would follow: one whose files it is given.
func redirects(h *Host, u *configUse) []Finding {
	current, found := u.File.CurrentContext()
	name := current.Value.Text()
	if !found || current.Value.Kind != dockerconfig.String || name == "" || name == "default" || u.Origin == ConfigSecret {
		return nil
	}
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	meta := filepath.Join(filepath.Dir(u.Path), "contexts", "meta", id, "meta.json")
	if info, err := h.Files.Stat(meta); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if !slices.ContainsFunc(u.runners, seesContexts) {
		return nil
	}
	return []Finding{Warned(contextRedirect, current.Key,
		fmt.Sprintf("with the whole folder mounted, the runner follows the context %s to another docker "+
			"socket", quoted(name)),
		"mount config.json alone, or set DOCKER_HOST for the runner").At(current.KeyPlace())}
}

// seesContexts tells whether a runner is given the whole folder, and nothing tells it which docker to use.
func seesContexts(r *Runner) bool {
	if r.Definition == nil {
		return true
	}
	for _, v := range r.Definition.Environment {
		if v.Name.Value == "DOCKER_HOST" && hasValue(v) {
			return false
		}
	}
	mount := mountOf(r)
	return mount != nil && path.Clean(mount.Target.Value) == configFolderOf(r.Definition)
}
