package usercode_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// withoutOrjson is an environment in which Python finds no orjson.
func withoutOrjson(t *testing.T) map[string]string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "orjson.py"), []byte("raise ImportError('not in this test')\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"PYTHONPATH": dir}
}

// TestPacked compares the values that the task prepares for Python with what its json makes of the same records, also when they are asked
// for long after their block.
func TestPacked(t *testing.T) {
	require.Tool(t, "python3")
	code := write(t, "python", "", "m.py", `
import json

kept = []


def check(record):
    want = json.loads(record.bytes.decode())
    if repr(record.value) != repr(want):
        raise AssertionError("%r is %r, not %r" % (record.bytes, record.value, want))


def map(record):
    record.context.count("packed", int(record._packed is not None))
    if record.key == "later":
        kept.append(record)
        return
    check(record)


def finish(context):
    for record in kept:
        check(record)
    yield "kept", len(kept)
`)
	var blocks []*usercode.Block
	lines := func(key string) (lines []string) {
		for _, text := range curious {
			lines = append(lines, key+"\t"+text)
		}
		return lines
	}
	for _, line := range append(lines("now"), lines("now")...) {
		blocks = append(blocks, block("f", true, line))
	}
	blocks = append(blocks, block("f", true, lines("now")...), block("f", true, "later\t{\"a\":[1,2]}", "later\t[3,4]"), block("f", true, lines("now")...))
	r, err := runMap(t, usercode.Options{Code: code, Format: "telemetry", Env: withoutOrjson(t)}, blocks...)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range r.errs {
		if bad.Cause != job.CauseCorrupt {
			t.Errorf("%+v", bad)
		}
	}
	packed := 0
	for _, line := range r.counts {
		var n int
		if _, err := fmt.Sscanf(line, "packed %d", &n); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		packed += n
	}
	if packed < 30 || len(r.bad) < 15 {
		t.Errorf("%d values were packed and %d records bad: too few to tell", packed, len(r.bad))
	}
	if got := r.pairs.String(); got != "\"kept\"\t2\n" {
		t.Errorf("finish gave %q", got)
	}
}
