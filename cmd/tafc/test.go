package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/unittest"
)

func (a *app) testVerb() *cobra.Command {
	var in inputs
	var pattern string
	var seed uint64
	var asJSON, verbose bool
	c := &cobra.Command{
		Use:     "test [FILE]",
		Short:   "Run the tests of an analysis, and check the laws of its reduces",
		Example: "  tafc test\n  tafc test -run 'no age' -v people.taf.hcl",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := findFile(args, 0)
			if err != nil {
				return err
			}
			o := unittest.Options{Seed: seed, Workers: int(in.workers)}
			if pattern != "" {
				if o.Run, err = regexp.Compile(pattern); err != nil {
					return usageError("-run: %w", err)
				}
			}
			s, err := a.load(file, &in)
			if err != nil {
				return err
			}
			doc, err := s.test(c.Context(), o)
			if err != nil {
				return err
			}
			return s.showTests(doc, asJSON, verbose)
		},
	}
	in.varFlags(c.Flags())
	c.Flags().StringVar(&pattern, "run", "", "only tests in whose names this regular expression finds something")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the values that are made up for the checks of laws")
	c.Flags().UintVar(&in.workers, "workers", 0, "tests at once (default: the number of cores)")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "print what the code printed and what came out, of tests that pass too")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON (docs/json.md)")
	return c
}

// test runs the tests; without a document the analysis has errors, which are in the session's diagnostics.
func (s *session) test(ctx context.Context, o unittest.Options) (*unittest.Document, error) {
	if s.diags.HasErrors() {
		return nil, nil
	}
	templates, diags, sources := compile.Templates(s.analysis, s.world())
	s.diags = append(s.diags, diags...)
	maps.Copy(s.sources, sources)
	if s.diags.HasErrors() {
		return nil, nil
	}
	if err := s.anyTest(o.Run); err != nil {
		return nil, err
	}
	return unittest.Run(ctx, s.analysis, templates, o)
}

// anyTest makes sure that -run finds a test.
func (s *session) anyTest(run *regexp.Regexp) error {
	var names []string
	for _, t := range s.analysis.Tests {
		names = append(names, fmt.Sprintf("%q", t.Name))
	}
	if run == nil || slices.ContainsFunc(names, func(name string) bool { return run.MatchString(strings.Trim(name, `"`)) }) {
		return nil
	}
	if len(names) == 0 {
		return usageError("-run %s finds no test: the analysis has none", run)
	}
	return usageError("-run %s finds no test. There are %s", run, strings.Join(names, ", "))
}

// showTests prints how the tests went, or why they could not be run.
func (s *session) showTests(doc *unittest.Document, asJSON, verbose bool) error {
	streams := s.app.streams
	if !asJSON {
		if err := s.app.report(s.diags, s.sources); err != nil {
			return err
		}
		view.Tests(streams.Out, doc, verbose, streams.OutStyle())
	} else {
		report := diag.NewReport(diag.Sort(s.diags), s.sources)
		if doc == nil {
			doc = &unittest.Document{FormatVersion: unittest.FormatVersion, Tests: []unittest.Test{}, Laws: []unittest.Law{}}
		}
		doc.Diagnostics = report.Diagnostics
		if err := printJSON(streams.Out, doc); err != nil {
			return err
		}
	}
	if s.diags.HasErrors() || doc.Failed > 0 {
		return &exit{code: exitFailed}
	}
	return nil
}
