package dockerconfig

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is how a text was encoded.
type Encoding string

// The encodings that the runner's reader (Jackson) detects. Docker's CLI reads UTF8 alone.
const (
	UTF8    Encoding = "UTF-8"
	UTF8BOM Encoding = "UTF-8 with a byte order mark"
	UTF16LE Encoding = "UTF-16LE"
	UTF16BE Encoding = "UTF-16BE"
	UTF32LE Encoding = "UTF-32LE"
	UTF32BE Encoding = "UTF-32BE"
)

// decodeText makes UTF-8 of a text. Without a byte order mark, the zeros among the first four bytes tell, as they
// do for Jackson: JSON begins with two ASCII characters.
func decodeText(data []byte) ([]byte, Encoding) {
	encoding, mark := detect(data)
	data = data[mark:]
	switch encoding {
	case UTF16LE:
		return fromUTF16(data, binary.LittleEndian), encoding
	case UTF16BE:
		return fromUTF16(data, binary.BigEndian), encoding
	case UTF32LE:
		return fromUTF32(data, binary.LittleEndian), encoding
	case UTF32BE:
		return fromUTF32(data, binary.BigEndian), encoding
	}
	return data, encoding
}

// detect returns the encoding and the length of the byte order mark.
func detect(data []byte) (Encoding, int) {
	var b [4]byte
	n := copy(b[:], data)
	switch {
	case n == 4 && b == [4]byte{0, 0, 0xfe, 0xff}:
		return UTF32BE, 4
	case n == 4 && b == [4]byte{0xff, 0xfe, 0, 0}:
		return UTF32LE, 4
	case n >= 2 && b[0] == 0xfe && b[1] == 0xff:
		return UTF16BE, 2
	case n >= 2 && b[0] == 0xff && b[1] == 0xfe:
		return UTF16LE, 2
	case n >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf:
		return UTF8BOM, 3
	case n == 4 && b[0]|b[1]|b[2] == 0 && b[3] != 0:
		return UTF32BE, 0
	case n == 4 && b[1]|b[2]|b[3] == 0 && b[0] != 0:
		return UTF32LE, 0
	case n >= 2 && b[0] == 0 && b[1] != 0:
		return UTF16BE, 0
	case n >= 2 && b[1] == 0 && b[0] != 0:
		return UTF16LE, 0
	}
	return UTF8, 0
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	text := make([]byte, 0, len(data)/2+len(data)/8)
	for ; len(data) >= 2; data = data[2:] {
		r := rune(order.Uint16(data))
		if utf16.IsSurrogate(r) && len(data) >= 4 {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(data[2:]))); pair != utf8.RuneError {
				r, data = pair, data[2:]
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return text
}

func fromUTF32(data []byte, order binary.ByteOrder) []byte {
	text := make([]byte, 0, len(data)/4+len(data)/16)
	for ; len(data) >= 4; data = data[4:] {
		text = utf8.AppendRune(text, rune(order.Uint32(data)))
	}
	return text
}
