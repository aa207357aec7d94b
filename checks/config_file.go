package checks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// legacyConfig is the name that docker gave its file before 2015.
const legacyConfig = ".dockercfg"

var configFile = Check{
	Name:  "config-file",
	Title: "config.json is where the runner looks, and can be read",
	Doc: "Looks at the config.json that the runner reads its registry credentials from: that it is a file of " +
		"that name, that it can be opened, that something is in it, and that nobody else can read the " +
		"passwords in it.",
	Problems: []*Problem{
		configMissing, configIsDirectory, configUnreadable, configEmpty, configExposed,
		configMisnamed, ambiguousHome,
	},
	Run: runConfigFile,
}

// unsent are the problems of an image for which no credentials are sent, or wrong ones.
func unsent() []string {
	return []string{"credentials-missing", "credentials-rejected", "access-denied"}
}

var configMissing = &Problem{
	ID:    "config-missing",
	Title: "There is no config.json",
	Doc: "The runner reads registry credentials from /root/.docker/config.json in its container. Where that " +
		"file is missing it says nothing and pulls every image without credentials, so that a private registry " +
		"refuses. Log in on the host (docker login REGISTRY), mount the file into the runner's container (-v " +
		"~/.docker/config.json:/root/.docker/config.json) and start the runner anew.",
	Source: "Atlassian, \"Use your Docker images in self-hosted runners\"; that the reader is silent was " +
		"measured with docker-java, which the runner very probably uses",
	Explains: unsent(),
	Prints: []Print{
		{printsNoCredentials, 6},
	},
}

var configIsDirectory = &Problem{
	ID:    "config-is-directory",
	Title: "A folder stands in the place of config.json",
	Doc: "When the source of -v FILE:FILE does not exist, docker creates a folder of that name, and it stays " +
		"when the file is written later. The runner takes a folder for no file and pulls without credentials, " +
		"silently. Remove the runner's container (one that was made with a folder cannot be started with a file), remove " +
		"the folder (rmdir fails if anything is in it), log in so that the file is written, and run the runner's own " +
		"command again.",
	Source: "docker's bind mounts, measured with Docker 20.10; that the reader ignores a folder was measured with " +
		"docker-java",
	Explains: append(unsent(), "runner-stopped"),
	Prints: []Print{
		{printsNoCredentials, 7},
		{printsDirectory, 1},
	},
}

var configUnreadable = &Problem{
	ID:    "config-unreadable",
	Title: "config.json cannot be read",
	Doc: "The file is there and this process may not read it, or the disk fails. The runner, which is root in " +
		"its container, may well be able to: nothing is known of the content. Run the tool as root, or as the " +
		"owner of the file.",
	Source: "the operating system's answer",
}

var configEmpty = &Problem{
	ID:    "config-empty",
	Title: "config.json is empty",
	Doc: "The runner's reader refuses a file with nothing but white space in it, and then has no credentials " +
		"for any image. It is what a full disk, an interrupted docker login or a redirection (> config.json) " +
		"leaves behind. A file without credentials is {}; log in to write one that has some.",
	Source:   "measured with docker-java: Failed to parse docker config.json",
	Explains: unsent(),
	Prints: []Print{
		{printsUnparsed, 3},
	},
}

var configExposed = &Problem{
	ID:    "config-exposed",
	Title: "Others can read the passwords in config.json",
	Doc: "base64 hides nothing: whoever can read the file has the passwords. docker login writes it with mode " +
		"0600; copies and files made by hand often end with 0644. The runner is root in its container and " +
		"needs no more than 0600.",
	Source: "the mode that docker login gives the file",
}

var configMisnamed = &Problem{
	ID:    "config-misnamed",
	Title: "The file is not called config.json",
	Doc: "The runner looks for a file called config.json, and for nothing else but the older .dockercfg. A " +
		"Kubernetes secret of type kubernetes.io/dockerconfigjson holds its file as .dockerconfigjson, and " +
		"keeps that name unless the volume renames it with items; editors on Windows add .txt. Rename the " +
		"file, or mount it to /root/.docker/config.json.",
	Source:   "measured with docker-java; Kubernetes documentation, \"Pull an Image from a Private Registry\"",
	Explains: append(unsent(), "config-missing"),
	Prints: []Print{
		{printsNoCredentials, 11},
	},
}

