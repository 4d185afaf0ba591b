package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/local"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// This file is what the commands know of runs on Taskcluster.

// deployed tells whether the analysis is for Taskcluster.
func (s *session) deployed() bool {
	return s.analysis != nil && s.analysis.Engine == lang.EngineTaskcluster
}

// deploymentSettings are those of the analysis, with the address of the environment when it has none.
func (s *session) deploymentSettings() *tc.Settings {
	set := tc.SettingsOf(s.analysis, os.Getenv)
	if set.RootURL == "" {
		set.RootURL = taskcluster.Config{}.WithEnv(os.Getenv).RootURL
	}
	return set
}

// engineOf makes the engine of a plan.
func (s *session) engineOf(p *plan.Plan, notice func(string)) (engine.Engine, error) {
	if p.Engine != lang.EngineTaskcluster {
		secrets, err := s.secrets(p)
		if err != nil {
			return nil, err
		}
		return s.localEngine(p, secrets, notice)
	}
	set := new(tc.Settings)
	if err := json.Unmarshal(p.Settings, set); err != nil {
		return nil, fmt.Errorf("the plan has no settings for Taskcluster: make it again with this version of tafc (%w)", err)
	}
	client, err := tc.Connect(set, os.Getenv)
	if err != nil {
		return nil, err
	}
	return tc.New(tc.Options{State: s.state, Client: client, Settings: set, Notice: notice, Poll: pollInterval()})
}

// pollInterval is how often tasks are looked at; tests shorten it.
func pollInterval() time.Duration {
	d, err := time.ParseDuration(os.Getenv("TAF_POLL"))
	if err != nil {
		return 0
	}
	return d
}

// fanIn bounds the inputs of a task by what the deployment allows. It is asked only when there are so many that it matters.
func (s *session) fanIn(ctx context.Context, g *compile.Graph, set *tc.Settings) (int, error) {
	most := 0
	for _, t := range g.Tasks {
		most = max(most, len(t.Upstream))
	}
	if most <= tc.SafeFanIn || set.RootURL == "" {
		return 0, nil
	}
	client, err := tc.Connect(set, os.Getenv)
	if err != nil {
		return 0, err
	}
	features, err := client.Features(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask %s how many inputs a task may have (write max_dependencies to plan without asking): %w", set.RootURL, err)
	}
	if bound := set.MaxFanIn(features.MaxDependencies); bound < most {
		return bound, nil
	}
	return 0, nil
}

// remotePrior changes what the state remembers to what counts on a deployment: results that tasks read must be there, those that nobody
// reads may be here. origins says who made results that others did.
func (s *session) remotePrior(ctx context.Context, g *compile.Graph, prior *plan.Prior, set *tc.Settings) (origins map[string]string, err error) {
	consumed := map[string]bool{}
	keys := make([]string, len(g.Tasks))
	for i, t := range g.Tasks {
		keys[i] = t.Key
		for _, u := range t.Upstream {
			consumed[u.Task.Key] = true
		}
	}
	cache := tc.Cache{State: s.state, Settings: set}
	if set.RootURL != "" {
		known, err := s.state.Remotes(ctx, set.RootURL, keys)
		if err != nil {
			return nil, err
		}
		if len(known) > 0 || set.IndexPrefix != "" {
			if cache.Client, err = tc.Connect(set, os.Getenv); err != nil {
				return nil, err
			}
		}
	}
	found, err := cache.Find(ctx, keys)
	if err != nil {
		if found == nil {
			return nil, err
		}
		fmt.Fprintf(s.app.streams.Err, "What is on %s could not be looked up, so this plan goes by what is known here: %v\n", set.RootURL, err)
	}
	local := prior.Result
	prior.Result = func(key string) plan.ResultState {
		here := local(key)
		if f, ok := found[key]; ok {
			if f.Transient {
				return plan.Lossy
			}
			return plan.Available
		}
		if consumed[key] && here != plan.None {
			return plan.Missing
		}
		return here
	}
	origins = map[string]string{}
	for key, f := range found {
		if f.Origin != "" {
			origins[key] = f.Origin
		}
	}
	return origins, nil
}

