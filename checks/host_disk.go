package checks

import (
	"context"
	"fmt"
	"path"
	"strings"
)

var diskShort = &Problem{
	ID:    "disk-short",
	Title: "There is little room where docker keeps images",
	Doc: "The file system of docker's data root is nearly full: less than 1 GB is free, or less than three times what the " +
		"runner's images have packed in their registries, or it has no inodes left. With less than 10 MB it fails: docker then " +
		"cannot make a container. Pulls end with \"no space left on device\", " +
		"and so do steps, which write there too. Make room, or move the data root to a larger file system. docker system df " +
		"shows what takes it. docker image prune removes images that have lost their name to a newer one, docker builder prune " +
		"what builds left; both ask first. docker image prune -a asks too, and removes every image that no container uses: " +
		"they are pulled again when they are needed, but one that was built here and is in no registry is lost. " +
		"docker system prune and docker container prune remove stopped containers, the runner's too if it is stopped, and " +
		"Bitbucket shows its secret only once.",
	Source: "the file system's own numbers; the measures are this tool's choice",
	Prints: []Print{
		{`no space left on device`, 1},
	},
}

var hostDisk = Check{
	Name:  "host-disk",
	Title: "There is room where docker keeps images",
	Doc: "Looks how much is free on the file system of docker's data root, and compares it with the sizes of the images' " +
		"layers. Nothing is downloaded for that, and images that are there already are not taken into account.",
	Problems: []*Problem{diskShort},
	Run:      runHostDisk,
}

// Space is what a file system has room for.
type Space struct {
	// Total and Free are in bytes; Free is what is there for others than root too.
	Total, Free uint64
	// Nodes and FreeNodes are inodes; both are 0 where the file system makes as many as are needed.
	Nodes, FreeNodes uint64
}

const (
	// leastSpace is in bytes.
	leastSpace = 1_000_000_000
	// fullSpace is in bytes: with less, docker cannot even make a container of an image that it has.
	fullSpace = 10_000_000
	// leastNodes is how many inodes an image of some size may take.
	leastNodes = 10_000
	// unpacked is how much larger than in their registries images are on disk, at most.
	unpacked = 3
	// largestBlob bounds what a manifest may say of a blob, in bytes.
	largestBlob = 1 << 40
)

// Where docker keeps images by default, and where containerd does if they are left to it.
const (
	defaultDataRoot    = "/var/lib/docker"
	containerdDataRoot = "/var/lib/containerd"
)

func runHostDisk(ctx context.Context, h *Host) []Finding {
	folders, reason := dataRoots(h)
	if reason != "" {
		return []Finding{Skipped("disk", reason)}
	}
	packed := packedSize(ctx, h)
	var findings []Finding
	for _, folder := range folders {
		findings = append(findings, judgeSpace(h, folder, packed))
	}
	return findings
}

// dataRoots are the folders where docker keeps images, as they can be seen from here, or why they cannot be.
func dataRoots(h *Host) (folders []string, reason string) {
	switch {
	case !h.Live:
		return nil, "files alone are judged, not a machine"
	case h.Space == nil:
		return nil, "how much room there is cannot be known here"
	case !usesHostsDocker(h):
		return nil, "no runner uses this machine's docker"
	case !daemonIsHere(h):
		return nil, "docker's daemon is on another machine"
	}
	candidates := []string{defaultDataRoot}
	if h.Told != nil {
		candidates = []string{h.Told.DataRoot}
		if h.Told.ContainerdStore {
			candidates = append(candidates, containerdDataRoot)
		}
	}
	_, err := h.Files.Stat("/.dockerenv")
	for _, folder := range candidates {
		if err == nil { // of the host's folders a container has those that are mounted; the vendor's command mounts this one
			folder = path.Join(folder, "containers")
		}
		if info, err := h.Files.Stat(folder); path.IsAbs(folder) && err == nil && info.IsDir() {
			folders = append(folders, folder)
		}
	}
	if len(folders) == 0 {
		return nil, fmt.Sprintf("%s, where docker keeps images, cannot be seen from here", clip(candidates[0]))
	}
	return folders, ""
}

// daemonIsHere tells whether docker's daemon runs on the kernel that this process runs on: what it calls a folder then is
// that very folder. Where there is none, its folders are those of this machine.
func daemonIsHere(h *Host) bool {
	if h.Told == nil {
		return true
	}
	release, err := h.Files.ReadFile(kernelFile)
	return (h.Engine == nil || h.Engine.Socket() != "") && !h.daemon.elsewhere() &&
		(err != nil || strings.TrimSpace(string(release)) == h.Told.Kernel)
}

// packedSize is what all images have in their registries, in bytes, each blob once; 0 where nobody was asked.
func packedSize(ctx context.Context, h *Host) (total uint64) {
	seen := map[string]bool{}
	for _, r := range h.Runners {
		for _, image := range r.Images {
			if unasked(h, image) != "" {
				continue
			}
			for _, blob := range resolve(ctx, h, r, image).Blobs {
				if !seen[blob.Digest] {
					total += uint64(max(0, min(blob.Size, largestBlob)))
				}
				seen[blob.Digest] = true
			}
		}
	}
	return total
}

func judgeSpace(h *Host, folder string, packed uint64) Finding {
	space, err := h.Space(folder)
	if err != nil || space.Total == 0 {
		return Skipped(folder, "how much room there is cannot be known here")
	}
	free := fmt.Sprintf("%s of %s are free on the file system of %s", gigabytes(space.Free), gigabytes(space.Total), folder)
	hint, prune := roomHint(h.client())
	f := Warned(diskShort, folder, free, hint).
		Try(h.client()+" system df", "df -h "+shellWord(folder)).Try(prune...).Touching(Path(folder))
	switch {
	case space.Free < fullSpace:
		f = f.As(Fail)
	case space.Free < leastSpace:
	case space.Free < unpacked*packed:
		f.Message += fmt.Sprintf("; the images have %s packed, and take up to %d times that", gigabytes(packed), unpacked)
	case space.Nodes > 0 && space.FreeNodes < leastNodes:
		f.Message = fmt.Sprintf("%d of %d inodes are free on the file system of %s", space.FreeNodes, space.Nodes, folder)
		f.Commands[1] = "df -i " + shellWord(folder)
	default:
		f = Passed(folder, free)
	}
	return f.With("free_bytes", space.Free).With("total_bytes", space.Total)
}

// roomHint says what makes room, with commands that ask before they remove anything and take nothing that is in use. Those
// that take stopped containers are not among them: one may be the runner's.
func roomHint(client string) (hint string, commands []string) {
	const images = "see what takes it, then make room: image prune removes images that have lost their name"
	if client == "podman" { // it keeps what builds left among its images
		return images + ", and asks first", []string{client + " image prune"}
	}
	return images + ", builder prune what builds left; both ask first",
		[]string{client + " image prune", client + " builder prune"}
}

func gigabytes(n uint64) string {
	if n < 100_000_000 {
		return fmt.Sprintf("%d MB", n/1_000_000)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
