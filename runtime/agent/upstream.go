package agent

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// How many things are fetched at once: small answers of the queue, and parts, each of which may fill the line.
const (
	manyReports = 32
	manyParts   = 8
)

// input is one input while it is got.
type input struct {
	Upstream
	status *taskcluster.Status
	run    int         // the run that completed
	report *job.Report // of that run; nil: it has no result
}

// upstream gets the results of earlier tasks. Of a task that was run again the latest run that completed counts.
func (a *agent) upstream(ctx context.Context, d *Document) ([]job.Upstream, error) {
	if len(d.Upstream) == 0 {
		return nil, nil
	}
	tc, err := a.services()
	if err != nil {
		return nil, err
	}
	inputs, err := a.inputs(ctx, tc, d)
	if err != nil {
		return nil, err
	}
	past := &past{a: a, tc: tc, prefix: d.Artifacts, statuses: map[string]*taskcluster.Status{}}
	for _, in := range inputs {
		past.statuses[in.TaskID] = in.status
	}
	if err := past.tolerated(ctx, d, inputs); err != nil {
		return nil, err
	}
	if err := a.reports(ctx, tc, d, inputs); err != nil {
		return nil, err
	}
	ups := make([]job.Upstream, len(inputs))
	for i, in := range inputs {
		if in.report == nil {
			if ups[i], err = past.missing(ctx, in.Upstream); err != nil {
				return nil, err
			}
			continue
		}
		ups[i] = in.result()
	}
	return ups, a.parts(ctx, tc, d, inputs, ups)
}

// inputs looks where the upstream tasks stand.
func (a *agent) inputs(ctx context.Context, tc *taskcluster.Client, d *Document) ([]*input, error) {
	ids := map[string]bool{}
	var unique []string
	for _, u := range d.Upstream {
		if !ids[u.TaskID] {
			ids[u.TaskID] = true
			unique = append(unique, u.TaskID)
		}
	}
	statuses, err := tc.Queue.Statuses(ctx, unique)
	if err != nil {
		return nil, refused(ctx, "the states of the tasks that this one stands on", err)
	}
	inputs := make([]*input, len(d.Upstream))
	for i, u := range d.Upstream {
		in := &input{Upstream: u, status: statuses[u.TaskID], run: -1}
		if in.status == nil {
			return nil, &Failure{Cause: job.CauseDownload, Message: fmt.Sprintf("%s is gone: there is no task %s", u.Task, u.TaskID), Hint: "it has expired; plan again, so that it is made anew"}
		}
		if run, ok := in.status.LatestCompleted(); ok {
			in.run = run.RunID
		}
		inputs[i] = in
	}
	return inputs, nil
}

// name is that of an artifact of an upstream task.
func (u Upstream) name(prefix, file string) string { return cmp.Or(u.Artifacts, prefix) + "/" + file }

// reports gets the reports of the inputs that have a result.
func (a *agent) reports(ctx context.Context, tc *taskcluster.Client, d *Document, inputs []*input) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(manyReports)
	for _, in := range inputs {
		if in.run < 0 {
			continue
		}
		g.Go(func() (err error) {
			in.report, err = reportOf(ctx, tc, in.TaskID, in.run, in.name(d.Artifacts, ReportFile))
			switch {
			case err != nil:
				return refused(ctx, "the report of "+in.Task, err)
			case in.report.Task != in.Task:
				return &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the task %s is %s and not %s", in.TaskID, in.report.Task, in.Task)}
			case in.report.Cause != job.CauseDone:
				return &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("%s counts as completed on Taskcluster, and its report says %s", in.Task, in.report.Cause)}
			}
			return nil
		})
	}
	return g.Wait()
}

// result is the input as the job reads it, but for where its parts are.
func (in *input) result() job.Upstream {
	r := in.report
	up := job.Upstream{Task: in.Task, Form: r.Form, Partial: r.Partial, Transient: r.Transient, Covers: r.Covers, Whole: r.Whole}
	for _, p := range r.Parts {
		if in.Of <= 1 || p.Partition%in.Of == in.Partition {
			up.Parts = append(up.Parts, p)
		}
	}
	slices.SortStableFunc(up.Parts, func(x, y job.Part) int { return cmp.Compare(x.Partition, y.Partition) })
	return up
}

// parts gets the parts, and sets their paths to where they are on this computer.
func (a *agent) parts(ctx context.Context, tc *taskcluster.Client, d *Document, inputs []*input, ups []job.Upstream) error {
	dir := filepath.Join(a.work, "in")
	if err := os.RemoveAll(dir); err != nil {
		return &Failure{Cause: job.CauseWrite, Message: fmt.Sprintf("old inputs cannot be removed: %v", err)}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(manyParts)
	var bytes int64
	for i := range ups {
		in, up := inputs[i], &ups[i]
		for n := range up.Parts {
			p := &up.Parts[n]
			bytes += p.Size
			name := p.Path
			p.Path = filepath.Join(dir, fmt.Sprintf("%05d", i), fmt.Sprintf("part-%05d.pairs.zst", p.Partition))
			g.Go(func() error {
				if err := local(name); err != nil {
					return &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the report of %s makes no sense: %v", in.Task, err)}
				}
				return a.part(ctx, tc, in, in.name(d.Artifacts, name), *p)
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	a.j.event("agent.inputs", "tasks", len(inputs), "bytes", bytes)
	a.j.say("inputs: the results of %d tasks, %.1f MiB", len(inputs), float64(bytes)/(1<<20))
	return nil
}

// local refuses names that are no plain file names.
func local(name string) error {
	if name == "" || strings.ContainsAny(name, "/\\") || !filepath.IsLocal(name) {
		return fmt.Errorf("it names the part %q", name)
	}
	return nil
}
