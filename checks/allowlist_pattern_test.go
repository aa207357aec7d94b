package checks

import (
	"strings"
	"testing"
)

// TestPatterns is a table of what firewalls and squid make of the lines of their lists.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line  string
		match string // host:port, blank-separated
		miss  string
	}{
		{"registry.example.com", "registry.example.com:443 registry.example.com:5000", "a.registry.example.com:443 example.com:443"},
		{"registry.example.com:5000", "registry.example.com:5000", "registry.example.com:443"},
		{"Registry.EXAMPLE.com.", "registry.example.com:443", "registry.example.org:443"},
		{"*.example.com", "a.example.com:443 a.b.example.com:5000", "example.com:443 notexample.com:443 example.com.example.net:443"},
		{"*.example.com:443", "a.example.com:443", "a.example.com:5000"},
		{".example.com", "example.com:443 a.example.com:443 a.b.example.com:443", "notexample.com:443"},
		{".example.com:5000", "example.com:5000 a.example.com:5000", "a.example.com:443"},
		{"  cdn.example.com\t# blobs", "cdn.example.com:443", "cdn:443"},
		{"\ufeffcdn.example.com\r", "cdn.example.com:443", ""},
		{"*", "anything.example.com:1", ""},
		{"*:443", "anything.example.com:443", "anything.example.com:80"},
		{"192.0.2.7", "192.0.2.7:5000", "192.0.2.70:5000"},
		{"192.0.2.7:5000", "192.0.2.7:5000", "192.0.2.7:443"},
		{"2001:DB8:0::7", "[2001:db8::7]:443", "[2001:db8::8]:443"},
		{"[2001:db8::7]", "[2001:db8::7]:5000", ""},
		{"[2001:db8::7]:5000", "[2001:db8::7]:5000", "[2001:db8::7]:443"},
		{"Bücher.example", "xn--bcher-kva.example:443 bücher.example:443", "bucher.example:443"},
		{"*.bücher.example", "cdn.xn--bcher-kva.example:443", ""},
		{"under_score.example.com", "under_score.example.com:443", ""},
		{"r3---sn.example.com", "r3---sn.example.com:443", ""},
		{"localhost:5000", "localhost:5000", ""},
		{"# registry.example.com", "", "registry.example.com:443"},
	} {
		patterns, err := ParsePatterns("allow.txt", []byte(test.line+"\n"))
		if err != nil {
			t.Errorf("%q: %v", test.line, err)
			continue
		}
		for want, addresses := range map[bool]string{true: test.match, false: test.miss} {
			for _, address := range strings.Fields(addresses) {
				host, port, ok := hostAndPort(address)
				missing := Missing([]Allowed{{Host: host, Port: port, Needs: []Need{{}}}}, patterns)
				if got := len(missing) == 0; got != want || !ok {
					t.Errorf("%q matches %s: %v", test.line, address, got)
				}
			}
		}
	}
}

// TestMalformedPatterns names the file, the line and what is wrong with it.
func TestMalformedPatterns(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"https://registry.example.com":    "a scheme",
		"registry.example.com/v2/":        "a slash",
		"192.0.2.0/24":                    "a slash",
		"a.example.com b.example.com":     "one word",
		"a.example.com,b.example.com":     "one word",
		"registry.example.com:0":          "a port",
		"registry.example.com:70000":      "a port",
		"registry.example.com:":           "a port",
		"registry.example.com:https":      "a port",
		"registry.*.example.com":          "a *",
		"*registry.example.com":           "a *",
		"*.*.example.com":                 "a *",
		"**":                              "a *",
		".":                               "no host",
		"*.":                              "no host",
		"..example.com":                   "no host",
		"-registry.example.com":           "no host",
		"registry..example.com":           "no host",
		".192.0.2.7":                      "no host",
		"[2001:db8::7":                    "a port",
		"(example)":                       "no host",
		"registry.example.com\x1b[2J":     "no host",
		strings.Repeat("a", 300) + ".com": "no host",
		"\xff\xfe.example.com":            "no host",
	} {
		_, err := ParsePatterns("conf/allow.txt", []byte("# fine\nexample.com\n"+line+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "conf/allow.txt:3: ") || !strings.Contains(err.Error(), want) ||
			strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

// TestMissingLeavesProxiesOut has a proxy's own list, which does not name the proxy.
func TestMissingLeavesProxiesOut(t *testing.T) {
	t.Parallel()
	hosts := []Allowed{{Host: "proxy.example.com", Port: 3128, Proxy: true}, {Host: "a.example.com", Port: 443}}
	if missing := Missing(hosts, nil); len(missing) != 1 || missing[0].Host != "a.example.com" {
		t.Errorf("%v", missing)
	}
}
