package checks

import (
	"regexp"
	"strings"
	"testing"
)

// What Debian's docker 20.10 and CLI 28, and programs on a JVM, printed; with the problem that each was made to have.
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
		{`Updating runner state to "ONLINE".`, ""},
		{`Getting step StepId{accountUuid={1}}`, ""},
		{``, ""},
	} {
		line, want := row[0], row[1]
		matches := MatchLog(All(), []string{"something else", line, "more"})
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
	matches := MatchLog(All(), lines)
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
