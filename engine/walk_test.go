package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// scenario is a run and how each attempt of its tasks ends: causes[i][n-1] is the end of attempt n of task i.
type scenario struct {
	run    *engine.Run
	causes map[*engine.Task][]job.Cause
	took   map[*engine.Task]time.Duration
}

func drawScenario(t *rapid.T) scenario {
	s := scenario{run: &engine.Run{ID: "r"}, causes: map[*engine.Task][]job.Cause{}, took: map[*engine.Task]time.Duration{}}
	limits := []job.Limit{{}, {Count: 1}, {Count: 2}, {Share: 0.5, IsShare: true}, {Share: 1, IsShare: true}}
	var before []*engine.Task
	for st := range rapid.IntRange(1, 4).Draw(t, "stages") {
		limit := rapid.SampledFrom(limits).Draw(t, "limit")
		var mine []*engine.Task
		for i := range rapid.IntRange(1, 6).Draw(t, "tasks") {
			task := &engine.Task{
				Addr:        addr.Task{Stage: addr.Stage{Kind: "map", Name: fmt.Sprint("s", st)}, Name: fmt.Sprint(i)},
				Key:         fmt.Sprint(st, "/", i),
				Bytes:       rapid.Int64Range(0, 3).Draw(t, "bytes"),
				FailedTasks: limit,
				Retry: engine.Retry{
					Attempts: rapid.IntRange(1, 4).Draw(t, "attempts"), On: []string{"download", "memory"},
					Delay: time.Second, MaxDelay: 3 * time.Second,
				},
			}
			task.Spec.Limits.Memory = 100
			// Now and then a task stands on others of its own stage, as the inner nodes of a reduce do.
			pool := before
			if rapid.IntRange(0, 3).Draw(t, "inner") == 0 {
				pool = append(slices.Clone(before), mine...)
			}
			for _, need := range pool {
				if rapid.Bool().Draw(t, "need") {
					task.Needs = append(task.Needs, need)
				}
			}
			task.Reused = len(task.Needs) == 0 && rapid.IntRange(0, 5).Draw(t, "reused") == 0
			s.causes[task] = rapid.SliceOfN(rapid.SampledFrom([]job.Cause{
				job.CauseDone, job.CauseDone, job.CauseDone, job.CauseDownload, job.CauseMemory, job.CauseCode,
			}), 4, 4).Draw(t, "causes")
			s.took[task] = time.Duration(rapid.IntRange(1, 5).Draw(t, "took")) * time.Second
			mine = append(mine, task)
		}
		s.run.Tasks = append(s.run.Tasks, mine...)
		before = append(before, mine...)
	}
	return s
}

// trace is what a simulated run did.
type trace struct {
	outcome  *engine.Outcome
	attempts []engine.Attempt
	events   []engine.Event
	most     int // attempts at once
	faults   []string
}

// flight is an attempt under way.
type flight struct {
	a    *engine.Attempt
	ends time.Time
}

