package mapper

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/remote"
)

// stored is a planned file of a store that is reached over a network.
type stored struct {
	plan   job.File
	object *remote.Object
}

func (s *stored) open(ctx context.Context, at int64) (io.ReadCloser, error) {
	body, err := s.object.Open(ctx, at)
	if err != nil {
		return nil, s.judge(err)
	}
	return body, nil
}

// judge makes failures of errors that another attempt does not mend.
func (s *stored) judge(err error) error {
	var e *remote.Error
	if !errors.As(err, &e) || e.Kind == remote.Temporary {
		return err
	}
	cause := job.CauseDownload
	if e.Kind == remote.Changed {
		cause = job.CauseDrifted
	}
	f := fail(cause, e.Text).at(job.Place{File: s.plan.Key})
	f.Hint = e.Hint
	return f
}

// drifted compares what was read with the checksum that the store has. All of one body is of one file, so there is nothing else to look at.
func (s *stored) drifted(whole bool) error {
	if !whole {
		return nil
	}
	if err := s.object.Verify(); err != nil {
		err = s.judge(err)
		if f := (*failure)(nil); errors.As(err, &f) {
			f.unsound = true
		}
		return err
	}
	return nil
}

// lost says what the last failed attempt means.
func (s *stored) lost(err error, attempts int) *failure {
	times := "1 attempt"
	if attempts != 1 {
		times = fmt.Sprintf("%d attempts", attempts)
	}
	e := fail(job.CauseDownload, fmt.Sprintf("file %s cannot be fetched, after %s: %v", s.plan.Key, times, err)).at(job.Place{File: s.plan.Key})
	e.Hint = "look at the network and the server, then run again: what is done is kept; retry { download { … } } sets attempts and timeout"
	return e
}
