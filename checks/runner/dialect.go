package runner

import "strings"

// Dialect is how a kind of definition writes its parts, so that advice can be given in the words of the file.
type Dialect int

// The dialects.
const (
	// DockerRun is docker's command line, in a shell script or a text.
	DockerRun Dialect = iota
	// Compose is a compose file.
	Compose
	// Kubernetes is a manifest.
	Kubernetes
	// Inspected is a container that was made already: what docker inspect prints. To change it is to make it anew.
	Inspected
	// Unit is docker's command line in a systemd unit, with no shell between them.
	Unit
	// Quadlet is a unit from which Podman makes a container.
	Quadlet
	// Own is the container of this process: its environment, and what is mounted into it.
	Own
)

// Inside tells whether it is the container of this process that is told of, and from within: what the container has is
// seen, and what of the host that is is not.
func (d Dialect) Inside() bool { return d == Own }

// OffHost tells whether the paths from which it mounts are none that this process can look at: those of a node of a
// cluster, or of the host of its container.
func (d Dialect) OffHost() bool { return d == Kubernetes || d.Inside() }

// FromFolder tells whether relative paths in it begin at the folder of the project, so that they are known where it runs.
func (d Dialect) FromFolder() bool { return d == Compose }

// InShell tells whether a shell reads it before docker does.
func (d Dialect) InShell() bool { return d == DockerRun }

// Mount is a mount as the dialect writes it.
func (d Dialect) Mount(source, target string, readOnly bool) string {
	value := source + ":" + target
	if readOnly {
		value += ":ro"
	}
	switch d {
	case Compose:
		return "- " + value
	case Kubernetes:
		name := source
		if !volumeName.MatchString(source) {
			name = volumeNameFor(target)
		}
		mount := "- {name: " + name + ", mountPath: " + target
		if readOnly {
			mount += ", readOnly: true"
		}
		return mount + "}"
	case Quadlet:
		return "Volume=" + value
	}
	return "-v " + value
}

// volumeNameFor is a name for the volume that stands at a path.
func volumeNameFor(target string) string {
	name := strings.Trim(strings.NewReplacer("/", "-", ".", "").Replace(target), "-")
	if name == "" {
		return "root"
	}
	return name
}

// Variable is a variable as the dialect writes it.
func (d Dialect) Variable(name, value string) string {
	switch d {
	case Compose:
		return "- " + name + "=" + value
	case Kubernetes:
		return "- {name: " + name + `, value: "` + value + `"}`
	case Quadlet:
		return "Environment=" + name + "=" + value
	}
	return "-e " + name + "=" + value
}

// Bare is a variable in which nothing is quoted that the dialect does not need in quotes.
func (d Dialect) Bare(name, value string) string {
	if d == Kubernetes {
		return d.Variable(name, value)
	}
	return name + "=" + value
}

// Memory is a limit of the container's memory of 512 MB, as the dialect writes it under the name that the limit has.
func (d Dialect) Memory(name string) string {
	switch {
	case d == Compose:
		return name + ": 512m"
	case d == Kubernetes:
		return name + ": 512Mi"
	case d == Quadlet && !strings.HasPrefix(name, "-"):
		return name + "=512M"
	}
	return "--memory 512m"
}

// Switch is an option of docker's as the dialect writes it: userns, or security-opt with label=disable.
func (d Dialect) Switch(long, value string) string {
	switch {
	case d == Compose && long == "userns":
		return "userns_mode: " + value
	case d == Compose:
		return "security_opt: [" + value + "]"
	case d == Quadlet && long == "userns":
		return "UserNS=" + value
	case d == Quadlet:
		return "SecurityLabelDisable=true"
	case long == "userns":
		return "--userns=" + value
	}
	return "--" + long + " " + value
}

// WhereSwitches says where an option is to be written, as the end of a sentence.
func (d Dialect) WhereSwitches() string {
	switch d {
	case Compose:
		return " in the service"
	case Quadlet:
		return " in the section [Container]"
	}
	return ", before the image"
}

// WhereMounts says where a mount is to be written, as the end of a sentence.
func (d Dialect) WhereMounts() string {
	switch d {
	case Compose:
		return " under volumes of the service"
	case Kubernetes:
		return " under volumeMounts of the container, with a volume of that name"
	case Inspected:
		return " when the container is made anew"
	case Quadlet:
		return " in the section [Container]"
	case Own:
		return " before the image, where this container is started"
	}
	return " before the image"
}

// WhereVariables says where a variable is to be written, as the end of a sentence.
func (d Dialect) WhereVariables() string {
	switch d {
	case Compose:
		return " under environment of the service"
	case Kubernetes:
		return " under env of the container"
	case Inspected:
		return " when the container is made anew"
	case Quadlet:
		return " in the section [Container]"
	}
	return " before the image"
}
