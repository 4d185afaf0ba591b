package usercode

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends text as a JSON string. A byte that is no part of valid UTF-8 becomes the lone surrogate \udcXX.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRune(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, text[start:i]...)
		switch j := bytes.IndexByte([]byte("\"\\\b\f\n\r\t"), c); {
		case j >= 0:
			dst = append(dst, '\\', `"\bfnrt`[j])
		case c >= utf8.RuneSelf:
			dst = append(dst, '\\', 'u', 'd', 'c', hexDigits[c>>4], hexDigits[c&0xf])
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

// unquote is the text of a JSON string, the inverse of appendString. ok is false for other values, and for a string
// that holds half of a surrogate pair that stands for no byte.
func unquote(value []byte) (text []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return nil, false
	}
	value = value[1 : len(value)-1]
	if bytes.IndexByte(value, '\\') < 0 {
		return value, true
	}
	text = make([]byte, 0, len(value))
	for len(value) > 0 {
		if value[0] != '\\' {
			text = append(text, value[0])
			value = value[1:]
			continue
		}
		if len(value) < 2 {
			return nil, false
		}
		if value[1] != 'u' {
			j := bytes.IndexByte([]byte(`"\/bfnrt`), value[1])
			if j < 0 {
				return nil, false
			}
			text = append(text, "\"\\/\b\f\n\r\t"[j])
			value = value[2:]
			continue
		}
		r, ok := unit(value)
		if !ok {
			return nil, false
		}
		value = value[6:]
		if low, ok := unit(value); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			r, value = utf16.DecodeRune(r, low), value[6:]
		}
		switch {
		case r >= 0xdc80 && r <= 0xdcff:
			text = append(text, byte(r))
		case utf16.IsSurrogate(r):
			return nil, false
		default:
			text = utf8.AppendRune(text, r)
		}
	}
	return text, true
}

// unit reads an escape \uXXXX.
func unit(s []byte) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		d := bytes.IndexByte([]byte(hexDigits), c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// appendTextLine appends a pair as the line of text that streaming programs read: strings without their quotes, unless they
// hold a character that would break the line; an absent value is not there, nor its TAB.
func appendTextLine(dst, key, value []byte) []byte {
	if text, ok := unquote(key); ok && !bytes.ContainsAny(text, "\t\n") {
		key = text
	}
	dst = append(dst, key...)
	if len(value) > 0 {
		if text, ok := unquote(value); ok && bytes.IndexByte(text, '\n') < 0 {
			value = text
		}
		dst = append(append(dst, '\t'), value...)
	}
	return append(dst, '\n')
}

// appendTextLines appends lines of key TAB value, both JSON, as text. rest is behind the last newline.
func appendTextLines(dst, lines []byte) (text, rest []byte) {
	for {
		end := bytes.IndexByte(lines, '\n')
		if end < 0 {
			return dst, lines
		}
		key, value, _ := bytes.Cut(lines[:end], []byte{'\t'})
		dst = appendTextLine(dst, key, value)
		lines = lines[end+1:]
	}
}
