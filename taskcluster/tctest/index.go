package tctest

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// index is the index service: a task by namespace.
type index struct {
	mu      sync.RWMutex
	entries map[string]indexEntry
}

type indexEntry struct {
	namespace, taskID string
	rank              float64
	data              json.RawMessage
	expires           time.Time
}

type indexAnswer struct {
	Namespace string          `json:"namespace"`
	TaskID    string          `json:"taskId"`
	Rank      float64         `json:"rank"`
	Data      json.RawMessage `json:"data"`
	Expires   string          `json:"expires"`
}

func (e indexEntry) answer() indexAnswer {
	return indexAnswer{e.namespace, e.taskID, e.rank, e.data, stamp(e.expires)}
}

func newIndex() *index { return &index{entries: map[string]indexEntry{}} }

var namespaceRE = regexp.MustCompile(namespacePattern)

// insert enters e unless an entry of higher rank is there, and returns what is there then.
func (x *index) insert(e indexEntry) indexEntry {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old, ok := x.entries[e.namespace]; ok && old.rank > e.rank {
		return old
	}
	x.entries[e.namespace] = e
	return e
}

// indexEntries are what the routes of a completed task enter. A namespace that is none, and a rank that does not fit, enter nothing.
func indexEntries(t *task) (all []indexEntry) {
	e := indexEntry{taskID: t.id, data: json.RawMessage(`{}`), expires: t.expires}
	var extra struct {
		Index struct {
			Rank    float64         `json:"rank"`
			Expires string          `json:"expires"`
			Data    json.RawMessage `json:"data"`
		} `json:"index"`
	}
	_ = json.Unmarshal(t.def.Extra, &extra)
	e.rank = extra.Index.Rank
	if at, ok := parseStamp(extra.Index.Expires); ok {
		e.expires = at
	}
	if len(extra.Index.Data) > 0 {
		e.data = extra.Index.Data
	}
	for _, route := range t.def.Routes {
		namespace, ok := strings.CutPrefix(route, "index.")
		if ok && namespaceRE.MatchString(namespace) && math.Abs(e.rank) <= math.MaxInt32 {
			one := e
			one.namespace = namespace
			all = append(all, one)
		}
	}
	return all
}

// find is the entry of a namespace that has not expired.
func (c *call) find(namespace string) (indexEntry, *apiError) {
	c.s.index.mu.RLock()
	defer c.s.index.mu.RUnlock()
	e, ok := c.s.index.entries[namespace]
	if !ok || e.expires.Before(c.s.clock.Now()) {
		return e, notFound("Indexed task not found")
	}
	return e, nil
}

func findTask(c *call) (any, error) {
	path := c.params["indexPath"]
	if err := c.authorize(scope("index:find-task:", path)); err != nil {
		return nil, err
	}
	e, err := c.find(path)
	if err != nil {
		return nil, err
	}
	return e.answer(), nil
}

// findTasksAtIndex returns expired entries too, never finds a path without a dot, and fails when a path is named twice: v106 does.
func findTasksAtIndex(c *call) (any, error) {
	paths := c.strs("indexes")
	if err := c.authorize(allOf(eachScope("index:find-task:", paths)...)); err != nil {
		return nil, err
	}
	x := c.s.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := []indexAnswer{}
	seen := map[string]bool{}
	for _, path := range paths {
		e, ok := x.entries[path]
		if !ok || !strings.Contains(path, ".") {
			continue
		}
		if seen[path] {
			return nil, internal("Error: Schema Validation Failed!\n  * data/tasks must NOT have duplicate items")
		}
		seen[path] = true
		all = append(all, e.answer())
	}
	all, next := pageByNumber(c, all)
	return tasksPage{all, next}, nil
}

type tasksPage struct {
	Tasks []indexAnswer `json:"tasks"`
	Next  string        `json:"continuationToken,omitempty"`
}

func listIndexedTasks(c *call) (any, error) {
	namespace := c.params["namespace"]
	if err := c.authorize(scope("index:list-tasks:", namespace)); err != nil {
		return nil, err
	}
	x := c.s.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := []indexAnswer{}
	for _, name := range slices.Sorted(maps.Keys(x.entries)) {
		rest, ok := strings.CutPrefix(name, namespace+".")
		if ok && !strings.Contains(rest, ".") && !x.entries[name].expires.Before(c.s.clock.Now()) {
			all = append(all, x.entries[name].answer())
		}
	}
	all, next := page(c, all, func(a indexAnswer) string { return a.Namespace })
	return tasksPage{all, next}, nil
}

