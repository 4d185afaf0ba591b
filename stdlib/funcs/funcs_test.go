package funcs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/stdlib/funcs"
)

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64
		err  string // part of the error
	}{
		{"64MiB", 64 << 20, ""}, {"1.5 KiB", 1536, ""}, {"2GB", 2e9, ""}, {"1kb", 1000, ""}, {"10", 10, ""}, {"7B", 7, ""}, {"-1TiB", -1 << 40, ""},
		{"64M", 0, `"64MiB" for powers of 1024 or "64MB"`}, {"3 bananas", 0, "unknown unit"}, {"", 0, "is not a size"}, {"MiB", 0, "is not a size"},
		{"9999999999GB", 0, "too large"}, {"1e3", 0, "unknown unit"},
	}
	for _, tt := range tests {
		got, err := funcs.ParseSize(tt.text)
		if got != tt.want || !fits(err, tt.err) {
			t.Errorf("ParseSize(%q) = %d, %v; want %d, %s", tt.text, got, err, tt.want, tt.err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		err  string
	}{
		{"5m", 5 * time.Minute, ""}, {"1h30m", 90 * time.Minute, ""}, {"2d", 48 * time.Hour, ""}, {"1d12h", 36 * time.Hour, ""}, {"-5s", -5 * time.Second, ""},
		{"-1d1h", -25 * time.Hour, ""}, {"0", 0, ""},
		{"5 minutes", 0, "not a duration"}, {"", 0, "not a duration"}, {"d", 0, "not a duration"}, {"1d-1h", 0, "not a duration"}, {"99999d", 0, "too long"},
	}
	for _, tt := range tests {
		got, err := funcs.ParseDuration(tt.text)
		if got != tt.want || !fits(err, tt.err) {
			t.Errorf("ParseDuration(%q) = %s, %v; want %s, %s", tt.text, got, err, tt.want, tt.err)
		}
	}
}

func fits(err error, part string) bool {
	if part == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), part)
}

