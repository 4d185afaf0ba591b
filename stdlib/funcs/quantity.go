package funcs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// units of sizes, by their names in lower case.
var units = map[string]float64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// ParseSize reads a number of bytes: a number and a unit, KiB MiB GiB TiB (powers of 1024) or kB MB GB TB (powers of 1000).
// The result may be negative: whether that makes sense is the caller's to say.
func ParseSize(s string) (int64, error) {
	number, unit := cutNumber(s)
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size; write a number and a unit, such as \"64MiB\"", s)
	}
	factor, ok := units[strings.ToLower(unit)]
	if !ok {
		switch u := strings.ToUpper(unit); u {
		case "K", "M", "G", "T":
			return 0, fmt.Errorf("%q does not say which %s it means; write \"%s%siB\" for powers of 1024 or \"%s%sB\" for powers of 1000", s, unit, number, u, number, u)
		}
		return 0, fmt.Errorf("%q has the unknown unit %q; the units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB", s, unit)
	}
	if n *= factor; math.Abs(n) > 1<<62 {
		return 0, fmt.Errorf("%q is too large for a size", s)
	}
	return int64(math.Round(n)), nil
}

func cutNumber(s string) (number, unit string) {
	s = strings.TrimSpace(s)
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' })
	if end < 0 {
		end = len(s)
	}
	return s[:end], strings.TrimSpace(s[end:])
}

// ParseDuration reads a duration as Go writes it, with days on top: "90s", "1h30m", "2d".
// The result may be negative: whether that makes sense is the caller's to say.
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration; write numbers with the units ms, s, m, h or d, such as \"90s\" or \"1h30m\"", s)
	days, rest, found := strings.Cut(strings.TrimSpace(s), "d")
	if !found {
		d, err := time.ParseDuration(days)
		if err != nil {
			return 0, bad
		}
		return d, nil
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || math.IsNaN(n) {
		return 0, bad
	}
	var d time.Duration
	if rest != "" {
		if d, err = time.ParseDuration(rest); err != nil || strings.ContainsAny(rest, "+-") {
			return 0, bad
		}
	}
	if math.Abs(n) > 36500 {
		return 0, fmt.Errorf("%q is too long for a duration", s)
	}
	if strings.HasPrefix(days, "-") {
		d = -d
	}
	return time.Duration(n*24*float64(time.Hour)) + d, nil
}

var sizeFunc = function.New(&function.Spec{
	Description: "A size in bytes: size(\"64MiB\") is 67108864.",
	Params:      []function.Parameter{{Name: "size", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, err := ParseSize(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return cty.NumberIntVal(n), nil
	},
})

var durationFunc = function.New(&function.Spec{
	Description: "A duration in seconds: duration(\"5m\") is 300.",
	Params:      []function.Parameter{{Name: "duration", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		d, err := ParseDuration(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return cty.NumberFloatVal(d.Seconds()), nil
	},
})
