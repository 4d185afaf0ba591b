package plan

import (
	"slices"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
)

// Explanation is the whole answer to why a task would run: its key's parts, then and now.
type Explanation struct {
	Address   string      `json:"address"`
	Action    Action      `json:"action"`
	Reasons   []string    `json:"reasons"`
	Details   []DocReason `json:"details,omitempty"`
	Key       string      `json:"key,omitempty"`
	PriorKey  string      `json:"prior_key,omitempty"`
	Settings  []Setting   `json:"settings"`  // of the stage
	Inputs    []InputDiff `json:"inputs"`    // only those that are not what they were
	Unchanged int         `json:"unchanged"` // inputs that are what they were
	// Dates are what the conditions of the task's filter that count from today are today.
	Dates []string `json:"dates,omitempty"`
}

// Setting is one component of a stage, then and now.
type Setting struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	Now    string `json:"now,omitempty"`
	Same   bool   `json:"same"`
}

// InputDiff is one input that changed: size and etag of a file, key and part of an upstream task.
type InputDiff struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	Now    string `json:"now,omitempty"`
}

// Explain explains the task with an address, or all tasks of a stage.
func (p *Plan) Explain(a addr.Task, prior Prior) []Explanation {
	var out []Explanation
	exact := slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Addr == a })
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Addr == a || !exact && a.Name == "" && c.Addr.Stage == a.Stage {
			e := explain(c, prior)
			e.Dates = p.dates(c.Task)
			out = append(out, e)
		}
	}
	return out
}

// dates are those of the filter that a task reads files of.
func (p *Plan) dates(t *compile.Task) []string {
	for _, s := range p.Graph.Sources {
		if t != nil && t.Files != nil && s.Filter == t.Stage.Filter {
			return s.Dates
		}
	}
	return nil
}

func explain(c *Change, prior Prior) Explanation {
	doc := c.document()
	before, known := prior.Tasks[c.Addr]
	e := Explanation{
		Address: doc.Address, Action: c.Action, Reasons: doc.Reasons, Details: doc.Details,
		Key: doc.Key, PriorKey: before.Key, Settings: []Setting{}, Inputs: []InputDiff{},
	}
	if c.Task == nil {
		return e
	}
	var was []compile.Component
	if known {
		was = prior.Components(before.StageDigest)
	}
	e.Settings = settings(was, c.Task.Stage.Components)
	if known {
		e.inputs(prior.Inputs(before.InputsDigest), c.Task.Inputs())
	}
	return e
}

func settings(before, now []compile.Component) []Setting {
	old := map[string]string{}
	for _, c := range before {
		old[c.Name] = c.Value
	}
	out := []Setting{}
	for _, c := range now {
		was, known := old[c.Name]
		out = append(out, Setting{Name: label(c.Name), Before: was, Now: c.Value, Same: known && was == c.Value || before == nil})
		delete(old, c.Name)
	}
	for _, c := range before {
		if was, gone := old[c.Name]; gone {
			out = append(out, Setting{Name: label(c.Name), Before: was})
		}
	}
	return out
}

func (e *Explanation) inputs(before, now []byte) {
	was := byKey(before)
	for _, line := range lines(now) {
		key, rest := cutKey(line)
		old := was[key]
		delete(was, key)
		if old == string(rest) {
			e.Unchanged++
			continue
		}
		e.Inputs = append(e.Inputs, InputDiff{Name: key, Before: old, Now: string(rest)})
	}
	for _, line := range lines(before) {
		if key, rest := cutKey(line); was[key] != "" {
			e.Inputs = append(e.Inputs, InputDiff{Name: key, Before: string(rest)})
		}
	}
}
