package dockerconfig

import (
	"fmt"
	"regexp"
	"strings"
)

// HubKey is the key under which the credentials of Docker Hub are kept.
const HubKey = "https://index.docker.io/v1/"

// ReferenceError is what the runner's reader throws at a reference, in its own words.
type ReferenceError string

func (e ReferenceError) Error() string { return string(e) }

// RunnerHost is the registry host that the runner's reader takes out of an image's reference: verbatim, or HubKey for
// Docker Hub. The error is a ReferenceError.
//
// Of an image on Docker Hub only a scheme is refused here: that the rest is well-formed is left to the daemon.
func RunnerHost(image string) (host string, err error) {
	name := withoutTag(image)
	if strings.Contains(name, "://") {
		return "", ReferenceError("RepositoryName shouldn't contain a scheme")
	}
	first, rest, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(first, ".:") && first != "localhost" {
		return HubKey, nil
	}
	if strings.Contains(first, "index.docker.io") {
		return "", ReferenceError(fmt.Sprintf("Invalid repository name, try \"%s\" instead", rest))
	}
	return first, checkRepository(withoutDigest(rest))
}

// withoutTag cuts the tag off, unless there is a digest: what follows the last colon, if no / does.
func withoutTag(image string) string {
	colon := strings.LastIndexByte(image, ':')
	if colon < 0 || strings.Contains(strings.ToLower(image), "@sha256:") || strings.Contains(image[colon:], "/") {
		return image
	}
	return image[:colon]
}

// withoutDigest cuts the digest off, and the tag before it.
func withoutDigest(name string) string {
	if at := strings.LastIndex(name, "@sha256:"); at >= 0 {
		return withoutTag(name[:at])
	}
	return name
}

// repositoryComponent is stricter than docker, which also allows __ and any number of dashes between words.
var repositoryComponent = regexp.MustCompile(`^[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// ValidComponent tells whether the runner's reader accepts one component of a repository's name.
func ValidComponent(component string) bool { return repositoryComponent.MatchString(component) }

// maxRepository is the reader's limit for a repository's name without its host.
const maxRepository = 255

func checkRepository(name string) error {
	switch {
	case name == "":
		return ReferenceError(fmt.Sprintf("Invalid empty repository name \"%s\"", name))
	case len(name) > maxRepository:
		return ReferenceError(fmt.Sprintf("Repository name \"%s\" is longer than %d", name, maxRepository))
	}
	// Slashes at the end escape the reader, as Java's split drops what is empty there.
	for _, component := range strings.Split(strings.TrimRight(name, "/"), "/") {
		if !ValidComponent(component) && strings.Trim(name, "/") != "" {
			return ReferenceError(fmt.Sprintf("Repository name \"%s\" is invalid. Component: %s", name, component))
		}
	}
	return nil
}

// keyHost is what the runner's reader compares of a key: without a lower-case scheme and without what follows the
// first slash.
func keyHost(key []byte) []byte {
	for _, scheme := range []string{"http://", "https://"} {
		if len(key) >= len(scheme) && string(key[:len(scheme)]) == scheme {
			key = key[len(scheme):]
			break
		}
	}
	for i, c := range key {
		if c == '/' {
			return key[:i]
		}
	}
	return key
}

// KeyHost is the host that a key of `auths` stands for, as both the runner's reader and docker's CLI see it: without
// a lower-case http:// or https:// and without what follows the first slash.
func KeyHost(key string) string { return string(keyHost([]byte(key))) }
