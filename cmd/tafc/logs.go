package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/state"
)

// logPoll is how often a followed log is looked at.
const logPoll = 200 * time.Millisecond

func (a *app) logsVerb() *cobra.Command {
	var in inputs
	var follow, events bool
	var attempt int
	c := &cobra.Command{
		Use:     "logs ADDRESS [FILE]",
		Short:   "Print the log of a task's last attempt",
		Example: "  tafc logs -f 'map.by_os[20140308/0110]'\n  tafc logs -events reduce.total",
		Args:    positional(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := addr.Parse(args[0]); err != nil {
				return usageError("%w", err)
			}
			s, err := a.existing(c.Context(), args, 1, &in)
			if err != nil {
				return err
			}
			defer s.close()
			meant, err := s.addresses(args[0])
			if err != nil {
				return err
			}
			if len(meant) > 1 {
				return usageError("%s is several stages: name one, such as %s", args[0], meant[0])
			}
			if done, err := s.remoteLog(c.Context(), meant[0], attempt, events, follow); done || err != nil {
				return err
			}
			at, err := s.findAttempt(c.Context(), meant[0], attempt)
			if err != nil {
				return err
			}
			name := "log.txt"
			if events {
				name = "events.jsonl"
			}
			return s.printLog(c.Context(), *at, name, follow)
		},
	}
	c.ValidArgsFunction = a.completeAddress(&in)
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the attempt ends")
	c.Flags().BoolVar(&events, "events", false, "print the event log (JSON, a line each) instead")
	c.Flags().IntVar(&attempt, "attempt", 0, "this attempt of the last run instead of its last")
	return c
}

// findAttempt is an attempt of the newest run that ran the task; number 0 means its last.
func (s *session) findAttempt(ctx context.Context, address addr.Task, number int) (*state.Attempt, error) {
	attempts, err := s.state.Attempts(ctx, s.analysis.Name, address)
	if err != nil {
		return nil, err
	}
	for i, at := range attempts {
		if at.RunID == attempts[0].RunID && (number == 0 || at.Attempt == number) {
			return &attempts[i], nil
		}
	}
	if number > 0 && len(attempts) > 0 {
		return nil, fmt.Errorf("%s has no attempt %d in its last run; it has %d", address, number, attempts[0].Attempt)
	}
	tasks, err := s.tasksOf(ctx, address.Stage)
	if err != nil {
		return nil, err
	}
	if address.Name == "" && len(tasks) > 0 {
		return nil, usageError("%s has several tasks: name one, such as %s", address, tasks[0])
	}
	return nil, fmt.Errorf("%s has not run here: its log is with the run that made its result, or it has none; tafc status lists what ran", address)
}

func (s *session) printLog(ctx context.Context, at state.Attempt, name string, follow bool) error {
	f, err := os.Open(filepath.Join(at.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the log of attempt %d of %s is gone: tafc gc removes those of old runs", at.Attempt, at.Address)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		if _, err := io.Copy(s.app.streams.Out, f); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		if !follow {
			return nil
		}
		running, err := s.isRunning(ctx, at)
		if err != nil || !running {
			// What was written before it ended may have come after the copy.
			_, copyErr := io.Copy(s.app.streams.Out, f)
			return errors.Join(err, copyErr)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(logPoll):
		}
	}
}

func (s *session) isRunning(ctx context.Context, at state.Attempt) (bool, error) {
	holder, err := s.state.Holder()
	if err != nil || holder == nil {
		return false, err
	}
	running, err := s.state.RunningAttempts(ctx)
	for _, r := range running {
		if r.RunID == at.RunID && r.Address == at.Address && r.Attempt == at.Attempt {
			return true, nil
		}
	}
	return false, err
}
