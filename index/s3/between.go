package s3

import "unicode/utf8"

// between finds a text that is greater than low and less than high, to split what lies between them. It differs from low first in
// the rune that holds byte from, or one further behind: a smaller from is a bolder guess. An empty high is above all texts.
//
// It goes up to the middle of what is left of the class of characters there (digits, capitals, small letters), because keys
// use few characters at one place. It is false when low is spelled to its end without room.
func between(low, high string, from int) (string, bool) {
	for at := 0; at < len(low); {
		r, size := utf8.DecodeRuneInString(low[at:])
		if r == utf8.RuneError && size == 1 {
			return "", false // no UTF-8
		}
		if at+size <= from || r == utf8.MaxRune {
			at += size
			continue
		}
		top := classEnd(r)
		if len(high) > at && high[:at] == low[:at] {
			if h, _ := utf8.DecodeRuneInString(high[at:]); h < top {
				top = h // high is behind it, or it itself when the rest of high is not empty
			}
		}
		if middle := middleRune(r, top); middle > r {
			if split := low[:at] + string(middle); high == "" || split < high {
				return split, true
			}
		}
		at += size
	}
	return "", false
}

// classEnd is the first rune behind the class of r.
func classEnd(r rune) rune {
	for _, last := range []rune{'9', 'Z', 'z', '~', 0x7ff, 0xd7ff, 0xffff} {
		if r < last {
			return last + 1
		}
	}
	return utf8.MaxRune
}

// middleRune is a rune between low and top, both exclusive, or low when there is none.
func middleRune(low, top rune) rune {
	middle := low + (top-low+1)/2
	if middle >= top {
		middle = top - 1
	}
	if 0xd800 <= middle && middle <= 0xdfff { // no characters
		middle = 0xd7ff
	}
	return max(middle, low)
}
