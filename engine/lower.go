package engine

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/job"
)

// Lower makes the run that carries out a plan: the tasks to run, and those whose results are reused.
func Lower(id string, p *plan.Plan) (*Run, error) {
	run := &Run{ID: id, Analysis: p.Analysis, Stages: map[string][]byte{}, Bundles: p.Graph.Bundles(), Dropped: p.Dropped()}
	for _, s := range p.Graph.Stages {
		text, err := json.Marshal(s.Components)
		if err != nil {
			return nil, fmt.Errorf("lower %s: %w", s.Addr, err)
		}
		run.Stages[s.Digest] = text
	}
	l := lowering{tasks: map[*compile.Task]*Task{}}
	for _, c := range p.Changes {
		if c.Task != nil && !c.Idle {
			run.Tasks = append(run.Tasks, l.task(c))
		}
	}
	return run, nil
}

type lowering struct {
	tasks map[*compile.Task]*Task
}

func (l *lowering) task(c plan.Change) *Task {
	t := c.Task
	stage := t.Stage
	out := &Task{
		Addr: t.Addr, Key: t.Key, Bytes: t.Bytes, Files: t.Files.Len(), Reused: c.Action == plan.Reuse,
		StageDigest: stage.Digest, InputsDigest: t.InputsDigest, Inputs: t.Inputs(),
		Retry: Retry{
			Attempts: stage.Retry.Attempts, On: stage.Retry.On, Delay: stage.Retry.Delay, MaxDelay: stage.Retry.MaxDelay,
		},
		Cpus: stage.Cpus, Disk: stage.Disk,
		FailedTasks: job.Limit(stage.Tolerate.FailedTasks), Mend: c.Mend, Stale: c.Stale,
	}
	if x := stage.Image; x != nil {
		out.Image = &Image{Ref: x.Ref, ID: x.ID, Digest: x.Digest}
	}
	l.tasks[t] = out
	if out.Reused {
		return out
	}
	for _, u := range t.Upstream {
		up := l.tasks[u.Task]
		out.Needs = append(out.Needs, up)
		out.Upstream = append(out.Upstream, Upstream{Task: up, Partition: u.Partition, Of: u.Of})
	}
	out.Spec = Spec(t)
	if t.Files != nil {
		out.Root = stage.Root
	}
	if t.Role != job.RoleGather {
		for _, x := range stage.Secrets {
			if x.Name != "" {
				out.Secrets = append(out.Secrets, Secret{Env: x.Env, Name: x.Name})
			}
		}
	}
	if stage.Bundle != nil && t.Role != job.RoleGather {
		out.Bundle = stage.Bundle.Digest()
	}
	return out
}

// Spec is the job of a task, but for what only the engine knows: where its code is, and the results that it reads.
func Spec(t *compile.Task) job.Spec {
	s := t.Stage.Spec
	s.Task, s.Key, s.Role, s.Partitions = t.Addr.String(), t.Key, t.Role, t.Outputs
	if s.Code != nil {
		code := *s.Code // the engine sets Dir
		s.Code = &code
	}
	if t.Role == job.RoleGather {
		s.Code, s.Command, s.Operation = nil, nil, nil
	}
	s.Files = t.Files.List()
	for i := range s.Files {
		s.Files[i].URL = fileURL(t.Stage.Root, s.Files[i].Key)
	}
	return s
}

// fileURL is where a key is fetched: the root with the key's components escaped. The folder of a bucket is no URL, but the
// beginning of keys, so it is escaped as well.
func fileURL(root, key string) string {
	root = strings.TrimSuffix(root, "/")
	if bucket, ok := strings.CutPrefix(root, "s3://"); ok {
		root = "s3://" + escape(bucket)
	}
	return root + "/" + escape(key)
}

func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
