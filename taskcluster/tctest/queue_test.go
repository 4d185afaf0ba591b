package tctest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func start(t *testing.T, o tctest.Options) (*tctest.Server, *caller) {
	s := tctest.New(t, o)
	return s, as(t, s, s.Admin())
}

func TestDependentsFollow(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), nil)
	c.create(s, id(2), map[string]any{"dependencies": []string{id(1)}})
	c.create(s, id(3), map[string]any{"dependencies": []string{id(1)}, "requires": "all-resolved"})
	if got := c.state(id(2)); got != "unscheduled" {
		t.Fatalf("the dependent is %s", got)
	}
	if err := s.Fail(id(1)); err != nil {
		t.Fatal(err)
	}
	if got := c.state(id(2)); got != "unscheduled" {
		t.Errorf("a failure does not cascade: the dependent is %s", got)
	}
	if got := c.state(id(3)); got != "pending" {
		t.Errorf("with all-resolved the dependent is %s", got)
	}
	c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil)
	if err := s.Complete(id(1)); err != nil {
		t.Fatal(err)
	}
	if got := c.state(id(2)); got != "pending" {
		t.Errorf("after a good rerun the dependent is %s", got)
	}
}

func TestGate(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"taskQueueId": "built-in/succeed", "dependencies": []string{id(1)}})
	c.create(s, id(2), map[string]any{"dependencies": []string{id(1)}})
	if got := c.state(id(1)); got != "unscheduled" {
		t.Fatalf("the gate is %s", got)
	}
	if a := c.call("POST", "/api/queue/v1/task/"+id(1)+"/schedule", nil); a.state() != "pending" {
		t.Fatalf("the gate is %s", a.state())
	}
	if got := c.state(id(1)); got != "completed" {
		t.Errorf("the gate is %s", got)
	}
	if got := c.state(id(2)); got != "pending" {
		t.Errorf("behind the gate it is %s", got)
	}
}

func TestClaimRunReport(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"routes": []string{"index.proj.a"}, "scopes": []string{"secrets:get:x"}})
	a := c.call("POST", "/api/queue/v1/claim-work/"+queueID, map[string]any{"workerGroup": "g", "workerId": "w", "tasks": 4})
	run, _ := a.get("tasks", 0).(map[string]any)
	if run == nil || !strings.HasSuffix(run["takenUntil"].(string), "+00:00") {
		t.Fatalf("claimed %s", a.text)
	}
	given := run["credentials"].(map[string]any)
	worker := as(t, s, tctest.Credentials{ClientID: given["clientId"].(string), AccessToken: given["accessToken"].(string), Certificate: given["certificate"].(string)})

	base := "/api/queue/v1/task/" + id(1) + "/runs/0/"
	put := worker.call("POST", base+"artifacts/public/a.txt", map[string]any{"storageType": "s3", "contentType": "text/plain",
		"expires": s.Clock().Now().Add(time.Hour).Format(time.RFC3339)})
	upload(t, put.get("putUrl").(string), "hello", map[string]string{"Content-Type": "text/plain"})
	wantStatus(t, as(t, s, tctest.Credentials{}).call("GET", "/api/index/v1/task/proj.a", nil), 404, "ResourceNotFound")
	if done := worker.call("POST", base+"completed", nil); done.state() != "completed" {
		t.Fatalf("completed: %s", done.text)
	}
	found := as(t, s, tctest.Credentials{}).call("GET", "/api/index/v1/task/proj.a", nil)
	if found.get("taskId") != id(1) {
		t.Errorf("the index has %s", found.text)
	}
	redirect := as(t, s, tctest.Credentials{}).call("GET", "/api/queue/v1/task/"+id(1)+"/artifacts/public/a.txt", nil)
	if redirect.status != 303 {
		t.Fatalf("artifact: %d %s", redirect.status, redirect.text)
	}
	if content := as(t, s, tctest.Credentials{}).call("GET", redirect.header.Get("Location"), nil); content.text != "hello" {
		t.Errorf("content: %d %q", content.status, content.text)
	}
	if content := c.call("GET", redirect.header.Get("Location"), nil); content.status != 400 {
		t.Errorf("the storage takes a Hawk header: %d", content.status)
	}
}
