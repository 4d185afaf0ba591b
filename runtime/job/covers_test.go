package job_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
)

func covering(records int64, planned int64, lost ...string) job.Ledger {
	l := job.Ledger{Files: job.FileLedger{Planned: planned, Done: planned - int64(len(lost)), Failed: int64(len(lost))}}
	l.Records = job.RecordLedger{Read: records, Mapped: records}
	for _, key := range lost {
		l.Files.Losses = append(l.Files.Losses, job.FailedFile{Key: key})
	}
	return l
}

func TestCovered(t *testing.T) {
	tests := []struct {
		name  string
		whole bool
		in    []job.Ledger
		want  job.Ledger
	}{
		{"nothing", false, nil, job.Ledger{}},
		{"batches", false, []job.Ledger{covering(3, 2, "a"), covering(4, 5)}, covering(7, 7, "a")},
		{"partitions", true, []job.Ledger{covering(7, 5), covering(7, 5), covering(7, 5)}, covering(7, 5)},
		{"partitions, all without the same file", true, []job.Ledger{covering(7, 5, "b"), covering(7, 5, "b")}, covering(7, 5, "b")},
		{"the first partition lost more", true, []job.Ledger{covering(4, 5, "a", "b"), covering(7, 5, "b")}, covering(4, 5, "a", "b")},
		{"a later partition lost more", true, []job.Ledger{covering(7, 5), covering(4, 5, "a", "b"), covering(7, 5)}, covering(4, 5, "a", "b")},
		{"each lost another file", true, []job.Ledger{covering(5, 5, "b"), covering(6, 5, "a")}, covering(5, 5, "a", "b")},
	}
	for _, tt := range tests {
		var ups []job.Upstream
		for _, l := range tt.in {
			ups = append(ups, job.Upstream{Covers: l, Whole: tt.whole})
		}
		if diff := cmp.Diff(tt.want, job.Covered(ups)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
