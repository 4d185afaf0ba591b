package order_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tafc/tafc/internal/order"
)

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		"20140308": "2014-03-08", "2014-03-08": "2014-03-08", "2014_03_08": "2014-03-08", "2014.03.08": "2014-03-08", "20120229": "2012-02-29",
		"20140230": "", "2014-03_08": "", "20140308120000": "", "2014/03/08": "", "": "", "29.0a1": "", "2014-3-8": "", "+0140308": "",
	} {
		date, ok := order.ParseDate(text)
		if got := date.Format(order.DateForm); ok != (want != "") || ok && got != want {
			t.Errorf("ParseDate(%q) = %s, %t; want %q", text, got, ok, want)
		}
	}
}

func TestDay(t *testing.T) {
	late := time.Date(2014, 3, 8, 23, 30, 0, 0, time.FixedZone("west", -5*3600))
	if got := order.Day(late).Format(order.DateForm); got != "2014-03-09" {
		t.Errorf("the day is %s: it is not that of UTC", got)
	}
}

// Ascending lists are in ascending order, each element with every other.
func TestVersionOrder(t *testing.T) {
	ascending := []string{
		"3.6", "4.0b13pre", "4.0", "24.0a1", "24.5.0esr", "24.5.0", "28.0a1", "28.0a2", "28.0a10", "28.0b1", "28.0b3", "28.0b3.1", "28.0", "28.0.1", "28.1",
		"29.0a1", "29.0", "100.0", "99999999999999999999.0",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			got := compare(t, a, b)
			if want := sign(i - j); got != want {
				t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
			}
		}
	}
	for _, equal := range [][2]string{{"28", "28.0"}, {"28.0", "28.0.0"}, {"028.00", "28.0"}, {"v28.0", "28.0"}} {
		if got := compare(t, equal[0], equal[1]); got != 0 {
			t.Errorf("%s and %s compare as %d", equal[0], equal[1], got)
		}
	}
	for _, text := range []string{"", "a1", "esr", "v", ".1", "-1", "_"} {
		if _, ok := order.ParseVersion(text); ok {
			t.Errorf("%q is taken for a version", text)
		}
	}
}

func compare(t interface{ Fatalf(string, ...any) }, a, b string) int {
	v, ok := order.ParseVersion(a)
	w, also := order.ParseVersion(b)
	if !ok || !also {
		t.Fatalf("%q or %q is not taken for a version", a, b)
	}
	return sign(v.Compare(w))
}

func sign(n int) int { return min(max(n, -1), 1) }

// The order is total: it can be turned around, and carries over.
func TestVersionLaws(t *testing.T) {
	version := rapid.StringMatching(`[0-9]{1,2}(\.[0-9]{0,2}([ab][0-9]{0,2})?){0,3}(esr|pre)?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if compare(t, a, b) != -compare(t, b, a) {
			t.Fatalf("%s and %s: turned around they compare alike", a, b)
		}
		if compare(t, a, b) <= 0 && compare(t, b, c) <= 0 && compare(t, a, c) > 0 {
			t.Fatalf("%s <= %s <= %s, but the first is greater than the last", a, b, c)
		}
	})
}

func TestConstraint(t *testing.T) {
	tests := []struct {
		constraint string
		holds      []string
		not        []string
	}{
		{">= 28.0, < 100", []string{"28.0", "28.0.1", "29.0a1", "99.0", "100.0a1"}, []string{"28.0a1", "3.6", "100.0", "100", "nightly", ""}},
		{"< 29.0a1", []string{"28.0", "28.0.1"}, []string{"29.0a1", "29.0"}},
		{"28.0", []string{"28", "28.0", "28.0.0"}, []string{"28.0.1", "28.0b1"}},
		{"== 28.0", []string{"28"}, []string{"28.1"}},
		{"!= 28.0, > 27", []string{"27.0.1", "28.0b1", "29"}, []string{"28.0", "27.0"}},
		{"~> 28.0", []string{"28.0", "28.5.1", "28.9b1"}, []string{"29.0a1", "29.0", "28.0a1", "27.9"}},
		{"~> 28.0.1", []string{"28.0.1", "28.0.9"}, []string{"28.1", "28.1a1", "28.0"}},
		{"~> 9", []string{"9", "9.9"}, []string{"10.0a1", "10"}},
	}
	for _, tt := range tests {
		c, err := order.ParseConstraint(tt.constraint)
		if err != nil {
			t.Errorf("%q: %v", tt.constraint, err)
		}
		for _, v := range tt.holds {
			if !c.Holds(v) {
				t.Errorf("%q does not hold for %q", tt.constraint, v)
			}
		}
		for _, v := range tt.not {
			if c.Holds(v) {
				t.Errorf("%q holds for %q", tt.constraint, v)
			}
		}
	}
	for _, bad := range []string{"", ">=", ">= 28.0,", "=> 28", "^28", ">= nightly", ">= 28 < 30", "28.*", "<> 3"} {
		if _, err := order.ParseConstraint(bad); err == nil {
			t.Errorf("%q is taken for a constraint", bad)
		}
	}
}

func FuzzConstraint(f *testing.F) {
	f.Add(">= 28.0, < 100", "29.0a1")
	f.Add("~> 1.2.3", "v1.2")
	f.Fuzz(func(t *testing.T, constraint, value string) {
		if c, err := order.ParseConstraint(constraint); err == nil {
			c.Holds(value)
		}
	})
}
