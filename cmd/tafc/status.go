package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/state"
)

func (a *app) statusVerb() *cobra.Command {
	var in inputs
	var asJSON bool
	c := &cobra.Command{
		Use:   "status [FILE]",
		Short: "Show where the last run stands",
		Args:  positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.showRun(c.Context(), args, "", &in, asJSON, false)
		},
	}
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON (docs/json.md)")
	return c
}

func (a *app) showVerb() *cobra.Command {
	var in inputs
	var asJSON bool
	var run string
	c := &cobra.Command{
		Use:   "show [FILE|PLAN]",
		Short: "Show a saved plan, or a run with every task",
		Args:  positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				if data, err := os.ReadFile(args[0]); err == nil && plan.IsFile(data) {
					return a.showSaved(data, asJSON)
				}
			}
			return a.showRun(c.Context(), args, run, &in, asJSON, true)
		},
	}
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	c.Flags().StringVar(&run, "run", "", "show this run instead of the last one")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON (docs/json.md)")
	return c
}

func (a *app) showSaved(data []byte, asJSON bool) error {
	p, err := plan.Read(data)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.streams.Out, p.Document(nil))
	}
	view.Plan(a.streams.Out, p, a.streams.OutStyle())
	return nil
}

func (a *app) showRun(ctx context.Context, args []string, id string, in *inputs, asJSON, all bool) error {
	s, err := a.existing(ctx, args, 0, in)
	if err != nil {
		return err
	}
	defer s.close()
	run, err := s.findRun(ctx, id)
	if err != nil {
		return err
	}
	d, err := runDocument(ctx, s.state, run)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.streams.Out, d)
	}
	view.Run(a.streams.Out, d, all, a.streams.OutStyle())
	return nil
}

// existing loads an analysis and opens its state, which must be there already.
func (a *app) existing(ctx context.Context, args []string, at int, in *inputs) (*session, error) {
	file, err := findFile(args, at)
	if err != nil {
		return nil, err
	}
	s, err := a.load(file, in)
	if err != nil {
		return nil, err
	}
	if err := a.report(s.diags, s.sources); err != nil {
		return nil, err
	}
	dir := in.stateDir(file)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, errNeverRan(s.analysis.Name)
	}
	return s, s.openState(ctx, dir)
}

func errNeverRan(analysis string) error {
	return errors.New(analysis + " has not run yet: start it with tafc run")
}

func (s *session) findRun(ctx context.Context, id string) (*state.Run, error) {
	var run *state.Run
	var err error
	if id != "" {
		run, err = s.state.FindRun(ctx, id)
	} else {
		run, err = s.state.LatestRun(ctx, s.analysis.Name)
	}
	switch {
	case err == nil && run == nil && id != "":
		err = fmt.Errorf("there is no run %s here; the last one is shown without -run", id)
	case err == nil && run == nil:
		err = errNeverRan(s.analysis.Name)
	}
	return run, err
}
