package runner

import (
	"bytes"
	"regexp"
	"slices"
)

// jsonForm is what a JSON text is, as the names of its outermost object tell.
type jsonForm int

const (
	// otherJSON is none of the others: a config.json, or nothing that is known.
	otherJSON jsonForm = iota
	// definitionJSON is a manifest or a compose file.
	definitionJSON
	// inspectedJSON is what docker inspect prints, of whatever.
	inspectedJSON
	// speakingJSON speaks of a runner, and has nothing of a config.json: scripts of package.json, a task definition.
	speakingJSON
)

// IsJSONDefinition tells a definition written in JSON from a config.json: what docker inspect, docker compose config
// --format json or kubectl -o json print. It looks at the names in the outermost object alone, up to the first that
// decides it, as a config.json may hold anything deeper down.
func IsJSONDefinition(data []byte) bool { return formOf(data) != otherJSON }

// IsInspected tells what docker inspect prints from any other text.
func IsInspected(data []byte) bool { return formOf(data) == inspectedJSON }

// maxNames is how many names of the outermost object are looked at: what is looked for has less.
const maxNames = 200

// formOf tells the form of a text, JSON or not. A text need not be whole, nor without mistakes. One name of a config.json
// makes it one, whatever else there is.
func formOf(data []byte) jsonForm {
	data = withoutUTF16(data)
	text := data[inspectStart(data):]
	switch {
	case inspectedWord(text) != "":
		return inspectedJSON
	case !startsJSON(text):
		return otherJSON
	}
	seen := map[string]bool{}
	eachMember(text, func(name string, value []byte) bool {
		seen[name] = true
		seen["auths"] = seen["auths"] || isConfigName(name)
		seen["Config{"] = seen["Config{"] || name == "Config" && isContainerConfig(value)
		seen["services{"] = seen["services{"] || name == "services" && value[0] == '{'
		return !seen["auths"] && len(seen) < maxNames
	})
	switch {
	case seen["auths"]:
		return otherJSON
	case seen["services{"], seen["apiVersion"] && seen["kind"]:
		return definitionJSON
	case inspectedName(seen) != "":
		return inspectedJSON
	case Mentions(data):
		return speakingJSON
	}
	return otherJSON
}

// withoutUTF16 is the beginning of a text in UTF-16 as the letters in it, and any other text as it is.
func withoutUTF16(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return data
	}
	return bytes.ReplaceAll(data[2:min(len(data), 64<<10)], []byte{0}, nil)
}

// isConfigName tells whether a member is one of a config.json. Source: docker's cli/config/configfile, and what older ones have.
func isConfigName(name string) bool {
	switch name {
	case "auths", "credsStore", "credHelpers", "HttpHeaders", "detachKeys", "currentContext", "proxies", "plugins",
		"aliases", "experimental", "features", "cliPluginsExtraDirs", "stackOrchestrator", "pruneFilters":
		return true
	}
	return configFormat.MatchString(name)
}

var configFormat = regexp.MustCompile(`^(ps|images|networks|plugins|volumes|stats|services|tasks|secret|config|nodes|` +
	`serviceInspect|contexts)Format$`)

// inspectedForms are the things that docker inspect prints, each with the names that tell it from others, all of one
// line. Containers stand last, as an image has what they have too. Source: the API of docker's daemon, and Podman's.
func inspectedForms() [][2][]string {
	form := func(kind string, names ...string) [2][]string { return [2][]string{{kind}, names} }
	return [][2][]string{
		form("image", "RepoTags"),
		form("image", "RepoDigests"),
		form("network", "IPAM", "Driver"),
		form("volume", "Mountpoint", "Driver"),
		form("service", "Spec", "ID"),
		form("mounts", "Source", "Destination", "RW"),
		form("settings", "Binds", "NetworkMode"),
		form(configForm, "Env", "Hostname"),
		form(configForm, "Env", "Entrypoint"),
		form(containerForm, "Config{"),
		form(containerForm, "HostConfig", "Id"),
		form(containerForm, "HostConfig", "Mounts"),
		form(containerForm, "Id", "Created", "Path"),
		form(containerForm, "Id", "Created", "State"),
	}
}

