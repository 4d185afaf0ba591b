package pairs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The first byte of an encoded value. endTag ends an array or an object and sorts before every element, so that a prefix comes first.
const (
	endTag byte = iota
	nullTag
	falseTag
	trueTag
	numberTag
	stringTag
	arrayTag
	objectTag
)

// maxDepth is how deep arrays and objects may nest in a key.
const maxDepth = 500

// AppendKey appends the order-preserving encoding of a key, which is a JSON value. Equal values have equal encodings: numbers
// are compared by value, objects whatever the order of their members.
func AppendKey(dst, json []byte) ([]byte, error) {
	p := keyParser{in: json}
	dst, err := p.value(dst, 0)
	if err == nil {
		p.space()
		if p.at < len(p.in) {
			err = errors.New("something follows the value")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key %.80q is not JSON: byte %d: %w", json, p.at, err)
	}
	return dst, nil
}

type keyParser struct {
	in []byte
	at int
}

func (p *keyParser) space() {
	for p.at < len(p.in) && (p.in[p.at] == ' ' || p.in[p.at] == '\t' || p.in[p.at] == '\n' || p.in[p.at] == '\r') {
		p.at++
	}
}

// next skips space and returns the next byte, 0 at the end.
func (p *keyParser) next() byte {
	p.space()
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *keyParser) value(dst []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	switch c := p.next(); {
	case c == '"':
		s, err := p.str()
		return appendString(dst, s), err
	case c == '[':
		return p.array(dst, depth)
	case c == '{':
		return p.object(dst, depth)
	case c == '-' || c >= '0' && c <= '9':
		return p.number(dst)
	}
	for _, w := range []struct {
		word string
		tag  byte
	}{{"null", nullTag}, {"false", falseTag}, {"true", trueTag}} {
		if bytes.HasPrefix(p.in[p.at:], []byte(w.word)) {
			p.at += len(w.word)
			return append(dst, w.tag), nil
		}
	}
	if p.at == len(p.in) {
		return nil, errors.New("it ends too early")
	}
	return nil, fmt.Errorf("unexpected %q", p.in[p.at])
}

func (p *keyParser) array(dst []byte, depth int) ([]byte, error) {
	p.at++
	dst = append(dst, arrayTag)
	if p.next() == ']' {
		p.at++
		return append(dst, endTag), nil
	}
	for {
		var err error
		if dst, err = p.value(dst, depth+1); err != nil {
			return nil, err
		}
		switch p.next() {
		case ',':
			p.at++
		case ']':
			p.at++
			return append(dst, endTag), nil
		default:
			return nil, errors.New("expected , or ] in an array")
		}
	}
}

// object encodes the members sorted by name; of members of one name the last counts.
func (p *keyParser) object(dst []byte, depth int) ([]byte, error) {
	p.at++
	type member struct{ name, value []byte }
	var members []member
	for more := p.next() != '}'; more; {
		if p.next() != '"' {
			return nil, errors.New("expected the name of a member")
		}
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		if p.next() != ':' {
			return nil, errors.New("expected : after the name of a member")
		}
		p.at++
		m := member{name: appendString(nil, name)}
		if m.value, err = p.value(nil, depth+1); err != nil {
			return nil, err
		}
		members = append(members, m)
		switch p.next() {
		case ',':
			p.at++
		case '}':
			more = false
		default:
			return nil, errors.New("expected , or } in an object")
		}
	}
	p.at++
	slices.SortStableFunc(members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	dst = append(dst, objectTag)
	for i, m := range members {
		if i+1 < len(members) && bytes.Equal(m.name, members[i+1].name) {
			continue
		}
		dst = append(append(dst, m.name...), m.value...)
	}
	return append(dst, endTag), nil
}

// str reads a string and returns its bytes. Bytes that are not UTF-8 are kept; half of a surrogate pair becomes the three
// bytes that UTF-8 would give it if it were a character.
func (p *keyParser) str() ([]byte, error) {
	p.at++
	start := p.at
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			return p.in[start : p.at-1], nil
		case c == '\\':
			return p.escaped(slices.Clone(p.in[start:p.at]))
		case c < ' ':
			return nil, errors.New("control character in a string")
		}
		p.at++
	}
	return nil, errors.New("string without end")
}

