package report

import (
	"fmt"
	"strings"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/network"
)

// step is a phase of so many microseconds.
func step(phase network.Phase, us int) network.Step {
	return network.Step{Phase: phase, Duration: time.Duration(us) * time.Microsecond}
}

func way(address, by, why string, steps ...network.Step) *checks.Connection {
	return &checks.Connection{Address: address, By: []string{by}, Why: []string{why}, Phases: steps}
}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n*7919) }

// pulled is an image of some layers, which another host serves.
func pulled(reference string, layers int) *checks.Pull {
	p := &checks.Pull{
		Reference: reference, Registry: "registry.example.com:443", Digest: digest(1),
		MediaType: "application/vnd.oci.image.index.v1+json", Platform: "linux/amd64",
		Platforms: []string{"linux/amd64", "linux/arm64/v8"}, Tokens: []string{"auth.example.com:443"},
		Blobs: []checks.PulledBlob{{Digest: digest(2), Size: 4211, Config: true, Host: "registry.example.com:443"}},
	}
	for i := range layers {
		p.Blobs = append(p.Blobs, checks.PulledBlob{
			Digest: digest(3 + i), Size: int64(1+i) * 12_345_678, Host: "blobs.example.net:443",
		})
	}
	return p
}

// ways has connections and images that went well and that did not, in every phase.
func ways() []checks.Result {
	good := func(address, by, why string, us int) checks.Finding {
		return checks.Passed(address, "answers").Over(way(address, by, why, step(network.PhaseDNS, us/20),
			step(network.PhaseTCP, us/5), step(network.PhaseTLS, us/2), step(network.PhaseHTTP, us/4)))
	}
	bad := func(address string, broken network.Phase, steps ...network.Step) checks.Finding {
		c := way(address, "runner", "control channel", steps...)
		c.Broken = broken
		return checks.Failed(timeout, address, address+" does not answer", "allow it").Touching(checks.HostPort(address)).
			Try("curl -v https://" + address + "/").Over(c)
	}
	proxied := way("bitbucket.org:443", "runner", "git over HTTPS", step(network.PhaseDNS, 900),
		step(network.PhaseTCP, 2100), step(network.PhaseProxy, 48000), step(network.PhaseTLS, 61000),
		step(network.PhaseHTTP, 30500))
	proxied.Proxy = "proxy.example.com:3128"
	missingLayer := pulled(clone, 2)
	missingLayer.Blobs[2].Problem, missingLayer.Blobs[1].Unasked = "layer-missing", "it comes over plain HTTP"
	single := pulled(own, 1)
	single.Platforms, single.Platform, single.MediaType = nil, "", "application/vnd.oci.image.manifest.v1+json"
	return []checks.Result{
		result(resolves, 210*time.Millisecond,
			checks.Passed("PAUSE_IMAGE", pause+" resolves").Pulling(pulled(pause, 12)),
			checks.Passed("AUTH_PROXY_IMAGE", pause+" resolves").Pulling(pulled(pause, 12)),
			checks.Passed("CLONE_IMAGE", clone+" resolves").Pulling(missingLayer),
			checks.Passed("RUNNER", own+" resolves").Pulling(single),
			missingAt("PAUSE_IMAGE", "quay.io/a:1").Pulling(&checks.Pull{Reference: "quay.io/a:1", Registry: "quay.io:443"})),
		result(
			reachable, 5*time.Second, good("registry.example.com:443", "docker daemon", "PAUSE_IMAGE", 92_000),
			good("api.bitbucket.org:443", "runner", "REST API", 180_000),
			checks.Warned(outdated, "bitbucket.org:443", "slow", "look").Over(proxied),
			checks.Passed("bitbucket.org:443", "answers").Over(proxied),
			bad("dns.example.com:443", network.PhaseDNS, step(network.PhaseDNS, 12_000_000)),
			bad("tcp.example.com:443", network.PhaseTCP, step(network.PhaseDNS, 3000), step(network.PhaseTCP, 5_000_000)),
			bad("tls.example.com:443", network.PhaseTLS, step(network.PhaseDNS, 3000), step(network.PhaseTCP, 20_000),
				step(network.PhaseTLS, 40_000)),
			bad("http.example.com:443", network.PhaseHTTP, step(network.PhaseDNS, 3000), step(network.PhaseTCP, 20_000),
				step(network.PhaseTLS, 40_000)),
			bad("nothing.example.com:443", network.PhaseDNS),
		),
	}
}

// hostileWays has what hostile hosts may say where pictures are drawn.
func hostileWays() []checks.Result {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)> ' ]]> ` + "\x00\x1b[31m\u2028\u202e\u200f\xff" +
		" javascript:alert(1) {{.}} </style></svg>"
	long := strings.Repeat("A", 10_000)
	c := way(evil, evil, evil, step(network.Phase(`x" onload="alert(1)`), -5), step(network.PhaseTCP, 1<<40))
	c.Proxy, c.Broken = "http://ci:"+canary+"@proxy:3128"+evil, network.PhaseTCP
	p := pulled(evil, 1)
	p.Registry, p.Digest, p.MediaType, p.Platforms, p.Platform = evil, evil, evil, []string{evil, long}, evil
	p.Tokens = []string{evil, "https://ci:" + canary + "@auth.example.com"}
	p.Blobs[0].Digest, p.Blobs[0].Host, p.Blobs[0].Size, p.Blobs[0].Problem = evil, evil, -1, evil
	p.Blobs[1].Unasked, p.Blobs[1].Size = long, 1<<62
	return []checks.Result{
		result(resolves, 0, checks.Passed(evil, long).Pulling(p)),
		result(reachable, 0, checks.Failed(timeout, long, evil, evil).On(evil).Try(evil+"\n"+evil, long).Over(c)),
	}
}

// manyHosts has two hundred of them, of which some do not answer.
func manyHosts() []checks.Result {
	var findings []checks.Finding
	for i := range 200 {
		address := fmt.Sprintf("host-%03d.eu-central-1.example.com:443", i)
		c := way(address, "docker daemon", "images of pipelines", step(network.PhaseDNS, 700+i*13%4000),
			step(network.PhaseTCP, 9000+i*97%30_000), step(network.PhaseTLS, 22_000+i*353%60_000))
		if i%29 == 7 {
			c.Broken = network.PhaseTLS
			findings = append(findings, checks.Failed(timeout, address, address+" ends the connection",
				"allow "+address).Touching(checks.HostPort(address)).Over(c))
			continue
		}
		c.Phases = append(c.Phases, step(network.PhaseHTTP, 11_000+i*677%50_000))
		findings = append(findings, checks.Passed(address, "answers").With("dns_ms", i).Over(c))
	}
	return []checks.Result{result(reachable, 3*time.Second, findings...)}
}
