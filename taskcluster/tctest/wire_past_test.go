package tctest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// happening is something that happened on the live server between the recordings.
type happening struct {
	at time.Time
	do func()
}

// seenTask is what the recorded answers tell about a task, taken together.
type seenTask struct {
	definition map[string]any
	whole      bool      // the definition was seen, not made up from the status
	first      time.Time // when it was seen first
	recorded   bool      // its createTask is among the recordings
	runs       map[int]map[string]any
	claimed    map[int]bool // runs whose claim is among the recordings
	ended      map[int]bool // and whose end is
}

func (seen *seenTask) define(def map[string]any) {
	if !seen.whole {
		seen.definition, seen.whole = def, true
	}
}

// look reads the answers, and makes a list of what must have happened.
func (r *replay) look(all []*exchange) {
	for _, x := range all {
		var body any
		if json.Unmarshal(x.Response.Body, &body) == nil {
			r.lookAt(x, body)
		}
	}
	for id, changes := range unseen {
		seen := r.task(id, time.Time{})
		if seen.definition == nil {
			seen.definition = map[string]any{}
		}
		maps.Copy(seen.definition, changes)
	}
	r.past = append(r.past, happening{stampOf(indexed), r.fillIndex})
	for _, id := range slices.Sorted(maps.Keys(r.tasks)) {
		seen := r.tasks[id]
		if !seen.recorded {
			r.past = append(r.past, happening{seen.createdAt(), func() { r.create(id, seen) }})
		}
		for n, run := range seen.runs {
			r.lookAtRun(id, n, run)
		}
	}
	slices.SortStableFunc(r.past, func(a, b happening) int { return a.at.Compare(b.at) })
}

func (r *replay) task(id string, at time.Time) *seenTask {
	if r.tasks[id] == nil {
		r.tasks[id] = &seenTask{first: at, runs: map[int]map[string]any{}, claimed: map[int]bool{}, ended: map[int]bool{}}
	}
	return r.tasks[id]
}

func (r *replay) lookAt(x *exchange, v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			r.lookAt(x, one)
		}
	case map[string]any:
		if v["requestInfo"] != nil {
			return
		}
		status, _ := v["status"].(map[string]any)
		if id, ok := status["taskId"].(string); ok {
			r.lookAtStatus(x, id, status)
		}
		if def, ok := v["task"].(map[string]any); ok {
			id, _ := v["taskId"].(string)
			if status != nil {
				id = status["taskId"].(string)
			}
			r.task(id, x.at()).define(def)
		}
		for _, name := range []string{"tasks", "statuses"} {
			r.lookAt(x, v[name])
		}
		if v["payload"] != nil && v["taskGroupId"] != nil {
			id := strings.TrimPrefix(x.Request.Path, "/api/queue/v1/task/")
			r.task(id, x.at()).define(v)
		}
	}
}

func (r *replay) lookAtStatus(x *exchange, id string, status map[string]any) {
	seen := r.task(id, x.at())
	if x.Request.Method == "PUT" && strings.HasSuffix(x.Request.Path, "/task/"+id) && notReplayed[x.Name] == "" {
		seen.recorded = true
	}
	if seen.definition == nil {
		seen.definition = map[string]any{"retries": 5}
		for _, name := range []string{"taskQueueId", "schedulerId", "projectId", "taskGroupId", "priority", "deadline", "expires"} {
			seen.definition[name] = status[name]
		}
		seen.definition["retries"] = status["retriesLeft"]
		if status["state"] == "unscheduled" {
			seen.definition["dependencies"] = []string{id}
		}
	}
	runs, _ := status["runs"].([]any)
	for n, run := range runs {
		seen.runs[n] = run.(map[string]any)
	}
	last := len(runs) - 1
	switch path := x.Request.Path; {
	case notReplayed[x.Name] != "" || x.Request.Method != "POST":
	case strings.Contains(path, "/claim"):
		seen.claimed[last] = true
	case strings.HasSuffix(path, "/exception") && status["state"] == "pending":
		seen.ended[last-1] = true
	case strings.HasSuffix(path, "/completed"), strings.HasSuffix(path, "/failed"), strings.HasSuffix(path, "/exception"), strings.HasSuffix(path, "/cancel"):
		seen.ended[last] = true
	}
}

func (seen *seenTask) createdAt() time.Time {
	if text, ok := seen.definition["created"].(string); ok {
		return stampOf(text)
	}
	if run := seen.runs[0]; run != nil && run["reasonCreated"] == "scheduled" {
		return stampOf(run["scheduled"])
	}
	return seen.first.Add(-time.Millisecond)
}