var ambiguousHome = &Problem{
	ID:    "ambiguous-home",
	Title: "The home folder may be another one",
	Doc: "`~` and `$HOME` are filled in by the shell that starts the runner. In `sudo docker run … -v ~/.docker/config.json:…` " +
		"that is the shell of the user who calls sudo, though `sudo docker login` writes to root's home folder; in " +
		"`sudo ./run.sh` it is root's. Where the tool is called with sudo it looks at both, takes the file that is there, and " +
		"says so where both are there and differ. A whole path leaves no doubt.",
	Source: "the order in which a shell expands words and runs sudo (POSIX; sudo(8))",
}

func runConfigFile(ctx context.Context, h *Host) []Finding {
	uses, without := configUses(h)
	if len(uses)+len(without) == 0 {
		return []Finding{Skipped(configName, "there is no runner whose config.json could be judged")}
	}
	var findings []Finding
	for _, u := range uses {
		for _, r := range u.runners {
			for _, f := range append(fileFindings(ctx, h, u, r), uncertainHome(h, u, r)...) {
				f.Message += homeNote(r)
				findings = append(findings, u.ending(h, f, r).For(r.Name))
			}
		}
	}
	for _, r := range without {
		findings = append(findings, withoutConfig(r))
	}
	return findings
}

// withoutConfig is what is known of a runner whose config.json was not given: its name, where a Secret brings it.
func withoutConfig(r *Runner) Finding {
	mount, name := misnamedMount(r)
	if mount == nil || mount.Object == "" {
		return notGiven(r)
	}
	u := &configUse{Config: &Config{Path: r.Name, Origin: ConfigSecret, Object: mount.Object}}
	u.add(r, false)
	return u.stored(misnamedFinding(u, mount.Target.Value, name).At(misnamedPlace(r, mount))).For(r.Name)
}

// misnamedPlace is where the wrong name of a mounted file comes from.
func misnamedPlace(r *Runner, m *runner.Mount) source.Span {
	for _, p := range m.Projected {
		if wrongInFolder(p.Path, configFolderOf(r.Definition)) {
			return p.Place
		}
	}
	return m.Place
}

// wrongInFolder tells whether a file stands in the runner's folder under a name that is nearly right.
func wrongInFolder(name, folder string) bool {
	base := path.Base(name)
	return path.Dir(name) == folder && base != configName && (isWrongName(base) || Nearest(base, []string{configName}) != "")
}

// fileFindings judges what stands where the runner will look. The first that applies is the answer.
func fileFindings(ctx context.Context, h *Host, u *configUse, r *Runner) []Finding {
	if f, found := misnamed(h, u, r); found {
		return []Finding{f}
	}
	switch {
	case u.Err == nil:
		return contentFindings(h, u)
	case errors.Is(u.Err, ErrIsDirectory):
		return []Finding{isDirectory(h, u, r)}
	case errors.Is(u.Err, fs.ErrNotExist):
		return []Finding{missing(ctx, h, u, r)}
	}
	return []Finding{unreadable(u)}
}

func missing(ctx context.Context, h *Host, u *configUse, r *Runner) Finding {
	if !h.Live {
		return Skipped(u.Path, "the file was not given")
	}
	open := func(image Image) bool { return servedAnonymously(ctx, h, image, r.Platform) }
	if u.Origin != ConfigMount && len(slices.DeleteFunc(slices.Clone(u.images), open)) == 0 {
		return Skipped(u.Path, "there is none, and no image of this runner needs credentials")
	}
	message := fmt.Sprintf("there is no such file, and images come from %s", listed(u.hosts()))
	if u.Origin == ConfigMount {
		message = "there is no such file where the definition mounts it from: docker puts an empty folder in " +
			"its place"
		if mount := mountOf(r); mount != nil && path.Base(path.Clean(mount.Target.Value)) != configName {
			message = "there is no such file in the folder that the definition mounts"
		}
	}
	f := Warned(configMissing, u.Path, message, "write the file by logging in"+restart)
	if u.Origin == ConfigMount {
		f = f.As(Fail)
	}
	return f.At(u.place(r)).Touching(Path(u.Path)).Touching(u.references()...).Try(u.loginCommands()...)
}

