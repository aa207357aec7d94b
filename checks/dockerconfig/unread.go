package dockerconfig

import (
	"bytes"
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
	if n := harmlessSize(line); n > 0 {
		return n, true
	}
	size = keySize(line)
	if size == 0 || LooksSecret(string(line[:size])) {
		return 0, false
	}
	return size, true
}

// startsWord tells whether what stands before a place is no part of a word.
func startsWord(text []byte, at int) bool {
	c, _ := utf8.DecodeLastRune(text[:at])
	return bytes.IndexByte([]byte("{[,"), text[at-1]) >= 0 || c <= ' ' || c == 0xa0 || quoteAt([]byte(string(c)),
		0) != 0
}

// harmlessSize is the size of a word that says nothing: JSON's literals, comment marks and what begins a YAML text or
// list.
func harmlessSize(line []byte) int {
	for _, word := range [...]string{"true", "false", "null", "//", "/*", "*/", "#", "---", "-", "=>", "=", `\`} {
		if n := len(word); len(line) >= n && string(line[:n]) == word &&
			(len(line) == n || line[n] <= ' ' || line[n] == ',' || line[n] == '}' || line[n] == ']') {
			return n
		}
	}
	return 0
}

// keySize is the size of a known key or a host that stands at the beginning of a line's rest, with a colon (or =)
// behind it that cannot be inside a word; else 0.
func keySize(line []byte) int {
	word, _, _ := bytes.Cut(line[:wordSize(line)], []byte("="))
	size := len(word)
	if !knownKey(string(word)) {
		size = hostSize(line)
	}
	rest := line[size:]
	if len(rest) > 0 && quoteAt(rest, 0) != 0 {
		rest = rest[utf8.RuneLen(quoteAt(rest, 0)):]
	}
	rest = bytes.TrimLeft(rest, " \t")
	switch {
	case len(rest) > 0 && rest[0] == '=':
		return size
	case len(rest) == 0 || rest[0] != ':':
		return 0
	case len(rest) == 1 || rest[1] <= ' ' || rest[1] == '{' || rest[1] == '[' || quoteAt(rest, 1) != 0:
		return size
	}
	return 0
}

func knownKey(word string) bool {
	switch word {
	case "auth", "auths", "username", "user", "password", "passwd", "email", "serveraddress", "identitytoken",
		"registrytoken", "credsStore", "credHelpers", "credStore", "HttpHeaders", "currentContext", "proxies",
		"default",
		"httpProxy", "httpsProxy", "noProxy", "detachKeys", "psFormat", "imagesFormat", "plugins", "aliases",
		"features",
		"experimental", "User-Agent":
		return true
	}
	return false
}

// hostSize is the size of a host, with the scheme, port and path that it may have in a key; 0 if there is none.
func hostSize(line []byte) int {
	at := 0
	for _, scheme := range []string{"http://", "https://"} {
		if bytes.HasPrefix(line, []byte(scheme)) {
			at = len(scheme)
		}
	}
	labels, label := 0, 0
	for start := at; ; at++ {
		c := byte(0)
		if at < len(line) {
			c = line[at]
		}
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-':
			label++
			continue
		case label == 0 || label > 40:
			return 0
		}
		labels, label = labels+1, 0
		if c == '.' {
			continue
		}
		if labels < 2 && string(line[start:at]) != "localhost" {
			return 0
		}
		return at + portSize(line[at:])
	}
}

// portSize is the size of the port and the path behind a host.
func portSize(rest []byte) int {
	at := 0
	if len(rest) > 0 && rest[0] == ':' {
		if n := digits(rest[1:]); n > 0 {
			at = 1 + n
		}
	}
	if at < len(rest) && rest[at] == '/' {
		for at < len(rest) && (rest[at] >= 'a' && rest[at] <= 'z' || rest[at] >= '-' && rest[at] <= '9' ||
			rest[at] == '_') {
			at++
		}
	}
	return at
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
