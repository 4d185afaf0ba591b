package main

import (
	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
)

func (a *app) whyVerb() *cobra.Command {
	var in inputs
	var asJSON bool
	c := &cobra.Command{
		Use:     "why ADDRESS [FILE]",
		Short:   "Show why a task would run, or would not",
		Long:    "ADDRESS is a task such as map.by_os[20140308/0110] (quote it for the shell), or a stage such as map.by_os for all its tasks.",
		Example: "  tafc why map.by_os\n  tafc why 'map.by_os[20140308/0110]' os-count.taf.hcl",
		Args:    positional(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := addr.Parse(args[0]); err != nil {
				return usageError("%w", err)
			}
			file, err := findFile(args, 1)
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
			prior, err := readPrior(c.Context(), s.state, p.Graph)
			if err != nil {
				return err
			}
			meant, err := s.addresses(args[0])
			if err != nil {
				return err
			}
			var explanations []plan.Explanation
			for _, address := range meant {
				explanations = append(explanations, p.Explain(address, prior)...)
			}
			if err := p.Graph.Err(); err != nil {
				return err
			}
			if len(explanations) == 0 {
				return usageError("there is no %s in the plan.%s", meant[0], near(meant[0], p.Graph))
			}
			if asJSON {
				return printJSON(a.streams.Out, map[string]any{"format_version": "1", "analysis": p.Analysis, "tasks": explanations})
			}
			view.Why(a.streams.Out, explanations, a.streams.OutStyle())
			return nil
		},
	}
	c.ValidArgsFunction = a.completeAddress(&in)
	in.planFlags(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON (docs/json.md)")
	return c
}

// near offers addresses that exist.
func near(a addr.Task, g *compile.Graph) string {
	for _, t := range g.Tasks {
		if t.Stage.Addr == a.Stage {
			return " One that is: " + t.Addr.String()
		}
	}
	stages := ""
	for _, s := range g.Stages {
		stages += " " + s.Addr.String()
	}
	return " Its stages:" + stages
}
