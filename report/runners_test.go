package report

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks"
	"runner-preflight/checks/dockerconfig"
)

func encodedAuth(user string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + canary))
}

// credentialsOf is what the JSON report says of one image with a config.json.
func credentialsOf(t *testing.T, role checks.Role, image string, config *checks.Config) (runner, docker string) {
	t.Helper()
	host := &checks.Host{Runners: []*checks.Runner{{
		Name: "run.sh", Config: config,
		Images: []checks.Image{{Role: role, Reference: image, Origin: checks.OriginFlag}},
	}}}
	text := written(t, JSON, New(Run{Version: "1", Host: host}))
	if found := leaked(text, canary); found != nil {
		t.Errorf("the report holds %q", found)
	}
	var r struct {
		Runners []struct {
			Images []struct {
				Runner json.RawMessage `json:"runner_credentials"`
				Docker json.RawMessage `json:"docker_credentials"`
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	found := r.Runners[0].Images[0]
	squeeze := strings.NewReplacer("\n", "", " ", "")
	return squeeze.Replace(string(found.Runner)), squeeze.Replace(string(found.Docker))
}

// What the runner sends is that of the measured table; what the report must say of it that of the contract.
func TestCredentialsInTheReport(t *testing.T) {
	parse := func(text string) *checks.Config {
		return &checks.Config{Path: "config.json", File: dockerconfig.Parse("config.json", []byte(text))}
	}
	auths := func(key, auth string) *checks.Config {
		return parse(`{"auths":{"` + key + `":{"auth":"` + auth + `"}}}`)
	}
	const image = "registry.example.com/pause:1"
	token := "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
	nothing := `{"key":null,"username":null,"helper":null}`
	tests := map[string]struct {
		role           checks.Role
		config         *checks.Config
		runner, docker string
	}{
		"an entry": {
			checks.RolePause, auths("registry.example.com", encodedAuth("ci")),
			`{"key":"registry.example.com","username":"ci"}`,
			`{"key":"registry.example.com","username":"ci","helper":null}`,
		},
		"a token for a user": {
			checks.RolePause, auths("registry.example.com", encodedAuth(token)),
			`{"key":"registry.example.com","username":"********"}`,
			`{"key":"registry.example.com","username":"********","helper":null}`,
		},
		"another entry": {
			checks.RolePause, auths("quay.io", encodedAuth("ci")),
			`{"key":null,"reason":"no-entry"}`, nothing,
		},
		"not given": {checks.RolePause, nil, `null`, `null`},
		"not there": {
			checks.RolePause, &checks.Config{Path: "c", Err: fs.ErrNotExist},
			`{"key":null,"reason":"no-file"}`, nothing,
		},
		"a folder": {
			checks.RolePause, &checks.Config{Path: "c", Err: checks.ErrIsDirectory},
			`{"key":null,"reason":"no-file"}`, nothing,
		},
		"not readable": {checks.RolePause, &checks.Config{Path: "c", Err: fs.ErrPermission}, `null`, `null`},
		"no JSON":      {checks.RolePause, parse(`{"auths":`), `{"key":null,"reason":"file-rejected"}`, nothing},
		"the runner's": {checks.RoleRunner, auths("quay.io", encodedAuth("ci")), `null`, nothing},
		"a store alone": {
			checks.RolePause, parse(`{"credsStore":"desktop"}`), `{"key":null,"reason":"store"}`,
			`{"key":null,"username":null,"helper":"desktop"}`,
		},
		"key with a password": {
			checks.RolePause, auths("https://ci:"+canary+"@registry.example.com", encodedAuth("ci")),
			`{"key":null,"reason":"no-entry"}`, nothing,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runner, docker := credentialsOf(t, test.role, image, test.config)
			if diff := cmp.Diff([2]string{test.runner, test.docker}, [2]string{runner, docker}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
