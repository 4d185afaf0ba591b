package main

import (
	"context"
	"encoding/json"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/state"
)

// readPrior is what the state remembers of an analysis, in the plan's terms.
func readPrior(ctx context.Context, db *state.DB, g *compile.Graph) (plan.Prior, error) {
	memory, err := db.Prior(ctx, g.Analysis)
	if err != nil {
		return plan.Prior{}, err
	}
	keys := make([]string, len(g.Tasks))
	for i, t := range g.Tasks {
		keys[i] = t.Key
	}
	found, lost, err := db.HasResults(ctx, keys)
	if err != nil {
		return plan.Prior{}, err
	}
	results := make(map[string]plan.ResultState, len(found)+len(lost))
	for key, info := range found {
		results[key] = plan.Available
		if info.Transient {
			results[key] = plan.Lossy
		}
	}
	for _, key := range lost {
		results[key] = plan.Missing
	}
	serial, err := db.Serial(ctx, g.Analysis)
	if err != nil {
		return plan.Prior{}, err
	}
	return plan.Prior{
		Tasks:  priorTasks(memory),
		Result: func(key string) plan.ResultState { return results[key] },
		// A document that cannot be read only makes the reasons vaguer.
		Inputs: func(digest string) []byte {
			text, err := db.Inputs(ctx, digest)
			if err != nil {
				return nil
			}
			return text
		},
		Components: func(digest string) []compile.Component {
			var cs []compile.Component
			text, err := db.StageComponents(ctx, digest)
			if err != nil || json.Unmarshal(text, &cs) != nil {
				return nil
			}
			return cs
		},
		Serial: serial,
	}, nil
}

func priorTasks(memory map[addr.Task]state.Memory) map[addr.Task]plan.Task {
	tasks := make(map[addr.Task]plan.Task, len(memory))
	for a, m := range memory {
		last := m.Good
		if last == nil {
			last = m.Failed
		}
		t := plan.Task{Key: last.Key, StageDigest: last.StageDigest, InputsDigest: last.InputsDigest}
		if m.Failed != nil {
			t.Failed, t.FailedKey = string(m.Failed.Cause), m.Failed.Key
		}
		tasks[a] = t
	}
	return tasks
}
