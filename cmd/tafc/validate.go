package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/bundle/syntax"
	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/sarif"
	"github.com/tafc/tafc/internal/view"
)

// reportFormats are how tafc validate writes what it finds.
var reportFormats = []string{"text", "json", "github", "sarif"}

func (a *app) validateVerb() *cobra.Command {
	v := validation{app: a, in: inputs{check: true}, sources: map[string][]byte{}}
	c := &cobra.Command{
		Use:   "validate [FILE|DIR]...",
		Short: "Check analyses, offline: all problems at once",
		Example: "  tafc validate\n  tafc validate -format json os-count.taf.hcl\n" +
			"  tafc validate -strict -format github .",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(reportFormats, v.format) {
				return usageError("-format %s is not known: text, json, github or sarif.%s", v.format, diag.DidYouMean(v.format, reportFormats))
			}
			if err := v.check(c.Context(), args); err != nil {
				return err
			}
			return v.show()
		},
	}
	v.in.varFlags(c.Flags())
	c.Flags().StringVar(&v.format, "format", "text", "text, json, github or sarif")
	c.Flags().BoolVar(&v.noInterpreters, "no-interpreters", false, "do not ask python3 and node whether the code parses")
	c.Flags().BoolVar(&v.strict, "strict", false, "exit with 1 for warnings too")
	return c
}

// validation is one tafc validate.
type validation struct {
	app    *app
	in     inputs
	format string
	strict bool
	// noInterpreters leaves out what needs programs besides tafc.
	noInterpreters bool
	files          []string // the analyses, as they are named
	diags          hcl.Diagnostics
	sources        map[string][]byte
}

// check loads and checks all analyses that the arguments mean.
func (v *validation) check(ctx context.Context, args []string) error {
	// Most analyses are checked before the first collection would pay.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	files, err := analyses(args, func(path string, err error) error {
		v.unreadable(path, err)
		return nil
	})
	if err != nil {
		return err
	}
	v.in.several = len(files) > 1
	declared := map[string]bool{}
	var checked []*compile.Checked
	var code []bundle.Source
	for _, file := range files {
		s, err := v.app.load(file, &v.in)
		var bad *unreadableError
		switch {
		case errors.As(err, &bad):
			v.unreadable(file, bad.err)
			continue
		case err != nil:
			return err
		}
		if s.analysis != nil {
			c := compile.Check(s.analysis, s.world())
			checked, code = append(checked, c), append(code, c.Code...)
			for _, x := range s.analysis.Variables {
				declared[x.Name] = true
			}
		}
		v.files = append(v.files, file)
		v.diags = append(v.diags, s.diags...)
		maps.Copy(v.sources, s.sources)
	}
	v.code(ctx, checked, code)
	return v.undeclared(declared)
}

// unreadable reports a file or folder that is not there or cannot be read, and lets the others be checked.
func (v *validation) unreadable(path string, err error) {
	v.files = append(v.files, path)
	v.diags = append(v.diags, diag.Error("lang/unreadable", "Cannot be read",
		fmt.Sprintf("%s cannot be read: %s. Look for the name and for who may read it.", path, reason(err)), hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}))
}

// undeclared refuses a value on the command line that none of several analyses takes.
func (v *validation) undeclared(declared map[string]bool) error {
	if !v.in.several {
		return nil // said with the analysis
	}
	for _, text := range v.in.vars {
		if name, _, _ := strings.Cut(text, "="); !declared[name] {
			return usageError("-var sets the variable %q, but none of the analyses declares it.%s", name,
				diag.DidYouMean(name, slices.Collect(maps.Keys(declared))))
		}
	}
	return nil
}

// code has the interpreters of this computer look at the code of all analyses at once.
func (v *validation) code(ctx context.Context, checked []*compile.Checked, code []bundle.Source) {
	code = slices.CompactFunc(slices.SortedFunc(slices.Values(code), byPath), func(a, b bundle.Source) bool { return a.Path == b.Path })
	var problems []bundle.Problem
	if !v.noInterpreters {
		var cache *syntax.Cache
		if dir, err := os.UserCacheDir(); err == nil {
			cache = syntax.OpenCache(filepath.Join(dir, "tafc"))
		}
		problems = syntax.Check(ctx, code, cache)
		_ = cache.Save() // it is only there to be fast
	}
	for _, c := range checked {
		c.Syntax(problems)
		v.diags = append(v.diags, c.Diags...)
		maps.Copy(v.sources, c.Sources)
	}
}

func byPath(a, b bundle.Source) int { return strings.Compare(a.Path, b.Path) }

// show prints the report in its format and says with the exit code what it is.
func (v *validation) show() error {
	report := diag.NewReport(diag.Sort(v.diags), v.sources)
	report.Files = slices.Sorted(slices.Values(v.files))
	if err := v.write(report); err != nil {
		return err
	}
	problems := report.ErrorCount + report.WarningCount
	switch {
	case !report.Valid || v.strict && problems > 0:
		if v.format == "text" || v.format == "github" {
			view.Problems(v.app.streams, problems, len(v.files))
		}
		return &exit{code: exitFailed}
	case v.format == "text":
		view.Valid(v.app.streams, len(v.files))
	}
	return nil
}

func (v *validation) write(report *diag.Report) error {
	s := v.app.streams
	relative, err := repositoryPaths()
	if err != nil {
		return err
	}
	switch v.format {
	case "json":
		return report.WriteJSON(s.Out)
	case "github":
		return report.WriteGitHub(s.Out, relative)
	case "sarif":
		return sarif.Write(s.Out, report, versionText(), relative)
	}
	return report.WriteText(s.Err, s.Width(), s.Color && s.ErrTerminal)
}
