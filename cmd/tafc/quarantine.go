package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// errNothingToMend says that no quarantine holds a record that code could mend.
type errNothingToMend struct{ why string }

func (e *errNothingToMend) Error() string { return e.why }

// sameRecords are the components of a stage that may change while what was mapped before is still taken over: none of them says what is a
// record, which records are meant, or where pairs go. The others are prefixes of names.
var sameRecords = []string{"tolerance", "max_record_time", "command", "entry", "function", "image", "code ", "env ", "secret "}

// mendable finds, for the maps of the graph with quarantined records, the results that are taken over, and the tasks to run: those with
// such records, and all that stand on them.
func (s *session) mendable(ctx context.Context, g *compile.Graph) (map[addr.Task]plan.Mend, []addr.Task, error) {
	if s.analysis.Engine != lang.EngineLocal {
		return nil, nil, fmt.Errorf("records of a quarantine are run by the engine local: write -engine local, or engine \"local\" in the analysis")
	}
	m := &mender{s: s, g: g, mend: map[addr.Task]plan.Mend{}, refused: map[addr.Stage]string{}}
	if err := m.find(ctx); err != nil {
		return nil, nil, err
	}
	targets := []addr.Task{}
	wanted := map[addr.Task]bool{}
	for _, t := range g.Tasks {
		again := m.mend[t.Addr].Records > 0 || slices.ContainsFunc(t.Upstream, func(u compile.Upstream) bool { return wanted[u.Task.Addr] })
		if again {
			wanted[t.Addr] = true
			targets = append(targets, t.Addr)
		}
	}
	if len(targets) == 0 {
		return nil, nil, m.nothing()
	}
	return m.mend, targets, nil
}

// mender is one search.
type mender struct {
	s        *session
	g        *compile.Graph
	prior    map[addr.Task]state.Memory
	mend     map[addr.Task]plan.Mend
	refused  map[addr.Stage]string
	unframed int64
}

func (m *mender) find(ctx context.Context) (err error) {
	if m.prior, err = m.s.state.Prior(ctx, m.g.Analysis); err != nil {
		return err
	}
	bases, stages := map[*compile.Task]string{}, map[addr.Stage]bool{}
	var keys []string
	for _, t := range m.g.Tasks {
		good := m.prior[t.Addr].Good
		if t.Role != job.RoleMap || good == nil || good.InputsDigest != t.InputsDigest {
			continue
		}
		bases[t] = good.Key
		keys = append(keys, good.Key, t.Key)
	}
	found, _, err := m.s.state.HasResults(ctx, keys)
	if err != nil {
		return err
	}
	for t, base := range bases {
		if own, ok := found[t.Key]; ok && !own.Transient {
			base = t.Key
		}
		info, ok := found[base]
		if !ok || info.Transient {
			continue // an apply runs it whole
		}
		records, err := m.records(ctx, base, info)
		if err != nil {
			return err
		}
		if base != t.Key && !m.same(ctx, t) {
			continue
		}
		m.mend[t.Addr] = plan.Mend{Key: base, Records: records}
		stages[t.Stage.Addr] = stages[t.Stage.Addr] || records > 0
	}
	for a := range m.mend {
		if !stages[a.Stage] {
			delete(m.mend, a) // nothing of this stage is quarantined, so it is planned as ever
		}
	}
	return nil
}

// records is how many records of a result's quarantine code can be given again.
func (m *mender) records(ctx context.Context, key string, info state.ResultInfo) (int64, error) {
	if !info.Partial {
		return 0, nil
	}
	result, err := m.s.state.Result(ctx, key)
	if err != nil || result.Report.Quarantine == nil {
		return 0, err
	}
	q := result.Report.Quarantine
	m.unframed += q.Unframed
	return q.Records - q.Unframed, nil
}

// same tells whether what a task's stage calls a record, and where its pairs go, is what it was.
func (m *mender) same(ctx context.Context, t *compile.Task) bool {
	var before []compile.Component
	text, err := m.s.state.StageComponents(ctx, m.prior[t.Addr].Good.StageDigest)
	if err != nil || json.Unmarshal(text, &before) != nil {
		m.refused[t.Stage.Addr] = "settings"
		return false
	}
	was := map[string]string{}
	for _, c := range before {
		was[c.Name] = c.Value
	}
	changed := func(name string) bool {
		return !slices.ContainsFunc(sameRecords, func(free string) bool {
			return name == free || strings.HasSuffix(free, " ") && strings.HasPrefix(name, free)
		})
	}
	for _, c := range t.Stage.Components {
		value, known := was[c.Name]
		delete(was, c.Name)
		if (!known || value != c.Value) && changed(c.Name) {
			m.refused[t.Stage.Addr] = c.Name
		}
	}
	for name := range was {
		if changed(name) {
			m.refused[t.Stage.Addr] = name
		}
	}
	_, refused := m.refused[t.Stage.Addr]
	return !refused
}

// nothing says why there is nothing to do.
func (m *mender) nothing() error {
	for _, s := range m.g.Stages {
		if what, ok := m.refused[s.Addr]; ok {
			return fmt.Errorf("%s of %s changed since its results were made, so what was mapped cannot be taken over: tafc run maps all records again", what, s.Addr)
		}
	}
	if m.unframed > 0 {
		return &errNothingToMend{fmt.Sprintf("Of the quarantined records none is a record of its stage's format (%d are not), so no code can map them.", m.unframed)}
	}
	return &errNothingToMend{"No record is in quarantine."}
}

// retryQuarantined runs the quarantined records.
func (a *app) retryQuarantined(ctx context.Context, args []string, in *inputs) error {
	in.quarantined = true
	err := a.applyFile(ctx, args, in, true)
	var nothing *errNothingToMend
	if errors.As(err, &nothing) {
		fmt.Fprintln(a.streams.Out, nothing.why)
		return nil
	}
	return err
}
