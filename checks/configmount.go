package checks

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
)

// judgeConfigMount judges how config.json gets into the runner's container.
func judgeConfigMount(ctx context.Context, h *Host, r *Runner) []Finding {
	d := r.Definition
	folder, place, known := readerFolder(d)
	if !known {
		return []Finding{Skipped(configName,
			"where the runner looks is not known: DOCKER_CONFIG comes from elsewhere")}
	}
	if strings.HasSuffix(folder, "/"+configName) {
		return []Finding{Failed(configMountTarget, envDockerConfig,
			fmt.Sprintf("DOCKER_CONFIG names the file %s, and must name its folder", folder),
			"write DOCKER_CONFIG="+path.Dir(folder)).At(place).Touching(overrideReferences(r)...)}
	}
	meant := -1
	for i, m := range d.Mounts {
		switch target := path.Clean(m.Target.Value); {
		case m.Target.Unresolved != "":
		case target != folder && target != path.Join(folder, configName):
			if isConfigMount(m) {
				meant = i
			}
		case m.Object != "":
			return projectedMount(ctx, h, r, m, folder)
		case m.Private:
			return lackingConfig(ctx, h, r, folder)
		default:
			return kindMismatch(h, r, m, target == folder)
		}
	}
	wanted := path.Join(folder, configName)
	if m, _, found := runner.Cover(d.Mounts, wanted); found && !m.Private || r.seesConfig {
		return nil
	}
	if meant >= 0 {
		return misplacedConfig(h, r, d.Mounts[meant], folder)
	}
	return lackingConfig(ctx, h, r, folder)
}

// sourceKind tells by its name, else on the runner's own host, or in its container, by itself, whether a mount's source is
// a file or a folder; neither if that is not known.
func sourceKind(h *Host, m runner.Mount) (file, folder bool) {
	source := m.Source.Value
	base := path.Base(source)
	switch {
	case h.inside:
		return h.kindInside(path.Clean(m.Target.Value))
	case len(m.Projected) == 1 && m.Projected[0].Path == path.Clean(m.Target.Value):
		return true, false
	case m.Volume && strings.Contains(source, "/"): // a part of a volume
		return false, false
	case m.Volume:
		return false, true
	case m.Source.Unresolved != "":
		return false, false
	case base == ".docker", strings.HasSuffix(source, "/"):
		return false, true
	case strings.HasSuffix(base, ".json"), base == ".dockercfg", base == ".dockerconfigjson":
		return true, false
	case !h.Live:
		return false, false
	}
	info, err := h.Files.Stat(source)
	return err == nil && !info.IsDir(), err == nil && info.IsDir()
}

// projectedMount judges a Secret, or a ConfigMap, that is mounted where config.json belongs. A file under another name is
// for config-misnamed to tell, a key that is not there for secret-key-missing.
func projectedMount(ctx context.Context, h *Host, r *Runner, m runner.Mount, folder string) []Finding {
	d, wanted := r.Definition, path.Join(folder, configName)
	named := func(p runner.Projected) bool { return p.Path == wanted }
	if slices.ContainsFunc(m.Projected, named) {
		return nil
	}
	if path.Clean(m.Target.Value) == wanted {
		if len(m.Projected) == 0 && m.Unlisted == "" {
			return nil
		}
		key := configName
		if len(m.Projected) > 0 {
			key = m.Projected[0].Key
		}
		findings := wrongTarget(r, m, fmt.Sprintf("the files of the %s are mounted onto the path of the file, %s, which "+
			"becomes a folder", m.Object, wanted), wanted)
		findings[0].Hint = fmt.Sprintf("write subPath: %s beside its mountPath", key)
		return findings
	}
	lost := func(mistake runner.Mistake) bool { return mistake.Kind == runner.SecretKeyMissing }
	mount, _ := misnamedMount(r)
	switch {
	case mount != nil, len(m.Projected) == 0 && slices.ContainsFunc(d.Mistakes, lost):
		return nil
	case m.Unlisted != "":
		return []Finding{Skipped(configName, m.Unlisted)}
	}
	findings := lackingConfig(ctx, h, r, folder)
	for i := range findings {
		findings[i].Message += fmt.Sprintf("; the %s has none in it", m.Object)
		findings[i] = findings[i].At(m.Place)
	}
	return findings
}

// kindMismatch judges a mount at the right place: a file on the file's path or a folder on the folder's.
func kindMismatch(h *Host, r *Runner, m runner.Mount, ontoFolder bool) []Finding {
	file, folder := sourceKind(h, m)
	target := path.Clean(m.Target.Value)
	switch {
	case ontoFolder && file:
		return wrongTarget(r, m, fmt.Sprintf("%s is mounted onto the path of the folder, %s", sourceOf("file", m), target),
			path.Join(target, configName))
	case !ontoFolder && folder:
		return wrongTarget(r, m, fmt.Sprintf("%s is mounted onto the path of the file, %s", sourceOf("folder", m), target),
			path.Dir(target))
	}
	return nil
}

