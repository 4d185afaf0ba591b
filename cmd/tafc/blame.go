package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/state"
)

func (a *app) blameVerb() *cobra.Command {
	var in inputs
	var most int
	var asJSON bool
	c := &cobra.Command{
		Use:   "blame STAGE KEY [FILE]",
		Short: "List the files that contributed most to a key of a result",
		Long: "STAGE is a stage such as reduce.total, KEY one of its keys: JSON, or text. The results of the maps below the stage tell which of their tasks hold the key; only these run again, " +
			"a file at a time and apart from the state, to tell their files apart.",
		Example: "  tafc blame reduce.total WINNT\n  tafc blame -n 3 reduce.total '[\"WINNT\",\"29.0\"]' os-count.taf.hcl",
		Args:    positional(2, 3),
		RunE: func(c *cobra.Command, args []string) error {
			if most < 1 {
				return usageError("-n takes a number from 1")
			}
			file, err := findFile(args, 2)
			if err != nil {
				return err
			}
			s, p, err := a.plan(c.Context(), file, &in)
			if s != nil {
				defer s.close()
			}
			if err != nil {
				return err
			}
			if err := a.report(s.diags, s.sources); err != nil {
				return err
			}
			b, err := s.blame(c.Context(), p, args[0], args[1])
			if err != nil {
				return err
			}
			b.Files = b.Files[:min(most, len(b.Files))]
			if asJSON {
				return printJSON(a.streams.Out, b)
			}
			view.Blame(a.streams.Out, b, a.streams.OutStyle())
			return nil
		},
	}
	c.ValidArgsFunction = a.completeAddress(&in)
	in.planFlags(c.Flags())
	c.Flags().IntVarP(&most, "n", "n", 10, "at most N files")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON (docs/json.md)")
	return c
}

// held is what a result has of a key: how many values, and their sum when all are numbers.
type held struct {
	values int64
	sum    *big.Rat // nil: not all are numbers
}

// blame finds which files stand behind a key of a stage's result.
func (s *session) blame(ctx context.Context, p *plan.Plan, stage, key string) (*view.BlameReport, error) {
	maps, err := s.mapsBelow(p, stage)
	if err != nil {
		return nil, err
	}
	out := &view.BlameReport{FormatVersion: "1", Analysis: p.Analysis, Stage: stage}
	// What is written like JSON is meant as JSON, unless only a text like it is there.
	readings := [][]byte{fmt.Appendf(nil, "%q", key)}
	if text, err := json.Marshal(key); err == nil {
		readings[0] = text
	}
	if json.Valid([]byte(key)) {
		readings = slices.Insert(readings, 0, []byte(key))
	}
	for _, reading := range readings {
		encoded, err := pairs.AppendKey(nil, reading)
		if err != nil {
			return nil, usageError("%w", err)
		}
		if out.Key, err = pairs.AppendJSON(nil, encoded); err != nil {
			return nil, err
		}
		out.Tasks, out.Files = view.BlameTasks{All: len(maps)}, []view.Blamed{}
		for _, task := range maps {
			if err := s.blameTask(ctx, p, task, encoded, out); err != nil {
				return nil, err
			}
		}
		if out.Tasks.Holding > 0 {
			break
		}
	}
	if out.Tasks.Missing == len(maps) {
		return nil, errors.New("no map below " + stage + " has a result here: tafc apply makes them")
	}
	shares(out)
	return out, nil
}

// mapsBelow are the tasks over files whose results a stage is made of.
func (s *session) mapsBelow(p *plan.Plan, stage string) ([]*compile.Task, error) {
	meant, err := s.addresses(stage)
	if err != nil {
		return nil, err
	}
	var maps []*compile.Task
	seen := map[*compile.Task]bool{}
	var walk func(t *compile.Task) error
	walk = func(t *compile.Task) error {
		if seen[t] {
			return nil
		}
		seen[t] = true
		switch {
		case t.Role == job.RoleMap && t.Files == nil:
			return fmt.Errorf("%s makes its keys of results of other tasks, not of files: name a stage below it", t.Addr)
		case t.Role == job.RoleMap:
			maps = append(maps, t)
		}
		for _, u := range t.Upstream {
			if err := walk(u.Task); err != nil {
				return err
			}
		}
		return nil
	}
	found := false
	for _, t := range p.Graph.Tasks {
		if !slices.ContainsFunc(meant, func(a addr.Task) bool { return a.Stage == t.Addr.Stage && (a.Name == "" || a.Name == t.Addr.Name) }) {
			continue
		}
		found = true
		if err := walk(t); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, usageError("there is no %s in the plan.%s", meant[0], near(meant[0], p.Graph))
	}
	return maps, p.Graph.Err()
}

