package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tafc/tafc/runtime/job"
)

// Runner does the work of a Walk.
type Runner interface {
	// Reuse looks for a result of the same content before an attempt is started, and records it under the task's key. nil
	// means that there is none.
	Reuse(ctx context.Context, a *Attempt) (*job.Report, error)
	// Run carries out one attempt and returns when all that it leaves is durable. When ctx ends it stops the attempt and
	// returns nil, unless the attempt had ended already. progress may be called until Run returns. An error is about the
	// engine, not the task: it stops the run.
	Run(ctx context.Context, a *Attempt, progress func(job.Progress)) (*Ended, error)
	// Record makes changes durable before the observer hears of them.
	Record(events []Event) error
	// Partial tells whether the result of a reused task is partial.
	Partial(t *Task) bool
}

// ended is what a worker says when an attempt is over.
type ended struct {
	attempt *Attempt
	ended   *Ended // nil: interrupted
	err     error
}

// said is what a running attempt says of itself.
type said struct {
	attempt  *Attempt
	progress job.Progress
}

// Drive carries out a run with at most workers attempts at once. It returns when all tasks have ended. When ctx ends it
// starts nothing more, has the running attempts stopped, and says so in the Outcome.
func Drive(ctx context.Context, run *Run, workers int, r Runner, observe Observer) (*Outcome, error) {
	w, err := NewWalk(run, workers)
	if err != nil {
		return nil, err
	}
	work, stopWork := context.WithCancel(ctx)
	defer stopWork()
	d := &driver{walk: w, runner: r, observe: observe, ends: make(chan ended), said: make(chan said, workers)}
	if d.observe == nil {
		d.observe = func(Event) {}
	}
	w.Begin(time.Now(), r.Partial)
	for {
		d.publish() // why a task has no result must be known before what goes on without it starts
		d.start(work)
		d.publish()
		if d.err != nil || ctx.Err() != nil {
			stopWork()
			w.Stop(time.Now())
			d.publish()
		}
		if w.Finished() {
			return w.Outcome(), d.err
		}
		d.wait(work)
	}
}

// driver is one Drive.
type driver struct {
	walk    *Walk
	runner  Runner
	observe Observer
	ends    chan ended
	said    chan said
	err     error // of the engine, the first
}

// start starts what can be started.
func (d *driver) start(ctx context.Context) {
	for ctx.Err() == nil && d.err == nil {
		a := d.walk.Next(time.Now())
		if a == nil {
			return
		}
		report, err := d.runner.Reuse(ctx, a)
		switch {
		case err != nil:
			d.fail(fmt.Errorf("look for a result of %s: %w", a.Task.Addr, err))
			d.walk.Interrupted(a, time.Now())
		case report != nil:
			d.walk.End(a, Ended{Report: report, Reused: true}, time.Now())
		default:
			d.walk.Started(a, time.Now())
			go d.run(ctx, a)
		}
	}
}

// run is one worker's attempt.
func (d *driver) run(ctx context.Context, a *Attempt) {
	progress := func(p job.Progress) {
		select {
		case d.said <- said{a, p}:
		default: // the next one says more
		}
	}
	e, err := d.runner.Run(ctx, a, progress)
	d.ends <- ended{a, e, err}
}

// wait waits until something happens.
func (d *driver) wait(ctx context.Context) {
	var wake <-chan time.Time
	if at, ok := d.walk.Wake(); ok {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		wake = timer.C
	}
	done := ctx.Done()
	if d.walk.stopped {
		done = nil // known
	}
	select {
	case e := <-d.ends:
		d.end(e)
	case s := <-d.said:
		if n := d.walk.of[s.attempt.Task]; n.state != Running || n.attempt != s.attempt.Number {
			return // it ended meanwhile
		}
		d.observe(Event{Time: time.Now(), Task: s.attempt.Task, State: Running, Attempt: s.attempt.Number, Progress: &s.progress})
	case <-wake:
	case <-done:
	}
}

func (d *driver) end(e ended) {
	now := time.Now()
	if e.err != nil {
		d.fail(fmt.Errorf("run %s: %w", e.attempt.Task.Addr, e.err))
	}
	if e.err != nil || e.ended == nil {
		d.walk.Interrupted(e.attempt, now)
		return
	}
	d.walk.End(e.attempt, *e.ended, now)
}

func (d *driver) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// publish makes the changes durable and tells the observer.
func (d *driver) publish() {
	events := d.walk.Events()
	if len(events) == 0 {
		return
	}
	if err := d.runner.Record(events); err != nil {
		d.fail(err)
	}
	for _, e := range events {
		d.observe(e)
	}
}
