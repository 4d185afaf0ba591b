package tctest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func TestIndexByRoute(t *testing.T) {
	s, c := start(t, tctest.Options{})
	long := strings.Repeat("n", 243)
	c.create(s, id(1), map[string]any{"routes": []string{"index.proj.a", "index.bad/name", "index." + long},
		"extra": map[string]any{"index": map[string]any{"rank": 7, "data": map[string]any{"k": "v"}}}})
	c.create(s, id(2), map[string]any{"routes": []string{"index.proj.a"}})
	c.create(s, id(3), map[string]any{"routes": []string{"index.proj.failed"}})
	_ = s.Complete(id(1))
	_ = s.Complete(id(2)) // of a lower rank
	_ = s.Fail(id(3))
	a := c.call("GET", "/api/index/v1/task/proj.a", nil)
	if a.get("taskId") != id(1) || a.get("rank") != 7.0 || a.get("data", "k") != "v" {
		t.Errorf("proj.a: %s", a.text)
	}
	wantStatus(t, c.call("GET", "/api/index/v1/task/"+long, nil), 200, "")
	wantStatus(t, c.call("GET", "/api/index/v1/task/proj.failed", nil), 404, "ResourceNotFound")
}

func TestIndexLate(t *testing.T) {
	s, c := start(t, tctest.Options{IndexDelay: time.Minute})
	c.create(s, id(1), map[string]any{"routes": []string{"index.proj.a"}})
	_ = s.Complete(id(1))
	wantStatus(t, c.call("GET", "/api/index/v1/task/proj.a", nil), 404, "ResourceNotFound")
	s.Clock().Advance(time.Minute)
	wantStatus(t, c.call("GET", "/api/index/v1/task/proj.a", nil), 200, "")
}

// The batch call of v106 returns what has expired, finds no path without a dot, and does not stand a path that is named twice.
func TestFindTasksAtIndex(t *testing.T) {
	s, c := start(t, tctest.Options{})
	put := func(namespace string, life time.Duration) {
		wantStatus(t, c.call("PUT", "/api/index/v1/task/"+namespace, map[string]any{"taskId": id(1), "rank": 0, "data": map[string]any{},
			"expires": s.Clock().Now().Add(life).Format(time.RFC3339)}), 200, "")
	}
	put("a.good", time.Hour)
	put("a.old", -time.Hour)
	put("nodot", time.Hour)
	find := func(paths ...string) answer {
		return c.call("POST", "/api/index/v1/tasks/indexes", map[string]any{"indexes": paths})
	}
	a := find("a.good", "a.old", "nodot", "a.none")
	if got := a.get("tasks").([]any); len(got) != 2 || a.get("tasks", 1, "namespace") != "a.old" {
		t.Errorf("found %s", a.text)
	}
	wantStatus(t, c.call("GET", "/api/index/v1/task/a.old", nil), 404, "ResourceNotFound")
	wantStatus(t, find("a.good", "a.good"), 500, "InternalServerError")
}

func TestRankOverflows(t *testing.T) {
	s, c := start(t, tctest.Options{})
	def := map[string]any{"taskId": id(1), "rank": 1_700_000_000_000, "data": map[string]any{}, "expires": s.Clock().Now().Add(time.Hour).Format(time.RFC3339)}
	wantStatus(t, c.call("PUT", "/api/index/v1/task/a.b", def), 500, "InternalServerError")
}

func TestSecrets(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	s.Secret("proj/x", map[string]string{"token": "v"})
	if a := as(t, s, s.Credentials("secrets:get:proj/*")).call("GET", "/api/secrets/v1/secret/proj/x", nil); a.get("secret", "token") != "v" {
		t.Errorf("got %s", a.text)
	}
	wantStatus(t, as(t, s, s.Credentials("secrets:get:other")).call("GET", "/api/secrets/v1/secret/proj/x", nil), 403, "InsufficientScopes")
	s.Clock().Advance(32 * 24 * time.Hour)
	wantStatus(t, as(t, s, s.Admin()).call("GET", "/api/secrets/v1/secret/proj/x", nil), 404, "ResourceNotFound")
}

func TestNotifications(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), map[string]any{"retries": 1, "routes": []string{"notify.email.a@b.example.on-completed", "notify.slack-channel.C1.on-exception"}})
	_ = s.Exception(id(1), "worker-shutdown") // tried again, so nobody is told
	_ = s.Complete(id(1))
	c.call("POST", "/api/notify/v1/email", map[string]any{"address": "x@y.example", "subject": "s", "content": "c"})
	got := s.Notifications()
	if len(got) != 2 || got[0].Target != "a@b.example" || got[0].Event != "completed" || got[0].TaskID != id(1) || got[1].Target != "x@y.example" {
		t.Errorf("sent %+v", got)
	}
}
