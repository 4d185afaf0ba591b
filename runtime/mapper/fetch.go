package mapper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/remote"
)

// origin is where a planned file is.
type origin interface {
	// open gives the bytes of the planned file from an offset on. A *failure is final, after other errors another attempt may do.
	open(ctx context.Context, at int64) (io.ReadCloser, error)
	// drifted looks after reading whether it was the planned file; whole: to its end.
	drifted(whole bool) error
	// lost says what the error of the last attempt means.
	lost(err error, attempts int) *failure
}

// fetched reads one planned file. A read that fails is repeated from where it stopped, as often as the policy says.
type fetched struct {
	ctx    context.Context
	plan   job.File
	policy job.Download
	from   origin
	j      *journal

	body   io.ReadCloser
	at     int64 // bytes read
	failed int   // attempts

	// of the attempt at hand, over a network
	attempt context.Context
	end     context.CancelCauseFunc
	waited  time.Duration
	last    time.Time // when the store was last heard
}

// How long a store may say nothing, and after how long a wait of ours it may have hung up on us.
const (
	stall   = time.Minute
	forsake = 5 * time.Second
)

// origin finds where a planned file is.
func (t *task) origin(plan job.File) (origin, error) {
	if remote.Knows(plan.URL) {
		object, err := t.remote().Object(plan)
		return &stored{plan: plan, object: object}, err
	}
	path, err := localPath(plan.URL)
	return &local{plan: plan, path: path}, err
}

// fetch makes a reader of a planned file, which it does not open.
func (t *task) fetch(ctx context.Context, plan job.File) (*fetched, error) {
	from, err := t.origin(plan)
	if err != nil {
		return nil, fail(job.CauseBadSpec, err.Error()).at(job.Place{File: plan.Key})
	}
	return &fetched{ctx: ctx, plan: plan, policy: t.spec.Download, from: from, j: t.j}, nil
}

// open opens the file and checks that it is the one that was planned.
func (r *fetched) open() error {
	for {
		err := r.try()
		if err == nil {
			return nil
		}
		if stop := r.again(err); stop != nil {
			return stop
		}
	}
}

// try makes one attempt.
func (r *fetched) try() error {
	r.Close()
	r.attempt, r.end = context.WithCancelCause(r.ctx)
	r.waited = 0
	return r.watched(func() (err error) {
		r.body, err = r.from.open(r.attempt, r.at)
		return err
	})
}

// watched ends the attempt when the store lets us wait too long. What the user's code takes does not count.
func (r *fetched) watched(wait func() error) error {
	if _, network := r.from.(*stored); !network {
		return wait()
	}
	began, limit := time.Now(), stall
	why := fmt.Errorf("the server sent nothing for %s", stall)
	if left := r.policy.Timeout - r.waited; r.policy.Timeout > 0 && left < limit {
		limit, why = max(left, time.Millisecond), fmt.Errorf("the attempt took longer than %s", r.policy.Timeout)
	}
	timer := time.AfterFunc(limit, func() { r.end(why) })
	err := wait()
	timer.Stop()
	r.last = time.Now()
	r.waited += r.last.Sub(began)
	return err
}

// again decides what follows a failed attempt: nil, to try again, or the error that ends it.
func (r *fetched) again(err error) error {
	var final *failure
	switch {
	case r.ctx.Err() != nil:
		return context.Cause(r.ctx)
	case errors.As(err, &final):
		return final
	}
	r.failed++
	if r.failed >= r.policy.Attempts {
		return r.from.lost(err, r.failed)
	}
	pause := min(100*time.Millisecond<<min(r.failed, 6), 5*time.Second)
	pause = pause/2 + rand.N(pause/2) // so that tasks that failed together do not come back together
	r.j.event("fetch.retry", field{"file", r.plan.Key}, field{"failed_attempts", r.failed}, field{"offset", r.at}, field{"message", err.Error()}, field{"pause", pause.Seconds()})
	r.j.say("fetching %s again from byte %d: %v", r.plan.Key, r.at, err)
	select {
	case <-time.After(pause):
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}

// Read reads on, over failed attempts.
func (r *fetched) Read(p []byte) (int, error) {
	for {
		if r.ctx.Err() != nil {
			return 0, context.Cause(r.ctx)
		}
		idle := time.Since(r.last)
		n := 0
		err := r.watched(func() (err error) { n, err = r.body.Read(p); return err })
		r.at += int64(n)
		if n > 0 || err == io.EOF {
			if n > 0 {
				err = nil // it comes again
			}
			return n, err
		}
		if err == nil {
			continue
		}
		_, network := r.from.(*stored)
		if network && idle > forsake && r.attempt.Err() == nil {
			err = r.try() // it hung up because we were slow, which is no failed attempt
		}
		for err != nil {
			if stop := r.again(err); stop != nil {
				return 0, stop
			}
			err = r.try()
		}
	}
}

// Close ends the attempt at hand.
func (r *fetched) Close() error {
	if r.end != nil {
		r.end(nil)
	}
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
