package report

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"runner-preflight/checks/source"
)

// columns is how many columns of a terminal a text takes.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Wrap breaks a text at blanks into lines of at most so many columns, as reports are laid out.
func Wrap(text string, most int) []string { return wrap(text, most) }

// wrap breaks a text at blanks into lines of at most so many columns. What has no blank, as a path, a reference or a
// URL, stays whole, and is longer than the line if it must be.
func wrap(text string, most int) []string {
	if text = strings.TrimSpace(text); columns(text) <= most {
		return []string{text}
	}
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		size := columns(word)
		switch {
		case line == "":
			line, used = word, size
		case used+1+size <= most:
			line, used = line+" "+word, used+1+size
		case obeyed(word) && strings.Contains(line, " "): // the word before it begins the line
			last := strings.LastIndex(line, " ")
			lines = append(lines, line[:last])
			line = line[last+1:] + " " + word
			used = columns(line)
		default:
			lines = append(lines, line)
			line, used = word, size
		}
	}
	return append(lines, line)
}

// obeyed tells whether a build takes a line of its log for a command if it begins with a word: GitHub Actions
// (::error::), Azure Pipelines and TeamCity (##vso[). Text may come from anybody, and does not begin lines with one.
func obeyed(word string) bool { return strings.HasPrefix(word, "::") || strings.HasPrefix(word, "##") }

// longestCaret is how many columns are marked at most: of what is longer, as a whole command, the beginning alone is.
const longestCaret = 40

// crop cuts an excerpt to so many columns around the stretch that its caret marks, and returns the line and the caret.
func crop(e source.Excerpt, most int, cut string) (line, caret string) {
	text := []rune(e.Text)
	start := min(e.Column, len(text))
	end := min(start+e.Width, len(text))
	first, last, before, after := 0, len(text), "", ""
	if columns(e.Text) > most {
		// A third of the line is for what stands before the stretch.
		first = keepColumns(text[:start], most/3, true)
		last = first + keepColumns(text[first:], most-2*columns(cut), false)
		if first > 0 {
			before = cut
		}
		if last < len(text) {
			after = cut
		}
	}
	end = min(end, last)
	lead := before + string(text[first:start])
	line = lead + string(text[start:last]) + after
	marked := max(1, columns(string(text[start:end])))
	if marked > longestCaret {
		marked = 1
	}
	return line, strings.Repeat(" ", columns(lead)) + strings.Repeat("^", marked)
}

// keepColumns tells how far the first so many columns of a text reach, or where the last ones begin.
func keepColumns(text []rune, most int, last bool) int {
	used := 0
	for i := range text {
		at := i
		if last {
			at = len(text) - 1 - i
		}
		used += runeColumns(text[at])
		switch {
		case used <= most:
		case last:
			return at + 1
		default:
			return at
		}
	}
	if last {
		return 0
	}
	return len(text)
}
