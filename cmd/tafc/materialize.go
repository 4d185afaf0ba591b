package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/parquet"
	"github.com/tafc/tafc/state"
)

// outputs writes every output of a plan whose results are there, and says what each stands for. After a run (which is nil when
// nothing had to be run) with tolerated failures, an output may lack the results of tasks that failed: then it stands for less.
// whole tells whether no output had to be left out.
func (s *session) outputs(ctx context.Context, p *plan.Plan, run *engine.Outcome) (made []view.Output, whole bool, err error) {
	planned := map[*compile.Task]bool{}
	for _, c := range p.Changes {
		planned[c.Task] = c.Task != nil
	}
	whole = true
	for _, o := range p.Graph.Outputs {
		if !allPlanned(o.Tasks, planned) {
			continue // outside the targets
		}
		there, lost, err := s.split(ctx, o.Tasks, run)
		if err != nil {
			return nil, false, err
		}
		if len(lost) > 0 && (run == nil || !run.Tolerated || len(there) == 0) {
			whole = false
			continue
		}
		out, err := s.output(ctx, p, o, there, lost)
		if err != nil {
			return nil, false, fmt.Errorf("output %s: %w", o.Name, err)
		}
		made = append(made, out)
	}
	return made, whole, nil
}

func allPlanned(tasks []*compile.Task, planned map[*compile.Task]bool) bool {
	for _, t := range tasks {
		if !planned[t] {
			return false
		}
	}
	return true
}

// split tells the tasks that have a result from those that have none, or only one that this run could not better.
func (s *session) split(ctx context.Context, tasks []*compile.Task, run *engine.Outcome) (there, lost []*compile.Task, err error) {
	keys := make([]string, len(tasks))
	for i, t := range tasks {
		keys[i] = t.Key
	}
	found, err := s.available(ctx, keys)
	for _, t := range tasks {
		ok := found[t.Key]
		if run != nil && (run.States[t.Addr] == engine.Failed || run.States[t.Addr] == engine.Cancelled) {
			ok = false
		}
		if ok {
			there = append(there, t)
		} else {
			lost = append(lost, t)
		}
	}
	return there, lost, err
}

// lostBy is what the missing result of a task would have stood for.
func lostBy(t *compile.Task) job.Ledger {
	var l job.Ledger
	for _, f := range t.Files.List() {
		l.Files.Planned++
		l.Files.Losses = append(l.Files.Losses, job.FailedFile{Key: f.Key, Message: t.Addr.String() + " failed"})
	}
	for i, u := range t.Upstream {
		l.Cover(lostBy(u.Task), i > 0 && u.Task.Role == job.RoleReduce)
	}
	l.Files.Done, l.Files.Failed = 0, l.Files.Planned
	return l
}

func (s *session) output(ctx context.Context, p *plan.Plan, o compile.Output, there, lost []*compile.Task) (view.Output, error) {
	keys := make([]string, len(there))
	for i, t := range there {
		keys[i] = t.Key
	}
	r, err := s.readResult(ctx, keys)
	if err != nil {
		return view.Output{}, err
	}
	r.order = orderOf(o.Sort, o.Top)
	for _, t := range lost {
		r.partial = true
		r.covers.Cover(lostBy(t), t.Role == job.RoleReduce)
	}
	out := view.Output{
		Name: o.Name, Format: o.Format, Covers: r.covers, Partial: r.partial, Pairs: r.pairs, Quarantine: r.quarantine,
		MinCoverage: minCoverage(p.Graph, o), NoValue: r.noValue,
	}
	if o.Top > 0 {
		out.Pairs = min(out.Pairs, int64(o.Top))
	}
	if out.BelowCoverage() {
		return out, nil
	}
	head := &headWriter{lines: view.PreviewLines}
	if strings.HasPrefix(o.To, "s3://") {
		out.Path = o.To
	} else if o.To != "" {
		if out.Path = o.To; !filepath.IsAbs(o.To) {
			out.Path = filepath.Join(s.outputDir, o.To)
		}
	}
	switch {
	case o.To == "":
		head.stop = true
		err = s.write(ctx, head, readable(o.Format), r)
	case o.Format == formatParquet:
		if out.Unchanged, err = s.writeTo(ctx, out.Path, o.Format, r, io.Discard); err == nil {
			head.stop = true
			err = s.write(ctx, head, readable(o.Format), r)
		}
		out.Path = fromHere(out.Path)
	default:
		out.Unchanged, err = s.writeTo(ctx, out.Path, o.Format, r, head)
		out.Path = fromHere(out.Path)
	}
	if err != nil && !errors.Is(err, errHead) {
		return out, err
	}
	out.Preview = string(head.buf)
	return out, nil
}

// formatParquet is the format that people cannot read.
const formatParquet = "parquet"

// readable is the format in which the beginning of an output is shown.
func readable(format string) string {
	if format == formatParquet {
		return "text"
	}
	return format
}

// orderOf is the order of an output: its sort, such as -value, and its top.
func orderOf(sort string, top int) pairs.Order {
	by, descending := strings.CutPrefix(sort, "-")
	return pairs.Order{By: by, Descending: descending, Top: top}
}

