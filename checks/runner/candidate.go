package runner

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// What a file of somebody's folder is, is told by its content: these functions look at much text that is no runner's,
// and are therefore cheap. A new kind of definition needs a mark here only if its files can be without all of these.

// ownMarks are the words without which hardly any file defines a runner; borrowedMarks are those of files that define
// one with the help of another file.
func ownMarks() []string {
	return []string{
		"bitbucket-pipelines-runner", "ACCOUNT_UUID", "RUNNER_UUID", "PAUSE_IMAGE", "AUTH_PROXY_IMAGE", "CLONE_IMAGE",
	}
}

func borrowedMarks() []string { return []string{"--env-file", "env_file", "dockerconfigjson"} }

// Candidate tells whether a text may define a runner, so that it is worth reading.
func Candidate(data []byte) bool { return Mentions(data) || containsAny(narrow(data), borrowedMarks()) }

// Mentions tells whether a text speaks of runners: what it is must then be said, even where no runner is read from it.
func Mentions(data []byte) bool { return containsAny(narrow(data), ownMarks()) }

func containsAny(data []byte, marks []string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return bytes.Contains(data, []byte(mark)) })
}

// narrow is a text without the zeros of UTF-16.
func narrow(data []byte) []byte {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return bytes.ReplaceAll(data, []byte{0}, nil)
	}
	return data
}

// Binary tells by the beginning of a file that it holds no text. UTF-16 with its mark is one.
func Binary(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return false
	}
	return bytes.IndexByte(head, 0) >= 0
}

// InPassing says why what a file holds is no definition to whoever did not name the file, though commands of it start
// a runner: documentation shows them, and so do samples and sources of programs. Empty means that it is one.
func (r Reading) InPassing(name string, data []byte) string {
	ext := strings.ToLower(path.Ext(name))
	switch {
	case slices.Contains([]string{".example", ".sample", ".template", ".tmpl", ".dist"}, ext):
		return "a sample"
	case slices.Contains([]string{".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc"}, ext) && !isScript(name, data),
		r.text() && isProseAlone(data):
		return "documentation"
	case r.text() && otherMarkup.Match(data):
		return "data of another program"
	case (len(r.Mistakes) > 0 || r.text() && slices.Contains(programEnds(), ext)) && !isScript(name, data):
		return "source of another program"
	case r.Kind == "docker env file" && !ownEnvironment(r.Definitions):
		return "an env file with one variable of a runner alone"
	}
	return ""
}

// programEnds are the names' ends of sources in which a command is a string of a program, or of its tests.
func programEnds() []string {
	return strings.Fields(".c .cc .cpp .cs .go .java .js .jsx .kt .mjs .php .pl .py .rb .rs .scala .swift .ts .tsx")
}

// Broken tells whether a file in which no runner was found is a script, or would be one, that no shell reads.
func (r Reading) Broken(name string, data []byte) bool {
	wide := len(data) > 0 && data[0] >= 0xfe
	return len(r.Mistakes) > 0 && len(r.Definitions) == 0 && (wide || isScript(name, data))
}

// text tells whether commands were looked for in a text that is no script.
func (r Reading) text() bool { return strings.HasPrefix(r.Kind, "text") }

// isProseAlone tells a text for people from one in YAML, where sentences stand in comments and descriptions.
func isProseAlone(data []byte) bool {
	return sentence.Match(data) && !structured.Match(data)
}

var (
	// structured matches a YAML document up to its first key or item.
	structured = regexp.MustCompile(`\A(?:\x{feff})?(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:---[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*)?` +
		`(?:[\w."'-]+:(?:[ \t]|\r?\n)|- +[\w."'-]+:(?:[ \t]|\r?\n))`)
	// otherMarkup matches JSON, XML and their like, whose strings no shell reads as they stand.
	otherMarkup = regexp.MustCompile(`\A(?:\x{feff})?\s*[{<\[]`)
)

// isScript tells whether a file says of itself that a shell runs it.
func isScript(name string, data []byte) bool {
	return shellShebang.Match(data) || strings.HasSuffix(name, ".sh") || strings.HasSuffix(name, ".bash")
}

var shellShebang = regexp.MustCompile(`\A#![^\n]*\b(?:sh|bash|dash|ash|ksh|zsh)\b`)

// ownEnvironment tells whether variables are a runner's beyond doubt: another program may have an ACCOUNT_UUID too.
func ownEnvironment(definitions []*Definition) bool {
	own := map[string]bool{}
	for _, d := range definitions {
		for _, v := range d.Environment {
			switch name := v.Name.Value; name {
			case "ACCOUNT_UUID", "RUNNER_UUID", "REPOSITORY_UUID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "WORKING_DIRECTORY",
				"PAUSE_IMAGE", "AUTH_PROXY_IMAGE", "CLONE_IMAGE", "RUNTIME_PREREQUISITES_ENABLED":
				own[name] = true
			}
		}
	}
	return len(own) > 1
}
