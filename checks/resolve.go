package checks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
	"runner-preflight/checks/source"
)

// pull is what is sent to a registry to pull an image, by the runner or, for the runner's own image, by docker's CLI.
type pull struct {
	username, password string
	// key is the entry that it comes from, place where the key stands.
	key   string
	place source.Span
	// why says why nothing is sent, as the end of a sentence ("" if something is).
	why string
	// unknown says what else would be sent, if this tool knew it: what a credential helper holds.
	unknown string
}

// pullOf looks up what is sent for an image.
func pullOf(r *Runner, image Image) pull {
	if image.Role == RoleRunner {
		return dockerPull(r, image)
	}
	if unmounted(r) {
		return pull{why: "no config.json is mounted into the runner"}
	}
	found := configContent(r).ForRunner(image.Reference)
	p := pull{key: found.Key, username: found.Username, password: found.Password}
	if found.Entry != nil {
		p.place = found.Entry.KeyPlace()
	}
	if found.Reason != "" {
		p.username, p.password, p.why = "", "", noCredentials(r, image, found)
	}
	return p
}

// dockerPull is what docker's CLI sends when it pulls the runner's own image.
func dockerPull(r *Runner, image Image) pull {
	found := configContent(r).ForDocker(image.Reference)
	p := pull{key: found.Key, username: found.Username, password: found.Password}
	if found.Entry != nil {
		p.place = found.Entry.KeyPlace()
	}
	switch {
	case found.Helper != "":
		p.unknown = fmt.Sprintf("docker's CLI asks docker-credential-%s, which this tool does not run",
			clip(found.Helper))
	case found.IdentityToken:
		p.unknown = fmt.Sprintf("docker's CLI sends the identity token of the entry %q, which this tool does not",
			clip(found.Key))
	case p.username == "" || p.password == "":
		p.username, p.password = "", ""
		p.why = "docker's CLI finds no user name and password for it in " + configPath(r)
	}
	return p
}

// configContent is a runner's config.json; nil when there is none to read.
func configContent(r *Runner) *dockerconfig.File {
	if r.Config == nil {
		return nil
	}
	return r.Config.File
}

func configPath(r *Runner) string {
	if r.Config == nil {
		return configName
	}
	if r.Config.Object != "" {
		return "the " + r.Config.Object + " of " + r.Config.Path
	}
	return r.Config.Path
}

// noCredentials says why the runner sends nothing for an image.
func noCredentials(r *Runner, image Image, found dockerconfig.RunnerCredentials) string {
	key := registryHost(image.Reference)
	if key == hubHost {
		key = hubKey
	}
	at := configPath(r)
	switch found.Reason {
	case dockerconfig.NoFile:
		return noFile(r)
	case dockerconfig.EmptyEntry:
		return fmt.Sprintf("the entry %q of %s holds no credentials", clip(found.Key), at)
	case dockerconfig.EmptyCredentials:
		return fmt.Sprintf("the entry %q of %s has no user name with a password", clip(found.Key), at)
	case dockerconfig.Store:
		return fmt.Sprintf("%s leaves them in a credential store (credsStore), which the runner does not use", at)
	case dockerconfig.Helper:
		return fmt.Sprintf("%s leaves them to a credential helper (credHelpers), which the runner does not use", at)
	case dockerconfig.DroppedHeader:
		return fmt.Sprintf("a field of the entry %q of %s is no string, so the daemon drops all of it",
			clip(found.Key), at)
	case dockerconfig.FileRejected:
		return fmt.Sprintf("the runner's reader refuses %s as a whole", at)
	}
	return fmt.Sprintf("no entry of %s is for %s", at, key)
}

func noFile(r *Runner) string {
	switch {
	case r.Config == nil:
		return "no config.json was given"
	case errors.Is(r.Config.Err, ErrIsDirectory):
		return fmt.Sprintf("%s is a directory", r.Config.Path)
	case r.Config.Err != nil && !errors.Is(r.Config.Err, fs.ErrNotExist):
		return fmt.Sprintf("%s could not be read", r.Config.Path)
	}
	return fmt.Sprintf("there is no %s", r.Config.Path)
}

