package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/open"
	"github.com/tafc/tafc/index/sqlite"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
)

func (a *app) indexVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "index",
		Short: "Build, show, query and serve file indexes",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usageError("there is no command \"index %s\".%s See: tafc index -help", args[0],
				diag.DidYouMean(args[0], []string{"build", "show", "query", "serve"}))
		},
	}
	c.AddCommand(a.indexBuildVerb(), a.indexShowVerb(), a.indexQueryVerb(), a.indexServeVerb())
	return c
}

func (a *app) indexBuildVerb() *cobra.Command {
	var out, layoutText, root, table string
	var s3 s3Flags
	var again refreshFlags
	var asJSON bool
	c := &cobra.Command{
		Use:     "build SOURCE -o FILE",
		Short:   "List a source once and write its files to an index file",
		Long:    "SOURCE is what an analysis writes: dir:PATH, sqlite:PATH, postgres://HOST/DATABASE, s3://BUCKET/FOLDER, service:https://HOST/files or inventory:PATH. The index file is used as source = \"sqlite:FILE\".",
		Example: "  tafc index build dir:data -layout telemetry -o index.db",
		Args:    positional(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usageError("say where to write the index: tafc index build %s -o FILE", args[0])
			}
			var layout *index.Layout
			if layoutText != "" {
				var err error
				if layout, err = index.ParseLayout(layoutText); err != nil {
					return usageError("-layout: %w", err)
				}
			}
			bucket, err := s3.of(args[0])
			if err != nil {
				return err
			}
			src, err := open.Open(c.Context(), args[0], open.Options{Table: table, Layout: layoutText, S3: bucket})
			if err != nil {
				return sourceError(err)
			}
			defer src.Close()
			listing, old, err := again.listing(src, out)
			if err != nil {
				return err
			}
			if old != nil {
				defer old.Close()
				root = cmp.Or(root, old.Root())
				if layout == nil && old.Layout() != "" {
					if layout, err = index.ParseLayout(old.Layout()); err != nil {
						return err
					}
				}
			}
			summary, err := sqlite.Write(c.Context(), out, listing, layout, root)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.streams.Out, map[string]any{
					"format_version": "1", "file": out, "layout": summary.Layout, "root": summary.Root, "revision": summary.Revision,
					"files_total": summary.Files, "bytes_total": summary.Bytes, "unparsed_keys": summary.Unparsed,
					"folders_kept": listing.Kept(),
				})
			}
			view.IndexBuilt(a.streams.Out, out, summary.Layout, summary.Root, summary.Files, summary.Bytes, summary.Unparsed, listing.Kept())
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "index file to write (required)")
	c.Flags().StringVar(&layoutText, "layout", "", "how keys are built: telemetry, telemetry-heka, or a template (default: what the source records, or found from the keys)")
	c.Flags().StringVar(&root, "root", "", "what the keys are relative to when tasks fetch them (default: the source's own folder)")
	c.Flags().StringVar(&table, "table", "", "table of a database that tafc did not write")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	s3.add(c.Flags())
	again.add(c.Flags())
	return c
}

// sourceError makes a usage error of a source that was written wrongly.
func sourceError(err error) error {
	var scheme *open.SchemeError
	if errors.As(err, &scheme) {
		return usageError("%w", err)
	}
	return err
}

func (a *app) indexShowVerb() *cobra.Command {
	var layoutText, table string
	var s3 s3Flags
	var asJSON bool
	c := &cobra.Command{
		Use:     "show SOURCE",
		Short:   "Show the dimensions of an index and how many files each value has",
		Example: "  tafc index show dir:data",
		Args:    positional(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			bucket, err := s3.of(args[0])
			if err != nil {
				return err
			}
			sel, err := selectAll(c.Context(), args[0], layoutText, open.Options{Table: table, S3: bucket})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.streams.Out, view.NewIndexDocument(sel))
			}
			view.Index(a.streams.Out, sel, a.streams.OutStyle())
			return nil
		},
	}
	c.Flags().StringVar(&layoutText, "layout", "", "how keys are built (default: what the source records, or found from the keys)")
	c.Flags().StringVar(&table, "table", "", "table of a database that tafc did not write")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON (docs/json.md)")
	s3.add(c.Flags())
	return c
}

func selectAll(ctx context.Context, source, layoutText string, options open.Options) (*index.Selection, error) {
	var layout *index.Layout
	if layoutText != "" {
		var err error
		if layout, err = index.ParseLayout(layoutText); err != nil {
			return nil, usageError("-layout: %w", err)
		}
	}
	src, err := open.Open(ctx, source, options)
	if err != nil {
		return nil, sourceError(err)
	}
	defer src.Close()
	return index.Select(ctx, src, layout, "", index.Filter{})
}

func (a *app) indexQueryVerb() *cobra.Command {
	var in inputs
	var filter string
	var asJSON bool
	c := &cobra.Command{
		Use:     "query [FILE]",
		Short:   "Print the keys that a filter of an analysis matches, one a line, sorted",
		Example: "  tafc index query os-count.taf.hcl\n  tafc index query -filter nightly -json os-count.taf.hcl",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := findFile(args, 0)
			if err != nil {
				return err
			}
			s, err := a.load(file, &in)
			if err != nil {
				return err
			}
			if s.diags.HasErrors() {
				return a.report(s.diags, s.sources)
			}
			name, err := s.filterName(filter)
			if err != nil {
				return err
			}
			// A query that matches nothing is an answer, not an error.
			sel, each, diags, sources := compile.QueryEach(c.Context(), s.analysis, s.worldOf(c.Context()), name)
			for name, text := range sources {
				s.sources[name] = text
			}
			if err := a.report(append(s.diags, diags...), s.sources); err != nil {
				return err
			}
			return a.printQuery(name, sel, each, asJSON)
		},
	}
	in.varFlags(c.Flags())
	c.Flags().StringVar(&filter, "filter", "", "which filter (default: the only one)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the files as JSON (docs/json.md)")
	return c
}

func (s *session) filterName(name string) (string, error) {
	var names []string
	for _, f := range s.analysis.Filters {
		names = append(names, f.Name)
	}
	name, ok := pick(name, names)
	if ok {
		return name, nil
	}
	switch {
	case name != "":
		return "", usageError("there is no filter %q.%s The analysis has %s", name, diag.DidYouMean(name, names), strings.Join(names, ", "))
	case len(names) == 1:
		return names[0], nil
	}
	return "", usageError("the analysis has %d filters; name one with -filter: %v", len(names), names)
}

// printQuery prints the files one by one, however many they are.
func (a *app) printQuery(name string, sel *index.Selection, each func(func(index.File) error) error, asJSON bool) error {
	out := bufio.NewWriterSize(a.streams.Out, 64<<10)
	var err error
	if asJSON {
		err = view.Query(out, name, sel, each)
	} else {
		view.Funnel(a.streams.Err, name, sel, a.streams.ErrStyle())
		err = each(func(f index.File) error {
			_, _ = out.Write(f.Key) // Flush tells of errors
			return out.WriteByte('\n')
		})
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("print keys: %w", err)
	}
	return nil
}
