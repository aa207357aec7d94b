package checks

import "slices"

// What a firewall's every way of refusing looks like was measured with nftables, squid, sslsplit and Go 1.26.
const networkMeasured = "measured with Go against a firewall, name servers and proxies set up for it"

var dnsNotFound = &Problem{
	ID:    "dns-not-found",
	Title: "A host's name does not exist",
	Doc: "The name servers of this machine say that the name does not exist, or that it has no " +
		"address. Either the name is mistyped, or only another name server knows it (split DNS, a " +
		"VPN), or a DNS filter denies it. Whoever needs the host fails at once with \"no such " +
		"host\". Correct the name where it is written, or have the name server know it.",
	Source: networkMeasured,
	Prints: []Print{
		{`no such host|UnknownHostException|name or service not known`, 1},
	},
}

var dnsFailure = &Problem{
	ID:    "dns-failure",
	Title: "Names cannot be looked up",
	Doc: "No name server answers (a time-out, or nothing listens there), or it answers with an error " +
		"(SERVFAIL, REFUSED). Nothing that needs a name can be reached. Mend /etc/resolv.conf, have " +
		"the firewall let port 53 through to the name server, or mend that server's own way out.",
	Source:   networkMeasured,
	Explains: []string{"dns-not-found", "proxy-unreachable", "daemon-silent"},
	Prints: []Print{
		{`server misbehaving|temporary failure in name resolution|read udp \S+: i/o timeout`, 1},
	},
}

var dnsSinkhole = &Problem{
	ID:    "dns-sinkhole",
	Title: "A host's name leads nowhere",
	Doc: "The name resolves to 0.0.0.0 or this machine itself, or a host of the vendor to a private " +
		"address, and what answers there cannot prove to be the host. DNS filters (Pi-hole, a " +
		"firewall's DNS security, an /etc/hosts entry) answer so to block a name. Allow the name in " +
		"the filter. Private endpoints, which do prove to be the host, are no such case.",
	Source:   networkMeasured,
	Explains: []string{"http-blocked", "not-a-registry"},
	Prints: []Print{
		{printsRefused, 2},
	},
}

var connectTimeout = &Problem{
	ID:    "connect-timeout",
	Title: "A host does not answer",
	Doc: "Connection attempts get no answer at all: a firewall between this machine and the host " +
		"drops them, or the host is down. docker waits 15 seconds and reports \"Client.Timeout " +
		"exceeded while awaiting headers\". Have the firewall allow outgoing TCP to that host and " +
		"port (runner-preflight allowlist prints the whole list), or go through a proxy.",
	Source: networkMeasured,
	Prints: []Print{
		{printsTimeout, 1},
	},
}

var connectRefused = &Problem{
	ID:    "connect-refused",
	Title: "A host refuses the connection",
	Doc: "The connection attempt is answered with a reset: nothing listens on that port, or a " +
		"firewall rejects the connection. Check the port first, then have the firewall allow it.",
	Source: networkMeasured,
	Prints: []Print{
		{printsRefused, 1},
	},
}

var networkUnreachable = &Problem{
	ID:    "network-unreachable",
	Title: "There is no way to a host",
	Doc: "A router or a firewall says that the host cannot be reached (ICMP: no route, prohibited), " +
		"or this machine has no route to it. Add the route, or have the firewall allow the host.",
	Source: networkMeasured,
	Prints: []Print{
		{printsNoRoute, 1},
	},
}

var proxyUnreachable = &Problem{
	ID:    "proxy-unreachable",
	Title: "The proxy does not answer",
	Doc: "The proxy that a variable names does not resolve, cannot be connected to, or never answers " +
		"CONNECT. Whatever has to go through it fails. Correct the variable, except the host with " +
		"NO_PROXY, or mend the proxy.",
	Source: networkMeasured,
	Prints: []Print{
		{printsTimeout, 2},
		{printsProxy, 1},
	},
}

var proxyAuthRequired = &Problem{
	ID:    "proxy-auth-required",
	Title: "The proxy asks for a password",
	Doc: "The proxy answers CONNECT with 407: no user name and password were sent, or wrong ones. " +
		"They belong into the variable that names the proxy, as " +
		"http://USER:PASSWORD@proxy.example.com:3128, with special characters percent-encoded. " +
		"Kerberos and NTLM are supported by neither docker nor the runner: have the proxy let this " +
		"machine through by its address.",
	Source: networkMeasured,
	Prints: []Print{
		{`proxy authentication required`, 1},
	},
}

