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

// The pairs that a map emits, with whatever values and in whatever blocks, are those that it was given. One program is given
// all that is drawn.
func TestPairsComeThrough(t *testing.T) {
	var blocks []*usercode.Block
	var want strings.Builder
	rapid.Check(t, func(t *rapid.T) {
		var records []string
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			pairs := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "pairs") {
				k, v := drawJSON(t, 2), drawJSON(t, 2)
				pairs = append(pairs, []any{k, v})
				fmt.Fprintf(&want, "%s\t%s\n", compact(t, k), compact(t, v))
			}
			records = append(records, compact(t, pairs))
		}
		blocks = append(blocks, block("f", false, records...))
	})
	for language, source := range map[string]string{
		"python":     "def map(r):\n  for p in r.value: yield p",
		"javascript": "exports.map = (r) => r.value",
	} {
		t.Run(language, func(t *testing.T) {
			r, err := runMap(t, usercode.Options{Code: write(t, language, "taf", "m"+extension[language], source), Format: "jsonl"}, blocks...)
			if err != nil || len(r.bad) > 0 || r.done != len(blocks) {
				t.Fatalf("%v, bad %q, %d blocks done", err, r.bad, r.done)
			}
			if diff := cmp.Diff(want.String(), r.pairs.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The keys and values that a reduce is given, in whatever pieces, are those of the pairs. One program is given all that is
// drawn.
func TestGroupsComeThrough(t *testing.T) {
	var in []string
	var want strings.Builder
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		key := compact(t, []any{number, drawJSON(t, 1)})
		var values []string
		// Values of about a chunk's size now and then, so that keys go over chunks and frames.
		for range rapid.IntRange(1, 6).Draw(t, "values") {
			v := drawJSON(t, 1)
			if rapid.IntRange(0, 9).Draw(t, "big") == 0 {
				v = strings.Repeat("é", rapid.IntRange(0, 400_000).Draw(t, "size"))
			}
			values = append(values, compact(t, v))
			in = append(in, key+"\t"+values[len(values)-1]+"\n")
		}
		fmt.Fprintf(&want, "%s\t[%s]\n", key, strings.Join(values, ","))
	})
	for language, source := range map[string]string{
		"python":     "def reduce(key, values):\n  return list(values)",
		"javascript": "exports.reduce = (key, values) => [...values]",
	} {
		t.Run(language, func(t *testing.T) {
			o := usercode.Options{Role: job.RoleReduce, Code: write(t, language, "taf", "m"+extension[language], source), Form: job.FormPairs}
			r, _, err := runPairs(t, o, in...)
			if err != nil {
				t.Fatal(err)
			}
			if want.String() != r.pairs.String() {
				t.Errorf("got %.1000q, want %.1000q", r.pairs.String(), want.String())
			}
		})
	}
}
