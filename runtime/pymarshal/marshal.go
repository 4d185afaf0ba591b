package pymarshal

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// The types of marshal. They are the same in all versions of Python 3 from 3.4 on.
const (
	typeNone       = 'N'
	typeTrue       = 'T'
	typeFalse      = 'F'
	typeInt        = 'i' // 32 bits
	typeLong       = 'l' // digits of 15 bits
	typeFloat      = 'g' // 64 bits
	typeShortASCII = 'z' // length of 8 bits
	typeASCII      = 'a' // length of 32 bits, as all others
	typeUnicode    = 'u'
	typeList       = '['
	typeDict       = '{'
	typeNull       = '0' // the end of a dict
)

const (
	// deepest is how deep values may be nested. Python's json takes about a thousand levels; how many is up to its stack.
	deepest = 200
	// mostDigits is how many digits a whole number may have, so that it fits 64 bits.
	mostDigits = 18
	// growth is how many bytes a byte of JSON becomes at most: the [ of a list is a type and a length.
	growth = 5
)

// Append appends to dst the object that Python's json.loads makes of a JSON text. ok is false, and dst as it was, where that is not
// for sure: the text is not JSON, not UTF-8, nested deep, or has whole numbers beyond 64 bits or half of a surrogate pair. Then Python must read
// the text itself, and says what is wrong with it if anything is.
func Append(dst, text []byte) (out []byte, ok bool) {
	dst = slices.Grow(dst, growth*len(text)+16)
	w := writer{in: text, out: dst[:cap(dst)], to: len(dst)}
	if !w.value(0) {
		return dst, false
	}
	w.space()
	if w.at != len(text) {
		return dst, false
	}
	return w.out[:w.to], true
}

// writer reads in from at on and writes to out from to on, where there is room for all that can come of in.
type writer struct {
	in, out []byte
	at, to  int
}

func (w *writer) space() {
	for w.at < len(w.in) && (w.in[w.at] == ' ' || w.in[w.at] == '\t' || w.in[w.at] == '\n' || w.in[w.at] == '\r') {
		w.at++
	}
}

// next is the next byte that is no space, 0 at the end.
func (w *writer) next() byte {
	if w.at < len(w.in) && w.in[w.at] > ' ' {
		return w.in[w.at]
	}
	w.space()
	if w.at < len(w.in) {
		return w.in[w.at]
	}
	return 0
}

func (w *writer) value(depth int) bool {
	switch c := w.next(); c {
	case '"':
		return w.text()
	case '[':
		return depth < deepest && w.list(depth+1)
	case '{':
		return depth < deepest && w.dict(depth+1)
	case 't':
		return w.word("true", typeTrue)
	case 'f':
		return w.word("false", typeFalse)
	case 'n':
		return w.word("null", typeNone)
	default:
		return w.number()
	}
}

func (w *writer) word(word string, kind byte) bool {
	if len(w.in)-w.at < len(word) || string(w.in[w.at:w.at+len(word)]) != word {
		return false
	}
	w.at += len(word)
	w.out[w.to] = kind
	w.to++
	return true
}

// head writes a type and a length.
func (w *writer) head(kind byte, n int) {
	w.out[w.to] = kind
	binary.LittleEndian.PutUint32(w.out[w.to+1:], uint32(n))
	w.to += 5
}

// ints writes as many elements as are whole numbers of a few digits, each with the comma behind it at once: what lists hold mostly. It
// leaves all else, the last element as well, to value.
func (w *writer) ints() (n int) {
	in, out, at, to := w.in, w.out, w.at, w.to
	for {
		i, sign := at, uint32(0)
		if i < len(in) && in[i] == '-' {
			i, sign = i+1, ^uint32(0)
		}
		if i+1 >= len(in) {
			break
		}
		v := uint32(in[i] - '0')
		if v > 9 {
			break
		}
		i++
		if v > 0 {
			for end := min(i+8, len(in)-1); i < end; i++ {
				d := uint32(in[i] - '0')
				if d > 9 {
					break
				}
				v = v*10 + d
			}
		}
		if in[i] != ',' {
			break
		}
		binary.LittleEndian.PutUint64(out[to:], typeInt|uint64((v^sign)-sign)<<8) // and three bytes more, which are written over
		to += 5
		at = i + 1
		n++
	}
	w.at, w.to = at, to
	return n
}

func (w *writer) list(depth int) bool {
	w.at++ // [
	head, n := w.to, 0
	w.to += 5
	if w.next() != ']' {
		for {
			n += w.ints()
			if !w.value(depth) {
				return false
			}
			n++
			if c := w.next(); c == ',' {
				w.at++
				continue
			} else if c != ']' {
				return false
			}
			break
		}
	}
	w.at++
	to := w.to
	w.to = head
	w.head(typeList, n)
	w.to = to
	return true
}

