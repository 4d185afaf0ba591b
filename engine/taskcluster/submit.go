package taskcluster

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/tafc/tafc/taskcluster"
)

// submit creates the tasks that are not there yet, each after those that it depends on, then starts the gate. It can be killed at any
// time and repeated: ids are derived, and the queue is asked which tasks there are before any is created again.
func (a *apply) submit(ctx context.Context) error {
	there := map[string]*taskcluster.Status{}
	if a.resumed {
		ids := make([]string, len(a.graph.Nodes))
		for i, n := range a.graph.Nodes {
			ids[i] = n.ID
		}
		var err error
		if there, err = a.o.Client.Queue.Statuses(ctx, ids); err != nil {
			return fmt.Errorf("look which tasks of run %s there are: %w", a.run.ID, err)
		}
	}
	s := &submission{apply: a, waiting: map[string]int{}, dependents: map[string][]*Node{}}
	if err := s.run(ctx, there); err != nil {
		return fmt.Errorf("create the tasks of run %s (none of them has started; tafc apply goes on from here): %w", a.run.ID, err)
	}
	if gate := there[a.graph.GroupID]; gate != nil && gate.State != taskcluster.StateUnscheduled {
		return nil
	}
	if _, err := a.o.Client.Queue.ScheduleTask(ctx, a.graph.GroupID); err != nil {
		return fmt.Errorf("start run %s, whose tasks are all created: %w", a.run.ID, err)
	}
	return nil
}

// submission is the creation of tasks, many at a time.
type submission struct {
	*apply
	mu         sync.Mutex
	waiting    map[string]int // dependencies of the graph that are not created yet, by id
	dependents map[string][]*Node
	ready      chan *Node
	open       int // nodes that are not created
	err        error
}

// run creates all nodes but those that are there.
func (s *submission) run(ctx context.Context, there map[string]*taskcluster.Status) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ready = make(chan *Node, len(s.graph.Nodes))
	missing := map[string]bool{}
	for _, n := range s.graph.Nodes {
		if there[n.ID] == nil {
			missing[n.ID] = true
			s.open++
		}
	}
	if s.open == 0 {
		return nil
	}
	for _, n := range s.graph.Nodes {
		if !missing[n.ID] {
			continue
		}
		for _, d := range n.Definition.Dependencies {
			if missing[d] && d != n.ID {
				s.waiting[n.ID]++
				s.dependents[d] = append(s.dependents[d], n)
			}
		}
		if s.waiting[n.ID] == 0 {
			s.ready <- n
		}
	}
	var group sync.WaitGroup
	for range min(s.o.Parallel, len(s.graph.Nodes)) {
		group.Go(func() {
			for n := range s.ready {
				if ctx.Err() != nil {
					continue
				}
				s.created(n, s.create(ctx, n), cancel)
			}
		})
	}
	stop := context.AfterFunc(ctx, func() { s.created(nil, ctx.Err(), cancel) })
	group.Wait()
	stop()
	return s.err
}

// created makes those ready that waited for a node. The first error ends the submission.
func (s *submission) created(n *Node, err error, cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.open == 0 {
		return
	}
	if err != nil {
		s.err = err
		close(s.ready)
		cancel()
		return
	}
	s.open--
	for _, d := range s.dependents[n.ID] {
		if s.waiting[d.ID]--; s.waiting[d.ID] == 0 {
			s.ready <- d
		}
	}
	if s.open == 0 {
		close(s.ready)
	}
}

// create creates one task.
func (s *submission) create(ctx context.Context, n *Node) error {
	err := s.send(ctx, n)
	if err == nil {
		return nil
	}
	if taskcluster.HasCode(err, taskcluster.CodeRequestConflict) && s.ours(ctx, n) {
		return nil // an earlier process's call arrived after this one had asked
	}
	return fmt.Errorf("%s: %w", n.Label, err)
}

// send sends a definition, with the time of sending.
func (s *submission) send(ctx context.Context, n *Node) error {
	if n.draft != nil {
		return s.o.Client.Queue.CreateDraft(ctx, n.ID, n.draft, time.Now())
	}
	d := *n.Definition
	d.Created = taskcluster.At(time.Now())
	_, err := s.o.Client.Queue.CreateTask(ctx, n.ID, &d)
	return err
}

// ours tells whether the task with a node's id is the one that the node stands for.
func (s *submission) ours(ctx context.Context, n *Node) bool {
	d, err := s.o.Client.Queue.Task(ctx, n.ID)
	if err != nil || d.TaskGroupID != s.graph.GroupID {
		return false
	}
	var x, own extra
	return json.Unmarshal(d.Extra, &x) == nil && json.Unmarshal(n.Definition.Extra, &own) == nil &&
		x.Tafc.Run == own.Tafc.Run && x.Tafc.Task == own.Tafc.Task && x.Tafc.Key == own.Tafc.Key
}
