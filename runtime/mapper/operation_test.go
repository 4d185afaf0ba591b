package mapper_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
)

// operationSpec is a map with an operation instead of code.
func operationSpec(o job.Operation, format string, files []job.File) *job.Spec {
	s := mapSpec(files)
	s.Code, s.Operation, s.Format = nil, &o, format
	return s
}

func TestOperationOverFiles(t *testing.T) {
	files := plan(t, [2]string{"a.gz", "1\t{\"os\":\"Linux\",\"n\":1}\n2\t{\"os\":\"Darwin\",\"n\":2}\n3\t{\"n\":5}\n"}, [2]string{"b", "4\t{\"os\":\"Linux\",\"n\":\"x\"}\n"})
	o := job.Operation{Kind: job.OpCountBy, Fields: []string{"os"}}
	spec := operationSpec(o, "telemetry", files)
	spec.Where = []job.Condition{{Field: "n", Op: job.OpOneOf, Values: []json.RawMessage{[]byte("1.0"), []byte("5"), []byte(`"x"`)}}}
	r := run(t, spec)
	if diff := cmp.Diff(job.RecordLedger{Read: 4, Mapped: 3, Filtered: 1, Emitted: 2}, r.Ledger.Records); diff != "" || r.Cause != job.CauseDone {
		t.Errorf("%s %+v\n%s", r.Cause, r.Failure, diff)
	}
	if diff := cmp.Diff("null 1\nLinux 2\n", r.text(t)); diff != "" {
		t.Error(diff)
	}
	reduce := &job.Spec{Version: job.Version, Task: "reduce.total", Role: job.RoleReduce, Upstream: []job.Upstream{r.upstream(), r.upstream()}, Partitions: 1, Operation: &o}
	if got := run(t, reduce).text(t); got != "null 2\nLinux 4\n" {
		t.Errorf("merged: %s", got)
	}
}

func TestNumbersOfRecordsBehindAConditionAreThoseOfTheFile(t *testing.T) {
	files := plan(t, [2]string{"a", "{\"k\":1,\"n\":1}\n{\"k\":0}\n{\"k\":0}\n{\"k\":1,\"n\":\"x\"}\n{\"k\":1,\"n\":2}\n{broken\n"})
	spec := operationSpec(job.Operation{Kind: job.OpSum, Fields: []string{"n"}}, "jsonl", files)
	spec.Where = []job.Condition{{Field: "k", Op: job.OpOneOf, Values: []json.RawMessage{[]byte("1")}}}
	r := run(t, spec)
	if r.Cause != job.CauseCode || r.Failure == nil || r.Failure.Record != 4 || !strings.Contains(r.Failure.Message, "not a number") {
		t.Errorf("%s %+v", r.Cause, r.Failure)
	}
	spec.Tolerate.BadRecords = job.Limit{Count: 2}
	r = run(t, spec)
	if diff := cmp.Diff(job.RecordLedger{Read: 6, Mapped: 2, Filtered: 2, Quarantined: 2, Emitted: 1}, r.Ledger.Records); diff != "" || r.text(t) != "n 3\n" {
		t.Errorf("%s %+v %s\n%s", r.Cause, r.Failure, r.text(t), diff)
	}
}

func TestColumnsOfTables(t *testing.T) {
	files := plan(t, [2]string{"a.csv", "country,amount\nDE,1.50\nFR,\nDE,2\nXX,7\n"})
	spec := operationSpec(job.Operation{Kind: job.OpSum, Fields: []string{"amount"}, By: []string{"country"}, Texts: true}, "csv", files)
	spec.Where = []job.Condition{{Field: "country", Op: job.OpGlob, Values: []json.RawMessage{[]byte(`"[A-W]*"`)}}}
	if r := run(t, spec); r.text(t) != "DE 3.5\nFR 0\n" || r.Ledger.Records.Filtered != 1 {
		t.Errorf("%s %+v %s %+v", r.Cause, r.Failure, r.text(t), r.Ledger.Records)
	}
}

// TestResultsOfOperationsDoNotDependOnMemory has more groups than memory holds.
func TestResultsOfOperationsDoNotDependOnMemory(t *testing.T) {
	var text strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&text, "{\"k\":\"key-%d\"}\n", i*7919%150_000)
	}
	files := plan(t, [2]string{"a", text.String()})
	var digests []string
	for _, memory := range []int64{64 << 20, 1 << 30} {
		spec := operationSpec(job.Operation{Kind: job.OpCountBy, Fields: []string{"k"}}, "jsonl", files)
		spec.Limits.Memory = memory
		r := run(t, spec)
		if r.Cause != job.CauseDone || r.Parts[0].Pairs != 150_000 {
			t.Fatalf("%s %+v %+v", r.Cause, r.Failure, r.Parts)
		}
		data, err := os.ReadFile(filepath.Join(r.dir, r.Parts[0].Path))
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, string(data))
	}
	if digests[0] != digests[1] {
		t.Error("the results differ")
	}
}
