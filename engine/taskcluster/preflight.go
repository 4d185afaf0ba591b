package taskcluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/scope"
)

// Preflight looks for all that would go wrong with a run, before its first task is created. Without a Graph it looks at the deployment alone.
type Preflight struct {
	Client   *taskcluster.Client
	Settings *Settings
	Graph    *Graph
	Problems []Problem // of lowering
	Reused   map[*engine.Task]Ref
	Deadline time.Time
	// Passed is told what was looked at and is right; nil: nobody is.
	Passed func(what string)
}

// Check returns all problems at once. The error is that the deployment could not be asked at all.
func (p *Preflight) Check(ctx context.Context) ([]Problem, error) {
	c := &preflight{Preflight: p}
	for _, known := range p.Problems {
		c.add(known)
	}
	if !c.reach(ctx) || !c.clock(ctx) {
		return c.list, ctx.Err()
	}
	c.scopes(ctx)
	c.reads(ctx)
	c.limits(ctx)
	c.queue(ctx)
	c.artifacts(ctx)
	c.reused(ctx)
	return c.list, ctx.Err()
}

type preflight struct {
	*Preflight
	problems
}

func (c *preflight) passed(format string, args ...any) {
	if c.Passed != nil {
		c.Passed(fmt.Sprintf(format, args...))
	}
}

// reach tells whether the deployment answers.
func (c *preflight) reach(ctx context.Context) bool {
	if err := c.Client.Queue.Ping(ctx); err != nil {
		c.error("taskcluster/unreachable", "Deployment that does not answer",
			"%s: %v. Check root_url, or TASKCLUSTER_ROOT_URL, and the network.", c.Settings.RootURL, err)
		return false
	}
	c.passed("%s answers", c.Settings.RootURL)
	return true
}

// clock signs with credentials that every deployment knows: when they are refused, the time is wrong.
func (c *preflight) clock(ctx context.Context) bool {
	if _, ok := c.Client.Signs(); !ok {
		return true
	}
	tester, err := taskcluster.New(taskcluster.Config{RootURL: c.Settings.RootURL, Credentials: &taskcluster.TestCredentials})
	if err == nil {
		_, err = tester.Auth.TestAuthenticate(ctx, []string{"test:a"}, []string{"test:a"})
	}
	if taskcluster.HasCode(err, taskcluster.CodeAuthenticationFailed) {
		c.error("taskcluster/clock", "Clock that is wrong",
			"The deployment does not accept a request that is signed with well-known credentials at %s: the clock of this computer is more than 15 minutes off, or something between changes requests. (%v)",
			time.Now().UTC().Format(time.RFC3339), err)
		return false
	}
	if err != nil {
		c.warn("taskcluster/unchecked", "Clock that could not be checked", "%v", err)
		return true
	}
	c.passed("a signed request is understood, so the clock is right")
	return true
}

// scopes compares what the caller may do with what the run takes, all at once.
func (c *preflight) scopes(ctx context.Context) {
	held, err := c.Client.Auth.CurrentScopes(ctx)
	switch {
	case taskcluster.HasCode(err, taskcluster.CodeAuthenticationFailed):
		c.error("taskcluster/credentials", "Credentials that are not accepted",
			"%v. Set TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN (and TASKCLUSTER_CERTIFICATE, when they are temporary) anew: with the taskcluster command, eval $(taskcluster signin).", err)
		return
	case taskcluster.HasCode(err, taskcluster.CodeInsufficientScopes):
		c.warn("taskcluster/unchecked", "Scopes that could not be looked up",
			"The credentials may not ask what they may do (auth:current-scopes), so missing scopes show only when tasks are created. (%v)", err)
		return
	case err != nil:
		c.warn("taskcluster/unchecked", "Scopes that could not be looked up", "%v", err)
		return
	}
	c.passed("the credentials are accepted, with %d scopes", len(held))
	if c.Graph == nil {
		return
	}
	var missing []string
	for _, need := range c.Graph.Needed(c.Settings) {
		if m := need.Missing(held); !m.IsZero() {
			missing = append(missing, m.Scopes()...)
		}
	}
	missing = scope.Normalize(missing)
	if len(missing) == 0 {
		c.passed("they have all scopes that the run takes")
		return
	}
	wayOut := "Ask whoever runs the deployment for them, or choose other settings in the block engine."
	if _, signs := c.Client.Signs(); !signs && !c.Client.Proxied() {
		wayOut = "There are no credentials: set TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN, with the taskcluster command by eval $(taskcluster signin)."
	}
	c.error("taskcluster/missing-scopes", "Missing scopes",
		"The run takes %d scopes that the credentials do not have:\n\n%s\n\n%s", len(missing), "  "+strings.Join(missing, "\n  "), wayOut)
}

