package checks

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

// looseKey is a key taken apart with every liberty that a reader might allow.
type looseKey struct {
	name, port string
	// oddities are what the runner's reader does not forgive.
	oddities []string
}

var anyScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func schemeOf(key string) string {
	if !strings.Contains(key, "://") {
		return ""
	}
	return anyScheme.FindString(key)
}

func loosen(key string) looseKey {
	var k looseKey
	rest := strings.Trim(key, blanks)
	if rest != key {
		k.oddities = append(k.oddities, "a blank at its end")
		if strings.TrimLeft(key, blanks) != key {
			k.oddities[0] = "a blank at its beginning"
		}
	}
	if scheme := schemeOf(rest); scheme != "" {
		rest = rest[len(scheme):]
		if scheme != "https://" && scheme != "http://" {
			k.oddities = append(k.oddities, "the scheme "+scheme+", where https:// alone is ignored")
		}
	}
	rest, _, _ = strings.Cut(rest, "/")
	if bare, _, found := strings.Cut(rest, "?"); found {
		rest = bare
		k.oddities = append(k.oddities, "what follows the ?")
	}
	rest, _, _ = strings.Cut(rest, "#")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
		k.oddities = append(k.oddities, "a user name before the @")
	}
	k.name, k.port, _ = strings.Cut(strings.TrimSpace(rest), ":")
	if name := strings.TrimSuffix(k.name, "."); name != k.name {
		k.name = name
		k.oddities = append(k.oddities, "a dot at the end of the host")
	}
	return k
}

func differences(want, have looseKey) string {
	why := have.oddities
	if want.name != have.name {
		why = append(why, "upper and lower case differ")
	}
	switch {
	case want.port == have.port:
	case have.port == "":
		why = append(why, "the port :"+want.port+" is missing")
	case want.port == "":
		why = append(why, "the port :"+have.port+", which the image does not write")
	default:
		why = append(why, fmt.Sprintf("the port is :%s, not :%s", have.port, want.port))
	}
	if len(why) == 0 {
		return "it is spelled differently"
	}
	return strings.Join(why, ", ")
}

// regionApart tells whether two hosts are one account's with the same provider, in two regions or two repositories.
func regionApart(want, have string) string {
	const artifactRegistry, jfrog = "-docker.pkg.dev", ".jfrog.io"
	both := func(suffix string) bool { return strings.HasSuffix(want, suffix) && strings.HasSuffix(have, suffix) }
	switch {
	case dockerconfig.IsECR(want) && dockerconfig.IsECR(have):
		w, h := strings.Split(want, "."), strings.Split(have, ".")
		if len(w) == len(h) && len(w) > 4 && w[0] == h[0] && w[3] != h[3] {
			return fmt.Sprintf("it is of the region %s, not %s", h[3], w[3])
		}
	case both(artifactRegistry):
		w, h := strings.TrimSuffix(want, artifactRegistry), strings.TrimSuffix(have, artifactRegistry)
		return fmt.Sprintf("it is of the location %s, not %s", source.Printable(h), source.Printable(w))
	case both(jfrog):
		w, h := strings.TrimSuffix(want, jfrog), strings.TrimSuffix(have, jfrog)
		if strings.HasPrefix(w, h+"-") || strings.HasPrefix(h, w+"-") {
			return "each repository of JFrog has a host of its own"
		}
	}
	return ""
}

// labelApart tells whether two hosts differ by one label, and by which.
func labelApart(want, have string) string {
	long, short, word := strings.Split(want, "."), strings.Split(have, "."), "missing"
	if len(long) < len(short) {
		long, short, word = short, long, "too many"
	}
	if len(long) != len(short)+1 || len(short) < 2 {
		return ""
	}
	at := 0
	for at < len(short) && long[at] == short[at] {
		at++
	}
	if !slices.Equal(long[at+1:], short[at:]) {
		return ""
	}
	return fmt.Sprintf("the label %q is %s", source.Printable(long[at]), word)
}

// compareKey tells how far a key is from an image's host that it does not match, and in what.
func compareKey(want, have looseKey, key string) (distance int, why string) {
	wantName, haveName := strings.ToLower(want.name), strings.ToLower(have.name)
	if wantName == haveName {
		return differently, differences(want, have)
	}
	if slices.Contains(strings.Split(strings.ToLower(key), "/"), strings.ToLower(withPort(want))) {
		return differently, "the host does not stand at its beginning"
	}
	if matches, _ := path.Match(haveName, wantName); matches {
		return otherLabel, "the runner knows no wildcards"
	}
	if why := regionApart(wantName, haveName); why != "" {
		return otherLabel, why
	}
	label := labelApart(wantName, haveName)
	switch {
	case label == "" && Nearest(haveName, []string{wantName}) == "", haveName == "", wellKnown(haveName):
		return apart, ""
	case label != "":
		return otherLabel, label
	}
	return otherLetters, "a letter or two are wrong"
}

func withPort(k looseKey) string {
	if k.port == "" {
		return k.name
	}
	return k.name + ":" + k.port
}

// noPort matches hosts with something behind the last colon that is no port, as https: of a scheme that lacks a slash.
var noPort = regexp.MustCompile(`:(\d*[^\d\]:][^:]*)?$`)

// cannotMatch says why the host of a key can be no image's, "" if it can.
func cannotMatch(host string, loose looseKey) string {
	switch {
	case len(loose.oddities) > 0:
		return strings.Join(loose.oddities, ", ")
	case host == "":
		return "it has no host"
	case noPort.MatchString(host):
		return "what follows the colon is no port"
	case strings.Contains(host, "*"):
		return "the runner knows no wildcards"
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		return "without a dot or a port an image's first part is no host, but an account of Docker Hub"
	}
	return ""
}

// wellKnown tells registries that are near to each other by name and have nothing to do with each other.
func wellKnown(host string) bool {
	return slices.Contains(publicRegistries(), host) || isVendorRegistry(host) || dockerconfig.IsGoogle(host)
}

// How far a key is from a host.
const (
	differently  = iota // the same host, spelled differently
	otherLabel          // a label is missing or too many
	otherLetters        // one or two letters are wrong
	apart               // another registry
)
