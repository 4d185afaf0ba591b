package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
)

func (a *app) applyVerb() *cobra.Command {
	var in inputs
	var approve bool
	c := &cobra.Command{
		Use:     "apply [FILE|PLAN]",
		Short:   "Carry out an analysis, or a saved plan",
		Example: "  tafc apply\n  tafc apply -auto-approve -workers 8 os-count.taf.hcl\n  tafc apply next.plan",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				if data, err := os.ReadFile(args[0]); err == nil && plan.IsFile(data) {
					for _, name := range []string{"var", "var-file", "target", "engine"} {
						if c.Flags().Changed(name) {
							return usageError("-%s cannot change a saved plan: give it to tafc plan -out", name)
						}
					}
					return a.applySaved(c.Context(), args[0], data, &in)
				}
			}
			return a.applyFile(c.Context(), args, &in, approve)
		},
	}
	in.planFlags(c.Flags())
	in.workersFlag(c.Flags())
	in.determinismFlag(c.Flags())
	in.containerFlag(c.Flags())
	c.Flags().BoolVar(&approve, "auto-approve", false, "do not ask")
	return c
}

func (a *app) runVerb() *cobra.Command {
	var in inputs
	c := &cobra.Command{
		Use:   "run [FILE]",
		Short: "Plan and apply without asking",
		Args:  positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.applyFile(c.Context(), args, &in, true)
		},
	}
	in.planFlags(c.Flags())
	in.workersFlag(c.Flags())
	in.determinismFlag(c.Flags())
	in.containerFlag(c.Flags())
	return c
}

// applyFile plans under the lock, so that what is shown is what is done.
func (a *app) applyFile(ctx context.Context, args []string, in *inputs, approved bool) error {
	if err := in.checkContainer(); err != nil {
		return err
	}
	file, err := findFile(args, 0)
	if err != nil {
		return err
	}
	s, err := a.load(file, in)
	if err != nil {
		return err
	}
	defer s.close()
	if s.diags.HasErrors() {
		return a.report(s.diags, s.sources)
	}
	if err := s.openState(ctx, in.stateDir(file)); err != nil {
		return err
	}
	lock, err := s.state.Lock("apply")
	if err != nil {
		return err
	}
	defer lock.Release()
	p, err := s.plan(ctx)
	if err != nil {
		return err
	}
	if err := s.showPlan(p, false); err != nil {
		return err
	}
	if len(s.analysis.Notify) > 0 && p.Summary.Run > 0 && !s.deployed() {
		fmt.Fprintln(a.streams.Err, "Nobody will be notified: the local engine only checks what notify says.")
	}
	if !approved && p.Summary.Run > 0 {
		if err := a.confirm(); err != nil {
			return err
		}
	}
	return s.carryOut(ctx, p)
}

// confirm asks whether to go on. Without a terminal there is nobody to ask.
func (a *app) confirm() error {
	if !a.streams.InTerminal {
		return usageError("nobody can answer here: use -auto-approve, or tafc run, or apply a plan saved with tafc plan -out")
	}
	fmt.Fprint(a.streams.Err, "\nCarry this out? Only 'yes' goes on: ")
	line, err := bufio.NewReader(a.streams.In).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "yes" {
		return &exit{exitFailed, errors.New("not carried out")}
	}
	return nil
}

// applySaved carries out a saved plan, unless what it was made for has changed.
func (a *app) applySaved(ctx context.Context, name string, data []byte, in *inputs) error {
	if err := in.checkContainer(); err != nil {
		return err
	}
	p, err := plan.Read(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	dir, home := placeOf(p, in)
	s := &session{app: a, in: in, sources: map[string][]byte{}, outputDir: home}
	if err := s.openState(ctx, dir); err != nil {
		return err
	}
	defer s.close()
	lock, err := s.state.Lock("apply")
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := s.checkFence(ctx, p); err != nil {
		return fmt.Errorf("%s is out of date: %w. Make it again with tafc plan -out", name, err)
	}
	return s.carryOut(ctx, p)
}

// placeOf is the state of a saved plan and the folder of its outputs: where it was made, or the working directory when that
// folder is not here.
func placeOf(p *plan.Plan, in *inputs) (state, home string) {
	state, home = p.State, p.Home
	if _, err := os.Stat(home); err != nil {
		state, home = ".taf", "."
	}
	if in.state != "" {
		state = in.state
	}
	return state, home
}

// carryOut runs a plan and writes the outputs. The caller holds the state's lock.
func (s *session) carryOut(ctx context.Context, p *plan.Plan) error {
	if s.in.determinism && p.Engine != lang.EngineLocal {
		return usageError("-check-determinism runs tasks a second time on this computer: it goes with the engine local")
	}
	if p.Settled() {
		return s.finish(ctx, p, nil, time.Time{})
	}
	start := time.Now()
	run, err := engine.Lower(runID(start), p)
	if err := cmp.Or(err, p.Graph.Err()); err != nil {
		return err
	}
	run.Command = strings.Join(append([]string{"tafc"}, s.redacted(os.Args[1:])...), " ")
	if run.Plan, err = json.Marshal(p.Document(nil)); err != nil {
		return err
	}
	var progress *view.Progress
	e, err := s.engineOf(p, func(text string) { progress.Say(text) })
	if err != nil {
		return err
	}
	progress = view.NewProgress(s.app.streams, run.Tasks)
	out, err := e.Apply(ctx, run, progress.Observe)
	progress.Close()
	if err != nil {
		return err
	}
	return s.finish(ctx, p, out, start)
}

// finish ends with the outputs, or with what to do about a run that did not make them.
func (s *session) finish(ctx context.Context, p *plan.Plan, out *engine.Outcome, start time.Time) error {
	streams := s.app.streams
	if out != nil && out.Interrupted {
		if p.Engine == lang.EngineTaskcluster {
			fmt.Fprintln(streams.Err, "tafc apply watches it again, tafc status says where it stands, and tafc cancel stops it.")
		} else {
			fmt.Fprintln(streams.Err, "Stopped. What had finished is kept: the same command goes on from here.")
		}
		return &exit{code: exitInterrupted}
	}
	if s.in.determinism && (out == nil || len(out.Failed) == 0) {
		if err := s.checkDeterminism(ctx, p); err != nil {
			return err
		}
	}
	results, whole, err := s.outputs(ctx, p, out)
	if err != nil {
		return err
	}
	verdict := view.Verdict{Analysis: p.Analysis, Failed: !whole}
	if out != nil {
		verdict.Elapsed = time.Since(start)
		verdict.Failed = verdict.Failed || len(out.Failed) > 0 && !out.Tolerated
	}
	view.Finished(streams.Out, verdict, results, streams.OutStyle())
	switch {
	case verdict.Failed && out == nil:
		return errors.New("a result that was there when the plan was made is gone: apply again")
	case verdict.Failed:
		view.Failed(streams.Err, out, streams.ErrStyle())
		return &exit{code: exitFailed}
	}
	for _, r := range results {
		if r.BelowCoverage() {
			return &exit{exitFailed, fmt.Errorf("output %s covers %.2f%% of the planned files, and min_coverage asks for %.2f%%; it was not written. "+
				"Mend what was lost and apply again, or ask for less",
				r.Name, 100*r.Coverage(), 100*r.MinCoverage)}
		}
	}
	for _, r := range results {
		if r.Partial {
			return &exit{code: exitPartial}
		}
	}
	return nil
}

// runID sorts by time; the process number tells runs of the same instant apart.
func runID(at time.Time) string {
	return fmt.Sprintf("%s-%d", at.UTC().Format("20060102T150405.000"), os.Getpid())
}
