package compile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// memory is a compile.Memory that counts.
type memory struct {
	data   map[string][]byte
	stored int
}

func (m *memory) Load(key string) []byte { return m.data[key] }
func (m *memory) Store(key string, data []byte) {
	m.data[key] = data
	m.stored++
}

// database is an index that can be read in parts, and again.
type database struct {
	files
	revision string
	scans    *int
}

func (d database) Revision(context.Context) (string, error) { return d.revision, nil }
func (d database) Layout() string                           { return dayLayout }
func (d database) Split(_ context.Context, n int) ([]index.Part, error) {
	*d.scans++
	half := files{}
	rest := files{}
	for key, size := range d.files {
		if key < "20140303" {
			half[key] = size
		} else {
			rest[key] = size
		}
	}
	return []index.Part{half.Scan, rest.Scan}[:2], nil
}

const memoryAnalysis = `
index "i" { source = "sqlite:x.db" }
filter "f" {
  index = index.i
  allow_empty = true
  where { day = atleast("%s") }
}
map "m" {
  input = filter.f
  code  = "m.py"
  batch { max_files = %d }
}
reduce "r" {
  input  = map.m
  code   = "m.py"
  fan_in = 3
}
output "o" { value = reduce.r }
`

// compiled is all that an analysis compiles to.
func compiled(t interface{ Fatal(...any) }, src index.Source, m compile.Memory, since string, maxFiles int, code string) (*compile.Graph, []byte) {
	world := fstest.MapFS{"m.py": {Data: []byte(code)}}
	a, diags := lang.Load("a.taf.hcl", fmt.Appendf(nil, memoryAnalysis, since, maxFiles), lang.Options{
		ReadFile: world.ReadFile, Glob: func(p string) ([]string, error) { return fs.Glob(world, p) },
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	in, diags, _ := compile.Resolve(context.Background(), a, compile.World{
		FS: world, Memory: m, OpenIndex: func(*lang.Index) (index.Source, error) { return src, nil },
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	g, diags := compile.Compile(in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var text bytes.Buffer
	if err := g.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	for _, task := range g.Tasks {
		fmt.Fprintf(&text, "\n%s %s\n%s", task.Key, task.InputsDigest, task.Inputs())
	}
	sel := in.Selections["f"]
	fmt.Fprint(&text, sel.Total, sel.Bytes, sel.Unparsed, sel.UnparsedSample, sel.Funnel, sel.Dimensions, sel.Files.Len())
	return g, text.Bytes()
}

const someCode = "def map(r):\n    yield 1, 1\n\n\ndef reduce(k, v):\n    return 1\n\n\ncombine = reduce\n"

// What is made from what an earlier plan remembered is what is made from the index itself, byte for byte; and also what is made of
// an index of which the files are kept.
func TestRememberedPlansAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFiles(t)
		scans := 0
		src := database{files: f, revision: "1", scans: &scans}
		m := &memory{data: map[string][]byte{}}
		limit := rapid.IntRange(1, 30).Draw(t, "max_files")
		_, want := compiled(t, src, nil, "20140302", limit, someCode)
		_, cold := compiled(t, src, m, "20140302", limit, someCode)
		before := scans
		warmGraph, warm := compiled(t, src, m, "20140302", limit, someCode)
		if m.stored != 1 {
			t.Fatalf("stored %d times", m.stored)
		}
		if diff := cmp.Diff(string(want), string(cold)); diff != "" {
			t.Fatalf("without memory and cold:\n%s", diff)
		}
		if diff := cmp.Diff(string(cold), string(warm)); diff != "" {
			t.Fatalf("cold and warm:\n%s", diff)
		}
		if read := scans - before; read > 1 {
			t.Fatalf("a warm plan whose files were asked for read the index %d times", read)
		}
		if err := warmGraph.Err(); err != nil {
			t.Fatal(err)
		}
		_, kept := compiled(t, struct{ layoutFiles }{layoutFiles{f}}, nil, "20140302", limit, someCode)
		if got, want := keysOf(kept), keysOf(want); !bytes.Equal(got, want) {
			t.Fatalf("an index whose files are kept gives other keys")
		}
	})
}

// layoutFiles is an index in memory that knows its layout.
type layoutFiles struct{ files }

func (layoutFiles) Layout() string { return dayLayout }

// keysOf is what a text of compiled says of tasks.
func keysOf(text []byte) []byte {
	_, tail, _ := bytes.Cut(text, []byte("\n"))
	return tail
}

// Whatever changes is seen.
func TestMemoryIsOfOneQuestion(t *testing.T) {
	f := files{"20140301/a.log": 1, "20140302/b.log": 2, "20140303/c.log": 3}
	scans := 0
	src := database{files: f, revision: "1", scans: &scans}
	m := &memory{data: map[string][]byte{}}
	ask := func(src index.Source, since string, limit int, code string) (read bool) {
		before := m.stored
		_, fresh := compiled(t, src, nil, since, limit, code)
		if _, got := compiled(t, src, m, since, limit, code); !bytes.Equal(fresh, got) {
			t.Errorf("%s %d: remembered something else", since, limit)
		}
		return m.stored > before
	}
	if !ask(src, "20140301", 5, someCode) || ask(src, "20140301", 5, someCode) {
		t.Error("the second plan read the index again, or the first one did not")
	}
	if ask(src, "20140301", 5, someCode+"# other code\n") {
		t.Error("other code made it read the index")
	}
	more := files{"20140301/a.log": 1, "20140302/b.log": 9}
	for name, read := range map[string]bool{
		"index":  ask(database{files: more, revision: "2", scans: &scans}, "20140301", 5, someCode),
		"filter": ask(src, "20140302", 5, someCode),
		"batch":  ask(src, "20140301", 1, someCode),
	} {
		if !read {
			t.Errorf("a change of the %s was not seen", name)
		}
	}
	// What is damaged is not used: the index is read again.
	for key, data := range m.data {
		for i, damaged := range [][]byte{nil, data[:len(data)-1], data[:10], append([]byte{data[0] ^ 1}, data[1:]...), append(bytes.Clone(data), 0)} {
			m.data[key] = damaged
			before := m.stored
			ask(src, "20140301", 5, someCode)
			ask(src, "20140302", 5, someCode)
			ask(src, "20140301", 1, someCode)
			ask(database{files: more, revision: "2", scans: &scans}, "20140301", 5, someCode)
			if m.stored != before+1 {
				t.Errorf("damage %d was not noticed", i)
			}
		}
	}
}

// An index that changed under a plan whose files are asked for later is an error, never other files.
func TestFilesThatMoved(t *testing.T) {
	scans := 0
	src := &database{files: files{"20140301/a.log": 1}, revision: "1", scans: &scans}
	m := &memory{data: map[string][]byte{}}
	compiled(t, src, m, "20140301", 5, someCode)
	world := func() *compile.Graph {
		w := fstest.MapFS{"m.py": {Data: []byte(someCode)}}
		a, _ := lang.Load("a.taf.hcl", fmt.Appendf(nil, memoryAnalysis, "20140301", 5), lang.Options{ReadFile: w.ReadFile})
		in, _, _ := compile.Resolve(context.Background(), a, compile.World{FS: w, Memory: m, OpenIndex: func(*lang.Index) (index.Source, error) { return src, nil }})
		g, _ := compile.Compile(in)
		return g
	}
	g := world()
	src.files = files{"20140301/a.log": 2}
	if inputs := g.Tasks[0].Inputs(); inputs != nil || g.Err() == nil {
		t.Errorf("inputs %q, error %v", inputs, g.Err())
	}
	if err := g.WriteJSON(&bytes.Buffer{}); err == nil {
		t.Error("a plan was saved with files that nobody knows")
	}
}

// A key that an index lists twice is found also where the files are not kept.
func TestTwiceListedKey(t *testing.T) {
	a, b := files{"20140301/a.log": 1, "20140301/c.log": 1}, files{"20140301/a.log": 1}
	src := twice{database{files: a, revision: "1", scans: new(int)}, []index.Part{a.Scan, b.Scan}}
	analysis, _ := lang.Load("a.taf.hcl", fmt.Appendf(nil, memoryAnalysis, "20140301", 5), lang.Options{})
	_, diags, _ := compile.Resolve(context.Background(), analysis, compile.World{
		FS: fstest.MapFS{"m.py": {Data: []byte(someCode)}}, OpenIndex: func(*lang.Index) (index.Source, error) { return src, nil },
	})
	if !diags.HasErrors() || !bytes.Contains([]byte(errors.Join(diags.Errs()...).Error()), []byte(`"20140301/a.log" twice`)) {
		t.Errorf("%v", diags)
	}
}

type twice struct {
	database
	parts []index.Part
}

func (t twice) Split(context.Context, int) ([]index.Part, error) { return t.parts, nil }