// dict keeps keys that come twice: the last one counts in Python as well.
func (w *writer) dict(depth int) bool {
	w.at++ // {
	w.out[w.to] = typeDict
	w.to++
	if w.next() != '}' {
		for {
			if w.next() != '"' || !w.text() || w.next() != ':' {
				return false
			}
			w.at++
			if !w.value(depth) {
				return false
			}
			if c := w.next(); c == ',' {
				w.at++
				continue
			} else if c != '}' {
				return false
			}
			break
		}
	}
	w.at++
	w.out[w.to] = typeNull
	w.to++
	return true
}

// number writes a number. Its common form, a few digits, is read as it is checked.
func (w *writer) number() bool {
	in, at := w.in, w.at
	begin, negative := at, false
	if at < len(in) && in[at] == '-' {
		negative = true
		at++
	}
	first := at
	n := uint64(0)
	for at < len(in) && in[at]-'0' <= 9 {
		n = n*10 + uint64(in[at]-'0')
		at++
	}
	digits := at - first
	if digits == 0 || digits > 1 && in[first] == '0' {
		return false
	}
	if at < len(in) && (in[at] == '.' || in[at] == 'e' || in[at] == 'E') {
		return w.float(begin, at)
	}
	if digits > mostDigits {
		return false
	}
	w.at = at
	w.whole(n, negative)
	return true
}

func (w *writer) whole(n uint64, negative bool) {
	if n <= math.MaxInt32 {
		v := int32(n)
		if negative {
			v = -v
		}
		w.head(typeInt, int(v))
		return
	}
	head, digits := w.to, 0
	w.to += 5
	for ; n > 0; n >>= 15 {
		binary.LittleEndian.PutUint16(w.out[w.to:], uint16(n&(1<<15-1)))
		w.to += 2
		digits++
	}
	if negative {
		digits = -digits
	}
	to := w.to
	w.to = head
	w.head(typeLong, digits)
	w.to = to
}

// float writes the number that stands at begin and whose whole part ends at at.
func (w *writer) float(begin, at int) bool {
	digits := func() bool {
		from := at
		for at < len(w.in) && w.in[at]-'0' <= 9 {
			at++
		}
		return at > from
	}
	if w.in[at] == '.' {
		if at++; !digits() {
			return false
		}
	}
	if at < len(w.in) && (w.in[at] == 'e' || w.in[at] == 'E') {
		if at++; at < len(w.in) && (w.in[at] == '+' || w.in[at] == '-') {
			at++
		}
		if !digits() {
			return false
		}
	}
	// Beyond the largest float the value is an infinity, in Python as well.
	v, _ := strconv.ParseFloat(unsafe.String(&w.in[begin], at-begin), 64)
	w.out[w.to] = typeFloat
	binary.LittleEndian.PutUint64(w.out[w.to+1:], math.Float64bits(v))
	w.to += 9
	w.at = at
	return true
}

// plain are the bytes that stand for themselves in a text.
var plain = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

func (w *writer) text() bool {
	w.at++ // "
	from, in := w.at, w.in
	at := from
	for at < len(in) && plain[in[at]] {
		at++
	}
	if at == len(in) {
		return false
	}
	if in[at] != '"' {
		return w.long(from)
	}
	w.at = at + 1
	if n := at - from; n < 256 {
		w.out[w.to], w.out[w.to+1] = typeShortASCII, byte(n)
		w.to += 2
	} else {
		w.head(typeASCII, n)
	}
	w.to += copy(w.out[w.to:], in[from:at])
	return true
}

// long writes a text with escapes or with more than ASCII.
func (w *writer) long(at int) bool {
	head := w.to
	w.to += 5
	in := w.in
	for at < len(in) {
		c := in[at]
		switch {
		case plain[c]:
			w.out[w.to] = c
			w.to++
			at++
		case c == '"':
			w.at = at + 1
			to := w.to
			w.to = head
			w.head(typeUnicode, to-head-5)
			w.to = to
			return true
		case c == '\\':
			r, n := escape(in[at:])
			if n == 0 {
				return false
			}
			w.to += utf8.EncodeRune(w.out[w.to:], r)
			at += n
		case c < ' ':
			return false
		default:
			r, n := utf8.DecodeRune(in[at:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			w.to += copy(w.out[w.to:], in[at:at+n])
			at += n
		}
	}
	return false
}
