package taskcluster_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tafc/tafc/taskcluster"
)

// route says with which call of the client a recorded request is made again.
type route struct {
	method  string
	pattern *regexp.Regexp // of the path below /api, unescaped
	call    func(t *testing.T, c *taskcluster.Client, x exchange, p []string) (any, error)
	list    string // the part of the answer that is a list, which goes on over pages
}

// want is what the call must return: the recorded answer, and for lists those of all its pages.
func (r *route) want(x exchange, s *recorded) any {
	if x.Response.Status == http.StatusSeeOther {
		return clean(map[string]any{"storageType": x.Response.Headers["x-taskcluster-artifact-storage-type"], "url": x.Response.Headers["location"]})
	}
	if text, ok := x.Response.Body.(string); ok && text == "" {
		return nil
	}
	if r.list == "" {
		return clean(x.Response.Body)
	}
	entries, _ := x.Response.Body.(map[string]any)[r.list].([]any)
	for _, file := range s.continued {
		for _, y := range s.all {
			if y.file == file {
				more, _ := y.Response.Body.(map[string]any)[r.list].([]any)
				entries = append(entries, more...)
			}
		}
	}
	return clean(entries)
}

func find(x exchange) (*route, []string) {
	path, err := url.PathUnescape(strings.TrimPrefix(x.Request.Path, "/api/"))
	if err != nil {
		return nil, nil
	}
	for i := range routes {
		if m := routes[i].pattern.FindStringSubmatch(path); m != nil && routes[i].method == x.Request.Method {
			return &routes[i], m[1:]
		}
	}
	return nil, nil
}

type params = []string

// anyCall is for answers of which it is not known, or does not matter, what was asked.
var anyCall = at("", "", func(_ *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
	return x.Response.Body, c.Queue.Ping(background)
})

func status(s *taskcluster.Status, err error) (any, error) { return map[string]any{"status": s}, err }

func at(method, pattern string, call func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error)) route {
	return route{method: method, pattern: regexp.MustCompile("^" + pattern + "$"), call: call}
}

func listOf(list string, r route) route { r.list = list; return r }

