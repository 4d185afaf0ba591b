package lang

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/stdlib/funcs"
)

// maxCount bounds whole numbers: none of them is useful beyond.
const maxCount = 1_000_000_000

func (l *loader) count(b *block, name string, least int) (int, bool) {
	v, rng, ok := l.convertArg(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	var n int
	if err := gocty.FromCtyValue(v, &n); err != nil || n < least || n > maxCount {
		l.outOfRange(name, rng, wantedCount(least, v), v)
		return 0, false
	}
	return n, true
}

// wantedCount says the bound that was passed.
func wantedCount(least int, v cty.Value) string {
	if v.AsBigFloat().Cmp(big.NewFloat(maxCount)) > 0 {
		return fmt.Sprintf("a whole number from %d to %d", least, maxCount)
	}
	return fmt.Sprintf("a whole number, at least %d", least)
}

func (l *loader) outOfRange(name string, rng hcl.Range, want string, v cty.Value) {
	l.add(diag.Error("lang/out-of-range", "Value out of range",
		fmt.Sprintf("The argument %q takes %s; this is %s.", name, want, showValue(v)), rng))
}

// showValue writes a number or a text as the language does, shortened.
func showValue(v cty.Value) string {
	if v.Type() == cty.Number {
		return v.AsBigFloat().Text('g', 10)
	}
	s := []rune(v.AsString())
	if len(s) > 60 {
		s = append(s[:60], '…')
	}
	return strconv.Quote(string(s))
}

// showDuration writes a duration as the language does, in the largest unit that needs no fraction.
func showDuration(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= u.size && d%u.size == 0 {
			return fmt.Sprintf("%d%s", d/u.size, u.name)
		}
	}
	return d.String()
}

// size is a number of bytes greater than 0.
func (l *loader) size(b *block, name string) (int64, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return 0, false
	}
	var n int64
	switch v.Type() {
	case cty.Number:
		f, _ := v.AsBigFloat().Float64()
		n = int64(min(max(f, -1), 1<<62))
		if f != math.Trunc(f) {
			n = -1
		}
	case cty.String:
		var err error
		if n, err = funcs.ParseSize(v.AsString()); err != nil {
			l.add(diag.Error("lang/bad-size", "Bad size", sentence(err.Error()), rng))
			return 0, false
		}
	default:
		l.wrongType(b, name, v, rng)
		return 0, false
	}
	if n <= 0 {
		l.outOfRange(name, rng, "a whole number of bytes greater than 0, such as \"64MiB\"", v)
		return 0, false
	}
	return n, true
}

// duration is a time of at least least.
func (l *loader) duration(b *block, name string, least time.Duration) (time.Duration, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return 0, false
	}
	var d time.Duration
	switch v.Type() {
	case cty.Number:
		f, _ := v.AsBigFloat().Float64()
		f = min(max(f, -1), math.MaxInt64/2/float64(time.Second))
		d = time.Duration(f * float64(time.Second))
	case cty.String:
		var err error
		if d, err = funcs.ParseDuration(v.AsString()); err != nil {
			l.add(diag.Error("lang/bad-duration", "Bad duration", sentence(err.Error()), rng))
			return 0, false
		}
	default:
		l.wrongType(b, name, v, rng)
		return 0, false
	}
	if d < least {
		want := "a duration that is not negative"
		if least > 0 {
			want = "a duration of at least " + least.String()
		}
		l.outOfRange(name, rng, want, v)
		return 0, false
	}
	return d, true
}

// limit is a count or a percentage.
func (l *loader) limit(b *block, name string) (Limit, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return Limit{}, false
	}
	switch v.Type() {
	case cty.Number:
	case cty.String:
		if share, isShare := l.percentage(name, v, rng); isShare {
			return Limit{Share: share, IsShare: true}, share >= 0
		}
		n, err := convert.Convert(v, cty.Number)
		if err != nil {
			l.add(diag.Error("lang/bad-limit", "Bad limit",
				fmt.Sprintf("%s is no limit. Write a count such as 10, or a percentage such as \"0.1%%\".", showValue(v)), rng))
			return Limit{}, false
		}
		v = n
	default:
		l.wrongType(b, name, v, rng)
		return Limit{}, false
	}
	f := v.AsBigFloat()
	if n, accuracy := f.Int64(); accuracy == big.Exact && n >= 0 {
		return Limit{Count: n}, true
	}
	want := "a count, which is a whole number of at least 0, or a percentage"
	if x, _ := f.Float64(); x > 0 && x < 1 {
		want = fmt.Sprintf("a whole number as a count; a share is written as a percentage, here \"%s%%\"", strconv.FormatFloat(x*100, 'g', 10, 64))
	}
	l.outOfRange(name, rng, want, v)
	return Limit{}, false
}

// percentage reads "0.1%". The share is negative when it is out of range, which was reported.
func (l *loader) percentage(name string, v cty.Value, rng hcl.Range) (share float64, isShare bool) {
	number, isShare := strings.CutSuffix(strings.TrimSpace(v.AsString()), "%")
	if !isShare {
		return 0, false
	}
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(p >= 0 && p <= 100) {
		l.outOfRange(name, rng, "a percentage from \"0%\" to \"100%\"", v)
		return -1, true
	}
	return p / 100, true
}

// share is a number from 0 to 1, or a percentage.
func (l *loader) share(b *block, name string) (float64, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return 0, false
	}
	if v.Type() == cty.String {
		if share, isShare := l.percentage(name, v, rng); isShare {
			return share, share >= 0
		}
	}
	n, err := convert.Convert(v, cty.Number)
	if err != nil {
		l.wrongType(b, name, v, rng)
		return 0, false
	}
	f, _ := n.AsBigFloat().Float64()
	if f < 0 || f > 1 {
		want := "a number from 0 to 1, or a percentage"
		if f > 1 && f <= 100 {
			want += fmt.Sprintf(" such as \"%s%%\"", strconv.FormatFloat(f, 'g', 10, 64))
		}
		l.outOfRange(name, rng, want, n)
		return 0, false
	}
	return f, true
}
