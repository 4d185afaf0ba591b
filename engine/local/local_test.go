package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/state"
)

// TestMain makes the test binary its own task program, and the process that the kill test kills.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "__task" {
		os.Exit(runTask(os.Args[2]))
	}
	if dir := os.Getenv("LOCAL_TEST_APPLY"); dir != "" {
		if err := applyMany(dir, os.Getenv("LOCAL_TEST_RUN")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv("LOCAL_TEST_CONTAINER"); dir != "" {
		if err := applyContained(dir, "run-1"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Under the race detector each process would sleep for a second at its end; the children inherit this.
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

// runTask is the task program. Where LOCAL_TEST_FINISHED names a file, it appends the address of each task that is done, after
// its report.
func runTask(spec string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	code := mapper.Main(ctx, spec, mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	file := os.Getenv("LOCAL_TEST_FINISHED")
	if file == "" || code != 0 {
		return code
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err == nil {
		// The folder of an attempt is runs/RUN/TASK/ATTEMPT.
		_, err = fmt.Fprintln(f, filepath.Base(filepath.Dir(filepath.Dir(spec))))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

func newEngine(db *state.DB, workers int) (*local.Engine, error) {
	return local.New(local.Options{State: db, Workers: workers, Grace: 200 * time.Millisecond, Stop: time.Second})
}

func TestConformance(t *testing.T) {
	enginetest.Suite(t, func(t *testing.T, db *state.DB, workers int) engine.Engine {
		e, err := newEngine(db, workers)
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

func openState(t *testing.T) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), filepath.Join(t.TempDir(), ".taf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ledgertest.State(t, db)
		_ = db.Close()
	})
	return db
}

func apply(t *testing.T, db *state.DB, run *engine.Run) *engine.Outcome {
	t.Helper()
	out, err := mustEngine(t, db, "", nil).Apply(t.Context(), run, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mustEngine makes an engine whose tasks are this program, unless another is given.
func mustEngine(t *testing.T, db *state.DB, executable string, args []string) *local.Engine {
	t.Helper()
	e, err := local.New(local.Options{State: db, Workers: 2, Executable: executable, TaskArgs: args})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
