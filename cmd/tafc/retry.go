package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/state"
)

func (a *app) retryVerb() *cobra.Command {
	var in inputs
	var quarantined bool
	c := &cobra.Command{
		Use:   "retry [FILE]",
		Short: "Run what failed again: tasks, or quarantined records",
		Long: "Without a flag: the tasks that failed, and what waits for them. With -quarantined: of the last results only the records that were set aside, with the code as it is now. " +
			"All else of these results is taken over, and what stands on them is made again.",
		Args: positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.existing(c.Context(), args, 0, &in)
			if err != nil {
				return err
			}
			if quarantined {
				s.close()
				return a.retryQuarantined(c.Context(), args, &in)
			}
			failed, err := s.failedTasks(c.Context())
			if err == nil && len(failed) > 0 {
				in.engine, err = s.retryRemote(c.Context())
			}
			s.close()
			if err != nil {
				return err
			}
			if len(failed) == 0 {
				fmt.Fprintln(a.streams.Out, "No task is waiting to be tried again.")
				return nil
			}
			in.failedOnly = true
			return a.applyFile(c.Context(), args, &in, true)
		},
	}
	c.Flags().BoolVar(&quarantined, "quarantined", false, "run only the quarantined records, and merge what comes of them into the results")
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	in.workersFlag(c.Flags())
	in.containerFlag(c.Flags())
	return c
}

// failedTasks are the tasks whose last attempt failed, sorted.
func (s *session) failedTasks(ctx context.Context) ([]addr.Task, error) {
	prior, err := s.state.Prior(ctx, s.analysis.Name)
	if err != nil {
		return nil, err
	}
	var failed []addr.Task
	for _, a := range sortedAddrs(prior) {
		if prior[a].Failed != nil {
			failed = append(failed, a)
		}
	}
	return failed, nil
}

// failedAndWaiting are the tasks of a graph whose last attempt failed, and all that stand on them.
func (s *session) failedAndWaiting(ctx context.Context, g *compile.Graph) ([]addr.Task, error) {
	failed, err := s.failedTasks(ctx)
	if err != nil {
		return nil, err
	}
	wanted := map[addr.Task]bool{}
	for _, a := range failed {
		wanted[a] = true
	}
	targets := []addr.Task{}
	for _, t := range g.Tasks {
		again := wanted[t.Addr] || slices.ContainsFunc(t.Upstream, func(u compile.Upstream) bool { return wanted[u.Task.Addr] })
		if again {
			wanted[t.Addr] = true
			targets = append(targets, t.Addr)
		}
	}
	return targets, nil
}

func sortedAddrs(m map[addr.Task]state.Memory) []addr.Task {
	out := make([]addr.Task, 0, len(m))
	for a := range m {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b addr.Task) int {
		return cmp.Or(cmp.Compare(a.Stage.Kind, b.Stage.Kind), cmp.Compare(a.Stage.Name, b.Stage.Name), cmp.Compare(a.Name, b.Name))
	})
	return out
}
