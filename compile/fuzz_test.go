package compile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// FuzzFilter checks that whatever stands in a filter neither panics nor selects what is not there, that advice has a place, and that a filter
// that loads has conditions which an index can evaluate.
func FuzzFilter(f *testing.F) {
	for _, body := range []string{
		`where { reason = ["Saved-Session", "saved*"] }`,
		`where { appVersion = between("9.0", "29.0") }`,
		`where { appBuildID = atmost("20130607") }`,
		`where { submission_date = days(3) }`,
		`where { appVersion = version("~> 28.0, != 28.1") }`,
		`exclude { reason = glob("*{a,b}[") }`,
		`exact_keys = true
where { reason = matches("(?i)x") }`,
		`allow_empty = true
where { appName = "" }`,
	} {
		f.Add(body)
	}
	known := map[string]bool{}
	for _, key := range advised {
		known[key] = true
	}
	f.Fuzz(func(t *testing.T, body string) {
		text := "index { source = \"dir:data\" }\nfilter {\n" + body + "\n}\nmap \"m\" { command = \"cat\" }\noutput \"o\" { value = map.m }\n"
		a, diags := lang.Load("a.taf.hcl", []byte(text), lang.Options{})
		if diags.HasErrors() {
			return
		}
		in, diags, sources := compile.Resolve(t.Context(), a, compile.World{FS: fstest.MapFS{}, OpenIndex: func(*lang.Index) (index.Source, error) { return advised, nil }})
		sources["a.taf.hcl"] = []byte(text)
		for _, d := range diags {
			if d.Subject != nil && !d.Subject.CanSliceBytes(sources[d.Subject.Filename]) {
				t.Errorf("%v is not inside its file", d)
			}
		}
		for _, sel := range in.Selections {
			for i := range sel.Files.Len() {
				if !known[sel.Files.Key(i)] {
					t.Errorf("selected %q", sel.Files.Key(i))
				}
			}
		}
	})
}

// FuzzDocumentFilter is FuzzFilter for documents: what one entry allows.
func FuzzDocumentFilter(f *testing.F) {
	for _, allowed := range []string{`["saved*", "OTHER"]`, `{"min": "28.0", "max": "9.0"}`, `{"max": "20130607"}`, `{}`, `""`, `["*"]`} {
		f.Add("appVersion", allowed)
	}
	f.Fuzz(func(t *testing.T, dimension, allowed string) {
		name, err := json.Marshal(dimension)
		if err != nil {
			t.Fatal(err)
		}
		doc := fmt.Sprintf(`{"dimensions": [{"field_name": %s, "allowed_values": %s}]}`, name, allowed)
		text := "index { source = \"dir:data\" }\nfilter { document = \"Filter.json\" }\nmap \"m\" { command = \"cat\" }\noutput \"o\" { value = map.m }\n"
		a, diags := lang.Load("a.taf.hcl", []byte(text), lang.Options{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		_, diags, sources := compile.Resolve(t.Context(), a, compile.World{
			FS:        fstest.MapFS{"Filter.json": {Data: []byte(doc)}},
			OpenIndex: func(*lang.Index) (index.Source, error) { return advised, nil },
		})
		sources["a.taf.hcl"] = []byte(text)
		for _, d := range diags {
			if d.Subject != nil && !d.Subject.CanSliceBytes(sources[d.Subject.Filename]) {
				t.Errorf("%v is not inside its file", d)
			}
		}
	})
}

// FuzzReadGraph checks that no text makes ReadGraph panic, and that what it reads is written as the same again.
func FuzzReadGraph(f *testing.F) {
	a, diags := lang.Load("a.taf.hcl", []byte("index { source = \"dir:data\" }\nfilter {}\nmap \"m\" { command = \"cat\" }\nreduce \"r\" {\n  input = map.m\n  command = \"cat\"\n  fan_in = 2\n}\noutput \"o\" { value = reduce.r }\n"), lang.Options{})
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	in, diags, _ := compile.Resolve(f.Context(), a, compile.World{FS: fstest.MapFS{}, OpenIndex: func(*lang.Index) (index.Source, error) { return advised, nil }})
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	g, diags := compile.Compile(in)
	if g == nil {
		f.Fatal(diags)
	}
	seed := written(f, g)
	if _, err := compile.ReadGraph(seed, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"stages":[{"kind":"map","name":"m","spec":{}}],"tasks":[{"stage":0,"upstream":[[0,0,1]]}]}`))
	f.Add([]byte(`{"tasks":[{"stage":-1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := compile.ReadGraph(text, nil)
		if err != nil {
			return
		}
		once := written(t, g)
		again, err := compile.ReadGraph(once, nil)
		if err != nil {
			t.Fatalf("what was read is not written as a graph: %v\n%s", err, once)
		}
		if twice := written(t, again); !bytes.Equal(once, twice) {
			t.Errorf("%s\nis written as\n%s", once, twice)
		}
	})
}

func written(t testing.TB, g *compile.Graph) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := g.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}
