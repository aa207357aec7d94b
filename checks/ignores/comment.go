package ignores

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"runner-preflight/checks/source"
)

// Style is how a kind of file writes comments.
type Style int

// The styles of comments.
const (
	// Script has comments at the end of lines too, and joins lines that end in a backslash.
	Script Style = iota
	// YAML is the same, where a line stands for the block that is indented below it as well.
	YAML
	// EnvFile has comments on lines of their own alone.
	EnvFile
	// Unit is a systemd unit: as EnvFile, with ";" as well.
	Unit
)

// marker is what a comment for this tool begins with.
const marker = "runner-preflight"

// longestDirective is how many bytes of a comment are looked at, mostNames how many names of problems it may have.
const (
	longestDirective = 4096
	mostNames        = 100
	// maxWalk bounds, in bytes, how far the ends of statements are looked for in one file, all of them together: what
	// stands beyond is not covered.
	maxWalk = 64 << 20
)

// directive matches the beginning of a comment for this tool: its colon, its word, the equals sign.
var directive = regexp.MustCompile(`\A[#;]+[ \t]*runner-preflight[ \t]*(:?)[ \t]*([A-Za-z-]*)(=?)`)

// Comments reads the ignores in a file's comments. Commands are the places of statements that begin on some line and may
// end on another: an ignore above one covers all of it.
func Comments(file *source.File, style Style, commands []source.Span) ([]Ignore, []Mistake) {
	c := &comments{file: file, text: file.Text, style: style, patience: maxWalk}
	if !bytes.Contains(c.text, []byte(marker)) {
		return nil, nil
	}
	c.readHead()
	for _, command := range commands {
		if command.File != nil && command.File.Path == file.Path && command.Start >= 0 && command.End <= len(c.text) {
			c.commands = append(c.commands, Reach{Start: command.Start, End: command.End})
		}
	}
	slices.SortFunc(c.commands, func(a, b Reach) int { return a.Start - b.Start })
	c.read()
	return c.found, c.mistakes
}

// comments is a file while its comments are read.
type comments struct {
	file     *source.File
	text     []byte
	style    Style
	commands []Reach
	// headEnd is where the first line begins that is not a comment.
	headEnd int

	// above is the stretch of comment lines whose reach is known already, below that reach: comments that stand on one
	// another, or inside of one command, are not walked through again for each of them.
	above, below Reach
	// patience is what is left of maxWalk.
	patience int

	found    []Ignore
	mistakes []Mistake
}

// read finds every line with the marker. Of one line the first comment counts.
func (c *comments) read() {
	for at := 0; at < len(c.text); {
		i := bytes.Index(c.text[at:], []byte(marker))
		if i < 0 {
			return
		}
		at += i
		start, found := c.commentBefore(at)
		if !found {
			at += len(marker)
			continue
		}
		end := c.lineEnd(at)
		if len(c.found)+len(c.mistakes) >= mostIgnores {
			c.mistakes = append(c.mistakes, Mistake{
				Place: c.file.At(start, c.trimmed(start, end)), Detail: "it is one of more than 1000 ignores in the file, and is not read",
				Hint: "put the files that it is about into an entry of " + FileName,
			})
			return
		}
		c.line(start, end)
		at = end
	}
}

// commentBefore is where the comment begins whose first word is at an offset.
func (c *comments) commentBefore(at int) (start int, found bool) {
	for at > 0 && blank(c.text[at-1]) {
		at--
	}
	start = at
	for start > 0 && (c.text[start-1] == '#' || c.style == Unit && c.text[start-1] == ';') {
		start--
	}
	switch {
	case start == at:
		return 0, false
	case start == 0, c.text[start-1] == '\n', blank(c.text[start-1]):
		return start, true
	}
	return start, c.bomBefore(start)
}

// bomBefore tells whether nothing but a byte order mark stands before an offset.
func (c *comments) bomBefore(at int) bool { return string(c.text[:at]) == "\ufeff" }

func blank(b byte) bool { return b == ' ' || b == '\t' }

