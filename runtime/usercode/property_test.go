package usercode_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// compact is what encoding/json makes of a value, without escapes that are not needed.
func compact(t *rapid.T, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	// encoding/json escapes these two of its own accord.
	return strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSuffix(b.String(), "\n"))
}

// drawJSON draws a value. Numbers are whole, so that every language writes them alike, objects have at most one member,
// and text has no backslash, so that no escape can be mistaken for another.
func drawJSON(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]any{nil, true, false}).Draw(t, "word")
	case 1:
		return rapid.IntRange(-1<<52, 1<<52).Draw(t, "number")
	case 2, 3:
		return strings.ReplaceAll(rapid.String().Draw(t, "text"), `\`, "/")
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawJSON(t, depth-1))
		}
		return list
	}
	return map[string]any{strings.ReplaceAll(rapid.String().Draw(t, "name"), `\`, "/"): drawJSON(t, depth-1)}
}

// The pairs that a map emits, with whatever values and in whatever blocks, are those that it was given.
func TestPairsComeThrough(t *testing.T) {
	for language, source := range map[string]string{
		"python":     "def map(r):\n  for p in r.value: yield p",
		"javascript": "exports.map = (r) => r.value",
	} {
		code := write(t, language, "taf", "m"+extension[language], source)
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				var blocks []*usercode.Block
				var want strings.Builder
				for range rapid.IntRange(1, 4).Draw(rt, "blocks") {
					var records []string
					for range rapid.IntRange(0, 5).Draw(rt, "records") {
						pairs := []any{}
						for range rapid.IntRange(0, 3).Draw(rt, "pairs") {
							k, v := drawJSON(rt, 2), drawJSON(rt, 2)
							pairs = append(pairs, []any{k, v})
							fmt.Fprintf(&want, "%s\t%s\n", compact(rt, k), compact(rt, v))
						}
						records = append(records, compact(rt, pairs))
					}
					blocks = append(blocks, block("f", false, records...))
				}
				r, err := runMap(t, usercode.Options{Code: code, Format: "jsonl"}, blocks...)
				if err != nil || len(r.bad) > 0 {
					rt.Fatalf("%v, bad %q", err, r.bad)
				}
				if diff := cmp.Diff(want.String(), r.pairs.String()); diff != "" {
					rt.Error(diff)
				}
			})
		})
	}
}

// The keys and values that a reduce is given, in whatever pieces, are those of the pairs, also where a streaming program reads.
func TestGroupsComeThrough(t *testing.T) {
	for language, source := range map[string]string{
		"python":     "def reduce(key, values):\n  return list(values)",
		"javascript": "exports.reduce = (key, values) => [...values]",
	} {
		code := write(t, language, "taf", "m"+extension[language], source)
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				var in []string
				var want strings.Builder
				for i := range rapid.IntRange(0, 5).Draw(rt, "keys") {
					key := compact(rt, []any{i, drawJSON(rt, 1)})
					var values []string
					// Values of about a chunk's size now and then, so that keys go over chunks and frames.
					for range rapid.IntRange(1, 6).Draw(rt, "values") {
						v := drawJSON(rt, 1)
						if rapid.IntRange(0, 9).Draw(rt, "big") == 0 {
							v = strings.Repeat("é", rapid.IntRange(0, 400_000).Draw(rt, "size"))
						}
						values = append(values, compact(rt, v))
						in = append(in, key+"\t"+values[len(values)-1]+"\n")
					}
					fmt.Fprintf(&want, "%s\t[%s]\n", key, strings.Join(values, ","))
				}
				r, _, err := runPairs(t, usercode.Options{Role: job.RoleReduce, Code: code, Form: job.FormPairs}, in...)
				if err != nil {
					rt.Fatal(err)
				}
				if want.String() != r.pairs.String() {
					rt.Errorf("got %.1000q, want %.1000q", r.pairs.String(), want.String())
				}
			})
		})
	}
}
