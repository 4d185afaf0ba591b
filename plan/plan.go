package plan

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
)

// Plan says what will happen to each task of a graph. It is immutable once New has returned it.
type Plan struct {
	Analysis  string
	Engine    string
	Graph     *compile.Graph
	Changes   []Change // the tasks of the graph in its order, then the dropped ones by address
	Summary   Summary
	Home      string // absolute folder of the analysis: paths of outputs are relative to it
	State     string // absolute folder of the state that it was compared with
	Container string // what the engine block says: auto, docker, podman, none
	Workers   int    // what the engine block says; 0: the engine's default
	// Settings are those of the engine, for it alone; nil when it has none.
	Settings json.RawMessage
	// Targets are the addresses that the plan was limited to; empty: the whole graph.
	Targets []addr.Task
	Fence   Fence
}

// Action is what happens to a task.
type Action string

// The actions.
const (
	Run   Action = "run"
	Reuse Action = "reuse"
	Drop  Action = "drop" // of an earlier graph; nothing is done but to forget it
)

// Change is what happens to one task and why.
type Change struct {
	Addr    addr.Task
	Action  Action
	Again   bool          // a run of a task that ran before
	Adopted bool          // a reuse of a result that was not this task's result at the end of the last run
	Origin  string        // of a reuse: who made the result and when, when others did
	Idle    bool          // a reuse in name only: there is no result, but nobody needs it
	Task    *compile.Task // nil for Drop
	Reasons []Reason      // none for Reuse
	// Mend is the key of the earlier result that the task takes over: all of it for Reuse, all but its quarantined records for Run.
	Mend string
	// Stale tells of a run that the result under its key does not do, because one that it stands on changes under its own key.
	Stale bool
}

// Reason is one cause of a change. Code is stable and has no values of one run in it but names that the analysis declares:
// "file changed", "code mapper.py changed".
type Reason struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"` // the key of a file, the address of an upstream task, or empty
}

// Summary counts the changes.
type Summary struct {
	Run   int   `json:"run"`
	Reuse int   `json:"reuse"`
	Drop  int   `json:"drop"`
	Bytes int64 `json:"-"` // input of the tasks to run, as stored
}

// Fence is what must still hold when a saved plan is applied.
type Fence struct {
	Index map[string]string `json:"index"` // revision by filter
	State string            `json:"state"` // digest of what the state remembered of the analysis
}

// Prior is what earlier runs left of the same analysis. The functions are called only for tasks whose inputs or settings
// are not those of the last time.
type Prior struct {
	Tasks map[addr.Task]Task
	// Result tells what there is under a task's key.
	Result func(key string) ResultState
	// Origins say who made results, by key, as far as others did.
	Origins map[string]string
	// Inputs and Components load what a digest stands for; nil when it is no longer known.
	Inputs     func(digest string) []byte
	Components func(digest string) []compile.Component
	Serial     string // of all the above
	// Mend are results of the same input, made by the code as it is or as it was, that are to be taken over but for their quarantined records.
	Mend map[addr.Task]Mend
}

// Task is what the state remembers of a task.
type Task struct {
	Key          string
	StageDigest  string
	InputsDigest string
	Failed       string // cause, when the last attempt failed; the digests are those of the last success, or of the failure when there was none
	FailedKey    string // key of the failed attempt
}

// Mend is an earlier result.
type Mend struct {
	Key     string
	Records int64 // to run; 0: none, all is taken over
}

// ResultState is what there is under a key.
type ResultState string

// The states of results.
const (
	None      ResultState = ""          //
	Available ResultState = "available" //
	Lossy     ResultState = "lossy"     // it lost input that may be there next time
	Missing   ResultState = "missing"   // it was there, but its files are gone
)

// New compares a graph with what earlier runs left. targets limit it to these stages or tasks and all that they need.
func New(g *compile.Graph, prior Prior, targets []addr.Task) *Plan {
	p := &Plan{Analysis: g.Analysis, Graph: g, Targets: targets, Fence: Fence{Index: map[string]string{}, State: prior.Serial}}
	for _, s := range g.Sources {
		p.Fence.Index[s.Filter] = s.Revision
	}
	closed := closure(g, targets)
	wanted := func(t *compile.Task) bool { return closed == nil || closed[t] }
	d := newDecider(g, prior, wanted)
	p.Changes = make([]Change, 0, len(g.Tasks))
	for _, t := range g.Tasks {
		if wanted(t) {
			p.add(d.decide(t))
		}
	}
	if len(targets) == 0 && len(prior.Tasks) > 0 {
		p.drop(prior, d)
	}
	return p
}

func (p *Plan) add(c Change) {
	switch c.Action {
	case Run:
		p.Summary.Run++
		p.Summary.Bytes += c.Task.Bytes
	case Reuse:
		p.Summary.Reuse++
	case Drop:
		p.Summary.Drop++
	}
	p.Changes = append(p.Changes, c)
}

// drop adds the tasks that the graph no longer has.
func (p *Plan) drop(prior Prior, d *decider) {
	known := make(map[addr.Task]bool, len(p.Graph.Tasks))
	for _, t := range p.Graph.Tasks {
		known[t.Addr] = true
	}
	var gone []addr.Task
	for a := range prior.Tasks {
		if !known[a] {
			gone = append(gone, a)
		}
	}
	slices.SortFunc(gone, compareAddr)
	for _, a := range gone {
		p.add(Change{Addr: a, Action: Drop, Reasons: []Reason{d.dropReason(a)}})
	}
}

func compareAddr(a, b addr.Task) int {
	return cmp.Or(cmp.Compare(a.Stage.Kind, b.Stage.Kind), cmp.Compare(a.Stage.Name, b.Stage.Name), cmp.Compare(a.Name, b.Name))
}

// closure is the tasks that the targets name and all that they need; nil without targets.
func closure(g *compile.Graph, targets []addr.Task) map[*compile.Task]bool {
	if len(targets) == 0 {
		return nil
	}
	wanted := map[*compile.Task]bool{}
	for _, t := range slices.Backward(g.Tasks) {
		for _, target := range targets {
			if t.Addr == target || target.Name == "" && t.Stage.Addr == target.Stage {
				wanted[t] = true
			}
		}
		if wanted[t] {
			for _, u := range t.Upstream {
				wanted[u.Task] = true
			}
		}
	}
	return wanted
}

// Empty tells whether there is nothing to do.
func (p *Plan) Empty() bool { return p.Summary.Run == 0 && p.Summary.Drop == 0 }

// Settled tells whether carrying out the plan would change nothing at all, not even what the state remembers.
func (p *Plan) Settled() bool {
	return p.Empty() && !slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Adopted })
}

// Dropped are the addresses of the tasks to forget.
func (p *Plan) Dropped() []addr.Task {
	var out []addr.Task
	for _, c := range p.Changes {
		if c.Action == Drop {
			out = append(out, c.Addr)
		}
	}
	return out
}
