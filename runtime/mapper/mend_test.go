package mapper_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
)

// kept is a report as the state keeps it: with absolute paths.
func (r result) kept() *job.Report {
	k := *r.Report
	k.Parts = nil
	for _, p := range r.Parts {
		p.Path = filepath.Join(r.dir, p.Path)
		k.Parts = append(k.Parts, p)
	}
	if k.Quarantine != nil {
		q := *k.Quarantine
		q.Path = filepath.Join(r.dir, q.Path)
		k.Quarantine = &q
	}
	return &k
}

func telemetry(files []job.File, tolerated int64) *job.Spec {
	spec := mapSpec(files)
	spec.Format, spec.Partitions, spec.Tolerate.BadRecords = "telemetry", 3, job.Limit{Count: tolerated}
	return spec
}

// Only the quarantined records are mapped with the new code; the rest is taken over, and the ledger is that of the whole.
func TestMend(t *testing.T) {
	files := plan(t, [2]string{"a", "i\tx\ni\traise\nbad\ni\tx y\n"}, [2]string{"b.gz", "i\tnot json\ni\tdie\ni\tz\n"})
	first := run(t, telemetry(files, 9))
	if first.Cause != job.CauseDone || first.Quarantine.Records != 4 || first.Quarantine.Unframed != 1 {
		t.Fatalf("%s %+v %+v", first.Cause, first.Failure, first.Quarantine)
	}
	spec := telemetry(files, 9)
	spec.Key, spec.Code.Entry, spec.Mend = "k2", "fixed.py", first.kept()
	for _, f := range files {
		remove(t, path(f)) // the records are in the quarantine
	}
	second := run(t, spec)
	if second.Cause != job.CauseDone || second.Mended != "k" || !second.Partial {
		t.Fatalf("%s %+v", second.Cause, second.Failure)
	}
	// What was mapped before is not mapped again, and "not json again" is words now.
	want := strings.Fields("again1 die1 fixed1 fixed1 json1 not1 raise1 x1 x1 y1 z1")
	if diff := cmp.Diff(want, sortedWords(second.text(t))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a:3@12 corrupt bad"}, second.quarantine(t)); diff != "" {
		t.Error(diff)
	}
	l := second.Ledger
	if l.Files.Planned != 2 || l.Files.Done != 2 || l.Records != (job.RecordLedger{Read: 7, Mapped: 6, Quarantined: 1, Emitted: 11}) {
		t.Errorf("ledger %+v", l)
	}
	if diff := cmp.Diff(l, second.Covers); diff != "" {
		t.Error(diff)
	}
	if second.Counters["records"] != first.Counters["records"]+3 {
		t.Errorf("counters %v, then %v", first.Counters, second.Counters)
	}

	// The same code again: what failed fails, nothing is there twice.
	spec = telemetry(files, 9)
	spec.Mend = second.kept()
	third := run(t, spec)
	if third.Cause != job.CauseDone || third.Ledger.Records != second.Ledger.Records {
		t.Fatalf("%s %+v %+v", third.Cause, third.Failure, third.Ledger)
	}
	if third.Parts[0].Digest != second.Parts[0].Digest || third.Quarantine.Digest != second.Quarantine.Digest {
		t.Error("the result is another one")
	}

	// The policy counts for the whole.
	spec.Tolerate.BadRecords = job.Limit{}
	if r := run(t, spec); r.Cause != job.CauseCorrupt || r.Failure.Record != 3 || r.Failure.Text != "bad" {
		t.Errorf("%s %+v", r.Cause, r.Failure)
	}
}

func sortedWords(text string) []string {
	words := strings.Fields(strings.ReplaceAll(text, " ", ""))
	slices.Sort(words)
	return words
}

func TestMendDamagedQuarantine(t *testing.T) {
	files := plan(t, [2]string{"a", "i\tx\ni\traise\ni\traise\n"})
	first := run(t, telemetry(files, 9))
	whole, err := os.ReadFile(filepath.Join(first.dir, first.Quarantine.Path))
	if err != nil {
		t.Fatal(err)
	}
	other := run(t, telemetry(plan(t, [2]string{"a", "i\traise\ni\traise\n"}), 9)).kept()
	for name, change := range map[string]func(spec *job.Spec, path string){
		"cut":   func(_ *job.Spec, path string) { _ = os.WriteFile(path, whole[:len(whole)/2], 0o644) },
		"gone":  func(_ *job.Spec, path string) { _ = os.Remove(path) },
		"other": func(spec *job.Spec, _ string) { spec.Mend.Quarantine.Path = other.Quarantine.Path },
	} {
		spec := telemetry(files, 9)
		spec.Mend, spec.Code.Entry = first.kept(), "fixed.py"
		q := *spec.Mend.Quarantine
		q.Path = filepath.Join(t.TempDir(), "q")
		if err := os.WriteFile(q.Path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
		spec.Mend.Quarantine = &q
		change(spec, q.Path)
		if r := run(t, spec); r.Cause != job.CauseCorrupt && r.Cause != job.CauseDownload || !strings.Contains(r.Failure.Message, "the quarantine of the earlier result") {
			t.Errorf("%s: %s %+v", name, r.Cause, r.Failure)
		}
	}
}
