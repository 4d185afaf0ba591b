package local_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// manyRun is the run of the kill test: 12 map tasks of some milliseconds, two reduces over half of them each, and one over those.
func manyRun(tb testing.TB, dir, id string) *engine.Run {
	b := enginetest.NewBuild(tb, dir, id)
	var halves []*engine.Task
	for h := range 2 {
		var maps []*engine.Task
		for i := range 6 {
			m := b.Map("words", fmt.Sprintf("%d-%d", h, i), fmt.Sprintf("w%d\nw%d\n", i, h), "sleep 0.03; cat")
			maps = append(maps, m)
		}
		half := b.Reduce(fmt.Sprintf("half%d", h), "", maps...)
		half.Spec.Role, half.Spec.Command = job.RoleGather, nil // each has files of its own, unlike the partitions of a reduce
		halves = append(halves, half)
	}
	b.Reduce("total", "sort", halves...)
	return b.Run
}

// applyMany is what the killed process does.
func applyMany(dir, id string) error {
	ctx := context.Background()
	db, err := state.Open(ctx, filepath.Join(dir, ".taf"))
	if err != nil {
		return err
	}
	e, err := newEngine(db, 3)
	if err != nil {
		return err
	}
	// Without a test there is nobody to fail: Build only reports errors of writing its input.
	out, err := e.Apply(ctx, manyRun(&testing.T{}, dir, id), nil)
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("%s failed", out.Failed[0].Addr)
	}
	return errors.Join(err, db.Close())
}

func TestKillAtRandomMoments(t *testing.T) {
	kills := 30
	if testing.Short() {
		kills = 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	want := ""
	for round := 0; kills > 0; round++ {
		dir := t.TempDir()
		for n := 1; ; n++ {
			var after time.Duration // 0: to the end
			if n <= 4 && kills > 0 {
				kills--
				after = time.Duration(20+random.IntN(280)) * time.Millisecond
			}
			killed := applyAndKill(t, dir, fmt.Sprintf("run-%03d", n), after)
			if !killed {
				break
			}
		}
		got := checkMany(t, dir)
		if want == "" {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round %d: another result:\n%s", round, diff)
		}
	}
}

// applyAndKill runs applyMany in a process and kills it after a time, unless it ends before.
func applyAndKill(t *testing.T, dir, id string, after time.Duration) (killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LOCAL_TEST_APPLY="+dir, "LOCAL_TEST_RUN="+id,
		"LOCAL_TEST_FINISHED="+filepath.Join(dir, "finished"))
	log, err := os.Create(filepath.Join(dir, "log-"+id))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var timer <-chan time.Time
	if after > 0 {
		timer = time.After(after)
	}
	select {
	case err := <-ended:
		if err != nil {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("run %s: %v\n%s", id, err, text)
		}
		return false
	case <-timer:
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		<-ended
		return true
	}
}

// checkMany checks what is left after the last apply, and returns the result.
func checkMany(t *testing.T, dir string) string {
	t.Helper()
	finished, err := os.ReadFile(filepath.Join(dir, "finished"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, task := range strings.Fields(string(finished)) {
		if counts[task]++; counts[task] > 1 {
			t.Errorf("%s was finished and done again", task)
		}
	}
	db, err := state.Open(t.Context(), filepath.Join(dir, ".taf"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ledgertest.State(t, db)
	if h, err := db.Holder(); h != nil || err != nil {
		t.Errorf("the lock is held by %v, %v", h, err)
	}
	if running, err := db.RunningAttempts(t.Context()); len(running) > 0 || err != nil {
		t.Errorf("attempts still running: %v, %v", running, err)
	}
	run := manyRun(t, t.TempDir(), "check")
	r, err := db.Result(t.Context(), run.Tasks[len(run.Tasks)-1].Key)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Report.Covers.Files; got.Planned != 12 || got.Done != 12 {
		t.Errorf("the result stands for %+v, want 12 files", got)
	}
	// The bytes of a result do not depend on how it came about, so its digest says enough.
	return r.Report.Parts[0].Digest
}
