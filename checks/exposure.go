package checks

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"runner-preflight/checks/git"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var exposedSecret = &Problem{
	ID:    "exposed-secret",
	Title: "A secret is in a file that git keeps",
	Doc: "Whoever can read the repository can run as this runner, and see what pipelines send it. Git keeps " +
		"what was once committed: make the runner anew for new credentials, keep them in a file that git " +
		"ignores (`--env-file runner.env`; in a compose file `env_file: runner.env`, or `${OAUTH_CLIENT_SECRET}` with a " +
		".env), or take them from the environment (`-e OAUTH_CLIENT_SECRET`).",
	Source: "git's index and ignore files; ignore rules of the user's own configuration are not seen",
}

// exposed reports secrets that stand in files which git tracks, or would.
func exposed(h *Host, d *runner.Definition) []Finding {
	var findings []Finding
	for _, v := range effectiveVariables(d) {
		if !literalSecret(v) || v.Value.Place.File == nil {
			continue
		}
		file, why := v.Value.Place.File.Path, exposure(h, v.Value.Place)
		if why == "" {
			continue
		}
		if inBase64(v.Value.Place) {
			why += ", in base64, which protects nothing"
		}
		hint := "move it to a file that git ignores, and make new credentials if it was ever pushed"
		if alreadyMade(d) {
			hint = "keep what docker inspect prints out of git, and make new credentials if it was ever pushed"
		}
		findings = append(findings, Warned(exposedSecret, v.Name.Value,
			fmt.Sprintf("the value of %s stands in %s", v.Name.Value, why), hint).
			On(file).At(v.Value.Place).Touching(Variable(v.Name.Value), Path(file)))
	}
	return findings
}

// exposedLogins reports passwords of docker login that stand in files which git tracks, or would.
func exposedLogins(h *Host) []Finding {
	var findings []Finding
	for _, reading := range h.Readings {
		if reading.Passed != "" {
			continue
		}
		for _, place := range reading.Passwords {
			if why := exposure(h, place); why != "" && len(reading.Definitions) > 0 {
				findings = append(findings, Warned(exposedSecret, "docker login",
					"the password of docker login stands in "+why,
					"take it from the environment: printf %s \"$PASSWORD\" | docker login -u USER --password-stdin HOST").
					On(reading.Path).At(place).Touching(Path(reading.Path)))
			}
		}
	}
	return findings
}

// exposedConfigs reports Secrets with a config.json in files which git tracks, or would: once for a file, whatever else
// is exposed in it.
func exposedConfigs(h *Host) []Finding {
	var findings []Finding
	for _, reading := range h.Readings {
		if len(reading.Secrets) == 0 {
			continue
		}
		place := reading.Secrets[0]
		inFile := func(v runner.Variable) bool {
			return literalSecret(v) && v.Value.Place.File != nil && v.Value.Place.File.Path == place.File.Path
		}
		told := slices.ContainsFunc(h.Runners, func(r *Runner) bool {
			return r.Definition != nil && slices.ContainsFunc(r.Definition.Environment, inFile)
		})
		if why := exposure(h, place); why != "" && !told {
			findings = append(findings, Warned(exposedSecret, "Secret",
				"the passwords of registries stand in "+why+", in base64, which protects nothing",
				"keep the Secret out of git (kubectl create secret), or encrypted, and change the passwords if they were ever pushed").
				On(reading.Path).At(place).Touching(Path(reading.Path)))
		}
	}
	return findings
}

// exposure names the file of a place with what git makes of it; "" if git leaves it alone.
func exposure(h *Host, place source.Span) string {
	switch file := place.File.Path; standing(h, file) {
	case git.Tracked:
		return file + ", which git tracks"
	case git.Addable:
		return file + ", which git does not ignore"
	}
	return ""
}

// standing tells what git makes of a file as the user named it.
func standing(h *Host, file string) git.Tracking {
	if !path.IsAbs(file) {
		if h.Folder == "" {
			return git.Untold
		}
		file = path.Join(h.Folder, file)
	}
	if absent(h, file) {
		return git.Untold
	}
	return h.indexes.TrackingOf(h.Files, file)
}

// literalSecret tells whether a variable's value is a secret that is written out.
func literalSecret(v runner.Variable) bool {
	value := v.Value
	switch {
	case value.Unresolved != "" || value.Value == "" || sampleOf(v) != "":
		return false
	case v.Secret():
		return !strings.HasSuffix(v.Name.Value, "_FILE") && len(value.Value) > 5
	case strings.HasSuffix(strings.ToUpper(v.Name.Value), "_PROXY"):
		proxy, err := url.Parse(value.Value)
		if err != nil || proxy.User == nil {
			return false
		}
		_, has := proxy.User.Password()
		return has
	}
	return false
}
