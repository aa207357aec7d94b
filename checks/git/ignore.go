package git

import (
	"path"
	"regexp"
	"strings"
)

// ignores tells whether the ignore files of a work tree leave out a name below its root. What is in a folder
// that is left out is left out, whatever else is said of it.
func (t workTree) ignores(files Files, name string) bool {
	rules := ignoreRules(files, path.Join(t.common, "info", "exclude"), "")
	parts := strings.Split(name, "/")
	for i := range parts {
		folder := strings.Join(parts[:i], "/")
		rules = append(rules, ignoreRules(files, path.Join(t.root, folder, ".gitignore"), folder)...)
		if leavesOut(rules, strings.Join(parts[:i+1], "/"), i+1 < len(parts)) {
			return true
		}
	}
	return false
}

// leavesOut asks the rules about one name: the last that matches decides.
func leavesOut(rules []ignoreRule, name string, folder bool) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].matches(name, folder) {
			return !rules[i].negated
		}
	}
	return false
}

// ignoreRule is one line of an ignore file.
type ignoreRule struct {
	// base is the folder of the ignore file, below the root of the work tree.
	base string
	// pattern matches the whole name below base, or with anywhere just its last component.
	pattern                        *regexp.Regexp
	negated, foldersOnly, anywhere bool
	// literal is the pattern if no character of it means another; then there is no expression.
	literal string
}

func (r ignoreRule) matches(name string, folder bool) bool {
	if r.foldersOnly && !folder {
		return false
	}
	if r.base != "" {
		name = strings.TrimPrefix(name, r.base+"/")
	}
	if r.anywhere {
		name = path.Base(name)
	}
	if r.pattern == nil {
		return name == r.literal
	}
	return r.pattern.MatchString(name)
}

// maxIgnoreFile is how much of an ignore file is read, in bytes: each rule is asked about each file.
const maxIgnoreFile = 256 << 10

// ignoreRules reads an ignore file, if there is one.
func ignoreRules(files Files, name, base string) []ignoreRule {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil
	}
	var rules []ignoreRule
	text = text[:min(len(text), maxIgnoreFile)]
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		if rule, ok := parseIgnoreRule(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")); ok {
			rule.base = base
			rules = append(rules, rule)
		}
	}
	return rules
}

// parseIgnoreRule reads a line as the page of gitignore describes it.
func parseIgnoreRule(line string) (rule ignoreRule, ok bool) {
	if strings.HasPrefix(line, "#") {
		return rule, false
	}
	line = trimBlanks(line)
	line, rule.negated = strings.CutPrefix(line, "!")
	line, rule.foldersOnly = strings.CutSuffix(line, "/")
	rule.anywhere = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return rule, false
	}
	if !strings.ContainsAny(line, `*?[\`) {
		rule.literal = line
		return rule, true
	}
	pattern, err := regexp.Compile(globExpression(line))
	rule.pattern = pattern
	return rule, err == nil
}

// trimBlanks cuts off the blanks at the end, but for one behind a backslash.
func trimBlanks(line string) string {
	trimmed := strings.TrimRight(line, " ")
	escapes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if len(trimmed) < len(line) && escapes%2 == 1 {
		return trimmed + " "
	}
	return trimmed
}

// globExpression is a glob as a regular expression: those take time in proportion to what they match, whatever
// the glob.
func globExpression(glob string) string {
	var out strings.Builder
	out.WriteString(`(?s)\A`)
	for at := 0; at < len(glob); {
		expression, width := globStep(glob, at)
		out.WriteString(expression)
		at += width
	}
	out.WriteString(`\z`)
	return out.String()
}

// globStep translates what stands at an offset of a glob, and tells how wide it is. A bracket that is never
// closed stays as it is and spoils the expression, as it spoils the glob.
func globStep(glob string, at int) (expression string, width int) {
	rest := glob[at:]
	atStart := at == 0 || glob[at-1] == '/'
	switch {
	case atStart && strings.HasPrefix(rest, "**/"):
		return `(?:.*/)?`, 3
	case atStart && rest == "**":
		return `.+`, 2
	case rest[0] == '*':
		return `[^/]*`, len(rest) - len(strings.TrimLeft(rest, "*"))
	case rest[0] == '?':
		return `[^/]`, 1
	case rest[0] == '[':
		return globClass(rest)
	case rest[0] == '\\' && len(rest) > 1:
		return regexp.QuoteMeta(rest[1:2]), 2
	}
	return regexp.QuoteMeta(rest[:1]), 1
}

// globClass translates a bracket expression.
func globClass(glob string) (expression string, width int) {
	at, open := 1, "["
	if at < len(glob) && (glob[at] == '!' || glob[at] == '^') {
		at, open = at+1, `[^/`
	}
	var class strings.Builder
	class.WriteString(open)
	for first := true; at < len(glob); first = false {
		switch {
		case glob[at] == ']' && !first:
			return class.String() + "]", at + 1
		case strings.HasPrefix(glob[at:], "[:") && strings.Contains(glob[at:], ":]"):
			end := at + strings.Index(glob[at:], ":]") + 2
			class.WriteString(glob[at:end])
			at = end
			continue
		case glob[at] == '\\' && at+1 < len(glob):
			at++
			class.WriteString(strings.Replace(regexp.QuoteMeta(glob[at:at+1]), "-", `\-`, 1))
		default:
			class.WriteString(regexp.QuoteMeta(glob[at : at+1]))
		}
		at++
	}
	return "[", len(glob)
}
