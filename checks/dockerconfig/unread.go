package dockerconfig

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

// unread hides all of a stretch that nobody understands but punctuation, the names of known keys, and hosts that
// stand where keys do. Quotes count for nothing there: one that is missing turns strings inside out.
func (h *hider) unread(from, to int) {
	text := h.source.Text[:to]
	start, end := -1, -1 // what is to be hidden
	for at := from; at < to; {
		size, visible := visibleAt(text, at, from)
		if size == 0 {
			size = wordSize(text[at:])
			if start < 0 {
				start = at
			}
			end = at + size
		} else if start >= 0 && (visible || text[at] == '\n' || quoteAt(text, at) != 0) {
			h.hide(start, end)
			start = -1
		}
		at += size
	}
	if start >= 0 {
		h.hide(start, end)
	}
}

// visibleAt returns the size of what may be shown at a place, 0 if that is nothing, and whether it is a word.
func visibleAt(text []byte, at, from int) (size int, word bool) {
	switch c := text[at]; {
	case c <= ' ', c == '{', c == '}', c == '[', c == ']', c == ',', c == ':':
		return 1, false
	case quoteAt(text, at) != 0:
		return utf8.RuneLen(quoteAt(text, at)), false
	}
	if n, _ := blankAt(text, at); n > 0 {
		return n, false
	}
	if at > from && !startsWord(text, at) {
		return 0, false
	}
	line := text[at:min(len(text), at+200)]
	if bytes.IndexByte([]byte("tfn/*#-=\\"), line[0]) >= 0 {
		if match := harmlessWord.FindSubmatchIndex(line); match != nil {
			return match[3], true
		}
	}
	if !mayBeKey(line) {
		return 0, false
	}
	match := keyWord.FindSubmatchIndex(line)
	if match == nil || LooksSecret(string(line[:match[3]])) {
		return 0, false
	}
	return match[3], true
}

// startsWord tells whether what stands before a place is no part of a word.
func startsWord(text []byte, at int) bool {
	c, _ := utf8.DecodeLastRune(text[:at])
	return bytes.IndexByte([]byte("{[,"), text[at-1]) >= 0 || c <= ' ' || c == 0xa0 || quoteAt([]byte(string(c)), 0) != 0
}

// harmlessWord matches JSON's literals, comment marks and what begins a YAML text or list.
var harmlessWord = regexp.MustCompile(`^(true|false|null|//|/\*|\*/|#|---?|=>?|\\)(?:[\s,}\]]|$)`)

// keyWord matches a known key, or a host with what may surround it in a key, where a colon follows that cannot be
// inside a word.
var keyWord = regexp.MustCompile(`^((?:auths?|username|user|password|passwd|email|serveraddress|identitytoken|` +
	`registrytoken|credsStore|credHelpers|credStore|HttpHeaders|currentContext|proxies|default|httpProxy|httpsProxy|` +
	`noProxy|detachKeys|psFormat|imagesFormat|plugins|aliases|features|experimental|User-Agent)|` +
	`(?:https?://)?(?:[A-Za-z0-9-]{1,40}(?:\.[A-Za-z0-9-]{1,40}){1,8}|localhost)(?::\d{1,5})?(?:/[a-z0-9._/-]{0,60})?)` +
	`["'“”‘’]?[ \t]*(?::(?:[\s"'“”‘’{\[]|$)|=)`)

// mayBeKey is a quick look at whether a colon follows the word.
func mayBeKey(line []byte) bool {
	rest := line[wordSize(line):]
	if len(rest) > 0 && quoteAt(rest, 0) != 0 {
		rest = rest[utf8.RuneLen(quoteAt(rest, 0)):]
	}
	rest = bytes.TrimLeft(rest, " \t")
	return len(rest) > 0 && (rest[0] == ':' || rest[0] == '=') || bytes.IndexByte(line[:wordSize(line)], '=') > 0
}

// wordSize is the size of a word that is hidden.
func wordSize(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c <= ' ', c == '{', c == '}', c == '[', c == ']', c == ',', c == ':':
			return i
		case c >= utf8.RuneSelf || c == '"' || c == '\'' || c == '`':
			if quoteAt(text, i) != 0 {
				return i
			}
		}
	}
	return len(text)
}
