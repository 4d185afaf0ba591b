package plan_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/taftest"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
)

const program = `
index "data" {
  source = "dir:data"
  layout = "{day:date}/{name}.{rest}"
}
filter "all" {}
batch {
  max_files = %d
}
map "one" {
  code = "map.py"
}
map "two" {
  input = map.one
  code  = "map.py"
}
reduce "sum" {
  input      = map.two
  code       = "reduce.py"
  partitions = %d
  fan_in     = %d
}
output "out" {
  value = reduce.sum
}
`

type shape struct{ maxFiles, partitions, fanIn int }

func graph(t interface{ Fatal(...any) }, s shape, keys []string, combine bool) *compile.Graph {
	return graphOf(t, s, keys, combine, func(string) string { return "e1" })
}

func graphOf(t interface{ Fatal(...any) }, s shape, keys []string, combine bool, etag func(key string) string) *compile.Graph {
	reduce := "def reduce(key, values):\n    return sum(values)\n"
	if combine {
		reduce += "combine = reduce\n"
	}
	var index strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&index, "%s 10 %s\n", key, etag(key))
	}
	g, diags, _ := taftest.Compile(fstest.MapFS{
		"analysis.taf.hcl": {Data: fmt.Appendf(nil, program, s.maxFiles, s.partitions, s.fanIn)},
		"map.py":           {Data: []byte("def map(record):\n    yield record.key, 1\n")},
		"reduce.py":        {Data: []byte(reduce)},
		"index":            {Data: []byte(index.String())},
	})
	if g == nil {
		t.Fatal(diag.Err(diags))
	}
	return g
}

func drawShape(t *rapid.T) shape {
	return shape{rapid.IntRange(1, 9).Draw(t, "max_files"), rapid.IntRange(1, 4).Draw(t, "partitions"), rapid.IntRange(2, 9).Draw(t, "fan_in")}
}

func drawKeys(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.StringMatching(`2014030[1-4]/[a-z]{4}\.gz`), 1, 60, rapid.ID[string]).Draw(t, "keys")
}

func TestAppliedPlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := graph(t, drawShape(t), drawKeys(t), rapid.Bool().Draw(t, "combine"))
		first := plan.New(g, plan.Prior{Result: func(string) plan.ResultState { return plan.None }}, nil)
		if first.Summary.Run != len(g.Tasks) {
			t.Fatalf("%d of %d tasks run the first time", first.Summary.Run, len(g.Tasks))
		}
		if again := plan.New(g, taftest.Applied(g), nil); !again.Settled() {
			t.Fatalf("after it was applied: %+v", again.Summary)
		}
	})
}

func TestOneFileRunsAtMostTwoMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, keys := drawShape(t), drawKeys(t)
		more := append(keys, "20140304/newone.gz")
		before, after := keys, more
		if rapid.Bool().Draw(t, "removed") {
			before, after = more, keys
		}
		p := plan.New(graph(t, s, after, true), taftest.Applied(graph(t, s, before, true)), nil)
		runs := 0
		for _, c := range p.Changes {
			if c.Action != plan.Run {
				continue
			}
			if len(c.Reasons) == 0 {
				t.Fatalf("%s runs without a reason", c.Addr)
			}
			if c.Addr.Stage == (addr.Stage{Kind: "map", Name: "one"}) {
				runs++
			}
		}
		if runs > 2 {
			t.Fatalf("one file makes %d map tasks run", runs)
		}
	})
}

func TestPlanFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, keys := drawShape(t), drawKeys(t)
		p := plan.New(graph(t, s, keys, true), taftest.Applied(graph(t, s, append(keys[1:], "20140305/other.gz"), false)), nil)
		p.Engine = "local"
		var file, again bytes.Buffer
		if err := p.Write(&file); err != nil {
			t.Fatal(err)
		}
		read, err := plan.Read(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := read.Write(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(file.Bytes(), again.Bytes()) {
			t.Fatal("read and written again, the plan has other bytes")
		}
		if d := cmp.Diff(p.Document(nil), read.Document(nil)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestTargets(t *testing.T) {
	keys := []string{"20140301/a.gz", "20140302/a.gz"}
	g := graph(t, shape{1, 1, 2}, keys, false)
	target, err := addr.Parse(`map.two["20140301"]`)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.New(g, plan.Prior{Result: func(string) plan.ResultState { return plan.None }}, []addr.Task{target})
	var got []string
	for _, c := range p.Changes {
		got = append(got, c.Addr.String())
	}
	if d := cmp.Diff([]string{`map.one["20140301"]`, `map.two["20140301"]`}, got); d != "" {
		t.Error(d)
	}
}

// A lost result that nobody needs is not made again; one that somebody needs is.
func TestLostResults(t *testing.T) {
	g := graph(t, shape{1, 1, 2}, []string{"20140301/a.gz"}, false)
	prior := taftest.Applied(g)
	lost := map[string]bool{}
	there := prior.Result
	prior.Result = func(key string) plan.ResultState {
		if lost[key] {
			return plan.Missing
		}
		return there(key)
	}
	key := func(stage string) string {
		for _, task := range g.Tasks {
			if task.Stage.Addr.Name == stage {
				return task.Key
			}
		}
		t.Fatalf("no stage %s", stage)
		return ""
	}
	lost[key("one")] = true
	if p := plan.New(g, prior, nil); p.Summary.Run != 0 {
		t.Errorf("a lost result that nobody needs: %+v", p.Summary)
	}
	lost[key("sum")] = true
	if p := plan.New(g, prior, nil); p.Summary.Run != 1 {
		t.Errorf("a lost final result: %+v", p.Summary)
	}
	lost[key("two")] = true
	if p := plan.New(g, prior, nil); p.Summary.Run != 3 {
		t.Errorf("a lost chain: %+v", p.Summary)
	}
}

func TestPlanIsShort(t *testing.T) {
	var keys []string
	for day := range 30 {
		for f := range 40 {
			keys = append(keys, fmt.Sprintf("201403%02d/f%d.gz", day+1, f))
		}
	}
	p := plan.New(graph(t, shape{3, 4, 2}, keys, true), plan.Prior{Result: func(string) plan.ResultState { return plan.None }}, nil)
	var out bytes.Buffer
	view.Plan(&out, p, view.Style{})
	if n := strings.Count(out.String(), "\n"); n > 40 {
		t.Errorf("%d lines for %d tasks:\n%s", n, len(p.Changes), out.String())
	}
}

// FuzzRead checks that no bytes make Read panic, and that what it reads is written as the same again.
func FuzzRead(f *testing.F) {
	p := plan.New(graph(f, shape{1, 1, 2}, []string{"20140301/a.gz"}, true), plan.Prior{Result: func(string) plan.ResultState { return plan.None }}, nil)
	var file bytes.Buffer
	if err := p.Write(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:file.Len()/2])
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := plan.Read(data)
		if err != nil {
			return
		}
		if read.Graph == nil {
			t.Fatal("a plan without a graph")
		}
		var once, twice bytes.Buffer
		if err := read.Write(&once); err != nil {
			t.Fatal(err)
		}
		again, err := plan.Read(once.Bytes())
		if err != nil {
			t.Fatalf("what was read is not written as a plan: %v", err)
		}
		if err := again.Write(&twice); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Errorf("it is written otherwise the second time: %v", err)
		}
	})
}

// A changed file in one of 1,024 batches makes one map run and, of the reduce, the tasks on the way from that map to the root: at most 11
// with a fan_in of 4 or more. The tree is a trie of hashes, so that new batches do not move it; with a fan_in of 2 the way is 11 long on
// average, and not at most.
func TestOneOf1024BatchesRunsOneMapAndElevenReduces(t *testing.T) {
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("201403%02d/%04d.gz", i%28+1, i)
	}
	for _, fanIn := range []int{2, 4, 16, 64} {
		g := graph(t, shape{1, 1, fanIn}, keys, true)
		consumers := map[*compile.Task][]*compile.Task{}
		for _, task := range g.Tasks {
			for _, u := range task.Upstream {
				consumers[u.Task] = append(consumers[u.Task], task)
			}
		}
		batches, sum, most := 0, 0, 0
		for _, task := range g.Tasks {
			if task.Stage.Addr.Name != "two" {
				continue
			}
			way := 0
			for up := consumers[task]; len(up) > 0; up = consumers[up[0]] {
				if way++; len(up) != 1 {
					t.Fatalf("the result of %s is read %d times", task.Addr, len(up))
				}
			}
			batches, sum, most = batches+1, sum+way, max(most, way)
		}
		average := float64(sum) / float64(batches)
		t.Logf("fan_in %d: %.1f reduce tasks on average, at most %d", fanIn, average, most)
		if batches != 1024 || average > 12 || fanIn > 2 && most > 11 {
			t.Errorf("fan_in %d, %d batches: %.1f reduce tasks on average, at most %d", fanIn, batches, average, most)
		}
		// What the plan says.
		changed := keys[700]
		now := graphOf(t, shape{1, 1, fanIn}, keys, true, func(key string) string {
			if key == changed {
				return "e2"
			}
			return "e1"
		})
		runs := map[string]int{}
		for _, c := range plan.New(now, taftest.Applied(g), nil).Changes {
			if c.Action == plan.Run {
				runs[c.Addr.Stage.Name]++
			}
		}
		if runs["one"] != 1 || runs["two"] != 1 || runs["sum"] < 2 || runs["sum"] > most {
			t.Errorf("fan_in %d: the plan runs %v", fanIn, runs)
		}
	}
}
