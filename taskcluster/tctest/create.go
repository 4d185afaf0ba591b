package tctest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const createdDrift = 15 * time.Minute

func createTask(c *call) (any, error) {
	if err := completeQueue(c.body); err != nil {
		return nil, err
	}
	dependencies := c.strs("dependencies")
	if most := maxDependencies(c.s.version); len(dependencies) > most {
		return nil, badInput("Too many dependencies: at most %d", most)
	}
	if err := c.authorize(createScopes(c)); err != nil {
		return nil, err
	}
	taskID := c.params["taskId"]
	if c.str("taskGroupId") == "" {
		c.body["taskGroupId"] = taskID
	}
	t := &task{id: taskID, artifacts: map[int]map[string]*artifact{}}
	if err := c.checkTimes(t); err != nil {
		return nil, err
	}
	for _, s := range c.strs("scopes") {
		if strings.HasSuffix(s, "**") {
			return nil, badInput("scopes must not end with `**`")
		}
	}
	if err := storable(c.raw); err != nil {
		return nil, err
	}
	if err := t.define(c); err != nil {
		return nil, err
	}
	return c.s.queue.insert(t, c.s.clock.Now())
}

// completeQueue fills in the other spelling of the queue's id.
func completeQueue(body map[string]any) *apiError {
	whole, _ := body["taskQueueId"].(string)
	provisioner, _ := body["provisionerId"].(string)
	worker, _ := body["workerType"].(string)
	both := provisioner != "" && worker != ""
	switch {
	case whole == "" && !both:
		return badInput("at least a provisionerId and a workerType or a taskQueueId must be provided\"")
	case whole == "":
		body["taskQueueId"] = provisioner + "/" + worker
	case both && whole != provisioner+"/"+worker:
		return badInput("taskQueueId must match \"provisionerId/workerType\"")
	default:
		body["provisionerId"], body["workerType"], _ = strings.Cut(whole, "/")
	}
	return nil
}

func createScopes(c *call) expression {
	queueID := c.str("taskQueueId")
	need := eachScope("", c.strs("scopes"))
	need = append(need, eachScope("queue:route:", c.strs("routes"))...)
	need = append(need, scope("queue:create-task:project:", c.str("projectId")), scope("queue:scheduler-id:", c.str("schedulerId")))
	priority := c.str("priority")
	if priority == "normal" {
		priority = "lowest"
	}
	var priorityScopes []expression
	for _, p := range priorities[:slices.Index(priorities, priority)+1] {
		priorityScopes = append(priorityScopes, scope("queue:create-task:", p, ":", queueID))
	}
	return allOf(append(need, anyOf(priorityScopes...))...)
}

// checkTimes checks the three times of a task and brings them into one spelling.
func (c *call) checkTimes(t *task) *apiError {
	now := c.s.clock.Now()
	days := c.s.options.MaxDeadlineDays
	if days == 0 {
		days = 5
	}
	t.created, _ = parseStamp(c.str("created"))
	t.deadline, _ = parseStamp(c.str("deadline"))
	t.expires, _ = parseStamp(c.str("expires"))
	if c.str("expires") == "" {
		t.expires = t.deadline.AddDate(1, 0, 0)
	}
	switch {
	case t.created.Before(now.Add(-createdDrift)):
		return badInput("`created` cannot be in the past (max 15min drift)")
	case t.created.After(now.Add(createdDrift)):
		return badInput("`created` cannot be in the future (max 15min drift)")
	case t.created.After(t.deadline):
		return badInput("`deadline` cannot be later than `created`")
	case !t.deadline.After(now):
		return badInput("`deadline` cannot be in the past")
	case t.deadline.After(now.AddDate(0, 0, days).Add(createdDrift)):
		return badInput("`deadline` cannot be more than %d days into the future", days)
	case t.expires.Before(t.deadline):
		return badInput("`expires` cannot be before `deadline`")
	}
	return nil
}

var escape = regexp.MustCompile(`\\+u[0-9a-fA-F]{4}`)

// storable refuses what the database cannot hold: NUL, and halves of a surrogate pair.
func storable(raw []byte) *apiError {
	if !bytes.Contains(raw, []byte(`\u`)) {
		return nil
	}
	at := escape.FindAllIndex(raw, -1)
	high := -1 // where a high surrogate ended
	for _, span := range at {
		e := raw[span[0]:span[1]]
		if (len(e)-5)%2 == 0 { // an escaped backslash, then a plain u
			continue
		}
		var code int
		_, _ = fmt.Sscanf(string(e[len(e)-4:]), "%x", &code)
		paired := high == span[1]-6
		isHigh, isLow := code >= 0xd800 && code < 0xdc00, code >= 0xdc00 && code < 0xe000
		switch {
		case code == 0:
			return internal("error: unsupported Unicode escape sequence\nDETAIL: \\u0000 cannot be converted to text.\nCODE: 22P05")
		case high >= 0 && (!paired || !isLow), isLow && !paired:
			return loneSurrogate()
		}
		high = -1
		if isHigh {
			high = span[1]
		}
	}
	if high >= 0 {
		return loneSurrogate()
	}
	return nil
}

