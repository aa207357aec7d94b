package checks

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"runner-preflight/checks/registry"
	"runner-preflight/checks/source"
)

var imageResolves = Check{
	Name:  "image-resolves",
	Title: "Every image of the runner can be found in its registry with the credentials that are sent for it",
	Doc: "Asks the registry of each image for its manifest, as docker's daemon would and with what the " +
		"runner would send: the registry's challenge, a token for the repository, the digest behind the " +
		"tag, the manifest behind the digest. Credentials are looked up as the runner's own reader does, " +
		"for the runner's own image as docker's CLI does. What this process does not reach may be within the docker daemon's " +
		"reach: where it may be asked, its answer decides.",
	Problems: append([]*Problem{
		credentialsMissing, credentialsRejected, accessDenied, repositoryNotFound, tagNotFound, digestMismatch,
		rateLimited,
		notARegistry, registryFailure, manifestUnsupported, tokenServiceFailure, insecureRegistry, insecureTokenService,
	}, networkProblems()...),
	Run: func(ctx context.Context, h *Host) []Finding {
		return eachImage(h, func(r *Runner, image Image) []Finding { return []Finding{resolves(ctx, h, r, image)} })
	},
}

var credentialsMissing = &Problem{
	ID:    "credentials-missing",
	Title: "The registry asks for credentials and the runner would send none",
	Doc: "The repository is closed to the public and the runner finds no user name with a password for its " +
		"registry, so the pull ends with \"no basic auth credentials\" or \"pull access denied\". The " +
		"runner reads nothing but the auths of the config.json that is mounted into it: no credential " +
		"store, no helper, no environment variable. Give the registry an entry of its own there, under the " +
		"host exactly as the image writes it, and restart the runner. A registry that does not want to tell " +
		"what it has answers the same for a repository that does not exist.",
	Source: "measured with docker-java 3.7.1, which the runner very probably uses; the distribution specification",
	Prints: []Print{
		{printsNoCredentials, 12},
		{printsUnauthorized, 8},
		{printsNoAccess, 2},
		{printsDenied, 2},
	},
}

var credentialsRejected = &Problem{
	ID:    "credentials-rejected",
	Title: "The registry refuses the user name and password",
	Doc: "The runner would send the user name and password of the entry, and the registry or its token " +
		"service takes them for nobody's: mistyped, expired, revoked, for another registry, or with a line " +
		"break at the end. Nothing falls back to an anonymous pull, so even public images fail. Try the " +
		"login by hand, write the credentials that work into the entry, and restart the runner.",
	Source: "the registry's answer; docker's engine, daemon/internal/distribution (measured)",
	Prints: []Print{
		{printsUnauthorized, 1},
		{printsNoToken, 2},
	},
}

var accessDenied = &Problem{
	ID:    "access-denied",
	Title: "The credentials are good, but this repository is not theirs",
	Doc: "The registry knows the user but grants no pull from the repository: the account or token has no " +
		"read permission there, its scope leaves the repository out, or the repository does not exist " +
		"(registries often hide that). Give the account pull permission, or correct the repository's name.",
	Source: "the registry's answer (403, DENIED, insufficient_scope, or 401 to credentials that log in)",
	Prints: []Print{
		{printsNoAccess, 3},
		{printsDenied, 1},
		{printsForbidden, 1},
		{`error from registry: denied`, 1},
	},
}

var repositoryNotFound = &Problem{
	ID:    "repository-not-found",
	Title: "The registry has no such repository",
	Doc: "The registry answers NAME_UNKNOWN: nothing was ever pushed under this name, or its path is " +
		"written differently (a project, an organisation or a virtual repository left out). Push the image " +
		"there, or correct the reference.",
	Source: "the registry's answer; the distribution specification, error codes",
	Prints: []Print{
		{printsNoAccess, 1},
		{`repository (name not known|\S+ not found)|name unknown`, 1},
		{printsNotFound, 2},
	},
}

var tagNotFound = &Problem{
	ID:    "tag-not-found",
	Title: "The repository has no such tag or digest",
	Doc: "The registry answers MANIFEST_UNKNOWN or 404: the tag was never pushed, was deleted, or is " +
		"spelled differently; a digest may have been cleaned up. Push it, or write a tag that exists.",
	Source: "the registry's answer; the distribution specification, error codes",
	Prints: []Print{
		{`manifest for \S+ not found|manifest unknown`, 1},
		{printsNotFound, 1},
	},
}

