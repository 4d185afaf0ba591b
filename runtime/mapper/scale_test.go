package mapper_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

// What does not fit into memory goes to disk. These tests run tasks as processes in a control group: the kernel kills what takes more. bench/memory
// does the same with 50 million keys.

// limited runs a task in a group that may take what the spec says. Programs that look for races take several times as much.
func limited(t *testing.T, spec *job.Spec) result {
	t.Helper()
	limit := spec.Limits.Memory
	if raceEnabled {
		limit *= 5
	}
	group := require.MemoryGroup(t, limit)
	cmd, dir := process(t, spec)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", group.Enter() + " && exec " + cmd.Path}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if n := group.Kills(); n > 0 {
		t.Fatalf("the kernel killed %d processes for want of memory\n%s", n, out.String())
	}
	return result{report(t, dir), dir, out.String()}
}

// 400,000 distinct keys from one record, about 100 MB for a program that keeps them, through a map and a reduce in 64 MiB each.
func TestManyKeysInLittleMemory(t *testing.T) {
	require.Tool(t, "python3")
	const n = 400_000
	m := helperSpec("python", fmt.Sprintf("def map(r):\n    for i in range(%d):\n        yield 'key-%%07d' %% (i * 7919 %% %d), i\n", n, n))(t, plan(t, [2]string{"a", "go\n"}))
	m.Partitions, m.Limits.Memory = 3, 64<<20
	mapped := limited(t, m)
	if mapped.Cause != job.CauseDone || mapped.Ledger.Records.Emitted != n {
		t.Fatalf("%s %+v %+v", mapped.Cause, mapped.Failure, mapped.Ledger)
	}
	if spills := strings.Count(strings.Join(mapped.events(t), "\n"), "spill"); spills < 2 {
		t.Errorf("only %d sorted runs were written: all fits into memory, so this tests nothing", spills)
	}
	up := mapped.upstream()
	var keys int64
	sum := 0
	for _, p := range up.Parts {
		r := *m
		r.Task, r.Role, r.Format, r.Files, r.Partitions = "reduce.r", job.RoleReduce, "", nil, 1
		code := *m.Code
		r.Code = &code
		writeFile(t, filepath.Join(code.Dir, code.Entry), "def reduce(key, values):\n    return sum(values)\n")
		one := up
		one.Parts = []job.Part{p}
		r.Upstream = []job.Upstream{one}
		reduced := limited(t, &r)
		if reduced.Cause != job.CauseDone {
			t.Fatalf("%s %+v", reduced.Cause, reduced.Failure)
		}
		keys += reduced.Ledger.Records.Emitted
		reduced.each(t, func(_, value []byte) {
			var v int
			_, _ = fmt.Sscan(string(value), &v)
			sum += v
		})
	}
	if keys != n || sum != n*(n-1)/2 {
		t.Errorf("%d keys with the sum %d, want %d with %d", keys, sum, n, n*(n-1)/2)
	}
}

// A key with very many values streams through a reduce, in Python and JavaScript.
func TestManyValuesInLittleMemory(t *testing.T) {
	const n = 2_000_000
	dir := t.TempDir()
	w, err := pairs.CreatePart(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pairs.AppendKey(nil, []byte(`"one"`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Add(key, fmt.Appendf(nil, "[%d,\"%032d\"]", i, i)); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	part.Path = filepath.Join(dir, part.Path)
	for language, source := range map[string]string{
		"python":     "def reduce(key, values):\n    return sum(v[0] for v in values)\n",
		"javascript": "exports.reduce = (key, values) => { let sum = 0; for (const v of values) sum += v[0]; return sum; };\n",
	} {
		t.Run(language, func(t *testing.T) {
			require.Tool(t, map[string]string{"python": "python3", "javascript": "node"}[language])
			spec := helperSpec(language, source)(t, nil)
			spec.Task, spec.Role, spec.Format, spec.Limits.Memory = "reduce.r", job.RoleReduce, "", 200<<20 // node takes 100 to begin with
			spec.Upstream = []job.Upstream{{Task: "map.m", Parts: []job.Part{part}, Form: job.FormPairs}}
			r := limited(t, spec)
			if want := fmt.Sprintf("one %d\n", n*(n-1)/2); r.Cause != job.CauseDone || r.text(t) != want {
				t.Errorf("%s %+v %q, want %q", r.Cause, r.Failure, r.text(t), want)
			}
		})
	}
}

// A line that is longer than any memory is an error that says where it is and what to do, for each format that is made of lines.
func TestLineOfAGigabyte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(path, []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil { // NULs that take no place on the disk
		t.Skipf("no file of a gigabyte can be made: %v", err)
	}
	for _, tt := range []struct {
		format         string
		memory, record int64
		cause          job.Cause
		message, hint  string
	}{
		{"lines", 128 << 20, 16 << 20, job.CauseCorrupt, "record 2 at byte 3 is longer than the limit of 16777216 bytes", "raise max_record"},
		{"jsonl", 128 << 20, 16 << 20, job.CauseCorrupt, "record 2 at byte 3 is longer than the limit of 16777216 bytes", "raise max_record"},
		{"telemetry", 128 << 20, 16 << 20, job.CauseCorrupt, "record 2 at byte 3 is longer than the limit of 16777216 bytes", "raise max_record"},
		{"csv", 128 << 20, 16 << 20, job.CauseCorrupt, "record 1 at byte 3 is longer than the limit of 16777216 bytes", "raise max_record"},
		{"whole", 128 << 20, 16 << 20, job.CauseCorrupt, "record 1 at byte 0 is longer than the limit of 16777216 bytes", "raise max_record"},
		{"lines", 128 << 20, 1 << 30, job.CauseMemory, "record 2 at byte 3 is longer than the limit of 33554432 bytes, a quarter of the task's memory", "more memory"},
	} {
		t.Run(fmt.Sprint(tt.format, tt.record>>20), func(t *testing.T) {
			spec := shell([]job.File{planned(t, "long", path)}, "cat > /dev/null")
			spec.Format, spec.Limits.Memory, spec.Limits.Record = tt.format, tt.memory, tt.record
			spec.Tolerate.BadRecords = job.Limit{Count: 5}
			r := limited(t, spec)
			if r.Cause != tt.cause || !strings.Contains(r.Failure.Message, tt.message) || !strings.Contains(r.Failure.Hint, tt.hint) {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
		})
	}
}

// each gives fn the pairs of a result.
func (r result) each(t *testing.T, fn func(key, value []byte)) {
	t.Helper()
	for _, p := range r.Parts {
		p.Path = filepath.Join(r.dir, p.Path)
		src, err := pairs.Part(p)()
		if err != nil {
			t.Fatal(err)
		}
		for {
			key, value, err := src.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			fn(key, value)
		}
		src.Close()
	}
}