// simulate drives a walk with attempts that take their time in a clock of its own.
func simulate(s scenario, workers int) trace {
	w, err := engine.NewWalk(s.run, workers)
	if err != nil {
		return trace{faults: []string{err.Error()}}
	}
	var tr trace
	var flying []flight
	now := time.Unix(0, 0)
	ended := map[*engine.Task]engine.State{}
	note := func() {
		for _, e := range w.Events() {
			if was, over := ended[e.Task]; over {
				tr.faults = append(tr.faults, fmt.Sprintf("%s is %s after it was %s", e.Task.Addr, e.State, was))
			}
			switch e.State {
			case engine.Done, engine.Reused, engine.Failed, engine.Cancelled:
				ended[e.Task] = e.State
			}
			tr.events = append(tr.events, e)
		}
	}
	w.Begin(now, func(*engine.Task) bool { return false })
	note()
	for steps := 0; !w.Finished(); steps++ {
		for a := w.Next(now); a != nil; a = w.Next(now) {
			for _, n := range a.Task.Needs {
				_, missing := a.Missing[n]
				if s := ended[n]; s == "" || (s == engine.Failed || s == engine.Cancelled) != missing {
					tr.faults = append(tr.faults, fmt.Sprintf("%s starts while %s is %q, missing %v", a.Task.Addr, n.Addr, s, missing))
				}
			}
			w.Started(a, now)
			tr.attempts = append(tr.attempts, *a)
			flying = append(flying, flight{a, now.Add(s.took[a.Task])})
			tr.most = max(tr.most, len(flying))
		}
		note()
		slices.SortStableFunc(flying, func(x, y flight) int { return x.ends.Compare(y.ends) })
		wake, delayed := w.Wake()
		if steps > 10_000 || len(flying) == 0 && !delayed {
			tr.faults = append(tr.faults, "the walk goes nowhere")
			return tr
		}
		// A delayed task that is due while nothing starts waits for a worker.
		if due := delayed && wake.After(now); due && (len(flying) == 0 || wake.Before(flying[0].ends)) {
			now = wake
			continue
		}
		f := flying[0]
		flying = flying[1:]
		now = f.ends
		cause := s.causes[f.a.Task][f.a.Number-1]
		w.End(f.a, engine.Ended{Report: &job.Report{Cause: cause}, Exit: cause.ExitCode()}, now)
		note()
	}
	tr.outcome = w.Outcome()
	return tr
}

// expected is how often a task is tried and whether it succeeds, from its policy alone.
func expected(s scenario, t *engine.Task) (attempts int, done bool) {
	doubled := false
	for n := 1; ; n++ {
		switch c := s.causes[t][n-1]; {
		case c == job.CauseDone:
			return n, true
		case c == job.CauseCode, n >= t.Retry.Attempts, c == job.CauseMemory && doubled:
			return n, false
		case c == job.CauseMemory:
			doubled = true
		}
	}
}

// foretell is how every task must end, told stage by stage from the rules alone.
func foretell(s scenario) map[addr.Task]engine.State {
	const (
		result = iota
		lost   // by its own stage's fault
		cut    // by another stage's
	)
	fate := map[*engine.Task]int{}
	states := map[addr.Task]engine.State{}
	failed, size := map[addr.Stage]int64{}, map[addr.Stage]int64{}
	for _, t := range s.run.Tasks {
		size[t.Addr.Stage]++
	}
	for _, t := range s.run.Tasks {
		for _, n := range t.Needs {
			same := n.Addr.Stage == t.Addr.Stage
			tolerated := !n.FailedTasks.Exceeded(failed[n.Addr.Stage], size[n.Addr.Stage])
			switch {
			case fate[n] == cut, fate[n] == lost && !same && !tolerated:
				fate[t] = cut
			case fate[n] == lost && same:
				fate[t] = max(fate[t], lost)
			}
		}
		_, done := expected(s, t)
		switch {
		case t.Reused:
			states[t.Addr] = engine.Reused
		case fate[t] != result:
			states[t.Addr] = engine.Cancelled
		case done:
			states[t.Addr] = engine.Done
		default:
			states[t.Addr] = engine.Failed
			fate[t] = lost
			failed[t.Addr.Stage]++
		}
	}
	return states
}

func TestWalkLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScenario(t)
		first := simulate(s, 1)
		want := foretell(s)
		for _, workers := range []int{1, 2, 3, 100} {
			tr := simulate(s, workers)
			if len(tr.faults) > 0 {
				t.Fatalf("%d workers: %v", workers, tr.faults)
			}
			if tr.most > workers {
				t.Fatalf("%d attempts at once with %d workers", tr.most, workers)
			}
			if diff := cmp.Diff(want, tr.outcome.States); diff != "" {
				t.Fatalf("%d workers end in other states than they must (-want +got):\n%s", workers, diff)
			}
			if first.outcome.Partial != tr.outcome.Partial || first.outcome.Tolerated != tr.outcome.Tolerated {
				t.Fatalf("%d workers: %+v, one: %+v", workers, tr.outcome, first.outcome)
			}
			checkAttempts(t, s, tr)
		}
	})
}