var proxyDenied = &Problem{
	ID:    "proxy-denied",
	Title: "The proxy refuses a host",
	Doc: "The proxy answers, but not with a connection: its rules do not allow the host or the port " +
		"(403), or it cannot reach the host itself (502, 503, 504). Have its administrator allow " +
		"CONNECT to that host and port.",
	Source: networkMeasured,
	Prints: []Print{
		{printsProxy, 2},
	},
}

var tlsReset = &Problem{
	ID:    "tls-reset",
	Title: "TLS to a host is cut off",
	Doc: "TCP connects, and the connection dies as soon as TLS names the host: a firewall filters by " +
		"host name (SNI). Allowing the address is not enough there; have it allow the host name.",
	Source: networkMeasured,
	Prints: []Print{
		{printsReset, 1},
	},
}

var tlsTimeout = &Problem{
	ID:    "tls-timeout",
	Title: "TLS with a host never ends",
	Doc: "TCP connects, and then nothing comes. A filter swallows the ClientHello, or large packets " +
		"are lost because the MTU is too high and the ICMP messages that would say so are blocked " +
		"(VPNs and tunnels). Have the filter allow the host name, or lower the MTU.",
	Source: networkMeasured,
	Prints: []Print{
		{`TLS handshake timeout`, 1},
		{printsTimeout, 3},
	},
}

var tlsNotSpoken = &Problem{
	ID:    "tls-not-spoken",
	Title: "A host does not speak TLS",
	Doc: "Something answers on that port, but not with TLS: plain HTTP, or another service. docker " +
		"says \"server gave HTTP response to HTTPS client\". Correct the port, or have the host " +
		"speak TLS.",
	Source:   networkMeasured,
	Explains: []string{"not-a-registry"},
	Prints: []Print{
		{printsClear, 2},
	},
}

var tlsUntrusted = &Problem{
	ID:    "tls-untrusted",
	Title: "A host's certificate is not trusted",
	Doc: "The certificate was issued by an authority that this machine does not trust, so docker " +
		"refuses it: \"x509: certificate signed by unknown authority\". Put the authority's " +
		"certificate where docker's daemon looks: /etc/docker/certs.d/HOST[:PORT]/ca.crt (read at " +
		"each pull, no restart). On a host that the whole world knows, the issuer is a firewall that " +
		"inspects TLS: have it leave the host alone.",
	Source: networkMeasured + "; docker's documentation of certs.d",
	Prints: []Print{
		{printsUnknownAuthority, 1},
		{printsNoPath, 2},
	},
}

var tlsIntercepted = &Problem{
	ID:    "tls-intercepted",
	Title: "TLS is intercepted",
	Doc: "A host that the whole world knows shows a certificate that no public authority vouches " +
		"for: a firewall inspects TLS and issues certificates of its own. This machine may trust the " +
		"firewall's authority, but the runner's JVM, inside its own image, does not, and its control " +
		"channel then fails. Have the firewall leave the host alone (no inspection).",
	Source:   networkMeasured + "; that the runner trusts its image's own authorities is inferred from how it is run",
	Explains: []string{"not-a-registry", "http-blocked"},
	Prints: []Print{
		{printsUnknownAuthority, 2},
		{printsNoPath, 1},
		{printsOtherName, 2},
	},
}

var tlsExpired = &Problem{
	ID:    "tls-expired",
	Title: "A host's certificate has expired",
	Doc: "The certificate is trusted, but its time is over by this machine's clock. Renew it on the " +
		"host; if several hosts are affected, this machine's clock is wrong.",
	Source: networkMeasured,
	Prints: []Print{
		{printsExpired, 1},
	},
}

var tlsNotYetValid = &Problem{
	ID:    "tls-not-yet-valid",
	Title: "A host's certificate is not valid yet",
	Doc: "The certificate is trusted, but its time has not begun by this machine's clock, which is " +
		"then most likely slow: set it.",
	Source: networkMeasured,
	Prints: []Print{
		{printsExpired, 3},
	},
}