// lineEnd is the offset of the line break behind an offset, or the text's end.
func (c *comments) lineEnd(at int) int {
	if i := bytes.IndexByte(c.text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(c.text)
}

// trimmed is where what begins at start ends, without blanks and without the carriage return of a Windows line end.
func (c *comments) trimmed(start, end int) int {
	return start + len(bytes.TrimRight(c.text[start:end], " \t\r"))
}

// line reads the comment from start to the end of its line.
func (c *comments) line(start, end int) {
	end = c.trimmed(start, end)
	words := directive.FindSubmatchIndex(c.text[start:min(end, start+longestDirective)])
	if words == nil {
		return
	}
	colon, word, equals := words[2] < words[3], string(c.text[start+words[4]:start+words[5]]), words[6] < words[7]
	place := c.file.At(start, end)
	const form = "write # " + marker + ": ignore=PROBLEM and the reason"
	switch {
	case colon && equals && word == "ignore":
		own := c.isComment(c.lineStart(start))
		if !own && c.style >= EnvFile {
			c.mistakes = append(c.mistakes, Mistake{
				Place: place, Detail: "what stands behind a value is part of it in a file of this kind, and no comment",
				Hint: "put the ignore on a line of its own, above this one",
			})
			return
		}
		c.ignore(start, start+words[7], end, own)
	case colon && equals:
		c.mistakes = append(c.mistakes, Mistake{
			Place: c.file.At(start+words[4], start+words[5]), Detail: "a comment for this tool says ignore=, and nothing else",
			Hint: form,
		})
	case colon && word == "ignore":
		c.mistakes = append(c.mistakes, Mistake{
			Place: place, Detail: "an equals sign follows ignore, with no blank before it", Hint: form,
		})
	case equals && strings.HasPrefix(word, "ignor"):
		c.mistakes = append(c.mistakes, Mistake{Place: place, Detail: "a colon is missing behind " + marker, Hint: form})
	}
}

// ignore reads what follows "ignore=", from at to end. Own says that the comment has the line for itself.
func (c *comments) ignore(start, at, end int, own bool) {
	found := Ignore{Place: c.file.At(start, end)}
	most := min(end, at+longestDirective)
	hideTokens(c.file, at, most)
	listEnd := at + len(c.text[at:most]) - len(bytes.TrimLeftFunc(c.text[at:most], func(r rune) bool { return !unicode.IsSpace(r) }))
	for from := at; ; {
		to := listEnd
		if i := bytes.IndexByte(c.text[from:listEnd], ','); i >= 0 {
			to = from + i
		}
		if from == to || len(found.Names) == mostNames {
			c.mistakes = append(c.mistakes, Mistake{
				Place: c.file.At(start, end), Detail: "the name of a problem is missing behind ignore=",
				Hint: "write the names with commas between them and without blanks: ignore=PROBLEM,PROBLEM",
			})
			return
		}
		found.Names = append(found.Names, Name{string(c.text[from:to]), c.file.At(from, to)})
		if to == listEnd {
			break
		}
		from = to + 1
	}
	if !c.rest(&found, listEnd, most) {
		return
	}
	found.Reach = c.reach(start, end, own)
	c.found = append(c.found, found)
}

// option matches a word of the form until=…, and what looks like it.
var option = regexp.MustCompile(`(?:^|[ \t])([A-Za-z]{4,7})=([^ \t]*)`)

// rest reads the day and the reason.
func (c *comments) rest(found *Ignore, start, end int) (ok bool) {
	options := option.FindAllSubmatchIndex(c.text[start:end], 10)
	from, reason := start, []string{}
	for _, at := range options {
		name, place := string(c.text[start+at[2]:start+at[3]]), c.file.At(start+at[2], start+at[5])
		if name != "until" && strings.HasPrefix(strings.ToLower(name), "unti") {
			c.mistakes = append(c.mistakes, Mistake{Place: place, Detail: "the day is written until=2027-01-31", Hint: "write until="})
			return false
		}
		if name != "until" {
			continue
		}
		day, mistake := readDay(place, string(c.text[start+at[4]:start+at[5]]))
		if mistake == nil && !found.Until.IsZero() {
			mistake = &Mistake{Place: place, Detail: "until= stands here for the second time", Hint: "write one day"}
		}
		if mistake != nil {
			c.mistakes = append(c.mistakes, *mistake)
			return false
		}
		day.Place = place
		found.Until = day
		reason, from = append(reason, shown(c.file.At(from, start+at[2]))), start+at[5]
	}
	reason = append(reason, shown(c.file.At(from, end)))
	found.Reason = joined(reason)
	return true
}

// joined is a reason in one piece; signs alone are none.
func joined(pieces []string) string {
	text := strings.Join(strings.Fields(strings.Join(pieces, " ")), " ")
	text = strings.TrimLeft(text, "-–—:;,# ")
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '*' }) {
		return ""
	}
	return source.Shortened(text, longestReason)
}

