package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// kubePod is the pod that an object makes.
type kubePod struct {
	kubeObject
	spec       node
	containers []kubeContainer
	volumes    map[string]kubeVolume
	// users counts the containers that mount a volume.
	users map[string]int
}

// kubeContainer is one container of a pod.
type kubeContainer struct {
	node
	// beside says that it runs as long as the pod does: an init container does only if it is restarted always.
	beside bool
}

// kubeVolume is one volume of a pod.
type kubeVolume struct {
	node
	// claimed says that a template of a StatefulSet makes it.
	claimed bool
}

// maxKubeContainers is more than anybody puts into one pod.
const maxKubeContainers = 200

// podPaths lead to the pod in the objects that make one.
func podPaths() [][]string {
	return [][]string{
		{"spec"},
		{"spec", "template", "spec"},
		{"spec", "jobTemplate", "spec", "template", "spec"},
		{"spec", "jobTargetRef", "template", "spec"},
		{"template", "spec"},
	}
}

// definitions are the runners of a file, in its order.
func (k *kubeFile) definitions() []*Definition {
	var out []*Definition
	for _, object := range k.objects {
		if k.set.parts <= 0 {
			break
		}
		for _, path := range podPaths() {
			spec := object.at(path...)
			if spec.at("containers").isSequence() {
				out = append(out, object.pod(spec).definitions()...)
				break
			}
		}
	}
	return out
}

func (o kubeObject) pod(spec node) *kubePod {
	p := &kubePod{kubeObject: o, spec: spec, volumes: map[string]kubeVolume{}, users: map[string]int{}}
	for _, claim := range o.at("spec", "volumeClaimTemplates").items() {
		p.volumes[o.file.value(claim.at("metadata", "name")).Value] = kubeVolume{claim, true}
	}
	for _, volume := range spec.at("volumes").items() {
		p.volumes[o.file.value(volume.at("name")).Value] = kubeVolume{volume, false}
	}
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range spec.at(list).items() {
			if len(p.containers) >= maxKubeContainers {
				break
			}
			beside := list == "containers" || c.at("restartPolicy").scalar() == "Always"
			p.containers = append(p.containers, kubeContainer{c, beside})
		}
	}
	for _, c := range p.containers {
		seen := map[string]bool{}
		for _, m := range c.at("volumeMounts").items() {
			if name := o.file.value(m.at("name")).Value; !seen[name] {
				seen[name] = true
				p.users[name]++
			}
		}
	}
	return p
}

// definitions are the runners among the containers of a pod.
func (p *kubePod) definitions() []*Definition {
	var out []*Definition
	for i, c := range p.containers {
		if p.file.set.parts <= 0 {
			break
		}
		if d := p.definition(c); isRunner(d) {
			p.settle(d, i)
			out = append(out, d)
		}
	}
	return out
}

// definition reads a container.
func (p *kubePod) definition(c kubeContainer) *Definition {
	d := &Definition{
		File: p.file.File, Place: c.place(), Dialect: Kubernetes, Keeper: p.keeper(),
		States: Aspects{Image: true, Environment: true, Mounts: true},
	}
	if name := c.at("name"); name.isScalar() {
		d.Place = name.place()
	}
	if image := c.at("image"); image.isScalar() && !image.isNull() {
		d.Image = p.file.value(image)
	} else {
		d.Mistakes = append(d.Mistakes, Mistake{
			Kind: ImageMissing, Place: d.Place, Detail: "the container names no image", Loses: true,
		})
	}
	p.environment(c, d)
	p.mounts(c, d)
	if limit := c.at("resources", "limits").member("memory"); limit.value.isScalar() && !limit.value.isNull() {
		d.option(limit.key.Value, "memory", p.file.field(limit.value))
	}
	for _, list := range []string{"command", "args"} {
		for _, argument := range c.at(list).items() {
			d.Arguments = append(d.Arguments, p.file.value(argument))
		}
	}
	return d
}

// keeper is the controller that starts the pod anew when it is told to: those of jobs and a pod by itself do not.
func (p *kubePod) keeper() Keeper {
	name := p.file.value(p.at("metadata", "name"))
	if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, p.kind) || name.nothing() || name.Unresolved != "" {
		return Keeper{}
	}
	return Keeper{Name: strings.ToLower(p.kind) + "/" + name.Value, Namespace: p.namespace}
}

// settle adds to a runner what is around it.
func (p *kubePod) settle(d *Definition, own int) {
	d.Daemon = p.daemon(own)
	for _, secret := range p.spec.at("imagePullSecrets").items() {
		name := secret.at("name")
		if text := p.file.value(name); text.Value != "" {
			d.PullSecrets = append(d.PullSecrets, text)
			p.file.set.pulling[text.Value] = true
		}
	}
	slices.SortStableFunc(d.Mistakes, func(a, b Mistake) int {
		return a.Place.Outermost().Start - b.Place.Outermost().Start
	})
	for _, v := range d.Environment {
		hideVariable(v)
	}
	for _, use := range d.uses {
		use.used = true
	}
	d.uses = nil
}