var digestMismatch = &Problem{
	ID:    "digest-mismatch",
	Title: "What is served does not have the digest that was asked for",
	Doc: "The content that comes is not the content that was named: a broken cache or mirror, a proxy that " +
		"rewrites answers, or a damaged store. Docker refuses it. Clear the cache in between, or push the " +
		"image again.",
	Source: "the SHA-256 of what the registry served",
	Prints: []Print{
		{`manifest verification failed for digest|failed size validation|unexpected commit digest`, 1},
	},
}

var rateLimited = &Problem{
	ID:    "rate-limited",
	Title: "The registry allows no more pulls for now",
	Doc: "The registry answers 429. Docker Hub counts pulls for an address (100 in 6 hours, shared by " +
		"everybody behind one NAT) or for an account (more), and each start of a step may pull. Wait, log " +
		"in, or mirror the images to a registry of your own.",
	Source: "the registry's answer; Docker's documentation of pull limits",
	Prints: []Print{
		{`toomanyrequests|pull rate limit|429 too many requests`, 1},
	},
}

var notARegistry = &Problem{
	ID:    "not-a-registry",
	Title: "What answers is no registry",
	Doc: "Something answers at the registry's address, but not with the registry protocol: a login page, a " +
		"proxy's or a firewall's page, or another service on that host. Correct the host or the port of the " +
		"image, or have the page in between removed.",
	Source: "the answer to GET /v2/ and to the request for the manifest",
	Prints: []Print{
		{printsPage, 1},
	},
}

var registryFailure = &Problem{
	ID:    "registry-failure",
	Title: "The registry fails",
	Doc: "The registry answers with a fault of its own (5xx), twice in a row. Its log says why; a proxy in " +
		"front of it may be what fails. Nothing on the runner's side mends that.",
	Source: "the registry's answer",
	Prints: []Print{
		{printsServerError, 1},
	},
}

var manifestUnsupported = &Problem{
	ID:    "manifest-unsupported",
	Title: "What the reference names is no image that docker can pull",
	Doc: "There is a manifest under the reference, but of schema version 1, of an artifact (a Helm chart, a " +
		"signature), of an unknown type, unparsable, or larger than the 4 MiB that docker reads. Push the " +
		"image again with a current tool, or correct the reference.",
	Source: "docker's engine, daemon/internal/distribution/pull_v2.go and errors.go; containerd's resolver",
	Prints: []Print{
		{`(unsupported|no longer supported).{0,40}schema|schema ?1.{0,60}(unsupported|` +
			`no longer supported|deprecated)|unsupported media type|unknown media type|missing signature key|` +
			`manifest\.v1\+(json|prettyjws)\) from remote: not found`, 1},
	},
}

var tokenServiceFailure = &Problem{
	ID:    "token-service-failure",
	Title: "The registry's token service does not work",
	Doc: "The registry sends its clients to a token service, and that answers with neither a token nor a " +
		"refusal of the password: a fault of its own, a page in its place, or tokens that the registry does " +
		"not take. Nothing on the runner's side mends that, unless a proxy stands in between.",
	Source: "the answers of the token service and of the registry",
	Prints: []Print{
		{printsServerError, 2},
		{printsNoToken, 1},
	},
}

var insecureRegistry = &Problem{
	ID:    "insecure-registry",
	Title: "The registry speaks plain HTTP",
	Doc: "Docker's daemon asks registries over HTTPS, and fails with \"server gave HTTP response to HTTPS " +
		"client\" unless the registry is listed in the daemon's insecure-registries or is on loopback. Give " +
		"it a certificate; or list it, which sends passwords in clear.",
	Source:   "docker's engine, daemon/pkg/registry/config.go; measured",
	Explains: []string{"tls-not-spoken"},
	Prints: []Print{
		{printsClear, 1},
	},
}

var insecureTokenService = &Problem{
	ID:    "insecure-token-service",
	Title: "The registry's token service is not asked over HTTPS",
	Doc: "The registry sends its clients, and with them the password, to a token service over plain HTTP. " +
		"This tool does not send a password in clear, so nothing more could be established; docker's daemon " +
		"would. Give the token service a certificate.",
	Source: "the registry's challenge (realm), or the token service's redirect",
}

