package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/state"
)

func (a *app) gcVerb() *cobra.Command {
	var in inputs
	var dry, asJSON bool
	var keep int
	c := &cobra.Command{
		Use:   "gc [FILE]",
		Short: "Delete results, code and logs that nothing refers to",
		Long:  "Deletes results and code that no task of any analysis in the state refers to, and the logs of all but the last runs.",
		Args:  positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.existing(c.Context(), args, 0, &in)
			if err != nil {
				return err
			}
			defer s.close()
			freed, err := s.state.GC(c.Context(), state.Keep{Runs: keep, DryRun: dry})
			if err != nil {
				return fmt.Errorf("collect garbage: %w", err)
			}
			if asJSON {
				return printJSON(a.streams.Out, map[string]any{
					"format_version": "1", "dry_run": dry, "results": freed.Results, "files": freed.Blobs, "bundles": freed.Bundles,
					"runs": freed.Runs, "task_folders": freed.Tasks, "bytes": freed.Bytes,
				})
			}
			view.Freed(a.streams.Out, freed, dry)
			return nil
		},
	}
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	c.Flags().BoolVar(&dry, "dry-run", false, "delete nothing, say what would go")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().IntVar(&keep, "keep-runs", 10, "keep the logs of this many runs")
	return c
}
