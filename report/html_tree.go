package report

import (
	"cmp"
	"fmt"
	"strings"

	"runner-preflight/checks"
)

// htmlTree is an image from its reference down to the hosts of its parts.
type htmlTree struct {
	Status                    htmlStatus
	Roles, Reference, Problem string
	Registry, Tokens          string
	// Kind says what the digest, empty when there is none, is of.
	Kind, Digest string
	Platforms    []htmlPlatform

	roles []string
}

type htmlPlatform struct {
	Name   string
	Chosen bool
	Status htmlStatus
	// Folded sums many blobs up; empty where they are few.
	Folded string
	Blobs  []htmlBlob
}

type htmlBlob struct {
	Status                            htmlStatus
	Name, Digest, Size, Host, Unasked string
	// Problem is explained on the page if Told.
	Problem string
	Told    bool
}

// fewBlobs is how many parts of an image are shown without folding them.
const fewBlobs = 8

// htmlTrees are the images of a report, in its order: one that several roles or runners have is there once.
func htmlTrees(r Report) []htmlTree {
	index, told := map[string]int{}, map[string]bool{}
	for _, f := range problems(r) {
		told[f.id()] = true
	}
	var trees []htmlTree
	for _, result := range r.Results {
		for _, f := range result.Findings {
			if f.Pull == nil {
				continue
			}
			key := fmt.Sprintf("%v %q %+v", f.Status, entry{Finding: f}.troubleID(), *f.Pull)
			i, known := index[key]
			if !known {
				i = len(trees)
				index[key], trees = i, append(trees, htmlTreeOf(f, told))
			}
			trees[i].roles = unique(append(trees[i].roles, legible(f.Subject)))
			trees[i].Roles = strings.Join(trees[i].roles, ", ")
		}
	}
	return trees
}

func htmlTreeOf(f checks.Finding, told map[string]bool) htmlTree {
	p := f.Pull
	out := htmlTree{
		Status: htmlStatusOf(f.Status), Reference: legible(p.Reference), Problem: entry{Finding: f}.troubleID(),
		Registry: legible(p.Registry), Tokens: legible(strings.Join(p.Tokens, ", ")), Digest: legible(p.Digest), Kind: "manifest",
	}
	if strings.Contains(p.MediaType, "index") || strings.Contains(p.MediaType, "list") {
		out.Kind = "index"
	}
	for _, name := range p.Platforms {
		one := htmlPlatform{Name: legible(name)}
		if name == p.Platform {
			one = htmlChosen(p, told)
		}
		out.Platforms = append(out.Platforms, one)
	}
	if len(p.Blobs) > 0 && !strings.Contains("\n"+strings.Join(p.Platforms, "\n")+"\n", "\n"+p.Platform+"\n") {
		out.Platforms = append(out.Platforms, htmlChosen(p, told))
	}
	return out
}

// htmlChosen is the platform that is pulled, with its parts and the worst of them.
func htmlChosen(p *checks.Pull, told map[string]bool) htmlPlatform {
	out := htmlPlatform{Name: cmp.Or(legible(p.Platform), "platform not said"), Chosen: true}
	worst, layers, size := checks.Pass, 0, int64(0)
	var hosts []string
	for _, b := range p.Blobs {
		shown, status := htmlBlobOf(b, layers+1)
		shown.Told = told[b.Problem]
		if !b.Config {
			layers++
		}
		worst, size, hosts = max(worst, status), size+max(0, b.Size), append(hosts, legible(b.Host))
		out.Blobs = append(out.Blobs, shown)
	}
	out.Status = htmlStatusOf(worst)
	if len(p.Blobs) > fewBlobs {
		out.Folded = fmt.Sprintf("%s, %s, from %s", checks.CountOf(layers, "layer", "layers"), bytesInWords(size),
			checks.Few(unique(hosts), fewSubjects))
	}
	return out
}

func htmlBlobOf(b checks.PulledBlob, layer int) (htmlBlob, checks.Status) {
	status := checks.Pass
	switch {
	case b.Problem == "not-established":
		status = checks.Error
	case b.Problem != "":
		status = checks.Fail
	case b.Unasked != "":
		status = checks.Skip
	}
	out := htmlBlob{
		Status: htmlStatusOf(status), Name: fmt.Sprintf("layer %d", layer), Digest: legible(b.Digest),
		Size: bytesInWords(b.Size), Host: legible(b.Host), Problem: legible(b.Problem), Unasked: legible(b.Unasked),
	}
	if b.Config {
		out.Name = "config"
	}
	return out, status
}

// bytesInWords is a size for people, in decimal units as registries show it.
func bytesInWords(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", max(0, n))
	}
	size, unit := float64(n), 0
	for ; size >= 999.5 && unit < 4; unit++ {
		size /= 1000
	}
	return fmt.Sprintf("%.3g %s", size, []string{"B", "kB", "MB", "GB", "TB"}[unit])
}
