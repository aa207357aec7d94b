package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks/engine"
	lab "runner-preflight/checks/scene"
)

// TestAllowlist has a private registry that sends its clients elsewhere, and what may come in the way of learning
// that. The vendor's hosts and those that only some pipelines need are left out of what is compared.
func TestAllowlist(t *testing.T) {
	t.Parallel()
	const registry = "registry.example.com:443"
	needed := func(more ...string) string {
		return strings.Join(append([]string{registry + " docker daemon PAUSE_IMAGE"}, more...), "\n")
	}
	token := "token.example.com:8443 docker daemon token service of " + registry
	blobs := "store.example.com:443 docker daemon blobs of " + registry
	for _, test := range []struct {
		name   string
		change func(s *lab.Scene, r *lab.Registry, in *Input)
		want   string
		gaps   string
	}{
		{"healthy", func(*lab.Scene, *lab.Registry, *Input) {}, needed(blobs, token), ""},
		{
			"offline", func(_ *lab.Scene, _ *lab.Registry, in *Input) { in.Offline = true }, needed(),
			registry + " offline: no registry is asked offline",
		},
		{
			"no credentials", func(_ *lab.Scene, _ *lab.Registry, in *Input) { in.Files = in.Files[:1] }, needed(token),
			registry + ": registry.example.com:443 grants no pull from mirror/pause without credentials",
		},
		{"registry blocked", func(s *lab.Scene, r *lab.Registry, _ *Input) {
			s.Hosts["registry.example.com"] = lab.Host{TCP: "timeout", Registry: r}
		}, needed(), registry + ": no answer from "},
		{"token service blocked", func(s *lab.Scene, _ *lab.Registry, _ *Input) {
			s.Hosts["token.example.com:8443"] = lab.Host{TCP: "timeout"}
		}, needed(token), registry + ": token.example.com:8443: no answer from "},
		{"store of layers blocked", func(s *lab.Scene, _ *lab.Registry, _ *Input) {
			s.Hosts["store.example.com"] = lab.Host{TCP: "timeout"}
		}, needed(blobs, token), registry + ": store.example.com:443: no answer from "},
		{"one layer gone", func(_ *lab.Scene, r *lab.Registry, _ *Input) {
			r.Images = map[string]lab.Image{"mirror/pause:3.8": {Missing: []int{0}}}
		}, needed(blobs, token), ""},
		{"tag not found", func(_ *lab.Scene, r *lab.Registry, _ *Input) {
			r.Images = map[string]lab.Image{"mirror/pause:3.9": {}}
		}, needed(token), registry + ": "},
		{"token service on plain HTTP", func(_ *lab.Scene, r *lab.Registry, _ *Input) {
			r.Realm = "http://token.example.com/token"
		}, needed("token.example.com:80 docker daemon token service of " + registry), registry + ": the token service"},
		{"token service with a name that is none", func(_ *lab.Scene, r *lab.Registry, _ *Input) {
			r.Realm = "https://.com/token"
		}, needed(), `: ".com:443" is no host, and needed as the token service of ` + registry},
		{"token service in upper case, at its own port", func(_ *lab.Scene, r *lab.Registry, _ *Input) {
			r.Realm = "https://TOKEN.example.com:8443/token/registry.example.com:443"
		}, needed(blobs, token), ""},
		{"another endpoint", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
			in.Endpoints = []Endpoint{
				{Host: "2001:db8::7", Port: 8080, Actor: ActorJVM, Why: "--endpoint"},
				{Host: "Bücher.example", Port: 443, Actor: ActorJVM, Why: "--endpoint"},
			}
		}, needed(blobs, token, "[2001:db8::7]:8080 runner named by --endpoint",
			"xn--bcher-kva.example:443 runner named by --endpoint"), ""},
		{"a proxy on the way", func(s *lab.Scene, _ *lab.Registry, in *Input) {
			s.Hosts["proxy.example.com:3128"] = lab.Host{Proxy: &lab.Proxy{}}
			in.Files[0].Data = []byte("HTTPS_PROXY=http://ci:secret@Proxy.example.com:3128\nNO_PROXY=.atlassian.com\n" +
				string(in.Files[0].Data))
			in.Endpoints = []Endpoint{{Host: "api.bitbucket.org", Port: 8443, Actor: ActorJVM, Why: "--endpoint"}}
		}, "proxy.example.com:3128 proxy runner proxy (HTTPS_PROXY)\n" + needed(blobs, token,
			"api.bitbucket.org:8443 runner named by --endpoint over proxy.example.com:3128"), ""},
		{"the daemon tells of a proxy", func(s *lab.Scene, _ *lab.Registry, in *Input) {
			s.Hosts["proxy.example.com:3128"] = lab.Host{Proxy: &lab.Proxy{}}
			in.Told = &engine.Info{Product: "Docker Engine", HTTPSProxy: "http://proxy.example.com:3128", NoProxy: ".atlassian.com"}
		}, "proxy.example.com:3128 proxy docker daemon proxy (the docker daemon's HTTPS_PROXY)\n" +
			over("proxy.example.com:3128", needed(blobs, token)), ""},
		{"the daemon tells of a proxy for other hosts", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
			in.Told = &engine.Info{Product: "Docker Engine", HTTPSProxy: "http://proxy.example.com:3128", NoProxy: "*"}
		}, needed(blobs, token), ""},
		{
			"the daemon does not answer", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
				in.Untold = &engine.Failure{Kind: engine.NotPermitted, Detail: "permission denied"}
			}, needed(blobs, token),
			": the docker daemon does not tell its runners, its proxy and its mirrors: permission denied",
		},
		{"there is no daemon", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
			in.Untold = &engine.Failure{Kind: engine.NoSocket, Detail: "there is no socket"}
		}, needed(blobs, token), ""},
		{"mirrors, and images of elsewhere", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
			in.Told = &engine.Info{Product: "Docker Engine", Mirrors: []string{"https://mirror.example.com/"}}
		}, needed(blobs, token), ""},
		{"a mirror", mirroring("https://mirror.example.com/"), atMirror("mirror.example.com:443", true), ""},
		{"a mirror, and Docker Hub out of reach", func(s *lab.Scene, r *lab.Registry, in *Input) {
			mirroring("https://mirror.example.com/")(s, r, in)
			s.Hosts["registry-1.docker.io"] = lab.Host{TCP: "timeout"}
		}, atMirror("mirror.example.com:443", true), ""},
		{"neither the mirror nor Docker Hub in reach", func(s *lab.Scene, r *lab.Registry, in *Input) {
			mirroring("https://mirror.example.com/")(s, r, in)
			s.Hosts["registry-1.docker.io"] = lab.Host{TCP: "timeout"}
			s.Hosts["mirror.example.com"] = lab.Host{TCP: "timeout"}
		}, atMirror("mirror.example.com:443", false), "mirror.example.com:443: no answer from "},
		{"a mirror in clear", func(s *lab.Scene, r *lab.Registry, in *Input) {
			mirroring("http://mirror:5000")(s, r, in)
			s.Hosts["registry-1.docker.io"] = lab.Host{TCP: "timeout"}
		}, atMirror("mirror:5000", false), "mirror:5000: the daemon asks this mirror in clear, and this tool does not"},
		{"a mirror in clear, through a proxy", func(s *lab.Scene, r *lab.Registry, in *Input) {
			mirroring("http://mirror")(s, r, in)
			in.Told.HTTPProxy, in.Told.HTTPSProxy = "proxy.example.com:3128", ""
		}, "proxy.example.com:3128 proxy docker daemon proxy (the docker daemon's HTTP_PROXY)\n" +
			strings.ReplaceAll(atMirror("mirror:80", false), "a mirror of Docker Hub", "a mirror of Docker Hub over proxy.example.com:3128"), ""},
		{"an env file that is not there", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
			in.Files[0] = InputFile{Path: "run.sh", Data: []byte("docker run --env-file more.env -e PAUSE_IMAGE=registry.example.com/mirror/pause:3.8 " +
				"docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner\n")}
		}, needed(blobs, token), ": the env file more.env was not read"},
		{"no runner", func(_ *lab.Scene, _ *lab.Registry, in *Input) {
			in.Files = []InputFile{{Path: "run.sh", Data: []byte("#!/bin/sh\necho hello\n")}}
		}, "", ": no runner was found in run.sh"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			hosts, gaps := allowlistOf(t, test.change)
			if diff := cmp.Diff(test.want, strings.Join(hosts, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			gaps = slices.DeleteFunc(gaps, func(gap string) bool { return strings.HasPrefix(gap, "docker-public.") })
			if got := strings.Join(gaps, "\n"); !strings.HasPrefix(got, test.gaps) || (got == "") != (test.gaps == "") {
				t.Errorf("gaps: %s, want %s", got, test.gaps)
			}
		})
	}
}