// The things that a runner may be read from: a container, or its Config alone.
const (
	containerForm = "container"
	configForm    = "config"
)

// inspectedName is what an object is, by the names in it, that docker inspect prints; "" for another one.
func inspectedName(seen map[string]bool) string {
	for _, form := range inspectedForms() {
		lacks := func(name string) bool { return !seen[name] }
		if !slices.ContainsFunc(form[1], lacks) {
			return form[0][0]
		}
	}
	return ""
}

// isContainerConfig tells whether an object is the Config of a container.
func isContainerConfig(object []byte) bool {
	found := false
	if object[0] == '{' {
		eachMember(object, func(name string, _ []byte) bool {
			found = slices.Contains([]string{"Env", "Image", "Hostname", "Cmd", "Entrypoint"}, name)
			return !found && !isConfigName(name)
		})
	}
	return found
}

// inspectedWord is what a text is that docker inspect prints and that is no object: the list of variables of
// --format '{{json .Config.Env}}', or nothing, beside which it says that there is no such container.
func inspectedWord(text []byte) string {
	head := text[:min(len(text), 4096)]
	switch {
	case variableList.Match(head):
		return "environment"
	case nothingFound.Match(head):
		return "nothing"
	}
	return ""
}

var (
	variableList = regexp.MustCompile(`\A\[\s*"[A-Za-z_][A-Za-z0-9_.]*=`)
	nothingFound = regexp.MustCompile(`(?i)\A(?:\[\s*\]\s*(?:error[^\n]*: )?no such (?:object|container)` +
		`|(?:error[^\n]*\n\s*)*error[^\n]*no such (?:object|container)[^\n]*\n\s*\[\s*\])`)
)

// inspectStart is where a JSON text begins: behind a byte order mark, blanks, and the command with which it was copied
// from a terminal.
func inspectStart(text []byte) int {
	at := len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))
	if copied := copiedCommand.FindIndex(text[at:min(len(text), at+4096)]); copied != nil {
		at += copied[1] - 1
	}
	return at + len(text[at:]) - len(bytes.TrimLeft(text[at:], " \t\r\n"))
}

// copiedCommand matches the line of a terminal with a docker inspect, up to the bracket that begins its answer.
var copiedCommand = regexp.MustCompile(`\A\s*[^\n{}]*(?:docker|podman|nerdctl)[^\n{}]* inspect [^\n]*\n\s*[\[{]`)

// eachMember visits the members of a JSON object, or of the first object in an array, with the text from the value on,
// until visit returns false. It takes a text with mistakes in it for what it can.
func eachMember(text []byte, visit func(name string, value []byte) bool) {
	at := skipBlank(text, 0)
	if at < len(text) && text[at] == '[' {
		at = skipBlank(text, at+1)
	}
	if at >= len(text) || text[at] != '{' {
		return
	}
	for at++; ; {
		for at = skipBlank(text, at); at < len(text) && text[at] == ','; {
			at = skipBlank(text, at+1)
		}
		if at >= len(text) || text[at] != '"' {
			return
		}
		end := skipString(text, at)
		name := string(bytes.Trim(text[at:end], `"`))
		at = skipBlank(text, end)
		if at >= len(text) || text[at] != ':' {
			return
		}
		if at = skipBlank(text, at+1); at >= len(text) || !visit(name, text[at:]) {
			return
		}
		at = skipValue(text, at)
	}
}

func skipBlank(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
		at++
	}
	return at
}

// skipString is the end of the string that begins at an offset: behind its quote, or at the end of the line.
func skipString(text []byte, at int) int {
	for at++; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		case '\n':
			return at
		}
	}
	return len(text)
}

// skipValue is the end of the value that begins at an offset.
func skipValue(text []byte, at int) int {
	for depth := 0; at < len(text); {
		switch text[at] {
		case '"':
			at = skipString(text, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			if depth--; depth < 0 {
				return at
			}
			at++
		case ',':
			if depth == 0 {
				return at
			}
			at++
		default:
			at++
			continue
		}
		if depth == 0 {
			return at
		}
	}
	return len(text)
}
