package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/state"
)

// populate leaves a result that is in use, one that nothing refers to any more, two bundles, and three runs.
func populate(t *testing.T, db *state.DB) (used, stale state.Result) {
	t.Helper()
	ctx := t.Context()
	code := &bundle.Bundle{Files: []bundle.File{{Path: "m.py", Data: []byte("x")}}}
	for _, name := range []string{"used", "stale"} {
		if err := db.SaveBundle(digest(name), code); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= 3; i++ {
		run := fmt.Sprint("run", i)
		if err := db.BeginRun(ctx, state.Begin{Run: state.Run{ID: run, Analysis: "one"}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			at := state.Attempt{RunID: run, Address: task(name), Attempt: 1, Dir: db.AttemptDir(run, task(name), 1)}
			err := errors.Join(db.BeginAttempt(ctx, at), os.MkdirAll(at.Dir, 0o755),
				os.WriteFile(filepath.Join(at.Dir, "log.txt"), []byte("log"), 0o644))
			at.State = state.AttemptDone
			if err := errors.Join(err, db.EndAttempt(ctx, at)); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.FinishRun(ctx, run, state.Succeeded); err != nil {
			t.Fatal(err)
		}
	}
	stale = put(t, db, finish(t, "one", "a", "old text"))
	f := finish(t, "one", "a", "new text")
	f.Record.Bundle = digest("used")
	used = put(t, db, f) // made by run1, as its attempt a
	if err := os.WriteFile(filepath.Join(filepath.Dir(stale.Report.Parts[0].Path), digest("rubbish")), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	return used, stale
}

func TestGC(t *testing.T) {
	db := open(t, t.TempDir())
	used, stale := populate(t, db)
	want := state.Freed{Results: 1, Blobs: 2, Bundles: 1, Runs: 1, Tasks: 3, Bytes: int64(len("old text") + 1 + 1 + 3*len("log"))}
	for _, dry := range []bool{true, false} {
		freed, err := db.GC(t.Context(), state.Keep{Runs: 1, DryRun: dry})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, freed); diff != "" {
			t.Errorf("dry run %v (-want +got):\n%s", dry, diff)
		}
		if _, err := db.Result(t.Context(), stale.Key); dry != (err == nil) {
			t.Errorf("dry run %v: the stale result gives %v", dry, err)
		}
	}
	if _, err := db.Result(t.Context(), used.Key); err != nil {
		t.Errorf("the used result: %v", err)
	}
	if _, err := os.Stat(filepath.Join(db.BundleDir(digest("used")), "m.py")); err != nil {
		t.Errorf("the used bundle: %v", err)
	}
	runs, err := db.Runs(t.Context(), "one")
	if err != nil || len(runs) != 2 || runs[0].ID != "run3" || runs[1].ID != "run1" {
		t.Errorf("runs %+v, %v; want the last one, and run1 for the used result", runs, err)
	}
	attempts, err := db.Attempts(t.Context(), "one", task("a"))
	if err != nil || len(attempts) != 2 {
		t.Errorf("attempts %+v, %v", attempts, err)
	}
	freed, err := db.GC(t.Context(), state.Keep{Runs: 1})
	if err != nil || freed != (state.Freed{}) {
		t.Errorf("a second gc freed %+v, %v", freed, err)
	}
}

func TestGCKeepsOtherAnalyses(t *testing.T) {
	db := open(t, t.TempDir())
	kept := put(t, db, finish(t, "two", "a", "same text"))
	gone := put(t, db, finish(t, "one", "a", "same text"))
	if err := db.Forget(t.Context(), "one", []addr.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	freed, err := db.GC(t.Context(), state.Keep{})
	if err != nil || freed.Results != 1 || freed.Blobs != 0 {
		t.Errorf("freed %+v, %v; want one result but not its file, which the other one shares", freed, err)
	}
	if _, err := db.Result(t.Context(), kept.Key); err != nil {
		t.Error(err)
	}
	if _, err := db.Result(t.Context(), gone.Key); !errors.Is(err, state.ErrNoResult) {
		t.Errorf("error %v, want that it is gone", err)
	}
}