// checkAttempts checks the number of attempts and that each task ended in the state that it had to.
func checkAttempts(t *rapid.T, s scenario, tr trace) {
	tries := map[*engine.Task]int{}
	doubled := map[*engine.Task]bool{}
	for _, a := range tr.attempts {
		if tries[a.Task]++; tries[a.Task] != a.Number {
			t.Fatalf("attempt %d of %s is the %d. one", a.Number, a.Task.Addr, tries[a.Task])
		}
		if want := int64(100); !doubled[a.Task] && a.Memory != want || doubled[a.Task] && a.Memory != 2*want {
			t.Fatalf("attempt %d of %s has memory %d", a.Number, a.Task.Addr, a.Memory)
		}
		doubled[a.Task] = doubled[a.Task] || s.causes[a.Task][a.Number-1] == job.CauseMemory
	}
	for _, task := range s.run.Tasks {
		want, done := expected(s, task)
		switch state := tr.outcome.States[task.Addr]; state {
		case engine.Reused, engine.Cancelled:
			if tries[task] != 0 || task.Reused != (state == engine.Reused) {
				t.Fatalf("%s is %s after %d attempts", task.Addr, state, tries[task])
			}
		case engine.Done, engine.Failed:
			if tries[task] != want || done != (state == engine.Done) {
				t.Fatalf("%s is %s after %d attempts, want %d and done %v", task.Addr, state, tries[task], want, done)
			}
		default:
			t.Fatalf("%s ends as %s", task.Addr, state)
		}
	}
}

func TestLargestFirst(t *testing.T) {
	run := &engine.Run{ID: "r"}
	for i, bytes := range []int64{1, 5, 3, 5} {
		run.Tasks = append(run.Tasks, &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: "map", Name: "m"}, Name: fmt.Sprint(i)}, Bytes: bytes})
	}
	w, err := engine.NewWalk(run, 4)
	if err != nil {
		t.Fatal(err)
	}
	w.Begin(time.Unix(0, 0), nil)
	var got []string
	for a := w.Next(time.Unix(0, 0)); a != nil; a = w.Next(time.Unix(0, 0)) {
		got = append(got, a.Task.Addr.Name)
	}
	if diff := cmp.Diff([]string{"1", "3", "2", "0"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewWalkRefuses(t *testing.T) {
	a := &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: "map", Name: "a"}}}
	b := &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: "map", Name: "b"}}, Needs: []*engine.Task{a}}
	for name, tasks := range map[string][]*engine.Task{"wrong order": {b, a}, "twice": {a, a}} {
		if _, err := engine.NewWalk(&engine.Run{ID: "r", Tasks: tasks}, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A task takes the places that it asks for, at most all; one that does not fit is not overtaken.
func TestPlaces(t *testing.T) {
	task := func(name string, cpus int, bytes int64) *engine.Task {
		return &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: "map", Name: "m"}, Name: name}, Cpus: cpus, Bytes: bytes}
	}
	large, wide, small := task("large", 1, 3), task("wide", 9, 2), task("small", 0, 1)
	w, err := engine.NewWalk(&engine.Run{ID: "r", Tasks: []*engine.Task{small, wide, large}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w.Begin(now, func(*engine.Task) bool { return false })
	for _, want := range []*engine.Task{large, wide, small} {
		a := w.Next(now)
		if a == nil || a.Task != want {
			t.Fatalf("the next attempt is %v, want %s", a, want.Addr)
		}
		w.Started(a, now)
		if want != small {
			if more := w.Next(now); more != nil {
				t.Errorf("%s is started beside %s", more.Task.Addr, want.Addr)
			}
		}
		w.End(a, engine.Ended{Report: &job.Report{Cause: job.CauseDone}}, now)
	}
	if !w.Finished() {
		t.Error("the walk has not ended")
	}
}
