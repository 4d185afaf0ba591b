package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// cancelWait is how long a stopped apply may take to stop its tasks.
const cancelWait = 30 * time.Second

func (a *app) cancelVerb() *cobra.Command {
	var in inputs
	c := &cobra.Command{
		Use:   "cancel [FILE]",
		Short: "Stop a running apply; the next one goes on from there",
		Args:  positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.existing(c.Context(), args, 0, &in)
			if err != nil {
				return err
			}
			defer s.close()
			if done, err := s.cancelRemote(c.Context()); done || err != nil {
				return err
			}
			holder, err := s.state.Holder()
			if err != nil {
				return err
			}
			if holder == nil {
				fmt.Fprintln(a.streams.Out, "Nothing is running here.")
				return nil
			}
			host, err := os.Hostname()
			if err == nil && holder.Host != host {
				return fmt.Errorf("tafc %s (pid %d) runs on %s: cancel it there", holder.Command, holder.PID, holder.Host)
			}
			process, err := os.FindProcess(holder.PID)
			if err == nil {
				err = process.Signal(syscall.SIGTERM)
			}
			if err != nil {
				return fmt.Errorf("stop tafc %s (pid %d): %w", holder.Command, holder.PID, err)
			}
			for deadline := time.Now().Add(cancelWait); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				if now, err := s.state.Holder(); err == nil && (now == nil || now.PID != holder.PID) {
					fmt.Fprintf(a.streams.Out, "Stopped tafc %s (pid %d). What had finished is kept; tafc apply goes on.\n", holder.Command, holder.PID)
					return nil
				}
			}
			return fmt.Errorf("tafc %s (pid %d) was told to stop and still runs", holder.Command, holder.PID)
		},
	}
	in.stateFlag(c.Flags())
	in.varFlags(c.Flags())
	return c
}
