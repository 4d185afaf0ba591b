package operation

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// maxExponent bounds the exponents of numbers, because an exact sum holds all digits between the largest and the smallest.
const maxExponent = 5000

// sum is an exact sum of decimal numbers.
type sum struct {
	small int64    // whole numbers, as long as they fit
	big   *big.Int // the rest, times ten to the power of scale
	scale int      // at most 0
}

// add adds a JSON number.
func (s *sum) add(number string) error {
	if n, ok := whole(number); ok {
		if t := s.small + n; (t > s.small) == (n > 0) {
			s.small = t
			return nil
		}
	}
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(number[i+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return fmt.Errorf("the number %.40s is too large or too small to be summed exactly", number)
		}
		mantissa = number[:i]
	}
	digits, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= len(fraction)
	n, ok := new(big.Int).SetString(digits+fraction, 10)
	if !ok || exponent < -2*maxExponent {
		return fmt.Errorf("%.40q is not a number", number)
	}
	s.addScaled(n, exponent)
	return nil
}

// whole reads a whole number of at most 18 digits.
func whole(number string) (int64, bool) {
	if len(number) > 18 || strings.ContainsAny(number, ".eE") {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n, err == nil
}

// addScaled adds n times ten to the power of exponent.
func (s *sum) addScaled(n *big.Int, exponent int) {
	if s.big == nil {
		s.big = new(big.Int)
	}
	switch {
	case exponent > s.scale:
		n.Mul(n, power(exponent-s.scale))
	case exponent < s.scale:
		s.big.Mul(s.big, power(s.scale-exponent))
		s.scale = exponent
	}
	s.big.Add(s.big, n)
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// append appends the sum as a JSON number without an exponent.
func (s *sum) append(dst []byte) []byte {
	if s.big == nil {
		return strconv.AppendInt(dst, s.small, 10)
	}
	total := new(big.Int).Mul(big.NewInt(s.small), power(-s.scale))
	text := total.Add(total, s.big).String()
	if text[0] == '-' {
		dst, text = append(dst, '-'), text[1:]
	}
	if missing := 1 - s.scale - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	point := len(text) + s.scale
	dst = append(dst, text[:point]...)
	if fraction := strings.TrimRight(text[point:], "0"); fraction != "" {
		dst = append(append(dst, '.'), fraction...)
	}
	return dst
}

// size is about how many bytes the sum takes.
func (s *sum) size() int {
	if s.big == nil {
		return 24
	}
	return 64 + len(s.big.Bits())*8
}
