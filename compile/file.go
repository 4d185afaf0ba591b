package compile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// The form of a graph in plan files: tasks and stages refer to one another by position.
type (
	graphFile struct {
		Analysis string       `json:"analysis"`
		Sources  []Source     `json:"sources"`
		Stages   []stageFile  `json:"stages"`
		Tasks    []taskFile   `json:"tasks"`
		Outputs  []outputFile `json:"outputs"`
	}
	stageFile struct {
		Kind       lang.StageKind `json:"kind"`
		Name       string         `json:"name"`
		Filter     string         `json:"filter,omitempty"`
		Components []Component    `json:"components"`
		Bundle     string         `json:"bundle,omitempty"`
		Root       string         `json:"root,omitempty"`
		Spec       job.Spec       `json:"spec"`
		Secrets    []Secret       `json:"secrets,omitempty"`
		Cpus       int            `json:"cpus,omitempty"`
		Disk       int64          `json:"disk,omitempty"`
		Image      *Image         `json:"image,omitempty"`
		Retry      lang.Retry     `json:"retry"`
		Tolerate   lang.Tolerate  `json:"tolerate"`
		Partitions int            `json:"partitions"`
		Outputs    int            `json:"outputs"`
	}
	taskFile struct {
		Stage     int        `json:"stage"`
		Name      string     `json:"name,omitempty"`
		Role      job.Role   `json:"role"`
		Group     string     `json:"group,omitempty"`
		Path      string     `json:"path,omitempty"`
		Files     []job.File `json:"files,omitempty"`
		Upstream  [][3]int   `json:"upstream,omitempty"` // task, partition, of
		Partition int        `json:"partition,omitempty"`
		Outputs   int        `json:"outputs"`
		Bytes     int64      `json:"bytes,omitempty"`
		Key       string     `json:"key"`
	}
	outputFile struct {
		Name   string     `json:"name"`
		Stage  addr.Stage `json:"stage"`
		Format string     `json:"format"`
		Sort   string     `json:"sort,omitempty"`
		Top    int        `json:"top,omitempty"`
		To     string     `json:"to,omitempty"`
		Tasks  []int      `json:"tasks"`
	}
)

// WriteJSON writes the form of the graph in plan files, without the bundles: see Bundles. It holds the files of one task at a time.
func (g *Graph) WriteJSON(w io.Writer) error {
	out := jsonWriter{to: w}
	out.raw(`{"analysis":`).value(g.Analysis).raw(`,"sources":`).value(g.Sources).raw(`,"stages":[`)
	stages := map[*Stage]int{}
	for i, s := range g.Stages {
		stages[s] = i
		out.comma(i).value(s.file())
	}
	out.raw(`],"tasks":[`)
	tasks := make(map[*Task]int, len(g.Tasks))
	for i, t := range g.Tasks {
		tasks[t] = i
		tf := taskFile{
			Stage: stages[t.Stage], Name: t.Addr.Name, Role: t.Role, Group: t.Group, Path: t.Path, Files: t.Files.List(),
			Partition: t.Partition, Outputs: t.Outputs, Bytes: t.Bytes, Key: t.Key,
		}
		for _, u := range t.Upstream {
			tf.Upstream = append(tf.Upstream, [3]int{tasks[u.Task], u.Partition, u.Of})
		}
		out.comma(i).value(tf)
	}
	out.raw(`],"outputs":[`)
	for i, o := range g.Outputs {
		of := outputFile{Name: o.Name, Stage: o.Stage, Format: o.Format, Sort: o.Sort, Top: o.Top, To: o.To, Tasks: []int{}}
		for _, t := range o.Tasks {
			of.Tasks = append(of.Tasks, tasks[t])
		}
		out.comma(i).value(of)
	}
	out.raw(`]}`)
	return cmp.Or(g.Err(), out.err)
}

func (s *Stage) file() stageFile {
	f := stageFile{
		Kind: s.Kind, Name: s.Addr.Name, Filter: s.Filter, Components: s.Components, Root: s.Root, Spec: s.Spec,
		Retry: s.Retry, Tolerate: s.Tolerate, Partitions: s.Partitions, Outputs: s.Outputs,
		Secrets: s.Secrets, Cpus: s.Cpus, Disk: s.Disk, Image: s.Image,
	}
	if s.Bundle != nil {
		f.Bundle = s.Bundle.Digest()
	}
	return f
}

