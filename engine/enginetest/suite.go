package enginetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/state"
)

// New makes the engine under test over a state.
type New func(t *testing.T, db *state.DB, workers int) engine.Engine

// Traits are what an engine does in another way than the others, because of where its tasks run.
type Traits struct {
	// Deployed: the tasks belong to a deployment. All are created at once, so that equal bytes do not keep a task from running; the
	// queue tries again, without a delay; and when the engine is stopped they go on.
	Deployed bool
	// Slow: a task takes seconds to start. Tests with many tasks are left out, whose behavior does not depend on how tasks are started.
	Slow bool
}

// Suite runs all tests on an engine.
func Suite(t *testing.T, newEngine New) { SuiteOf(t, Traits{}, newEngine) }

// SuiteOf runs all tests on an engine with traits.
func SuiteOf(t *testing.T, traits Traits, newEngine New) {
	for _, c := range []struct {
		name string
		test func(*fixture)
		many bool
	}{
		{"map and reduce", mapReduce, false}, {"same bytes for any number of workers", anyWorkers, true}, {"second apply reuses", reapply, false},
		{"equal bytes stop the wave", cutoff, true}, {"retry by cause", retryCause, true}, {"retry by exit code", retryExit, true},
		{"no retry of another cause", noRetry, false}, {"failure cancels consumers and keeps going", keepGoing, true},
		{"tolerated failure", tolerated, false}, {"failures beyond tolerance", beyond, true}, {"interrupt and go on", interrupt, false},
		{"time limit", timeLimit, false}, {"states and events agree", eventsAgree, false},
	} {
		if c.many && traits.Slow {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			db, err := state.Open(t.Context(), filepath.Join(t.TempDir(), ".taf"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			c.test(&fixture{T: t, db: db, new: newEngine, dir: t.TempDir(), Traits: traits})
			ledgertest.State(t, db)
		})
	}
}

type fixture struct {
	*testing.T
	db   *state.DB
	new  New
	dir  string
	runs int
	Traits
}

func (f *fixture) build() *Build {
	f.runs++
	return NewBuild(f.T, f.dir, fmt.Sprintf("20260101T000000-%04d", f.runs))
}

func (f *fixture) apply(run *engine.Run, workers int) (*engine.Outcome, []engine.Event) {
	f.Helper()
	return f.applyCtx(f.Context(), run, workers, func(engine.Event) {})
}

func (f *fixture) applyCtx(ctx context.Context, run *engine.Run, workers int, also engine.Observer) (*engine.Outcome, []engine.Event) {
	f.Helper()
	var events []engine.Event
	out, err := f.new(f.T, f.db, workers).Apply(ctx, run, func(e engine.Event) {
		events = append(events, e)
		also(e)
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, t := range run.Tasks {
		if s := out.States[t.Addr]; s != engine.Done && s != engine.Reused {
			continue
		}
		r, err := f.db.Report(context.Background(), t.Key)
		if err != nil {
			f.Fatal(err)
		}
		ledgertest.Report(f, &r.Report)
	}
	return out, events
}

// text is the result of a task.
func (f *fixture) text(t *engine.Task) string {
	f.Helper()
	r, err := f.db.Result(context.Background(), t.Key)
	if err != nil {
		f.Fatal(err)
	}
	var inputs []pairs.Input
	for _, p := range r.Report.Parts {
		inputs = append(inputs, pairs.Part(p))
	}
	m, err := pairs.Merge(context.Background(), inputs, f.TempDir(), 0)
	if err != nil {
		f.Fatal(err)
	}
	defer m.Close()
	var text strings.Builder
	if err := pairs.WriteText(&text, r.Report.Form, m); err != nil {
		f.Fatal(err)
	}
	return text.String()
}

func (f *fixture) states(out *engine.Outcome, want map[string]engine.State) {
	f.Helper()
	got := map[string]engine.State{}
	for a, s := range out.States {
		got[a.String()] = s
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("states (-want +got):\n%s", diff)
	}
}

const count = `uniq -c | awk '{print $2 "\t" $1}'`

func mapReduce(f *fixture) {
	b := f.build()
	one := b.Map("words", "1", "b a\n", `tr ' ' '\n'`)
	two := b.Map("words", "2", "a c\n", `tr ' ' '\n'`)
	total := b.Reduce("total", "sort | "+count, one, two)
	out, _ := f.apply(b.Run, 2)
	f.states(out, map[string]engine.State{`map.words["1"]`: engine.Done, `map.words["2"]`: engine.Done, "reduce.total": engine.Done})
	if got, want := f.text(total), "a\t2\nb\t1\nc\t1\n"; got != want {
		f.Errorf("result %q, want %q", got, want)
	}
	r, err := f.db.Result(f.Context(), total.Key)
	if err != nil || r.Report.Covers.Files.Planned != 2 || r.Report.Partial {
		f.Errorf("report %+v, %v: want a result of 2 files that is not partial", r.Report, err)
	}
}

func anyWorkers(f *fixture) {
	var texts []string
	for _, workers := range []int{1, 3, 8} {
		b := f.build()
		b.Run.Analysis = fmt.Sprint("workers", workers)
		var maps []*engine.Task
		for i := range 6 {
			// The environment is not in the suite's keys, so the command differs to run each time.
			maps = append(maps, b.Map("words", fmt.Sprint(i), fmt.Sprintf("w%d\nw%d\n", i%3, i%2), fmt.Sprintf("sleep 0.0%d; cat #%d", (7*i)%5, workers)))
		}
		total := b.Reduce("total", "sort | "+count, maps...)
		f.apply(b.Run, workers)
		texts = append(texts, f.text(total))
	}
	if texts[0] != texts[1] || texts[0] != texts[2] || texts[0] == "" {
		f.Errorf("results differ: %q", texts)
	}
}

func reapply(f *fixture) {
	first := f.build()
	m := first.Map("words", "1", "a\n", "cat")
	first.Reduce("total", "cat", m)
	f.apply(first.Run, 2)
	second := f.build()
	m = second.Map("words", "1", "a\n", "cat")
	m.Reused = true
	second.Reduce("total", "cat; true", m)
	out, _ := f.apply(second.Run, 2)
	f.states(out, map[string]engine.State{`map.words["1"]`: engine.Reused, "reduce.total": engine.Done})
}

func cutoff(f *fixture) {
	first := f.build()
	m := first.Map("heads", "1", "a\nsecond line\n", "sed -n 1p")
	first.Reduce("total", "cat", m)
	f.apply(first.Run, 2)
	second := f.build()
	m = second.Map("heads", "1", "a\nchanged line\nand one more\n", "sed -n 1p")
	total := second.Reduce("total", "cat", m)
	out, _ := f.apply(second.Run, 2)
	again := engine.Reused
	if f.Deployed {
		again = engine.Done
	}
	f.states(out, map[string]engine.State{`map.heads["1"]`: engine.Done, "reduce.total": again})
	r, err := f.db.Result(f.Context(), total.Key)
	if err != nil {
		f.Fatal(err)
	}
	if got := r.Report.Covers.Records.Read; got != 3 {
		f.Errorf("the reused result stands for %d records, want the 3 that the file has now", got)
	}
}

func (f *fixture) flaky(on ...string) (*engine.Outcome, []engine.Event) {
	b := f.build()
	tries := filepath.Join(f.dir, "tries")
	m := b.Map("flaky", "1", "a\n", fmt.Sprintf(`cat; echo x >> %[1]s; [ $(wc -l < %[1]s) -ge 3 ] || exit 7`, tries))
	m.Retry = engine.Retry{Attempts: 3, On: on, Delay: 10 * time.Millisecond}
	return f.apply(b.Run, 1)
}

func retryCause(f *fixture) {
	out, events := f.flaky("code")
	f.states(out, map[string]engine.State{`map.flaky["1"]`: engine.Done})
	if f.Deployed {
		return
	}
	delays := 0
	for _, e := range events {
		if e.State == engine.Ready && e.RetryIn > 0 {
			delays++
		}
	}
	if delays != 2 {
		f.Errorf("%d delays before further attempts, want 2", delays)
	}
}

func retryExit(f *fixture) {
	out, _ := f.flaky("exit:7")
	f.states(out, map[string]engine.State{`map.flaky["1"]`: engine.Done})
}

func noRetry(f *fixture) {
	out, _ := f.flaky("download", "exit:8")
	f.states(out, map[string]engine.State{`map.flaky["1"]`: engine.Failed})
	prior, err := f.db.Prior(f.Context(), "suite")
	if err != nil {
		f.Fatal(err)
	}
	m := prior[addr.Task{Stage: addr.Stage{Kind: "map", Name: "flaky"}, Name: "1"}]
	if m.Good != nil || m.Failed == nil || m.Failed.Cause != job.CauseCode || m.Failed.Attempts != 1 {
		f.Errorf("the state remembers %+v, want one failed attempt by code", m)
	}
}

func (f *fixture) oneOfThree(limit job.Limit) (*engine.Outcome, *engine.Task, []engine.Event) {
	b := f.build()
	var maps []*engine.Task
	for i, command := range []string{"cat", "exit 3", "cat"} {
		m := b.Map("words", fmt.Sprint(i), fmt.Sprintf("w%d\n", i), command)
		m.FailedTasks = limit
		maps = append(maps, m)
	}
	total := b.Reduce("total", "cat", maps...)
	other := b.Reduce("other", "cat", maps[0])
	_ = other
	out, events := f.apply(b.Run, 2)
	return out, total, events
}

func keepGoing(f *fixture) {
	out, _, events := f.oneOfThree(job.Limit{})
	f.states(out, map[string]engine.State{
		`map.words["0"]`: engine.Done, `map.words["1"]`: engine.Failed, `map.words["2"]`: engine.Done,
		"reduce.total": engine.Cancelled, "reduce.other": engine.Done,
	})
	if out.Tolerated {
		f.Error("the failure counts as tolerated")
	}
	for _, e := range events {
		if e.State == engine.Cancelled && (e.Cause == nil || e.Cause.Addr.Name != "1") {
			f.Errorf("%s was cancelled because of %v, want map.words[\"1\"]", e.Task.Addr, e.Cause)
		}
	}
}

func tolerated(f *fixture) {
	out, total, _ := f.oneOfThree(job.Limit{Share: 0.4, IsShare: true})
	f.states(out, map[string]engine.State{
		`map.words["0"]`: engine.Done, `map.words["1"]`: engine.Failed, `map.words["2"]`: engine.Done,
		"reduce.total": engine.Done, "reduce.other": engine.Done,
	})
	if !out.Partial || !out.Tolerated {
		f.Errorf("outcome %+v, want a partial one whose failure is tolerated", out)
	}
	if got := f.text(total); got != "w0\nw2\n" {
		f.Errorf("result %q", got)
	}
	r, err := f.db.Result(f.Context(), total.Key)
	if err != nil {
		f.Fatal(err)
	}
	if files := r.Report.Covers.Files; !r.Report.Transient || !r.Report.Partial || files.Planned != 3 || files.Failed != 1 {
		f.Errorf("report %+v, want a transient and partial one of 3 files with 1 failed", r.Report)
	}
}

func beyond(f *fixture) {
	out, _, _ := f.oneOfThree(job.Limit{Share: 0.3, IsShare: true})
	f.states(out, map[string]engine.State{
		`map.words["0"]`: engine.Done, `map.words["1"]`: engine.Failed, `map.words["2"]`: engine.Done,
		"reduce.total": engine.Cancelled, "reduce.other": engine.Done,
	})
}

func interrupt(f *fixture) {
	make := func() *engine.Run {
		b := f.build()
		quick := b.Map("quick", "1", "a\n", "cat")
		// It ends at once when it finds the file that the second apply has.
		slow := b.Map("slow", "1", "b\n", fmt.Sprintf("for i in $(seq 600); do [ -e %s/go ] && break; sleep 0.1; done; cat", f.dir))
		slow.Needs = append(slow.Needs, quick)
		b.Reduce("total", "cat", quick, slow)
		return b.Run
	}
	ctx, cancel := context.WithCancel(f.Context())
	begin := time.Now()
	out, _ := f.applyCtx(ctx, make(), 1, func(e engine.Event) {
		if e.State == engine.Running && e.Task.Addr.Stage.Name == "slow" {
			time.AfterFunc(200*time.Millisecond, cancel)
		}
	})
	if took := time.Since(begin); took > 30*time.Second || !out.Interrupted {
		f.Errorf("the interrupt took %s, outcome %+v", took, out)
	}
	slow, total := engine.Cancelled, engine.Cancelled
	if f.Deployed {
		slow, total = engine.Running, engine.Waiting
	}
	f.states(out, map[string]engine.State{`map.quick["1"]`: engine.Done, `map.slow["1"]`: slow, "reduce.total": total})
	if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o644); err != nil {
		f.Fatal(err)
	}
	out, _ = f.apply(make(), 1)
	quick := engine.Reused
	if f.Deployed {
		quick = engine.Done // it is the same run that goes on
	}
	f.states(out, map[string]engine.State{`map.quick["1"]`: quick, `map.slow["1"]`: engine.Done, "reduce.total": engine.Done})
	run, err := f.db.LatestRun(f.Context(), "suite")
	if err != nil || run == nil || run.Outcome != state.Succeeded {
		f.Errorf("latest run %+v, %v", run, err)
	}
}

func timeLimit(f *fixture) {
	b := f.build()
	m := b.Map("slow", "1", "a\n", "sleep 60")
	m.Spec.Limits.MaxRunTime = 100 * time.Millisecond
	out, events := f.apply(b.Run, 1)
	f.states(out, map[string]engine.State{`map.slow["1"]`: engine.Failed})
	for _, e := range events {
		if e.State == engine.Failed && e.Report.Cause != job.CauseTimeout {
			f.Errorf("cause %s, %+v; want timeout", e.Report.Cause, e.Report.Failure)
		}
	}
}

func eventsAgree(f *fixture) {
	b := f.build()
	m := b.Map("words", "1", "a\n", "cat")
	b.Reduce("total", "exit 1", m)
	out, events := f.apply(b.Run, 2)
	last := map[addr.Task]engine.State{}
	for _, e := range events {
		last[e.Task.Addr] = e.State
	}
	if diff := cmp.Diff(out.States, last); diff != "" {
		f.Errorf("the last events differ from the outcome:\n%s", diff)
	}
	tasks, err := f.db.RunTasks(f.Context(), b.Run.ID)
	if err != nil {
		f.Fatal(err)
	}
	for _, t := range tasks {
		if engine.State(t.State) != out.States[t.Address] {
			f.Errorf("the state says %s is %s, the outcome %s", t.Address, t.State, out.States[t.Address])
		}
	}
}
