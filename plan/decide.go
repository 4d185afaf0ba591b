package plan

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
)

// decider finds each task's action and reasons.
type decider struct {
	prior    Prior
	result   map[*compile.Task]ResultState
	stale    map[*compile.Task]bool // a result below it is mended
	runs     map[*compile.Task]bool
	stages   map[addr.Stage]bool
	before   map[addr.Stage]batchNames // of the earlier graph
	now      map[addr.Stage]batchNames
	settings map[string][]Reason // by prior and present digest of a stage: the reasons are the same for all its tasks
}

func newDecider(g *compile.Graph, prior Prior, wanted func(*compile.Task) bool) *decider {
	d := &decider{
		prior: prior, result: make(map[*compile.Task]ResultState, len(g.Tasks)), runs: make(map[*compile.Task]bool, len(g.Tasks)),
		stale: map[*compile.Task]bool{}, stages: map[addr.Stage]bool{}, before: map[addr.Stage]batchNames{}, now: map[addr.Stage]batchNames{},
		settings: map[string][]Reason{},
	}
	for _, s := range g.Stages {
		d.stages[s.Addr] = true
	}
	for a := range prior.Tasks {
		d.before[a.Stage] = append(d.before[a.Stage], a.Name)
	}
	for _, t := range g.Tasks {
		d.now[t.Stage.Addr] = append(d.now[t.Stage.Addr], t.Addr.Name)
	}
	for _, names := range [...]map[addr.Stage]batchNames{d.before, d.now} {
		for _, n := range names {
			slices.Sort(n)
		}
	}
	d.findRuns(g, wanted)
	return d
}

// findRuns decides from the last task to the first: a task runs when there is no result under its key and somebody wants
// one, which is the user for the last tasks of a chain and the tasks that run for all others.
func (d *decider) findRuns(g *compile.Graph, wanted func(*compile.Task) bool) {
	needed := make(map[*compile.Task]bool, len(g.Tasks))
	consumed := make(map[*compile.Task]bool, len(g.Tasks))
	for _, t := range g.Tasks {
		for _, u := range t.Upstream {
			consumed[u.Task] = consumed[u.Task] || wanted(t)
		}
	}
	for _, o := range g.Outputs {
		for _, t := range o.Tasks {
			needed[t] = true
		}
	}
	for _, t := range g.Tasks {
		if len(d.prior.Mend) == 0 {
			break
		}
		d.stale[t] = slices.ContainsFunc(t.Upstream, func(u compile.Upstream) bool { return d.stale[u.Task] || d.prior.Mend[u.Task.Addr].Records > 0 })
	}
	for _, t := range slices.Backward(g.Tasks) {
		if !wanted(t) {
			continue
		}
		d.result[t] = d.prior.Result(t.Key)
		mend, taken := d.prior.Mend[t.Addr]
		mends := taken && mend.Records > 0
		switch {
		case taken && !mends:
			d.result[t] = Available
		case mends || d.stale[t]:
			d.result[t] = None
		}
		if !mends && (d.result[t] == Available || consumed[t] && !needed[t]) {
			continue
		}
		d.runs[t] = true
		for _, u := range t.Upstream {
			needed[u.Task] = true
		}
	}
}

func (d *decider) decide(t *compile.Task) Change {
	before, known := d.prior.Tasks[t.Addr]
	mend, taken := d.prior.Mend[t.Addr]
	if !d.runs[t] {
		idle := d.result[t] != Available
		return Change{
			Addr: t.Addr, Task: t, Action: Reuse, Idle: idle, Mend: mend.Key, Origin: d.prior.Origins[t.Key],
			Adopted: !idle && (!known || before.Key != t.Key || before.Failed != ""),
		}
	}
	if taken {
		return Change{
			Addr: t.Addr, Task: t, Action: Run, Again: true, Mend: mend.Key,
			Reasons: []Reason{{Code: "quarantined records", Detail: strconv.FormatInt(mend.Records, 10)}},
		}
	}
	return Change{Addr: t.Addr, Task: t, Action: Run, Again: known, Reasons: d.reasons(t, before, known), Stale: d.stale[t]}
}

func (d *decider) reasons(t *compile.Task, before Task, known bool) []Reason {
	var rs []Reason
	switch {
	case known && before.StageDigest != "":
		rs = append(d.settingReasons(before.StageDigest, t.Stage), d.inputReasons(t, before.InputsDigest)...)
	case !known:
		rs = d.newReasons(t)
	}
	for _, u := range t.Upstream {
		if d.runs[u.Task] && known {
			rs = append(rs, Reason{Code: "upstream reruns", Detail: u.Task.Addr.String()})
		}
	}
	switch d.result[t] {
	case Missing:
		rs = append(rs, Reason{Code: "result missing"})
	case Lossy:
		rs = append(rs, Reason{Code: "earlier result incomplete"})
	}
	if before.Failed != "" && (before.FailedKey == t.Key || len(rs) == 0) {
		rs = append(rs, Reason{Code: "earlier attempt failed", Detail: before.Failed})
	}
	if len(rs) == 0 {
		// The task is known and unchanged, but there is no result: its last run was stopped, or the result was collected.
		rs = append(rs, Reason{Code: "no result yet"})
	}
	return rs
}

// newReasons explains a task without a past: its batch may be half of an earlier one, or two earlier ones together.
func (d *decider) newReasons(t *compile.Task) []Reason {
	fresh := []Reason{{Code: "new"}}
	if t.Files == nil {
		return fresh
	}
	names := d.before[t.Stage.Addr]
	parts := names.around(t.Group, t.Addr.Name)
	if len(parts) == 0 {
		return fresh
	}
	var old [][]byte
	var rs []Reason
	for i, name := range parts {
		before := d.prior.Tasks[addr.Task{Stage: t.Stage.Addr, Name: name}]
		old = append(old, lines(d.prior.Inputs(before.InputsDigest))...)
		if i == 0 && before.StageDigest != "" {
			rs = d.settingReasons(before.StageDigest, t.Stage)
		}
	}
	slices.SortFunc(old, bytes.Compare)
	rs = append(rs, diffFiles(bytes.Join(old, []byte("\n")), t.Inputs())...)
	if len(parts[0]) < len(t.Addr.Name) || parts[0] == "all" {
		return append(onlyAdded(rs), Reason{Code: "batch split", Detail: parts[0]})
	}
	return append(rs, Reason{Code: "batch merged", Detail: parts[0]})
}

// dropReason says why a task of an earlier graph is gone.
func (d *decider) dropReason(a addr.Task) Reason {
	switch {
	case !d.stages[a.Stage]:
		return Reason{Code: "its stage is gone"}
	case a.Stage.Kind != "map":
		return Reason{Code: "its inputs are gone"}
	}
	if near := d.now[a.Stage].around(groupOf(a.Name), a.Name); len(near) > 0 {
		if len(near[0]) < len(a.Name) || near[0] == "all" {
			return Reason{Code: "batch merged", Detail: near[0]}
		}
		return Reason{Code: "batch split", Detail: near[0]}
	}
	return Reason{Code: "its files no longer match"}
}
