package checks

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What Debian's docker 20.10 and 28.5, 28.5 with images kept by containerd, Podman 4.3, and programs on a JVM printed; with
// the problem that each was made to have.
func TestMatchLog(t *testing.T) {
	for _, row := range [][2]string{
		{`Error response from daemon: Get "https://registry.example.com/v2/": x509: certificate signed by unknown authority`, "tls-untrusted tls-intercepted"},
		{`Error response from daemon: Head "https://registry.example.com/v2/rig/my-pause/manifests/latest": no basic auth credentials`, "credential-store config-unmounted unmatched-key"},
		{`Error response from daemon: unauthorized: authentication required`, "credentials-rejected"},
		{`Exception in thread "main" java.lang.OutOfMemoryError: Java heap space`, "runner-memory-short"},
		{`Error response from daemon: Head "https://H/v2/x/manifests/1": unauthorized: incorrect username or password`, "credentials-rejected"},
		{`Error response from daemon: manifest for H/rig/my-pause:nope not found: manifest unknown: manifest unknown`, "tag-not-found"},
		{`Error response from daemon: pull access denied for H/other/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`, "access-denied credentials-missing"},
		{`Get "https://H/v2/": dial tcp: lookup H on 10.77.2.53:53: no such host`, "dns-not-found"},
		{`Get "https://H/v2/": dial tcp: lookup H on 10.77.2.53:53: server misbehaving`, "dns-failure"},
		{`Get "https://H/v2/": dial tcp: lookup H: read udp 10.77.2.3:4->10.77.2.53:53: i/o timeout`, "dns-failure"},
		{`Get "https://H/v2/": dial tcp 10.77.2.10:443: connect: connection refused`, "connect-refused"},
		{`Get "https://H/v2/": dial tcp 10.77.2.10:443: connect: no route to host`, "network-unreachable"},
		{`Unable to pull image: Head "https://k8s-docker.packages.atlassian.com/v2/pause/manifests/3.8": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`, "connect-timeout"},
		{`error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: "<html>"`, "not-a-registry http-blocked"},
		{`Get "https://10.77.2.12:5000/v2/": http: server gave HTTP response to HTTPS client`, "insecure-registry"},
		{`Failed to parse docker configuration file`, "invalid-json malformed-auths"},
		{`com.github.dockerjava.api.exception.DockerClientException: Failed to parse docker config.json`, "invalid-json"},
		{`java.io.IOException: Invalid auth configuration file`, "auth-without-colon empty-auth"},
		{`java.lang.IllegalArgumentException: Illegal base64 character 3a`, "malformed-base64"},
		{`toomanyrequests: You have reached your unauthenticated pull rate limit.`, "rate-limited"},
		{`no matching manifest for linux/arm64/v8 in the manifest list entries`, "platform-missing"},
		{`sun.security.validator.ValidatorException: PKIX path building failed: unable to find valid certification path to requested target`, "tls-intercepted"},
		{`java.net.UnknownHostException: api.atlassian.com`, "dns-not-found"},
		{`docker: invalid reference format.`, "invalid-reference broken-continuation"},
		{`Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?`, "docker-socket-unmounted"},
		{`Error response from daemon: pull access denied for H/rig/pause, repository does not exist or may require 'docker login': denied: <html><title>Blocked</title><h1>This site is blocked by company policy</h1></html>`, "not-a-registry http-blocked"},
		{`manifest verification failed for digest sha256:3e353b49ab7cbd834edd25d61a91c5f5a8e8225e77c51ace2a1355423b0b8de2`, "digest-mismatch"},
		{`error pulling image configuration: download failed after attempts=6: denied`, "layer-denied"},
		{`unknown blob`, "layer-missing"},
		{`Error response from daemon: missing signature key`, "manifest-unsupported"},
		{`Error response from daemon: Get "https://H/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`, "tls-untrusted"},
		{`Error response from daemon: failed to resolve reference "H/rig/pause:1": failed to do request: Head "https://H/v2/rig/pause/manifests/1": dial tcp: lookup H on 10.77.2.53:53: no such host`, "dns-not-found"},
		{`Error response from daemon: failed to resolve reference "H/rig/pause:1": failed to do request: Head "https://H/v2/rig/pause/manifests/1": dial tcp 10.77.2.10:443: i/o timeout`, "connect-timeout"},
		{`Error response from daemon: failed to resolve reference "H/rig/pause:1": failed to do request: Head "https://H/v2/rig/pause/manifests/1": tls: failed to verify certificate: x509: certificate is valid for other.rig.test, not H`, "tls-wrong-host"},
		{`Error response from daemon: failed to resolve reference "H:5000/rig/pause:1": failed to do request: Head "https://H:5000/v2/rig/pause/manifests/1": http: server gave HTTP response to HTTPS client`, "insecure-registry"},
		{`Error response from daemon: failed to resolve reference "H/rig/pause:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`, "credential-store config-unmounted unmatched-key"},
		{`Error response from daemon: unknown: failed to resolve reference "H/rig/pause:1": unexpected status from HEAD request to https://H/v2/rig/pause/manifests/1: 401 Unauthorized`, "credentials-rejected"},
		{`Error response from daemon: error from registry: incorrect username or password`, "credentials-rejected"},
		{`Error response from daemon: unknown: failed to resolve reference "H/rig/pause:1": unexpected status from HEAD request to https://H/v2/rig/pause/manifests/1: 403 Forbidden`, "access-denied http-blocked"},
		{`Error response from daemon: unknown: failed to resolve reference "H/rig/pause:1": unexpected status from HEAD request to https://H/v2/rig/pause/manifests/1: 429 Too Many Requests`, "rate-limited"},
		{`Error response from daemon: unknown: failed to resolve reference "H/rig/pause:1": unexpected status from HEAD request to https://H/v2/rig/pause/manifests/1: 503 Service Unavailable`, "registry-failure"},
		{`Error response from daemon: failed to resolve reference "H/rig/pause:2": H/rig/pause:2: not found`, "tag-not-found repository-not-found"},
		{`Error response from daemon: failed to resolve reference "H/rig/pause:1": failed to authorize: failed to fetch oauth token: Post "https://A/token": dial tcp 10.77.2.13:443: i/o timeout`, "connect-timeout"},
		{`failed to unpack image on snapshotter overlayfs: unexpected media type text/html for sha256:877c850fd47260f7b4a3134807ba1023346aec701cb4debe1961adc617f5a58b: not found`, "not-a-registry http-blocked"},
		{`failed to copy: httpReadSeeker: failed open: could not fetch content descriptor sha256:ae4eedc96aba947cea36059fd007570b1a388ce5dca9742425fdd814a6741b15 (application/vnd.oci.image.layer.v1.tar) from remote: not found`, "layer-missing"},
		{`Error response from daemon: failed to copy: httpReadSeeker: failed open: could not fetch content descriptor sha256:0e9561cfb83d50990a103b3896fe249a11fe27fa28985448187f93ec12116d72 (application/vnd.docker.distribution.manifest.v1+json) from remote: not found`, "manifest-unsupported"},
		{`failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://cdn.rig.test/v2/rig/pause/blobs/sha256:1d219a5580d098efc77c914ca26b16bfbe80ae1da3d90cec1e89bba1af612d11?signature=0123456789abcdef": dial tcp 10.77.2.16:443: i/o timeout`, "connect-timeout"},
		{`Error response from daemon: failed commit on ref "index-sha256:af33caa75aad35617293a8da782d64ac2f5940bd6e826be1f2eea98d70db6aed": commit failed: "index-sha256:af33caa75aad35617293a8da782d64ac2f5940bd6e826be1f2eea98d70db6aed" failed size validation: 492 != 491: failed precondition`, "digest-mismatch"},
		{`Error response from daemon: no matching manifest for linux/amd64 in the manifest list entries: no match for platform in manifest: not found`, "platform-missing"},
		{`error from registry: denied`, "access-denied layer-denied"},
		{`Error: statfs /var/run/docker.sock: no such file or directory`, "mount-source-missing"},
		{`Updating runner state to "ONLINE".`, ""},
		{`Getting step StepId{accountUuid={1}}`, ""},
		{``, ""},
	} {
		line, want := row[0], row[1]
		matches := MatchLog(All(), slices.Values([]string{"something else", line, "more"}))
		var got []string
		for _, m := range matches {
			if m.Line != 2 || m.Count != 1 || !strings.Contains(line, m.Text) {
				t.Errorf("%q: %+v", line, m)
			}
			for _, p := range m.Problems {
				got = append(got, p.ID)
			}
		}
		if all := strings.Join(got, " "); !strings.HasPrefix(all, want) || (want == "") != (all == "") {
			t.Errorf("%q: got %q, want %q first", line, all, want)
		}
	}
}

