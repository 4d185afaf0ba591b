package tctest

import (
	"slices"
	"strings"
	"time"
)

type groupAnswer struct {
	TaskGroupID string           `json:"taskGroupId"`
	SchedulerID string           `json:"schedulerId"`
	Expires     string           `json:"expires"`
	Sealed      string           `json:"sealed,omitempty"`
	Tasks       *[]taskAndStatus `json:"tasks,omitempty"`
	Next        string           `json:"continuationToken,omitempty"`
}

func (g *group) answer() groupAnswer {
	return groupAnswer{TaskGroupID: g.id, SchedulerID: g.scheduler, Expires: stamp(g.expires), Sealed: stamp(g.sealed)}
}

// group finds the group of the call; need is the scope for it.
func (c *call) group(need func(g *group) expression, do func(q *queue, g *group, now time.Time) (any, error)) (any, error) {
	id := c.params["taskGroupId"]
	q := c.s.queue
	q.mu.Lock()
	g := q.groups[id]
	q.mu.Unlock()
	if g == nil {
		return nil, notFound("No task-group with taskGroupId: `%s`", id)
	}
	if err := c.authorize(need(g)); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return do(q, g, c.s.clock.Now())
}

func listingGroup(g *group) expression { return scope("queue:list-task-group:", g.id) }

func groupVerb(verb string) func(*group) expression {
	return func(g *group) expression { return scope("queue:", verb, ":", g.scheduler, "/", g.id) }
}

func getTaskGroup(c *call) (any, error) {
	return c.group(listingGroup, func(_ *queue, g *group, _ time.Time) (any, error) { return g.answer(), nil })
}

func listTaskGroup(c *call) (any, error) {
	return c.group(listingGroup, func(q *queue, g *group, _ time.Time) (any, error) {
		answer := g.answer()
		some, next := page(c, g.sorted(), taskKey)
		tasks := q.whole(some)
		answer.Tasks, answer.Next = &tasks, next
		return answer, nil
	})
}

func sealTaskGroup(c *call) (any, error) {
	return c.group(groupVerb("seal-task-group"), func(_ *queue, g *group, now time.Time) (any, error) {
		if g.sealed.IsZero() {
			g.sealed = now
		}
		return g.answer(), nil
	})
}

func cancelTaskGroup(c *call) (any, error) {
	return c.group(groupVerb("cancel-task-group"), func(q *queue, g *group, now time.Time) (any, error) {
		if g.sealed.IsZero() {
			return nil, conflict("Cannot cancel unsealed task group: `%s`", g.id)
		}
		ids := []string{}
		for _, t := range g.tasks {
			if !t.resolved() && t.deadline.After(now) {
				ids = append(ids, t.id)
			}
		}
		for _, id := range ids {
			q.finish(q.tasks[id], "canceled", now)
		}
		return map[string]any{"taskGroupId": g.id, "taskGroupSize": len(g.tasks), "cancelledCount": len(ids), "taskIds": ids}, nil
	})
}

func changeTaskGroupPriority(c *call) (any, error) {
	return c.group(groupVerb("change-task-group-priority"), func(q *queue, g *group, _ time.Time) (any, error) {
		ids := []string{}
		for _, t := range g.tasks {
			if !t.resolved() {
				q.setPriority(t, c.str("newPriority"))
				ids = append(ids, t.id)
			}
		}
		return map[string]any{"taskGroupId": g.id, "taskGroupSize": len(g.tasks), "tasksAffected": len(ids), "taskIds": ids}, nil
	})
}

// sorted are the tasks in the order of lists.
func (g *group) sorted() []*task {
	if !g.inOrder {
		keys := make(map[*task]string, len(g.tasks))
		for _, t := range g.tasks {
			keys[t] = taskKey(t)
		}
		slices.SortFunc(g.tasks, func(a, b *task) int { return strings.Compare(keys[a], keys[b]) })
		g.inOrder = true
	}
	return g.tasks
}
