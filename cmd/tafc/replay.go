package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

func (a *app) replayVerb() *cobra.Command {
	var in inputs
	var attempt int
	var record string
	var shell, process bool
	c := &cobra.Command{
		Use:   "replay ADDRESS [FILE]",
		Short: "Run a task of the last run exactly again, apart from the state",
		Long: "The same code as it was then, the same inputs (pinned: one that has changed is an error), environment and limits. Nothing of the state changes. " +
			"At the end the results are compared.",
		Example: "  tafc replay 'map.by_os[20140308/0110]'\n  tafc replay -record 20140308/a.gz:17 'map.by_os[20140308/0110]'\n  tafc replay -shell reduce.total",
		Args:    positional(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			address, err := addr.Parse(args[0])
			if err != nil {
				return usageError("%w", err)
			}
			o := local.ReplayOptions{Log: a.streams.Out, Mapper: os.Getenv("TAF_MAPPER"), Process: process}
			if o.File, o.Record, err = recordFlag(record); err != nil {
				return err
			}
			s, err := a.existing(c.Context(), args, 1, &in)
			if err != nil {
				return err
			}
			defer s.close()
			at, err := s.findAttempt(c.Context(), address, attempt)
			if err != nil {
				return err
			}
			if shell {
				return s.replayShell(c.Context(), *at, process)
			}
			return s.replay(c.Context(), *at, o)
		},
	}
	c.ValidArgsFunction = a.completeAddress(&in)
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	c.Flags().IntVar(&attempt, "attempt", 0, "this attempt of the last run instead of its last")
	c.Flags().StringVar(&record, "record", "", "FILE:N: only record N, from 1, of this input file; or FILE: only this file")
	c.Flags().BoolVar(&process, "no-container", false, "with the programs of this computer, even if the task ran in a container")
	c.Flags().BoolVar(&shell, "shell", false, "open a shell in a folder with the task's code and environment instead")
	return c
}

// recordFlag reads FILE:N or FILE.
func recordFlag(text string) (file string, record int64, err error) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, 0, nil
	}
	record, err = strconv.ParseInt(text[i+1:], 10, 64)
	if err != nil || record < 1 || i == 0 {
		return "", 0, usageError("-record %q: write -record FILE:N, with N from 1", text)
	}
	return text[:i], record, nil
}

// replay runs an attempt again and compares how it ended.
func (s *session) replay(ctx context.Context, at state.Attempt, o local.ReplayOptions) error {
	dir, err := os.MkdirTemp("", "tafc-replay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.Dir, o.State = dir, s.state.Dir()
	o.Secrets = s.sensitive(at.Address.Stage)
	before, err := local.Report(at)
	if err != nil {
		return err
	}
	report, err := local.Replay(ctx, at, o)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if out := s.app.streams; report.Failure != nil {
		view.Failure(out.Err, at.Address.String(), report.Attempt, report, out.ErrStyle())
	}
	if o.File != "" {
		if report.Cause != job.CauseDone {
			return &exit{code: exitFailed}
		}
		return s.printParts(ctx, dir, report)
	}
	return s.compare(at, before, report)
}

// compare says whether a replay ended as the attempt did.
func (s *session) compare(at state.Attempt, before, now *job.Report) error {
	out := s.app.streams.Out
	switch {
	case before == nil:
		fmt.Fprintf(out, "Attempt %d ended without a report (%s); the replay ended as: %s.\n", at.Attempt, at.Exit, now.Cause)
	case before.Cause != now.Cause:
		fmt.Fprintf(out, "DIFFERENT: attempt %d ended as %s, the replay as %s.\n", at.Attempt, before.Cause, now.Cause)
		return &exit{code: exitFailed}
	case now.Cause != job.CauseDone:
		fmt.Fprintf(out, "The replay failed as attempt %d did: %s.\n", at.Attempt, now.Cause)
		return &exit{code: exitFailed}
	case !slices.EqualFunc(before.Parts, now.Parts, sameContent):
		fmt.Fprintf(out, "DIFFERENT: the replay gives other results than attempt %d. Does the code depend on time, chance, or something outside of its input?\n", at.Attempt)
		return &exit{code: exitFailed}
	default:
		fmt.Fprintf(out, "The same: the replay gives the results of attempt %d, byte by byte (%d pairs).\n", at.Attempt, now.Ledger.Records.Emitted)
	}
	return nil
}

func sameContent(a, b job.Part) bool { return a.Partition == b.Partition && a.Digest == b.Digest }

// printParts prints the pairs of a replay of one record or file.
func (s *session) printParts(ctx context.Context, dir string, report *job.Report) error {
	r := &result{form: report.Form}
	for _, p := range report.Parts {
		p.Path = filepath.Join(dir, p.Path)
		r.parts = append(r.parts, p)
	}
	return s.merge(ctx, s.app.streams.Out, "text", r)
}

// sensitive are the values that a stage gets by its environment alone. Its secrets are in the environment of tafc already.
func (s *session) sensitive(stage addr.Stage) map[string]string {
	for _, own := range s.analysis.Stages {
		if own.Addr() == stage {
			return own.Sensitive
		}
	}
	return nil
}

// replayShell opens a shell in a copy of the task's code, with its environment, its spec beside it.
func (s *session) replayShell(ctx context.Context, at state.Attempt, process bool) error {
	spec, err := local.Spec(at)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tafc-replay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if spec.Code != nil {
		if err := os.CopyFS(dir, os.DirFS(spec.Code.Dir)); err != nil {
			return fmt.Errorf("copy the task's code: %w", err)
		}
	}
	if !process {
		contained, err := s.shellInImage(ctx, at, dir)
		if contained || err != nil {
			return err
		}
	}
	return s.shellHere(ctx, at, spec, dir)
}

// shellInImage opens the shell in the image that the task ran in; contained is false when it ran in none.
func (s *session) shellInImage(ctx context.Context, at state.Attempt, dir string) (contained bool, err error) {
	streams := s.app.streams
	return local.OpenShell(ctx, at, local.Shell{
		Dir: dir, State: s.state.Dir(), Input: streams.In, Output: streams.Out, Errors: streams.Err, Terminal: streams.InTerminal && streams.OutTerminal,
	}, func(image string) {
		fmt.Fprintf(streams.Err, "The code of %s as it was then, in a folder of its own, in its image %s with what it saw; $TAFC_SPEC is what the task was told. Secrets are not set. Leave with exit.\n", at.Address, image)
	})
}

// shellHere opens the shell with the programs of this computer.
func (s *session) shellHere(ctx context.Context, at state.Attempt, spec *job.Spec, dir string) error {
	name := os.Getenv("SHELL")
	if name == "" {
		name = "sh"
	}
	cmd := exec.CommandContext(ctx, name)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, s.app.streams.In, s.app.streams.Out, s.app.streams.Err
	cmd.Env = append(os.Environ(), "TAFC_SPEC="+filepath.Join(at.Dir, "spec.json"))
	for name, value := range spec.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	for name, value := range s.sensitive(at.Address.Stage) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	fmt.Fprintf(s.app.streams.Err, "The code of %s as it was then, in a folder of its own, with its environment; $TAFC_SPEC is what the task was told. Leave with exit.\n", at.Address)
	return cmd.Run()
}
