package pymarshal

import "unicode/utf16"

// simple is what stands behind a backslash and what it means.
var simple = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads an escape, which begins with a backslash, and how many bytes it has; 0 for what is none, or half of a surrogate pair.
func escape(in []byte) (r rune, n int) {
	if len(in) < 2 {
		return 0, 0
	}
	if in[1] != 'u' {
		r, ok := simple[in[1]]
		if !ok {
			return 0, 0
		}
		return r, 2
	}
	r, ok := unit(in)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := unit(in[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == '\ufffd' {
		return 0, 0
	}
	return r, 12
}

// unit reads the escape \uXXXX.
func unit(in []byte) (r rune, ok bool) {
	if len(in) < 6 || in[0] != '\\' || in[1] != 'u' {
		return 0, false
	}
	for _, c := range in[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
