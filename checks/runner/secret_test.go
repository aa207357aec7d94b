package runner

import (
	"io/fs"
	"strings"
	"testing"
)

// TestSecretsHidden shows each line of a file and looks for its secret, which is always canary-0123.
func TestSecretsHidden(t *testing.T) {
	for name, line := range map[string]string{
		"blank for =":   `docker run -e OAUTH_CLIENT_SECRET canary-0123 -e A=b x/bitbucket-pipelines-runner`,
		"blanks at =":   `docker run -e OAUTH_CLIENT_SECRET = canary-0123 -e A=b x/bitbucket-pipelines-runner`,
		"blank within":  `docker run -e OAUTH_CLIENT_SECRET=abcdef canary-0123 -e A=b x/bitbucket-pipelines-runner`,
		"filter":        `docker run -e OAUTH_CLIENT_SECRET={{ s | default('canary-0123') }} x/bitbucket-pipelines-runner`,
		"filter (2)":    `docker run -e "DB_PASSWORD={{ s | default("canary-0123") }}" x/bitbucket-pipelines-runner`,
		"brackets kept": `docker run -e OAUTH_CLIENT_SECRET=<canary-0123Ab> x/bitbucket-pipelines-runner`,
		"option":        `docker run -e OAUTH_CLIENT_SECRET=canary-0123 x/bitbucket-pipelines-runner`,
		"quoted":        `docker run -e OAUTH_CLIENT_SECRET="canary-0123 and 'more'" x/bitbucket-pipelines-runner`,
		"quoted whole":  `docker run -e "OAUTH_CLIENT_SECRET=some canary-0123" x/bitbucket-pipelines-runner`,
		"in two pieces": `docker run -e OAUTH_CLIENT_SECRET="some"'canary-0123' x/bitbucket-pipelines-runner`,
		"assignment":    `SECRET=canary-0123`,
		"by another":    "ID=canary-0123\ndocker run -e OAUTH_CLIENT_SECRET=$ID -e ACCOUNT_UUID=x x/bitbucket-pipelines-runner",
		"default":       `export RUNNER_TOKEN=${RUNNER_TOKEN:-canary-0123}`,
		"comment":       `# OAUTH_CLIENT_SECRET: canary-0123`,
		"repeated":      "OAUTH_CLIENT_SECRET=canary-0123\n# the old one was canary-0123 too",
		"proxy":         `docker run -e HTTPS_PROXY=http://user:canary-0123@proxy.example.com:3128 x/bitbucket-pipelines-runner`,
		"odd proxy":     `HTTPS_PROXY=http://user:a/canary-0123@proxy.example.com:3128`,
		"no scheme":     `docker run -e CLONE_IMAGE=//ci:canary-0123@registry.example.com x/bitbucket-pipelines-runner`,
		"login":         `docker login -u ci -p canary-0123 registry.example.com`,
		"login, long":   `docker login --username ci --password="canary-0123" registry.example.com`,
		"piped":         `echo 'canary-0123' | docker login -u ci --password-stdin registry.example.com`,
		"printed":       `printf '%s' "canary-0123" | docker login -u ci --password-stdin`,
		"config.json":   `echo '{"auths":{"registry.example.com":{"auth":"canary-0123"}}}' > config.json`,
		"escaped":       `echo "{\"auths\":{\"registry.example.com\":{\"auth\":\"canary-0123\"}}}" > config.json`,
		"header":        `curl -H "Authorization: Bearer canary-0123456789" https://api.example.com`,
		"env file":      "ACCOUNT_UUID={x}\nOAUTH_CLIENT_SECRET=some canary-0123 'x' ",
	} {
		t.Run(name, func(t *testing.T) {
			all := line + "\ndocker run -e ACCOUNT_UUID=x x/bitbucket-pipelines-runner\n"
			if name == "env file" {
				all = line + "\n"
			}
			reading := Read("run", []byte(all), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
			if len(reading.Definitions) == 0 {
				t.Fatal("no runner")
			}
			file := reading.Definitions[0].File
			for n := 1; n <= strings.Count(all, "\n"); n++ {
				start, end := file.Line(n)
				if shown := file.At(start, end).Excerpt().Text; strings.Contains(shown, "canary") {
					t.Errorf("line %d shows %s", n, shown)
				}
			}
		})
	}
}

// TestPlainTextShows checks that what only looks like a secret stays readable: people must see what to mend.
func TestPlainTextShows(t *testing.T) {
	for _, shown := range []string{
		"OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET=<my-oauthclient-secret>", "OAUTH_CLIENT_SECRET=${OAUTH_CLIENT_SECRET}",
		"OAUTH_CLIENT_SECRET=$SECRET", "OAUTH_CLIENT_SECRET={{ client_secret }}",
	} {
		all := "docker run -e ACCOUNT_UUID=x -e " + shown + " x/bitbucket-pipelines-runner\n"
		reading := Read("run.sh", []byte(all), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
		if len(reading.Definitions) != 1 {
			t.Fatal("no runner")
		}
		if line := reading.Definitions[0].Place.Excerpt().Text; !strings.Contains(line, shown) {
			t.Errorf("%s does not show in %s", shown, line)
		}
	}
}