// resolves judges one image.
func resolves(ctx context.Context, h *Host, r *Runner, image Image) Finding {
	q := ask(ctx, h, r, image)
	switch f := q.failure; {
	case f == nil || f.Stage != registry.StageManifest:
		return withResolution(Passed(q.role(), q.name()+" resolves"), q.res).With("vantage", vantageProcess).Pulling(q.pull())
	case q.saved():
		return q.savedFinding("resolves").Pulling(q.pull())
	}
	return q.seen(withResolution(unresolvedFinding(ctx, h, q), q.res)).Pulling(q.pull())
}

// spoken is a host:port for people: the port is left out where it is the usual one.
func spoken(address string) string { return strings.TrimSuffix(address, ":443") }

// unresolvedFinding is the finding for an image that does not resolve.
func unresolvedFinding(ctx context.Context, h *Host, q question) Finding {
	switch q.failure.Kind {
	case "not-established":
		return outOfReach(ctx, q)
	case "invalid-reference":
		return Skipped(q.role(), fmt.Sprintf("%s is no reference that docker takes", q.name()))
	}
	found := answeredFinding(ctx, h, q)
	if found.Status == Fail && q.failure.Network != nil && h.apart() && q.word.unasked != "" {
		return curable(h, found)
	}
	return found
}

// answeredFinding is the finding for an image that the registry, or what stands in its way, does not give.
func answeredFinding(ctx context.Context, h *Host, q question) Finding {
	if q.failure.Network != nil && q.failure.Host == q.res.Host {
		if reason := daemonAllows(h, registryHost(q.image.Reference), q.failure.Network); reason != "" {
			return Skipped(q.role(), reason)
		}
	}
	if q.failure.Network != nil && q.failure.Kind != "insecure-registry" {
		return unreachable(ctx, h, q)
	}
	switch q.failure.Kind {
	case "credentials-missing":
		return q.ending(h, missingCredentials(q))
	case "credentials-rejected":
		return q.ending(h, rejected(q))
	case "access-denied":
		return deniedTo(q)
	case "repository-not-found", "tag-not-found":
		return notFound(q)
	}
	return otherFailure(h, q)
}

// missingCredentials is the finding where nothing is sent and something is asked for.
func missingCredentials(q question) Finding {
	p := pullOf(q.runner, q.image)
	if p.unknown != "" {
		message := fmt.Sprintf("%s asks for credentials: %s", spoken(q.res.Host), p.unknown)
		return q.base(Erred(notEstablished, q.role(), message, "pull it by hand as the user that starts the runner")).
			Try("docker pull " + shellWord(q.image.Reference))
	}
	message := fmt.Sprintf("%s wants credentials (%s) and gets none: %s", spoken(q.res.Host), answered(q.failure), p.why)
	if docker := q.dockerDiffers(p); docker != "" {
		message += "; " + docker
	}
	host := registryHost(q.image.Reference)
	hint := fmt.Sprintf("give %s an entry %q with a user name and password"+restart,
		configPath(q.runner), clip(q.key()))
	command := authValue
	switch {
	case q.image.Role == RoleRunner:
		hint, command = fmt.Sprintf("log docker in to %s as the user that starts the runner",
			clip(host)), loginTo(host)
	case unmounted(q.runner):
		hint = fmt.Sprintf("mount a config.json that has an entry %q, with %s", clip(q.key()),
			hostConfigMount(q.runner.Definition))
	}
	return q.base(Failed(credentialsMissing, q.role(), message, hint)).On(host).
		Touching(Entry(host), Entry(q.key())).Try(command)
}

// authValue prints what an entry's auth has to be, without a line break.
const authValue = `printf %s 'USER:PASSWORD' | base64 | tr -d '\n'`

// loginTo is the command that logs docker's CLI in.
func loginTo(host string) string {
	if host == hubHost {
		return "docker login -u USER"
	}
	return "docker login -u USER " + shellWord(host)
}

// answered is the registry's answer for the end of a message.
func answered(f *registry.Failure) string {
	if f.Status == 0 {
		return f.Detail
	}
	text := fmt.Sprintf("%d", f.Status)
	if f.Code != "" {
		text += " " + f.Code
	}
	return "it answers " + text
}

