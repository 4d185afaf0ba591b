package compile

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/redact"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// Input is all that Compile works on.
type Input struct {
	Analysis   *lang.Analysis
	Selections map[string]*index.Selection // by filter
	Batches    map[addr.Stage]*Batched     // of stages that read files; made of the selection where they are missing
	Code       map[addr.Stage]*StageCode   // by stage; none for a stage with a command
	Images     map[string]*Image           // by name of the block; those that are missing are as the analysis names them
	MaxFanIn   int                         // what the engine allows; 0: any
}

// StageCode is the code of a stage and how it is called.
type StageCode struct {
	Bundle   *bundle.Bundle
	Contract string
	Function string
	Combine  bool // the code has a combine
}

// maxPartitions bounds the result files of a task, which are open at the same time.
const maxPartitions = 4096

type compiler struct {
	in     Input
	graph  *Graph
	final  map[addr.Stage][]*Task // the tasks that hold the result of a stage
	stages map[addr.Stage]*Stage
	diags  hcl.Diagnostics
}

// Compile makes the graph of an analysis. It returns nil when there are errors.
func Compile(in Input) (*Graph, hcl.Diagnostics) {
	c := &compiler{
		in:     in,
		graph:  &Graph{Analysis: in.Analysis.Name},
		final:  map[addr.Stage][]*Task{},
		stages: map[addr.Stage]*Stage{},
	}
	c.sources()
	outputs := c.outputPartitions()
	if c.diags.HasErrors() {
		return nil, c.diags
	}
	for _, s := range in.Analysis.Stages {
		c.stage(s, outputs[s.Addr()])
	}
	for _, o := range in.Analysis.Outputs {
		c.graph.Outputs = append(c.graph.Outputs, Output{
			Name: o.Name, Stage: o.Value, Format: o.Format, Sort: o.Sort, Top: o.Top, To: o.To, Tasks: c.final[o.Value],
		})
	}
	return c.graph, c.diags
}

func (c *compiler) sources() {
	for _, f := range c.in.Analysis.Filters {
		sel, ok := c.in.Selections[f.Name]
		if !ok {
			continue
		}
		s := Source{
			Filter: f.Name, Index: f.Index, Source: sel.Source, Revision: sel.Revision,
			Total: sel.Total, Matched: sel.Files.Len(), Bytes: sel.Bytes, Unparsed: sel.Unparsed, Sample: sel.UnparsedSample,
			Unlisted: sel.Unlisted, Live: sel.Live,
		}
		for _, ix := range c.in.Analysis.Indexes {
			if ix.Name == f.Index {
				s.Spec, s.Table, s.Columns = redact.URLs(absolute(ix.Source, c.in.Analysis.Dir)), ix.Table, ix.Columns
				if ix.S3 != (lang.S3{}) {
					s.S3 = &ix.S3
				}
			}
		}
		if sel.Layout != nil {
			s.Layout = sel.Layout.String()
		}
		for _, t := range slices.Concat(f.Where, f.Exclude) {
			if t.Condition.Today {
				s.Dates = append(s.Dates, t.Meaning())
			}
		}
		for _, step := range sel.Funnel {
			s.Funnel = append(s.Funnel, Step(step))
		}
		c.graph.Sources = append(c.graph.Sources, s)
	}
}

// absolute is a source with an absolute path, if it is one.
func absolute(source, dir string) string {
	scheme, path, ok := strings.Cut(source, ":")
	if !ok || filepath.IsAbs(path) || strings.HasPrefix(path, "//") || strings.Contains(path, "://") {
		return source
	}
	abs, err := filepath.Abs(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return source
	}
	return scheme + ":" + abs
}

// outputPartitions says how many partitions the results of each stage have: the least common multiple of what its consumers
// ask for, so that each consumer's partition is a set of whole result files.
func (c *compiler) outputPartitions() map[addr.Stage]int {
	out := map[addr.Stage]int{}
	for _, s := range c.in.Analysis.Stages {
		out[s.Addr()] = 1
	}
	for _, s := range c.in.Analysis.Stages {
		if s.Kind != lang.Reduce {
			continue
		}
		for _, in := range s.Input.Stages() {
			n := lcm(out[in], s.Partitions)
			if n > maxPartitions {
				c.diags = append(c.diags, diag.Error("compile/too-many-partitions", "Too many partitions",
					fmt.Sprintf("The reduces over %s need its results in %d partitions, so that each gets whole files; %d is the most. "+
						"Give these reduces the same number of partitions, or multiples of one another.", in, n, maxPartitions),
					s.Range("partitions")))
				continue
			}
			out[in] = n
		}
	}
	return out
}

