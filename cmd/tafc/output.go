package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/state"
)

func (a *app) outputVerb() *cobra.Command {
	var in inputs
	var format string
	var asJSON bool
	c := &cobra.Command{
		Use:     "output [NAME] [FILE]",
		Short:   "Print a result; NAME may be left out when there is only one output",
		Example: "  tafc output os_count\n  tafc output -format jsonl os_count os-count.taf.hcl",
		Args:    positional(0, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && isAnalysis(args[0]) {
				args = []string{"", args[0]}
			}
			s, err := a.existing(c.Context(), args, 1, &in)
			if err != nil {
				return err
			}
			defer s.close()
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			o, err := s.outputNamed(name)
			if err != nil {
				return err
			}
			if asJSON {
				format = "json"
			}
			return s.printOutput(c.Context(), o, format)
		},
	}
	c.ValidArgsFunction = a.completeOutput(&in)
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	c.Flags().StringVar(&format, "format", "", "text, csv, jsonl, json or parquet (default: what the output block says)")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as -format json")
	return c
}

func (s *session) outputNamed(name string) (*lang.Output, error) {
	var names []string
	for _, o := range s.analysis.Outputs {
		names = append(names, o.Name)
	}
	name, ok := pick(name, names)
	if ok {
		return s.analysis.Outputs[slices.Index(names, name)], nil
	}
	switch {
	case name != "":
		return nil, usageError("there is no output %q.%s The analysis has %s", name, diag.DidYouMean(name, names), strings.Join(names, ", "))
	case len(names) == 1:
		return s.analysis.Outputs[0], nil
	}
	return nil, usageError("the analysis has several outputs; name one: %s", strings.Join(names, ", "))
}

func (s *session) printOutput(ctx context.Context, o *lang.Output, format string) error {
	switch format {
	case "":
		format = o.Format
	case "text", "csv", "jsonl", "json", formatParquet:
	default:
		return usageError("-format %s is not known: text, csv, jsonl, json or parquet", format)
	}
	if format == formatParquet && s.app.streams.OutTerminal {
		return usageError("parquet is not for reading: send it into a file (tafc output > FILE), or write -format text")
	}
	keys, err := s.goodKeys(ctx, o.Value)
	if err != nil {
		return err
	}
	r, err := s.readResult(ctx, keys)
	if err != nil {
		return err
	}
	r.order = orderOf(o.Sort, o.Top)
	if run, err := s.state.LatestRun(ctx, s.analysis.Name); err == nil && run != nil && run.Outcome != state.Succeeded && run.Outcome != state.Partial {
		fmt.Fprintf(s.app.streams.Err, "This is the last good result: the last run (%s) did not finish.\n", run.ID)
	}
	w := bufio.NewWriter(s.app.streams.Out)
	if err := s.write(ctx, w, format, r); err != nil {
		return err
	}
	return w.Flush()
}

// goodKeys are the keys of the tasks that hold the last good result of a stage, in the order of their addresses.
func (s *session) goodKeys(ctx context.Context, stage addr.Stage) ([]string, error) {
	prior, err := s.state.Prior(ctx, s.analysis.Name)
	if err != nil {
		return nil, err
	}
	run, err := s.state.LatestRun(ctx, s.analysis.Name)
	if err != nil {
		return nil, err
	}
	tolerated := run != nil && run.Outcome == state.Partial
	var keys []string
	for _, a := range sortedAddrs(prior) {
		m := prior[a]
		inner := stage.Kind == "reduce" && strings.Trim(a.Name, "0123456789") != ""
		if a.Stage != stage || inner {
			continue
		}
		if m.Good == nil && tolerated {
			continue // the partial result goes without it
		}
		if m.Good == nil {
			return nil, fmt.Errorf("%s has no result: it failed; see tafc status", a)
		}
		keys = append(keys, m.Good.Key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no result yet: make it with tafc apply", stage)
	}
	return keys, nil
}
