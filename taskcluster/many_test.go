package taskcluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster"
)

// deployment is a small one whose references name some methods.
type deployment struct {
	methods []string // those of the references; nil: there are no references
	routes  map[string]func(r *http.Request, body []byte) *http.Response

	mu     sync.Mutex
	calls  map[string]int // by method and path
	now    int            // calls in progress
	most   int            // calls that were in progress at once
	reads  int            // of references
	bodies []string
}

func (d *deployment) answer(r *http.Request) (*http.Response, error) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/references/"); ok {
		d.reads++
		if d.methods == nil {
			return response(404, `{"error": "Not found"}`), nil
		}
		var entries []string
		for _, m := range d.methods {
			if service, method, _ := strings.Cut(m, "."); service == path.Dir(path.Dir(name)) {
				entries = append(entries, fmt.Sprintf(`{"name": %q}`, method))
			}
		}
		return response(200, `{"entries": [`+strings.Join(entries, ",")+`]}`), nil
	}
	if r.URL.Path == "/schemas/queue/v1/task.json" {
		return response(200, `{"properties": {"dependencies": {"maxItems": 100}}}`), nil
	}
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	if d.calls == nil {
		d.calls = map[string]int{}
	}
	d.calls[r.Method+" "+path.Dir(r.URL.Path)]++
	d.bodies = append(d.bodies, string(body))
	d.now++
	d.most = max(d.most, d.now)
	d.mu.Unlock()
	defer func() { d.mu.Lock(); d.now--; d.mu.Unlock() }()
	time.Sleep(time.Second)
	for pattern, f := range d.routes {
		if ok, _ := path.Match(pattern, r.Method+r.URL.Path); ok {
			return f(r, body), nil
		}
	}
	return response(404, `{"error": "Not found"}`), nil
}

// in runs a test with a client of the deployment, by a clock that does not wait.
func (d *deployment) in(t *testing.T, f func(t *testing.T, c *taskcluster.Client)) {
	synctest.Test(t, func(t *testing.T) { f(t, newClient(t, d.answer)) })
}

func ids(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("id%05d", i))
	}
	return all
}

var notFound = `{"code": "ResourceNotFound", "message": "x"}`

// every second id is there
func known(id string) bool { return (id[len(id)-1]-'0')%2 == 0 }

func statuses(_ *http.Request, body []byte) *http.Response {
	var request struct{ TaskIDs []string }
	_ = json.Unmarshal(body, &request)
	var list []string
	for _, id := range request.TaskIDs {
		if known(id) {
			list = append(list, fmt.Sprintf(`{"taskId": %q, "status": {"taskId": %q, "state": "pending"}}`, id, id))
		}
	}
	return response(200, `{"statuses": [`+strings.Join(list, ",")+`]}`)
}

func statusOf(r *http.Request, _ []byte) *http.Response {
	id := path.Base(path.Dir(r.URL.Path))
	if !known(id) {
		return response(404, notFound)
	}
	return response(200, fmt.Sprintf(`{"status": {"taskId": %q, "state": "pending"}}`, id))
}

var newMethods = []string{"queue.createTask", "queue.statuses", "queue.tasks", "queue.cancelTaskGroup", "queue.sealTaskGroup", "queue.getTaskGroup", "index.findTasksAtIndex"}
var oldMethods = []string{"queue.createTask", "index.findTask"}

func TestStatuses(t *testing.T) {
	for name, tt := range map[string]struct {
		methods     []string
		noBatch     bool
		calls       map[string]int
		most, reads int
	}{
		"new deployment":              {newMethods, false, map[string]int{"POST /api/queue/v1/tasks": 3}, 3, 2},
		"old deployment":              {oldMethods, true, map[string]int{"GET /api/queue/v1/task": 2500}, 16, 2},
		"references cannot be read":   {nil, false, map[string]int{"POST /api/queue/v1/tasks": 3}, 3, 1},
		"nor is there a batch call":   {nil, true, map[string]int{"POST /api/queue/v1/tasks": 3, "GET /api/queue/v1/task": 2500}, 16, 1},
		"references promise too much": {newMethods, true, map[string]int{"POST /api/queue/v1/tasks": 3, "GET /api/queue/v1/task": 2500}, 16, 2},
	} {
		d := &deployment{methods: tt.methods, routes: map[string]func(*http.Request, []byte) *http.Response{
			"GET/api/queue/v1/task/*/status": statusOf, "POST/api/queue/v1/tasks/status": statuses}}
		if tt.noBatch {
			delete(d.routes, "POST/api/queue/v1/tasks/status")
		}
		d.in(t, func(t *testing.T, c *taskcluster.Client) {
			asked := ids(2500)
			got, err := c.Queue.Statuses(t.Context(), append(asked, asked[:100]...))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := slices.DeleteFunc(asked, func(id string) bool { return !known(id) })
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			for i, n := range d.calls {
				if strings.HasPrefix(i, "GET /api/queue/v1/task/") {
					d.calls["GET /api/queue/v1/task"] += n
					delete(d.calls, i)
				}
			}
			if diff := cmp.Diff(tt.calls, d.calls); diff != "" || d.most > tt.most || d.reads != tt.reads {
				t.Errorf("%s: %d at once, %d reads of references\n%s", name, d.most, d.reads, diff)
			}
		})
	}
}

