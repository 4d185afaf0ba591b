package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// sleeper is a Runner whose attempts only take time.
type sleeper struct {
	took   time.Duration
	cause  func(a *engine.Attempt) job.Cause
	record error
}

func (s *sleeper) Reuse(context.Context, *engine.Attempt) (*job.Report, error) { return nil, nil }
func (s *sleeper) Record([]engine.Event) error                                 { return s.record }
func (s *sleeper) Partial(*engine.Task) bool                                   { return false }

func (s *sleeper) Run(ctx context.Context, a *engine.Attempt, progress func(job.Progress)) (*engine.Ended, error) {
	progress(job.Progress{Records: 1})
	select {
	case <-time.After(s.took):
		return &engine.Ended{Report: &job.Report{Cause: s.cause(a)}}, nil
	case <-ctx.Done():
		return nil, nil
	}
}

func twoTasks() *engine.Run {
	a := &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: "map", Name: "a"}}, Key: "a"}
	a.Retry = engine.Retry{Attempts: 2, On: []string{"download"}, Delay: time.Minute}
	b := &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: "map", Name: "b"}}, Key: "b", Needs: []*engine.Task{a}}
	return &engine.Run{ID: "r", Tasks: []*engine.Task{a, b}}
}

func TestDriveWaitsForTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sleeper{took: time.Second, cause: func(a *engine.Attempt) job.Cause {
			if a.Task.Key == "a" && a.Number == 1 {
				return job.CauseDownload
			}
			return job.CauseDone
		}}
		begin := time.Now()
		out, err := engine.Drive(t.Context(), twoTasks(), 2, s, nil)
		if err != nil || len(out.Failed) > 0 || out.Interrupted {
			t.Fatalf("outcome %+v, %v", out, err)
		}
		if took := time.Since(begin); took < 33*time.Second || took > 63*time.Second {
			t.Errorf("took %s, want three attempts of a second and a delay of half a minute to a minute", took)
		}
	})
}

func TestDriveInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &sleeper{took: time.Hour, cause: func(*engine.Attempt) job.Cause { return job.CauseDone }}
		progress := 0
		out, err := engine.Drive(ctx, twoTasks(), 2, s, func(e engine.Event) {
			if e.Progress != nil {
				progress++
			}
		})
		if err != nil || !out.Interrupted || progress != 1 {
			t.Errorf("outcome %+v, %v, %d times progress", out, err, progress)
		}
		for a, state := range out.States {
			if state != engine.Cancelled {
				t.Errorf("%s is %s", a, state)
			}
		}
	})
}

func TestDriveStopsWhenItCannotRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		s := &sleeper{took: time.Hour, cause: func(*engine.Attempt) job.Cause { return job.CauseDone }, record: full}
		if _, err := engine.Drive(t.Context(), twoTasks(), 2, s, nil); !errors.Is(err, full) {
			t.Errorf("error %v, want that the disk is full", err)
		}
	})
}
