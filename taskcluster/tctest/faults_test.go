package tctest_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func TestFaults(t *testing.T) {
	s, c := start(t, tctest.Options{})
	s.Inject(tctest.Fault{Method: "createTask", Skip: 1, Status: 503})
	s.Inject(tctest.Fault{Method: "createTask", Skip: 1, Reset: true})
	s.Inject(tctest.Fault{Method: "createTask", Skip: 1, LoseAnswer: true})
	outcome := func(n int) string {
		a, err := c.try("PUT", "/api/queue/v1/task/"+id(n), aTask(s, nil))
		switch _, there := s.Status(id(n)); {
		case err != nil && there:
			return "answer lost"
		case err != nil:
			return "reset"
		case a.status == 503 && strings.Contains(a.text, "<html>"):
			return "503"
		case a.status == 200:
			return "created"
		default:
			return a.text
		}
	}
	var got []string
	for n := range 5 {
		got = append(got, outcome(n))
	}
	if want := "created 503 reset answer lost created"; strings.Join(got, " ") != want {
		t.Errorf("got %q", got)
	}
	var statuses []int
	for _, call := range s.Calls("createTask") {
		statuses = append(statuses, call.Status)
	}
	if want := []int{200, 503, 0, 200, 200}; !slices.Equal(statuses, want) {
		t.Errorf("the answers were %v, want %v", statuses, want)
	}
}

func TestLostAnswer(t *testing.T) {
	s, c := start(t, tctest.Options{})
	s.Inject(tctest.Fault{Method: "createTask", LoseAnswer: true})
	def := aTask(s, nil)
	if a, err := c.try("PUT", "/api/queue/v1/task/"+id(1), def); err == nil {
		t.Fatalf("got an answer: %s", a.text)
	}
	if _, there := s.Status(id(1)); !there {
		t.Fatal("nothing was created")
	}
	wantStatus(t, c.call("PUT", "/api/queue/v1/task/"+id(1), def), 200, "")
}

func TestEveryCallIsSeen(t *testing.T) {
	s, c := start(t, tctest.Options{})
	var before, after atomic.Int32
	s.BeforeCall(func(call tctest.Call) *tctest.Fault {
		before.Add(1)
		if call.N == 3 {
			return &tctest.Fault{Reset: true}
		}
		return nil
	})
	s.AfterCall(func(tctest.Call) { after.Add(1) })
	for n := range 4 {
		_, err := c.try("PUT", "/api/queue/v1/task/"+id(n), aTask(s, nil)) // net/http tries a GET again by itself
		if (err != nil) != (n == 2) {
			t.Errorf("call %d: %v", n+1, err)
		}
	}
	if before.Load() != 4 || after.Load() != 4 {
		t.Errorf("seen %d before and %d after", before.Load(), after.Load())
	}
}

func TestSlow(t *testing.T) {
	s, c := start(t, tctest.Options{})
	s.Inject(tctest.Fault{Method: "status", Delay: 200 * time.Millisecond})
	began := time.Now()
	c.call("GET", "/api/queue/v1/task/"+id(1)+"/status", nil)
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestHandle(t *testing.T) {
	s, c := start(t, tctest.Options{})
	s.Handle(queueID, func(w tctest.Work) tctest.Outcome {
		if w.TaskID == id(2) && w.RunID == 0 {
			return tctest.Outcome{State: "exception", Reason: "worker-shutdown"}
		}
		return tctest.Outcome{Artifacts: []tctest.Artifact{{Name: "public/a", Data: []byte(w.TaskID)}}}
	})
	c.create(s, id(1), nil)
	c.create(s, id(2), map[string]any{"dependencies": []string{id(1)}})
	for range 100 {
		if c.state(id(2)) == "completed" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	a := c.status(id(2))
	if a.state() != "completed" || len(a.get("status", "runs").([]any)) != 2 {
		t.Fatalf("the second: %s", a.text)
	}
	at := c.call("GET", "/api/queue/v1/task/"+id(2)+"/artifacts/public/a", nil).header.Get("Location")
	if got := as(t, s, tctest.Credentials{}).call("GET", at, nil).text; got != id(2) {
		t.Errorf("its artifact: %q", got)
	}
}
