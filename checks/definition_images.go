package checks

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/dockerconfig"
)

var definitionImages = Check{
	Name:  "definition-images",
	Title: "Every image is written as docker and the runner read it",
	Doc: "Reads the references of the pause, auth-proxy and clone images, and of the runner's own, as " +
		"docker does and as the runner's reader of config.json does: their form, the registry that they " +
		"name, whether a runner can pull them at all, and whether each stands in its own role. Nothing is " +
		"asked over the network.",
	Problems: []*Problem{
		invalidReference, referenceUnsupported, ambiguousRegistry, localImage, implicitTag,
		swappedImages,
	},
	Run: func(ctx context.Context, h *Host) []Finding {
		findings := perRunner(h, func(r *Runner) []Finding {
			found := judgeImages(r)
			for i, f := range found {
				found[i] = confirmed(ctx, h, r, f)
			}
			return found
		})
		if len(findings) == 0 {
			return []Finding{Skipped("images", "there is no runner to judge")}
		}
		return findings
	},
}

// pullFailures are what a wrong reference leads to once the registry is asked, with further problems that go
// before.
func pullFailures(further ...string) []string {
	return append(further, "credentials-missing", "credentials-rejected", "access-denied", "repository-not-found",
		"tag-not-found", "not-a-registry", "unmatched-key", "hub-key", "hub-reference")
}

var invalidReference = &Problem{
	ID:    "invalid-reference",
	Title: "An image reference is malformed",
	Doc: "A reference is HOST[:PORT]/NAME[:TAG][@DIGEST]: no scheme, no blank, no upper case in the name, " +
		"no empty component. Docker refuses any other form with \"invalid reference format\", and the " +
		"runner's reader throws before it gets that far, so that every step of every pipeline fails. Write " +
		"the reference as `docker pull` takes it.",
	Source: "the grammar of github.com/distribution/reference, which docker uses; the runner's reader as " +
		"measured (docker-java 3.7.1)",
	Explains: pullFailures("implicit-tag", "ambiguous-registry", "config-unmounted"),
	Prints: []Print{
		{printsInvalidReference, 1},
		{`repository name must be lowercase`, 1},
	},
}

var referenceUnsupported = &Problem{
	ID:    "reference-unsupported",
	Title: "The runner refuses an image reference that docker takes",
	Doc: "Docker allows two underscores or several dashes in a row inside a name, and SHA-512 digests. The " +
		"library with which the runner looks credentials up does not: it throws, and the image is never " +
		"pulled, although `docker pull` of it works. Push the image under a plainer name.",
	Source: "measured on docker-java 3.7.1, which the runner very probably uses (strong but indirect " +
		"evidence)",
	Explains: pullFailures(),
	Prints: []Print{
		{printsInvalidReference, 3},
	},
}

var ambiguousRegistry = &Problem{
	ID:    "ambiguous-registry",
	Title: "What looks like a registry is an account on Docker Hub to docker",
	Doc: "Docker takes the first component of a reference for a host only if it has a dot or a port, or is " +
		"`localhost`. `my-private-registry/my-pause`, the sample of the documentation, is the image " +
		"`my-pause` of the Docker Hub account `my-private-registry`: the pull goes to Docker Hub, whatever " +
		"config.json says. Write the registry's full host name.",
	Source: "the grammar of github.com/distribution/reference; measured on docker-java; that a host is " +
		"meant is inferred from the name",
	Explains: pullFailures(),
	Prints: []Print{
		{printsNoAccess, 4},
	},
}

var localImage = &Problem{
	ID:    "local-image",
	Title: "An image exists on the host alone",
	Doc: "\"The runner will always pull images from a remote host and can't use images on the host " +
		"device.\" An image ID and a `localhost/…` name exist in this host's storage only: the pull fails. " +
		"Push the image to a registry and name it there.",
	Source:   "the vendor's documentation, limitations of private images",
	Explains: pullFailures("implicit-tag", "connect-refused", "insecure-registry"),
}

var implicitTag = &Problem{
	ID:    "implicit-tag",
	Title: "An override has neither tag nor digest",
	Doc: "Docker's command line adds `:latest`; the library that the runner pulls with adds nothing, and " +
		"the daemon may then be asked for every tag of the repository: slow, or a failure. Write the tag.",
	Source: "measured on docker-java 3.7.1, which the runner very probably uses; what the daemon makes of " +
		"it is inferred",
}

var swappedImages = &Problem{
	ID:    "swapped-images",
	Title: "An image stands in the role of another",
	Doc: "The three overrides have one job each: the pause image keeps a step's network alive, the auth " +
		"proxy hands out credentials, the clone image fetches the repository. An image in the wrong role is " +
		"pulled without an error and then fails inside the step, where its logs do not tell why.",
	Source: "the vendor's documentation names the roles; that an image is meant for another one is inferred " +
		"from its name",
}