// resolve asks the registry about an image as the runner would. Registries remember: it costs nothing to ask again.
func resolve(ctx context.Context, h *Host, r *Runner, image Image) registry.Resolution {
	p := pullOf(r, image)
	return h.pulling(image.Reference).Registries.Resolve(ctx, registry.Request{
		Reference: image.Reference, Username: p.username, Password: p.password, Platform: r.Platform,
	})
}

// eachImage judges every image of every runner, all at the same time, and skips those that nobody can ask about.
func eachImage(h *Host, judge func(*Runner, Image) []Finding) []Finding {
	var jobs []func() []Finding
	for _, r := range h.Runners {
		for _, image := range r.Images {
			jobs = append(jobs, func() []Finding {
				findings := []Finding{Skipped(string(image.Role), unasked(h, image))}
				if findings[0].Message == "" {
					findings = judge(r, image)
				}
				for i := range findings {
					findings[i] = findings[i].For(r.Name)
				}
				return findings
			})
		}
	}
	found := make([][]Finding, len(jobs))
	atOnce(len(jobs), func(i int) { found[i] = jobs[i]() })
	if len(jobs) == 0 {
		return []Finding{Skipped("images", "there is no runner whose images could be judged")}
	}
	return slices.Concat(found...)
}

// unasked says why a registry is not asked about an image ("" if it is).
func unasked(h *Host, image Image) string {
	switch {
	case image.Unresolved != "":
		return "the image is not known: " + image.Unresolved
	case image.Reference == "":
		return "there is no image"
	case h.Offline:
		return "no registry is asked offline"
	case localMistake(image.Reference) != nil:
		return fmt.Sprintf("%s is on this host alone, in no registry", clip(image.Reference))
	}
	if image.Role == RoleRunner {
		return ""
	}
	if _, err := dockerconfig.RunnerHost(image.Reference); err != nil {
		return fmt.Sprintf("the runner does not accept the reference %q", clip(image.Reference))
	}
	return ""
}

// clip makes what somebody wrote fit for a message of one line.
func clip(text string) string {
	const most = 200
	return source.Shortened(source.WithoutPassword(source.Printable(text)), most)
}

// daemonAllows says why a failure at a registry (as a reference writes it) is none of the daemon's ("" if it is): it
// does without TLS there, or does not look at certificates.
func daemonAllows(h *Host, host string, failed *network.Failure) string {
	switch failed.Kind {
	case network.TLSNotSpoken, network.TLSUntrusted, network.TLSWrongHost, network.TLSExpired, network.TLSNotYetValid:
		if daemonTrusts(h, host, failed) {
			return fmt.Sprintf("the daemon is allowed to ask %s in clear or whatever its certificate, and this tool is not", host)
		}
	case network.ProxyAuthRequired:
		if h.daemon.masked() {
			return fmt.Sprintf("the daemon has a password for the proxy %s, and this tool is not told it", failed.Proxy)
		}
	}
	return ""
}

// daemonTrusts tells whether the daemon is known to do without TLS, or without looking at certificates, for a registry
// (as a reference writes it): on loopback always, elsewhere where its settings list the name or a network that one of
// its addresses is in. Source: docker's engine, daemon/pkg/registry/config.go.
func daemonTrusts(h *Host, host string, failed *network.Failure) bool {
	insecure := append(slices.Clone(h.daemon.Insecure), "127.0.0.0/8", "::1/128")
	addresses := failed.Addresses
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		addresses = append(slices.Clip(addresses), ip)
	}
	return name == "localhost" || slices.ContainsFunc(insecure, func(entry string) bool {
		within, err := netip.ParsePrefix(entry)
		return entry == host || err == nil && slices.ContainsFunc(addresses, within.Contains)
	})
}
