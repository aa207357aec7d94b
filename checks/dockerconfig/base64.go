package dockerconfig

import (
	"fmt"
	"unicode/utf8"
)

// decodeBase64 decodes as java.util.Base64's basic decoder does: nothing but the alphabet, padding that may be left
// out but must be right if it is there, and bits left over that nobody looks at. The failures have Java's words.
//
// Java sees the text as ISO 8859-1, with a ? for each character beyond it, and prints a byte as a signed number.
func decodeBase64(text []byte) ([]byte, base64Failure) {
	if utf8.RuneCount(text[:min(len(text), 5)]) == 1 {
		return nil, base64Failure{"Input byte[] should at least have 2 bytes for base64 bytes", 1, true}
	}
	out := make([]byte, 0, len(text)/4*3+3)
	bits, have := 0, 0
	at := 0
	for ; at < len(text); at++ {
		c := text[at]
		if c == '=' {
			break
		}
		value := base64Value(c)
		if value < 0 {
			return nil, base64Failure{"Illegal base64 character " + javaByte(text[at:]), at, false}
		}
		bits, have = bits<<6|value, have+1
		if have == 4 {
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
			bits, have = 0, 0
		}
	}
	at, failure := endOfBase64(text, at, have)
	if failure.text != "" {
		return nil, failure
	}
	switch have {
	case 2:
		out = append(out, byte(bits>>4))
	case 3:
		out = append(out, byte(bits>>10), byte(bits>>2))
	}
	if at < len(text) {
		return nil, base64Failure{fmt.Sprintf("Input byte array has incorrect ending byte at %d",
			utf8.RuneCount(text[:at])), at, true}
	}
	return out, base64Failure{}
}

// endOfBase64 reads the padding behind the last unit, of which have characters were there.
func endOfBase64(text []byte, at, have int) (int, base64Failure) {
	if at < len(text) { // at the first =
		second := at + 1
		switch {
		case have == 0, have == 2 && (second == len(text) || text[second] != '='):
			return at, base64Failure{"Input byte array has wrong 4-byte ending unit", at, true}
		case have == 2:
			at = second
		}
		at++
	}
	if have == 1 {
		return at, base64Failure{"Last unit does not have enough valid bits", min(at, len(text)), true}
	}
	return at, base64Failure{}
}

func base64Value(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// javaByte prints the character as Java prints the byte that it makes of it.
func javaByte(text []byte) string {
	c, _ := utf8.DecodeRune(text)
	if c > 0xff {
		c = '?'
	}
	return fmt.Sprintf("%x", int8(c))
}
