package frame_test

import (
	"strings"
	"testing"

	"github.com/tafc/tafc/runtime/frame"
)

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		name, head string
		whole      bool
		want       string
	}{
		{"a.csv", "{\n", true, "csv"},
		{"a.tsv.gz", "a\tb\n", true, "tsv"},
		{"a.NDJSON.zst", "", true, "jsonl"},
		{"a", "id\t{\"x\":1}\nid2\t{}\n", true, "telemetry"},
		{"a.gz", "\xef\xbb\xbf{\"x\":1}\n{}\n", true, "jsonl"},
		{"a.log", "[1,2]", true, "jsonl"},
		{"a.json", "{\n  \"x\": 1\n}\n", true, "whole"},
		{"a.json", "{\n  \"x\": 1", false, "lines"},
		{"a.log", "[info] it began\n", true, "lines"},
		{"a.log", "id\t{not JSON}\n", true, "lines"},
		{"a", "{" + strings.Repeat(" ", 100), false, "jsonl"},
		{"a", "", true, "lines"},
		{".gz", "", true, "lines"},
	} {
		if got := frame.Guess(c.name, []byte(c.head), c.whole); got != c.want {
			t.Errorf("Guess(%q, %q, %t) = %s, want %s", c.name, c.head, c.whole, got, c.want)
		}
	}
}
