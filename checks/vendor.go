package checks

import (
	"regexp"
	"slices"
	"strings"
)

// defaultImages are what the runner pulls for a role without an override. Source: the vendor's page and knowledge
// base; of the two pause images either may be used, by the runner's version.
func defaultImages(role Role) []string {
	const public = "docker-public.packages.atlassian.com/sox/atlassian/"
	switch role {
	case RolePause:
		return []string{
			"k8s-docker.packages.atlassian.com/pause:3.8",
			"docker-hub.packages.atlassian.com/google/pause:latest",
		}
	case RoleAuthProxy:
		return []string{public + "bitbucket-pipelines-auth-proxy:prod-stable"}
	case RoleClone:
		return []string{public + "bitbucket-pipelines-dvcs-tools:prod-stable"}
	}
	return []string{public + "bitbucket-pipelines-runner"}
}

// vendorRegistries are the vendor's own, all of them public.
func vendorRegistries() []string {
	return []string{
		"docker-public.packages.atlassian.com", "docker-hub.packages.atlassian.com",
		"k8s-docker.packages.atlassian.com",
	}
}

// publicRegistries are well known to serve the public.
func publicRegistries() []string {
	return []string{
		hubHost, "index.docker.io", "registry-1.docker.io", "ghcr.io", "quay.io", "public.ecr.aws", "gcr.io",
		"mcr.microsoft.com", "registry.k8s.io",
	}
}

// hubHost is how docker writes Docker Hub; hubKey is the key under which its credentials are kept.
const (
	hubHost = "docker.io"
	hubKey  = "https://index.docker.io/v1/"
)

// closedRegistry matches hosts that are private unless somebody opened them: Amazon ECR, Azure ACR, Google Artifact
// Registry, JFrog.
var closedRegistry = regexp.MustCompile(
	`^(\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|[a-z0-9-]+\.azurecr\.(io|cn|us)|` +
		`[a-z0-9-]+-docker\.pkg\.dev|[a-z0-9-]+\.jfrog\.io)$`)

// isVendorRegistry tells whether a registry host is the vendor's.
func isVendorRegistry(host string) bool { return slices.Contains(vendorRegistries(), host) }

// registryHost is the host (with its port, if written) that docker pulls a reference from: the first component if
// it has a dot, a colon or an upper-case letter or is localhost, else docker.io.
func registryHost(reference string) string {
	first, _, found := strings.Cut(reference, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		return first
	}
	return hubHost
}