var routes = []route{
	at("GET", "queue/v1/ping", func(_ *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
		return x.Response.Body, c.Queue.Ping(background)
	}),
	at("PUT", "queue/v1/task/([^/]*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		task := taskcluster.TaskDefinition{}
		if mode, _ := modeOf(x); mode != answerOnly {
			task = as[taskcluster.TaskDefinition](t, x)
		}
		return status(c.Queue.CreateTask(background, p[0], &task))
	}),
	at("GET", "queue/v1/task/([^/]*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Queue.Task(background, p[0])
	}),
	at("GET", "queue/v1/task/([^/]*)/status", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return status(c.Queue.Status(background, p[0]))
	}),
	at("POST", "queue/v1/task/([^/]*)/(schedule|rerun|cancel)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		switch p[1] {
		case "schedule":
			return status(c.Queue.ScheduleTask(background, p[0]))
		case "rerun":
			return status(c.Queue.RerunTask(background, p[0]))
		}
		return status(c.Queue.CancelTask(background, p[0]))
	}),
	at("GET", "queue/v1/task-group/([^/]*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Queue.GetTaskGroup(background, p[0])
	}),
	at("POST", "queue/v1/task-group/([^/]*)/(seal|cancel)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		if p[1] == "seal" {
			return c.Queue.SealTaskGroup(background, p[0])
		}
		return c.Queue.CancelTaskGroup(background, p[0])
	}),
	listOf("tasks", at("GET", "queue/v1/task-group/([^/]*)/list", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return collect(t, c.Queue.ListTaskGroup(background, p[0], limit(x)))
	})),
	listOf("tasks", at("GET", "queue/v1/task/([^/]*)/dependents", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return collect(t, c.Queue.ListDependentTasks(background, p[0], limit(x)))
	})),
	at("GET", "queue/v1/(?:task-queues/(.*)/counts|pending/(.*))", func(t *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		counts, err := c.Queue.TaskQueueCounts(background, p[0]+p[1])
		if p[1] == "" || err != nil {
			return counts, err
		}
		old, _ := normal(t, counts).(map[string]any)
		delete(old, "claimedTasks") // the old call does not tell
		return old, nil
	}),
	at("POST", "queue/v1/tasks/status", func(t *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
		found, err := c.Queue.Statuses(background, as[struct{ TaskIDs []string }](t, x).TaskIDs)
		var list []any
		for _, id := range inOrder(x, "statuses", "taskId") {
			list = append(list, map[string]any{"taskId": id, "status": found[id]})
		}
		return map[string]any{"statuses": list}, err
	}),
	at("POST", "queue/v1/tasks", func(t *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
		found, err := c.Queue.Tasks(background, as[struct{ TaskIDs []string }](t, x).TaskIDs)
		var list []any
		for _, id := range inOrder(x, "tasks", "taskId") {
			list = append(list, map[string]any{"taskId": id, "task": found[id]})
		}
		return map[string]any{"tasks": list}, err
	}),
	listOf("artifacts", at("GET", "queue/v1/task/([^/]*)/runs/(\\d+)/artifacts", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return collect(t, c.Queue.ListArtifacts(background, p[0], number(p[1]), limit(x)))
	})),
	listOf("artifacts", at("GET", "queue/v1/task/([^/]*)/artifacts", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return collect(t, c.Queue.ListLatestArtifacts(background, p[0], limit(x)))
	})),
	at("GET", "queue/v1/task/([^/]*)/runs/(\\d+)/artifacts/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Queue.GetArtifact(background, p[0], number(p[1]), p[2])
	}),
	at("GET", "queue/v1/task/([^/]*)/artifacts/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Queue.GetLatestArtifact(background, p[0], p[1])
	}),
	at("GET", "queue/v1/task/([^/]*)/artifact-content/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Queue.LatestArtifact(background, p[0], p[1])
	}),
	at("GET", "queue/v1/task/([^/]*)/artifact-info/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Queue.LatestArtifactInfo(background, p[0], p[1])
	}),
	at("POST", "queue/v1/claim-work/(.*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		request := as[taskcluster.ClaimWorkRequest](t, x)
		claims, err := c.Worker.ClaimWork(background, p[0], &request)
		return map[string]any{"tasks": claims}, err
	}),
	at("POST", "queue/v1/task/([^/]*)/runs/(\\d+)/(reclaim|completed|failed|exception)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		switch run := number(p[1]); p[2] {
		case "reclaim":
			claim, err := c.Worker.ReclaimTask(background, p[0], run)
			return withoutTask(t, claim), err
		case "completed":
			return status(c.Worker.ReportCompleted(background, p[0], run))
		case "failed":
			return status(c.Worker.ReportFailed(background, p[0], run))
		}
		return status(c.Worker.ReportException(background, p[0], number(p[1]), as[struct{ Reason string }](t, x).Reason))
	}),
	at("POST", "queue/v1/task/([^/]*)/runs/(\\d+)/artifacts/(.*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		request := as[taskcluster.CreateArtifactRequest](t, x)
		return c.Worker.CreateArtifact(background, p[0], number(p[1]), p[2], &request)
	}),
	at("PUT", "queue/v1/task/([^/]*)/runs/(\\d+)/artifacts/(.*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return nil, c.Worker.FinishArtifact(background, p[0], number(p[1]), p[2], as[struct{ UploadID string }](t, x).UploadID)
	}),
	at("GET", "index/v1/task/([^/]*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Index.FindTask(background, p[0])
	}),
	at("PUT", "index/v1/task/([^/]*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		request := as[taskcluster.InsertTaskRequest](t, x)
		return c.Index.InsertTask(background, p[0], &request)
	}),
	at("DELETE", "index/v1/task/([^/]*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return nil, c.Index.DeleteTask(background, p[0])
	}),
	at("GET", "index/v1/task/([^/]*)/artifacts/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Index.FindArtifactFromTask(background, p[0], p[1])
	}),
	listOf("tasks", at("GET", "index/v1/tasks/(.*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return collect(t, c.Index.ListTasks(background, p[0], limit(x)))
	})),
	listOf("namespaces", at("GET", "index/v1/namespaces/(.*)", func(t *testing.T, c *taskcluster.Client, x exchange, p params) (any, error) {
		return collect(t, c.Index.ListNamespaces(background, p[0], limit(x)))
	})),
	at("POST", "index/v1/tasks/indexes", func(t *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
		found, err := c.Index.FindTasksAtIndex(background, as[struct{ Indexes []string }](t, x).Indexes)
		var list []any
		for _, path := range inOrder(x, "tasks", "namespace") {
			list = append(list, found[path])
		}
		return map[string]any{"tasks": list}, err
	}),
	at("GET", "auth/v1/scopes/current", func(_ *testing.T, c *taskcluster.Client, _ exchange, _ params) (any, error) {
		scopes, err := c.Auth.CurrentScopes(background)
		return map[string]any{"scopes": scopes}, err
	}),
	at("POST", "auth/v1/scopes/expand", func(t *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
		scopes, err := c.Auth.ExpandScopes(background, as[struct{ Scopes []string }](t, x).Scopes)
		return map[string]any{"scopes": scopes}, err
	}),
	at("GET", "auth/v1/aws/s3/([^/]*)/([^/]*)/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Auth.AwsS3Credentials(background, p[0], p[1], p[2])
	}),
	at("POST", "auth/v1/test-authenticate", func(t *testing.T, c *taskcluster.Client, x exchange, _ params) (any, error) {
		request := as[struct{ ClientScopes, RequiredScopes []string }](t, x)
		return c.Auth.TestAuthenticate(background, request.ClientScopes, request.RequiredScopes)
	}),
	at("GET", "secrets/v1/secret/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Secrets.Get(background, p[0])
	}),
	at("PUT", "object/v1/start-download/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Object.StartDownload(background, p[0])
	}),
	at("GET", "object/v1/metadata/(.*)", func(_ *testing.T, c *taskcluster.Client, _ exchange, p params) (any, error) {
		return c.Object.Object(background, p[0])
	}),
}

func as[T any](t *testing.T, x exchange) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(x.body, &v); err != nil {
		t.Fatalf("the recorded body: %v", err)
	}
	return v
}

// inOrder lists what the answer is about in its order, which means nothing.
func inOrder(x exchange, list, key string) []string {
	var ids []string
	body, _ := x.Response.Body.(map[string]any)
	entries, _ := body[list].([]any)
	for _, entry := range entries {
		ids = append(ids, entry.(map[string]any)[key].(string))
	}
	return ids
}

func limit(x exchange) int   { return number(x.Request.Query["limit"]) }
func number(text string) int { n, _ := strconv.Atoi(text); return n }

func withoutTask(t *testing.T, claim *taskcluster.TaskClaim) any {
	if claim == nil {
		return nil
	}
	object, _ := normal(t, claim).(map[string]any)
	delete(object, "task")
	return object
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