func TestWorld(t *testing.T) {
	seen := funcs.World{
		ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "a.txt":
				return []byte("text"), nil
			case "a.tpl":
				return []byte("Hello ${name}%{ for x in list }, ${upper(x)}%{ endfor }"), nil
			case "b.tpl":
				return []byte("one\n${"), nil
			case "c.tpl":
				return []byte("${templatefile(\"c.tpl\", {})}"), nil
			case "a.bin":
				return []byte{0xff}, nil
			}
			return nil, errors.New("no such file")
		},
		Glob:      func(string) ([]string, error) { return []string{"b", "a"}, nil },
		LookupEnv: func(name string) (string, bool) { return "value", name == "SET" },
		Now:       func() time.Time { return time.Date(2014, 3, 8, 1, 2, 3, 4, time.FixedZone("east", 3600)) },
	}
	text := func(s string) []cty.Value { return []cty.Value{cty.StringVal(s)} }
	texts := func(s ...string) []cty.Value {
		var out []cty.Value
		for _, x := range s {
			out = append(out, cty.StringVal(x))
		}
		return out
	}
	bools := func(bs ...bool) []cty.Value {
		list := []cty.Value{}
		for _, b := range bs {
			list = append(list, cty.BoolVal(b))
		}
		if len(list) == 0 {
			return []cty.Value{cty.ListValEmpty(cty.Bool)}
		}
		return []cty.Value{cty.ListVal(list)}
	}
	values := cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("you"), "list": cty.TupleVal(texts("a", "b"))})
	tests := []struct {
		name     string
		world    funcs.World
		function string
		args     []cty.Value
		want     cty.Value // NilVal: an error
	}{
		{"file", seen, "file", text("a.txt"), cty.StringVal("text")},
		{"missing file", seen, "file", text("b.txt"), cty.NilVal},
		{"file that is not text", seen, "file", text("a.bin"), cty.NilVal},
		{"sorted", seen, "fileset", text("*"), cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")})},
		{"env", seen, "env", text("SET"), cty.StringVal("value")},
		{"env not set", seen, "env", text("UNSET"), cty.NilVal},
		{"env with default", seen, "env", []cty.Value{cty.StringVal("UNSET"), cty.StringVal("d")}, cty.StringVal("d")},
		{"env with too much", seen, "env", []cty.Value{cty.StringVal("SET"), cty.StringVal("d"), cty.StringVal("e")}, cty.NilVal},
		{"no files", funcs.World{}, "file", text("a.txt"), cty.NilVal},
		{"no lists", funcs.World{}, "fileset", text("*"), cty.NilVal},
		{"no environment", funcs.World{}, "env", text("SET"), cty.NilVal},
		{"size", seen, "size", text("1KiB"), cty.NumberIntVal(1024)},
		{"duration", seen, "duration", text("1m30s"), cty.NumberIntVal(90)},
		{"hash", seen, "sha256", text(""), cty.StringVal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")},
		{"base64", seen, "base64decode", text("dGV4dA=="), cty.StringVal("text")},
		{"template", seen, "templatefile", []cty.Value{cty.StringVal("a.tpl"), values}, cty.StringVal("Hello you, A, B")},
		{"template without a name", seen, "templatefile", []cty.Value{cty.StringVal("a.tpl"), cty.EmptyObjectVal}, cty.NilVal},
		{"template with an error", seen, "templatefile", []cty.Value{cty.StringVal("b.tpl"), values}, cty.NilVal},
		{"template in a template", seen, "templatefile", []cty.Value{cty.StringVal("c.tpl"), values}, cty.NilVal},
		{"template of a list", seen, "templatefile", []cty.Value{cty.StringVal("a.tpl"), cty.EmptyTupleVal}, cty.NilVal},
		{"no template", funcs.World{}, "templatefile", []cty.Value{cty.StringVal("a.tpl"), values}, cty.NilVal},
		{"timestamp", seen, "timestamp", nil, cty.StringVal("2014-03-08T00:02:03Z")},
		{"no clock", funcs.World{}, "timestamp", nil, cty.NilVal},
		{"yaml", seen, "yamldecode", text("a: 1"), cty.ObjectVal(map[string]cty.Value{"a": cty.NumberIntVal(1)})},
		{"length of a text", seen, "length", text("äb"), cty.NumberIntVal(2)},
		{"length of a list", seen, "length", []cty.Value{cty.EmptyTupleVal}, cty.Zero},
		{"length of an object", seen, "length", []cty.Value{values}, cty.NumberIntVal(2)},
		{"length of a number", seen, "length", []cty.Value{cty.Zero}, cty.NilVal},
		{"starts", seen, "startswith", texts("abc", "ab"), cty.True},
		{"ends", seen, "endswith", texts("abc", "ab"), cty.False},
		{"holds", seen, "strcontains", texts("abc", "b"), cty.True},
		{"all", seen, "alltrue", bools(true, false), cty.False},
		{"all of none", seen, "alltrue", bools(), cty.True},
		{"any", seen, "anytrue", bools(false, true), cty.True},
		{"any of none", seen, "anytrue", bools(), cty.False},
		{"uuid of a name", seen, "uuidv5", texts("dns", "example.org"), cty.StringVal("aad03681-8b63-5304-89e0-8ca8f49461b5")},
		{"host", seen, "cidrhost", []cty.Value{cty.StringVal("10.0.0.0/8"), cty.NumberIntVal(3)}, cty.StringVal("10.0.0.3")},
		{"not base64", seen, "base64decode", text("?"), cty.NilVal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := funcs.Table(tt.world)[tt.function].Call(tt.args)
			if tt.want == cty.NilVal {
				if err == nil {
					t.Errorf("no error, but %#v", got)
				}
				return
			}
			if err != nil || !got.RawEquals(tt.want) {
				t.Errorf("got %#v, %v; want %#v", got, err, tt.want)
			}
		})
	}
}

func FuzzQuantities(f *testing.F) {
	for _, s := range []string{"64MiB", "1.5GB", "1d12h", "-5s", "1e400", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := funcs.ParseSize(s); err != nil && n != 0 {
			t.Errorf("ParseSize(%q) = %d with the error %v", s, n, err)
		}
		if d, err := funcs.ParseDuration(s); err != nil && d != 0 {
			t.Errorf("ParseDuration(%q) = %s with the error %v", s, d, err)
		}
	})
}