func loneSurrogate() *apiError {
	return internal("error: invalid input syntax for type json\nDETAIL: Unicode low surrogate must follow a high surrogate.\nCODE: 22P02")
}

// define makes the stored definition from the body.
func (t *task) define(c *call) error {
	part := func(name string) json.RawMessage {
		text, _ := json.Marshal(c.body[name])
		return text
	}
	priority := c.str("priority")
	if priority == "normal" {
		priority = "lowest"
	}
	retries, _ := c.body["retries"].(float64)
	t.def = definition{
		ProvisionerID: c.str("provisionerId"), WorkerType: c.str("workerType"), TaskQueueID: c.str("taskQueueId"),
		SchedulerID: c.str("schedulerId"), ProjectID: c.str("projectId"), TaskGroupID: c.str("taskGroupId"),
		Dependencies: c.strs("dependencies"), Requires: c.str("requires"), Routes: c.strs("routes"), Priority: priority, Retries: int(retries),
		Created: stamp(t.created), Deadline: stamp(t.deadline), Expires: stamp(t.expires), Scopes: c.strs("scopes"),
		Payload: part("payload"), Metadata: part("metadata"), Tags: part("tags"), Extra: part("extra"),
	}
	t.retries, t.left = int(retries), int(retries)
	var err error
	t.text, err = json.Marshal(t.def)
	return err
}

// insert stores a task, or finds that the same is stored, and schedules it when nothing keeps it waiting.
func (q *queue) insert(t *task, now time.Time) (any, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.groups[t.def.TaskGroupID]
	switch {
	case g != nil && g.scheduler != t.def.SchedulerID:
		return nil, conflict("Task group `%s` contains tasks with a schedulerId other\nthan `%s`. All tasks in the same task-group must have\n"+
			"the same schedulerId.", t.def.TaskGroupID, t.def.SchedulerID)
	case g != nil && !g.sealed.IsZero():
		return nil, conflict("Task group `%s` is sealed and does not accept new tasks.", t.def.TaskGroupID)
	}
	if old := q.tasks[t.id]; old != nil {
		if !bytes.Equal(old.text, t.text) {
			return nil, conflict("taskId `%s` already used by another task.\nThis could be the result of faulty idempotency!", t.id)
		}
		return statusAnswer{q.status(old)}, nil
	}
	if err := q.checkDependencies(t); err != nil {
		return nil, err
	}
	if g == nil {
		g = &group{id: t.def.TaskGroupID, scheduler: t.def.SchedulerID}
		q.groups[g.id] = g
	}
	if late := t.expires.Add(groupExtension); late.After(g.expires) {
		g.expires = late
	}
	g.tasks, g.inOrder = append(g.tasks, t), false
	q.tasks[t.id] = t
	q.created = append(q.created, t.id)
	q.watch(t)
	q.s.notes.transition(t, "defined", "")
	q.connect(t)
	if t.unmet == 0 {
		q.addRun(t, "scheduled", now)
	}
	return statusAnswer{q.status(t)}, nil
}

func (q *queue) checkDependencies(t *task) *apiError {
	var unknown, early []string
	for _, id := range t.def.Dependencies {
		switch d := q.tasks[id]; {
		case id == t.id:
		case d == nil:
			unknown = append(unknown, id)
		case d.expires.Before(t.deadline):
			early = append(early, id)
		}
	}
	switch {
	case len(unknown) > 0:
		return badInput("`task.dependencies` references non-existing tasks: \n * %s\nAll taskIds in `task.dependencies` **must** exist\n"+
			"before the task is created.\n", strings.Join(unknown, "\n * "))
	case len(early) > 0:
		return badInput("`task.dependencies` references tasks that expires\nbefore `task.deadline` this is not allowed, see tasks: \n * %s\n"+
			"All taskIds in `task.dependencies` **must** have\n`task.expires` greater than the `deadline` for this task.\n", strings.Join(early, "\n * "))
	}
	return nil
}

// connect counts the dependencies that are still to be met.
func (q *queue) connect(t *task) {
	for _, id := range t.def.Dependencies {
		d := q.tasks[id]
		if d.state() == completed || t.def.Requires == "all-resolved" && d.resolved() {
			continue
		}
		t.unmet++
		q.waiting[id] = append(q.waiting[id], &edge{dependent: t})
	}
}