// readDay reads a day as ISO 8601 writes it.
func readDay(place source.Span, text string) (Day, *Mistake) {
	day, err := time.Parse(dateForm, text)
	if err == nil {
		return Day{day, place}, nil
	}
	return Day{}, &Mistake{
		Place: place, Detail: "the day is no date of the form 2027-01-31",
		Hint: "write the last day on which it holds as YEAR-MONTH-DAY, as until=2027-01-31",
	}
}

// readHead finds the first line that is not a comment.
func (c *comments) readHead() {
	for at := 0; at < len(c.text); {
		end := c.lineEnd(at)
		line := bytes.TrimSpace(c.text[at:end])
		marks := c.style == YAML && (string(line) == "---" || bytes.HasPrefix(line, []byte("%YAML")))
		if !marks && !c.isBlank(at) && !c.isComment(at) {
			c.headEnd = at
			return
		}
		at = end + 1
	}
	c.headEnd = len(c.text)
}

// lineStart is where the line of an offset begins.
func (c *comments) lineStart(at int) int {
	start, _ := c.file.Line(c.file.Position(at).Line)
	return start
}

// firstOf is the first character of the line that begins at an offset, blanks left out; 0 for a blank line.
func (c *comments) firstOf(start int) byte {
	if start == 0 && bytes.HasPrefix(c.text, []byte("\ufeff")) {
		start = len("\ufeff")
	}
	for ; start < len(c.text) && c.text[start] != '\n'; start++ {
		if b := c.text[start]; !blank(b) && b != '\r' {
			return b
		}
	}
	return 0
}

func (c *comments) isBlank(start int) bool { return c.firstOf(start) == 0 }

func (c *comments) isComment(start int) bool {
	first := c.firstOf(start)
	return first == '#' || c.style == Unit && first == ';'
}

// reach is what a comment covers: its line; when it has the line for itself the file, if nothing but comments stands
// above it, else what stands directly below.
func (c *comments) reach(start, end int, own bool) Reach {
	line := c.lineStart(start)
	switch {
	case !own:
		return Reach{Start: line, End: end}
	case line < c.headEnd:
		return Reach{Whole: true}
	case c.above.Start <= line && line < c.above.End:
		return c.below
	}
	target := c.lineEnd(end) + 1
	for target < len(c.text) && c.isComment(target) {
		target = c.lineEnd(target) + 1
	}
	previous := c.below
	c.above, c.below = Reach{Start: line, End: target}, Reach{}
	if target < len(c.text) && !c.isBlank(target) {
		c.below = Reach{Start: target, End: c.statementEnd(target, previous)}
	}
	return c.below
}

// statementEnd is where the statement ends that begins on the line at start: behind the lines that a backslash joins to
// it, those that are indented below it in YAML, and the commands that begin on any of them. A statement of which the end
// was found before ends there too.
func (c *comments) statementEnd(start int, previous Reach) int {
	end := 0
	if c.style != YAML && previous.Start < start && start < previous.End {
		end = previous.End
	} else {
		end = c.joinedEnd(start)
	}
	if c.style == YAML {
		end = max(end, c.blockEnd(start))
	}
	first, _ := slices.BinarySearchFunc(c.commands, start, func(r Reach, at int) int { return r.Start - at })
	for _, command := range c.commands[first:] {
		if command.Start >= end {
			break
		}
		end = max(end, command.End)
	}
	return end
}

