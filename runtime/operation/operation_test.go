package operation_test

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/operation"
	"github.com/tafc/tafc/runtime/usercode"
)

// recorder is a sink that keeps what it gets.
type recorder struct {
	pairs []string
	bad   []string
	done  int
}

func (r *recorder) Pairs(lines []byte) error {
	r.pairs = append(r.pairs, strings.Split(strings.TrimSuffix(string(lines), "\n"), "\n")...)
	return nil
}

func (r *recorder) Bad(b *usercode.Block, i int, err *usercode.Error) error {
	r.bad = append(r.bad, fmt.Sprintf("%d %s: %s", b.Number(i), err.Cause, err.Message))
	return nil
}
func (r *recorder) Done(*usercode.Block) error { r.done++; return nil }
func (r *recorder) Count(string, int64)        {}
func (r *recorder) Log(string)                 {}

func block(records ...string) *usercode.Block {
	b := &usercode.Block{File: "f", First: 1, Lines: true}
	for _, r := range records {
		b.Offsets = append(b.Offsets, int64(len(b.Data)))
		b.Data = append(append(b.Data, r...), '\n')
		b.Ends = append(b.Ends, len(b.Data)-1)
	}
	return b
}

type failer interface {
	Helper()
	Fatal(args ...any)
}

// mapped is the partial results of blocks.
func mapped(t failer, o job.Operation, memory int64, blocks ...*usercode.Block) *recorder {
	t.Helper()
	r := new(recorder)
	p, err := operation.Start(context.Background(), operation.Options{Operation: &o, Role: job.RoleMap, Memory: memory}, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if err := p.Map(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

// merged puts partial results together.
func merged(t failer, o job.Operation, role job.Role, pairs ...string) []string {
	t.Helper()
	slices.Sort(pairs) // these tests' keys have the order of their texts
	r := new(recorder)
	p, err := operation.Start(context.Background(), operation.Options{Operation: &o, Role: role}, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Pairs([]byte(strings.Join(append(pairs, ""), "\n"))); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return r.pairs
}

func TestOperations(t *testing.T) {
	records := []string{
		`{"os":"Linux","ms":10,"v":[1]}`, `{"os":"Linux","ms":1.5}`, `{"os":"Darwin","ms":-3}`, `{"ms":250,"os":null}`, `{"os":"Linux"}`, `{"os":"Linux","ms":1e2,"v":[1]}`,
	}
	tests := []struct {
		name string
		o    job.Operation
		want []string
		bad  []string
	}{
		{name: "count by a field", o: job.Operation{Kind: job.OpCountBy, Fields: []string{"os"}},
			want: []string{"\"Darwin\"\t1", "\"Linux\"\t4", "null\t1"}},
		{name: "count by two", o: job.Operation{Kind: job.OpCountBy, Fields: []string{"os", "v[0]"}},
			want: []string{"[\"Darwin\",null]\t1", "[\"Linux\",1]\t2", "[\"Linux\",null]\t2", "[null,null]\t1"}},
		{name: "count by an array", o: job.Operation{Kind: job.OpCountBy, Fields: []string{"v"}}, want: []string{"[1]\t2", "null\t4"}},
		{name: "sum", o: job.Operation{Kind: job.OpSum, Fields: []string{"ms"}}, want: []string{"\"ms\"\t358.5"}},
		{name: "sum by", o: job.Operation{Kind: job.OpSum, Fields: []string{"ms"}, By: []string{"os"}},
			want: []string{"\"Darwin\"\t-3", "\"Linux\"\t111.5", "null\t250"}},
		{name: "sums", o: job.Operation{Kind: job.OpSum, Fields: []string{"ms", "v[0]"}}, want: []string{"\"all\"\t{\"ms\":358.5,\"v[0]\":2}"}},
		{name: "sum of texts", o: job.Operation{Kind: job.OpSum, Fields: []string{"os"}}, want: []string{"\"os\"\t0"},
			bad: []string{`1 code: os is the text "Linux", not a number`, `2 code: os is the text "Linux", not a number`, `3 code: os is the text "Darwin", not a number`,
				`5 code: os is the text "Linux", not a number`, `6 code: os is the text "Linux", not a number`}},
		{name: "histogram", o: job.Operation{Kind: job.OpHistogram, Fields: []string{"ms"}, Buckets: []float64{0, 10, 200}},
			want: []string{"\"<0\"\t1", "0\t1", "10\t2", "200\t1"}},
		{name: "histogram of equal buckets", o: job.Operation{Kind: job.OpHistogram, Fields: []string{"ms"}, Width: 100, By: []string{"os"}},
			want: []string{"[\"Darwin\",-100]\t1", "[\"Linux\",0]\t2", "[\"Linux\",100]\t1", "[null,200]\t1"}},
		{name: "distinct", o: job.Operation{Kind: job.OpDistinct, Fields: []string{"os"}}, want: []string{"\"os\"\t2"}},
		{name: "top", o: job.Operation{Kind: job.OpTop, Fields: []string{"os"}, N: 1}, want: []string{"\"Linux\"\t4"}},
		{name: "top by", o: job.Operation{Kind: job.OpTop, Fields: []string{"ms"}, By: []string{"os"}, N: 1},
			want: []string{"[\"Darwin\",-3]\t1", "[\"Linux\",1.5]\t1", "[null,250]\t1"}},
		{name: "quantiles", o: job.Operation{Kind: job.OpQuantiles, Fields: []string{"ms"}, At: []float64{0, 0.5, 1}},
			want: []string{`"ms"` + "\t" + `{"0":-3,"0.5":10,"1":250}`}},
		{name: "select", o: job.Operation{Kind: job.OpSelect, Fields: []string{"os", "ms", "v"}},
			want: []string{"\"Darwin\"\t{\"ms\":-3,\"v\":null}", "\"Linux\"\t{\"ms\":1.5,\"v\":null}", "\"Linux\"\t{\"ms\":10,\"v\":[1]}", "\"Linux\"\t{\"ms\":1e2,\"v\":[1]}", "\"Linux\"\t{\"ms\":null,\"v\":null}", "null\t{\"ms\":250,\"v\":null}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped(t, tt.o, 0, block(records...))
			got := slices.Sorted(slices.Values(r.pairs))
			if tt.o.Kind != job.OpSelect {
				got = merged(t, tt.o, job.RoleReduce, r.pairs...)
				slices.Sort(got)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.bad, r.bad); diff != "" {
				t.Errorf("bad (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecordsThatAreNotJSONAreBad(t *testing.T) {
	r := mapped(t, job.Operation{Kind: job.OpCountBy, Fields: []string{"a"}}, 0, block(`{"a":1}`, `{"a":`, `{"a":1}`))
	if diff := cmp.Diff([]string{"2 corrupt: not JSON: it ends too early, after 5 bytes"}, r.bad); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1\t2"}, r.pairs); diff != "" || r.done != 1 {
		t.Errorf("%d blocks done (-want +got):\n%s", r.done, diff)
	}
}

// TestDivisionMakesNoDifference divides records among tasks and combines in every order.
func TestDivisionMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []string
		for range rapid.IntRange(1, 40).Draw(t, "records") {
			number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "number")
			records = append(records, fmt.Sprintf(`{"g":%d,"n":%s}`, rapid.IntRange(0, 3).Draw(t, "group"), number))
		}
		kind := rapid.SampledFrom([]job.Operation{
			{Kind: job.OpCountBy, Fields: []string{"g"}}, {Kind: job.OpSum, Fields: []string{"n"}, By: []string{"g"}}, {Kind: job.OpSum, Fields: []string{"n", "g"}},
			{Kind: job.OpDistinct, Fields: []string{"n"}}, {Kind: job.OpTop, Fields: []string{"g"}, N: 2}, {Kind: job.OpHistogram, Fields: []string{"n"}, Width: 0.5},
		}).Draw(t, "operation")
		want := merged(t, kind, job.RoleReduce, mapped(t, kind, 0, block(records...)).pairs...)
		var partial []string
		for rest := rapid.Permutation(records).Draw(t, "order"); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			memory := rapid.SampledFrom([]int64{1, 1 << 20}).Draw(t, "memory")
			partial = append(partial, mapped(t, kind, memory, block(rest[:n]...)).pairs...)
			rest = rest[n:]
			if rapid.Bool().Draw(t, "combine") {
				partial = merged(t, kind, job.RoleCombine, partial...)
			}
		}
		if diff := cmp.Diff(want, merged(t, kind, job.RoleReduce, partial...)); diff != "" {
			t.Fatalf("(-whole +divided):\n%s", diff)
		}
	})
}

// TestSumsAreExact compares with rational numbers.
func TestSumsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := new(big.Rat)
		var records []string
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,9})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "number")
			r, _ := new(big.Rat).SetString(number)
			want.Add(want, r)
			records = append(records, `{"n":`+number+`}`)
		}
		pairs := mapped(t, job.Operation{Kind: job.OpSum, Fields: []string{"n"}}, 0, block(records...)).pairs
		_, text, _ := strings.Cut(pairs[0], "\t")
		got, ok := new(big.Rat).SetString(text)
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%v: %s, want %s", records, text, want.RatString())
		}
	})
}

