package pairs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
)

var errKey = errors.New("pairs: not an encoded key")

// AppendJSON appends the JSON text of an encoded key. It is the same for all ways in which the key can be written: whole
// numbers without a point, members of objects by name, only the escapes that must be.
func AppendJSON(dst, key []byte) ([]byte, error) {
	dst, rest, err := appendJSON(dst, key, 0)
	if err == nil && len(rest) > 0 {
		err = errKey
	}
	return dst, err
}

func appendJSON(dst, key []byte, depth int) (out, rest []byte, err error) {
	if len(key) == 0 || depth > maxDepth {
		return nil, nil, errKey
	}
	tag, key := key[0], key[1:]
	switch tag {
	case nullTag:
		return append(dst, "null"...), key, nil
	case falseTag:
		return append(dst, "false"...), key, nil
	case trueTag:
		return append(dst, "true"...), key, nil
	case numberTag:
		return appendNumber(dst, key)
	case stringTag:
		s, rest, err := cutString(key)
		return appendQuoted(dst, s), rest, err
	case arrayTag, objectTag:
		return appendMembers(dst, key, tag == objectTag, depth)
	}
	return nil, nil, errKey
}

func appendMembers(dst, key []byte, object bool, depth int) (out, rest []byte, err error) {
	brackets := "[]"
	if object {
		brackets = "{}"
	}
	dst = append(dst, brackets[0])
	for i := 0; ; i++ {
		if len(key) == 0 {
			return nil, nil, errKey
		}
		if key[0] == endTag {
			return append(dst, brackets[1]), key[1:], nil
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		if object {
			if key[0] != stringTag {
				return nil, nil, errKey
			}
			if dst, key, err = appendJSON(dst, key, depth+1); err != nil {
				return nil, nil, err
			}
			dst = append(dst, ':')
		}
		if dst, key, err = appendJSON(dst, key, depth+1); err != nil {
			return nil, nil, err
		}
	}
}

// cutString returns the bytes of an encoded string whose tag is gone, and what follows it.
func cutString(key []byte) (s, rest []byte, err error) {
	from := 0
	escaped := false
	for {
		i := bytes.IndexByte(key[from:], 0)
		if i < 0 {
			return nil, nil, errKey
		}
		from += i + 1
		if from == len(key) || key[from] != 0xff {
			break
		}
		escaped = true
		from++
	}
	s, rest = key[:from-1], key[from:]
	if escaped {
		s = bytes.ReplaceAll(s, []byte{0, 0xff}, []byte{0})
	}
	return s, rest, nil
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes a JSON string with only the escapes that must be. Half of a surrogate pair is escaped again.
func appendQuoted(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0xed {
			continue
		}
		width := 1
		var escape []byte
		switch j := bytes.IndexByte([]byte("\"\\\b\f\n\r\t"), c); {
		case j >= 0:
			escape = []byte{'\\', `"\bfnrt`[j]}
		case c == 0xed:
			if i+2 >= len(s) || s[i+1] < 0xa0 || s[i+1] > 0xbf || s[i+2]&0xc0 != 0x80 {
				continue
			}
			width = 3
			escape = []byte{'\\', 'u', 'd', hexDigits[(s[i+1]>>2)&0xf], hexDigits[(s[i+1]&3)<<2|(s[i+2]>>4)&3], hexDigits[s[i+2]&0xf]}
		default:
			escape = []byte{'\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf]}
		}
		dst = append(append(dst, s[start:i]...), escape...)
		i += width - 1
		start = i + 1
	}
	return append(append(dst, s[start:]...), '"')
}

// plainDigits is the longest number that is written without an exponent. It is above what a float can hold, so that a whole
// number, which some languages keep exactly only without exponent, stays whole.
const plainDigits = 400

func appendNumber(dst, key []byte) (out, rest []byte, err error) {
	if len(key) == 0 || key[0] < negative || key[0] > positive {
		return nil, nil, errKey
	}
	sign, key := key[0], key[1:]
	if sign == zero {
		return append(dst, '0'), key, nil
	}
	var flip byte
	if sign == negative {
		flip = 0xff
		dst = append(dst, '-')
	}
	exponent, key, err := cutExponent(key, flip)
	if err != nil {
		return nil, nil, err
	}
	var digits []byte
	for {
		if len(key) == 0 {
			return nil, nil, errKey
		}
		d := key[0] ^ flip
		key = key[1:]
		if d == 0 {
			break
		}
		if d > 100 {
			return nil, nil, errKey
		}
		digits = append(digits, '0'+(d-1)/10, '0'+(d-1)%10)
	}
	digits = bytes.TrimRight(digits, "0")
	if len(digits) == 0 || digits[0] == '0' {
		return nil, nil, errKey
	}
	return appendDecimal(dst, digits, exponent), key, nil
}

// appendDecimal writes 0.DIGITS × 10^exponent.
func appendDecimal(dst, digits []byte, exponent int64) []byte {
	n := int64(len(digits))
	switch {
	case exponent >= n && exponent <= plainDigits:
		return append(append(dst, digits...), bytes.Repeat([]byte{'0'}, int(exponent-n))...)
	case exponent > 0 && exponent < n:
		return append(append(append(dst, digits[:exponent]...), '.'), digits[exponent:]...)
	case exponent <= 0 && exponent > -6:
		return append(append(append(dst, "0."...), bytes.Repeat([]byte{'0'}, int(-exponent))...), digits...)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'e'), exponent-1, 10)
}

func cutExponent(key []byte, flip byte) (e int64, rest []byte, err error) {
	if len(key) == 0 {
		return 0, nil, errKey
	}
	n := int(key[0]^flip) - 0x80
	minus := n < 0
	if minus {
		n, flip = -n, ^flip
	}
	if n > 8 || len(key) < 1+n {
		return 0, nil, errKey
	}
	var b [8]byte
	for i, c := range key[1 : 1+n] {
		b[8-n+i] = c ^ flip
	}
	e = int64(binary.BigEndian.Uint64(b[:]))
	if e < 0 || n > 0 && b[8-n] == 0 || minus && e == 0 {
		return 0, nil, errKey
	}
	if minus {
		e = -e
	}
	return e, key[1+n:], nil
}