// reads tells whether tasks may read what they stand on. Most deployments let everybody read states, definitions and public artifacts, so
// that tasks have no scopes for it.
func (c *preflight) reads(ctx context.Context) {
	if c.Graph == nil {
		return
	}
	granted, err := c.Client.Auth.ExpandScopes(ctx, append([]string{"assume:anonymous"}, c.Settings.Scopes...))
	if err != nil {
		return // nobody says what everybody may do; then a task says that it may not
	}
	need := map[string]bool{}
	for _, n := range c.Graph.Nodes {
		if n.Task == nil {
			continue
		}
		for _, u := range n.Task.Upstream {
			need["queue:status:*"], need["queue:get-task:*"] = true, true
			prefix := c.Settings.ArtifactPrefix
			if ref, ok := c.Reused[u.Task]; ok {
				prefix = ref.Artifacts
			}
			if strings.HasPrefix(prefix, "public/") {
				need["queue:get-artifact:"+prefix+"/*"] = true
			}
		}
	}
	missing := scope.Missing(granted, slices.Sorted(maps.Keys(need))...)
	if len(missing) == 0 {
		return
	}
	c.error("taskcluster/closed-reads", "Deployment that does not let everybody read",
		"Tasks read the states, definitions and results of those that they stand on, and this deployment does not let everybody do that. Write in the block engine:\n\n  scopes = [\"%s\"]", strings.Join(missing, "\", \""))
}

// limits compares the graph with what the deployment allows.
func (c *preflight) limits(ctx context.Context) {
	f, err := c.Client.Features(ctx)
	if err != nil {
		c.warn("taskcluster/unchecked", "Deployment that does not say what it can do", "Its references could not be read, so the number of inputs of a task is not checked. (%v)", err)
		return
	}
	c.passed("tasks may have %d dependencies", f.MaxDependencies)
	if c.Graph == nil {
		return
	}
	for _, n := range c.Graph.Nodes {
		if len(n.Definition.Dependencies) > f.MaxDependencies {
			c.error("taskcluster/too-many-dependencies", "More dependencies than a task may have",
				"%s: it depends on %d tasks, and the deployment allows %d. Write max_dependencies = %d in the block engine.", n.Label, len(n.Definition.Dependencies), f.MaxDependencies, f.MaxDependencies)
		}
	}
}

// queue tells whether anybody works off the queue. Tasks can be created in any, and wait there until their deadline.
func (c *preflight) queue(ctx context.Context) {
	if c.Settings.Queue == "" {
		return
	}
	_, seen := c.Client.Queue.GetTaskQueue(ctx, c.Settings.Queue)
	var pool error
	if seen != nil { // no worker was there lately; somebody may be about to start one
		_, pool = c.Client.Workers.WorkerPool(ctx, c.Settings.Queue)
	}
	switch {
	case seen == nil || pool == nil:
	case taskcluster.IsNotFound(seen) && taskcluster.IsNotFound(pool):
		c.error("taskcluster/no-queue", "Queue that is not there",
			"No worker has asked the queue %s for tasks lately, and there is no worker pool of that name: tasks would wait until the deadline. Write one of %s as the queue, or start a worker.",
			c.Settings.Queue, c.Settings.RootURL+"/worker-manager")
		return
	case taskcluster.IsNotFound(seen):
		c.warn("taskcluster/unchecked", "Queue that could not be looked at", "No worker has asked the queue %s for tasks lately, and whether there is a worker pool is not known: %v", c.Settings.Queue, pool)
		return
	default:
		c.warn("taskcluster/unchecked", "Queue that could not be looked at", "%s: %v", c.Settings.Queue, seen)
		return
	}
	counts, err := c.Client.Queue.TaskQueueCounts(ctx, c.Settings.Queue)
	if err != nil { // not everybody may know
		c.passed("queue %s is there", c.Settings.Queue)
		return
	}
	c.passed("queue %s has %d pending and %d running tasks", c.Settings.Queue, counts.PendingTasks, counts.ClaimedTasks)
}

