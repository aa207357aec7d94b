package checks

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"runner-preflight/checks/runner"
)

// vendorPrerequisites is where the rules of this file come from.
const vendorPrerequisites = "the vendor's documentation, prerequisites of Linux Docker runners"

var kernelTooOld = &Problem{
	ID:    "kernel-too-old",
	Title: "The kernel is older than the vendor asks for",
	Doc: "The vendor asks for Linux 4 or newer. Older kernels that distributions keep alive (3.10 of RHEL and CentOS 7) run " +
		"docker after a fashion: overlay file systems, control groups and the programs in newer images do not work on them " +
		"as they should, and the vendor does not help with what comes of it. Move the runner to a newer system.",
	Source: vendorPrerequisites,
	Prints: []Print{
		{`FATAL: kernel too old`, 1},
	},
}

var architectureUnsupported = &Problem{
	ID:    "architecture-unsupported",
	Title: "The vendor has no runner for this machine's architecture",
	Doc: "The vendor's images are made for x64 and arm64 alone: on anything else, 32-bit systems on a 64-bit machine " +
		"among it, the pull ends with \"no matching manifest\", or the container with \"exec format error\". Run the runner on " +
		"an x64 or arm64 machine, with a 64-bit system and docker.",
	Source:   vendorPrerequisites,
	Explains: []string{"platform-missing"},
	Prints: []Print{
		{`exec format error|no matching manifest for \S+`, 2},
	},
}

var memoryShort = &Problem{
	ID:    "memory-short",
	Title: "The machine has less memory than the vendor asks for",
	Doc: "The vendor asks for 8 GB. The runner itself starts with less, but a step's build and its services share what is " +
		"there: when it is used up, the kernel kills one of them, and the step ends with exit code 137. A machine of 8 GB shows " +
		"somewhat less, as its firmware and kernel keep some: this tool warns below 7 GiB.",
	Source: vendorPrerequisites + "; the 7 GiB are this tool's choice",
}

var runnerMemoryShort = &Problem{
	ID:    "runner-memory-short",
	Title: "The runner's container may use less memory than the vendor asks for",
	Doc: "The vendor asks for 512 MB for the runner's own container. It is a Java program: with less it is killed, or spends " +
		"its time making room, and the runner goes offline in the midst of steps. The limit is not for builds, which have " +
		"containers of their own. Raise it, or take it out. It is read where the container's limit stands: `--memory`, " +
		"`mem_limit` and the limits of `deploy` in compose, `resources.limits.memory`, `Memory=` of Quadlet. `MemoryMax=` of a " +
		"unit holds for Quadlet's containers, and for docker's client alone where the unit runs docker.",
	Source: vendorPrerequisites,
	Prints: []Print{
		{`java\.lang\.OutOfMemoryError`, 1},
	},
}

var dockerTooOld = &Problem{
	ID:    "docker-too-old",
	Title: "Docker is older than the runner needs",
	Doc: "The vendor asks for Docker 19.03 or newer, whose API the runner speaks to pull images and start steps. The docker " +
		"that came with CentOS 7 (1.13) is older. Install a newer one from docker's own packages.",
	Source: vendorPrerequisites,
	Prints: []Print{
		{`client version \S+ is too new`, 2},
	},
}

var hostPrerequisites = Check{
	Name:  "host-prerequisites",
	Title: "The machine has what the vendor asks for",
	Doc: "Compares this machine with the vendor's prerequisites: kernel 4, x64 or arm64, 8 GB of memory, Docker 19.03, and " +
		"512 MB for the runner's own container. What docker's daemon says of its host comes before what this process sees.",
	Problems: []*Problem{kernelTooOld, architectureUnsupported, memoryShort, dockerTooOld, runnerMemoryShort},
	Run:      func(_ context.Context, h *Host) []Finding { return append(prerequisites(h), runnersMemory(h)...) },
}

// What the vendor asks for.
const (
	leastKernel = 4
	// leastMemory is 8 GB less what firmware and kernel keep of it, in bytes.
	leastMemory = 7 << 30
	// leastRunnerMemory is in bytes.
	leastRunnerMemory = 512_000_000
	oldestDocker      = "19.03"
)

// prerequisites judges the machine.
func prerequisites(h *Host) []Finding {
	if !h.Live {
		return []Finding{Skipped("host", "files alone are judged, not a machine")}
	}
	if h.Told == nil && h.Machine == "" && kernelOf(h) == "" && memoryOf(h) == 0 {
		return []Finding{Skipped("host", "nothing is known of this machine")}
	}
	return []Finding{kernel(h), architecture(h), memory(h), dockerVersion(h)}
}

// kernelFile and memoryFile are what the kernel says of itself and of the machine's memory, in a container too.
const (
	kernelFile = "/proc/sys/kernel/osrelease"
	memoryFile = "/proc/meminfo"
)

func kernel(h *Host) Finding {
	release := kernelOf(h)
	found := leadingNumbers.FindStringSubmatch(release)
	if found == nil {
		return Skipped("kernel", "the version of the kernel is not known here")
	}
	// A number that is too long for an int is no version that is too old.
	if major, err := strconv.Atoi(found[1]); err == nil && major < leastKernel {
		message := fmt.Sprintf("the kernel is %s; the vendor asks for %d or newer", clip(release), leastKernel)
		return Warned(kernelTooOld, "kernel", message,
			"move the runner to a system with a newer kernel").Try("uname -r")
	}
	return Passed("kernel", "the kernel is "+clip(release))
}

// leadingNumbers are a version's first two numbers.
var leadingNumbers = regexp.MustCompile(`^(\d+)\.(\d+)`)

