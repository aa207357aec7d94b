package dockerconfig

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Recognise tells a config.json by its content, whatever is wrong with its syntax: it begins as an object, and one of
// the keys that make it one stands at the top of it, in whatever case and quotes. In a file of the usual name the
// entries may stand there too, without the "auths" around them.
func Recognise(name string, data []byte) bool {
	text := bytes.TrimLeft(singleBytes(data), " \t\r\n")
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	usual := slices.Contains([]string{"config.json", ".dockerconfigjson", ".dockercfg"}, path.Base(name))
	if !anyKey.Match(text) && !usual {
		return false
	}
	for key := range outerKeys(text) {
		switch strings.ToLower(key) {
		case "auths", "credsstore", "credhelpers", "credstore", "credentialhelpers", "credhelper":
			return true
		}
		if usual && strings.ContainsAny(key, ".:") && entry.Match(text) {
			return true
		}
	}
	return false
}

var (
	anyKey = regexp.MustCompile(`(?i)auths|creds?store|cred(?:ential)?helpers?`)
	entry  = regexp.MustCompile(`["'](?:auth|identitytoken)["']\s*:\s*["']`)
)

// singleBytes is a text without byte order marks and without the zeros of UTF-16.
func singleBytes(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return bytes.ReplaceAll(data[2:], []byte{0}, nil)
	case len(data) > 1 && (data[0] == 0 || data[1] == 0):
		return bytes.ReplaceAll(data, []byte{0}, nil)
	}
	return bytes.TrimPrefix(data, []byte("\ufeff"))
}

// outerKeys visits the words at the top of an object that a colon follows. It takes what JSON allows and what people
// write for it: other quotes or none, commas too few or too many. Each byte is looked at once.
func outerKeys(text []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		depth, key := 0, ""
		for at := 0; at < len(text); {
			word, width := nextWord(text[at:])
			switch c := text[at]; {
			case word != "":
				key = word
			case c == '{', c == '[':
				depth, key = depth+1, ""
			case c == '}', c == ']':
				depth, key = depth-1, ""
			case c == ':':
				if depth == 1 && key != "" && !yield(key) {
					return
				}
				key = ""
			case c == ',':
				key = ""
			}
			at += width
		}
	}
}

// longestKey is the longest word that is looked at.
const longestKey = 512

// nextWord is the word that a text begins with, without its quotes; "" if it begins with a sign, which is then passed
// over, or with a quote that is never closed in its line: then the line is, so that no byte is looked at again.
func nextWord(text []byte) (word string, width int) {
	for _, quotes := range [][2]string{{`"`, `"`}, {`'`, `'`}, {"“", "”"}, {"‘", "’"}} {
		rest, found := bytes.CutPrefix(text, []byte(quotes[0]))
		if !found {
			continue
		}
		end := closing(rest, quotes[1])
		if end < 0 {
			line, _, _ := bytes.Cut(text, []byte("\n"))
			return "", max(len(line), 1)
		}
		return string(rest[:min(end, longestKey)]), len(quotes[0]) + end + len(quotes[1])
	}
	end := 0
	for end < len(text) && (text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z') {
		end++
	}
	return string(text[:min(end, longestKey)]), max(end, 1)
}

// closing finds the quote that ends a string in its line.
func closing(text []byte, quote string) int {
	for at := 0; at < len(text) && text[at] != '\n'; at++ {
		switch {
		case text[at] == '\\':
			at++
		case text[at] == quote[0] && bytes.HasPrefix(text[at:], []byte(quote)):
			return at
		}
	}
	return -1
}
