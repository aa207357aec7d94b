// Package scene puts a network on loopback from a description of its hosts: how each name resolves, what a
// firewall does, what certificate is shown, which images a registry has. Tests and the demo look at it through the
// two seams of a route, its dialler and its resolver; everything in between is real.
package scene

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Scene is a network. All of it can be written as JSON.
type Scene struct {
	// Hosts are by name, as "registry.example.com" (port 443) or "registry.example.com:5000". A host that is named
	// by an address is what stands at that address, whichever names resolve to it.
	Hosts map[string]Host
	// Others is how every other name behaves; nil means that none exists.
	Others *Host
	// Now is what certificates and Date headers go by; the zero time takes the clock's.
	Now time.Time
	// Latency is how long each round trip takes.
	Latency Duration
	// PhaseTimeout bounds one phase; 0 takes the route's own.
	PhaseTimeout Duration
	// Hasty says that connection attempts which nobody answers end at once, as if their time were up: a test need not
	// wait for it.
	Hasty bool
	// IPv6 says that the machine has a way out over IPv6.
	IPv6 bool
}

// Host is one host's behaviour. The zero value resolves, connects, shows a good certificate and answers 404.
type Host struct {
	// DNS is "" to resolve, "nxdomain", "servfail" or "timeout".
	DNS string
	// Addresses are what the name resolves to instead of an address of its own.
	Addresses []string
	// Address is the host's own IPv4 address, instead of one that is picked for it.
	Address string
	// TCP is "" to connect, "timeout", "refused" or "unreachable".
	TCP string
	// Direct is as TCP, for what does not come through a proxy.
	Direct string
	// IPv6 gives the host an IPv6 address as well, and is what that does: "ok", or as TCP.
	IPv6 string
	// TLS is "" for a certificate that public roots vouch for, or:
	//   private         one of an authority that the machine's roots vouch for, and the public's do not
	//   intercepted     the same, of a firewall's authority
	//   untrusted       one of an authority that nobody vouches for
	//   self-signed, expired, not-yet-valid, wrong-host
	//   old-version     TLS 1.1 at most
	//   client-certificate, client-certificate-1.2: wants one (in TLS 1.3 and 1.2)
	//   plain-http, reset (at the ClientHello), silent, garbage
	TLS string
	// HTTP1 says that the host does not speak HTTP/2.
	HTTP1 bool
	// Skew is how far the host's clock, which its Date headers show, is ahead.
	Skew Duration
	// Answer is for requests that nothing else here answers; Paths are answers by path, before everything else.
	Answer *Answer
	Paths  map[string]Answer
	// Registry makes the host a registry.
	Registry *Registry
	// Proxy makes the host an HTTP proxy. It is spoken to in clear unless TLS is set to something.
	Proxy *Proxy
}

// Answer is a fixed HTTP answer. The zero value is an empty 200.
type Answer struct {
	Status  int
	Headers map[string]string
	Body    string
	// Delay is the time until the first byte.
	Delay Duration
	// Fault is "", "reset" (the connection dies), "silent" (no answer ever), "garbage" (not HTTP), "endless-body"
	// or "endless-headers".
	Fault string
}

// Proxy is a proxy's behaviour.
type Proxy struct {
	// User and Password are asked for, if set.
	User, Password string
	// Refuse is the status with which every CONNECT is refused, 0 to connect.
	Refuse int
	// Silent says that it never answers.
	Silent bool
	// Headers are added to a refusal.
	Headers map[string]string
}

// Registry is a registry's behaviour.
type Registry struct {
	// Auth is "" for none, "basic" or "bearer".
	Auth string
	// Users are passwords by user name.
	Users map[string]string
	// Grants are the repositories that a user may read; a user without an entry may read all of them.
	Grants map[string][]string
	// Public are the repositories that anybody may read, after the dance for an anonymous token.
	Public []string
	// Realm is the token service: a host of the scene, or a URL; empty takes this host.
	Realm string
	// BlobHost is the host of the scene that blobs redirect to; empty serves them here.
	BlobHost string
	// Images are by "repository:tag".
	Images map[string]Image
	// Faults are answers that stand in for the registry's own.
	Faults []Fault
}

// Image is one image, made of nothing but what is said here: the same each time.
type Image struct {
	// Platforms are OS/ARCH[/VARIANT]: none makes a linux/amd64 image, several make an index.
	Platforms []string
	// Index says that one platform too is to be an index.
	Index bool
	// Layers is how many layers there are; 0 means 2.
	Layers int
	// Created is the config's date.
	Created time.Time
	// Missing and Denied are layers (by their number, from 0; -1 is the config) that answer 404 or 403.
	Missing, Denied []int
	// Kind is "", "schema1", "artifact" or "garbage".
	Kind string
}

// Fault answers requests of a registry.
type Fault struct {
	// Method is the requests' method, empty for all.
	Method string
	// Path is a part of the requests' path, as "manifests/" or "blobs/".
	Path string
	// Times is how often it strikes, 0 for always.
	Times int
	Answer
}

// check refuses behaviours that do not exist: a slip in a description must not make a healthy host.
func (s Scene) check() error {
	known := map[string]string{
		"DNS": " nxdomain servfail timeout ", "TCP": " timeout refused unreachable ", "Direct": " timeout refused unreachable ",
		"IPv6": " ok timeout refused unreachable ",
		"TLS": " private intercepted untrusted self-signed expired not-yet-valid wrong-host old-version " +
			"client-certificate client-certificate-1.2 plain-http reset silent garbage ",
	}
	hosts := map[string]Host{}
	maps.Copy(hosts, s.Hosts)
	if s.Others != nil {
		hosts["others"] = *s.Others
	}
	for name, h := range hosts {
		for field, value := range map[string]string{"DNS": h.DNS, "TCP": h.TCP, "Direct": h.Direct, "IPv6": h.IPv6, "TLS": h.TLS} {
			if value != "" && !strings.Contains(known[field], " "+value+" ") {
				return fmt.Errorf("scene: host %s: %s cannot be %q", name, field, value)
			}
		}
	}
	return nil
}

// Duration is written as "300ms" in JSON.
type Duration time.Duration

// UnmarshalJSON reads "300ms".
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("a duration is written as \"300ms\": %w", err)
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// MarshalJSON writes "300ms".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }
