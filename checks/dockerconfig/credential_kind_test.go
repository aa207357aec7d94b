package dockerconfig

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The rows are those of the table of credentials by registry, with passwords in the documented shapes.
func TestClassify(t *testing.T) {
	end := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	std := base64.StdEncoding.EncodeToString
	token := func(claims string) string {
		raw := base64.RawURLEncoding.EncodeToString
		return raw([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + raw([]byte(claims)) + ".c2lnbmF0dXJl"
	}
	until := func(t time.Time) string { return token(fmt.Sprintf(`{"sub":"ci","exp":%d}`, t.Unix())) }
	ecr := std(fmt.Appendf(nil, `{"payload":"AAAA","datakey":"BBBB","version":"2","type":"DATA_KEY","expiration":%d}`, end.Unix()))
	reference := func(seconds int64) string { return std(fmt.Appendf(nil, "reftkn:01:%010d:AbCdEfGhIjKlMnOp", seconds)) }
	const ecrAddress = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
	never := time.Time{}
	for _, row := range []struct {
		name, host, user, password string
		lifetime                   Lifetime
		ends                       time.Time
		kind                       string
	}{
		{"E1 ECR", ecrAddress, "AWS", ecr, Timed, end, "ECR"},
		{"E1 ECR, opaque", ecrAddress, "AWS", "opaque", Timed, never, "ECR"},
		{"E1 ECR behind another name", "registry.example.com", "AWS", ecr, Timed, end, "ECR"},
		{"E1 public", "public.ecr.aws", "AWS", "opaque", Timed, never, "ECR"},
		{"E2", "europe-docker.pkg.dev", "oauth2accesstoken", "ya29.a0AfH6SM", Timed, never, "Google access"},
		{"E2 by prefix", "gcr.io", "someone", "ya29.a0AfH6SM", Timed, never, "Google access"},
		{"E3", "eu.gcr.io", "_json_key", "{\n \"type\": \"service_account\",\n \"client_email\": \"a@b:c\"\n}\n", Lasting, never, "service-account"},
		{"E4", "eu.gcr.io", "_json_key_base64", std([]byte(`{"type":"service_account"}`)), Lasting, never, "service-account"},
		{"E5", "gcr.io", "_dcgcr_1_5_0_token", "ya29.x", Timed, never, "Google"},
		{"E5 _token", "gcr.io", "_token", "x", Timed, never, "Google"},
		{"E5 _token elsewhere", "registry.example.com", "_token", "x", Plain, never, ""},
		{"E6", "acme.azurecr.io", "00000000-0000-0000-0000-000000000000", until(end), Timed, end, "Azure"},
		{"E7 service principal", "acme.azurecr.io", "5f2c1b7a-1111-2222-3333-444455556666", "abc8Q~secretsecretsecretsecretsecret", Plain, never, ""},
		{"E8 user", "registry.gitlab.com", "gitlab-ci-token", "64_abc", Timed, never, "GitLab job"},
		{"E8 JWT", "registry.gitlab.com", "gitlab-ci-token", until(end), Timed, end, "GitLab job"},
		{"E8 prefix", "registry.gitlab.com", "acme", "glcbt-64_abc", Timed, never, "GitLab job"},
		{"E9", "registry.gitlab.com", "gitlab+deploy-token-1", "gldt-abc", Lasting, never, "deploy token"},
		{"E10", "registry.gitlab.com", "me", "glpat-abc", Lasting, never, "GitLab personal"},
		{"E11", "ghcr.io", "acme", "ghs_abc", Timed, never, "GitHub job"},
		{"E12", "ghcr.io", "acme", "ghu_abc", Timed, never, "GitHub app"},
		{"E13", "ghcr.io", "acme", "ghp_abc", Lasting, never, "GitHub personal"},
		{"E14", "ghcr.io", "acme", "github_pat_abc", Lasting, never, "fine-grained"},
		{"E15", "docker.io", "acme", "dckr_pat_abc", Lasting, never, "Docker Hub access"},
		{"E17", "docker.io", "acme", "0f0e0d0c-1111-2222-3333-444455556666", Plain, never, ""},
		{"E19 ends", "acme.jfrog.io", "ci", reference(end.Unix()), Dated, end, "JFrog reference"},
		{"E19 lasts", "acme.jfrog.io", "ci", reference(0), Lasting, never, "JFrog reference"},
		{"E20 ends", "acme.jfrog.io", "ci", until(end), Dated, end, "JSON web token"},
		{"E20 lasts", "acme.jfrog.io", "ci", token(`{"sub":"ci"}`), Lasting, never, "JSON web token"},
		{"E21", "acme.jfrog.io", "ci", "AKCp8abc", Lasting, never, "API key"},
		{"E22", "quay.io", "acme+robot", strings.Repeat("A1B2", 16), Plain, never, ""},
		{"E24", "registry.redhat.io", "1234567|pull", token(`{"sub":"x","access":[]}`), Lasting, never, "JSON web token"},
		{"E25", "harbor.example.com", "robot$acme+pull", "Qw3rTy", Plain, never, ""},
		{"E28", "registry.digitalocean.com", "dop_v1_abc", "dop_v1_abc", Lasting, never, "DigitalOcean"},
		{"E29", "de.icr.io", "iamapikey", "key", Lasting, never, "IBM Cloud API"},
		{"E30", "de.icr.io", "iambearer", until(end), Timed, end, "IBM Cloud bearer"},
		{"E31", "registry.cn-hangzhou.aliyuncs.com", "cr_temp_user", "eyJ0aW1lIjoi", Timed, never, "Alibaba"},
		{"E32 bearer", "fra.ocir.io", "BEARER_TOKEN", "x", Timed, never, "Oracle"},
		{"E34", "nvcr.io", "$oauthtoken", "nvapi-abc", Lasting, never, "NVIDIA"},
		{"E36", "registry.example.com", "<token>", "x", Token, never, "identity token"},
		{"E38 AWS elsewhere", "registry.example.com", "AWS", "x", Plain, never, ""},
		{"password of three parts", "registry.example.com", "ci", "eyJub3Q.a.token", Plain, never, ""},
		{"exp that is text", "registry.example.com", "ci", token(`{"exp":"soon"}`), Lasting, never, "JSON web token"},
		{"exp beyond all years", "registry.example.com", "ci", token(`{"exp":99999999999999}`), Lasting, never, "JSON web token"},
		{"empty", "registry.example.com", "ci", "", Plain, never, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := Classify(row.host, row.user, row.password)
			if got.Lifetime != row.lifetime || !got.Ends.Equal(row.ends) || !strings.Contains(got.Name, row.kind) ||
				(row.kind == "") != (got.Name == "") {
				t.Errorf("Classify = %+v, want lifetime %d, end %s, name with %q", got, row.lifetime, row.ends, row.kind)
			}
			if text := fmt.Sprintf("%+v", got); len(row.password) > 6 && strings.Contains(text, row.password) {
				t.Errorf("the password shows in %s", text)
			}
		})
	}
}