// jsonWriter writes a document piece by piece. After an error it does nothing more.
type jsonWriter struct {
	to  io.Writer
	err error
}

func (w *jsonWriter) raw(text string) *jsonWriter {
	if w.err == nil {
		_, w.err = io.WriteString(w.to, text)
	}
	return w
}

func (w *jsonWriter) comma(i int) *jsonWriter {
	if i > 0 {
		w.raw(",")
	}
	return w
}

func (w *jsonWriter) value(v any) *jsonWriter {
	text, err := json.Marshal(v)
	if w.err = cmp.Or(w.err, err); w.err == nil {
		_, w.err = w.to.Write(text)
	}
	return w
}

// Bundles are the bundles of all stages by digest.
func (g *Graph) Bundles() map[string]*bundle.Bundle {
	m := map[string]*bundle.Bundle{}
	for _, s := range g.Stages {
		if s.Bundle != nil {
			m[s.Bundle.Digest()] = s.Bundle
		}
	}
	return m
}

// ReadGraph is the inverse of WriteJSON. Every task's key is computed again: a text that was changed is an error.
func ReadGraph(text []byte, bundles map[string]*bundle.Bundle) (*Graph, error) {
	var f graphFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("read graph: %w", err)
	}
	g := &Graph{Analysis: f.Analysis, Sources: f.Sources}
	for _, sf := range f.Stages {
		s, err := sf.stage(bundles)
		if err != nil {
			return nil, err
		}
		g.Stages = append(g.Stages, s)
	}
	for i, tf := range f.Tasks {
		t, err := tf.task(g)
		if err != nil {
			return nil, fmt.Errorf("read graph: task %d: %w", i, err)
		}
		g.Tasks = append(g.Tasks, t)
	}
	for _, of := range f.Outputs {
		o := Output{Name: of.Name, Stage: of.Stage, Format: of.Format, Sort: of.Sort, Top: of.Top, To: of.To}
		for _, i := range of.Tasks {
			if i < 0 || i >= len(g.Tasks) {
				return nil, fmt.Errorf("read graph: output %s names a task that is not there", of.Name)
			}
			o.Tasks = append(o.Tasks, g.Tasks[i])
		}
		g.Outputs = append(g.Outputs, o)
	}
	return g, nil
}

func (f *stageFile) stage(bundles map[string]*bundle.Bundle) (*Stage, error) {
	s := &Stage{
		Addr: addr.Stage{Kind: string(f.Kind), Name: f.Name}, Kind: f.Kind, Filter: f.Filter, Components: f.Components, Root: f.Root, Spec: f.Spec,
		Retry: f.Retry, Tolerate: f.Tolerate, Partitions: f.Partitions, Outputs: f.Outputs,
		Secrets: f.Secrets, Cpus: f.Cpus, Disk: f.Disk, Image: f.Image,
	}
	s.Digest = digestComponents(s.Components)
	if f.Bundle != "" {
		if s.Bundle = bundles[f.Bundle]; s.Bundle == nil || s.Bundle.Digest() != f.Bundle {
			return nil, fmt.Errorf("read graph: the code of %s is missing or damaged", s.Addr)
		}
	}
	return s, nil
}

func (f *taskFile) task(g *Graph) (*Task, error) {
	if f.Stage < 0 || f.Stage >= len(g.Stages) {
		return nil, fmt.Errorf("stage %d is not there", f.Stage)
	}
	s := g.Stages[f.Stage]
	t := &Task{
		Addr: addr.Task{Stage: s.Addr, Name: f.Name}, Stage: s, Role: f.Role, Group: f.Group, Path: f.Path,
		Partition: f.Partition, Outputs: f.Outputs, Bytes: f.Bytes,
	}
	if f.Files != nil {
		t.Files = savedFiles(f.Files)
	}
	for _, u := range f.Upstream {
		if u[0] < 0 || u[0] >= len(g.Tasks) || u[2] < 1 {
			return nil, fmt.Errorf("upstream %v is not there", u)
		}
		t.Upstream = append(t.Upstream, Upstream{Task: g.Tasks[u[0]], Partition: u[1], Of: u[2]})
	}
	if t.seal(); t.Key != f.Key {
		return nil, fmt.Errorf("the key of %s is not the one of its parts", t.Addr)
	}
	return t, nil
}
