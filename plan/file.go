package plan

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
)

// fileVersion is the format of plan files. Another version is refused.
const fileVersion = "tafc-plan/1"

// maxEntry bounds what one entry of a plan file may unpack to, in bytes.
const maxEntry = 4 << 30

type planFile struct {
	Format    string          `json:"format"`
	Analysis  string          `json:"analysis"`
	Engine    string          `json:"engine"`
	Home      string          `json:"home"`
	State     string          `json:"state"`
	Workers   int             `json:"workers,omitempty"`
	Container string          `json:"container,omitempty"`
	Settings  json.RawMessage `json:"settings,omitempty"`
	Targets   []addr.Task     `json:"targets,omitempty"`
	Fence     Fence           `json:"fence"`
	Changes   []fileChange    `json:"changes"`
}

type fileChange struct {
	Addr    addr.Task `json:"address"`
	Action  Action    `json:"action"`
	Again   bool      `json:"again,omitempty"`
	Adopted bool      `json:"adopted,omitempty"`
	Idle    bool      `json:"idle,omitempty"`
	Origin  string    `json:"origin,omitempty"`
	Reasons []Reason  `json:"reasons,omitempty"`
}

// Write saves a plan: a zip archive with the plan, its graph and the code, which is all that apply needs. The same plan
// always gives the same bytes.
func (p *Plan) Write(w io.Writer) error {
	f := planFile{Format: fileVersion, Analysis: p.Analysis, Engine: p.Engine, Home: p.Home, State: p.State, Workers: p.Workers, Container: p.Container, Settings: p.Settings, Targets: p.Targets, Fence: p.Fence}
	for _, c := range p.Changes {
		f.Changes = append(f.Changes, fileChange{
			Addr: c.Addr, Action: c.Action, Again: c.Again, Adopted: c.Adopted, Idle: c.Idle, Origin: c.Origin, Reasons: c.Reasons,
		})
	}
	z := zip.NewWriter(w)
	if err := writeEntry(z, "plan.json", f); err != nil {
		return err
	}
	graph, err := z.Create("graph.json")
	if err == nil {
		err = p.Graph.WriteJSON(graph)
	}
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	bundles := p.Graph.Bundles()
	for _, digest := range slices.Sorted(maps.Keys(bundles)) {
		if err := writeEntry(z, "bundles/"+digest+".json", bundles[digest]); err != nil {
			return err
		}
	}
	return z.Close()
}

func writeEntry(z *zip.Writer, name string, v any) error {
	w, err := z.Create(name)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write plan: %s: %w", name, err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// IsFile tells whether data begins like a saved plan.
func IsFile(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// Read is the inverse of Write. Anything that is not a whole, unchanged plan is an error.
func Read(data []byte) (*Plan, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("this is not a plan that tafc plan -out wrote, or it is cut off: %w", err)
	}
	var f planFile
	if err := readEntry(z, "plan.json", &f); err != nil {
		return nil, err
	}
	if f.Format != fileVersion {
		return nil, fmt.Errorf("the plan has format %q, and this tafc reads %q: make it again with tafc plan -out", f.Format, fileVersion)
	}
	bundles := map[string]*bundle.Bundle{}
	for _, e := range z.File {
		digest, ok := strings.CutPrefix(e.Name, "bundles/")
		if !ok {
			continue
		}
		b := new(bundle.Bundle)
		if err := readEntry(z, e.Name, b); err != nil {
			return nil, err
		}
		bundles[strings.TrimSuffix(digest, ".json")] = b
	}
	var text json.RawMessage
	if err := readEntry(z, "graph.json", &text); err != nil {
		return nil, err
	}
	g, err := compile.ReadGraph(text, bundles)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return f.plan(g)
}

func readEntry(z *zip.Reader, name string, v any) error {
	r, err := z.Open(name)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxEntry))
	if err != nil {
		return fmt.Errorf("read plan: %s: %w", name, err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read plan: %s: %w", name, err)
	}
	return nil
}

func (f *planFile) plan(g *compile.Graph) (*Plan, error) {
	p := &Plan{Analysis: f.Analysis, Engine: f.Engine, Home: f.Home, State: f.State, Workers: f.Workers, Container: f.Container, Settings: f.Settings, Graph: g, Targets: f.Targets, Fence: f.Fence}
	tasks := make(map[addr.Task]*compile.Task, len(g.Tasks))
	for _, t := range g.Tasks {
		tasks[t.Addr] = t
	}
	for _, c := range f.Changes {
		t := tasks[c.Addr]
		switch {
		case c.Action != Run && c.Action != Reuse && c.Action != Drop:
			return nil, fmt.Errorf("read plan: %q is not an action", c.Action)
		case t == nil && c.Action != Drop:
			return nil, fmt.Errorf("read plan: %s is not in the graph", c.Addr)
		}
		p.add(Change{
			Addr: c.Addr, Action: c.Action, Again: c.Again, Adopted: c.Adopted, Idle: c.Idle, Origin: c.Origin, Task: t, Reasons: c.Reasons,
		})
	}
	return p, nil
}
