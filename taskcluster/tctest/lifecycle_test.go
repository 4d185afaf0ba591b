package tctest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func TestRetriesBudget(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"retries": 2})
	c.create(s, id(2), map[string]any{"dependencies": []string{id(1)}, "requires": "all-resolved"})
	for _, reason := range []string{"worker-shutdown", "intermittent-task"} {
		if err := s.Exception(id(1), reason); err != nil {
			t.Fatal(err)
		}
	}
	a := c.status(id(1))
	if a.state() != "pending" || a.get("status", "retriesLeft") != 0.0 || a.get("status", "runs", 1, "reasonCreated") != "retry" || a.get("status", "runs", 2, "reasonCreated") != "task-retry" {
		t.Fatalf("after two: %s", a.text)
	}
	if got := c.state(id(2)); got != "unscheduled" {
		t.Errorf("an exception with retries left resolves nothing, but the dependent is %s", got)
	}
	_ = s.Exception(id(1), "intermittent-task")
	if got := c.state(id(1)); got != "exception" {
		t.Errorf("with the budget gone it is %s", got)
	}
	if got := c.state(id(2)); got != "pending" {
		t.Errorf("and the dependent is %s", got)
	}
	if a := c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil); a.get("status", "retriesLeft") != 2.0 {
		t.Errorf("a rerun has the budget again: %s", a.text)
	}
}

func TestFiftyRuns(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"retries": 49})
	for range 49 {
		_ = s.Complete(id(1))
		c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil)
	}
	a := c.status(id(1))
	if got := len(a.get("status", "runs").([]any)); got != 50 || a.get("status", "retriesLeft") != 0.0 {
		t.Errorf("%d runs, %v retries left", got, a.get("status", "retriesLeft"))
	}
	_ = s.Complete(id(1))
	wantStatus(t, c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil), 409, "RequestConflict")
}

func TestRerunOfUnscheduledStartsIt(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"dependencies": []string{id(1)}})
	if a := c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil); a.state() != "pending" {
		t.Errorf("it is %s", a.state())
	}
}

func TestTimePasses(t *testing.T) {
	clock := tctest.StillClock(time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC))
	s, c := start(t, tctest.Options{Clock: clock})
	at := func(d time.Duration) string { return clock.Now().Add(d).Format(time.RFC3339) }
	c.create(s, id(1), map[string]any{"deadline": at(time.Hour), "retries": 1})
	c.create(s, id(2), map[string]any{"deadline": at(time.Hour), "dependencies": []string{id(1)}})
	claim := map[string]any{"workerGroup": "g", "workerId": "w"}
	c.call("POST", "/api/queue/v1/task/"+id(1)+"/runs/0/claim", claim)

	clock.Advance(19 * time.Minute)
	if got := c.state(id(1)); got != "running" {
		t.Fatalf("after 19 minutes it is %s", got)
	}
	if a := c.call("POST", "/api/queue/v1/task/"+id(1)+"/runs/0/reclaim", nil); a.get("takenUntil") != "2026-11-25T10:39:00.000Z" {
		t.Fatalf("reclaimed: %s", a.text)
	}
	clock.Advance(21 * time.Minute)
	if a := c.status(id(1)); a.state() != "pending" || a.get("status", "runs", 0, "reasonResolved") != "claim-expired" {
		t.Fatalf("after the claim has run out: %s", a.text)
	}
	wantStatus(t, c.call("POST", "/api/queue/v1/task/"+id(1)+"/runs/0/completed", nil), 409, "RequestConflict")

	clock.Advance(20*time.Minute + 30*time.Second) // the deadline has passed, nobody has noticed
	if got := c.state(id(1)); got != "pending" {
		t.Errorf("right after the deadline it is %s", got)
	}
	for _, verb := range []string{"rerun", "schedule", "cancel"} {
		wantStatus(t, c.call("POST", "/api/queue/v1/task/"+id(2)+"/"+verb, nil), 409, "RequestConflict")
	}
	clock.Advance(time.Minute)
	for _, one := range []string{id(1), id(2)} {
		a := c.status(one)
		runs := a.get("status", "runs").([]any)
		if last := runs[len(runs)-1].(map[string]any); a.state() != "exception" || last["reasonResolved"] != "deadline-exceeded" {
			t.Errorf("past the deadline: %s", a.text)
		}
	}
}

func TestLostWorkers(t *testing.T) {
	s, c := start(t, tctest.Options{})
	claim := map[string]any{"workerGroup": "g", "workerId": "w"}
	for n, told := range map[int]bool{1: true, 2: false} {
		c.create(s, id(n), nil)
		c.call("POST", "/api/queue/v1/task/"+id(n)+"/runs/0/claim", claim)
		s.LoseWorker("g", "w", told)
	}
	for n, reason := range map[int]string{1: "worker-shutdown", 2: "claim-expired"} {
		if got := c.status(id(n)).get("status", "runs", 0, "reasonResolved"); got != reason {
			t.Errorf("task %d: %v, want %s", n, got, reason)
		}
	}
}

