package runner

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

const lookedForInspected = "a container of bitbucket-pipelines-runner, or one whose Config.Env sets ACCOUNT_UUID, " +
	"RUNNER_UUID or one of the images"

// inspectedKind is what Reading.Kind begins with for what docker inspect prints.
const inspectedKind = "docker inspect output"

// recogniseInspected reads what docker inspect prints, or podman inspect: an array of containers, one by itself, or
// several one behind the other. Source: the API of docker's daemon (ContainerInspect), and that of Podman.
func recogniseInspected(file *source.File, in Input) document {
	if formOf(in.Data) != inspectedJSON {
		return nil
	}
	from := inspectStart(in.Data)
	reading := Reading{Kind: inspectedKind, LookedFor: lookedForInspected}
	if word := inspectedWord(in.Data[from:]); word != "" {
		for _, root := range parseJSON(file, from, inspectedNames()).roots {
			inspected{}.variables(root)
		}
		reading.Kind = inspectedKinds()[word]
		return done{reading}
	}
	tree := parseJSON(file, from, inspectedNames())
	if tree.mistake != nil {
		reading.Mistakes = []Mistake{*tree.mistake}
		hideBeyond(file, tree.stopped)
	}
	var others []string
	for _, object := range inspectedObjects(tree.roots) {
		c := inspected{object: object, form: inspectedName(object.names()), broken: tree.broken}
		if c.form != containerForm && c.form != configForm {
			others = append(others, c.form)
		}
		if d := c.definition(file); d != nil {
			reading.Definitions = append(reading.Definitions, d)
		}
	}
	if len(others) > 0 && len(reading.Definitions) == 0 && inspectedKinds()[others[0]] != "" {
		reading.Kind = inspectedKinds()[others[0]]
	}
	return done{reading}
}

// InspectedMounts are the mounts of the one container in what docker inspect prints; known says that it is read whole.
func InspectedMounts(data []byte) (mounts []Mount, known bool) {
	file := source.New("", data)
	tree := parseJSON(file, inspectStart(data), inspectedNames())
	objects := inspectedObjects(tree.roots)
	if tree.mistake != nil || len(objects) != 1 {
		return nil, false
	}
	return inspected{object: objects[0], form: containerForm, broken: tree.broken}.mounts(), true
}

// inspectedKinds say what was read, by what inspectedForms and inspectedWord call it.
func inspectedKinds() map[string]string {
	return map[string]string{
		"image":       inspectedKind + " of an image, not of a container",
		"network":     inspectedKind + " of a network, not of a container",
		"volume":      inspectedKind + " of a volume, not of a container",
		"service":     inspectedKind + " of a service, not of a container",
		"mounts":      inspectedKind + " of a container's mounts alone",
		"settings":    inspectedKind + " of a container's HostConfig alone",
		"environment": inspectedKind + " of a list of variables alone",
		"nothing":     inspectedKind + " for a container that does not exist",
	}
}

// inspectedNames are the members of an inspected object that are worth keeping: those that hold what a runner is told, and
// those by which objects are told apart.
func inspectedNames() map[string]bool {
	names := map[string]bool{
		"Name": true, "Config": true, "HostConfig": true, "Mounts": true, "ImageName": true, "Image": true, "Env": true,
		"Cmd": true,
	}
	for _, form := range inspectedForms() {
		for _, name := range form[1] {
			names[name] = true
		}
	}
	return names
}

// inspectedObjects are the objects of a text: those of its arrays, and those that stand by themselves.
func inspectedObjects(roots []node) []node {
	var objects []node
	for _, root := range roots {
		if root.isSequence() {
			objects = append(objects, root.items()...)
		} else {
			objects = append(objects, root)
		}
	}
	return slices.DeleteFunc(objects, func(n node) bool { return !n.isMapping() })
}

// names are the names of an object's members, as inspectedForms has them.
func (n node) names() map[string]bool {
	seen := map[string]bool{}
	for _, m := range n.members() {
		seen[m.key.Value] = true
		seen["Config{"] = seen["Config{"] || m.key.Value == "Config" && m.value.isMapping()
	}
	return seen
}

// inspected is one container while its definition is made.
type inspected struct {
	object node
	// form is containerForm, or configForm for its Config alone.
	form string
	// broken are the objects and arrays that lack something, where the text breaks off.
	broken map[*yaml.Node]bool
}