func TestCheck(t *testing.T) {
	for _, o := range []job.Operation{
		{Kind: "median", Fields: []string{"a"}}, {Kind: job.OpCountBy}, {Kind: job.OpTop, Fields: []string{"a"}}, {Kind: job.OpTop, Fields: []string{"a", "b"}, N: 1},
		{Kind: job.OpHistogram, Fields: []string{"a"}}, {Kind: job.OpHistogram, Fields: []string{"a"}, Buckets: []float64{2, 1}}, {Kind: job.OpQuantiles, Fields: []string{"a"}, At: []float64{2}},
		{Kind: job.OpCountBy, Fields: []string{"a"}, By: []string{"b"}}, {Kind: job.OpSum, Fields: []string{"a["}},
	} {
		if err := operation.Check(&o); err == nil {
			t.Errorf("%+v is taken for an operation", o)
		}
	}
}

func TestMergeRefusesWhatIsNoPartialResult(t *testing.T) {
	o := job.Operation{Kind: job.OpCountBy, Fields: []string{"a"}}
	p, err := operation.Start(context.Background(), operation.Options{Operation: &o, Role: job.RoleReduce}, new(recorder))
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Pairs([]byte("\"x\"\t{\"a\":1}\n"))
	if err := p.Close(); err == nil || !bytes.Contains([]byte(err.Error()), []byte("no partial result of count_by")) {
		t.Errorf("%v", err)
	}
}