// over puts a proxy on the way to all hosts of a list.
func over(proxy, list string) string {
	return strings.ReplaceAll(list, "\n", " over "+proxy+"\n") + " over " + proxy
}

// mirroring changes the host to one whose image is on Docker Hub, and whose daemon has a mirror of it.
func mirroring(address string) func(*lab.Scene, *lab.Registry, *Input) {
	return func(s *lab.Scene, _ *lab.Registry, in *Input) {
		hub := &lab.Registry{Images: map[string]lab.Image{"acme/pause:1": {}}}
		s.Hosts["registry-1.docker.io"] = lab.Host{Registry: hub}
		s.Hosts["mirror.example.com"] = lab.Host{Registry: &lab.Registry{BlobHost: "store.example.com", Images: hub.Images}}
		in.Files = []InputFile{{Path: "runner.env", Data: []byte("PAUSE_IMAGE=acme/pause:1\nWORKING_DIRECTORY=/tmp\n")}}
		in.Told = &engine.Info{Product: "Docker Engine", Mirrors: []string{address}}
	}
}

// atMirror is the list of such a host; asked says that the mirror tells where it sends its clients.
func atMirror(address string, asked bool) string {
	lines := []string{
		address + " docker daemon PAUSE_IMAGE, at a mirror of Docker Hub" +
			" docker daemon images of pipelines on Docker Hub, at a mirror of Docker Hub",
		"registry-1.docker.io:443 docker daemon PAUSE_IMAGE, where no mirror has it" +
			" docker daemon images of pipelines on Docker Hub, where no mirror has it",
	}
	if asked {
		lines = append(lines, "store.example.com:443 docker daemon blobs of "+address)
	}
	return strings.Join(lines, "\n")
}