// judgeImages judges the images of one runner.
func judgeImages(r *Runner) []Finding {
	if runtime, shell := containerless(r); shell {
		return []Finding{Skipped("images", fmt.Sprintf("a runner with RUNTIME %s pulls no images", runtime))}
	}
	findings := swapped(r)
	for _, image := range r.Images {
		image.Reference = withoutReturn(image.Reference)
		found := judgeImage(r, image)
		concerned := func(f Finding) bool { return slices.Contains(f.Touches, Reference(image.Reference)) }
		if len(found) == 0 && !slices.ContainsFunc(findings, concerned) && image.Origin != OriginDefault {
			found = []Finding{Passed(string(image.Role),
				image.Reference+" is a reference that docker and the runner read alike")}
		}
		findings = append(findings, found...)
	}
	if len(findings) == 0 {
		return []Finding{Passed("images", "all images are the vendor's defaults")}
	}
	return findings
}

// judgeImage judges one image by itself. What the definition-environment check has a better name for is left to
// it.
func judgeImage(r *Runner, image Image) []Finding {
	role := string(image.Role)
	switch {
	case image.Unresolved != "":
		return []Finding{Skipped(role, "the reference is not known: "+image.Unresolved)}
	case image.Origin == OriginDefault:
		return nil
	case leftToEnvironment(image):
		return []Finding{Skipped(role, "there is no reference yet to judge")}
	}
	wrong := formMistake(image)
	if wrong == nil {
		return about(image, registryMistakes(r, image))
	}
	return about(image, []Finding{Failed(wrong.problem, role, wrong.message, wrong.hint)})
}

// leftToEnvironment tells whether a definition's image is a sample, in quotes or has a comment behind it, which
// definition-environment reports.
func leftToEnvironment(image Image) bool {
	return image.Origin == OriginDefinition && (sampleIn(image.Reference) != "" ||
		inQuotes(image.Reference) || comment.MatchString(image.Reference))
}

// about places findings at an image.
func about(image Image, findings []Finding) []Finding {
	for i, f := range findings {
		if f.Root == f.Subject {
			f = f.On(image.Reference)
		}
		findings[i] = f.At(image.Place).Touching(Reference(image.Reference), Variable(string(image.Role)))
	}
	return findings
}

// formMistake tells why a reference cannot be pulled, whatever the registry says. The runner's own image is
// docker's to read, not the runner's.
func formMistake(image Image) *mistake {
	override := image.Role != RoleRunner
	if override {
		if local := localMistake(image.Reference); local != nil {
			return local
		}
	}
	if wrong := malformedReference(image.Reference); wrong != nil || !override {
		return wrong
	}
	return unsupportedReference(image.Reference)
}

// imageID is an image's ID, in full or in short. Twelve letters without a digit may be a name.
var imageID = regexp.MustCompile(`^(sha256:)?([0-9a-f]{64}|[0-9a-f]{12})$`)

func localMistake(image string) *mistake {
	const hint = "push it to a registry that the runner reaches, and name it there as HOST/NAME:TAG"
	bare, named := strings.CutPrefix(image, "sha256:")
	switch {
	case imageID.MatchString(image) && (named || strings.ContainsAny(bare, "0123456789")):
		return &mistake{localImage, fmt.Sprintf("%q is the ID of an image on this host; a runner always pulls",
			image), hint}
	case strings.HasPrefix(image, "localhost/"):
		return &mistake{
			localImage,
			fmt.Sprintf("%q is an image on this host: localhost without a port is no registry to pull from",
				image), hint,
		}
	}
	return nil
}

// registryMistakes judges a reference that docker and the runner can read.
func registryMistakes(r *Runner, image Image) []Finding {
	var findings []Finding
	role := string(image.Role)
	host, repository, tag, digest := splitReference(image.Reference)
	first, rest, nested := strings.Cut(repository, "/")
	if host == "" && nested {
		if meant, sign := meantHost(r, first, rest); sign != "" {
			findings = append(findings, Warned(ambiguousRegistry, role,
				fmt.Sprintf("docker takes %q in %q for an account on Docker Hub, as it has no dot and no port (%s)",
					first, image.Reference, sign),
				"write the registry's full host name, as "+meant+image.Reference[len(first):]).On(first))
		}
	}
	if tag == "" && digest == "" && image.Role != RoleRunner {
		findings = append(findings, Warned(implicitTag, role,
			fmt.Sprintf("%q has neither tag nor digest, and the runner adds none", image.Reference),
			fmt.Sprintf("write the tag: %s, if that is the one", assigned(r.Definition, role, image.Reference+":latest"))))
	}
	return findings
}