func lcm(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

func (c *compiler) stage(s *lang.Stage, outputs int) {
	sel := c.in.Selections[s.Input.Filter]
	stage := c.newStage(s, sel, outputs)
	c.graph.Stages = append(c.graph.Stages, stage)
	c.stages[s.Addr()] = stage
	switch {
	case s.Kind == lang.Reduce:
		c.reduce(s, stage)
	case s.Input.Filter != "":
		c.mapFiles(s, stage, sel)
	default:
		c.mapResults(s, stage)
	}
}

// mapFiles makes a task for each batch of files.
func (c *compiler) mapFiles(s *lang.Stage, stage *Stage, sel *index.Selection) {
	batched := c.in.Batches[stage.Addr]
	if batched == nil {
		batched = batchTable(sel.Files, groupBy(s, sel.Layout), s.Batch)
	}
	c.graph.Tasks = slices.Grow(c.graph.Tasks, len(batched.batches))
	for i := range batched.batches {
		b := &batched.batches[i]
		t := &Task{
			Addr: addr.Task{Stage: stage.Addr, Name: b.Name()}, Stage: stage, Role: job.RoleMap,
			Group: b.Group, Path: b.Path, Outputs: stage.Outputs, Bytes: b.Bytes,
			Files: &Files{count: b.Count, digest: b.Digest, batched: batched, batch: i},
		}
		c.add(t)
	}
}

// mapResults makes a task for each task of the stage that it reads.
func (c *compiler) mapResults(s *lang.Stage, stage *Stage) {
	for _, up := range c.final[s.Input.Stage] {
		c.add(&Task{
			Addr: addr.Task{Stage: stage.Addr, Name: up.Addr.Name}, Stage: stage, Role: job.RoleMap,
			Group: up.Group, Path: up.Path, Outputs: stage.Outputs, Upstream: []Upstream{{Task: up, Of: 1}},
		})
	}
}

// reduce makes a tree for each partition.
func (c *compiler) reduce(s *lang.Stage, stage *Stage) {
	role := job.RoleGather
	if code := c.in.Code[s.Addr()]; code != nil && code.Combine || s.Operation != nil {
		role = job.RoleCombine
	}
	var leaves []leaf
	for _, in := range s.Input.Stages() {
		leaves = append(leaves, treeLeaves(c.final[in], prefixOf(s, in))...)
	}
	sortLeaves(leaves)
	for q := range s.Partitions {
		prefix, name := "", ""
		if s.Partitions > 1 {
			name = strconv.Itoa(q)
			prefix = name + "/"
		}
		isLeaf := map[*Task]bool{}
		for _, l := range leaves {
			isLeaf[l.task] = true
		}
		// The results of inner nodes hold one partition already.
		upstream := func(tasks []*Task) []Upstream {
			ups := make([]Upstream, len(tasks))
			for i, t := range tasks {
				ups[i] = Upstream{Task: t, Of: 1}
				if isLeaf[t] {
					ups[i] = Upstream{Task: t, Partition: q, Of: s.Partitions}
				}
			}
			return ups
		}
		b := treeBuilder{fanIn: c.fanIn(s), inner: func(name string, inputs []*Task) *Task {
			return c.add(&Task{
				Addr:  addr.Task{Stage: stage.Addr, Name: prefix + string(role) + "/" + name},
				Stage: stage, Role: role, Partition: q, Outputs: 1, Upstream: upstream(inputs),
			})
		}}
		root := b.inputs(leaves, 0)
		c.add(&Task{
			Addr: addr.Task{Stage: stage.Addr, Name: name}, Stage: stage, Role: job.RoleReduce,
			Partition: q, Outputs: stage.Outputs, Upstream: upstream(root),
		})
	}
}

// prefixOf keeps the batches of several stages apart in the tree of a reduce over all of them.
func prefixOf(s *lang.Stage, in addr.Stage) string {
	if s.Input.Several == nil {
		return ""
	}
	_, key := addr.Base(in.Name)
	return url.PathEscape(key) + "/"
}

func (c *compiler) fanIn(s *lang.Stage) int {
	if c.in.MaxFanIn > 0 {
		return min(s.FanIn, c.in.MaxFanIn)
	}
	return s.FanIn
}

func (c *compiler) add(t *Task) *Task {
	t.seal()
	c.graph.Tasks = append(c.graph.Tasks, t)
	if t.Final() {
		c.final[t.Stage.Addr] = append(c.final[t.Stage.Addr], t)
	}
	return t
}

// groupBy are the dimensions that batches never mix.
func groupBy(s *lang.Stage, layout *index.Layout) []int {
	if layout == nil {
		return nil
	}
	names := layout.Dimensions()
	if s.Batch.GroupBy == nil {
		if date := slices.Index(names, layout.DateDimension()); date >= 0 {
			return []int{date}
		}
		return nil
	}
	var dims []int
	for _, name := range s.Batch.GroupBy {
		if d := slices.Index(names, name); d >= 0 {
			dims = append(dims, d)
		}
	}
	return dims
}
