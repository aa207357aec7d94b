package checks

import (
	"context"
	"regexp"
	"strings"
	"time"

	"runner-preflight/checks/network"
)

// resolverFile is where a machine's name servers are written.
const resolverFile = "/etc/resolv.conf"

// shellSafe matches what can stand in a command as it is: hosts may be named by whoever answers.
var shellSafe = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)

// networkFinding reports why a host could not be reached. The text need says who needs it ("which the docker daemon
// needs for PAUSE_IMAGE"; may be empty). It fails; what could not be established is an error.
func networkFinding(ctx context.Context, h *Host, f *network.Failure, need string) Finding {
	message := needed(f.Address, need) + ": " + f.Detail
	if f.Kind == network.NotEstablished {
		found := Unestablished(ctx, f.Address, message).Touching(HostPort(f.Address)).With("phase", string(f.Phase))
		if ctx.Err() == nil {
			found = found.On(f.Root)
		}
		return found
	}
	hint, commands := networkAdvice(h, f)
	if !shellSafe.MatchString(f.Address) {
		commands = nil
	}
	found := Failed(networkProblem(f.Kind), f.Address, message, hint).On(f.Root).Try(commands...).
		Touching(HostPort(f.Address)).With("phase", string(f.Phase))
	found.Behind = barrierBefore(h, f)
	return withFacts(found, f)
}

// needed is a host with who needs it, if that is said.
func needed(address, need string) string {
	if need == "" {
		return address
	}
	return address + ", " + need
}

// withFacts adds what was seen as evidence.
func withFacts(found Finding, f *network.Failure) Finding {
	if len(f.Addresses) > 0 && f.Proxy == "" {
		var addrs []string
		for _, addr := range f.Addresses {
			addrs = append(addrs, addr.String())
		}
		found = found.With("addresses", addrs)
	}
	if f.Proxy != "" {
		found = found.With("proxy", f.Proxy).With("proxy_variable", f.ProxyVariable).Touching(HostPort(f.Proxy))
	}
	if f.ProxyStatus != 0 {
		found = found.With("proxy_status", f.ProxyStatus)
	}
	if f.Certificate != nil {
		found = withCertificate(found, f.Certificate)
	}
	return found
}

func withCertificate(found Finding, c *network.Certificate) Finding {
	return found.With("issuer", c.Issuer).With("subject", c.Subject).With("names", c.Names).
		With("not_before", c.NotBefore.Format(time.RFC3339)).With("not_after", c.NotAfter.Format(time.RFC3339))
}

// networkAdvice says what to do about a failure.
func networkAdvice(h *Host, f *network.Failure) (hint string, commands []string) {
	name := hostOfAddress(f.Address)
	switch f.Kind {
	case network.DNSNotFound:
		return "correct the name " + name + " where it is written, or have this machine's name server know it",
			[]string{"getent hosts " + name, "cat /etc/resolv.conf"}
	case network.DNSFailure:
		return "correct the name servers in /etc/resolv.conf, or let this machine reach them on port 53",
			[]string{"cat /etc/resolv.conf"}
	case network.DNSSinkhole:
		return "allow " + name + " in the DNS filter that answers for it, or remove it from /etc/hosts",
			[]string{"grep -n " + name + " /etc/hosts", "getent ahosts " + name}
	case network.ConnectTimeout:
		if len(f.Addresses) > 0 && !public(f.Addresses) {
			return "check that " + name + " is up, and that a VPN or a route of this machine leads to it; if so, have the " +
					"firewall in between allow TCP to " + f.Address,
				[]string{"curl -v --connect-timeout 5 https://" + f.Address + "/"}
		}
		return "have the firewall allow outgoing TCP to " + f.Address +
			", which it drops now; runner-preflight allowlist " +
			"prints all that is needed", []string{"curl -v --connect-timeout 5 https://" + f.Address + "/"}
	case network.ConnectRefused:
		return "check that a service listens at " + f.Address +
				", then have the firewall allow it: something rejects the connection",
			[]string{"curl -v --connect-timeout 5 https://" + f.Address + "/"}
	case network.NetworkUnreachable:
		return "add a route to " + name + ", or have the firewall allow " + f.Address +
				": a router says that it cannot be reached",
			routeCommands(f)
	case network.ProxyUnreachable, network.ProxyAuthRequired, network.ProxyDenied:
		return proxyAdvice(f), proxyCommands(f)
	case network.HTTPFailure:
		return "look at the proxy or load balancer in front of " + name + ", and at the host itself",
			[]string{"curl -v https://" + f.Address + "/"}
	}
	return tlsAdvice(h, f, name)
}

