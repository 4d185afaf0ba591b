package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
)

// Exit codes, see docs/exit-codes.md.
const (
	exitDone        = 0
	exitFailed      = 1
	exitChanges     = 2
	exitPartial     = 3
	exitUsage       = 64
	exitInterrupted = 130
)

// exit ends the command with a code. A nil err means that everything was said already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// app is what the verbs share.
type app struct {
	streams *view.Streams
}

// run carries out one command line and returns its exit code.
func run(ctx context.Context, args []string, streams *view.Streams) int {
	out := &checkedWriter{Writer: streams.Out}
	checked := *streams
	checked.Out = out
	a := &app{streams: &checked}
	root := a.root()
	root.SetArgs(longFlags(args))
	err := root.ExecuteContext(ctx)
	if err == nil && out.err != nil {
		err = fmt.Errorf("write output: %w", out.err)
	}
	if err == nil {
		return exitDone
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{exitFailed, err}
	}
	if ctx.Err() != nil && e.code == exitFailed {
		e = &exit{exitInterrupted, errors.New("interrupted")}
	}
	if e.err != nil {
		view.Error(streams, e.err)
	}
	return e.code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tafc",
		Short: "A Makefile for analyses over large sets of files",
		Long: "tafc reads an analysis (*.taf.hcl or *.taf.json), shows what would run and why, and runs it: only what has changed.\n\n" +
			"Flags may be written with one dash or two. FILE defaults to the only analysis in the working directory.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          a.unknownVerb,
	}
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	root.SetFlagErrorFunc(flagError)
	root.Version = versionLine()
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.DisableDescriptions = false
	for _, verb := range []func() *cobra.Command{
		a.initVerb, a.importVerb, a.fmtVerb, a.validateVerb, a.testVerb, a.consoleVerb, a.indexVerb, a.imageVerb, a.planVerb, a.applyVerb, a.runVerb, a.showVerb, a.whyVerb, a.blameVerb,
		a.statusVerb, a.logsVerb, a.outputVerb, a.headVerb, a.replayVerb, a.retryVerb, a.cancelVerb, a.gcVerb, a.doctorVerb, a.versionVerb,
	} {
		root.AddCommand(verb())
	}
	return root
}

func (a *app) unknownVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var verbs []string
	for _, sub := range c.Commands() {
		verbs = append(verbs, sub.Name())
	}
	return usageError("there is no command %q.%s See: tafc -help", args[0], diag.DidYouMean(args[0], verbs))
}

// longFlags lets flags be written with one dash, as in tafc plan -out FILE.
func longFlags(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' && !strings.HasPrefix(arg[2:], "=") {
			out[i] = "-" + arg
		}
	}
	return out
}

// positional limits a verb's arguments, with a usage error that says what they are.
func positional(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageError("wrong number of arguments: %s", c.UseLine())
		}
		return nil
	}
}

// report prints diagnostics and fails when there are errors among them.
func (a *app) report(diags hcl.Diagnostics, sources map[string][]byte) error {
	diags = diag.Sort(diags)
	if len(diags) == 0 {
		return nil
	}
	r := diag.NewReport(diags, sources)
	if err := r.WriteText(a.streams.Err, a.streams.Width(), a.streams.Color && a.streams.ErrTerminal); err != nil {
		return err
	}
	if diags.HasErrors() {
		return &exit{code: exitFailed}
	}
	return nil
}