func (u *configUse) loginCommands() []string {
	var commands []string
	for _, host := range u.hosts() {
		commands = append(commands, loginCommand(u.Path, host))
	}
	if commands == nil {
		commands = []string{loginCommand(u.Path, "REGISTRY")}
	}
	return commands
}

func isDirectory(h *Host, u *configUse, r *Runner) Finding {
	f := Failed(configIsDirectory, u.Path, "a folder stands where the file should be, and the runner reads it "+
		"as no file at all",
		"remove the runner's container, remove the folder, log in to write the file, and run the runner's own command again")
	if !u.every && len(u.images) == 0 {
		f = f.As(Warn)
		f.Message += "; no image of this runner needs credentials"
	}
	commands := u.loginCommands()
	if folder := pathOnHost(u, r); folder != "" {
		commands = append([]string{"sudo rmdir " + shellWord(folder)}, commands...)
	}
	if live := h.liveOf(r); live != nil {
		commands = append(h.removal(live.Container), commands...)
	}
	return f.At(u.place(r)).Touching(Path(u.Path)).Touching(u.references()...).Try(commands...)
}

// pathOnHost is the path that a config.json has on the host, "" if that is not known.
func pathOnHost(u *configUse, r *Runner) string {
	if m := mountOf(r); m != nil && r.Definition.Dialect.Inside() {
		return m.Source.Value
	}
	return u.Path
}

func unreadable(u *configUse) Finding {
	message, hint := "it cannot be read: input or output error", "check the disk, then run this again"
	if errors.Is(u.Err, fs.ErrPermission) {
		message, hint = "this user may not read it", "run this again as root, or as the owner of the file"
	}
	return Erred(configUnreadable, u.Path, message, hint).At(source.New(u.Path, nil).Whole()).
		Touching(Path(u.Path)).Try("ls -l " + shellWord(u.Path))
}

func contentFindings(h *Host, u *configUse) []Finding {
	if u.File.Blank {
		f := Failed(configEmpty, u.Path, "the file is empty, which the runner's reader refuses: it has no "+
			"credentials for any image",
			"write the file by logging in"+restart).Try(u.loginCommands()...)
		return []Finding{u.wholeFile(f).At(u.File.Source.Whole())}
	}
	if h.Live && u.Mode.Perm()&0o044 != 0 && holdsSecret(u) {
		return []Finding{Warned(configExposed, u.Path,
			fmt.Sprintf("others can read the passwords in it: its mode is %04o", u.Mode.Perm()),
			"let its owner alone read it").At(u.File.Source.Whole()).Try("chmod 600 " + shellWord(u.Path))}
	}
	return []Finding{Passed(u.Path, "it is there and can be read")}
}

// wholeFile makes a finding one that hits every image, and none where nothing reads the file.
func (u *configUse) wholeFile(f Finding) Finding {
	if u.idle() {
		f = f.As(Warn)
		f.Message += "; no runner is known to read it"
	}
	return f.Touching(Path(u.Path)).Touching(u.references()...)
}

// holdsSecret tells whether there is something to steal. What cannot be parsed is searched for the field's name.
func holdsSecret(u *configUse) bool {
	if u.File.Syntax != nil {
		return bytes.Contains(u.File.Source.Text, []byte(`auth"`))
	}
	for i := range u.File.Len() {
		e := u.File.EntryAt(i)
		if hasText(e.Auth) || hasText(e.Password) || hasText(e.IdentityToken) || hasText(e.RegistryToken) {
			return true
		}
	}
	return false
}

// wrongNames are names under which a config.json is found, and not by the runner.
func wrongNames() []string {
	return []string{
		".dockerconfigjson", "config.json.txt", "config.txt", "config.json.json", "Config.json",
		"CONFIG.JSON", ".config.json", legacyConfig,
	}
}

func isWrongName(name string) bool {
	return slices.Contains(wrongNames(), name) || name != configName && strings.EqualFold(name, configName)
}

