package checks

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var definitionMounts = Check{
	Name:  "definition-mounts",
	Title: "What the runner needs of the host is mounted where it looks",
	Doc: "Follows the mounts of a definition to where they end inside the container: docker's socket, the " +
		"containers' folder, the working directory, which must have the same path on both sides, and " +
		"config.json. On the runner's own host the sources are looked for too.",
	Problems: []*Problem{
		dockerSocketUnmounted, containersUnmounted, workingDirectoryUnmounted, workingDirectoryMismatch,
		configUnmounted, configMountTarget, mountSourceMissing, unexpandedHomeFolder, unsharedVolume, dindUnprivileged,
	},
	Run: func(ctx context.Context, h *Host) []Finding {
		findings := perRunner(h, func(r *Runner) []Finding { return judgeMounts(ctx, h, r) })
		if len(findings) == 0 {
			return []Finding{Skipped("mounts", "no runner definition was given")}
		}
		return findings
	},
}

var dockerSocketUnmounted = &Problem{
	ID:    "docker-socket-unmounted",
	Title: "Docker's socket is not mounted",
	Doc: "The runner starts every step through the daemon of its host, and pulls every image with it. " +
		"Without `/var/run/docker.sock` in its container, and with neither DOCKER_HOST nor DOCKER_URI " +
		"naming another daemon, it can do neither.",
	Source: "the vendor's command",
	Prints: []Print{
		{`cannot connect to the docker daemon|is the docker daemon running`, 1},
		{`permission denied while trying to connect to the docker`, 1},
	},
}

var containersUnmounted = &Problem{
	ID:    "containers-unmounted",
	Title: "The folder of docker's containers is not mounted as it should be",
	Doc: "The runner reads what steps print from `/var/lib/docker/containers`. Without it a step's log " +
		"stays empty, or the step fails. The vendor mounts it read-only: nothing needs to write there but " +
		"the daemon.",
	Source: "the vendor's command",
}

var workingDirectoryUnmounted = &Problem{
	ID:    "working-directory-unmounted",
	Title: "The working directory is not mounted",
	Doc: "The runner prepares a step's files in WORKING_DIRECTORY and has the host's daemon mount them into " +
		"the step. What is not mounted from the host is not there for the daemon: steps find an empty " +
		"folder. The private-registry examples of the documentation lack `-v /tmp:/tmp`.",
	Source: "the vendor's command; why, is inferred from the daemon being the host's",
}

var workingDirectoryMismatch = &Problem{
	ID:    "working-directory-mismatch",
	Title: "The working directory has another path on the host",
	Doc: "The runner names paths below WORKING_DIRECTORY to the host's daemon, which looks for them on the " +
		"host. The folder must therefore have one path on both sides. A named volume never has.",
	Source: "the vendor's command; why, is inferred from the daemon being the host's",
}

var configUnmounted = &Problem{
	ID:    "config-unmounted",
	Title: "No config.json is mounted into the runner",
	Doc: "The runner reads credentials from `/root/.docker/config.json` in its own container and nowhere " +
		"else: a `docker login` on the host does nothing for it until that file, or its folder, is mounted.",
	Source: "the vendor's documentation of private images; which registries need credentials is known by " +
		"their host's name",
	Explains: []string{"credentials-missing", "config-missing", "unmatched-key"},
	Prints: []Print{
		{printsNoCredentials, 2},
	},
}

var configMountTarget = &Problem{
	ID:    "config-mount-target",
	Title: "config.json is mounted where the runner does not look",
	Doc: "The runner looks for `config.json` in `/root/.docker`, or in the folder that DOCKER_CONFIG names. " +
		"A file mounted onto the folder's path, a folder mounted onto the file's, or either one elsewhere, " +
		"is not found, and no word is said.",
	Source:   "the vendor's documentation; measured on docker-java 3.7.1, which the runner very probably uses",
	Explains: []string{"credentials-missing", "config-missing", "config-misnamed", "config-is-directory"},
	Prints: []Print{
		{printsDirectory, 2},
	},
}