// The newest message comes first, and one that is said again counts once.
func TestMatchLogOrder(t *testing.T) {
	lines := []string{"no basic auth credentials", "connection refused", "no basic auth credentials", "x"}
	matches := MatchLog(All(), slices.Values(lines))
	if len(matches) != 2 || matches[0].Line != 3 || matches[0].Count != 2 || matches[1].Line != 2 {
		t.Errorf("%+v", matches)
	}
}

func TestPrintPatterns(t *testing.T) {
	for _, problem := range Problems(All()) {
		for _, p := range problem.Prints {
			if _, err := regexp.Compile(p.Pattern); err != nil || p.Rank < 1 || regexp.MustCompile(p.Pattern).MatchString("") {
				t.Errorf("%s: %q, rank %d, %v", problem.ID, p.Pattern, p.Rank, err)
			}
		}
	}
}

// What is looked for first is in whatever a pattern matches, in any capitals; and every pattern has such a text.
func TestNeedles(t *testing.T) {
	for _, p := range printed(All()) {
		if shortest(p.needles) < 3 {
			t.Errorf("%s: %q", p, p.needles)
		}
	}
	for line, want := range map[string]int{
		"no basic auth credentials":         1,
		"NO BASIC AUTH CREDENTIALS":         1,
		"dial tcp 10.0.0.1:443 i/o timeout": 1,
		"nothing of note":                   0,
	} {
		if got := len(MatchLog(All(), slices.Values([]string{line}))); got != want {
			t.Errorf("%s: %d", line, got)
		}
	}
}