func (p *keyParser) escaped(s []byte) ([]byte, error) {
	for p.at < len(p.in) {
		c := p.in[p.at]
		p.at++
		switch {
		case c == '"':
			return s, nil
		case c < ' ':
			return nil, errors.New("control character in a string")
		case c != '\\':
			s = append(s, c)
			continue
		}
		if p.at == len(p.in) {
			break
		}
		c = p.in[p.at]
		p.at++
		if c == 'u' {
			r, ok := p.hex()
			if !ok {
				return nil, errors.New(`\u needs four hexadecimal digits`)
			}
			if r >= 0xd800 && r < 0xdc00 && p.at+1 < len(p.in) && p.in[p.at] == '\\' && p.in[p.at+1] == 'u' {
				back := p.at
				p.at += 2
				if low, ok := p.hex(); ok && low >= 0xdc00 && low < 0xe000 {
					r = utf16.DecodeRune(r, low)
				} else {
					p.at = back
				}
			}
			s = appendRune(s, r)
			continue
		}
		i := bytes.IndexByte([]byte(`"\/bfnrt`), c)
		if i < 0 {
			return nil, fmt.Errorf(`unknown escape \%c`, c)
		}
		s = append(s, "\"\\/\b\f\n\r\t"[i])
	}
	return nil, errors.New("string without end")
}

func (p *keyParser) hex() (rune, bool) {
	if p.at+4 > len(p.in) {
		return 0, false
	}
	var r rune
	for _, c := range p.in[p.at : p.at+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.at += 4
	return r, true
}

func appendRune(s []byte, r rune) []byte {
	if r >= 0xd800 && r < 0xe000 {
		return append(s, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(s, r)
}

// appendString ends a string by a 0 and writes a 0 inside as 0 255, which keeps the order: what follows the end is a tag.
func appendString(dst, s []byte) []byte {
	dst = append(dst, stringTag)
	for {
		i := bytes.IndexByte(s, 0)
		if i < 0 {
			return append(append(dst, s...), 0)
		}
		dst = append(append(dst, s[:i]...), 0, 0xff)
		s = s[i+1:]
	}
}

// Signs of an encoded number.
const (
	negative byte = 1 + iota
	zero
	positive
)

// number encodes 0.DIGITS × 10^exponent: the sign, the exponent, the digits two to a byte, a 0. For negative numbers all but
// the sign is inverted.
func (p *keyParser) number(dst []byte) ([]byte, error) {
	minus := p.in[p.at] == '-'
	if minus {
		p.at++
	}
	whole := p.digits()
	var fraction []byte
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		return nil, errors.New("not a number")
	}
	if p.at < len(p.in) && p.in[p.at] == '.' {
		p.at++
		if fraction = p.digits(); len(fraction) == 0 {
			return nil, errors.New("a number needs digits after its point")
		}
	}
	exponent := int64(0)
	if p.at < len(p.in) && p.in[p.at]|0x20 == 'e' {
		p.at++
		start := p.at
		if p.at < len(p.in) && (p.in[p.at] == '-' || p.in[p.at] == '+') {
			p.at++
		}
		if len(p.digits()) == 0 {
			return nil, errors.New("a number needs digits in its exponent")
		}
		var err error
		if exponent, err = strconv.ParseInt(string(p.in[start:p.at]), 10, 62); err != nil {
			return nil, errors.New("the exponent is too large")
		}
	}
	digits := append(slices.Clone(whole), fraction...)
	exponent += int64(len(whole))
	significant := bytes.TrimLeft(digits, "0")
	exponent -= int64(len(digits) - len(significant))
	significant = bytes.TrimRight(significant, "0")
	if len(significant) == 0 {
		return append(dst, numberTag, zero), nil
	}
	dst = append(dst, numberTag, positive)
	start := len(dst)
	dst = appendExponent(dst, exponent)
	for i := 0; i < len(significant); i += 2 {
		d := (significant[i] - '0') * 10
		if i+1 < len(significant) {
			d += significant[i+1] - '0'
		}
		dst = append(dst, d+1)
	}
	dst = append(dst, 0)
	if minus {
		dst[start-1] = negative
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst, nil
}

func (p *keyParser) digits() []byte {
	start := p.at
	for p.at < len(p.in) && p.in[p.at] >= '0' && p.in[p.at] <= '9' {
		p.at++
	}
	return p.in[start:p.at]
}

// appendExponent writes a signed integer: a byte that tells sign and length, then its bytes, most significant first.
func appendExponent(dst []byte, e int64) []byte {
	var b [8]byte
	magnitude := uint64(e)
	if e < 0 {
		magnitude = uint64(-e)
	}
	binary.BigEndian.PutUint64(b[:], magnitude)
	significant := bytes.TrimLeft(b[:], "\x00")
	if e >= 0 {
		return append(append(dst, 0x80+byte(len(significant))), significant...)
	}
	dst = append(dst, 0x80-byte(len(significant)))
	for _, c := range significant {
		dst = append(dst, ^c)
	}
	return dst
}