func TestPriorities(t *testing.T) {
	s, c := start(t, tctest.Options{})
	for n, priority := range []string{"lowest", "medium", "highest", "low", "very-high"} {
		c.create(s, id(n), map[string]any{"priority": priority})
	}
	a := c.call("POST", "/api/queue/v1/claim-work/"+queueID, map[string]any{"workerGroup": "g", "workerId": "w", "tasks": 32})
	var got []string
	for n := range 5 {
		got = append(got, fmt.Sprint(a.get("tasks", n, "task", "priority")))
	}
	if want := []string{"highest", "very-high", "medium", "low", "lowest"}; !slices.Equal(got, want) {
		t.Errorf("claimed in the order %v", got)
	}
}

func TestClaimWaitsForWork(t *testing.T) {
	s, c := start(t, tctest.Options{LongPoll: 10 * time.Second})
	go func() {
		time.Sleep(100 * time.Millisecond)
		_, _ = c.try("PUT", "/api/queue/v1/task/"+id(1), aTask(s, nil))
	}()
	began := time.Now()
	a := c.call("POST", "/api/queue/v1/claim-work/"+queueID, map[string]any{"workerGroup": "g", "workerId": "w"})
	if a.get("tasks", 0, "status", "taskId") != id(1) || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %s", time.Since(began), a.text)
	}
}

func TestGroups(t *testing.T) {
	s, c := start(t, tctest.Options{PageSize: 2})
	for n := range 5 {
		c.create(s, id(n), map[string]any{"taskGroupId": id(0)})
	}
	wantStatus(t, c.call("PUT", "/api/queue/v1/task/"+id(9), aTask(s, map[string]any{"taskGroupId": id(0), "schedulerId": "other"})), 409, "RequestConflict")
	group := "/api/queue/v1/task-group/" + id(0)
	wantStatus(t, c.call("POST", group+"/cancel", nil), 409, "RequestConflict")
	_ = s.Complete(id(3))
	if a := c.call("POST", group+"/seal", nil); a.get("sealed") == nil {
		t.Fatalf("sealed: %s", a.text)
	}
	wantStatus(t, c.call("PUT", "/api/queue/v1/task/"+id(9), aTask(s, map[string]any{"taskGroupId": id(0)})), 409, "RequestConflict")
	if a := c.call("POST", group+"/cancel", nil); a.get("cancelledCount") != 4.0 || a.get("taskGroupSize") != 5.0 {
		t.Errorf("canceled: %s", a.text)
	}
	if a := c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil); a.state() != "pending" {
		t.Errorf("a sealed group still runs again: %s", a.text)
	}
}

// TestGroupPages reads pages that are shorter than the limit, as the live ones are, and a token that is none.
func TestGroupPages(t *testing.T) {
	s, c := start(t, tctest.Options{PageSize: 2})
	for n := range 5 {
		c.create(s, id(n), map[string]any{"taskGroupId": id(0)})
	}
	list := "/api/queue/v1/task-group/" + id(0) + "/list?limit=1000"
	var got []string
	pages, token := 0, ""
	for {
		a := c.call("GET", list+token, nil)
		for _, one := range a.get("tasks").([]any) {
			got = append(got, one.(map[string]any)["status"].(map[string]any)["taskId"].(string))
		}
		pages++
		next, ok := a.get("continuationToken").(string)
		if !ok {
			break
		}
		token = "&continuationToken=" + next
	}
	if pages != 3 || !slices.Equal(got, []string{id(0), id(1), id(2), id(3), id(4)}) {
		t.Errorf("%d pages: %v", pages, got)
	}
	if a := c.call("GET", list+"&continuationToken=zzz", nil); len(a.get("tasks").([]any)) != 2 {
		t.Errorf("a token that is none: %s", a.text)
	}
}

func TestBuiltins(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"taskQueueId": "built-in/succeed"})
	c.create(s, id(2), map[string]any{"taskQueueId": "built-in/fail"})
	c.create(s, id(3), map[string]any{"taskQueueId": "built-in/succeed", "payload": map[string]any{"x": 1}})
	for n, want := range map[int]string{1: "completed", 2: "failed", 3: "exception"} {
		if got := c.state(id(n)); got != want {
			t.Errorf("task %d is %s, want %s", n, got, want)
		}
	}
}

func TestBatches(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), nil)
	a := c.call("POST", "/api/queue/v1/tasks/status", map[string]any{"taskIds": []string{id(1), id(2)}})
	if got := a.get("statuses").([]any); len(got) != 1 || a.get("statuses", 0, "status", "state") != "pending" {
		t.Errorf("statuses: %s", a.text)
	}
}