// confirmed fails what looks like a registry and is an account on Docker Hub to docker, once the Hub was asked and does
// not give the image.
func confirmed(ctx context.Context, h *Host, r *Runner, f Finding) Finding {
	if f.Problem != ambiguousRegistry || h.Offline {
		return f
	}
	for _, image := range r.Images {
		if !slices.Contains(f.Touches, Reference(image.Reference)) {
			continue
		}
		missed := resolve(ctx, h, r, image).Failure
		if missed != nil && slices.Contains([]string{
			"credentials-missing", "credentials-rejected", "access-denied", "repository-not-found", "tag-not-found",
		}, missed.Kind) {
			f.Message += ", and there it cannot be pulled"
			return f.As(Fail)
		}
	}
	return f
}

// hostWord matches the names that people give to registries, hubAccount accounts of Docker Hub with such a
// name.
var (
	hostWord   = regexp.MustCompile(`registry|docker|artifactory|nexus|harbor|mirror|private|quay|gitlab|jfrog`)
	hubAccount = regexp.MustCompile(`^(docker|dockersamples|dockereng|dockerswarm|goharbor|gitlab)$`)
)

// meantHost tells why the first component of a name on Docker Hub is probably meant to be a host (sign is empty
// if it is not), and what that host may be called.
func meantHost(r *Runner, first, rest string) (host, sign string) {
	file := (*dockerconfig.File)(nil)
	if r.Config != nil {
		file = r.Config.File
	}
	for _, key := range file.Keys() {
		name := dockerconfig.KeyHost(key)
		label, _, _ := strings.Cut(name, ".")
		if label, _, _ = strings.Cut(label, ":"); label == first && name != "index.docker.io" {
			if name == label {
				name += ".example.com"
			}
			return name, fmt.Sprintf("config.json has an entry %q", key)
		}
	}
	host = first + ".example.com"
	switch {
	case hostWord.MatchString(first) && !hubAccount.MatchString(first):
		return host, "its name is that of a registry"
	case strings.Contains(rest, "/"):
		return host, "names on Docker Hub have two components"
	}
	return "", ""
}

// These match an image's name, or its tag, by what it is for.
var (
	authProxyName  = regexp.MustCompile(`auth[._-]?proxy`)
	pauseName      = regexp.MustCompile(`(^|[._-])pause([._-]|$)`)
	cloneName      = regexp.MustCompile(`dvcs|(^|[._-])clone([._-]|$)`)
	runnerSelfName = regexp.MustCompile(`^bitbucket-pipelines-runner$`)
)

// apparentRole is the role that an image is made for by its name, else by its tag; "" if that does not tell.
func apparentRole(image string) Role {
	_, repository, tag, _ := splitReference(image)
	for _, text := range []string{repository[strings.LastIndexByte(repository, '/')+1:], tag} {
		switch {
		case authProxyName.MatchString(text):
			return RoleAuthProxy
		case pauseName.MatchString(text):
			return RolePause
		case cloneName.MatchString(text):
			return RoleClone
		case runnerSelfName.MatchString(text):
			return RoleRunner
		}
	}
	return ""
}

// swapped compares the roles of the overrides with their names and with each other.
func swapped(r *Runner) []Finding {
	var findings []Finding
	overrides := r.Overrides()
	for _, image := range overrides {
		apparent := apparentRole(image.Reference)
		if apparent != "" && apparent != image.Role {
			findings = append(findings, about(image, []Finding{misplaced(image, apparent, overrides)})...)
			continue
		}
		same := func(other Image) bool {
			return other.Role != image.Role && other.Reference == image.Reference
		}
		if i := slices.IndexFunc(overrides, same); i >= 0 && apparent == "" {
			findings = append(findings, about(image, []Finding{Warned(swappedImages, string(image.Role),
				fmt.Sprintf("%s and %s are the same image, %s", image.Role, overrides[i].Role, image.Reference),
				"give each role the image that was mirrored for it")})...)
		}
	}
	return findings
}

// misplaced reports an image whose name is that of another role.
func misplaced(image Image, apparent Role, overrides []Image) Finding {
	message := fmt.Sprintf("%s is %s, by its name the image for %s", image.Role, image.Reference, apparent)
	hint := fmt.Sprintf("move it to %s, and give %s its own image", apparent, image.Role)
	finding := Warned(swappedImages, string(image.Role), message, hint)
	for _, other := range overrides {
		if other.Role == apparent && apparentRole(other.Reference) == image.Role {
			finding.Hint = "exchange the values of " + exchange(image.Role, apparent)
			return finding.On(exchange(image.Role, apparent))
		}
	}
	if apparent == RoleRunner {
		finding.Message = fmt.Sprintf("%s is %s, the runner itself", image.Role, image.Reference)
		finding.Hint = fmt.Sprintf("give %s its own image", image.Role)
	}
	return finding
}

// exchange names two roles in one order, whichever comes first.
func exchange(a, b Role) string { return string(min(a, b)) + " and " + string(max(a, b)) }
