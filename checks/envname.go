package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
)

// ordinaryVariable matches names of other programs that are near the runner's own.
var ordinaryVariable = regexp.MustCompile(`^(FTP|ALL|RSYNC|SOCKS)_PROXY$|^JAVA_|^DOCKER_(PORT|HOSTNAME)$`)

// otherNames are what people call the runner's variables, beside plain misspellings, in upper case and without
// signs.
func otherNames() map[string]string {
	return map[string]string{
		"WORKINGDIR": envWorkingDirectory, "WORKDIR": envWorkingDirectory, "WORKDIRECTORY": envWorkingDirectory,
		"WORKSPACEUUID": envAccount, "WORKSPACEID": envAccount, "TEAMUUID": envAccount, "ACCOUNTID": envAccount,
		"REPOUUID": envRepository, "REPOID": envRepository, "REPOSITORYID": envRepository, "RUNNERID": envRunner,
		"CLIENTID": envClientID, "OAUTHID": envClientID,
		"CLIENTSECRET": envClientSecret, "OAUTHSECRET": envClientSecret,
		"PAUSEIMAGE": string(RolePause), "IMAGEPAUSE": string(RolePause), "PAUSECONTAINERIMAGE": string(RolePause),
		"AUTHPROXYIMAGE": string(RoleAuthProxy), "IMAGEAUTHPROXY": string(RoleAuthProxy),
		"PROXYIMAGE": string(RoleAuthProxy),
		"AUTHIMAGE":  string(RoleAuthProxy), "AUTHPROXYCONTAINERIMAGE": string(RoleAuthProxy),
		"CLONEIMAGE": string(RoleClone), "IMAGECLONE": string(RoleClone), "CLONECONTAINERIMAGE": string(RoleClone),
		"GITCLONEIMAGE": string(RoleClone), "DVCSIMAGE": string(RoleClone), "DVCSTOOLSIMAGE": string(RoleClone),
	}
}

// runnerStyle matches names that are formed as the runner's own are.
var runnerStyle = regexp.MustCompile(`^(RUNNER|BITBUCKET|PIPELINES?|OAUTH2?|ACCOUNT|REPOSITORY|WORKSPACE)_` +
	`|^(SCHEDULED_STATE|RUNTIME)_` +
	`|_UUID$|^(DIND|DOCKER|DOCKER_DAEMON|BUILD|DEFAULT|RUNNER|STEP|SERVICE|HELPER|SIDECAR)_IMAGE$`)

// meantName is the name of the runner's that somebody probably meant; "" if none is near.
func meantName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(name))
	for _, short := range []string{"IMAGES", "IMAGENAME", "IMAGEURL", "IMG"} {
		if base, found := strings.CutSuffix(plain, short); found {
			plain = base + "IMAGE"
			break
		}
	}
	if meant := otherNames()[plain]; meant != "" {
		return meant
	}
	known := knownVariables()
	for _, candidate := range known {
		if strings.ReplaceAll(candidate, "_", "") == plain {
			return candidate
		}
	}
	upper := strings.ToUpper(name)
	if ordinaryVariable.MatchString(upper) {
		return ""
	}
	return Nearest(upper, known)
}

// strangeName judges a name that the runner does not know. Those in set have a value.
func strangeName(r *Runner, v runner.Variable, set map[string]bool) []Finding {
	name := v.Name.Value
	if meant := lacksEquals(v); meant != "" {
		return []Finding{withoutEquals(r, v, meant, set[meant])}
	}
	upper := strings.ToUpper(name)
	if upper != name && slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}, upper) {
		return nil
	}
	meant := meantName(name)
	if end := knownEnd(name); slices.Contains(overrideVariables(), end) {
		meant = end
	}
	beside := set[meant]
	if meant != "" && (!beside || slices.Contains(overrideVariables(), meant)) {
		return []Finding{misspelledVariable(r, v, meant, beside)}
	}
	if !runnerStyle.MatchString(name) || !plainName.MatchString(name) || alreadyMade(r.Definition) {
		return nil // the variables of a container are those of its image too
	}
	f := Warned(unknownEnv, name, name+" is not a variable that the runner reads", "delete it").
		At(v.Name.Place).Touching(Variable(name))
	if right := knownEnd(name); right != "" {
		f.Hint = fmt.Sprintf("delete it; the runner reads %s", right)
		f = f.Touching(Variable(right))
	}
	return []Finding{f}
}

// plainName matches what may be quoted as a name: anything else may hold a value, and so a secret.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// lacksEquals is the known name behind which a value stands with no equals sign between them; "" if there is none.
func lacksEquals(v runner.Variable) string {
	for _, known := range knownVariables() {
		rest, found := strings.CutPrefix(v.Name.Value, known)
		if v.NoValue && found && rest != "" && rest[0] != '_' && (len(rest) > 3 || strings.ContainsAny(rest[:1], ":/{~")) {
			return known
		}
	}
	return ""
}

// withoutEquals reports a value that docker takes for a part of the name. It may be a secret, and is not quoted. The
// name that is meant may be set beside it.
func withoutEquals(r *Runner, v runner.Variable, meant string, beside bool) Finding {
	f := Warned(misspelledEnv, meant, "there is no equals sign behind "+meant+
		": docker takes the value for a part of the name", fmt.Sprintf("write %s=…", meant))
	if !beside && slices.Contains(append(requiredVariables(), overrideVariables()...), meant) {
		f = f.As(Fail)
	}
	return f.At(v.Name.Place).On(r.Name).Touching(Variable(meant))
}

// knownEnd is the known name that a longer one ends in: BITBUCKET_PIPELINES_RUNNER_UUID in RUNNER_UUID.
func knownEnd(name string) string {
	for _, known := range knownVariables() {
		if strings.HasSuffix(name, "_"+known) && strings.Contains(known, "_") {
			return known
		}
	}
	return ""
}

// misspelledVariable reports a near miss. One of an override is a failure: the vendor's image is then pulled,
// and no word is said. So is one of what the runner requires. It is harmless beside the right name.
func misspelledVariable(r *Runner, v runner.Variable, meant string, beside bool) Finding {
	name := v.Name.Value
	message := fmt.Sprintf("the runner does not read %s; %s is probably meant", name, meant)
	f := Warned(misspelledEnv, name, message, fmt.Sprintf("write %s", meant))
	switch {
	case beside:
		f.Message = fmt.Sprintf("the runner does not read %s; %s is set beside it", name, meant)
		f.Hint = "delete it"
	case slices.Contains(overrideVariables(), meant):
		f.Message = fmt.Sprintf("the runner does not read %s, and pulls the vendor's image instead; "+
			"%s is probably meant", name, meant)
		f = f.As(Fail)
	case slices.Contains(requiredVariables(), meant) && r.Definition.Complete():
		f = f.As(Fail)
	}
	f = f.At(v.Name.Place).Touching(Variable(name), Variable(meant))
	if slices.Contains(overrideVariables(), meant) && !beside {
		f = f.Touching(Reference(defaultImages(Role(meant))[0]))
	}
	return f
}