type namespaceAnswer struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Expires   string `json:"expires"`
}

func listNamespaces(c *call) (any, error) {
	namespace := c.params["namespace"]
	if err := c.authorize(scope("index:list-namespaces:", namespace)); err != nil {
		return nil, err
	}
	x := c.s.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	latest := map[string]time.Time{}
	for name, e := range x.entries {
		rest, ok := strings.CutPrefix(name, namespace+".")
		child, _, deeper := strings.Cut(rest, ".")
		if ok && deeper && e.expires.After(latest[child]) {
			latest[child] = e.expires
		}
	}
	all := []namespaceAnswer{}
	for _, child := range slices.Sorted(maps.Keys(latest)) {
		until := latest[child].Truncate(24 * time.Hour).Add(24 * time.Hour) // kept by whole days
		all = append(all, namespaceAnswer{namespace + "." + child, child, stamp(until)})
	}
	all, next := page(c, all, func(a namespaceAnswer) string { return a.Name })
	return struct {
		Namespaces []namespaceAnswer `json:"namespaces"`
		Next       string            `json:"continuationToken,omitempty"`
	}{all, next}, nil
}

func insertTask(c *call) (any, error) {
	namespace := c.params["namespace"]
	if err := c.authorize(scope("index:insert-task:", namespace)); err != nil {
		return nil, err
	}
	rank, _ := c.body["rank"].(float64)
	if math.Abs(rank) > math.MaxInt32 {
		return nil, internal("error: integer out of range")
	}
	data, _ := json.Marshal(c.body["data"])
	e := indexEntry{namespace: namespace, taskID: c.str("taskId"), rank: rank, data: data}
	e.expires, _ = parseStamp(c.str("expires"))
	return c.s.index.insert(e).answer(), nil
}

func deleteIndexedTask(c *call) (any, error) {
	namespace := c.params["namespace"]
	if err := c.authorize(scope("index:delete-task:", namespace)); err != nil {
		return nil, err
	}
	c.s.index.mu.Lock()
	defer c.s.index.mu.Unlock()
	delete(c.s.index.entries, namespace)
	return struct{}{}, nil
}

func findArtifactFromTask(c *call) (any, error) {
	e, err := c.find(c.params["indexPath"])
	if err != nil {
		return nil, err
	}
	if err := c.authorize(scope("queue:get-artifact:", c.params["name"])); err != nil {
		return nil, err
	}
	c.params["taskId"] = e.taskID
	a, _, _, err := c.findArtifact()
	if err != nil {
		return nil, err
	}
	at := c.s.urlOf(a)
	return reply{http.StatusSeeOther, map[string]string{"Location": at}, "See Other. Redirecting to " + at}, nil
}

func indexMethods() []*method {
	const found, list = "v1/indexed-task-response.json", "v1/list-tasks-response.json"
	return []*method{
		{name: "findTask", verb: "GET", route: "/task/<indexPath>", output: found, scopes: "index:find-task:<indexPath>", handler: findTask},
		{name: "findTasksAtIndex", verb: "POST", route: "/tasks/indexes", query: paged, input: "v1/list-tasks-at-index.json", output: list,
			scopes: map[string]any{"AllOf": []any{map[string]string{"each": "index:find-task:<indexPath>", "for": "indexPath", "in": "indexPaths"}}},
			since:  65, handler: findTasksAtIndex},
		{name: "listNamespaces", verb: "GET", route: "/namespaces/<namespace>", query: paged, output: "v1/list-namespaces-response.json",
			scopes: "index:list-namespaces:<namespace>", handler: listNamespaces},
		{name: "listTasks", verb: "GET", route: "/tasks/<namespace>", query: paged, output: list, scopes: "index:list-tasks:<namespace>", handler: listIndexedTasks},
		{name: "insertTask", verb: "PUT", route: "/task/<namespace>", input: "v1/insert-task-request.json", output: found,
			scopes: "index:insert-task:<namespace>", handler: insertTask},
		{name: "deleteTask", verb: "DELETE", route: "/task/<namespace>", scopes: "index:delete-task:<namespace>", handler: deleteIndexedTask},
		{name: "findArtifactFromTask", verb: "GET", route: "/task/<indexPath>/artifacts/<name>", scopes: "queue:get-artifact:<name>", handler: findArtifactFromTask},
	}
}
