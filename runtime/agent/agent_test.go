package agent_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/slugid"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

const count = `sort | uniq -c | awk '{print $2 "\t" $1}'`

func TestMapAndReduce(t *testing.T) {
	both(t, func(t *testing.T, native bool) {
		c := newCluster(t, native, worker.Options{})
		one, two := c.mapTask("1", "b a\n", `tr ' ' '\n'`), c.mapTask("2", "a c\n", `tr ' ' '\n'`)
		two.extra = true
		total := over(count, one, two)
		for _, task := range []*task{one, two, total} {
			c.create(task)
		}
		if got, want := c.text(total), "a\t2\nb\t1\nc\t1\n"; got != want {
			t.Errorf("result %q, want %q", got, want)
		}
		r := c.report(total)
		if r.Covers.Files.Planned != 2 || r.Partial || r.Attempt != 1 || r.Key != total.doc.Spec.Key {
			t.Errorf("report %+v: want the first attempt, with a result of 2 files that is not partial", r)
		}
		for _, name := range []string{agent.EventsFile, agent.LogFile} {
			if text := string(c.artifact(total, agent.DefaultArtifacts+"/"+name)); !strings.Contains(text, "reduce.total") {
				t.Errorf("%s does not name the task: %s", name, text)
			}
		}
		if log := string(c.artifact(total, "public/logs/live.log")); !strings.Contains(log, "attempt 1") || !strings.Contains(log, "done in") {
			t.Errorf("the live log after the end: %s", log)
		}
	})
}

func TestPartitionsOfUpstreams(t *testing.T) {
	c := newCluster(t, false, worker.Options{})
	m := c.mapTask("1", "a\nb\nc\nd\ne\nf\n", "cat")
	m.doc.Spec.Partitions = 4
	c.create(m)
	var lines int
	for p := range 2 {
		half := over("cat", m)
		half.doc.Spec.Task = fmt.Sprintf("reduce.total[\"%d\"]", p)
		half.doc.Upstream[0].Partition, half.doc.Upstream[0].Of = p, 2
		c.create(half)
		lines += strings.Count(c.text(half), "\n")
		if lines == 6 && p == 0 {
			t.Error("one of two partitions has everything")
		}
	}
	if lines != 6 {
		t.Errorf("two halves have %d lines, want 6", lines)
	}
}

func TestCode(t *testing.T) {
	archive, digest, err := agent.Pack([]agent.File{{Path: "mapper.sh", Executable: true, Data: []byte("#!/bin/sh\nset -e\nhere=${0%/*}\n! echo x > \"$here/new\" 2>/dev/null || [ \"$(id -u)\" = 0 ]\nsed \"s/^/$(cat \"$here/lib/greeting\") /\"\n")}, {Path: "lib/greeting", Data: []byte("hello")}})
	if err != nil {
		t.Fatal(err)
	}
	withCode := func(c *cluster, name string) *task {
		m := c.mapTask(name, "world\n", "")
		m.doc.Spec.Command = nil
		m.doc.Spec.Code = &job.Code{Entry: "mapper.sh", Language: "program", Contract: "streaming", Digest: "d"}
		m.doc.Code = &agent.Code{SHA256: digest, Size: int64(len(archive))}
		return m
	}
	both(t, func(t *testing.T, native bool) {
		c := newCluster(t, native, worker.Options{})
		inline := withCode(c, "inline")
		inline.doc.Code.Inline = archive
		path := withCode(c, "path")
		path.doc.Code.Path = filepath.Join(c.dir, "code.tar.zst")
		if err := os.WriteFile(path.doc.Code.Path, archive, 0o644); err != nil {
			t.Fatal(err)
		}
		carried := withCode(c, "carried")
		carried.doc.Code.Carriers = c.carriers(archive[:100], archive[100:])
		damaged := withCode(c, "damaged")
		damaged.doc.Code.Carriers = c.carriers(archive[:100])
		gone := withCode(c, "gone")
		gone.doc.Code.Path = "/nowhere/code"
		for _, m := range []*task{inline, path, carried, damaged, gone} {
			c.create(m)
		}
		for _, m := range []*task{inline, path, carried} {
			if got := c.text(m); got != "hello world\n" {
				t.Errorf("%s: %q", m.doc.Spec.Task, got)
			}
		}
		for m, want := range map[*task]job.Cause{damaged: job.CauseCorrupt, gone: job.CauseBadSpec} {
			if r := c.report(m); r.Cause != want || r.Failure.Hint == "" && want == job.CauseCorrupt {
				t.Errorf("%s: %s, %+v", m.doc.Spec.Task, r.Cause, r.Failure)
			}
		}
	})
}

