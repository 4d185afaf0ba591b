package taskcluster

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// Cache finds results that a deployment has: those that this state knows, and those that others have put into the index.
type Cache struct {
	State    *state.DB
	Client   *taskcluster.Client // nil: only what the state knows
	Settings *Settings
}

// Found is a result that can be reused.
type Found struct {
	state.Remote
	Transient bool // it lost input that may be there next time
}

// most is up to how many results are looked at one by one: whether their files are still there.
const mostLooks = 1000

// Find looks up the results of many keys that outlive a run which begins now. Of what the deployment does not have any more the state
// learns. An error means that the deployment could not be asked; what the state knows is returned all the same.
func (c *Cache) Find(ctx context.Context, keys []string) (map[string]Found, error) {
	deadline := time.Now().Add(c.Settings.Deadline)
	known, err := c.State.Remotes(ctx, c.Settings.RootURL, keys)
	if err != nil {
		return nil, err
	}
	for key, r := range known {
		if r.Expires.Before(deadline) {
			delete(known, key)
		}
	}
	var problem error
	if c.Client != nil {
		problem = c.verify(ctx, known, deadline)
		if problem == nil && c.Settings.IndexPrefix != "" {
			problem = c.search(ctx, keys, known, deadline)
		}
	}
	var all []string
	for key := range known {
		all = append(all, key)
	}
	infos, err := c.State.Outlines(ctx, all)
	if err != nil {
		return nil, err
	}
	found := make(map[string]Found, len(known))
	for key, r := range known {
		if info, ok := infos[key]; ok {
			found[key] = Found{Remote: r, Transient: info.Transient}
		}
	}
	return found, problem
}