// The second question knows already what the deployment cannot do.
func TestFallbackIsRemembered(t *testing.T) {
	d := &deployment{routes: map[string]func(*http.Request, []byte) *http.Response{"GET/api/queue/v1/task/*/status": statusOf}}
	d.in(t, func(t *testing.T, c *taskcluster.Client) {
		for range 3 {
			if _, err := c.Queue.Statuses(t.Context(), ids(4)); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.calls["POST /api/queue/v1/tasks"]; n != 1 || d.reads != 1 {
			t.Errorf("%d calls for many, %d reads", n, d.reads)
		}
	})
}

// A task does not read references: there may be thousands of it, and each makes a few calls.
func TestProxyReadsNoReferences(t *testing.T) {
	for _, route := range []string{"POST/api/queue/v1/tasks/status", "GET/api/queue/v1/task/*/status"} {
		d := &deployment{methods: newMethods, routes: map[string]func(*http.Request, []byte) *http.Response{
			route: map[bool]func(*http.Request, []byte) *http.Response{true: statuses, false: statusOf}[strings.HasPrefix(route, "POST")]}}
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, d.answer, func(c *taskcluster.Config) { c.ProxyURL = "http://taskcluster" })
			got, err := c.Queue.Statuses(t.Context(), ids(10))
			if err != nil || len(got) != 5 || d.reads != 0 {
				t.Errorf("%d statuses, %v, %d reads of references", len(got), err, d.reads)
			}
		})
	}
}

func TestNothingIsAskedForNothing(t *testing.T) {
	d := &deployment{}
	d.in(t, func(t *testing.T, c *taskcluster.Client) {
		if got, err := c.Queue.Statuses(t.Context(), nil); len(got) != 0 || err != nil || d.calls != nil || d.reads > 0 {
			t.Errorf("%v, %v, %v", got, err, d.calls)
		}
	})
}

func TestStatusesFail(t *testing.T) {
	d := &deployment{methods: oldMethods, routes: map[string]func(*http.Request, []byte) *http.Response{
		"GET/api/queue/v1/task/*/status": func(*http.Request, []byte) *http.Response {
			return response(403, `{"code": "InsufficientScopes", "message": "no"}`)
		}}}
	d.in(t, func(t *testing.T, c *taskcluster.Client) {
		got, err := c.Queue.Statuses(t.Context(), ids(1000))
		if !taskcluster.HasCode(err, taskcluster.CodeInsufficientScopes) || got != nil {
			t.Errorf("%v, %v", got, err)
		}
		if n := len(d.bodies); n > 100 {
			t.Errorf("%d calls after the first failure", n)
		}
	})
}

