package plan

import (
	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
)

// Document is the JSON form of a plan (docs/json.md). Fields may be added, never changed.
type Document struct {
	FormatVersion string            `json:"format_version"`
	Analysis      string            `json:"analysis"`
	Engine        string            `json:"engine"`
	Index         DocIndex          `json:"index"`   // the first of Filters, for analyses that have only one
	Filters       []DocIndex        `json:"filters"` // in the order of the file
	Summary       Summary           `json:"summary"`
	Stages        []DocStage        `json:"stages"`
	Tasks         []DocTask         `json:"tasks"`
	Diagnostics   []diag.Diagnostic `json:"diagnostics"`
}

// DocIndex is what a filter selects of an index.
type DocIndex struct {
	Filter       string         `json:"filter,omitempty"`
	Index        string         `json:"index,omitempty"`
	Source       string         `json:"source"`
	Revision     string         `json:"revision"`
	Layout       string         `json:"layout,omitempty"`
	FilesTotal   int            `json:"files_total"`
	FilesMatched int            `json:"files_matched"`
	BytesMatched int64          `json:"bytes_matched"`
	UnparsedKeys int            `json:"unparsed_keys"`
	Unparsed     []string       `json:"unparsed_sample,omitempty"`
	Funnel       []compile.Step `json:"funnel"`
	Unlisted     int            `json:"unlisted_prefixes,omitempty"`
	Dates        []string       `json:"dates,omitempty"` // what the conditions that count from today are today
}

// DocStage sums up the tasks of a stage.
type DocStage struct {
	Address string         `json:"address"`
	Kind    string         `json:"kind"`
	Tasks   int            `json:"tasks"`
	Run     int            `json:"run"`
	Reuse   int            `json:"reuse"`
	Drop    int            `json:"drop"`
	Files   int            `json:"files"`
	Bytes   int64          `json:"bytes"`
	Reasons map[string]int `json:"reasons"` // how many tasks have each reason
}

// DocTask is one change.
type DocTask struct {
	Address string      `json:"address"`
	Action  Action      `json:"action"`
	Reasons []string    `json:"reasons"`
	Details []DocReason `json:"details,omitempty"`
	Key     string      `json:"key,omitempty"`
	Files   int         `json:"files"`
	Bytes   int64       `json:"bytes"`
	Origin  string      `json:"origin,omitempty"` // of a reuse: who made the result, when others did
}

// DocReason is a reason with what it is about.
type DocReason struct {
	Reason string `json:"reason"`
	About  string `json:"about"`
}

// Document makes the JSON form. diagnostics are those of compiling.
func (p *Plan) Document(diagnostics []diag.Diagnostic) *Document {
	d := &Document{
		FormatVersion: "1", Analysis: p.Analysis, Engine: p.Engine, Summary: p.Summary,
		Filters: []DocIndex{}, Stages: []DocStage{}, Tasks: []DocTask{}, Diagnostics: diagnostics,
	}
	if d.Diagnostics == nil {
		d.Diagnostics = []diag.Diagnostic{}
	}
	for _, s := range p.Graph.Sources {
		d.Filters = append(d.Filters, docIndex(s))
	}
	if len(d.Filters) > 0 {
		d.Index = d.Filters[0]
	}
	for _, s := range p.Stages() {
		d.Stages = append(d.Stages, s.document())
	}
	for _, c := range p.Changes {
		d.Tasks = append(d.Tasks, c.document())
	}
	return d
}

func docIndex(s compile.Source) DocIndex {
	d := DocIndex{
		Filter: s.Filter, Index: s.Index, Source: s.Source, Revision: s.Revision, Layout: s.Layout,
		FilesTotal: s.Total, FilesMatched: s.Matched, BytesMatched: s.Bytes, UnparsedKeys: s.Unparsed,
		Unparsed: s.Sample, Funnel: s.Funnel, Unlisted: s.Unlisted, Dates: s.Dates,
	}
	if d.Funnel == nil {
		d.Funnel = []compile.Step{}
	}
	return d
}

func (c *Change) document() DocTask {
	d := DocTask{Address: c.Addr.String(), Action: c.Action, Reasons: c.ReasonCodes(), Origin: c.Origin}
	for _, r := range c.Reasons {
		if r.Detail != "" {
			d.Details = append(d.Details, DocReason{Reason: r.Code, About: r.Detail})
		}
	}
	if c.Task != nil {
		d.Key, d.Files, d.Bytes = c.Task.Key, c.Task.Files.Len(), c.Task.Bytes
	}
	return d
}

// ReasonCodes are the codes of the reasons, each once, in order.
func (c *Change) ReasonCodes() []string {
	codes := []string{}
	seen := map[string]bool{}
	for _, r := range c.Reasons {
		if !seen[r.Code] {
			seen[r.Code] = true
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// StageChanges are the changes of one stage.
type StageChanges struct {
	Addr    addr.Stage
	Changes []Change // in the plan's order
	Run     int
	Reuse   int
	Drop    int
	Files   int
	Bytes   int64
}

// Stages groups the changes: the stages of the graph in its order, then those that are gone.
func (p *Plan) Stages() []*StageChanges {
	byAddr := map[addr.Stage]*StageChanges{}
	var order []*StageChanges
	get := func(a addr.Stage) *StageChanges {
		if byAddr[a] == nil {
			byAddr[a] = &StageChanges{Addr: a}
			order = append(order, byAddr[a])
		}
		return byAddr[a]
	}
	if len(p.Targets) == 0 {
		for _, s := range p.Graph.Stages {
			get(s.Addr)
		}
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		s := get(c.Addr.Stage)
		switch c.Action {
		case Run:
			s.Run++
		case Reuse:
			s.Reuse++
		case Drop:
			s.Drop++
		}
		if c.Task != nil {
			s.Files += c.Task.Files.Len()
			s.Bytes += c.Task.Bytes
		}
	}
	for _, s := range order {
		s.Changes = make([]Change, 0, s.Run+s.Reuse+s.Drop)
	}
	for i := range p.Changes {
		s := byAddr[p.Changes[i].Addr.Stage]
		s.Changes = append(s.Changes, p.Changes[i])
	}
	return order
}

func (s *StageChanges) document() DocStage {
	d := DocStage{
		Address: s.Addr.String(), Kind: s.Addr.Kind, Tasks: s.Run + s.Reuse, Run: s.Run, Reuse: s.Reuse, Drop: s.Drop,
		Files: s.Files, Bytes: s.Bytes, Reasons: map[string]int{},
	}
	for _, c := range s.Changes {
		for _, code := range c.ReasonCodes() {
			d.Reasons[code]++
		}
	}
	return d
}