var mountSourceMissing = &Problem{
	ID:    "mount-source-missing",
	Title: "The source of a mount does not exist",
	Doc: "With `-v`, docker makes an empty folder of a source that does not exist, even where a file was " +
		"meant; with `--mount` it refuses to start, as the command podman does with both, and a rootless daemon does where " +
		"its user may not make the folder. Create the source first, and remove the folder that docker may have left in its " +
		"place. Podman's socket is there once podman.socket is enabled.",
	Source: "docker's documentation of bind mounts; measured with podman 4.3",
	Prints: []Print{
		{`bind source path does not exist|statfs \S+: no such file or directory`, 1},
		{printsNoFolder, 2},
	},
}

var unexpandedHomeFolder = &Problem{
	ID:    "unexpanded-home",
	Title: "The home folder is not filled in",
	Doc: "Kubernetes fills neither `~` nor `$HOME` into the path of a `hostPath`. " +
		"A shell replaces `~` only at the beginning of a word and outside of quotes, and `$HOME` " +
		"everywhere but in single quotes. In `\"~/.docker\"`, `--volume=~/.docker` and `--mount " +
		"source=~/.docker` docker gets the sign itself, and refuses it or mounts something else. Write " +
		"`\"$HOME/.docker\"`. Compose fills both in, quoted or not, but for the path in the container.",
	Source:   "POSIX shell command language, 2.6.1",
	Explains: []string{"credentials-missing", "config-missing", "mount-source-missing"},
	Prints: []Print{
		{`includes invalid characters for a local volume name|volume name is too short`, 1},
	},
}

const (
	dockerSocket = "/var/run/docker.sock"
	// podmanSocket is there while systemd's unit podman.socket runs, which enablePodman starts.
	podmanSocket     = "/run/podman/podman.sock"
	enablePodman     = "sudo systemctl enable --now podman.socket"
	containersFolder = "/var/lib/docker/containers"
)

// mounting is a mount as the definition's kind writes it, and where.
func mounting(d *runner.Definition, source, target string) string {
	return d.Dialect.Mount(source, target, false) + d.Dialect.WhereMounts()
}

// into says into what a mount is missing, where that is the container of this process.
func into(d *runner.Definition) string {
	if d.Dialect.Inside() {
		return " into this container"
	}
	return ""
}

// configMount is the mount of config.json.
func configMount(d *runner.Definition) string {
	return mountingConfig(d, "~/.docker/"+configName, configFolder+"/"+configName)
}

// hostConfigMount is the mount of a config.json that is kept for the runner alone.
func hostConfigMount(d *runner.Definition) string {
	return mountingConfig(d, "/etc/runner/"+configName, configFolder+"/"+configName)
}

// mountingConfig is the mount of a config.json, or of its folder: one of the host, or a Secret of Kubernetes.
func mountingConfig(d *runner.Definition, source, target string) string {
	if d.Dialect == runner.Kubernetes {
		return secretMount(d)
	}
	return mounting(d, source, target)
}

// secretMount is the mount of a config.json that a Secret holds, with its volume.
func secretMount(d *runner.Definition) string {
	secret := "regcred"
	if len(d.PullSecrets) > 0 && d.PullSecrets[0].Unresolved == "" {
		secret = d.PullSecrets[0].Value
	}
	return fmt.Sprintf("- {name: docker-config, mountPath: %s} under volumeMounts, and under volumes - {name: docker-config, "+
		"secret: {secretName: %s, %s}}", configFolderOf(d), secret, renamingItems)
}

// renamingItems gives the file of a Secret the name that the runner looks for.
const renamingItems = "items: [{key: .dockerconfigjson, path: config.json}]"

// judgeMounts judges the mounts of one runner.
func judgeMounts(ctx context.Context, h *Host, r *Runner) []Finding {
	d := r.Definition
	switch {
	case d == nil:
		return nil
	case !d.States.Mounts:
		return []Finding{Skipped(r.Name, "the definition does not speak of mounts")}
	}
	if runtime, shell := containerless(r); shell {
		return []Finding{Skipped(r.Name, fmt.Sprintf("a runner with RUNTIME %s needs no mounts", runtime))}
	}
	var findings []Finding
	findings = append(findings, unexpandedHomes(r)...)
	if besideDaemon(d) != nil {
		findings = append(findings, judgeDaemon(h, r)...)
	} else {
		findings = slices.Concat(findings, judgeSocket(h, r), judgeContainers(h, r), judgeWorkingDirectory(h, r))
	}
	findings = append(findings, judgeConfigMount(ctx, h, r)...)
	findings = append(findings, missingSources(h, r)...)
	if len(findings) == 0 {
		findings = append(findings, Passed(r.Name, "what the runner needs of the host is mounted where it looks"))
	}
	return findings
}

