package checks

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"runner-preflight/checks/network"
	"runner-preflight/checks/runner"
)

// anyPause is the group of the two images that the vendor's runners pull without an override, by their version.
const anyPause = "default pause images"

// endpointsOf lists the hosts that a runner needs, as far as is known before any was asked: those that its images
// come from, those of the vendor's control channel, and extra ones. Token services and hosts that blobs are
// redirected to become known as registries are asked.
func endpointsOf(r *Runner, extra []Endpoint) []Endpoint {
	var endpoints []Endpoint
	for _, image := range r.Images {
		endpoints = append(endpoints, imageEndpoints(image)...)
	}
	return joinEndpoints(slices.Concat(endpoints, vendorEndpoints(), extra))
}

// hubAPI is the host that docker dials for docker.io.
const hubAPI = "registry-1.docker.io"

// referencesOf are what may be pulled for an image: of the vendor's defaults for a role, any.
func referencesOf(image Image) []string {
	if image.Origin == OriginDefault {
		return defaultImages(image.Role)
	}
	return []string{image.Reference}
}

// pullerOf is who pulls the image of a role.
func pullerOf(role Role) Actor {
	if role == RoleRunner {
		return ActorCLI
	}
	return ActorDaemon
}

// needOf says what an image is needed for.
func needOf(role Role) string {
	if role == RoleRunner {
		return "the runner's own image"
	}
	return string(role)
}

// imageEndpoints are the hosts that an image comes from.
func imageEndpoints(image Image) []Endpoint {
	if image.Reference == "" || image.Unresolved != "" {
		return nil
	}
	references, group := referencesOf(image), ""
	if len(references) > 1 {
		group = anyPause
	}
	var endpoints []Endpoint
	for _, written := range references {
		host, port, ok := imageAddress(written)
		if !ok {
			continue
		}
		endpoints = append(endpoints, Endpoint{
			Host: host, Port: port, Actor: pullerOf(image.Role), Why: needOf(image.Role), Registry: true,
			OneOf: group,
		})
	}
	return endpoints
}

// imageAddress is the host and port that docker's daemon dials for a reference; ok is false for one that docker does
// not accept, and for images that are on the runner's host alone.
func imageAddress(written string) (host string, port int, ok bool) {
	named, err := reference.ParseNormalizedNamed(written)
	if err != nil || strings.HasPrefix(written, "localhost/") || strings.HasPrefix(written, "sha256:") {
		return "", 0, false
	}
	domain := reference.Domain(named)
	if domain == hubHost || domain == "index.docker.io" {
		return hubAPI, 443, true
	}
	u, err := url.Parse("https://" + domain)
	if err != nil {
		return "", 0, false
	}
	number, err := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	return strings.ToLower(u.Hostname()), int(number), err == nil && number > 0
}

// vendorEndpoints are the hosts that every runner needs, or that its pipelines may need, beside those of its images.
// Source: the vendor's documentation and knowledge base; those that are only known from elsewhere are optional.
func vendorEndpoints() []Endpoint {
	const storage = "logs, artifacts and caches"
	need := func(host string, actor Actor, why string, optional bool) Endpoint {
		return Endpoint{Host: host, Port: 443, Actor: actor, Why: why, Optional: optional}
	}
	return []Endpoint{
		need("api.atlassian.com", ActorJVM, "control channel", false),
		need("auth.atlassian.com", ActorJVM, "OAuth token", true),
		need("api.bitbucket.org", ActorJVM, "REST API", false),
		need("bitbucket.org", ActorJVM, "git over HTTPS", false),
		need("micros--prod-east--bitbucketci-file-service--files.s3.amazonaws.com", ActorJVM, storage, true),
		need("micros--prod-west--bitbucketci-file-service--files.s3.us-west-2.amazonaws.com", ActorJVM, storage,
			true),
		need("public.ecr.aws", ActorDaemon, "images of pipelines", true),
		need(hubAPI, ActorDaemon, "images of pipelines on Docker Hub", true),
		need("auth.docker.io", ActorDaemon, "images of pipelines on Docker Hub", true),
		need("production.cloudflare.docker.com", ActorDaemon, "images of pipelines on Docker Hub", true),
	}
}