func stampOf(v any) time.Time {
	text, _ := v.(string)
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// lookAtRun notes the claim and the end of a run that no recorded call may have made.
func (r *replay) lookAtRun(id string, n int, run map[string]any) {
	if run["started"] != nil && !r.tasks[id].claimed[n] {
		r.past = append(r.past, happening{stampOf(run["started"]), func() { r.claim(id, n, run) }})
	}
	if run["resolved"] != nil && !r.tasks[id].ended[n] {
		r.past = append(r.past, happening{stampOf(run["resolved"]).Add(50 * time.Millisecond), func() { r.end(id, n, run) }})
	}
}

// until lets happen what happened until at.
func (r *replay) until(at time.Time) {
	for len(r.past) > 0 && r.past[0].at.Before(at) {
		r.clock.Set(r.past[0].at)
		r.past[0].do()
		r.past = r.past[1:]
	}
	r.clock.Set(at)
}

func (r *replay) ask(method, path string, body any) answer {
	c := &caller{root: r.s.RootURL, creds: r.admin, at: r.clock.Now}
	a, err := c.try(method, path, body)
	if err != nil {
		panic(err)
	}
	return a
}

func (r *replay) create(id string, seen *seenTask) {
	if _, there := r.s.Status(id); there {
		return
	}
	def := map[string]any{"created": r.clock.Now().Format(time.RFC3339Nano), "payload": map[string]any{},
		"metadata": map[string]any{"name": "taf", "description": "taf probe", "owner": "taf@localhost.local", "source": "http://127.0.0.1/taf"}}
	maps.Copy(def, seen.definition)
	if a := r.ask("PUT", "/api/queue/v1/task/"+id, def); a.status != 200 {
		fmt.Printf("past: createTask %s: %s\n", id, a.text)
	}
}

// current is the state of a run, empty when there is none.
func (r *replay) current(id string, n int) string {
	status, _ := r.s.Status(id)
	if n >= len(status.Runs) {
		return ""
	}
	return status.Runs[n].State
}

func (r *replay) claim(id string, n int, run map[string]any) {
	if r.current(id, n) != "pending" || run["workerGroup"] == nil {
		return
	}
	a := r.ask("POST", fmt.Sprintf("/api/queue/v1/task/%s/runs/%d/claim", id, n), map[string]any{"workerGroup": run["workerGroup"], "workerId": run["workerId"]})
	until := stampOf(run["takenUntil"])
	given, _ := a.body["credentials"].(map[string]any)
	if given == nil {
		return
	}
	name := fmt.Sprintf("task-client/%s/%d/on/%s/%s/until/%.3f", id, n, run["workerGroup"], run["workerId"], float64(until.UnixMilli())/1000)
	name = strings.TrimRight(strings.TrimRight(name, "0"), ".")
	r.learnNames(map[string]any{"clientId": name, "certificate": ""}, map[string]any(given))
}

func (r *replay) end(id string, n int, run map[string]any) {
	state := r.current(id, n)
	reason, _ := run["reasonResolved"].(string)
	if state != "pending" && state != "running" {
		return
	}
	base := fmt.Sprintf("/api/queue/v1/task/%s/runs/%d/", id, n)
	switch reason {
	case "completed", "failed":
		r.ask("POST", base+reason, nil)
	case "canceled":
		r.ask("POST", "/api/queue/v1/task/"+id+"/cancel", nil)
	case "claim-expired":
		r.s.LoseWorker(run["workerGroup"].(string), run["workerId"].(string), false)
	case "deadline-exceeded":
	default:
		r.ask("POST", base+"exception", map[string]string{"reason": reason})
	}
}

// unseen is what no recorded answer tells about tasks.
var unseen = map[string]map[string]any{
	"Bye4xJLFTUimMNuUJ94BoA": {"routes": []string{"index.taf.wire.art"}},
	"FEfF3jOvRHOBCFZKUL59vw": {"retries": 1},
	"F9pPLwcETOyyMtUI4qSaFw": {"created": "2026-11-23T09:25:24.700Z", "deadline": "2026-11-23T10:25:24.700Z", "expires": "2026-11-24T09:25:24.700Z",
		"taskQueueId": "proj-taf/wire3", "schedulerId": "taf"},
	"OhQgemJhQWuDewpM-RLCMQ": {"created": "2026-11-23T09:25:26.000Z", "deadline": "2026-11-23T10:25:26.000Z", "expires": "2026-11-24T09:25:26.000Z",
		"taskQueueId": "proj-taf/wire3", "schedulerId": "taf", "dependencies": []string{"OhQgemJhQWuDewpM-RLCMQ"}},
	"UttjuSaNQPG5Wd4Jhq2tlg": {"created": "2026-11-23T09:33:46.000Z"},
}

// indexed is when the entries were made that index-list… and index-find… show.
const indexed = "2026-11-23T09:25:27.850Z"

func (r *replay) fillIndex() {
	put := func(namespace string) {
		r.ask("PUT", "/api/index/v1/task/"+namespace, map[string]any{"taskId": "Bye4xJLFTUimMNuUJ94BoA", "rank": 1, "data": map[string]any{},
			"expires": "2026-11-24T09:25:27.702Z"})
	}
	for i := range 7 {
		put(fmt.Sprintf("taf.man.m%d", i))
	}
	for i := range 5 {
		put(fmt.Sprintf("taf.man.l%d.x", i))
	}
}