// showOrigins tells which results of a plan others have made.
func (s *session) showOrigins(p *plan.Plan) {
	counts := map[string]int{}
	for _, c := range p.Changes {
		if c.Action == plan.Reuse && c.Origin != "" {
			counts[c.Addr.Stage.String()+"\x00"+c.Origin]++
		}
	}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		stage, origin, _ := cutByte(key)
		fmt.Fprintf(s.app.streams.Out, "From the shared cache: %d of %s, made by %s\n", counts[key], stage, origin)
	}
}

func cutByte(s string) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == 0 {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// result loads a result, and gets its files when only a deployment has them.
func (s *session) result(ctx context.Context, key string) (state.Result, error) {
	r, err := s.state.Result(ctx, key)
	if !errors.Is(err, state.ErrResultMissing) {
		return r, err
	}
	places, placesErr := s.state.RemotesOf(ctx, key)
	if placesErr != nil || len(places) == 0 {
		return r, errors.Join(err, placesErr)
	}
	for _, at := range places {
		client, fetchErr := tc.Connect(&tc.Settings{RootURL: at.Root}, os.Getenv)
		if fetchErr == nil {
			fetchErr = tc.FetchResult(ctx, client, s.state, at)
		}
		if fetchErr == nil {
			return s.state.Result(ctx, key)
		}
		err = fmt.Errorf("its files are only on %s: %w", at.Root, fetchErr)
	}
	return r, err
}

// available are the keys whose results can be had, here or on a deployment.
func (s *session) available(ctx context.Context, keys []string) (map[string]bool, error) {
	found, lost, err := s.state.HasResults(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(found))
	for key := range found {
		out[key] = true
	}
	for _, key := range lost {
		places, err := s.state.RemotesOf(ctx, key)
		if err != nil {
			return nil, err
		}
		for _, at := range places {
			out[key] = out[key] || at.Expires.After(time.Now())
		}
	}
	return out, nil
}

func (s *session) localEngine(p *plan.Plan, secrets map[addr.Stage]map[string]string, notice func(string)) (engine.Engine, error) {
	return local.New(local.Options{
		State: s.state, Secrets: secrets, Workers: cmp.Or(int(s.in.workers), p.Workers),
		Container: cmp.Or(s.in.container, p.Container), Mapper: os.Getenv("TAF_MAPPER"), Warn: func(text string) { notice("Warning: " + text) },
	})
}

// remoteRun is the last run of the analysis when it is on a deployment, with a client for that; nil when it is not.
func (s *session) remoteRun(ctx context.Context) (*state.RemoteRun, *tc.Settings, *taskcluster.Client, error) {
	run, err := s.state.LatestRun(ctx, s.analysis.Name)
	if err != nil || run == nil {
		return nil, nil, nil, err
	}
	return s.remoteRunOf(ctx, run.ID)
}

func (s *session) remoteRunOf(ctx context.Context, id string) (*state.RemoteRun, *tc.Settings, *taskcluster.Client, error) {
	r, err := s.state.RemoteRun(ctx, id)
	if err != nil || r == nil {
		return nil, nil, nil, err
	}
	set := new(tc.Settings)
	if err := json.Unmarshal(r.Settings, set); err != nil {
		return nil, nil, nil, fmt.Errorf("settings of run %s: %w", id, err)
	}
	client, err := tc.Connect(set, os.Getenv)
	return r, set, client, err
}

// liveStates are the tasks of a run that goes on without tafc, as the deployment has them now. What it shows is recorded by the next apply.
func liveStates(ctx context.Context, client *taskcluster.Client, tasks []state.RunTask) (map[addr.Task]string, error) {
	var ids []string
	for _, t := range tasks {
		if t.Remote != "" && (t.State == string(engine.Waiting) || t.State == string(engine.Ready) || t.State == string(engine.Running)) {
			ids = append(ids, t.Remote)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := client.Queue.Statuses(ctx, ids)
	if err != nil {
		return nil, err
	}
	words := map[taskcluster.State]engine.State{
		taskcluster.StateUnscheduled: engine.Waiting, taskcluster.StatePending: engine.Ready, taskcluster.StateRunning: engine.Running,
		taskcluster.StateCompleted: engine.Done, taskcluster.StateFailed: engine.Failed, taskcluster.StateException: engine.Failed,
	}
	states := map[addr.Task]string{}
	for _, t := range tasks {
		s := found[t.Remote]
		if s == nil {
			continue
		}
		if word, ok := words[s.State]; ok {
			states[t.Address] = string(word)
		}
		if last, ok := s.LatestRun(); ok && last.ReasonResolved == taskcluster.ReasonCanceled {
			states[t.Address] = string(engine.Cancelled)
		}
	}
	return states, nil
}

// remoteLog prints the log of a run of a task on a deployment; done is false when the task is on none.
func (s *session) remoteLog(ctx context.Context, address addr.Task, attempt int, events, follow bool) (done bool, err error) {
	run, set, client, err := s.remoteRun(ctx)
	if err != nil || run == nil {
		return false, err
	}
	tasks, err := s.state.RunTasks(ctx, run.Run)
	if err != nil {
		return true, err
	}
	i := slices.IndexFunc(tasks, func(t state.RunTask) bool { return t.Address == address })
	if i < 0 || tasks[i].Remote == "" {
		return false, nil
	}
	id := tasks[i].Remote
	for told := false; ; {
		status, err := client.Queue.Status(ctx, id)
		if err != nil {
			return true, err
		}
		number := attempt
		if last, ok := status.LatestRun(); number == 0 && ok {
			number = last.RunID + 1
		}
		if number > 0 && number <= len(status.Runs) && status.Runs[number-1].State != taskcluster.StatePending {
			return true, s.copyLog(ctx, client, set, id, number-1, events)
		}
		if !follow {
			return true, fmt.Errorf("%s has no such log yet: it is %s, see %s", address, status.State, client.Links().Task(id))
		}
		if !told {
			told = true
			fmt.Fprintf(s.app.streams.Err, "%s is %s; waiting for it: %s\n", address, status.State, client.Links().Task(id))
		}
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-time.After(max(pollInterval(), logPoll)):
		}
	}
}

func (s *session) copyLog(ctx context.Context, client *taskcluster.Client, set *tc.Settings, id string, run int, events bool) error {
	r, err := tc.OpenLog(ctx, client, set, id, run, events)
	if err != nil {
		return fmt.Errorf("%w; see %s", err, client.Links().Run(id, run))
	}
	defer r.Close()
	_, err = io.Copy(s.app.streams.Out, r)
	return err
}

// cancelRemote stops the open run of the analysis on its deployment; done is false when there is none.
func (s *session) cancelRemote(ctx context.Context) (done bool, err error) {
	open, err := s.state.OpenRemoteRuns(ctx, s.analysis.Name)
	if err != nil || len(open) == 0 {
		return false, err
	}
	for _, r := range open {
		_, _, client, err := s.remoteRunOf(ctx, r.Run)
		if err != nil {
			return true, err
		}
		n, err := tc.CancelGroup(ctx, client, r.Group)
		if err != nil {
			return true, fmt.Errorf("cancel %s: %w", client.Links().Group(r.Group), err)
		}
		fmt.Fprintf(s.app.streams.Out, "Cancelled %d tasks of run %s: %s\n", n, r.Run, client.Links().Group(r.Group))
		holder, err := s.state.Holder()
		if err != nil {
			return true, err
		}
		if holder != nil {
			fmt.Fprintf(s.app.streams.Out, "tafc %s (pid %d), which watches it, will end by itself.\n", holder.Command, holder.PID)
			continue
		}
		if err := s.state.GiveUpRun(ctx, r.Run, "it was cancelled"); err != nil {
			return true, err
		}
	}
	return true, nil
}

// retryRemote runs the failed tasks of the last run again, on its deployment; engine is what a plan then is for, or empty when the last run
// was not there.
func (s *session) retryRemote(ctx context.Context) (engine string, err error) {
	r, _, client, err := s.remoteRun(ctx)
	if err != nil || r == nil {
		return "", err
	}
	n, err := tc.Rerun(ctx, client, s.state, *r)
	if err == nil && n > 0 {
		fmt.Fprintf(s.app.streams.Err, "Running %d tasks of run %s again: %s\n", n, r.Run, client.Links().Group(r.Group))
	}
	return lang.EngineTaskcluster, err
}