// loginAs are the arguments of docker login for a user at an image's registry.
func loginAs(q question, user string) string {
	if shown := source.Username(user); shown != user || strings.ContainsFunc(user,
		func(c rune) bool { return c < ' ' }) {
		user = "USER"
	}
	arguments := "-u " + shellWord(user)
	if host := registryHost(q.image.Reference); host != hubHost {
		arguments += " " + shellWord(host)
	}
	return arguments
}

// loginWrites tells whether docker login on this host, with the runner's config.json, writes the entry of a key: under
// that very key, into the file, and not into a store.
func loginWrites(q question, key string) bool {
	c, d := q.runner.Config, q.runner.Definition
	return c != nil && c.File != nil && c.Object == "" && filepath.Base(c.Path) == configName &&
		(d == nil || !d.Dialect.Inside()) && key == registryHost(q.image.Reference) &&
		c.File.ForDocker(q.image.Reference).Helper == ""
}

// rejected is the finding where a password is sent and refused. It stands at the entry, where the mistake is.
func rejected(q question) Finding {
	p := pullOf(q.runner, q.image)
	message := fmt.Sprintf("%s refuses the user %q with the password of the entry %q (%s)",
		spoken(q.failure.Host), clip(source.Username(p.username)), clip(p.key), answered(q.failure))
	hint := fmt.Sprintf("try the login by hand, write what works into the entry %q of %s", clip(p.key), configPath(q.runner))
	command := `d=$(mktemp -d); docker --config "$d" login ` + loginAs(q, p.username) + `; rm -r "$d"` // leaves nothing behind
	if loginWrites(q, p.key) {
		hint = "log in with the password of today: what works is written into the entry"
		command = "docker --config " + shellWord(filepath.Dir(q.runner.Config.Path)) + " login " + loginAs(q, p.username)
	}
	return q.base(Failed(credentialsRejected, q.role(), message, hint+restart)).At(p.place).On(p.key).Try(command)
}

// deniedTo is the finding where a good password is no help.
func deniedTo(q question) Finding {
	p := pullOf(q.runner, q.image)
	user := clip(source.Username(p.username))
	message := fmt.Sprintf("%s knows the user %q of the entry %q but grants no pull from %s, "+
		"or there is no such repository (%s)",
		spoken(q.failure.Host), user, clip(p.key), clip(q.res.Repository), answered(q.failure))
	hint := fmt.Sprintf("give the user %q pull permission on %s, or correct the repository in %s", user,
		clip(q.res.Repository), q.role())
	return q.base(Failed(accessDenied, q.role(), message, hint)).On(q.image.Reference)
}

// notFound is the finding where the name or the tag does not exist.
func notFound(q question) Finding {
	problem, hint := tagNotFound, fmt.Sprintf("push %s, or write a tag that exists", q.name())
	if q.failure.Kind == "repository-not-found" {
		problem, hint = repositoryNotFound, fmt.Sprintf("push %s, or correct the repository's path", q.name())
	}
	message := q.failure.Detail
	if tag := tagOf(q.image.Reference); tag != "" && len(q.failure.Tags) > 0 {
		if near := Nearest(tag, q.failure.Tags); near != "" {
			hint = fmt.Sprintf("write the tag %s in %s, or push %s", near, q.role(), q.name())
			message += fmt.Sprintf("; it has %s", near)
		} else {
			message += "; it has " + lastOf(q.failure.Tags)
		}
	}
	found := q.base(Failed(problem, q.role(), message, hint)).On(q.image.Reference).anew(q.runner.Definition)
	switch {
	case problem == repositoryNotFound:
		return found.On(q.res.Host + "/" + q.res.Repository)
	case len(q.failure.Tags) > 0 && !tagged(q.image.Reference) && q.image.Role != RoleRunner:
		return found.As(Warn) // the runner writes no tag where there is none, and the daemon then takes all there are
	}
	return found
}

// tagOf is a reference's tag, "latest" where docker supplies it, and "" beside a digest.
func tagOf(reference string) string {
	if strings.Contains(reference, "@") {
		return ""
	}
	rest := reference[strings.LastIndexByte(reference, '/')+1:]
	if _, tag, found := strings.Cut(rest, ":"); found {
		return tag
	}
	return "latest"
}