// lacking reports what is not mounted, or skips if it may be all the same.
func lacking(r *Runner, f Finding) []Finding {
	if !r.Definition.MountsKnown() {
		return []Finding{Skipped(f.Subject, f.Subject+" may be mounted by what is not known (see unresolved-value)")}
	}
	return []Finding{f.On(r.Name).Touching(Path(r.Name), Variable(f.Subject))}
}

// volumeNotFolder says what docker mounts in place of a folder of the host.
func volumeNotFolder(d *runner.Definition, m runner.Mount) string {
	if d.Dialect == runner.Kubernetes {
		return fmt.Sprintf("the volume %s, which is no folder of the node, is mounted at %s", m.Source.Value, m.Target.Value)
	}
	if m.Source.Value == "" {
		return fmt.Sprintf("an empty volume is mounted at %s, as no source is named", m.Target.Value)
	}
	return fmt.Sprintf("docker takes %q for the name of a volume", m.Source.Value)
}

// hostFolder is what makes a mount one of a folder of the host: the option, or in Kubernetes the volume.
func hostFolder(d *runner.Definition, m runner.Mount, folder, option string) string {
	if d.Dialect == runner.Kubernetes {
		return fmt.Sprintf("- {name: %s, hostPath: {path: %s}} under volumes", m.Source.Value, folder)
	}
	return option
}

// containersOnHost is where the daemon's folder of containers is to be mounted from.
func containersOnHost(h *Host) string {
	if h.Told == nil || h.Told.DataRoot == "" || !docker(h.Told) {
		return containersFolder
	}
	return path.Join(clip(h.Told.DataRoot), "containers")
}

func judgeContainers(h *Host, r *Runner) []Finding {
	d := r.Definition
	m, _, found := runner.Cover(d.Mounts, containersFolder)
	from := containersFolder
	if d.Dialect != runner.Kubernetes && !ownDaemon(d) {
		from = containersOnHost(h)
	}
	option := d.Dialect.Mount(from, containersFolder, true)
	switch {
	case found && m.Volume && m.Source.Unresolved == "" && !ownDaemon(d):
		return lacking(r, Failed(containersUnmounted, containersFolder,
			volumeNotFolder(d, m)+", not for the containers' folder of the daemon",
			"write "+hostFolder(d, m, from, option)).At(m.Place))
	case found && !m.ReadOnly && !m.Volume:
		return []Finding{Warned(containersUnmounted, containersFolder,
			containersFolder+" is mounted writable, and nothing but the daemon has to write there",
			"mount it read-only: "+option).At(m.Place).On(r.Name)}
	case found:
		return nil
	}
	f := Failed(containersUnmounted, containersFolder,
		containersFolder+" is not mounted"+into(d)+": the runner cannot read what steps print",
		"mount it: "+option+d.Dialect.WhereMounts()).At(d.Place)
	for _, m := range d.Mounts {
		target := path.Clean(m.Target.Value)
		if near := Nearest(target, []string{containersFolder}); near != "" ||
			path.Clean(m.Source.Value) == containersFolder {
			f.Message = fmt.Sprintf("the containers' folder is mounted at %s, and the runner looks at %s",
				target, containersFolder)
			f.Hint = "write " + option
			f = f.At(m.Target.Place)
		}
	}
	return lacking(r, f)
}

// defaultWorkingDirectory is what the vendor's command sets, and what is judged where nothing is set.
const defaultWorkingDirectory = "/tmp"

// workingDirectory is the variable that says where the runner works, or what stands for it.
func workingDirectory(d *runner.Definition) runner.Variable {
	v, set := effective(d, envWorkingDirectory)
	switch {
	case set:
	case d.Complete():
		v.Value = runner.Text{Value: defaultWorkingDirectory, Place: d.Place}
	default:
		v.Value = runner.Text{Unresolved: "it may be set by what was not given or is not known"}
	}
	return v
}

