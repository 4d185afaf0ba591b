package engine

import (
	"cmp"
	"container/heap"
	"time"
)

// This file is what the end of one task means for the others.

// makeReady makes a task startable after a delay.
func (w *Walk) makeReady(n *node, now time.Time, delay time.Duration) {
	w.retryIn(n, Event{Time: now, State: Ready, RetryIn: delay, Attempt: n.attempt})
}

// retryIn makes a task startable after the event's delay.
func (w *Walk) retryIn(n *node, e Event) {
	e.State = Ready
	n.notBefore = e.Time.Add(e.RetryIn)
	w.emit(n, e)
	if e.RetryIn > 0 {
		heap.Push(&w.delayed, n)
	} else {
		heap.Push(&w.ready, n)
	}
}

// end gives a task its last state.
func (w *Walk) end(n *node, e Event) {
	w.emit(n, e)
	w.open--
	n.stage.open--
}

// succeed ends a task that has a result.
func (w *Walk) succeed(n *node, e Event) {
	w.end(n, e)
	for _, c := range n.consumers {
		w.met(c, e.Time)
	}
	w.judge(n.stage, e.Time)
}

// met says that one need of a task is settled. Only when all are is it decided what becomes of the task, so that the order in
// which they were settled makes no difference.
func (w *Walk) met(n *node, now time.Time) {
	n.unmet--
	if n.unmet > 0 || n.state != Waiting || n.task.Reused || w.stopped {
		return
	}
	if !n.doomed {
		w.makeReady(n, now, 0)
		return
	}
	w.end(n, Event{Time: now, State: Cancelled, Cause: n.blame})
	w.lose(n, now)
	w.judge(n.stage, now)
}

// fail ends a task for good.
func (w *Walk) fail(n *node, e Event) {
	e.State = Failed
	n.why = "failed"
	if f := e.Report.Failure; f != nil && f.Message != "" {
		n.why = f.Message
	}
	n.blame = n.task
	n.stage.failed++
	w.end(n, e)
	w.lose(n, e.Time)
	w.judge(n.stage, e.Time)
}

// lose notes a task that has no result by its own stage's fault. Consumers in its stage (the inner nodes of a reduce) are lost
// with it; the others wait for the stage's tolerance.
func (w *Walk) lose(n *node, now time.Time) {
	n.lost = true
	n.stage.waiting = append(n.stage.waiting, n)
	for _, c := range n.consumers {
		if c.stage == n.stage {
			if !c.doomed {
				c.doomed, c.blame, c.why = true, n.blame, n.why
			}
			w.met(c, now)
		}
	}
}

// judge decides about the consumers of a stage's lost tasks, as soon as that can be decided.
func (w *Walk) judge(s *stage, now time.Time) {
	if len(s.waiting) == 0 {
		return
	}
	exceeded := s.limit.Exceeded(s.failed, int64(len(s.tasks)))
	if !exceeded && s.open > 0 {
		return // a later failure may still be one too many
	}
	lost := s.waiting
	s.waiting = nil
	if exceeded {
		w.exceeded = true
	} else {
		w.partial = true
	}
	for _, n := range lost {
		for _, c := range n.consumers {
			switch {
			case c.stage == s:
			case exceeded:
				w.cancel(c, n.blame, now)
			default:
				w.met(c, now)
			}
		}
	}
}

// cancel ends a task that cannot run, and all that stands on it.
func (w *Walk) cancel(n *node, blame *Task, now time.Time) {
	if n.state != Waiting || n.task.Reused {
		return
	}
	n.blame = blame
	w.end(n, Event{Time: now, State: Cancelled, Cause: blame})
	for _, c := range n.consumers {
		w.cancel(c, blame, now)
	}
	w.judge(n.stage, now)
}

// readyHeap has the largest task first, then the order of the run.
type readyHeap []*node

func (h readyHeap) Len() int { return len(h) }
func (h readyHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[j].task.Bytes, h[i].task.Bytes), cmp.Compare(h[i].index, h[j].index)) < 0
}
func (h readyHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *readyHeap) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *readyHeap) Pop() any     { return pop((*[]*node)(h)) }

// delayHeap has the earliest first, then the order of the run.
type delayHeap []*node

func (h delayHeap) Len() int { return len(h) }
func (h delayHeap) Less(i, j int) bool {
	return cmp.Or(h[i].notBefore.Compare(h[j].notBefore), cmp.Compare(h[i].index, h[j].index)) < 0
}
func (h delayHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *delayHeap) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *delayHeap) Pop() any     { return pop((*[]*node)(h)) }

func pop(h *[]*node) *node {
	last := len(*h) - 1
	n := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return n
}
