package checks

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/distribution/reference"
)

// mistake is what is wrong with something, and what to write instead.
type mistake struct {
	problem       *Problem
	message, hint string
}

// splitReference takes a reference apart as docker does: the host only if the first component is one, tag and
// digest without their marks.
func splitReference(image string) (host, repository, tag, digest string) {
	repository, digest, _ = strings.Cut(image, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:colon], repository[colon+1:]
	}
	if first, rest, found := strings.Cut(repository, "/"); found && looksLikeHost(first) {
		return first, rest, tag, digest
	}
	return "", repository, tag, digest
}

// looksLikeHost tells whether the runner's reader takes a reference's first component for a host.
func looksLikeHost(component string) bool {
	return strings.ContainsAny(component, ".:") || component == "localhost"
}

// malformedReference tells why neither docker nor the runner can read a reference; nil if docker can.
func malformedReference(image string) *mistake {
	for _, look := range []func(string) *mistake{
		blankMistake, ownerMistake, schemeMistake, digestMistake, tagMistake, componentMistake, caseMistake, hostMistake,
		grammarMistake,
	} {
		if found := look(image); found != nil {
			found.problem = invalidReference
			return found
		}
	}
	return nil
}

func blankMistake(image string) *mistake {
	trimmed := strings.TrimSpace(image)
	at := strings.IndexFunc(image, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	switch {
	case trimmed == "":
		return &mistake{
			message: "the reference is empty",
			hint:    "write the image's reference, or leave the variable out to use the vendor's image",
		}
	case trimmed != image:
		return &mistake{
			message: fmt.Sprintf("%q begins or ends with a blank or a line break", image),
			hint:    "write " + trimmed,
		}
	case at >= 0:
		return &mistake{
			message: fmt.Sprintf("%q has a blank or an invisible character in it", image),
			hint:    "take the character out",
		}
	}
	return nil
}

// owned matches a reference with a user name and a password before its host, as a URL may have them.
var owned = regexp.MustCompile(`^((?:\w+:)?//)?([^/@]*:.*)@([^/@]+/[^@]*(?:@sha256:\w*)?)$`)

// What else of a URL may be secret: who stands before its host alone, and the values of its query.
var (
	urlOwner = regexp.MustCompile(`^((?:\w+:)?//)[^/@…]*@`)
	urlQuery = regexp.MustCompile(`([?&][\w.-]+=)[^&]*`)
)

// vendorSecret matches the vendor's secrets, one of which may have been written to the wrong variable.
var vendorSecret = regexp.MustCompile(`AT(OA|ATT|BB)[\w=-]{16,}`)

// withoutPassword is a reference without the user name and the password, or the secret, that somebody put into it.
func withoutPassword(image string) string {
	image = urlOwner.ReplaceAllString(owned.ReplaceAllString(image, "${1}…@$3"), "${1}…@")
	return vendorSecret.ReplaceAllString(urlQuery.ReplaceAllString(image, "$1…"), "…")
}

func ownerMistake(image string) *mistake {
	found := strings.Index(image, "…@")
	if found < 0 {
		return nil
	}
	return &mistake{
		message: fmt.Sprintf("%q has a user name and a password in it, and a reference has none", image),
		hint: "put them into config.json (docker login), and write " +
			image[found+len("…@"):],
	}
}

func schemeMistake(image string) *mistake {
	scheme, rest, found := strings.Cut(image, "://")
	if !found {
		return nil
	}
	rest, _, _ = strings.Cut(rest, "?")
	return &mistake{
		message: fmt.Sprintf("%q begins with a scheme, and a reference has none", image),
		hint:    fmt.Sprintf("leave %s:// out: write %s", scheme, strings.Trim(rest, "/")),
	}
}

// sha256Digest is the only kind of digest that the runner's reader takes.
var sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func digestMistake(image string) *mistake {
	_, digest, found := strings.Cut(image, "@")
	algorithm, hex, _ := strings.Cut(digest, ":")
	switch {
	case !found, sha256Digest.MatchString(digest), strings.HasPrefix(digest, "sha512:") && len(hex) == 128:
		return nil
	case algorithm == "sha256" && len(hex) != 64:
		return &mistake{
			message: fmt.Sprintf("the digest of %q has %d digits, and a SHA-256 digest has 64",
				image, len(hex)),
			hint: "copy the whole digest, as docker buildx imagetools inspect shows it",
		}
	}
	return &mistake{
		message: fmt.Sprintf("%q does not end in a digest: %q is none", image, digest),
		hint:    "write the digest as @sha256: and 64 hexadecimal digits in lower case",
	}
}

var validTag = regexp.MustCompile(`^\w[\w.-]{0,127}$`)

func tagMistake(image string) *mistake {
	name, _, _ := strings.Cut(image, "@")
	last := name[strings.LastIndexByte(name, '/')+1:]
	base, tag, found := strings.Cut(last, ":")
	switch {
	case !found, validTag.MatchString(tag):
		return nil
	case tag == "":
		return &mistake{
			message: fmt.Sprintf("%q ends in a colon without a tag", image),
			hint:    fmt.Sprintf("write a tag behind the colon: %s:latest", strings.TrimSuffix(image, ":")),
		}
	case len(tag) > 128:
		return &mistake{
			message: fmt.Sprintf("the tag of %q has %d characters, and 128 is the most", base, len(tag)),
			hint:    "use a shorter tag",
		}
	}
	return &mistake{
		message: fmt.Sprintf("%q is no tag", tag),
		hint:    "write a tag of letters, digits, '_', '.' and '-' that begins with none of the last two",
	}
}

func componentMistake(image string) *mistake {
	name, _, _ := strings.Cut(image, "@")
	if !strings.HasPrefix(name, "/") && !strings.HasSuffix(name, "/") && !strings.Contains(name, "//") {
		return nil
	}
	whole := strings.Trim(repeatedSlash.ReplaceAllString(image, "/"), "/")
	return &mistake{
		message: fmt.Sprintf("%q has an empty component: a slash too many", image),
		hint:    "write " + whole,
	}
}

var repeatedSlash = regexp.MustCompile(`/{2,}`)

func caseMistake(image string) *mistake {
	host, repository, _, _ := splitReference(image)
	lower := strings.ToLower(repository)
	if lower == repository {
		return nil
	}
	prefix := ""
	if host != "" {
		prefix = host + "/"
	}
	return &mistake{
		message: fmt.Sprintf("%q has upper case in its name, which docker and the runner refuse", image),
		hint:    "write " + prefix + lower + image[len(prefix)+len(repository):],
	}
}

var validHost = regexp.MustCompile(`^(?:` + reference.DomainRegexp.String() + `)$`)

func hostMistake(image string) *mistake {
	host, _, _, _ := splitReference(image)
	if host == "" || validHost.MatchString(host) {
		return nil
	}
	return &mistake{
		message: fmt.Sprintf("%q is no host to docker", host),
		hint:    "write the registry as HOST or HOST:PORT, its name of letters, digits, '-' and '.'",
	}
}

// grammarMistake is for what the more telling ones above leave over.
func grammarMistake(image string) *mistake {
	if _, err := reference.ParseNormalizedNamed(image); err == nil {
		return nil
	}
	return &mistake{
		message: fmt.Sprintf("%q is no image reference to docker", image),
		hint:    "write it as HOST/NAME:TAG, the name of lower-case letters and digits, with single '.', '_', '-' between",
	}
}

// readerComponent is what the runner's reader takes for a component of a name (measured, docker-java 3.7.1).
var readerComponent = regexp.MustCompile(`^[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// unsupportedReference tells why the runner's reader refuses a reference that docker takes; nil if it does not.
func unsupportedReference(image string) *mistake {
	_, repository, _, digest := splitReference(image)
	if digest != "" && !sha256Digest.MatchString(digest) {
		return &mistake{
			referenceUnsupported,
			fmt.Sprintf("the runner refuses the digest of %q: it takes sha256 alone", image),
			"name the image by its sha256 digest or by a tag",
		}
	}
	for component := range strings.SplitSeq(repository, "/") {
		if !readerComponent.MatchString(component) {
			return &mistake{
				referenceUnsupported,
				fmt.Sprintf("docker takes the name %q, the runner refuses it: single '.', '_' and '-' only", component),
				"push the image under another name, such as " + plainer(component),
			}
		}
	}
	return nil
}

// plainer is a component with one separator where there were several.
func plainer(component string) string {
	return repeatedSeparator.ReplaceAllStringFunc(component, func(s string) string { return s[:1] })
}

var repeatedSeparator = regexp.MustCompile(`[._-]{2,}`)