// joinedEnd is the end of the last line that backslashes join to the one at start. A blank behind the backslash, and a
// comment between two of the lines, are mistakes in a script, and the lines were meant to be one command all the same.
func (c *comments) joinedEnd(start int) int {
	for at := start; ; {
		end := c.lineEnd(at)
		joins := bytes.HasSuffix(bytes.TrimRight(c.text[at:end], " \t\r"), []byte(`\`)) || c.isComment(at)
		if !joins || end >= len(c.text) || !c.walked(end-at) {
			return end
		}
		at = end + 1
	}
}

// walked tells whether there is patience left after one more line of that length.
func (c *comments) walked(length int) bool {
	c.patience -= length + 64
	return c.patience > 0
}

// blockEnd is where the block ends that begins on the line at start: before the next line that is indented no deeper,
// where the items of a list may stand right below its key.
func (c *comments) blockEnd(start int) int {
	end := c.lineEnd(start)
	depth := c.indentation(start)
	item := c.isItem(start+depth, end)
	for at := end + 1; at < len(c.text); {
		next, indented := c.lineEnd(at), c.indentation(at)
		first := at + indented
		switch deeper := indented - depth; {
		case !c.walked(next - at):
			return end
		case first == next, c.text[first] == '\r', c.text[first] == '#':
		case deeper > 0, deeper == 0 && !item && c.isItem(first, next):
			end = next
		default:
			return end
		}
		at = next + 1
	}
	return end
}

// isItem tells whether what is on a line, from its first character that is not blank, is a list's item.
func (c *comments) isItem(first, end int) bool {
	line := c.text[first:end]
	return len(line) > 0 && line[0] == '-' && (len(line) == 1 || blank(line[1]) || line[1] == '\r')
}

// indentation counts the blanks at the beginning of a line.
func (c *comments) indentation(start int) int {
	at := start
	for at < len(c.text) && blank(c.text[at]) {
		at++
	}
	return at - start
}

// shown is a stretch of a file for people.
func shown(place source.Span) string { return source.WithoutPassword(place.Shown(2 * longestReason)) }

// tokenLike matches what may be a token, and what is said to be a secret.
var (
	tokenLike = regexp.MustCompile(`[0-9A-Za-z_.=+-]{16,}`)
	saidToBe  = regexp.MustCompile(`(?i)(?:secret|passw[a-z]*|token|apikey|api_key)[\w-]*["']?[ \t]*[=:][ \t]*["']?([^\s"',}]+)`)
	inURL     = regexp.MustCompile(`://([^\s/@]+)@`)
)

// hideTokens hides what looks like a secret: reasons are shown, and people paste things.
func hideTokens(file *source.File, start, end int) {
	for _, at := range tokenLike.FindAllIndex(file.Text[start:end], -1) {
		if word := string(file.Text[start+at[0] : start+at[1]]); source.IsToken(word) {
			file.Hide(start+at[0], start+at[1])
		}
	}
	for _, form := range []*regexp.Regexp{saidToBe, inURL} {
		for _, at := range form.FindAllSubmatchIndex(file.Text[start:end], -1) {
			file.Hide(start+at[2], start+at[3])
		}
	}
}

// Alone is a file of which nothing is shown but the comments for this tool: one that no reader has searched for secrets.
func Alone(path string, text []byte) *source.File {
	file := source.New(path, text)
	c := &comments{file: file, text: text, style: Unit}
	from := 0
	for at, n := 0, 0; n < mostIgnores; {
		i := bytes.Index(text[at:], []byte(marker))
		if i < 0 {
			break
		}
		at += i
		if start, found := c.commentBefore(at); found && start >= from {
			file.Hide(from, start)
			from, n = c.lineEnd(at), n+1
		}
		at = max(from, at+len(marker))
	}
	file.Hide(from, len(text))
	return file
}
