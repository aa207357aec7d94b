package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks"
)

// mostInMarkdown is how many causes are told in full: comments have an end, at 32,768 characters on Bitbucket.
const mostInMarkdown = 20

// Markdown writes the report as a comment or a ticket: causes with their remedies first, then the checks. It keeps to
// what Bitbucket, GitHub and GitLab render alike: headings, paragraphs, code, fences, a table.
func Markdown(w io.Writer, r Report) error {
	var out strings.Builder
	fmt.Fprintf(&out, "## Runner preflight: %s\n", summaryLine(r))
	if r.Baseline != nil {
		if names := r.Baseline.mended(); len(names) > 0 {
			fmt.Fprintf(&out, "\nMended: %s.\n", markdownText(checks.Few(names, fewSubjects)))
		}
	}
	n := 0
	for _, c := range r.Causes {
		if len(c.By) > 0 {
			continue
		}
		if n++; n <= mostInMarkdown {
			markdownCause(&out, n, c)
		}
	}
	if n > mostInMarkdown {
		fmt.Fprintf(&out, "\nAnd %s.\n", checks.CountOf(n-mostInMarkdown, "more cause", "more causes"))
	}
	if len(r.Results) > 0 {
		out.WriteString("\n### Checks\n\n| status | check | what |\n| --- | --- | --- |\n")
	}
	for i, all := range findings(r) {
		markdownRows(&out, r.Results[i], all)
	}
	fmt.Fprintf(&out, "\nWritten by `%s` %s; `%s explain NAME` says more of a problem.\n", tool,
		markdownText(r.Version), tool)
	_, err := io.WriteString(w, out.String())
	return err
}

// markdownCause writes what is wrong, what to do, commands to paste, and what follows from it.
func markdownCause(out *strings.Builder, n int, c Cause) {
	place := c.Location().Position().String()
	if place == "" {
		place = c.Root
	}
	fmt.Fprintf(out, "\n### %d. %s `%s`%s %s\n", n, strings.ToUpper(c.Status.String()), c.Problem.ID,
		knownSuffix(c.known()), markdownText(place))
	if e := c.Location().Excerpt(); e.Line > 0 {
		caret := strings.Repeat(" ", e.Column) + strings.Repeat("^", min(e.Width, longestCaret))
		fence(out, "text", []string{e.Text, caret})
	}
	fmt.Fprintf(out, "\n%s: %s.\n", markdownText(c.Problem.Title), markdownText(checks.Few(c.messages(), fewSubjects)))
	fmt.Fprintf(out, "\nMend: %s.\n", markdownText(c.Hint))
	var commands []string
	for i, command := range c.Commands {
		if i < fewSubjects {
			commands = append(commands, strings.Split(command, "\n")...)
		}
	}
	if len(commands) > 0 {
		fence(out, "sh", commands)
	}
	if more := len(c.Commands) - fewSubjects; more > 0 {
		fmt.Fprintf(out, "\nAnd %s.\n", checks.CountOf(more, "more command", "more commands"))
	}
	var parts []string
	for _, f := range c.Explained {
		parts = append(parts, f.Subject+" ("+f.Problem.ID+")")
	}
	if len(parts) > 0 {
		fmt.Fprintf(out, "\nExplains: %s.\n", markdownText(checks.Few(unique(parts), fewSubjects)))
	}
}

// markdownRows writes the rows of a check: one for each thing that it says, naming the subjects of which it says so.
func markdownRows(out *strings.Builder, result checks.Result, all []entry) {
	type saying struct {
		status                  checks.Status
		id, skip, ignored, seen string
	}
	said := map[saying][]string{}
	var order []saying
	for _, f := range all {
		key := saying{status: f.Status, id: f.id(), seen: vantage(f.Finding)}
		switch {
		case f.Ignored != nil:
			key.ignored = f.ignoredAs()
		case f.Status == checks.Skip:
			key.skip = f.Message
		}
		order, said[key] = append(order, key), append(said[key], f.Subject+knownSuffix(f.Known))
	}
	for _, key := range unique(order) {
		what, word := markdownText(checks.Few(said[key], fewSubjects)), strings.ToUpper(key.status.String())
		switch {
		case key.ignored != "":
			what, word = "`"+key.id+"`: "+what+": "+markdownText(key.ignored), word+", ignored"
		case key.id != "" && key.status >= checks.Warn:
			what = "`" + key.id + "`: " + what
		case key.skip != "":
			what += ": " + markdownText(key.skip)
		}
		if key.seen != "" {
			what += " (vantage: " + markdownText(key.seen) + ")"
		}
		fmt.Fprintf(out, "| %s | `%s` | %s |\n", word, result.Check.Name, what)
	}
}

// fence writes lines of code between fences that are longer than any run of backticks in them.
func fence(out *strings.Builder, language string, lines []string) {
	longest := 2
	for i := range lines {
		lines[i] = cut(oneLine(lines[i]))
		for _, run := range backticks.FindAllString(lines[i], -1) {
			longest = max(longest, len(run))
		}
	}
	mark := strings.Repeat("`", longest+1)
	fmt.Fprintf(out, "\n%s%s\n%s\n%s\n", mark, language, strings.Join(lines, "\n"), mark)
}

var (
	backticks = regexp.MustCompile("`+")
	// piece matches what no code span ends in the middle of, and no table cell either: a word, or where a container stands
	// in a file's place.
	piece = regexp.MustCompile("<container [^ `|]+|[^ `|]+|[`|]")
	// special matches what means something to a dialect of Markdown, or becomes a link or a mention.
	special = regexp.MustCompile(`[\\*_{}\[\]<>#~@&$^!%]|:/|www\.`)
	// trailing matches the punctuation of ours that ends a word.
	trailing = regexp.MustCompile(`[,.;:)]+$`)
)

// markdownText is a text from anywhere in a line or a cell. A word with something in it that means something is code,
// where mentions and links are dead as well; what would end a cell or a code span is spelled as an entity.
func markdownText(text string) string {
	words := strings.Fields(cut(oneLine(text)))
	text = strings.Join(words, " ")
	return piece.ReplaceAllStringFunc(text, func(word string) string {
		end := trailing.FindString(word)
		bare := strings.TrimSuffix(word, end)
		switch {
		case word == "`":
			return "&#96;"
		case word == "|":
			return "&#124;"
		case !special.MatchString(word):
			return word
		case slices.Contains([]string{"", ":/"}, bare):
			return "`" + word + "`"
		}
		return "`" + bare + "`" + end
	})
}
