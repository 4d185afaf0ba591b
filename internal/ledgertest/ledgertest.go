package ledgertest

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// Report asserts what a report says of files and records. That of a task that failed may stop short of the end, but says of nothing that it
// is done twice.
func Report(t testing.TB, r *job.Report) {
	t.Helper()
	if r.Cause == job.CauseDone {
		if err := r.Ledger.Check(); err != nil {
			t.Errorf("%s: %v", r.Task, err)
		}
		if err := r.Covers.Check(); err != nil {
			t.Errorf("%s, what its result stands for: %v", r.Task, err)
		}
		quarantined := int64(0)
		if r.Quarantine != nil {
			quarantined = r.Quarantine.Records
		}
		if quarantined != r.Ledger.Records.Quarantined {
			t.Errorf("%s: %d records are quarantined, and %d are in the quarantine", r.Task, r.Ledger.Records.Quarantined, quarantined)
		}
	}
	if f := r.Ledger.Files; f.Done+f.Failed > f.Planned {
		t.Errorf("%s: %d files planned, and %d done, %d failed", r.Task, f.Planned, f.Done, f.Failed)
	}
	if l := r.Ledger.Records; l.Mapped+l.Filtered+l.Quarantined > l.Read {
		t.Errorf("%s: %d records read, and %d mapped, %d filtered, %d quarantined", r.Task, l.Read, l.Mapped, l.Filtered, l.Quarantined)
	}
}

// State asserts the same of all reports and results that a state has.
func State(t testing.TB, db *state.DB) {
	t.Helper()
	reports, err := filepath.Glob(filepath.Join(db.Dir(), "runs", "*", "*", "*", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range reports {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the test runs on
		}
		var r job.Report
		if json.Unmarshal(text, &r) != nil || r.Version != job.Version {
			continue // tests also make such
		}
		Report(t, &r)
		if result, err := db.Report(context.Background(), r.Key); err == nil {
			Report(t, &result.Report)
		}
	}
}

// Folder asserts the same of every state below a folder. States that cannot be opened, as tests make some, are passed over.
func Folder(t testing.TB, root string) {
	t.Helper()
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "state.db" {
			return nil // tests also leave folders that nobody may read
		}
		db, err := state.Open(context.Background(), filepath.Dir(path))
		if err != nil {
			return nil // see above
		}
		defer db.Close()
		State(t, db)
		return nil
	})
}