var tlsWrongHost = &Problem{
	ID:    "tls-wrong-host",
	Title: "A host's certificate is for another host",
	Doc: "The certificate is trusted, but it does not name the host: the host is reached under " +
		"another name than the certificate's, or its name leads to another server. Use one of the " +
		"names that the certificate is for, or have it issued anew.",
	Source: networkMeasured,
	Prints: []Print{
		{printsOtherName, 1},
	},
}

var tlsIncompatible = &Problem{
	ID:    "tls-incompatible",
	Title: "TLS with a host fails",
	Doc: "The two sides find no common version or cipher (docker and the runner need TLS 1.2 at " +
		"least), or the host wants a client certificate. docker's daemon takes one from " +
		"/etc/docker/certs.d/HOST[:PORT]/client.cert and client.key.",
	Source: networkMeasured + "; docker's documentation of certs.d",
	Prints: []Print{
		{`tls: (handshake failure|protocol version not supported|no supported versions|` +
			`certificate required)|remote error: tls: bad certificate|received fatal alert: \w+`, 1},
	},
}

var httpBlocked = &Problem{
	ID:    "http-blocked",
	Title: "Something answers in a host's place",
	Doc: "Instead of the host, a block page or a captive portal answers. Have the web filter allow " +
		"the host; its page, in a browser, says which rule it is.",
	Source: networkMeasured + " (block pages); inferred from the answer",
	Explains: []string{
		"not-a-registry", "registry-failure", "access-denied", "token-service-failure",
		// where a portal redirects to may be out of reach
		"dns-not-found", "dns-failure", "connect-timeout", "connect-refused", "network-unreachable", "tls-untrusted",
	},
	Prints: []Print{
		{printsClear, 3},
		{printsPage, 2},
		{printsForbidden, 2},
	},
}

var httpFailure = &Problem{
	ID:    "http-failure",
	Title: "A host gives no proper answer",
	Doc: "TLS is fine, and then the connection is cut, nothing comes, or what comes is not HTTP. A " +
		"proxy or load balancer in front of the host, or the host itself, is broken or filters.",
	Source: networkMeasured,
	Prints: []Print{
		{printsReset, 2},
	},
}

var endpointFailing = &Problem{
	ID:    "endpoint-failing",
	Title: "A host answers with an error of its own",
	Doc: "The right host answers, with a server error (5xx): it is out of order, not out of reach. " +
		"Nothing on this machine mends that; look at the status page of whoever runs it, and try " +
		"again.",
	Source:   "RFC 9110, section 15.6",
	Explains: []string{"registry-failure", "token-service-failure"},
}

var slowEndpoint = &Problem{
	ID:    "slow-endpoint",
	Title: "A host is slow to answer",
	Doc: "It took over two seconds until the first byte of an answer came. Pulls take long and may " +
		"run into docker's limit of 15 seconds. The phase says where the time goes: dns (a dead " +
		"first name server costs 5 seconds), tcp and tls (a distant or overloaded path), http (the " +
		"host).",
	Source: "the runner's vendor names no limit; two seconds are this tool's choice",
	Prints: []Print{
		{printsTimeout, 4},
	},
}

var brokenIPv6 = &Problem{
	ID:    "broken-ipv6",
	Title: "IPv6 does not work",
	Doc: "This machine has an IPv6 route, the host has an IPv6 address, and connections over it fail " +
		"while IPv4 works. Programs that try IPv6 first lose time with each connection, and those " +
		"that try nothing else fail. Mend the IPv6 route or take it away.",
	Source:   networkMeasured,
	Explains: []string{"slow-endpoint"},
	Prints: []Print{
		{printsNoRoute, 2},
	},
}

// networkProblems are those that any check which talks to a host can report.
func networkProblems() []*Problem {
	return []*Problem{
		dnsNotFound, dnsFailure, dnsSinkhole, connectTimeout, connectRefused, networkUnreachable,
		proxyUnreachable, proxyAuthRequired, proxyDenied, tlsReset, tlsTimeout, tlsNotSpoken, tlsUntrusted,
		tlsIntercepted,
		tlsExpired, tlsNotYetValid, tlsWrongHost, tlsIncompatible, httpFailure,
	}
}

// networkProblem is the problem of a network.Failure's kind; what has none could not be established.
func networkProblem(kind string) *Problem {
	i := slices.IndexFunc(networkProblems(), func(p *Problem) bool { return p.ID == kind })
	if i < 0 {
		return notEstablished
	}
	return networkProblems()[i]
}
