package addr_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tafc/tafc/internal/addr"
)

func TestParse(t *testing.T) {
	tests := []struct {
		in    string
		stage string // of the address; empty: it is none
		task  string
	}{
		{`map.by_os`, `map.by_os`, ""},
		{`map.by_os["20140308/0110"]`, `map.by_os`, "20140308/0110"},
		{`map.by_os[20140308/0110]`, `map.by_os`, "20140308/0110"},
		{`map.by_os["nightly"]["20140308/0110"]`, `map.by_os["nightly"]`, "20140308/0110"},
		{`map.by_os[nightly][20140308/0110]`, `map.by_os["nightly"]`, "20140308/0110"},
		{`reduce.total["a b]\"["][]`, `reduce.total["a b]\"["]`, ""},
		{`reduce.total["]["]["combine/~0"]`, `reduce.total["]["]`, "combine/~0"},
		{"map", "", ""}, {"filter.x", "", ""}, {"map.", "", ""}, {"map.x[", "", ""}, {"map.x[]", "", ""}, {`map.x[""]`, "", ""}, {`map.x["a"`, "", ""},
		{`map.x["a"]b`, "", ""}, {`map.x["a"]["b"]["c"]`, "", ""}, {`map.x["a"]["b"][]`, "", ""}, {"map.x y", "", ""},
	}
	for _, tt := range tests {
		got, err := addr.Parse(tt.in)
		switch {
		case tt.stage == "" && err == nil:
			t.Errorf("Parse(%q) = %#v, want an error", tt.in, got)
		case tt.stage != "" && (err != nil || got.Stage.String() != tt.stage || got.Name != tt.task):
			t.Errorf("Parse(%q) = %#v, %v; want %s, %q", tt.in, got, err, tt.stage, tt.task)
		}
	}
}

// Every address is read as it was written, and what it prints for people is understood by whoever knows the stages.
func TestTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 8, -1)
		a := addr.Task{Stage: addr.Stage{Kind: rapid.SampledFrom([]string{"map", "reduce"}).Draw(t, "kind"), Name: "x-1"}}
		if rapid.Bool().Draw(t, "keyed") {
			k := key.Draw(t, "key")
			a.Stage.Name = addr.Instance("x-1", k)
			if base, got := addr.Base(a.Stage.Name); base != "x-1" || got != k {
				t.Fatalf("Base(%s) = %q, %q", a.Stage.Name, base, got)
			}
		}
		if rapid.Bool().Draw(t, "named") {
			a.Name = key.Draw(t, "name")
		}
		var back addr.Task
		if err := back.UnmarshalText([]byte(a.Text())); err != nil || back != a {
			t.Fatalf("%s is read as %#v, %v", a.Text(), back, err)
		}
		typed, err := addr.Parse(a.String())
		if err != nil {
			t.Fatal(err)
		}
		if typed = typed.In(func(s addr.Stage) bool { return s == a.Stage }); typed != a {
			t.Fatalf("%s is taken for %#v", a, typed)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"map.x", `map.x["a"]`, `reduce.x["a"]["b"]`, `reduce.x["a"][]`, "map.x[a][b]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := addr.Parse(s)
		if err != nil {
			return
		}
		if again, err := addr.Parse(a.Text()); err != nil || again != a {
			t.Errorf("%q is %#v, which writes %q, which is %#v, %v", s, a, a.Text(), again, err)
		}
	})
}
