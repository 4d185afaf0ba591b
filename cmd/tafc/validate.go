package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
)

func (a *app) validateVerb() *cobra.Command {
	var in inputs
	var format string
	c := &cobra.Command{
		Use:     "validate [FILE]",
		Short:   "Check an analysis, offline: all problems at once",
		Example: "  tafc validate\n  tafc validate -format json os-count.taf.hcl",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usageError("-format %s is not known: text or json.%s", format, diag.DidYouMean(format, []string{"text", "json"}))
			}
			file, err := findFile(args, 0)
			if err != nil {
				return err
			}
			s, err := a.load(file, &in)
			if err != nil {
				return err
			}
			if s.analysis != nil {
				s.check()
			}
			return s.showDiagnostics(format)
		},
	}
	in.varFlags(c.Flags())
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

// check adds what is wrong with the documents and the code of an analysis.
func (s *session) check() {
	diags, sources := compile.Check(s.analysis, s.world())
	s.diags = append(s.diags, diags...)
	for name, text := range sources {
		s.sources[name] = text
	}
}

func (s *session) showDiagnostics(format string) error {
	report := diag.NewReport(diag.Sort(s.diags), s.sources)
	if format == "json" {
		if err := report.WriteJSON(s.app.streams.Out); err != nil {
			return err
		}
	} else if err := s.app.report(s.diags, s.sources); err != nil {
		view.Problems(s.app.streams, report.ErrorCount+report.WarningCount)
		return err
	} else {
		fmt.Fprintln(s.app.streams.Out, "The analysis is valid.")
	}
	if !report.Valid {
		return &exit{code: exitFailed}
	}
	return nil
}