// kernelOf is the release of the kernel on which the daemon runs; "" if it is not known.
func kernelOf(h *Host) string {
	if h.Told != nil && h.Told.Kernel != "" {
		return h.Told.Kernel
	}
	data, err := h.Files.ReadFile(kernelFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func architecture(h *Host) Finding {
	platform, certain := h.Machine, false
	if h.Told != nil {
		platform, certain = h.Told.Platform, true
	}
	_, arch, _ := strings.Cut(platform, "/")
	arch, _, _ = strings.Cut(arch, "/")
	switch {
	case arch == "":
		return Skipped("architecture", "the machine's architecture is not known here")
	case slices.Contains([]string{"amd64", "arm64"}, arch):
		return Passed("architecture", "the architecture is "+arch)
	case !certain && slices.Contains([]string{"386", "arm"}, arch):
		return Skipped("architecture", "this program is a 32-bit one, and the machine may be more")
	}
	f := Failed(architectureUnsupported, "architecture", fmt.Sprintf("the architecture is %s; the vendor's images are for amd64 "+
		"and arm64", clip(arch)), "run the runner on an x64 or arm64 machine with a 64-bit system").Try("uname -m")
	for _, r := range h.Runners {
		for _, image := range r.Images {
			f = f.Touching(Reference(image.Reference))
		}
	}
	return f
}

func memory(h *Host) Finding {
	size := memoryOf(h)
	switch {
	case size <= 0:
		return Skipped("memory", "the machine's memory is not known here")
	case size < leastMemory:
		return Warned(memoryShort, "memory", fmt.Sprintf("the machine has %s of memory; the vendor asks for 8 GB", gibibytes(size)),
			"give the machine 8 GB, or let its steps use less").Try("free -h").With("bytes", size)
	}
	return Passed("memory", "the machine has "+gibibytes(size)+" of memory").With("bytes", size)
}

func gibibytes(n int64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

// memoryOf is the memory of the machine on which the daemon runs, in bytes; 0 if it is not known.
func memoryOf(h *Host) int64 {
	if h.Told != nil && h.Told.Memory > 0 {
		return h.Told.Memory
	}
	data, err := h.Files.ReadFile(memoryFile)
	if err != nil {
		return 0
	}
	found := memoryTotal.FindSubmatch(data)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(string(found[1]), 10, 53) // of one that is too large the largest
	return kilobytes << 10
}

// memoryTotal is a line of /proc/meminfo. Source: proc(5).
var memoryTotal = regexp.MustCompile(`(?m)^MemTotal:\s+(\d+) kB$`)

func dockerVersion(h *Host) Finding {
	switch {
	case h.Told == nil:
		return Skipped("docker", "docker's version is not known here")
	case !strings.HasPrefix(h.Told.Product, "Docker"):
		return Skipped("docker", clip(h.Told.Product)+" is not docker, and has versions of its own")
	case !usesHostsDocker(h):
		return Skipped("docker", "no runner uses this machine's docker")
	}
	// 19.03 and 19.3 are one number to a comparison of numbers, as 1.13 and 20.10 are in order.
	found := leadingNumbers.FindStringSubmatch(h.Told.Version)
	if found == nil {
		return Skipped("docker", fmt.Sprintf("docker says that its version is %q", clip(h.Told.Version)))
	}
	major, errMajor := strconv.Atoi(found[1])
	minor, errMinor := strconv.Atoi(found[2])
	if errMajor == nil && errMinor == nil && (major < 19 || major == 19 && minor < 3) {
		message := fmt.Sprintf("docker is %s; the runner needs %s or newer", clip(h.Told.Version), oldestDocker)
		return Failed(dockerTooOld, "docker", message,
			"install a newer docker: https://docs.docker.com/engine/install/").Try("docker version")
	}
	return Passed("docker", "docker is "+clip(h.Told.Version))
}

// usesHostsDocker tells whether this machine's docker is, or may be, that of a runner.
func usesHostsDocker(h *Host) bool {
	return len(h.Runners) == 0 || slices.ContainsFunc(h.Runners, func(r *Runner) bool {
		_, none := containerless(r)
		return !none && (r.Definition == nil || r.Definition.Daemon == nil)
	})
}

// runnersMemory judges what definitions let the runner's own container use.
func runnersMemory(h *Host) []Finding {
	return perRunner(h, func(r *Runner) []Finding {
		if r.Definition == nil {
			return nil
		}
		limit, size := r.Definition.Memory()
		subject, message := limitName(limit), "the runner's container may use "+units.BytesSize(float64(size))
		switch {
		case size == 0:
			return nil
		case size >= leastRunnerMemory:
			return []Finding{Passed(subject, message)}
		}
		hint := fmt.Sprintf("write %s or more, or no limit", r.Definition.Dialect.Memory(limit.Name.Value))
		if r.Definition.Dialect == runner.Kubernetes && strings.HasSuffix(limit.Value.Value, "m") {
			hint += ": m stands for thousandths of a byte"
		}
		f := Warned(runnerMemoryShort, subject, message+"; the vendor asks for 512 MB for it", hint).
			At(limit.Value.Place).On(r.Name)
		if r.Container != nil {
			f.Hint = "raise it, for which the container need not be made anew"
			f = f.Try(h.moreMemory(r.Container))
		}
		return []Finding{f}
	})
}

// limitName is what a limit of memory is called where it stands; of docker's two options the long one.
func limitName(limit runner.Option) string {
	if strings.HasPrefix(limit.Name.Value, "-") {
		return "--memory"
	}
	return limit.Name.Value
}