// artifacts looks for images and for taf-mapper where the deployment itself is to have them.
func (c *preflight) artifacts(ctx context.Context) {
	seen := map[image]bool{}
	look := func(what string, i image) {
		if seen[i] {
			return
		}
		seen[i] = true
		if err := c.artifact(ctx, i); err != nil {
			c.error("taskcluster/no-artifact", "Image or program that is not there", "%s: %v", what, err)
			return
		}
		c.passed("%s is there", what)
	}
	if c.Graph != nil && c.Settings.Payload == DockerPayload {
		for _, i := range c.Graph.images {
			if i.TaskID != "" || i.Namespace != "" {
				look(fmt.Sprintf("the image %s of %s", i.Path, i.TaskID+i.Namespace), *i)
			}
		}
	}
	if m := c.Settings.Mapper; m != nil && m.URL == "" && c.Settings.Payload == NativePayload {
		look(fmt.Sprintf("taf-mapper, the artifact %s of %s", m.Artifact, m.TaskID+m.Namespace), image{TaskID: m.TaskID, Namespace: m.Namespace, Path: m.Artifact})
	}
}

// artifact says why an artifact cannot be used until the deadline of the run.
func (c *preflight) artifact(ctx context.Context, i image) error {
	id := i.TaskID
	if i.Namespace != "" {
		found, err := c.Client.Index.FindTask(ctx, i.Namespace)
		if err != nil {
			return fmt.Errorf("the index does not find its task: %w", err)
		}
		id = found.TaskID
	}
	info, err := c.Client.Queue.LatestArtifactInfo(ctx, id, i.Path)
	switch {
	case err != nil && !taskcluster.IsNotFound(err):
		c.warn("taskcluster/unchecked", "Artifact that could not be looked at", "%s of task %s: %v", i.Path, id, err)
		return nil
	case err != nil:
		return fmt.Errorf("task %s has no artifact %s", id, i.Path)
	case !c.Deadline.IsZero() && info.Expires.Before(c.Deadline):
		return fmt.Errorf("it expires at %s, before the deadline of the run (%s)", info.Expires, taskcluster.At(c.Deadline))
	}
	status, err := c.Client.Queue.Status(ctx, id)
	if err == nil && status.State != taskcluster.StateCompleted {
		return fmt.Errorf("task %s is %s, not completed", id, status.State)
	}
	return nil
}

// reused makes sure that results of earlier runs outlive this one.
func (c *preflight) reused(ctx context.Context) {
	if len(c.Reused) == 0 {
		return
	}
	gone, err := Gone(ctx, c.Client, slices.Collect(maps.Values(c.Reused)), c.Deadline)
	if err != nil {
		c.warn("taskcluster/unchecked", "Results that could not be looked at", "%v", err)
		return
	}
	c.files(ctx, gone)
	for t, ref := range c.Reused {
		if why := gone[ref.TaskID]; why != "" {
			c.error("taskcluster/expired-result", "Result that does not outlive the run",
				"%s is to be taken from task %s, %s. Plan again: it is made anew then.", t.Addr, ref.TaskID, why)
		}
	}
	c.passed("%d results of earlier runs were looked at", len(c.Reused))
}

// files notes reused results that tasks are to read, and whose files do not last as long as their tasks.
func (c *preflight) files(ctx context.Context, gone map[string]string) {
	read := map[string]state.Remote{}
	if c.Graph != nil {
		for _, n := range c.Graph.Nodes {
			if n.Task == nil {
				continue
			}
			for _, u := range n.Task.Upstream {
				if ref, ok := c.Reused[u.Task]; ok {
					read[u.Task.Key] = state.Remote{TaskID: ref.TaskID, RunID: ref.RunID, Artifacts: ref.Artifacts}
				}
			}
		}
	}
	if len(read) == 0 || len(read) > mostLooks {
		return
	}
	cache := Cache{Client: c.Client, Settings: c.Settings}
	if err := cache.files(ctx, read, c.Deadline, gone); err != nil {
		c.warn("taskcluster/unchecked", "Results that could not be looked at", "%v", err)
	}
}

// Gone says for each result, by the id of its task, why it cannot be used until a deadline; those that can are left out.
func Gone(ctx context.Context, client *taskcluster.Client, refs []Ref, deadline time.Time) (map[string]string, error) {
	var ids []string
	for _, r := range refs {
		ids = append(ids, r.TaskID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found, err := client.Queue.Statuses(ctx, ids)
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	gone := map[string]string{}
	for _, id := range ids {
		s := found[id]
		switch {
		case s == nil:
			gone[id] = "which the deployment does not have any more"
		case s.Expires.Before(deadline):
			gone[id] = fmt.Sprintf("which expires at %s, before the deadline of the run (%s)", s.Expires, taskcluster.At(deadline))
		default:
			if _, ok := s.LatestCompleted(); !ok {
				gone[id] = fmt.Sprintf("which is %s, not completed", s.State)
			}
		}
	}
	return gone, nil
}
