package checks

import (
	"bytes"
	"cmp"
	"path"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// configName is what the runner's reader looks for, in the folder of configFolder unless DOCKER_CONFIG names another.
const (
	configName   = "config.json"
	configFolder = "/root/.docker"
)

// readerFolder is the folder in its container in which the runner looks for config.json, and where DOCKER_CONFIG is set.
func readerFolder(d *runner.Definition) (folder string, place source.Span, known bool) {
	v, set := effective(d, envDockerConfig)
	if !set {
		return configFolder, source.Span{}, true
	}
	return path.Clean(cmp.Or(v.Value.Value, configFolder)), v.Value.Place, v.Value.Unresolved == ""
}

// configFolderOf is that folder, as far as it is known.
func configFolderOf(d *runner.Definition) string {
	folder, _, _ := readerFolder(d)
	return folder
}

// mountOf is the mount of a definition that brings a config.json, or its folder, to where the runner looks.
func mountOf(r *Runner) *runner.Mount {
	if r.Definition == nil {
		return nil
	}
	folder := configFolderOf(r.Definition)
	for i, m := range r.Definition.Mounts {
		target := path.Clean(m.Target.Value)
		if !m.Volume && (target == folder || target == path.Join(folder, configName)) {
			return &r.Definition.Mounts[i]
		}
	}
	return nil
}

// configMountOf is the mount of a file or folder of the host in which the runner finds config.json.
func configMountOf(d *runner.Definition) (m runner.Mount, found bool) {
	m, _, found = runner.Cover(d.Mounts, path.Join(configFolderOf(d), configName))
	return m, found && !m.Volume
}

// unmounted tells whether a definition is known to give its runner no config.json: what this user's own file holds
// is then of no use to it.
func unmounted(r *Runner) bool {
	d := r.Definition
	if d == nil || !d.States.Mounts || !d.MountsKnown() || r.seesConfig || r.Config != nil && r.Config.Origin != ConfigUser {
		return false
	}
	_, _, covered := runner.Cover(d.Mounts, path.Join(configFolderOf(d), configName))
	return !covered
}

// isConfigMount tells whether a mount is one of docker's config.json or of its folder, by the names on either
// side.
func isConfigMount(m runner.Mount) bool {
	for _, p := range m.Projected {
		if p.Key == ".dockerconfigjson" || p.File != nil && bytes.Contains(p.File.Text, []byte(`"auths"`)) {
			return true
		}
	}
	for _, side := range []string{m.Source.Value, m.Target.Value} {
		switch base := path.Base(side); {
		case base == ".docker", base == ".dockercfg", base == ".dockerconfigjson",
			strings.Contains(side, "/.docker/"):
			return true
		case base == configName && strings.Contains(strings.ToLower(m.Source.Value+m.Target.Value), "docker"):
			return !strings.Contains(m.Target.Value, "/daemon")
		}
	}
	return false
}