// blameTask adds the files of a task that holds the key.
func (s *session) blameTask(ctx context.Context, p *plan.Plan, task *compile.Task, key []byte, out *view.BlameReport) error {
	r, err := s.result(ctx, task.Key)
	if errors.Is(err, state.ErrNoResult) || errors.Is(err, state.ErrResultMissing) {
		out.Tasks.Missing++
		return nil
	}
	if err != nil {
		return err
	}
	all, err := heldBy(ctx, r.Report.Parts, key)
	if err != nil || all.values == 0 {
		return err
	}
	out.Tasks.Holding++
	files := task.Files.List()
	if len(files) == 1 {
		out.Files = append(out.Files, blamed(task, files[0].Key, all))
		return nil
	}
	at, err := s.attemptOf(ctx, p, task)
	if err != nil {
		return err
	}
	if at == nil {
		out.Tasks.Apart++
		out.Files = append(out.Files, blamed(task, "", all))
		return nil
	}
	out.Tasks.Rerun++
	secrets, err := s.secrets(p)
	if err != nil {
		return err
	}
	for _, f := range files {
		one, err := s.blameFile(ctx, *at, f.Key, key, secrets[task.Addr.Stage])
		if err != nil {
			return err
		}
		if one.values > 0 {
			out.Files = append(out.Files, blamed(task, f.Key, one))
		}
	}
	return nil
}

// attemptOf is the attempt that made a task's result, as long as it is known what it was told; else nil.
func (s *session) attemptOf(ctx context.Context, p *plan.Plan, task *compile.Task) (*state.Attempt, error) {
	attempts, err := s.state.Attempts(ctx, p.Analysis, task.Addr)
	if err != nil {
		return nil, err
	}
	for i, at := range attempts {
		if at.State == state.AttemptDone && at.Key == task.Key {
			if _, err := local.Spec(at); err == nil {
				return &attempts[i], nil
			}
		}
	}
	return nil, nil
}

// blameFile runs a task over one of its files, and tells what that gives of the key.
func (s *session) blameFile(ctx context.Context, at state.Attempt, file string, key []byte, secrets map[string]string) (held, error) {
	dir, err := os.MkdirTemp("", "tafc-blame-")
	if err != nil {
		return held{}, err
	}
	defer os.RemoveAll(dir)
	report, err := local.Replay(ctx, at, local.ReplayOptions{Dir: dir, Log: io.Discard, Secrets: secrets, File: file})
	if err != nil || ctx.Err() != nil {
		return held{}, cmp.Or(err, ctx.Err())
	}
	// What a policy tolerated in the whole task is no reason to fail here: a file that is lost gives nothing.
	if report.Cause != job.CauseDone {
		return held{}, fmt.Errorf("%s fails over %s alone (%s): %s", at.Address, file, report.Cause, report.Failure.Message)
	}
	for i := range report.Parts {
		report.Parts[i].Path = filepath.Join(dir, report.Parts[i].Path)
	}
	return heldBy(ctx, report.Parts, key)
}

// heldBy reads what the parts of a result have of a key. A key stands in one of them.
func heldBy(ctx context.Context, parts []job.Part, key []byte) (held, error) {
	h := held{sum: new(big.Rat)}
	for _, part := range parts {
		if part.Partition != pairs.Partition(key, len(parts)) {
			continue
		}
		src, err := pairs.Part(part)()
		if err != nil {
			return h, err
		}
		defer src.Close()
		for n := 0; ; n++ {
			if n%4096 == 0 && ctx.Err() != nil {
				return h, ctx.Err()
			}
			k, value, err := src.Next()
			if err == io.EOF || err == nil && bytes.Compare(k, key) > 0 {
				break
			}
			if err != nil {
				return h, err
			}
			if bytes.Equal(k, key) {
				h.add(value)
			}
		}
	}
	return h, nil
}

func (h *held) add(value []byte) {
	h.values++
	var n json.Number
	if h.sum == nil {
		return
	}
	if json.Unmarshal(value, &n) != nil || value[0] == '"' || len(n) > 100 {
		h.sum = nil
		return
	}
	if r, ok := new(big.Rat).SetString(string(n)); ok {
		h.sum = new(big.Rat).Add(h.sum, r)
	} else {
		h.sum = nil
	}
}

func blamed(task *compile.Task, file string, h held) view.Blamed {
	b := view.Blamed{Task: task.Addr.String(), File: file, Files: task.Files.Len(), Values: h.values}
	if h.sum != nil {
		f, _ := h.sum.Float64()
		b.Sum = &f
	}
	if file != "" {
		b.Files = 1
	}
	return b
}

// shares sorts the files by what they have of the whole: of the sum where all values are numbers and none is negative, else of the number of values.
func shares(out *view.BlameReport) {
	bySum := true
	for _, f := range out.Files {
		bySum = bySum && f.Sum != nil && *f.Sum >= 0
		out.Values += f.Values
	}
	weight := func(f view.Blamed) float64 {
		if bySum {
			return *f.Sum
		}
		return float64(f.Values)
	}
	total := 0.0
	for _, f := range out.Files {
		total += weight(f)
	}
	for i, f := range out.Files {
		if total > 0 {
			out.Files[i].Share = weight(f) / total
		}
	}
	out.Total = len(out.Files)
	slices.SortStableFunc(out.Files, func(a, b view.Blamed) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a.File, b.File), cmp.Compare(a.Task, b.Task))
	})
}