// verify forgets results that are not there any more.
func (c *Cache) verify(ctx context.Context, known map[string]state.Remote, deadline time.Time) error {
	if len(known) == 0 {
		return nil
	}
	var refs []Ref
	for _, r := range known {
		refs = append(refs, Ref{TaskID: r.TaskID})
	}
	gone, err := Gone(ctx, c.Client, refs, deadline)
	if err != nil {
		return err
	}
	if len(known) <= mostLooks {
		if err := c.files(ctx, known, deadline, gone); err != nil {
			return err
		}
	}
	var lost []string
	for key, r := range known {
		if gone[r.TaskID] != "" {
			lost = append(lost, key)
			delete(known, key)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return c.State.DropRemotes(ctx, c.Settings.RootURL, lost)
}

// files notes results whose files are gone, or will be before the deadline, though their tasks are not.
func (c *Cache) files(ctx context.Context, known map[string]state.Remote, deadline time.Time, gone map[string]string) error {
	type look struct {
		id  string
		why string
	}
	looks := make([]look, 0, len(known))
	var group errgroup.Group
	group.SetLimit(16)
	for _, r := range known {
		if gone[r.TaskID] != "" {
			continue
		}
		looks = append(looks, look{id: r.TaskID})
		at := &looks[len(looks)-1]
		group.Go(func() error {
			why, err := c.fileGone(ctx, Ref{TaskID: r.TaskID, RunID: r.RunID, Artifacts: r.Artifacts}, deadline)
			at.why = why
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, l := range looks {
		if l.why != "" {
			gone[l.id] = l.why
		}
	}
	return nil
}

// fileGone says why a file of a result cannot be used until a deadline; empty when all can.
func (c *Cache) fileGone(ctx context.Context, at Ref, deadline time.Time) (string, error) {
	some := false
	for a, err := range c.Client.Queue.ListArtifacts(ctx, at.TaskID, at.RunID, 0) {
		switch {
		case taskcluster.IsNotFound(err):
			return "its artifacts are gone", nil
		case err != nil:
			return "", err
		case len(a.Name) <= len(at.Artifacts) || a.Name[:len(at.Artifacts)+1] != at.Artifacts+"/":
			continue
		case a.Expires.Before(deadline):
			return fmt.Sprintf("its artifact %s expires at %s", a.Name, a.Expires), nil
		case a.StorageType == taskcluster.StorageError:
			return fmt.Sprintf("its artifact %s was never stored", a.Name), nil
		}
		some = true
	}
	if !some {
		return "its artifacts are gone", nil
	}
	return "", nil
}

// search looks into the index for keys that are not known, and adds what it finds.
func (c *Cache) search(ctx context.Context, keys []string, known map[string]state.Remote, deadline time.Time) error {
	var paths []string
	asked := map[string]bool{}
	for _, key := range keys {
		if _, ok := known[key]; !ok && !asked[key] {
			asked[key] = true
			paths = append(paths, indexPath(c.Settings.IndexPrefix, key))
		}
	}
	if len(paths) == 0 {
		return nil
	}
	entries, err := c.Client.Index.FindTasksAtIndex(ctx, paths)
	if err != nil {
		return fmt.Errorf("look for results in the index: %w", err)
	}
	var refs []Ref
	for path, e := range entries {
		if e.Expires.Before(deadline) {
			delete(entries, path)
			continue
		}
		refs = append(refs, Ref{TaskID: e.TaskID})
	}
	if len(refs) == 0 {
		return nil
	}
	gone, err := Gone(ctx, c.Client, refs, deadline)
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range refs {
		ids = append(ids, r.TaskID)
	}
	statuses, err := c.Client.Queue.Statuses(ctx, ids)
	if err != nil {
		return err
	}
	results := make([]*discovery, 0, len(entries))
	var group errgroup.Group
	group.SetLimit(16)
	for _, key := range keys {
		e, ok := entries[indexPath(c.Settings.IndexPrefix, key)]
		s := statuses[e.TaskID]
		if !ok || s == nil || gone[e.TaskID] != "" || !asked[key] {
			continue
		}
		asked[key] = false
		d := &discovery{key: key, entry: e, status: s}
		results = append(results, d)
		group.Go(func() error { return c.discover(ctx, d, deadline) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, d := range results {
		if d.report == nil {
			continue
		}
		if err := c.State.PutFound(ctx, d.result, d.remote); err != nil {
			return err
		}
		known[d.key] = d.remote
	}
	return nil
}

// discovery is a result that the index knows.
type discovery struct {
	key    string
	entry  taskcluster.IndexedTask
	status *taskcluster.Status
	report *job.Report // nil: it cannot be used
	result state.Result
	remote state.Remote
}

// discover reads the report of a result that somebody has put into the index. What is not whole, or about another key, is not used.
func (c *Cache) discover(ctx context.Context, d *discovery, deadline time.Time) error {
	run, ok := d.status.LatestCompleted()
	if !ok {
		return nil
	}
	var data IndexData
	if err := json.Unmarshal(d.entry.Data, &data); err != nil || data.Key != d.key || data.Artifacts == "" {
		return nil
	}
	at := Ref{TaskID: d.entry.TaskID, RunID: run.RunID, Artifacts: data.Artifacts}
	if why, err := c.fileGone(ctx, at, deadline); err != nil || why != "" {
		return err
	}
	report, err := fetchReport(ctx, c.Client, at.TaskID, at.RunID, at.Artifacts)
	if err != nil {
		if notThere(err) {
			return nil
		}
		return fmt.Errorf("read the report of task %s, which the index knows: %w", at.TaskID, err)
	}
	task, err := addr.Parse(report.Task)
	if err != nil || report.Key != d.key || report.Cause != job.CauseDone || report.Transient {
		return nil
	}
	made := run.Resolved.Time
	d.report = report
	d.result = state.Result{Key: d.key, Task: task, Analysis: data.Analysis, RunID: data.Run, Created: made, Report: *report}
	d.remote = state.Remote{
		Key: d.key, Root: c.Settings.RootURL, TaskID: at.TaskID, RunID: at.RunID, Artifacts: at.Artifacts, Expires: d.status.Expires.Time,
		Origin: fmt.Sprintf("%s, %s, run %s", data.Owner, made.UTC().Format("2006-01-02 15:04"), data.Run),
	}
	return nil
}
