package index_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index"
)

func TestLayoutMatch(t *testing.T) {
	const log = ".v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma"
	for _, test := range []struct {
		layout, key string
		want        string // values between bars, or "-" when the key does not fit
	}{
		{"telemetry", "saved_session/Firefox/nightly/28.0a1/20131029030201.20131029" + log, "saved_session|Firefox|nightly|28.0a1|20131029030201|20131029"},
		{"telemetry", "r/a/c/v/b.d.x", "r|a|c|v|b|d"},
		{"telemetry", "r/a/c/v/b.d.", "r|a|c|v|b|d"},
		{"telemetry", "r/a/c/v/.d" + log, "r|a|c|v||d"},
		{"telemetry", "////..x", "|||||"},
		{"telemetry", "r/a/c/v/b.d", "-"},
		{"telemetry", "r/a/c/v/b", "-"},
		{"telemetry", "r/a/c/b.d" + log, "-"},
		{"telemetry", "r/a/c/v/extra/b.d" + log, "-"},
		{"telemetry", "r/a/c/v/b.d.log/", "-"},
		{"telemetry", "telemetry_schema.json", "-"},
		{"telemetry", "", "-"},
		{"telemetry-heka", "telemetry-2/20150824/telemetry/4/saved_session/Firefox/nightly/43.0a1/20150810122907/part-1.gz", "telemetry-2|20150824|telemetry|4|saved_session|Firefox|nightly|43.0a1|20150810122907"},
		{"telemetry-heka", "telemetry-2/20150824/telemetry/4/saved_session/Firefox/nightly/43.0a1/20150810122907/", "-"},
		{"telemetry-heka", "telemetry-2/20150824/telemetry/4/saved_session/Firefox/nightly/43.0a1/20150810122907", "-"},
		{"{a}-{b}", "x-y-z", "x|y-z"},
		{"{a}--{b}", "x---y", "x|-y"},
		{"{a}.log", "x.log.log", "x.log"},
		{"{a}.{b}.log", "x.y.z.log", "x|y.z"},
		{"{a}.{b}.log", "x.log", "-"},
		{"v{a}", "v", ""},
		{"v{a}v", "v", "-"},
		{"data/{day:date}/{rest}", "data/2014/x.y", "2014"},
		{"data/{day:date}/{rest}", "date/2014/x.y", "-"},
		{"{day}/{_}.gz", "2014/x.gz", "2014"},
		{"{day}/{_}.gz", "2014/x.xz", "-"},
		{"{rest}/{day}/{rest}.{x}", "any/2014/f.gz", "2014|gz"},
		{"{day}/fixed", "2014/fixed", "2014"},
		{"{day}/fixed", "2014/fixed2", "-"},
	} {
		t.Run(test.layout+" "+test.key, func(t *testing.T) {
			layout, err := index.ParseLayout(test.layout)
			if err != nil {
				t.Fatal(err)
			}
			got, dims := "-", make([][]byte, len(layout.Dimensions()))
			if layout.Match([]byte(test.key), dims) {
				var values []string
				for _, d := range dims {
					values = append(values, string(d))
				}
				got = strings.Join(values, "|")
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLayoutProperties(t *testing.T) {
	type properties struct{ Text, Dimensions, Date, Format string }
	for text, want := range map[string]properties{
		"telemetry": {"telemetry", "reason appName appUpdateChannel appVersion appBuildID submission_date", "submission_date", "telemetry"},
		"{reason}/{appName}/{appUpdateChannel}/{appVersion}/{appBuildID}.{submission_date:date}.{rest}": {
			"telemetry", "reason appName appUpdateChannel appVersion appBuildID submission_date", "submission_date", "telemetry"},
		"telemetry-heka":  {"telemetry-heka", "prefix submissionDate sourceName sourceVersion docType appName appUpdateChannel appVersion appBuildId", "submissionDate", "telemetry"},
		"{a}/{b:date}.gz": {"{a}/{b:date}.gz", "a b", "b", ""},
		"{a}/{_}":         {"{a}/{_}", "a", "", ""},
	} {
		l, err := index.ParseLayout(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := properties{l.String(), strings.Join(l.Dimensions(), " "), l.DateDimension(), l.RecordFormat()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestLayoutErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "it is empty, at byte 0",
		"{a}/{b":            "this { is not closed, at byte 4",
		"{a/b}":             "this { is not closed, at byte 0",
		"{a{b}":             "this { is not closed, at byte 0",
		"a}/{b}":            "this } closes no placeholder, at byte 1",
		"{a}/{b}.{a}":       `the dimension "a" stands there twice, at byte 8`,
		"x{a}{b}":           "there must be a literal between two placeholders, or nothing tells where the first one ends, at byte 4",
		"{a}/{}":            `the placeholder "{}" has no name, at byte 4`,
		"{:date}":           `the placeholder "{:date}" has no name, at byte 0`,
		"{a:int}":           `"int" is not a type of placeholder, the only one is date, at byte 3`,
		"{a:date}/{b:date}": `there are two date dimensions, "a" and "b", at byte 9`,
		"{rest:date}":       "{rest} is not a dimension, so it cannot be the date, at byte 0",
		"{a b}":             `the name "a b" holds a character that is no letter, digit, _ or -, at byte 2`,
		"{1a}":              `the name "1a" does not start with a letter, at byte 1`,
		"/{a}":              "a path component is empty, at byte 0",
		"{a}//{b}":          "a path component is empty, at byte 4",
		"{a}/":              "a path component is empty, at byte 4",
		"telemetri":         "it has no dimension, at byte 0",
	} {
		_, err := index.ParseLayout(text)
		var layoutError *index.LayoutError
		if !errors.As(err, &layoutError) {
			t.Errorf("%q: error %v, want a *LayoutError", text, err)
			continue
		}
		if got := fmt.Sprintf("%s, at byte %d", layoutError.Reason, layoutError.Offset); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestDetectLayout(t *testing.T) {
	telemetry := "r/a/c/v/b.d.log"
	heka := "p/d/s/1/t/a/c/v/b/f"
	for _, test := range []struct {
		keys []string
		want string
	}{
		{nil, ""},
		{[]string{telemetry}, "telemetry"},
		{[]string{telemetry, "telemetry_schema.json"}, "telemetry"},
		{[]string{telemetry, "x", "y"}, ""},
		{[]string{heka, heka + "2", telemetry}, "telemetry-heka"},
		{[]string{"books/moby.txt"}, ""},
	} {
		got := ""
		if l := index.DetectLayout(test.keys); l != nil {
			got = l.String()
		}
		if got != test.want {
			t.Errorf("%q: layout %q, want %q", test.keys, got, test.want)
		}
	}
}

func TestLayoutMatchDoesNotAllocate(t *testing.T) {
	layout, err := index.ParseLayout("telemetry")
	if err != nil {
		t.Fatal(err)
	}
	key, dims := []byte("r/a/c/v/b.d.log"), make([][]byte, 6)
	if n := testing.AllocsPerRun(100, func() { layout.Match(key, dims) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzLayout(f *testing.F) {
	f.Add("telemetry", "r/a/c/v/b.d.log")
	f.Add("{a}.{b:date}-{_}/x{c}", "1.2-3/x4")
	f.Add("{a}..{b}", "...")
	f.Fuzz(func(t *testing.T, text, key string) {
		layout, err := index.ParseLayout(text)
		if err != nil {
			return
		}
		again, err := index.ParseLayout(layout.String())
		if err != nil {
			t.Fatalf("layout %q is printed as %q: %v", text, layout, err)
		}
		if again.String() != layout.String() || !cmp.Equal(again.Dimensions(), layout.Dimensions()) || again.DateDimension() != layout.DateDimension() {
			t.Errorf("layout %q is printed as %q, which is another one", text, layout)
		}
		dims := make([][]byte, len(layout.Dimensions()))
		if !layout.Match([]byte(key), dims) {
			return
		}
		if got, want := strings.Count(key, "/"), strings.Count(layout.Template(), "/"); got != want {
			t.Errorf("key %q has %d slashes and fits %q", key, got, layout)
		}
		for i, d := range dims {
			if !strings.Contains(key, string(d)) || strings.Contains(string(d), "/") {
				t.Errorf("dimension %d of %q is %q", i, key, d)
			}
		}
	})
}
