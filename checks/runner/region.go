package runner

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// region is the text of one docker run, as it was meant: to where its broken continuations lead.
type region struct {
	file       *source.File
	start, end int
	// outer is the quote within which it stands, as in bash -c '…'; 0 if none.
	outer    byte
	mistakes []Mistake
}

// maxCommand is the longest command that is read. Linux takes none over 128 KiB in one argument.
const maxCommand = 256 << 10

// commandStart matches at docker's name when a docker run begins there, with docker's own options and with line
// continuations for blanks. In group 1 is what stands before the options of run.
var commandStart = regexp.MustCompile(`^((?:(?:docker|podman|nerdctl)(?:\.exe)?` +
	`|\$\{?\w*(?i:docker|podman)\w*(?::-docker)?\}?)"?` + gap +
	`(?:-{1,2}[\w-]+(?:[= ][^\s-]\S*)?` + gap + `)*?(?:container` + gap + `)?(?:run|create))(?:[\s\\]|\x{a0}|$)`)

const gap = `(?:[ \t]|\x{a0}|\\[ \t]*\r?\n|\\[ \t]+)+`

// regions finds the docker runs of a script and mends them in code.
func regions(file *source.File, text []byte) []region {
	var found []region
	names := &finder{text: text, lower: lowered(text)}
	for at := 0; at < len(text) && len(found) < maxCalls; {
		start, length := names.command(at)
		if start < 0 {
			break
		}
		m := &mender{file: file, text: text, indent: indentation(text, start)}
		m.r = &region{file: file, start: start, outer: outerQuote(text, start)}
		m.head(start, start+length)
		m.run()
		m.r.end = m.i
		found = append(found, *m.r)
		at = max(m.i, start+1)
	}
	return found
}

// lowered is the text with its ASCII letters in lower case, byte for byte.
func lowered(text []byte) []byte {
	lower := slices.Clone(text)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	return lower
}

// finder finds the names of docker in a text from front to back.
type finder struct {
	text, lower []byte
	// next is where each name stands next, behind what was already searched.
	next [3]int
}

// name finds the next name from an offset on, with the "$" and the letters before it that make a variable of it.
func (f *finder) name(from int) int {
	best := -1
	for i, name := range []string{"docker", "podman", "nerdctl"} {
		if f.next[i] >= 0 && f.next[i] <= from {
			f.next[i] = bytes.Index(f.lower[from:], []byte(name))
			if f.next[i] >= 0 {
				f.next[i] += from
			}
		}
		if f.next[i] >= 0 && (best < 0 || f.next[i] < best) {
			best = f.next[i]
		}
	}
	return best
}

// command finds the next docker run from an offset on, and the length of its "docker … run".
func (f *finder) command(from int) (start, length int) {
	for at := from; at < len(f.text); {
		i := f.name(at)
		if i < 0 {
			return -1, 0
		}
		at = i + 1
		start := max(variableStart(f.text, i), from)
		if !beginsWord(f.text, start) {
			continue
		}
		found := commandStart.FindSubmatchIndex(f.text[start:min(len(f.text), start+1024)])
		switch {
		case found == nil:
		case commented(f.text, start):
			at = max(at, lineEnd(f.text, start))
		default:
			return start, found[3]
		}
	}
	return -1, 0
}

// variableStart is where the expansion begins within whose name the offset lies, else the offset.
func variableStart(text []byte, i int) int {
	at := i
	for at > 0 && i-at < 48 && (letter(text[at-1]) || text[at-1] == '_') {
		at--
	}
	if at > 0 && text[at-1] == '{' {
		at--
	}
	if at > 0 && text[at-1] == '$' {
		return at - 1
	}
	return i
}

// beginsWord tells whether what stands at i may be a command's name: behind a blank, a bracket, a quote, or a path.
func beginsWord(text []byte, i int) bool {
	for limit := max(i-256, 0); i > limit && text[i-1] == '/'; {
		i--
		for i > limit && strings.IndexByte(" \t\n\r;&|({\"'`$=@!", text[i-1]) < 0 && text[i-1] != '/' {
			i--
		}
	}
	return i == 0 || strings.IndexByte(" \t\n\r;&|({\"'`=@!", text[i-1]) >= 0
}

// commented tells whether the rest of the line at i is a comment.
func commented(text []byte, i int) bool {
	start := max(bytes.LastIndexByte(text[:i], '\n')+1, i-4096)
	quote := byte(0)
	for at := start; at < i; at++ {
		c := text[at]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '\\':
			at++
		case c == '\'' || c == '"':
			quote = c
		case c == '#' && (at == start || text[at-1] == ' ' || text[at-1] == '\t'):
			return true
		}
	}
	return false
}

// outerQuote is the quote that opens just before a command: at once, or before a line break.
func outerQuote(text []byte, start int) byte {
	line := bytes.LastIndexByte(text[:start], '\n') + 1
	quote := byte(0)
	for at := max(line, start-4096); at < start; at++ {
		switch c := text[at]; {
		case c == '\\' && quote != '\'':
			at++
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	within := bytes.LastIndex(text[line:start], []byte("$(")) > bytes.LastIndexByte(text[line:start], '"')
	if quote == '\'' && apostrophe(text, line, start) || quote == '"' && within {
		return 0
	}
	if quote != 0 || line == 0 || len(bytes.TrimSpace(text[line:start])) > 0 {
		return quote
	}
	before := bytes.TrimRight(text[:line-1], " \t\r\n\\")
	n := len(before)
	if n > 1 && (before[n-1] == '\'' || before[n-1] == '"') && strings.IndexByte(" \t=", before[n-2]) >= 0 {
		return before[n-1]
	}
	return 0
}

// apostrophe tells whether the last single quote of the stretch is one of prose: between two letters.
func apostrophe(text []byte, from, to int) bool {
	i := bytes.LastIndexByte(text[from:to], '\'')
	return i > 0 && letter(text[from+i-1]) && from+i+1 < to && letter(text[from+i+1])
}

func indentation(text []byte, start int) int {
	line := text[bytes.LastIndexByte(text[:start], '\n')+1 : start]
	return len(line) - len(bytes.TrimLeft(line, " \t"))
}