// config is what the container was told, at a path in its Config.
func (c inspected) config(path ...string) node {
	if c.form == configForm {
		return c.object.at(path...)
	}
	return c.object.at(append([]string{"Config"}, path...)...)
}

// definition makes a definition of the container, or nil if that is no runner's. Whatever it is, its secrets are hidden.
func (c inspected) definition(file *source.File) *Definition {
	d := &Definition{File: file, Place: c.place(), Dialect: Inspected}
	d.Keeper.Name = strings.TrimPrefix(c.object.at("Name").scalar(), "/")
	d.States = Aspects{Image: true, Environment: true, Mounts: c.form == containerForm}
	d.Image = c.config("Image").told().text()
	if name := c.object.at("ImageName"); d.Image.Value == "" && name.scalar() != "" {
		d.Image = name.told().text()
	}
	d.Environment = c.variables(c.config("Env"))
	if c.form != containerForm && c.form != configForm || !isRunner(d) {
		return nil
	}
	d.Mounts = c.mounts()
	c.options(d)
	c.arguments(d)
	if lost := c.lost(); lost != "" {
		d.Unread = append(d.Unread, Text{Place: file.At(len(file.Text), len(file.Text)), Unresolved: lost})
	}
	return d
}

// place is that of the container's name, or where it begins.
func (c inspected) place() source.Span {
	if name := c.object.at("Name"); name.scalar() != "" {
		return name.place()
	}
	return c.object.place()
}

// lost says what is not known of a container whose output breaks off; "" if all that a runner is told was there.
func (c inspected) lost() string {
	if !c.broken[c.object.Node] {
		return ""
	}
	whole := func(n node) bool { return n.ok() && !c.broken[n.Node] }
	told := whole(c.config("Env")) && whole(c.config("Image"))
	switch {
	case told && (c.form == configForm || whole(c.object.at("Mounts"))):
		return ""
	case told:
		return "the output breaks off before the container's Mounts end: what is missing is not known"
	}
	return "the output breaks off before the container's Config ends: what is missing is not known"
}

// told is a scalar as a field, without the quotes of JSON, which are none to a shell.
func (n node) told() field {
	if !n.isScalar() || n.isNull() {
		return field{{at: []source.Span{{}}}}
	}
	f := n.field()
	for i := range f {
		f[i].quoting = Unquoted
	}
	return f
}

