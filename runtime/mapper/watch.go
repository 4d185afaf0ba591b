package mapper

import (
	"fmt"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// watch ends a program that takes longer for a record than the spec allows. It returns when ended is closed.
func (t *task) watch(prog usercode.Program, ended <-chan struct{}) {
	limit := t.spec.Limits.RecordTime
	if limit <= 0 || t.spec.Role != job.RoleMap || t.spec.Operation != nil {
		return
	}
	tick := time.NewTicker(min(max(limit/10, 5*time.Millisecond), time.Second))
	defer tick.Stop()
	var last mark
	since := time.Now()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		now := markOf(prog)
		if now != last || now.idle || t.busy.Load() > 0 {
			last, since = now, time.Now()
			continue
		}
		if time.Since(since) < limit {
			continue
		}
		t.mu.Lock()
		t.slow = tooSlow(limit, now.at)
		t.mu.Unlock()
		prog.Kill()
		return
	}
}

// mark is where a program is.
type mark struct {
	at   job.Place
	gone int64 // of one that cannot say at which record it is
	idle bool  // it has nothing to do
}

func markOf(prog usercode.Program) mark {
	if s, ok := prog.(usercode.Stream); ok {
		gone, idle := s.Gone()
		return mark{gone: gone, idle: idle}
	}
	at, ok := prog.At()
	return mark{at: at, idle: !ok}
}

func tooSlow(limit time.Duration, at job.Place) *usercode.Error {
	e := &usercode.Error{Cause: job.CauseTimeout, Message: fmt.Sprintf("the code takes longer than max_record_time, %s, for the record", limit)}
	e.Hint = "look at the record, or raise max_record_time"
	if at.Record > 0 {
		e.At = &at
	} else {
		e.Message = fmt.Sprintf("the program neither read nor printed anything for max_record_time, %s", limit)
	}
	e.Signature = e.Message
	return e
}
