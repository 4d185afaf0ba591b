//go:build unix

package taskcluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// TestKilledAtAnyCall kills a process that applies an analysis with its nth call of the API, then applies again in another process,
// for n up to 200: each seventh, and each one with TAF_KILLS=all, which takes minutes. Every second time the call is still carried out, and its answer lost. What comes out is the same graph as without a kill:
// no task missing, none twice, none run again, no conflict.
func TestKilledAtAnyCall(t *testing.T) {
	recorded := record(t)
	step := 7
	switch {
	case os.Getenv("TAF_KILLS") == "all":
		step = 1
	case testing.Short():
		step = 49
	}
	limit := make(chan struct{}, 3)
	var group sync.WaitGroup
	defer group.Wait()
	for n := 1; n <= 200; n += step {
		limit <- struct{}{}
		group.Go(func() {
			defer func() { <-limit }()
			if err := killAt(t, recorded, n); err != nil {
				t.Errorf("killed at call %d: %v", n, err)
			}
		})
		if t.Failed() {
			break
		}
	}
}

// undisturbed is what an apply that nobody kills leaves behind.
type undisturbed struct {
	data      string // folder of the inputs
	artifacts map[string][]tctest.Artifact
	graph     map[string]string
	result    string
}

// record applies once with a worker that really runs the tasks, and keeps their artifacts for runs to come.
func record(t *testing.T) *undisturbed {
	t.Helper()
	r := &undisturbed{data: t.TempDir(), artifacts: map[string][]tctest.Artifact{}}
	s := tctest.New(t, tctest.Options{LongPoll: time.Second})
	worker.New(t, s, worker.Options{Queue: queue, Capacity: 3, Containers: worker.Processes, Path: []string{program(t)}})
	out, err := applier(t, s, r.data, filepath.Join(t.TempDir(), ".taf")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r.result = string(out)
	r.graph = graphOf(t, s)
	for _, id := range s.TaskIDs() {
		r.artifacts[labelOf(s, id)] = s.Artifacts(id, 0)
	}
	return r
}

// killAt applies, kills at call n, and applies again.
func killAt(t *testing.T, want *undisturbed, n int) error {
	s, err := tctest.Start(tctest.Options{LongPoll: time.Second})
	if err != nil {
		return err
	}
	defer s.Close()
	s.Handle(queue, func(w tctest.Work) tctest.Outcome {
		return tctest.Outcome{Artifacts: want.artifacts[labelOf(s, w.TaskID)]}
	})
	taf := filepath.Join(t.TempDir(), ".taf")
	first := applier(t, s, want.data, taf)
	var out bytes.Buffer
	first.Stdout, first.Stderr = &out, &out
	var dead, over atomic.Bool
	started := make(chan struct{}) // from when on there is a process to kill
	kill := func() {
		<-started
		_ = first.Process.Kill()
		dead.Store(true)
	}
	carryOut := n%2 == 0
	s.BeforeCall(func(c tctest.Call) *tctest.Fault {
		if c.N == n && !carryOut && !over.Load() {
			kill()
		}
		if dead.Load() { // what had been sent by then is lost on the way
			return &tctest.Fault{Reset: true}
		}
		return nil
	})
	s.AfterCall(func(c tctest.Call) {
		if c.N == n && carryOut && !over.Load() {
			kill()
		}
	})
	if err := first.Start(); err != nil {
		return err
	}
	close(started)
	if err := first.Wait(); err == nil {
		return fmt.Errorf("there were only %d calls", len(s.Calls()))
	}
	s.ResetCalls()
	over.Store(true)
	dead.Store(false)
	got, err := applier(t, s, want.data, taf).CombinedOutput()
	switch {
	case err != nil:
		return fmt.Errorf("apply again: %v\n%s", err, got)
	case string(got) != want.result:
		return fmt.Errorf("the result is\n%s\nwant\n%s", got, want.result)
	}
	return sameGraph(t, s, want)
}

func sameGraph(t *testing.T, s *tctest.Server, want *undisturbed) error {
	if diff := cmp.Diff(want.graph, graphOf(t, s)); diff != "" {
		return fmt.Errorf("the graph (-want +got):\n%s", diff)
	}
	for _, c := range s.Calls() {
		if c.Status == 409 {
			return fmt.Errorf("a conflict: %s %s", c.HTTPMethod, c.Path)
		}
	}
	for _, id := range s.TaskIDs() {
		if st, _ := s.Status(id); st.State != "completed" || len(st.Runs) != 1 {
			return fmt.Errorf("task %s is %s after %d runs", labelOf(s, id), st.State, len(st.Runs))
		}
	}
	return nil
}

// applyMain is the program that is killed: it applies an analysis of the suite and prints its result.
func applyMain(ctx context.Context, args []string) int {
	root, data, taf := args[0], args[1], args[2]
	text, err := applyOnce(ctx, root, data, taf)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Print(text)
	return 0
}

func applyOnce(ctx context.Context, root, data, taf string) (string, error) {
	db, err := state.Open(ctx, taf)
	if err != nil {
		return "", err
	}
	defer db.Close()
	c, err := taskcluster.New(taskcluster.Config{}.WithEnv(os.Getenv))
	if err != nil {
		return "", err
	}
	e, err := tc.New(tc.Options{State: db, Client: c, Settings: settingsAt(root), Poll: 20 * time.Millisecond, MaxPoll: 100 * time.Millisecond})
	if err != nil {
		return "", err
	}
	b := enginetest.NewBuild(outsideTest{}, data, fmt.Sprintf("20260101T000000-%06d", os.Getpid()))
	total := analysis(b)
	out, err := e.Apply(ctx, b.Run, nil)
	if err != nil {
		return "", err
	}
	for a, st := range out.States {
		if st != engine.Done && st != engine.Reused {
			return "", fmt.Errorf("%s is %v", a, st)
		}
	}
	return resultText(ctx, db, total)
}

// analysis has ninety maps and two levels of reduces.
func analysis(b *enginetest.Build) *engine.Task {
	var parts []*engine.Task
	for h := range 9 {
		var maps []*engine.Task
		for m := range 10 {
			maps = append(maps, b.Map(fmt.Sprintf("words%d", h), fmt.Sprint(m), fmt.Sprintf("w%d\n", (h*10+m)%13), "cat"))
		}
		parts = append(parts, b.Reduce(fmt.Sprintf("part%d", h), "sort | uniq -c | awk '{print $2 \"\\t\" $1}'", maps...))
	}
	return b.Reduce("total", `awk '{n[$1] += $2} END {for (w in n) print w "\t" n[w]}' | sort`, parts...)
}

func resultText(ctx context.Context, db *state.DB, t *engine.Task) (string, error) {
	r, err := db.Result(ctx, t.Key)
	if err != nil {
		return "", err
	}
	var inputs []pairs.Input
	for _, p := range r.Report.Parts {
		inputs = append(inputs, pairs.Part(p))
	}
	dir, err := os.MkdirTemp("", "taf-kill-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	m, err := pairs.Merge(ctx, inputs, dir, 0)
	if err != nil {
		return "", err
	}
	defer m.Close()
	var text strings.Builder
	err = pairs.WriteText(&text, r.Report.Form, m)
	return text.String(), err
}

// outsideTest is what a build reports its own mistakes to, outside of a test.
type outsideTest struct{ testing.TB }

func (outsideTest) Helper()           {}
func (outsideTest) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// applier is a process that applies the analysis on a double.
func applier(t *testing.T, s *tctest.Server, data, taf string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, s.RootURL, data, taf)
	cmd.Args[0] = "taf-applier"
	cmd.Env = append(os.Environ(), s.Env(s.Admin())...)
	return cmd
}

// labelOf is the name of a task, by which it is the same one in every run.
func labelOf(s *tctest.Server, id string) string {
	var def struct {
		Extra struct {
			Tafc struct{ Task string }
		}
		Metadata struct{ Name string }
	}
	_ = json.Unmarshal(s.Task(id), &def)
	if def.Extra.Tafc.Task != "" {
		return def.Extra.Tafc.Task
	}
	return def.Metadata.Name
}

var (
	runIDs = regexp.MustCompile(`20260101T000000-[0-9]+`)
	dates  = regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`)
)

var packed = regexp.MustCompile(`"TAF_TASK":"([^"]*)"`)

