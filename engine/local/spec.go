package local

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
)

// spec completes a task's spec with what only the engine knows.
func (r *runner) spec(a *engine.Attempt, ups []job.Upstream, mend *job.Report) job.Spec {
	s := a.Task.Spec
	s.Version = job.Version
	s.Attempt = a.Number
	s.Upstream = ups
	s.Limits.Memory, s.Limits.Retried = a.Memory, a.Retried
	s.Mend = mend
	if s.Code != nil && a.Task.Bundle != "" {
		code := *s.Code
		code.Dir = r.db.BundleDir(a.Task.Bundle)
		s.Code = &code
	}
	return s
}

// upstream is the inputs of an attempt that are results of other tasks, in their order.
func (r *runner) upstream(a *engine.Attempt) ([]job.Upstream, error) {
	var ups []job.Upstream
	for _, u := range a.Task.Upstream {
		up := job.Upstream{Task: u.Task.Addr.String()}
		if why, missing := a.Missing[u.Task]; missing {
			lost, err := r.lost(u.Task, why)
			if err != nil {
				return nil, err
			}
			up.Missing, up.Partial, up.Transient, up.Covers, up.Whole = &why, true, true, lost.Covers, lost.Whole
			ups = append(ups, up)
			continue
		}
		report, err := r.report(u.Task)
		if err != nil {
			return nil, err
		}
		up.Form, up.Partial, up.Transient, up.Covers, up.Whole = report.Form, report.Partial, report.Transient, report.Covers, report.Whole
		for _, p := range report.Parts {
			if u.Of <= 1 || p.Partition%u.Of == u.Partition {
				up.Parts = append(up.Parts, p)
			}
		}
		slices.SortStableFunc(up.Parts, func(x, y job.Part) int { return cmp.Compare(x.Partition, y.Partition) })
		ups = append(ups, up)
	}
	return ups, nil
}

// report is the report of a task that has a result, as the state keeps it.
func (r *runner) report(t *engine.Task) (*job.Report, error) {
	r.mu.Lock()
	known := r.reports[t]
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	result, err := r.db.Result(r.durable, t.Key)
	if err != nil {
		return nil, fmt.Errorf("the result of %s that others stand on: %w", t.Addr, err)
	}
	return r.keep(t, &result.Report), nil
}

func (r *runner) keep(t *engine.Task, report *job.Report) *job.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports[t] = report
	return report
}

// lost is what the missing result of a task would have stood for: all of its files, as failed.
func (r *runner) lost(t *engine.Task, why string) (job.Upstream, error) {
	out := job.Upstream{Task: t.Addr.String(), Whole: t.Spec.Role == job.RoleReduce}
	var ups []job.Upstream
	for _, u := range t.Upstream {
		below, err := r.below(u.Task, why)
		if err != nil {
			return out, err
		}
		out.Whole = out.Whole || below.Whole
		ups = append(ups, below)
	}
	r.mu.Lock()
	cause := r.causes[t]
	r.mu.Unlock()
	files := &out.Covers.Files
	*files = job.Covered(ups).Files
	for _, f := range t.Spec.Files {
		files.Planned++
		files.Losses = append(files.Losses, job.FailedFile{
			Key: f.Key, Cause: cause, Message: fmt.Sprintf("%s has no result: %s", t.Addr, why),
		})
	}
	files.Done, files.Failed = 0, files.Planned
	return out, nil
}

// below is what an input of a task without a result stands for.
func (r *runner) below(t *engine.Task, why string) (job.Upstream, error) {
	r.mu.Lock()
	_, gone := r.causes[t]
	r.mu.Unlock()
	if gone {
		return r.lost(t, why)
	}
	// The task may have been cancelled while this one still runs; then nothing is known of it yet.
	report, err := r.report(t)
	if err != nil {
		return job.Upstream{}, err
	}
	return job.Upstream{Task: t.Addr.String(), Covers: report.Covers, Whole: report.Whole}, nil
}

// content is all that the bytes of a result depend on. Addresses belong to it because user code can see them.
type content struct {
	Version    int
	Stage      string
	Role       job.Role
	Partitions int
	Inputs     string // digest of the files
	Upstream   []contentUpstream
}

type contentUpstream struct {
	Task    string
	Form    job.Form
	Partial bool // so that equal content means an equally partial result
	Parts   []contentPart
}

type contentPart struct {
	Partition int
	Digest    string
}

// contentKey is the key of a result by what it is made of, not by where that came from; empty when the result must not be
// found by it.
func contentKey(a *engine.Attempt, ups []job.Upstream) string {
	if a.Transient {
		return ""
	}
	c := content{Version: 1, Stage: a.Task.StageDigest, Role: a.Task.Spec.Role, Partitions: a.Task.Spec.Partitions}
	if len(a.Task.Spec.Files) > 0 {
		c.Inputs = a.Task.InputsDigest
	}
	for _, u := range ups {
		cu := contentUpstream{Task: u.Task, Form: u.Form, Partial: u.Partial}
		for _, p := range u.Parts {
			cu.Parts = append(cu.Parts, contentPart{p.Partition, p.Digest})
		}
		c.Upstream = append(c.Upstream, cu)
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "" // cannot happen with these types; without a key the task just runs
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