// sourceOf names a mount's source, a file or a folder, as far as it is known.
func sourceOf(kind string, m runner.Mount) string {
	if m.Source.Value == "" {
		return "a " + kind
	}
	return "the " + kind + " " + m.Source.Value
}

// misplacedConfig reports a config.json that is mounted elsewhere.
func misplacedConfig(h *Host, r *Runner, m runner.Mount, folder string) []Finding {
	right := folder
	if file, _ := sourceKind(h, m); file {
		right = path.Join(folder, configName)
	}
	return wrongTarget(r, m, fmt.Sprintf("%s is mounted at %s, and the runner looks at %s",
		cmp.Or(m.Source.Value, configName), m.Target.Value, right), right)
}

// wrongTarget reports a mount at a wrong place. With the vendor's public images alone it does no harm.
func wrongTarget(r *Runner, m runner.Mount, message, right string) []Finding {
	hint := "write " + r.Definition.Dialect.Mount(m.Source.Value, right, m.ReadOnly)
	if m.Source.Value == "" {
		hint = fmt.Sprintf("mount it at %s, and not at %s", right, m.Target.Value)
	}
	if m.Option == "configs" || m.Option == "secrets" {
		hint = "give it this target: " + right
	}
	f := Failed(configMountTarget, m.Target.Value, message, hint).At(m.Target.Place)
	if references := overrideReferences(r); len(references) > 0 {
		return []Finding{f.Touching(references...)}
	}
	f.Message += "; no image of this runner needs it"
	return []Finding{f.As(Warn)}
}

// lackingConfig reports that no config.json is mounted, if an image may need one.
func lackingConfig(ctx context.Context, h *Host, r *Runner, folder string) []Finding {
	var certain, likely []Image
	for _, image := range r.Overrides() {
		switch askedNeed(ctx, h, r, image) {
		case Fail:
			certain = append(certain, image)
		case Warn:
			likely = append(likely, image)
		}
	}
	option := "mount it: " + configMount(r.Definition)
	if folder != configFolder {
		option = "mount it: " + mountingConfig(r.Definition, "~/.docker", folder)
	}
	var f Finding
	switch {
	case len(certain) > 0:
		f = Failed(configUnmounted, configName,
			fmt.Sprintf("no config.json is mounted%s, and images come from %s, which needs credentials",
				into(r.Definition), hostsOf(certain)), option)
	case len(likely) > 0:
		f = Warned(configUnmounted, configName,
			fmt.Sprintf("no config.json is mounted%s: right only if %s serves images to everyone",
				into(r.Definition), hostsOf(likely)), option)
	default:
		return nil
	}
	if len(r.Definition.PullSecrets) > 0 {
		f.Message += "; imagePullSecrets serve the kubelet for the pod's own images, and never the runner"
	}
	f = f.Touching(referencesTo(append(certain, likely...))...)
	return lacking(r, f.At(r.Definition.Place))
}

// askedNeed tells how sure it is that an image needs credentials: its registry knows best, where it was asked.
func askedNeed(ctx context.Context, h *Host, r *Runner, image Image) Status {
	need := configNeed(r, image)
	if need == Pass {
		return Pass
	}
	answer := askedAnonymously(ctx, h, image, r.Platform)
	switch {
	case answer.Digest != "":
		return Pass
	case answer.Failure != nil && answer.Failure.Kind == credentialsMissing.ID:
		return Fail
	}
	return need
}

// configNeed tells how sure it is that an image needs credentials: Fail if it does, Warn if that is likely.
// What is wrong with the reference comes first.
func configNeed(r *Runner, image Image) Status {
	host, repository, _, _ := splitReference(image.Reference)
	first, rest, nested := strings.Cut(repository, "/")
	switch {
	case image.Unresolved != "", leftToEnvironment(image), formMistake(image) != nil:
		return Pass
	case isVendorRegistry(host):
		return Pass
	case r.Config != nil && r.Config.File.ForRunner(image.Reference).Key != "", closedRegistry.MatchString(host):
		return Fail
	case host == "" && nested && ambiguous(r, first, rest), host == "", slices.Contains(publicRegistries(), host):
		return Pass
	}
	return Warn
}

// ambiguous tells whether the first component of a name on Docker Hub is probably meant to be a host.
func ambiguous(r *Runner, first, rest string) bool {
	_, sign := meantHost(r, first, rest)
	return sign != ""
}

// hostsOf lists the registries of images, each once.
func hostsOf(images []Image) string {
	var hosts []string
	for _, image := range images {
		hosts = appendNew(hosts, []string{registryHost(image.Reference)})
	}
	return strings.Join(hosts, ", ")
}