// joinEndpoints makes one endpoint of those that differ in what they are needed for alone. It is optional if none
// of them is needed, and one of a group only if nothing else needs it.
func joinEndpoints(endpoints []Endpoint) []Endpoint {
	var joined []Endpoint
	for _, e := range endpoints {
		i := slices.IndexFunc(joined, func(j Endpoint) bool {
			return j.Address() == e.Address() &&
				j.Actor == e.Actor
		})
		if i < 0 {
			joined = append(joined, e)
			continue
		}
		j := &joined[i]
		if !slices.Contains(strings.Split(j.Why, ", "), e.Why) {
			j.Why += ", " + e.Why
		}
		j.Optional = j.Optional && e.Optional
		j.Registry = j.Registry || e.Registry
		if j.OneOf != e.OneOf {
			j.OneOf = ""
		}
	}
	return joined
}

// isVendorHost tells whether a host is the vendor's.
func isVendorHost(host string) bool {
	host = strings.ToLower(host)
	return isVendorRegistry(host) || slices.ContainsFunc(vendorEndpoints(), func(e Endpoint) bool {
		return e.Host == host && e.Actor == ActorJVM
	})
}

// isPublicHost tells whether a host is known to serve the public: it has a public address and a certificate that
// everybody trusts.
func isPublicHost(host string) bool {
	host = strings.ToLower(host)
	return isVendorHost(host) || slices.Contains(publicRegistries(), host) ||
		slices.ContainsFunc(vendorEndpoints(), func(e Endpoint) bool { return e.Host == host })
}

// controlRoute is the way out of the runner's own JVM: of this machine's network, through the proxies that the
// runner's environment names, else those that docker's CLI injects, trusting public roots alone. What the environment
// leaves open is as on this machine.
func controlRoute(route network.Config, d *runner.Definition, injected injectedProxies) network.Config {
	route.PublicOnly, route.ClientCertificates = true, nil
	if d == nil || !d.States.Environment {
		return route
	}
	values := map[string]string{}
	for _, v := range d.Environment {
		if v.Value.Unresolved != "" && strings.HasSuffix(strings.ToUpper(v.Name.Value), "_PROXY") {
			return route
		}
		values[v.Name.Value] = v.Value.Value
	}
	if injected.https != "" && values["HTTPS_PROXY"] == "" && values["https_proxy"] == "" {
		values["HTTPS_PROXY"] = injected.https
		values["NO_PROXY"] = cmp.Or(values["NO_PROXY"], values["no_proxy"], injected.except)
		route.Proxy = named(network.ProxyFromEnv(func(name string) string { return values[name] }),
			func(string) string { return `"proxies" of ` + injected.file })
		return route
	}
	route.Proxy = network.ProxyFromEnv(func(name string) string { return values[name] })
	return route
}

// injectedProxies are what docker's CLI puts into containers, and the file that tells it to.
type injectedProxies struct{ https, except, file string }

// controlKey tells apart the routes of runners: those with the same proxies share one, and its connections.
func controlKey(d *runner.Definition) string {
	if d == nil || !d.States.Environment {
		return ""
	}
	var key strings.Builder
	if alreadyMade(d) {
		key.WriteString("made\x00")
	}
	for _, v := range d.Environment {
		if strings.HasSuffix(strings.ToUpper(v.Name.Value), "_PROXY") {
			key.WriteString(v.Name.Value + "=" + v.Value.Value + "\x00" + v.Value.Unresolved + "\x00")
		}
	}
	return key.String()
}

// hostOfAddress is the host of host:port.
func hostOfAddress(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// Address is the endpoint as host:port.
func (e Endpoint) Address() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }
