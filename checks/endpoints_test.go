package checks

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"runner-preflight/checks/network"
	"runner-preflight/checks/runner"

	"github.com/google/go-cmp/cmp"
)

// always are the hosts that a runner needs whatever its images are, as the vendor's documentation and knowledge base
// list them; a question mark is for those that may not be needed.
const always = `
api.atlassian.com:443 runner
auth.atlassian.com:443 runner ?
api.bitbucket.org:443 runner
bitbucket.org:443 runner
micros--prod-east--bitbucketci-file-service--files.s3.amazonaws.com:443 runner ?
micros--prod-west--bitbucketci-file-service--files.s3.us-west-2.amazonaws.com:443 runner ?
public.ecr.aws:443 docker daemon ?
registry-1.docker.io:443 docker daemon ?
auth.docker.io:443 docker daemon ?
production.cloudflare.docker.com:443 docker daemon ?
`

func TestEndpointsOf(t *testing.T) {
	t.Parallel()
	given := func(role Role, reference string) Image {
		return Image{Role: role, Reference: reference, Origin: OriginDefinition}
	}
	byDefault := func(role Role) Image {
		return Image{Role: role, Reference: defaultImages(role)[0], Origin: OriginDefault}
	}
	for _, test := range []struct {
		name   string
		images []Image
		want   string
	}{
		{"defaults", []Image{
			byDefault(RolePause), byDefault(RoleAuthProxy), byDefault(RoleClone), byDefault(RoleRunner),
		}, `
k8s-docker.packages.atlassian.com:443 docker daemon
docker-hub.packages.atlassian.com:443 docker daemon
docker-public.packages.atlassian.com:443 docker daemon
docker-public.packages.atlassian.com:443 docker CLI` + always},
		{"all elsewhere", []Image{
			given(RolePause, "registry.example.com:5000/pause:1"), given(RoleAuthProxy, "Registry.example.com/a:1"),
			given(RoleClone, "10.0.0.7/c@sha256:"+strings.Repeat("a", 64)), given(RoleRunner,
				"[2001:db8::7]:5000/bitbucket-pipelines-runner:3"),
		}, `
registry.example.com:5000 docker daemon
registry.example.com:443 docker daemon
10.0.0.7:443 docker daemon
[2001:db8::7]:5000 docker CLI` + always},
		{
			"on Docker Hub",
			[]Image{given(RolePause, "acme/pause"), given(RoleClone, "docker.io/acme/clone:1")},
			strings.Replace(`
registry-1.docker.io:443 docker daemon`+always, "registry-1.docker.io:443 docker daemon ?\n", "", 1),
		},
		{"no host in them", []Image{
			given(RolePause, "https://registry.example.com/pause"), given(RoleClone, "localhost/clone:1"),
			given(RoleAuthProxy, "sha256:"+strings.Repeat("a", 64)),
			{Role: RoleRunner, Unresolved: "$1"},
			given(RolePause, ""),
		}, always},
	} {
		var got []string
		for _, e := range endpointsOf(&Runner{Images: test.images}, nil) {
			line := fmt.Sprintf("%s %s", e.Address(), e.Actor)
			if e.Optional {
				line += " ?"
			}
			got = append(got, line)
		}
		want := slices.DeleteFunc(strings.Split(test.want, "\n"), func(line string) bool { return line == "" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestExtraEndpoints(t *testing.T) {
	t.Parallel()
	extra := []Endpoint{
		{Host: "public.ecr.aws", Port: 443, Actor: ActorDaemon, Why: "--endpoint"},
		{Host: "nexus.example.com", Port: 8443},
	}
	endpoints := endpointsOf(&Runner{}, extra)
	at := slices.IndexFunc(endpoints, func(e Endpoint) bool { return e.Host == "public.ecr.aws" })
	if e := endpoints[at]; e.Optional || e.Why != "images of pipelines, --endpoint" {
		t.Errorf("%+v", e)
	}
	if last := endpoints[len(endpoints)-1]; last.Address() != "nexus.example.com:8443" {
		t.Errorf("%+v", last)
	}
}

func TestPublicHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string][2]bool{ // the vendor's, public
		"api.atlassian.com": {true, true}, "API.atlassian.com": {
			true,
			true,
		}, "docker-hub.packages.atlassian.com": {true, true},
		"ghcr.io": {false, true}, "registry-1.docker.io": {false, true}, "auth.docker.io": {false, true},
		"registry.example.com": {false, false}, "atlassian.com.example.net": {false, false},
	} {
		if got := [2]bool{isVendorHost(host), isPublicHost(host)}; got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// TestControlRoute takes the JVM's proxy from the definition, else from docker's CLI, and this machine's where that is open.
func TestControlRoute(t *testing.T) {
	t.Parallel()
	environment := func(pairs ...string) *runner.Definition {
		d := &runner.Definition{States: runner.Aspects{Environment: true}}
		for i := 0; i < len(pairs); i += 2 {
			d.Environment = append(d.Environment, runner.Variable{
				Name: runner.Text{Value: pairs[i]}, Value: runner.Text{Value: pairs[i+1]},
			})
		}
		return d
	}
	elsewhere := environment("HTTPS_PROXY", "")
	elsewhere.Environment[0].Value.Unresolved = "$PROXY"
	here := network.Config{Proxy: network.ProxyFromEnv(func(name string) string {
		return map[string]string{"HTTPS_PROXY": "http://here.example.com:1"}[name]
	})}
	for _, test := range []struct {
		name       string
		definition *runner.Definition
		injected   injectedProxies
		want       string
	}{
		{"none", nil, injectedProxies{}, "here.example.com:1"},
		{"knows no environment", &runner.Definition{}, injectedProxies{}, "here.example.com:1"},
		{"no proxy", environment(), injectedProxies{}, ""},
		{"a proxy", environment("HTTPS_PROXY", "http://there:2"), injectedProxies{}, "there:2"},
		{
			"the last one", environment("HTTPS_PROXY", "http://there:2", "HTTPS_PROXY", "http://last:3"),
			injectedProxies{},
			"last:3",
		},
		{"excepted", environment("HTTPS_PROXY", "http://there:2", "NO_PROXY", ".atlassian.com"), injectedProxies{}, ""},
		{"from elsewhere", elsewhere, injectedProxies{}, "here.example.com:1"},
		{"injected", environment(), injectedProxies{"http://cli:4", "", "config.json"}, "cli:4"},
		{"injected, excepted", environment(), injectedProxies{"http://cli:4", "*.atlassian.com", "config.json"}, ""},
		{
			"injected, excepted by the runner", environment("NO_PROXY", "api.atlassian.com"),
			injectedProxies{"http://cli:4", "", "config.json"},
			"",
		},
		{
			"injected beside one of its own", environment("https_proxy", "http://there:2"),
			injectedProxies{"http://cli:4", "", "config.json"},
			"there:2",
		},
	} {
		route := controlRoute(here, test.definition, test.injected)
		chosen, err := route.Proxy(&url.URL{Scheme: "https", Host: "api.atlassian.com:443"})
		got := ""
		if chosen != nil {
			got = chosen.Address()
		}
		if err != nil || got != test.want || !route.PublicOnly {
			t.Errorf("%s: %q, want %q (%v)", test.name, got, test.want, err)
		}
	}
}

// TestNetworkProblems looks for a problem for each kind of failure.
func TestNetworkProblems(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{
		network.DNSNotFound, network.DNSFailure, network.DNSSinkhole, network.ConnectTimeout,
		network.ConnectRefused, network.NetworkUnreachable, network.ProxyUnreachable, network.ProxyAuthRequired,
		network.ProxyDenied,
		network.TLSReset, network.TLSTimeout, network.TLSNotSpoken, network.TLSUntrusted, network.TLSIntercepted,
		network.TLSExpired,
		network.TLSNotYetValid, network.TLSWrongHost, network.TLSIncompatible, network.HTTPFailure,
		network.NotEstablished,
	} {
		if p := networkProblem(kind); p.ID != kind || p.Title == "" || p.Doc == "" || p.Source == "" {
			t.Errorf("%s: %+v", kind, p)
		}
	}
}