// daemon is the docker daemon beside a runner: the container that looks like one, else one that may do all and shares a
// volume with the runner.
func (p *kubePod) daemon(own int) *Daemon {
	likely := -1
	for i, c := range p.containers {
		if i == own || !c.beside {
			continue
		}
		if p.startsDaemon(c) {
			return p.daemonOf(c)
		}
		if c.at("securityContext", "privileged").scalar() == "true" && p.shares(own, i) {
			likely = i
		}
	}
	if likely < 0 {
		return nil
	}
	return p.daemonOf(p.containers[likely])
}

// daemonImage matches the images of docker's daemon.
var daemonImage = regexp.MustCompile(`(?i)(?:^|/)docker(?::[^/@]*dind[^/@]*)(?:@|$)|dind|docker-in-docker`)

func (p *kubePod) startsDaemon(c kubeContainer) bool {
	image := p.file.value(c.at("image")).Value
	words := c.at("command").items()
	words = append(words, c.at("args").items()...)
	daemon := func(n node) bool { return strings.HasPrefix(n.scalar(), "dockerd") }
	if slices.ContainsFunc(words, daemon) || daemonImage.MatchString(image) {
		return true
	}
	docker := strings.Contains(image, "docker") || image == ""
	return docker && !IsRunnerImage(image) && daemonImage.MatchString(p.file.value(c.at("name")).Value)
}

// shares tells whether two containers mount one volume.
func (p *kubePod) shares(a, b int) bool {
	names := map[string]bool{}
	for _, m := range p.containers[a].at("volumeMounts").items() {
		names[m.at("name").scalar()] = true
	}
	return slices.ContainsFunc(p.containers[b].at("volumeMounts").items(), func(m node) bool {
		return names[m.at("name").scalar()]
	})
}

func (p *kubePod) daemonOf(c kubeContainer) *Daemon {
	around := &Definition{}
	p.mounts(c, around)
	d := &Daemon{
		Name: p.file.value(c.at("name")), Image: p.file.value(c.at("image")), Place: c.place(), Mounts: around.Mounts,
	}
	if name := c.at("name"); name.isScalar() {
		d.Place = name.place()
	}
	privileged := c.at("securityContext", "privileged")
	text := p.file.value(privileged)
	d.Privileged = text.Value == "true" || text.Unresolved != "" || p.spec.at("runtimeClassName").isScalar()
	d.Confined = d.Place
	if privileged.isScalar() && !privileged.isNull() {
		d.Confined = privileged.place()
	}
	return d
}

// mounts reads the mounts of a container.
func (p *kubePod) mounts(c kubeContainer, d *Definition) {
	for _, m := range c.at("volumeMounts").items() {
		if p.file.set.parts--; p.file.set.parts < 0 {
			return
		}
		if target := m.at("mountPath"); target.isScalar() {
			d.Mounts = append(d.Mounts, p.mount(m, target, d))
		}
	}
}

func (p *kubePod) mount(n, target node, d *Definition) Mount {
	name := p.file.field(n.at("name"))
	m := Mount{
		Target: p.file.value(target), Place: target.place(), Option: "volumeMounts", Volume: true,
		ReadOnly: n.at("readOnly").scalar() == "true",
	}
	if name == nil {
		return m
	}
	volume, known := p.volumes[name.value()]
	if !known && name.unresolved() == "" && p.file.helm == nil {
		d.Mistakes = append(d.Mistakes, Mistake{
			Kind: Unreadable, Place: n.at("name").place(), Loses: true,
			Detail: fmt.Sprintf("the pod has no volume of the name %q", source.Printable(name.value())),
			Near:   p.nearVolume(name.value()),
		})
	}
	sub := n.at("subPath")
	from := name
	if folder := volume.at("hostPath", "path"); folder.isScalar() {
		from, m.Volume = p.file.field(folder), false
	}
	if sub.isScalar() && !sub.isNull() {
		from = append(append(slices.Clone(from), piece{text: "/", at: from[len(from)-1].at}), p.file.field(sub)...)
	}
	m.Source = from.text()
	if n.at("subPathExpr").isScalar() {
		m.Source.Unresolved = "subPathExpr is filled in when the pod starts"
	}
	m.Private = known && volume.empty() && p.users[name.value()] < 2
	p.project(&m, volume, sub, d)
	return m
}

// nearVolume is the name of the volume that was probably meant, else how to make one.
func (p *kubePod) nearVolume(name string) string {
	best, least := "a volume of that name under volumes, as {name: "+source.Printable(name)+", emptyDir: {}}", 1+len(name)/3
	for _, volume := range p.spec.at("volumes").items() {
		other := p.file.value(volume.at("name")).Value
		if len(other) < 80 && len(name) < 80 && p.users[other] == 0 && distance(name, other) <= least {
			best, least = "name: "+source.Printable(other), distance(name, other)-1
		}
	}
	return best
}

// empty tells whether a volume is made for the pod, with nothing in it: one without a source is.
func (v kubeVolume) empty() bool {
	if v.claimed || !v.isMapping() {
		return false
	}
	return !slices.ContainsFunc(v.members(), func(m member) bool {
		return m.key.Value != "name" && m.key.Value != "emptyDir" && !m.value.isNull()
	})
}