// misnamed finds the file under another name than the runner's: where a definition mounts it, where it was given, or
// beside the place where it is missing.
func misnamed(h *Host, u *configUse, r *Runner) (Finding, bool) {
	if mount, name := misnamedMount(r); mount != nil {
		f := misnamedFinding(u, mount.Target.Value, name).At(misnamedPlace(r, mount))
		if alreadyMade(r.Definition) {
			right := path.Join(configFolderOf(r.Definition), configName)
			f.Hint = "make the container anew with " + r.Definition.Dialect.Mount(mount.Source.Value, right, mount.ReadOnly)
		}
		return f, true
	}
	name := filepath.Base(u.Path)
	if isWrongName(name) && mountOf(r) == nil {
		return misnamedFinding(u, u.Path, name).At(source.New(u.Path, nil).Whole()).Try(rename(u, u.Path)...), true
	}
	if !errors.Is(u.Err, fs.ErrNotExist) {
		return Finding{}, false
	}
	for _, name := range wrongNames() {
		sibling := filepath.Join(filepath.Dir(u.Path), name)
		if info, err := h.Files.Stat(sibling); err == nil && info.Mode().IsRegular() {
			f := misnamedFinding(u, sibling, name).At(source.New(sibling, nil).Whole())
			return f.Try(rename(u, sibling)...), true
		}
	}
	return Finding{}, false
}

// rename gives the file the name that the runner looks for; the older format would not do under it.
func rename(u *configUse, from string) []string {
	if filepath.Base(from) == legacyConfig {
		return u.loginCommands()
	}
	return []string{"mv " + shellWord(from) + " " + shellWord(filepath.Join(filepath.Dir(from), configName))}
}

func misnamedFinding(u *configUse, where, name string) Finding {
	f := Failed(configMisnamed, where, fmt.Sprintf("the runner looks for %s and does not find %s", configName, name),
		"rename the file to "+configName+", or mount it to "+path.Join(configFolder, configName))
	switch name {
	case ".dockerconfigjson":
		f.Hint = "mount the secret with items: key .dockerconfigjson, path config.json; or rename the file"
	case legacyConfig:
		f = f.As(Warn)
		f.Message = "the runner's reader falls back to " + legacyConfig + ", docker does not, and its format " +
			"is another"
		f.Hint = "write a config.json by logging in" + restart
	}
	switch {
	case u.Origin == ConfigSecret && name == legacyConfig:
		f.Hint = "make it a Secret of type kubernetes.io/dockerconfigjson, and write " + renamingItems + " for its volume"
		f = f.Try(u.storeCommand())
	case u.Origin == ConfigSecret:
		f.Hint = "write " + renamingItems + " for the volume of the " + u.Object
	}
	return f.Touching(Path(u.Path)).Touching(u.references()...)
}

// misnamedMount finds a mount that puts config.json into the runner's folder under another name.
func misnamedMount(r *Runner) (*runner.Mount, string) {
	if r.Definition == nil {
		return nil, ""
	}
	folder := configFolderOf(r.Definition)
	for i, m := range r.Definition.Mounts {
		right := func(p runner.Projected) bool { return p.Path == path.Join(folder, configName) }
		for _, p := range m.Projected {
			if wrongInFolder(p.Path, folder) && !slices.ContainsFunc(m.Projected, right) {
				return &r.Definition.Mounts[i], path.Base(p.Path)
			}
		}
		target := path.Clean(m.Target.Value)
		name := path.Base(target)
		if m.Volume || path.Dir(target) != folder || name == configName {
			continue
		}
		source := path.Base(m.Source.Value)
		nearly := isWrongName(name) || Nearest(name, []string{configName}) != ""
		if nearly || source == configName || isWrongName(source) {
			return &r.Definition.Mounts[i], name
		}
	}
	return nil, ""
}

// loginCommand logs in to a registry so that the credentials end in the given config.json.
func loginCommand(path, host string) string {
	command := "docker --config " + shellWord(filepath.Dir(path)) + " login"
	if host == "" || host == hubHost || host == hubKey {
		return command + " -u USER"
	}
	return command + " -u USER " + shellWord(host)
}
