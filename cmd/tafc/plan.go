package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
)

func (a *app) planVerb() *cobra.Command {
	var in inputs
	var out string
	var asJSON, detailed bool
	c := &cobra.Command{
		Use:     "plan [FILE]",
		Short:   "Show what would run and why",
		Example: "  tafc plan\n  tafc plan -var channel=beta -target map.by_os os-count.taf.hcl\n  tafc plan -out next.plan && tafc apply next.plan",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := findFile(args, 0)
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
			if err := s.showPlan(p, asJSON); err != nil {
				return err
			}
			if out != "" {
				if err := savePlan(out, p); err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Err, "Saved the plan as %s. To carry out exactly this: tafc apply %s\n", out, out)
			}
			if detailed && !p.Empty() {
				return &exit{code: exitChanges}
			}
			return nil
		},
	}
	in.planFlags(c.Flags())
	c.Flags().StringVarP(&out, "out", "o", "", "save the plan, for tafc apply")
	c.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON (docs/json.md)")
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when there is something to do")
	return c
}

// showPlan prints a plan, or why there is none.
func (s *session) showPlan(p *plan.Plan, asJSON bool) error {
	streams := s.app.streams
	if !asJSON {
		if err := s.app.report(s.diags, s.sources); err != nil {
			return err
		}
		view.Plan(streams.Out, p, streams.OutStyle())
		s.showOrigins(p)
		return nil
	}
	report := diag.NewReport(diag.Sort(s.diags), s.sources)
	if p == nil {
		if err := printJSON(streams.Out, map[string]any{"format_version": "1", "diagnostics": report.Diagnostics}); err != nil {
			return err
		}
		return &exit{code: exitFailed}
	}
	return printJSON(streams.Out, p.Document(report.Diagnostics))
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func savePlan(name string, p *plan.Plan) error {
	return atomicfile.Write(name, 0o644, p.Write)
}