// tagged tells whether a reference says which image of the repository is meant.
func tagged(reference string) bool {
	return strings.Contains(reference[strings.LastIndexByte(reference, '/')+1:], ":")
}

// lastOf lists a few names, the last ones first: registries sort them.
func lastOf(names []string) string {
	const most = 5
	names = slices.Clone(names)
	slices.Reverse(names)
	return Few(names, most)
}

// otherFailure is the finding for the rest: what the registry is, or serves, is what has to be mended.
func otherFailure(h *Host, q question) Finding {
	host := q.failure.Host
	problem, root, hint := registryFailure, host,
		fmt.Sprintf("look at the log of %s and of the proxy in front of it, then try again", host)
	switch q.failure.Kind {
	case "digest-mismatch":
		problem, root, hint = digestMismatch,
			q.image.Reference, "clear the cache or mirror in between, or push the image again"
	case "rate-limited":
		problem = rateLimited
		hint = "wait, give config.json an account with a higher limit, or mirror the images to a registry of your own"
	case "not-a-registry":
		problem = notARegistry
		hint = fmt.Sprintf("correct the host or port in %s, or have what answers in place of the registry removed",
			q.role())
	case "manifest-unsupported":
		problem, root, hint = manifestUnsupported,
			q.image.Reference, "push the image again with a current docker, or correct the reference"
	case "token-service-failure":
		problem = tokenServiceFailure
		hint = fmt.Sprintf("look at the log of the token service %s, or have the proxy in front of it let it through",
			host)
	case "insecure-registry":
		problem, hint = insecureRegistry, "serve it over HTTPS, or "+h.allowInsecure(registryHost(q.image.Reference))
	case "insecure-token-service":
		return q.base(Erred(insecureTokenService, q.role(), q.failure.Detail+", so the password was not sent",
			"serve the token service over HTTPS and name that in the registry's realm")).On(host)
	}
	message := q.failure.Detail
	if root != host {
		message = q.name() + ": " + message
	}
	return q.base(Failed(problem, q.role(), message, hint)).On(root)
}

// allowInsecure says what lets docker, or Podman, talk to a registry in clear. Source: docker's documentation of
// daemon.json; containers-registries.conf(5).
func (h *Host) allowInsecure(registry string) string {
	if h.client() == "podman" {
		return fmt.Sprintf("add [[registry]] with location = %q and insecure = true to /etc/containers/registries.conf", registry)
	}
	return fmt.Sprintf(`add "insecure-registries": [%q] to %s and restart docker`, registry, h.daemon.site.settings)
}

// outOfReach is the finding where there was no time or no permission to ask.
func outOfReach(ctx context.Context, q question) Finding {
	detail := q.failure.Detail
	if q.failure.Network != nil {
		detail = q.failure.Network.Detail
	}
	if q.failure.Host != "" {
		detail = q.failure.Host + ": " + detail
	}
	return q.base(Unestablished(ctx, q.role(), q.name()+": "+detail))
}

// unreachable is the finding where a host that the image needs gives no answer: the registry, its token service, or
// where its blobs are.
func unreachable(ctx context.Context, h *Host, q question) Finding {
	need, f := q.whyHost(), q.failure.Network
	found := networkFinding(ctx, h, f, need)
	if f.Kind == httpBlocked.ID {
		found = Failed(httpBlocked, q.role(), needed(f.Address, need)+": "+f.Detail,
			fmt.Sprintf("have the web filter allow %s", spoken(f.Address))).On(f.Root).Touching(HostPort(f.Address))
	}
	found.Subject = q.role()
	return q.base(found)
}

// withResolution adds what was seen on the way.
func withResolution(f Finding, res registry.Resolution) Finding {
	f = f.With("registry", res.Host).With("requests", res.Requests)
	if res.Retries > 0 {
		f = f.With("retries", res.Retries)
	}
	if res.Digest != "" {
		f = f.With("digest", res.Digest)
	}
	if failure := res.Failure; failure != nil && failure.Status != 0 {
		f = f.With("status", failure.Status)
		if failure.Code != "" {
			f = f.With("code", failure.Code)
		}
	}
	if res.Limit != nil && res.Limit.Remaining >= 0 {
		f = f.With("pulls_left", res.Limit.Remaining)
	}
	if res.Stopped != "" {
		f = f.With("stopped", res.Stopped)
	}
	return f
}