func routeCommands(f *network.Failure) []string {
	if len(f.Addresses) == 0 {
		return nil
	}
	return []string{"ip route get " + f.Addresses[0].String()}
}

func proxyAdvice(f *network.Failure) string {
	variable := f.ProxyVariable
	if variable == "" {
		variable = "the proxy setting"
	}
	switch {
	case f.Kind == network.ProxyAuthRequired:
		return "put the proxy's user name and password into " + variable + ", as http://USER:PASSWORD@" + f.Proxy
	case f.Kind == network.ProxyDenied && f.ProxyStatus >= 500:
		return "have the proxy " + f.Proxy + " reach the host: it could not connect to it, or not resolve its name"
	case f.Kind == network.ProxyDenied:
		return "have the administrator of the proxy " + f.Proxy + " allow CONNECT to this runner's hosts, which " +
			"runner-preflight allowlist prints"
	case f.Proxy == "":
		return "write " + variable + " as http://HOST:PORT"
	}
	return "correct " + variable + ", or mend the proxy " + f.Proxy + "; NO_PROXY excepts hosts that need none"
}

// proxyCommands are the same for every host behind a proxy, so that one cause has one set of them.
func proxyCommands(f *network.Failure) []string {
	switch {
	case f.Proxy == "":
		return nil
	case f.Kind == network.ProxyDenied:
		return []string{"runner-preflight allowlist"}
	}
	return []string{"curl -v --connect-timeout 5 http://" + f.Proxy + "/"}
}

func tlsAdvice(h *Host, f *network.Failure, name string) (hint string, commands []string) {
	written := strings.TrimSuffix(f.Address, ":443") // port 443 is not written
	show := "openssl s_client -connect " + f.Address + " -servername " + name + " </dev/null"
	switch f.Kind {
	case network.TLSReset:
		return "have the firewall allow TLS to the host name " + name +
				": it lets the address through and filters by name (SNI)",
			[]string{show}
	case network.TLSTimeout:
		return "have the firewall allow TLS to the host name " + name +
				", or lower the MTU if large packets are lost on the way",
			[]string{show, "ping -c 3 -M do -s 1472 " + name}
	case network.TLSNotSpoken:
		if isPublicHost(name) {
			return "have the firewall or the proxy in between leave " + f.Address + " alone: it answers in the place of " + name,
				[]string{"curl -v http://" + f.Address + "/"}
		}
		return "correct the port, or have " + f.Address + " speak TLS", []string{"curl -v http://" + f.Address +
			"/v2/"}
	case network.TLSUntrusted:
		hint = "get the certificate of the authority from whoever runs " + name +
			", and put it where docker's daemon looks"
		if isPublicHost(name) {
			hint = "have the firewall leave TLS to " + name +
				" alone, or put its authority's certificate where docker's daemon looks"
		}
		return hint, []string{h.daemon.site.certificate("644", "ca.crt", written)}
	case network.TLSIntercepted:
		return "have the firewall leave TLS to " + name +
				" alone (no inspection): the runner trusts its image's authorities only",
			[]string{show + " | openssl x509 -noout -issuer"}
	case network.TLSExpired, network.TLSNotYetValid:
		hint = "renew the certificate of " + name
		if f.Kind == network.TLSNotYetValid || isPublicHost(name) {
			hint = "set this machine's clock"
		}
		return hint + "; this machine takes the time to be " +
			h.Now().UTC().Format("2006-01-02 15:04 UTC"), []string{"date -u"}
	case network.TLSWrongHost:
		hint = "have the certificate of " + name + " issued for that name"
		if f.Certificate != nil && len(f.Certificate.Names) > 0 {
			hint += ", or write the host as " + f.Certificate.Names[0]
		}
		return hint, []string{show + " | openssl x509 -noout -ext subjectAltName"}
	}
	if strings.Contains(f.Detail, "client certificate") {
		return "put the client certificate and its key where docker's daemon looks", []string{
			h.daemon.site.certificate("644", "client.cert", written), h.daemon.site.certificate("600", "client.key", written),
		}
	}
	return "have " + name + " speak TLS 1.2 or newer with common ciphers", []string{show}
}
