package taskcluster_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/tctest"
)

// slowQueue is a deployment whose tasks wait for long and then end a few a second, by a clock that only the watch's waiting moves.
type slowQueue struct {
	*tctest.Server
	t     *testing.T
	work  func(tctest.Work) tctest.Outcome
	busy  time.Duration // for which no task starts
	rate  float64       // tasks that end in a second afterwards
	now   atomic.Int64  // a time.Duration from when all were created
	ended int
	ids   []string // of the tasks that have not ended
}

// after plays what happens while the watch waits.
func (q *slowQueue) after(d time.Duration) <-chan time.Time {
	if q.ids == nil && q.ended == 0 {
		q.ids = q.TaskIDs()[1:] // without the gate
	}
	now := time.Duration(q.now.Add(int64(d)))
	for float64(q.ended) < (now-q.busy).Seconds()*q.rate && len(q.ids) > 0 {
		id := q.ids[0]
		if s, ok := q.Status(id); !ok || s.State != "pending" {
			break // the gate, or what it depends on, has just ended
		}
		q.ids = q.ids[1:]
		q.ended++
		if err := q.Resolve(id, q.work(tctest.Work{TaskID: id, Task: q.Task(id)})); err != nil {
			q.t.Error(err)
		}
	}
	over := make(chan time.Time, 1)
	over <- time.Time{}
	return over
}

// TestFewCalls counts the calls of a run of 2,000 tasks, for three minutes of which the queue is busy with other work, and that then end at 100
// a second: one call creates a task, one fetches its report, and everything else is a few calls a minute while nothing happens, and at most
// two a second at any time.
func TestFewCalls(t *testing.T) {
	const tasks = 2000
	s := tctest.New(t, tctest.Options{})
	q := &slowQueue{Server: s, t: t, work: played(t, nil), busy: 3 * time.Minute, rate: 100}
	admin := s.Admin()
	c, err := taskcluster.New(taskcluster.Config{RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: admin.ClientID, AccessToken: admin.AccessToken}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tc.New(tc.Options{State: openState(t), Client: c, Settings: settings(s, tc.DockerPayload)})
	if err != nil {
		t.Fatal(err)
	}
	e.SetAfter(q.after)
	var idle atomic.Int64 // calls while nothing happened
	s.BeforeCall(func(c tctest.Call) *tctest.Fault {
		if c.Method == "statuses" && time.Duration(q.now.Load()) < q.busy {
			idle.Add(1)
		}
		return nil
	})
	out, err := e.Apply(t.Context(), fanIn("run-1", tasks-1), nil)
	if err != nil || len(out.Failed) > 0 {
		t.Fatal(out, err)
	}
	calls := map[string]int{}
	for _, c := range s.Calls() {
		calls[c.Service+" "+c.Method]++
	}
	took := time.Duration(q.now.Load())
	t.Logf("in %s, of which the queue was busy for %s with %d looks: %v", took, q.busy, idle.Load(), calls)
	for method, most := range map[string]int{
		"queue createTask": tasks + 1, "queue scheduleTask": 1, "queue getArtifact": tasks, "queue statuses": 2*int((took-q.busy).Seconds()) + int(idle.Load()),
	} {
		if n := calls[method]; n > most || n == 0 {
			t.Errorf("%d calls of %s, want at most %d", n, method, most)
		}
		delete(calls, method)
	}
	if idle.Load() > 50 {
		t.Errorf("%d calls in three minutes in which nothing happened, want at most 50", idle.Load())
	}
	others := 0
	for _, n := range calls {
		others += n
	}
	if others > 10 {
		t.Errorf("%d other calls: %v, want at most 10", others, calls)
	}
}

// TestNextRunHasEnded has a task run three times between two looks at it.
func TestNextRunHasEnded(t *testing.T) {
	for _, last := range []job.Cause{job.CauseDone, job.CauseCode} {
		t.Run(string(last), func(t *testing.T) {
			s := tctest.New(t, tctest.Options{})
			db := openState(t)
			e := quick(t, s, db, settings(s, tc.DockerPayload))
			run := fanIn("run-1", 1)
			work := played(t, func(task string, run int) job.Cause {
				if run == 2 && last != job.CauseDone {
					return last
				}
				return ""
			})
			looks := 0
			e.SetAfter(func(time.Duration) <-chan time.Time {
				if looks++; looks == 2 {
					id := tc.TaskID("run-1", run.Tasks[0].Addr)
					for _, reason := range []string{"worker-shutdown", "claim-expired"} {
						if err := s.Exception(id, reason); err != nil {
							t.Error(err)
						}
					}
					if err := s.Resolve(id, work(tctest.Work{TaskID: id, RunID: 2, Task: s.Task(id)})); err != nil {
						t.Error(err)
					}
					s.Handle(queue, work) // the rest
				}
				return time.After(5 * time.Millisecond)
			})
			if _, err := e.Apply(t.Context(), run, nil); err != nil {
				t.Fatal(err)
			}
			attempts, err := db.Attempts(t.Context(), "fan", run.Tasks[0].Addr)
			if err != nil || len(attempts) == 0 {
				t.Fatal(attempts, err)
			}
			end := attempts[0]
			for _, a := range attempts {
				if a.Attempt > end.Attempt {
					end = a
				}
			}
			if end.Attempt != 3 || end.Cause != last {
				t.Errorf("the last attempt is %d, %s; want 3, %s", end.Attempt, end.Cause, last)
			}
		})
	}
}

// TestSingleTaskCancelled has somebody cancel one task of a run in the UI: the run goes on without it, and says so.
func TestSingleTaskCancelled(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	e := quick(t, s, openState(t), settings(s, tc.DockerPayload))
	run := fanIn("run-1", 3)
	c := client(t, s)
	looks := 0
	e.SetAfter(func(time.Duration) <-chan time.Time {
		if looks++; looks == 2 {
			if _, err := c.Queue.CancelTask(t.Context(), tc.TaskID("run-1", run.Tasks[1].Addr)); err != nil {
				t.Error(err)
			}
		}
		if looks == 4 {
			s.Handle(queue, played(t, nil))
		}
		return time.After(5 * time.Millisecond)
	})
	out, err := e.Apply(t.Context(), run, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]engine.State{`map.words["0"]`: engine.Done, `map.words["1"]`: engine.Failed, `map.words["2"]`: engine.Done, "reduce.total": engine.Cancelled}
	for a, state := range out.States {
		if want[a.String()] != state {
			t.Errorf("%s is %v, want %v", a, state, want[a.String()])
		}
	}
}