// allowlistOf is the list of a host, in lines, and its gaps, without what all runners need.
func allowlistOf(t *testing.T, change func(*lab.Scene, *lab.Registry, *Input)) (hosts, gaps []string) {
	t.Helper()
	r := &lab.Registry{
		Auth: "bearer", Users: map[string]string{"ci": "secret"}, Realm: "token.example.com:8443", BlobHost: "store.example.com",
		Images: map[string]lab.Image{"mirror/pause:3.8": {}},
	}
	vendor := lab.Host{Registry: &lab.Registry{Images: map[string]lab.Image{
		"sox/atlassian/bitbucket-pipelines-auth-proxy:prod-stable": {},
		"sox/atlassian/bitbucket-pipelines-dvcs-tools:prod-stable": {},
		"sox/atlassian/bitbucket-pipelines-runner:latest":          {},
	}}}
	s := lab.Scene{Hasty: true, Hosts: map[string]lab.Host{
		"registry.example.com": {Registry: r}, "token.example.com:8443": {}, "store.example.com": {},
		"docker-public.packages.atlassian.com": vendor,
	}}
	in := Input{Live: true, Platform: "linux/amd64", Env: func(string) string { return "" }, Files: []InputFile{
		{Path: "runner.env", Data: []byte("PAUSE_IMAGE=registry.example.com/mirror/pause:3.8\nWORKING_DIRECTORY=/tmp\n")},
		{Path: "config.json", Data: []byte(`{"auths": {"registry.example.com": {"auth": "Y2k6c2VjcmV0"}}}`)},
	}}
	change(&s, r, &in)
	network, err := lab.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(network.Close)
	in.Route = network.Config()
	h, err := Build(t.Context(), in, Windows{Files: folderFiles{folder: t.TempDir()}, Now: network.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	allowed, open := Allowlist(ctx, h)
	for _, a := range allowed {
		if (isVendorHost(a.Host) && a.Port == 443) || a.Optional() {
			continue
		}
		line := a.Address()
		if a.Proxy {
			line += " proxy"
		}
		for _, n := range a.Needs {
			line += fmt.Sprintf(" %s %s", n.Who, n.Why)
			if n.Via != "" {
				line += " over " + n.Via
			}
		}
		hosts = append(hosts, line)
	}
	for _, g := range open {
		gaps = append(gaps, g.Address+map[bool]string{true: " offline"}[g.Offline]+": "+g.Reason)
	}
	return hosts, gaps
}

// TestAllowlistOfDefaults needs one of the two default pause images to answer.
func TestAllowlistOfDefaults(t *testing.T) {
	t.Parallel()
	for blocked, complete := range map[string]bool{"none": true, "docker-hub": true, "k8s-docker": true, "docker-hub k8s-docker": false} {
		_, gaps := allowlistOf(t, func(s *lab.Scene, _ *lab.Registry, in *Input) {
			in.Files = nil
			for name, image := range map[string]string{"docker-hub": "google/pause:latest", "k8s-docker": "pause:3.8"} {
				h := lab.Host{Registry: &lab.Registry{Images: map[string]lab.Image{image: {}}}}
				if strings.Contains(blocked, name) {
					h = lab.Host{TCP: "refused"}
				}
				s.Hosts[name+".packages.atlassian.com"] = h
			}
		})
		if complete != (len(gaps) == 0) {
			t.Errorf("%s blocked: %q", blocked, gaps)
		}
	}
}
