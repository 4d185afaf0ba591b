package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// past finds out what tasks without a result would have stood for. It is what the local engine knows of its tasks, read from the
// definitions, statuses and reports that Taskcluster keeps.
type past struct {
	a        *agent
	tc       *taskcluster.Client
	prefix   string // of artifacts
	mu       sync.Mutex
	statuses map[string]*taskcluster.Status
}

// ending is how a task without a result ended.
type ending struct {
	cause job.Cause
	why   string
}

// tolerated ends the task when it must not run without the inputs that have no result.
func (p *past) tolerated(ctx context.Context, d *Document, inputs []*input) error {
	lost := map[string]map[string]bool{} // taskIds by stage
	first := map[string]*input{}
	for _, in := range inputs {
		if in.run >= 0 {
			continue
		}
		stage := stageOf(in.Task)
		if lost[stage] == nil {
			lost[stage], first[stage] = map[string]bool{}, in
		}
		lost[stage][in.TaskID] = true
		if !in.Tolerated {
			return p.intolerable(ctx, fmt.Sprintf("%s has no result", in.Task), in)
		}
	}
	for _, t := range d.Tolerance {
		if n := int64(len(lost[t.Stage])); n > 0 && t.Limit.Exceeded(n, t.Tasks) {
			return p.intolerable(ctx, fmt.Sprintf("%d of %d tasks of %s have no result, which is more than its policy tolerates; %s", n, t.Tasks, t.Stage, first[t.Stage].Task), first[t.Stage])
		}
	}
	return nil
}

func (p *past) intolerable(ctx context.Context, what string, in *input) error {
	end, err := p.ending(ctx, in.TaskID, in.name(p.prefix, ReportFile))
	if err != nil {
		return err
	}
	return &Failure{Cause: job.CauseTolerance, Message: what + ": " + end.why, Hint: "mend that task; the next apply goes on from there"}
}

// stageOf is the stage's part of an address.
func stageOf(task string) string {
	stage, _, _ := strings.Cut(task, `["`)
	return stage
}

// missing is an input without a result.
func (p *past) missing(ctx context.Context, u Upstream) (job.Upstream, error) {
	end, err := p.ending(ctx, u.TaskID, u.name(p.prefix, ReportFile))
	if err != nil {
		return job.Upstream{}, err
	}
	up, err := p.lost(ctx, u, end)
	up.Missing, up.Partial, up.Transient = &end.why, true, true
	return up, err
}

// lost is what the missing result of a task would have stood for: all of its files, as failed.
func (p *past) lost(ctx context.Context, u Upstream, end ending) (job.Upstream, error) {
	out := job.Upstream{Task: u.Task}
	task, err := p.tc.Queue.Task(ctx, u.TaskID)
	if err != nil {
		return out, refused(ctx, "the definition of "+u.Task, err)
	}
	d, err := FromTask(task)
	if err != nil {
		return out, &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the definition of %s (%s): %v", u.Task, u.TaskID, err)}
	}
	out.Whole = d.Spec.Role == job.RoleReduce
	var ups []job.Upstream
	for _, below := range d.Upstream {
		up, err := p.below(ctx, d, below, end)
		if err != nil {
			return out, err
		}
		out.Whole = out.Whole || up.Whole
		ups = append(ups, up)
	}
	files := &out.Covers.Files
	*files = job.Covered(ups).Files
	for _, f := range d.Spec.Files {
		files.Planned++
		files.Losses = append(files.Losses, job.FailedFile{Key: f.Key, Cause: end.cause, Message: fmt.Sprintf("%s has no result: %s", u.Task, end.why)})
	}
	files.Done, files.Failed = 0, files.Planned
	return out, nil
}

// below is what an input of a task without a result stands for.
func (p *past) below(ctx context.Context, d *Document, u Upstream, end ending) (job.Upstream, error) {
	status, err := p.status(ctx, u)
	if err != nil {
		return job.Upstream{}, err
	}
	run, ok := status.LatestCompleted()
	if !ok {
		own, err := p.ending(ctx, u.TaskID, u.name(d.Artifacts, ReportFile))
		if err != nil {
			return job.Upstream{}, err
		}
		return p.lost(ctx, u, ending{cause: own.cause, why: end.why})
	}
	report, err := reportOf(ctx, p.tc, u.TaskID, run.RunID, u.name(d.Artifacts, ReportFile))
	if err != nil {
		return job.Upstream{}, refused(ctx, "the report of "+u.Task, err)
	}
	return job.Upstream{Task: u.Task, Covers: report.Covers, Whole: report.Whole}, nil
}

func (p *past) status(ctx context.Context, u Upstream) (*taskcluster.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.statuses[u.TaskID]; s != nil {
		return s, nil
	}
	s, err := p.tc.Queue.Status(ctx, u.TaskID)
	if err != nil {
		return nil, refused(ctx, "the state of "+u.Task, err)
	}
	p.statuses[u.TaskID] = s
	return s, nil
}

// ending is how a task without a result ended: as its report says, else as the queue says.
func (p *past) ending(ctx context.Context, taskID, report string) (ending, error) {
	p.mu.Lock()
	status := p.statuses[taskID]
	p.mu.Unlock()
	if status == nil {
		s, err := p.status(ctx, Upstream{TaskID: taskID, Task: taskID})
		if err != nil {
			return ending{}, err
		}
		status = s
	}
	run, ok := status.LatestRun()
	if !ok {
		return ending{job.CauseInfrastructure, "it was never started"}, nil
	}
	r, err := reportOf(ctx, p.tc, taskID, run.RunID, report)
	if ctx.Err() != nil {
		return ending{}, context.Cause(ctx)
	}
	if err != nil || r.Failure == nil { // killed, or its worker was lost
		cause, why := Resolution(run)
		return ending{cause, why}, nil
	}
	return ending{r.Cause, r.Failure.Message}, nil
}

// Resolution says what the end of a run without a report means.
func Resolution(run taskcluster.Run) (job.Cause, string) {
	switch run.ReasonResolved {
	case taskcluster.ReasonFailed:
		return job.CauseInfrastructure, "it was killed, probably for want of memory or time, or its program could not be started"
	case taskcluster.ReasonClaimExpired, taskcluster.ReasonWorkerShutdown:
		return job.CauseInfrastructure, "its worker was lost (" + run.ReasonResolved + ")"
	case taskcluster.ReasonDeadlineExceeded:
		return job.CauseTimeout, "the deadline of the run passed"
	case taskcluster.ReasonCanceled:
		return job.CauseInfrastructure, "it was cancelled"
	case taskcluster.ReasonIntermittentTask:
		return job.CauseInfrastructure, "it failed in each of its attempts"
	case "":
		return job.CauseInfrastructure, "it is " + string(run.State)
	}
	return job.CauseInfrastructure, "Taskcluster ended it: " + run.ReasonResolved
}