// Expired entries, which the call for many finds, are dropped; paths without a dot, which it does not find, are asked for singly.
func TestFindTasksAtIndex(t *testing.T) {
	find := func(r *http.Request, _ []byte) *http.Response {
		if name := path.Base(r.URL.Path); name != "gone" {
			return response(200, fmt.Sprintf(`{"namespace": %q, "taskId": "T", "expires": "2200-01-01T00:00:00.000Z", "data": {}}`, name))
		}
		return response(404, notFound)
	}
	batch := func(*http.Request, []byte) *http.Response {
		return response(200, `{"tasks": [{"namespace": "a.b", "taskId": "T", "expires": "2200-01-01T00:00:00.000Z"}, {"namespace": "a.old", "taskId": "T", "expires": "1999-12-31T23:59:59.000Z"}]}`)
	}
	for _, methods := range [][]string{newMethods, oldMethods} {
		d := &deployment{methods: methods, routes: map[string]func(*http.Request, []byte) *http.Response{
			"GET/api/index/v1/task/*": find, "POST/api/index/v1/tasks/indexes": batch}}
		d.in(t, func(t *testing.T, c *taskcluster.Client) {
			asked := []string{"a.b", "top", "gone", "a.b"}
			if len(methods) > len(oldMethods) {
				asked = append(asked, "a.old")
			}
			got, err := c.Index.FindTasksAtIndex(t.Context(), asked)
			if diff := cmp.Diff([]string{"a.b", "top"}, slices.Sorted(maps.Keys(got))); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// A list ends where there is no token, not where a page is short or empty.
func TestPages(t *testing.T) {
	var queries []string
	client := newClient(t, func(r *http.Request) (*http.Response, error) {
		queries = append(queries, r.URL.RawQuery)
		switch r.URL.Query().Get("continuationToken") {
		case "":
			return response(200, `{"tasks": [{"status": {"taskId": "a"}}, {"status": {"taskId": "b"}}], "continuationToken": "x/+ y"}`), nil
		case "x/+ y":
			return response(200, `{"tasks": [], "continuationToken": "z"}`), nil
		case "z":
			return response(200, `{"tasks": [{"status": {"taskId": "c"}}]}`), nil
		}
		return response(400, `{"code": "InputError", "message": "bad token"}`), nil
	})
	var got []string
	for entry, err := range client.Queue.ListTaskGroup(t.Context(), "g", 2) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry.Status.TaskID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"limit=2", "continuationToken=x%2F%2B+y&limit=2", "continuationToken=z&limit=2"}, queries); diff != "" {
		t.Error(diff)
	}
	queries = nil
	for range client.Queue.ListTaskGroup(t.Context(), "g", 0) {
		break
	}
	if diff := cmp.Diff([]string{""}, queries); diff != "" {
		t.Errorf("after leaving the loop: %s", diff)
	}
}

func TestListEndsAtAnError(t *testing.T) {
	client := newClient(t, func(*http.Request) (*http.Response, error) {
		return response(404, notFound), nil
	})
	n := 0
	for _, err := range client.Queue.ListArtifacts(t.Context(), "id", 0, 0) {
		if n++; !taskcluster.IsNotFound(err) || n > 1 {
			t.Fatalf("%d: %v", n, err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

func TestTaskGroupsOfOldDeployments(t *testing.T) {
	conflict := `{"code": "RequestConflict", "message": "past its deadline"}`
	list := func(*http.Request, []byte) *http.Response {
		return response(200, `{"tasks": [
			{"status": {"taskId": "done", "state": "completed", "deadline": "2200-01-01T00:00:00Z"}},
			{"status": {"taskId": "waits", "state": "unscheduled", "deadline": "2200-01-01T00:00:00Z"}},
			{"status": {"taskId": "late", "state": "unscheduled", "deadline": "1999-01-01T00:00:00Z"}},
			{"status": {"taskId": "just", "state": "pending", "deadline": "2200-01-01T00:00:00Z"}},
			{"status": {"taskId": "new-state", "state": "paused", "deadline": "2200-01-01T00:00:00Z"}},
			{"status": {"taskId": "runs", "state": "running", "deadline": "2200-01-01T00:00:00Z"}}]}`)
	}
	cancel := func(r *http.Request, _ []byte) *http.Response {
		if path.Base(path.Dir(r.URL.Path)) == "just" {
			return response(409, conflict)
		}
		return response(200, statusBody)
	}
	d := &deployment{methods: oldMethods, routes: map[string]func(*http.Request, []byte) *http.Response{
		"GET/api/queue/v1/task-group/g/list": list, "POST/api/queue/v1/task/*/cancel": cancel}}
	d.in(t, func(t *testing.T, c *taskcluster.Client) {
		if _, err := c.Queue.SealTaskGroup(t.Context(), "g"); !errors.Is(err, taskcluster.ErrUnsupported) {
			t.Error(err)
		}
		got, err := c.Queue.CancelTaskGroup(t.Context(), "g")
		want := &taskcluster.CancelledTaskGroup{TaskGroupID: "g", TaskGroupSize: 6, CancelledCount: 3, TaskIDs: []string{"waits", "new-state", "runs"}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestFeatures(t *testing.T) {
	d := &deployment{methods: oldMethods}
	d.in(t, func(t *testing.T, c *taskcluster.Client) {
		f, err := c.Features(t.Context())
		if err != nil || f.MaxDependencies != 100 || !f.Has("queue", "createTask") || f.Has("queue", "statuses") || f.Has("index", "createTask") {
			t.Errorf("%+v, %v", f, err)
		}
		if _, err := c.Features(t.Context()); err != nil || d.reads != 2 {
			t.Errorf("%d reads, %v", d.reads, err)
		}
	})
	none := &deployment{}
	none.in(t, func(t *testing.T, c *taskcluster.Client) {
		if _, err := c.Features(t.Context()); err == nil || !strings.Contains(err.Error(), "GET /references/queue/v1/api.json: 404") {
			t.Error(err)
		}
	})
}