// fromHere is a path as people would write it: relative when it is below the working directory.
func fromHere(path string) string {
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func minCoverage(g *compile.Graph, o compile.Output) float64 {
	for _, s := range g.Stages {
		if s.Addr == o.Stage {
			return s.Tolerate.MinCoverage
		}
	}
	return 0
}

// result is the pairs of a stage with what they stand for.
type result struct {
	form       job.Form
	order      pairs.Order
	parts      []job.Part
	covers     job.Ledger
	pairs      int64
	partial    bool
	quarantine []*job.Quarantine
	noValue    int64
}

// noValueCounter counts the keys for which a reduce returned nothing.
const noValueCounter = "taf.no_value"

// readResult gathers the results of the tasks of one stage.
func (s *session) readResult(ctx context.Context, keys []string) (*result, error) {
	out := &result{form: job.FormPairs}
	for i, key := range keys {
		r, err := s.result(ctx, key)
		if err != nil {
			return nil, err
		}
		out.add(r, i == 0)
	}
	return out, nil
}

func (out *result) add(r state.Result, first bool) {
	rep := &r.Report
	out.form = rep.Form
	out.parts = append(out.parts, rep.Parts...)
	out.partial = out.partial || rep.Partial
	out.noValue += rep.Counters[noValueCounter]
	for _, p := range rep.Parts {
		out.pairs += p.Pairs
	}
	if q := rep.Quarantine; q != nil {
		out.quarantine = append(out.quarantine, q)
	}
	out.covers.Cover(rep.Covers, rep.Whole && !first)
}

// writeTo writes a result to a file or an object of a bucket; copyTo sees the text as well. Unchanged: the object was there already.
func (s *session) writeTo(ctx context.Context, to, format string, r *result, copyTo io.Writer) (unchanged bool, err error) {
	if !strings.HasPrefix(to, "s3://") {
		return false, s.writeFile(ctx, to, format, r, copyTo)
	}
	return s.writeObject(ctx, to, format, r, copyTo)
}

// writeFile writes a result atomically; copyTo sees the text as well.
func (s *session) writeFile(ctx context.Context, path, format string, r *result, copyTo io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		return s.write(ctx, io.MultiWriter(w, copyTo), format, r)
	})
}

// write merges the parts of a result into one sorted text. A part that is damaged is removed from the state.
func (s *session) write(ctx context.Context, w io.Writer, format string, r *result) error {
	err := s.merge(ctx, w, format, r)
	var damaged *pairs.PartError
	if !errors.As(err, &damaged) {
		return err
	}
	for _, p := range r.parts {
		if p.Path == damaged.Path && s.state.DropDamaged(p) {
			return fmt.Errorf("%w; it was changed after it had been written, and is removed: the next apply makes it again", err)
		}
	}
	return err
}

func (s *session) merge(ctx context.Context, w io.Writer, format string, r *result) error {
	tmp, err := os.MkdirTemp(s.state.Dir(), "merge-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	open := func() (pairs.SourceCloser, error) { return r.open(ctx, tmp) }
	if format == formatParquet {
		return parquet.Write(w, r.form, open)
	}
	m, err := open()
	if err != nil {
		return err
	}
	defer m.Close()
	switch format {
	case "csv":
		return pairs.WriteCSV(w, r.form, m)
	case "jsonl":
		return pairs.WriteJSONL(w, r.form, m)
	case "json":
		return pairs.WriteJSON(w, r.form, m)
	}
	return pairs.WriteText(w, r.form, m)
}

// open merges the parts of a result and puts them in their order.
func (r *result) open(ctx context.Context, tmp string) (pairs.SourceCloser, error) {
	inputs := make([]pairs.Input, len(r.parts))
	for i, p := range r.parts {
		inputs[i] = pairs.Part(p)
	}
	m, err := pairs.Merge(ctx, inputs, tmp, 0)
	if err != nil {
		return nil, err
	}
	arranged, err := pairs.Arrange(ctx, m, r.form, r.order, tmp)
	if err != nil {
		m.Close()
		return nil, err
	}
	return &opened{SourceCloser: arranged, merged: m}, nil
}

// opened is a result in its order, with what it reads.
type opened struct {
	pairs.SourceCloser
	merged *pairs.Merger
}

func (o *opened) Close() {
	o.SourceCloser.Close()
	o.merged.Close()
}

// errHead stops a writer that has seen enough.
var errHead = errors.New("enough")

// headWriter keeps the first lines of a text. What comes after them is an error with stop, and else ignored.
type headWriter struct {
	lines int
	stop  bool
	buf   []byte
}

// headBytes bounds what is kept of very long lines.
const headBytes = 64 << 10

func (h *headWriter) Write(b []byte) (int, error) {
	for i, c := range b {
		if h.lines <= 0 || len(h.buf) >= headBytes {
			if h.stop {
				return i, errHead
			}
			break
		}
		h.buf = append(h.buf, c)
		if c == '\n' {
			h.lines--
		}
	}
	return len(b), nil
}
