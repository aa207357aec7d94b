package runner

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// quadlet reads a file from which Quadlet makes a unit that runs a container. Source: podman-systemd.unit(5).
func (r *unitReader) quadlet() Reading {
	reading := Reading{Kind: "Quadlet file", LookedFor: "a section [Container] with the runner's image or its variables"}
	images := r.list("Container", "Image")
	image := images[len(images)-1]
	d := &Definition{
		File: r.File, Place: image.place(), Dialect: Quadlet, Client: "podman", Keeper: r.quadletKeeper(),
		States: Aspects{Image: true, Environment: true, Mounts: true},
	}
	if words := r.values("Image", d); len(words) > 0 {
		d.Image = words[len(words)-1].text()
	}
	r.quadletEnvironment(d)
	for _, w := range r.values("Volume", d) {
		d.Mounts = append(d.Mounts, r.quadletVolume(w))
	}
	for _, w := range r.values("Mount", d) {
		if m, ok := optionMount(w, Option{Name: Text{Value: "Mount"}, Value: w.text()}, false); ok {
			d.Mounts = append(d.Mounts, m)
		}
	}
	for _, w := range r.values("Exec", d) {
		d.Arguments = append(d.Arguments, w.text())
	}
	r.quadletOptions(d)
	r.podmanArgs(d)
	r.serviceMemory(d)
	if isRunner(d) {
		for _, v := range d.Environment {
			hideVariable(v)
		}
		reading.Definitions = []*Definition{d}
		r.claim()
	}
	return reading
}

// quadletKeeper is the service that Quadlet makes of the file: of its name, or of the one that it is given.
func (r *unitReader) quadletKeeper() Keeper {
	k := r.name.keeper()
	if named := r.list("Container", "ServiceName"); len(named) > 0 {
		k.Name = string(named[len(named)-1].value.text) + ".service"
	}
	return k
}

// quadletOptions are the settings for which podman run has an option.
func (r *unitReader) quadletOptions(d *Definition) {
	for _, known := range []struct{ key, long string }{
		{"Memory", "memory"}, {"UserNS", "userns"}, {"User", "user"}, {"GroupAdd", "group-add"},
	} {
		for _, w := range r.values(known.key, d) {
			d.option(known.key, known.long, w)
		}
	}
	for _, w := range r.values("SecurityLabelType", d) {
		d.option("SecurityLabelType", "security-opt", slices.Concat(field{{text: "label=type:", at: w[0].at}}, w))
	}
	for _, w := range r.values("SecurityLabelDisable", d) {
		if isYes(w.value()) {
			d.option("SecurityLabelDisable", "security-opt", field{{text: "label=disable", at: w[0].at}})
		}
	}
}

// values are the words of all settings of one key of the container.
func (r *unitReader) values(key string, d *Definition) []field {
	var out []field
	for _, s := range r.list("Container", key) {
		words, mistakes := r.name.words(s.value)
		out = append(out, words...)
		d.Mistakes = append(d.Mistakes, mistakes...)
	}
	return out
}

// quadletVolume reads SOURCE:TARGET[:OPTIONS]; a source with a dot before it is beside the unit, one that
// ends in ".volume" is a volume that another file defines.
func (r *unitReader) quadletVolume(w field) Mount {
	m := volumeMount(w, Option{Name: Text{Value: "Volume"}, Value: w.text()}, false)
	if strings.HasSuffix(m.Source.Value, ".volume") && !strings.Contains(m.Source.Value, "/") {
		m.Volume = true
	}
	return m
}

// quadletEnvironment reads the variables: those of files, those that stand here, and secrets of Podman's.
func (r *unitReader) quadletEnvironment(d *Definition) {
	for _, w := range r.values("EnvironmentFile", d) {
		read := EnvFile{Path: w.text()}
		if read.Path.Unresolved == "" && read.Path.Home {
			read.Path.Unresolved = "it is in the home folder of the unit's user"
		}
		if read.Path.Unresolved == "" {
			read.File, read.Err = r.quadletFile(w.value())
		}
		if read.File != nil {
			variables, mistakes := envLines(read.File)
			d.Environment = append(d.Environment, variables...)
			d.Mistakes = append(d.Mistakes, mistakes...)
		}
		d.EnvFiles = append(d.EnvFiles, read)
	}
	for _, w := range r.values("Environment", d) {
		v := Variable{Place: span(w), Name: w.text()}
		if at := strings.IndexByte(w.shape(), '='); at > 0 {
			v.Name, v.Value = w.slice(0, at).text(), w.slice(at+1, len(w.value())).text()
			d.Environment = append(d.Environment, v)
		}
	}
	for _, w := range r.values("Secret", d) {
		if v, ok := quadletSecret(w); ok {
			d.Environment = append(d.Environment, v)
		}
	}
}

// quadletFile reads an env file, whose path is relative to the folder of the unit.
func (r *unitReader) quadletFile(name string) (*source.File, error) {
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(r.Path), name)
	}
	if file := r.open(name); file != nil {
		return file, nil
	}
	_, err := r.set.open(name)
	return nil, err
}

// quadletSecret reads NAME,type=env,target=VARIABLE.
func quadletSecret(w field) (Variable, bool) {
	v := Variable{Place: span(w)}
	isEnv := false
	parts := csv(w)
	for i, part := range parts {
		key, _, joined := strings.Cut(part.value(), "=")
		value := part.slice(min(len(key)+1, len(part.value())), len(part.value()))
		switch {
		case i == 0:
			v.Name = part.text()
		case key == "type" && joined:
			isEnv = value.value() == "env"
		case key == "target" && joined:
			v.Name = value.text()
		}
	}
	v.Value = Text{Place: v.Name.Place, Unresolved: fmt.Sprintf("%s is a secret of Podman's", v.Name.Value)}
	return v, isEnv
}

// podmanArgs reads options that are handed to podman run as they stand.
func (r *unitReader) podmanArgs(d *Definition) {
	args := r.values("PodmanArgs", d)
	if len(args) == 0 {
		return
	}
	sub := &Definition{}
	reader := &reader{grammar: grammarOf("podman"), d: sub, sh: r.shell, scope: &scope{}, words: args}
	reader.options()
	d.Environment = append(append(d.Environment, reader.files...), reader.env...)
	d.Mounts = append(d.Mounts, sub.Mounts...)
	d.Options = append(d.Options, sub.Options...)
	d.EnvFiles = append(d.EnvFiles, sub.EnvFiles...)
	d.Unread = append(d.Unread, sub.Unread...)
	d.Lenders = append(d.Lenders, sub.Lenders...)
}

// serviceMemory adds the limit of the service, where it is below the container's own: Quadlet's containers
// are in the control group of their unit. (Those of docker are not: its daemon makes them.) Source:
// podman-systemd.unit(5), podman-run(1), --cgroups=split.
func (r *unitReader) serviceMemory(d *Definition) {
	settings := r.list("Service", "MemoryMax")
	if len(settings) == 0 {
		return
	}
	words, _ := r.name.words(settings[len(settings)-1].value)
	if len(words) != 1 {
		return
	}
	_, own := d.Memory()
	if most := d.Dialect.bytes(words[0].value()); most > 0 && (own == 0 || most < own) {
		d.option("MemoryMax", "memory", words[0])
	}
}
