package local_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/state"
)

// TestMain makes the test binary its own task program, and the process that the kill test kills.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "__task" {
		os.Exit(enginetest.Task(os.Args[2]))
	}
	if dir := os.Getenv("LOCAL_TEST_APPLY"); dir != "" {
		if err := applyMany(dir, os.Getenv("LOCAL_TEST_RUN")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
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