// unpack shows the document that a definition carries.
func unpack(t *testing.T, text string) string {
	return packed.ReplaceAllStringFunc(text, func(whole string) string {
		d, err := agent.Decode(packed.FindStringSubmatch(whole)[1])
		if err != nil {
			t.Errorf("unpack %s: %v", whole, err)
		}
		shown, _ := json.Marshal(d)
		return `"TAF_TASK":` + string(shown)
	})
}

// graphOf is the graph with labels for ids, and without what must differ from run to run: ids, times, the address of the double.
func graphOf(t *testing.T, s *tctest.Server) map[string]string {
	labels := map[string]string{}
	for _, id := range s.TaskIDs() {
		labels[id] = labelOf(s, id)
	}
	graph := map[string]string{}
	for id, label := range labels {
		if _, twice := graph[label]; twice {
			t.Errorf("there are two tasks %s", label)
		}
		text := unpack(t, string(s.Task(id)))
		for _, other := range slices.Sorted(maps.Keys(labels)) {
			text = strings.ReplaceAll(text, other, "<"+labels[other]+">")
		}
		text = strings.ReplaceAll(text, s.RootURL, "<root>")
		graph[runIDs.ReplaceAllString(label, "<run>")] = dates.ReplaceAllString(runIDs.ReplaceAllString(text, "<run>"), "<time>")
	}
	return graph
}