func judgeWorkingDirectory(h *Host, r *Runner) []Finding {
	d := r.Definition
	v := workingDirectory(d)
	switch folder := v.Value.Value; {
	case v.Value.Unresolved != "":
		return unresolvedFolder(d, v.Value)
	case spoilt(v) || unexpandedHome(v.Value):
		return nil
	case !path.IsAbs(folder):
		return onWorkingDirectory(r, Failed(workingDirectoryUnmounted, envWorkingDirectory,
			fmt.Sprintf("%q is no absolute path, so that no mount can have it", folder),
			"write an absolute path, and mount it: "+whereFrom(d, envWorkingDirectory)).At(v.Value.Place))
	default:
		return mountedDirectory(h, r, path.Clean(folder), v.Value.Place)
	}
}

// onWorkingDirectory is a finding about the working directory, whatever says where that is.
func onWorkingDirectory(r *Runner, f Finding) []Finding {
	return []Finding{f.On(r.Name).Touching(Path(r.Name), Variable(envWorkingDirectory))}
}

// mountedDirectory judges whether a working directory, which is said at a place, is a folder of the host under the same
// path.
func mountedDirectory(h *Host, r *Runner, folder string, place source.Span) []Finding {
	d := r.Definition
	m, source, found := runner.Cover(d.Mounts, folder)
	source = onHost(h, d, source)
	option := d.Dialect.Mount(folder, folder, false)
	for _, o := range d.Options {
		if at, _, _ := strings.Cut(o.Value.Value, ":"); o.Long == "tmpfs" && path.Clean(at) == folder {
			return onWorkingDirectory(r, Failed(workingDirectoryMismatch, envWorkingDirectory,
				fmt.Sprintf("WORKING_DIRECTORY %s is a tmpfs in the container, and must be a folder of the host", folder),
				"write "+option+" instead").At(o.Place))
		}
	}
	switch {
	case !found:
		return lacking(r, Failed(workingDirectoryUnmounted, envWorkingDirectory,
			fmt.Sprintf("WORKING_DIRECTORY %s is not mounted%s, nor any folder above it", folder, into(d)),
			"mount it: "+option+d.Dialect.WhereMounts()).At(place))
	case m.Volume && m.Source.Unresolved == "" && !ownDaemon(d):
		return onWorkingDirectory(r, Failed(workingDirectoryMismatch, envWorkingDirectory,
			fmt.Sprintf("%s, and WORKING_DIRECTORY %s must be the same folder of the host", volumeNotFolder(d, m),
				folder),
			"write "+hostFolder(d, m, folder, option)).Touching(Variable(path.Clean(m.Target.Value))).At(m.Place))
	case source == folder, m.Volume, ownDaemon(d):
		return nil
	case d.Dialect.FromFolder() && mayBe(source, folder):
		return nil // the folder of the compose file may be the one that is meant
	case m.Source.Unresolved != "", m.Source.Placeholder != "", unexpandedHome(m.Source):
		return nil
	case m.Source.Home && strings.HasSuffix(folder, strings.TrimPrefix(source, "~")):
		return nil // the home folder may be the one that is meant
	}
	same := source
	if !path.IsAbs(same) {
		same = folder
	}
	return onWorkingDirectory(r, Failed(workingDirectoryMismatch, envWorkingDirectory,
		fmt.Sprintf("WORKING_DIRECTORY is %s in the container and %s on the host", folder, source),
		fmt.Sprintf("mount it under one path: %s, with %s", d.Dialect.Mount(same, same, false),
			variableAs(d, envWorkingDirectory, same))).At(m.Place))
}

// unresolvedFolder judges a working directory that is not known: mounted by the same words on both sides, it is
// right whatever it is.
func unresolvedFolder(d *runner.Definition, folder runner.Text) []Finding {
	for _, m := range d.Mounts {
		if folder.Value != "" && m.Source.Value == folder.Value && m.Target.Value == folder.Value {
			return nil
		}
	}
	return []Finding{Skipped(envWorkingDirectory, "WORKING_DIRECTORY is not known (see unresolved-value)")}
}

// overrideReferences are the images whose credentials config.json is for, as Touches names them.
func overrideReferences(r *Runner) []string { return referencesTo(r.Overrides()) }