// variables reads a list of NAME=value, and hides the values whose names say so. A name alone is how docker takes a
// variable of the image away.
func (c inspected) variables(list node) []Variable {
	var variables []Variable
	for _, item := range list.items() {
		name, value, valued := strings.Cut(item.Value, "=")
		if item.Style != yaml.DoubleQuotedStyle {
			continue
		}
		if secretName(name) && !bareName.MatchString(item.Value) && !(valued && notSecret.MatchString(value)) {
			c.hide(item, len(name)+1)
		}
		if strings.Contains(item.written(), `\`) { // what is escaped does not have the form of a secret in the file itself
			hideSecrets(item.embedded())
		}
		if valued {
			f := item.told()
			variables = append(variables, Variable{
				Name: f.slice(0, len(name)).text(), Value: f.slice(len(name)+1, len(item.Value)).text(), Place: span(f),
			})
		}
	}
	return variables
}

// written is a string of JSON as it is written, between its quotes.
func (n node) written() string {
	text, start := n.text.file.Text, n.start()
	return string(text[start+1 : max(skipString(text, start)-1, start+1)])
}

// hide hides a string from a byte of its value on, and wherever else the same stands.
func (c inspected) hide(n node, from int) {
	file, begin, written := n.text.file, n.start()+1, n.written()
	if from <= len(written) && strings.HasPrefix(n.Value, written[:from]) {
		begin, written = begin+from, written[from:]
	}
	file.Hide(begin, begin+len(written))
	hide(file, begin, begin+len(written))
}

// listedVariable matches the beginning of a string that is a variable, whose name is group 1.
var listedVariable = regexp.MustCompile(`"([A-Za-z_][A-Za-z0-9_.]*)=`)

// hideBeyond hides the secrets in strings that were not read, as the text has a mistake before they end.
func hideBeyond(file *source.File, at int) {
	for _, found := range listedVariable.FindAllSubmatchIndex(file.Text[at:], -1) {
		if secretName(string(file.Text[at+found[2] : at+found[3]])) {
			file.Hide(at+found[1], skipString(file.Text, at+found[0]))
		}
	}
}

// mounts are what the container has mounted: its Mounts, which are what docker made of all that it was told, and where
// they are not there what it was told.
func (c inspected) mounts() []Mount {
	var mounts, further []Mount
	for _, item := range c.object.at("Mounts").items() {
		if m, ok := inspectedMount(item); ok {
			mounts = append(mounts, m)
		}
	}
	at := map[string]int{}
	for i, m := range mounts {
		at[path.Clean(m.Target.Value)] = i
	}
	for _, asked := range c.asked() {
		switch i, made := at[path.Clean(asked.Target.Value)]; {
		case made:
			mounts[i].Place, mounts[i].Option = asked.Place, asked.Option
		case len(mounts) == 0 || c.broken[c.object.at("Mounts").Node]:
			further = append(further, asked)
		}
	}
	return append(mounts, further...)
}

// unnamedVolume matches the name that docker makes up for a volume.
var unnamedVolume = regexp.MustCompile(`^[0-9a-f]{64}$`)

// inspectedMount reads one of a container's Mounts. It tells whether that mounts something of the host: a tmpfs does not.
func inspectedMount(item node) (m Mount, ok bool) {
	kind, name, target := item.at("Type").scalar(), item.at("Name"), item.at("Destination")
	if !target.isScalar() || kind == "tmpfs" || kind == "image" {
		return m, false
	}
	m = Mount{Source: item.at("Source").told().text(), Target: target.told().text(), Option: "-v"}
	m.Place, m.ReadOnly = m.Target.Place, item.at("RW").scalar() == "false"
	if kind == "volume" || kind == "" && name.scalar() != "" {
		m.Volume, m.Source = true, name.told().text()
		if unnamedVolume.MatchString(m.Source.Value) {
			m.Source = Text{}
		}
	}
	return m, true
}

// asked are the mounts as they were asked for, with -v and with --mount.
func (c inspected) asked() []Mount {
	var mounts []Mount
	for _, item := range c.object.at("HostConfig", "Binds").items() {
		if f := item.told(); item.isScalar() {
			o := Option{Name: Text{Value: "-v"}, Value: f.text()}
			mounts = append(mounts, volumeMount(f, o, false))
		}
	}
	for _, item := range c.object.at("HostConfig", "Mounts").items() {
		kind, target := item.at("Type").scalar(), item.at("Target")
		if !target.isScalar() || kind != "bind" && kind != "volume" {
			continue
		}
		mounts = append(mounts, Mount{
			Source: item.at("Source").told().text(), Target: target.told().text(), Place: target.place(),
			Volume: kind == "volume", ReadOnly: item.at("ReadOnly").scalar() == "true", Option: "--mount",
		})
	}
	return mounts
}

// options are those of docker's that settle what the container may use, and how it is kept apart from the host.
func (c inspected) options(d *Definition) {
	host := func(key string) node { return c.object.at("HostConfig", key) }
	for _, m := range host("Tmpfs").members() {
		d.option("--tmpfs", "tmpfs", m.key.told())
	}
	for _, item := range host("Mounts").items() {
		if target := item.at("Target"); item.at("Type").scalar() == "tmpfs" && target.scalar() != "" {
			d.option("--tmpfs", "tmpfs", target.told())
		}
	}
	if mode := host("UsernsMode"); mode.scalar() != "" {
		d.option("--userns", "userns", mode.told())
	}
	if privileged := host("Privileged"); privileged.scalar() == "true" {
		d.option("--privileged", "privileged", privileged.told())
	}
	if limit := host("Memory"); limit.scalar() != "" && limit.scalar() != "0" { // docker's word for none
		d.option("--memory", "memory", limit.told())
	}
}

// arguments takes over what followed the image, and options of docker's among it.
func (c inspected) arguments(d *Definition) {
	r := &reader{grammar: dockerGrammar(), d: d}
	for _, item := range c.config("Cmd").items() {
		if item.isScalar() {
			r.words = append(r.words, item.told())
			d.Arguments = append(d.Arguments, r.words[len(r.words)-1].text())
		}
	}
	r.misplaced()
}