// carriers creates the tasks whose definitions hold chunks.
func (c *cluster) carriers(parts ...[]byte) []string {
	var ids []string
	for _, p := range parts {
		chunks, err := agent.Chunks(p)
		if err != nil {
			c.Fatal(err)
		}
		id := slugid.New()
		d := c.plain()
		d.TaskQueueID, d.Payload, d.Extra = "built-in/succeed", c.json(struct{}{}), c.json(map[string]any{agent.Extra: agent.ExtraDocument{Code: chunks[0]}})
		if _, err := c.tc.Queue.CreateTask(c.Context(), id, d); err != nil {
			c.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestSecrets(t *testing.T) {
	both(t, func(t *testing.T, native bool) {
		c := newCluster(t, native, worker.Options{})
		const secret = "hunter2-that-nobody-may-see"
		c.server.Secret("project/taf/token", map[string]any{"TOKEN": secret, "other": 1})
		m := c.mapTask("1", "x\n", `cat > /dev/null; printf %s "$TOKEN" | sha256sum | cut -c 1-64; env | grep -c TAF_TASK= || true`)
		m.doc.Secrets = []agent.Secret{{Env: "TOKEN", Name: "project/taf/token"}}
		m.scopes = []string{"secrets:get:project/taf/token"}
		forbidden := c.mapTask("2", "x\n", "cat")
		forbidden.doc.Secrets = m.doc.Secrets
		absent := c.mapTask("3", "x\n", "cat")
		absent.doc.Secrets, absent.scopes = []agent.Secret{{Env: "TOKEN", Name: "project/taf/other"}}, []string{"secrets:get:*"}
		for _, m := range []*task{m, forbidden, absent} {
			c.create(m)
		}
		sum := sha256.Sum256([]byte(secret))
		if got, want := c.text(m), "0\n"+hex.EncodeToString(sum[:])+"\n"; !sameLines(got, want) {
			t.Errorf("the code saw %q, want %q", got, want)
		}
		c.nowhere(m, secret)
		if r := c.report(forbidden); r.Cause != job.CauseBadSpec || !strings.Contains(r.Failure.Message, "secrets:get:project/taf/token") {
			t.Errorf("without the scope: %s, %+v", r.Cause, r.Failure)
		}
		if r := c.report(absent); r.Cause != job.CauseDownload || !strings.Contains(r.Failure.Message, "project/taf/other") {
			t.Errorf("without the secret: %s, %+v", r.Cause, r.Failure)
		}
	})
}

// sameLines compares lines in any order.
func sameLines(a, b string) bool {
	count := func(s string) map[string]int {
		n := map[string]int{}
		for line := range strings.Lines(s) {
			n[line]++
		}
		return n
	}
	return cmp.Equal(count(a), count(b))
}

func TestExitCodesAndRetries(t *testing.T) {
	both(t, func(t *testing.T, native bool) {
		c := newCluster(t, native, worker.Options{})
		// How often a program is started is another matter: one that fails may be started again to find the record that it fails on.
		flaky := c.mapTask("flaky", "x\n", `cat; [ "$RUN_ID" -ge 2 ]`)
		flaky.retry = []int{job.CauseCode.ExitCode()}
		other := c.mapTask("other", "x\n", "exit 7")
		other.retry = []int{job.CauseDownload.ExitCode()}
		exit := c.mapTask("exit", "x\n", fmt.Sprintf(`cat; [ -e %[1]s/once ] || { touch %[1]s/once; exit 7; }`, c.dir))
		exit.retry, exit.doc.RetryExits = []int{agent.ExitAgain}, []int{7}
		total := over("cat", flaky)
		for _, task := range []*task{flaky, other, exit, total} {
			c.create(task)
		}
		if got := c.text(total); got != "x\n" {
			t.Errorf("result %q", got)
		}
		if r, s := c.report(flaky), c.wait(flaky); r.Attempt != 3 || len(s.Runs) != 3 {
			t.Errorf("attempt %d, %d runs; want the third", r.Attempt, len(s.Runs))
		}
		if r := c.report(exit); r.Cause != job.CauseDone || r.Attempt != 2 {
			t.Errorf("after an exit code that is tried again: %s in attempt %d", r.Cause, r.Attempt)
		}
		if r := c.report(other); r.Cause != job.CauseCode || r.Failure.Exit != "exit status 7" || r.Attempt != 1 {
			t.Errorf("%s in attempt %d: %+v", r.Cause, r.Attempt, r.Failure)
		}
	})
}

// A completed task that runs again, and fails, still has the result of the run that completed.
func TestResultOfTheRunThatCompleted(t *testing.T) {
	c := newCluster(t, false, worker.Options{})
	m := c.mapTask("1", "x\n", fmt.Sprintf(`[ ! -e %[1]s/again ] || exit 3; touch %[1]s/again; cat`, c.dir))
	c.create(m)
	if got := c.text(m); got != "x\n" {
		t.Fatalf("result %q", got)
	}
	if _, err := c.tc.Queue.RerunTask(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if s := c.wait(m); s.State != taskcluster.StateFailed {
		t.Fatalf("the second run is %s", s.State)
	}
	total := over("cat", m)
	total.requires = taskcluster.AllResolved
	c.create(total)
	if got := c.text(total); got != "x\n" {
		t.Errorf("result %q", got)
	}
}

func TestTolerance(t *testing.T) {
	both(t, func(t *testing.T, native bool) {
		c := newCluster(t, native, worker.Options{})
		good, bad := c.mapTask("good", "x\n", "cat"), c.mapTask("bad", "y\n", "exit 3")
		reduce := func(name string, limit job.Limit) *task {
			total := over("cat", good, bad)
			total.doc.Spec.Task = "reduce." + name
			total.requires = taskcluster.AllResolved
			total.doc.Tolerance = []agent.Tolerance{{Stage: "map.words", Tasks: 2, Limit: limit}}
			for i := range total.doc.Upstream {
				total.doc.Upstream[i].Tolerated = true
			}
			return total
		}
		partial, exceeded, strict := reduce("partial", job.Limit{Count: 1}), reduce("exceeded", job.Limit{Share: 0.1, IsShare: true}), reduce("strict", job.Limit{Count: 1})
		strict.doc.Upstream[1].Tolerated = false
		for _, task := range []*task{good, bad, partial, exceeded, strict} {
			c.create(task)
		}
		if got := c.text(partial); got != "x\n" {
			t.Errorf("result %q", got)
		}
		r := c.report(partial)
		want := job.FileLedger{Planned: 2, Done: 1, Failed: 1, Losses: []job.FailedFile{{Key: "bad", Cause: job.CauseCode, Message: `map.words["bad"] has no result: ` + c.report(bad).Failure.Message}}}
		if diff := cmp.Diff(want, r.Covers.Files); diff != "" || !r.Partial || !r.Transient {
			t.Errorf("partial %t, transient %t, covers (-want +got):\n%s", r.Partial, r.Transient, diff)
		}
		for _, task := range []*task{exceeded, strict} {
			if r := c.report(task); r.Cause != job.CauseTolerance || !strings.Contains(r.Failure.Message, `map.words["bad"]`) {
				t.Errorf("%s: %s, %+v", task.doc.Spec.Task, r.Cause, r.Failure)
			}
		}
	})
}

// What a lost inner task would have stood for is found below it.
func TestLostInnerTask(t *testing.T) {
	c := newCluster(t, false, worker.Options{})
	good, bad := c.mapTask("good", "x\n", "cat"), c.mapTask("bad", "y\n", "exit 3")
	inner := over("exit 4", good, bad)
	inner.doc.Spec.Task, inner.requires = "reduce.inner", taskcluster.AllResolved
	inner.doc.Upstream[0].Tolerated, inner.doc.Upstream[1].Tolerated = true, true
	inner.doc.Tolerance = []agent.Tolerance{{Stage: "map.words", Tasks: 2, Limit: job.Limit{Count: 1}}}
	outer := over("cat", inner)
	outer.requires = taskcluster.AllResolved
	outer.doc.Upstream[0].Tolerated = true
	outer.doc.Tolerance = []agent.Tolerance{{Stage: "reduce.inner", Tasks: 1, Limit: job.Limit{Count: 1}}}
	for _, task := range []*task{good, bad, inner, outer} {
		c.create(task)
	}
	r := c.report(outer)
	if f := r.Covers.Files; r.Cause != job.CauseDone || f.Planned != 2 || f.Failed != 2 || f.Done != 0 || !r.Whole {
		t.Errorf("%s, %+v: want a whole result that stands for none of 2 files", r.Cause, f)
	}
}

func TestFaultsOnTheWay(t *testing.T) {
	both(t, func(t *testing.T, native bool) {
		c := newCluster(t, native, worker.Options{})
		m := c.mapTask("1", "x\n", "cat")
		c.create(m)
		c.wait(m)
		for _, method := range []string{"getArtifact", "statuses", "task", "status"} {
			c.server.Inject(tctest.Fault{Method: method, Status: http.StatusServiceUnavailable, Times: 2})
			c.server.Inject(tctest.Fault{Method: method, Reset: true})
			c.server.Inject(tctest.Fault{Method: method, LoseAnswer: true})
		}
		total := over("cat", m)
		total.extra = true
		c.create(total)
		if got := c.text(total); got != "x\n" {
			t.Errorf("result %q", got)
		}
		if n := len(slices.DeleteFunc(c.server.Calls("getArtifact"), func(call tctest.Call) bool {
			return call.Status != 0 && call.Status != http.StatusServiceUnavailable
		})); n != 3 {
			t.Errorf("%d calls were refused or broken, want 3", n)
		}
	})
}

func TestNoProxy(t *testing.T) {
	c := newCluster(t, false, worker.Options{NoProxy: true})
	m := c.mapTask("1", "x\n", "cat")
	c.create(m)
	total := over("cat", m)
	c.create(total)
	if r := c.report(total); r.Cause != job.CauseBadSpec || !strings.Contains(r.Failure.Message, "TASKCLUSTER_PROXY_URL") || !strings.Contains(r.Failure.Hint, "pool") {
		t.Errorf("%s, %+v", r.Cause, r.Failure)
	}
}

// A task whose worker is lost runs again on another one.
func TestWorkerLost(t *testing.T) {
	c := newCluster(t, false, worker.Options{Capacity: 1, Started: func(w *worker.Worker, _ string, runID int) {
		if runID == 0 {
			go w.Shutdown()
		}
	}})
	m := c.mapTask("1", "x\n", "sleep 1; cat")
	c.create(m)
	worker.New(t, c.server, worker.Options{Queue: queue, Containers: worker.Processes, Path: []string{program(t)}, Log: t.Logf, Started: func(w *worker.Worker, _ string, runID int) {
		if runID == 0 {
			go w.Shutdown() // it may be this one that was first
		}
	}})
	worker.New(t, c.server, worker.Options{Queue: queue, Containers: worker.Processes, Path: []string{program(t)}, Log: t.Logf})
	if got := c.text(m); got != "x\n" {
		t.Errorf("result %q", got)
	}
	if s := c.wait(m); len(s.Runs) > 1 && s.Runs[0].ReasonResolved != taskcluster.ReasonWorkerShutdown {
		t.Errorf("the first run ended by %s", s.Runs[0].ReasonResolved)
	}
}

// Old deployments have no calls for many tasks at once.
func TestOldDeployment(t *testing.T) {
	c := newClusterOf(t, true, worker.Options{}, tctest.Options{Version: 44})
	good, bad := c.mapTask("good", "x\n", "cat"), c.mapTask("bad", "y\n", "exit 3")
	total := over("cat", good, bad)
	total.extra, total.requires = true, taskcluster.AllResolved
	total.doc.Upstream[1].Tolerated = true
	for _, task := range []*task{good, bad, total} {
		c.create(task)
	}
	if got := c.text(total); got != "x\n" {
		t.Errorf("result %q", got)
	}
}
