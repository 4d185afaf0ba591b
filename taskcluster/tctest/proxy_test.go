package tctest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

// TestProxy calls through the proxy of a task, without signing.
func TestProxy(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	s.Secret("proj/x", map[string]string{"token": "v"})
	runningTask(t, s, 1, map[string]any{"scopes": []string{"secrets:get:proj/x", "queue:get-artifact:private/*"}})
	through := &caller{t: t, root: s.StartProxy(t, id(1), 0)}
	for _, path := range []string{"/api/secrets/v1/secret/proj/x", "/secrets/v1/secret/proj/x", "/api/secrets/v1/secret/proj%2Fx"} {
		if a := through.call("GET", path, nil); a.get("secret", "token") != "v" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	wantStatus(t, through.call("GET", "/api/secrets/v1/secret/proj/y", nil), 403, "InsufficientScopes")
	if a := through.call("GET", "/api/queue/v1/task/"+id(1), nil); a.get("taskQueueId") != queueID {
		t.Errorf("its own definition: %d %s", a.status, a.text)
	}
	put := through.call("POST", runPath(1, 0, "artifacts/private/p.txt"), map[string]any{"storageType": "s3", "contentType": "text/plain",
		"expires": s.Clock().Now().Add(time.Hour).Format(time.RFC3339)})
	upload(t, put.get("putUrl").(string), "hello", nil)
	found := through.call("GET", runPath(1, 0, "artifacts/private/p.txt"), nil)
	if found.status != 303 || strings.HasPrefix(found.header.Get("Location"), through.root) {
		t.Errorf("a redirect is handed back: %d %s", found.status, found.header.Get("Location"))
	}
	wantStatus(t, through.call("POST", runPath(1, 0, "completed"), nil), 403, "InsufficientScopes")
}

func TestProxyBewit(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	w := runningTask(t, s, 1, map[string]any{"scopes": []string{"queue:get-artifact:private/*"}})
	put := w.call("POST", runPath(1, 0, "artifacts/private/p.txt"), map[string]any{"storageType": "s3", "contentType": "text/plain",
		"expires": s.Clock().Now().Add(time.Hour).Format(time.RFC3339)})
	upload(t, put.get("putUrl").(string), "hello", nil)
	r, _ := http.NewRequest("POST", s.StartProxy(t, id(1), 0)+"/bewit", strings.NewReader(s.RootURL+runPath(1, 0, "artifacts/private/p.txt")))
	signed, err := send(r)
	if err != nil || signed.status != 303 {
		t.Fatalf("%v %d %s", err, signed.status, signed.text)
	}
	if a := as(t, s, tctest.Credentials{}).call("GET", signed.header.Get("Location"), nil); a.status != 303 {
		t.Errorf("the signed address: %d %s", a.status, a.text)
	}
}

// TestProxyHeaderBudget has a task with more text of scopes than a header holds: about 1,200 characters, since they are in it twice.
func TestProxyHeaderBudget(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	for n, tt := range []struct{ length, status int }{{1000, 200}, {1400, 401}} {
		runningTask(t, s, n, map[string]any{"scopes": []string{strings.Repeat("s", tt.length)}})
		through := &caller{t: t, root: s.StartProxy(t, id(n), 0)}
		if a := through.call("GET", "/api/queue/v1/task/"+id(n), nil); a.status != tt.status {
			t.Errorf("%d characters: %d %s", tt.length, a.status, a.text)
		}
	}
}
