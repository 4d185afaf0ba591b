package taskcluster

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
)

// maxRetries is the largest budget that the queue takes.
const maxRetries = 49

// exitPrefix stands before the exit code of the user's program in a policy.
const exitPrefix = "exit:"

// retryExits are the exit codes of the user's program that a policy names.
func retryExits(r engine.Retry) []int {
	var codes []int
	for _, on := range r.On {
		if code, err := strconv.Atoi(strings.TrimPrefix(on, exitPrefix)); err == nil {
			codes = append(codes, code)
		}
	}
	return codes
}

// retries is a retry policy as Taskcluster has it: how many further runs there may be, whatever for, and which exit codes lead to
// one. The exit codes are those of the causes (docs/exit-codes.md).
func (l *lowering) retries(t *engine.Task) (int, []int) {
	var exits []int
	for _, on := range t.Retry.On {
		if strings.HasPrefix(on, exitPrefix) {
			exits = append(exits, agent.ExitAgain)
		} else if cause := job.Cause(on); cause != job.CauseInfrastructure && cause.ExitCode() != job.CauseBug.ExitCode() {
			exits = append(exits, cause.ExitCode())
		}
	}
	slices.Sort(exits)
	exits = slices.Compact(exits)
	budget := max(t.Retry.Attempts-1, 0)
	if budget > maxRetries {
		l.report(func(ps *problems) {
			ps.warn("taskcluster/retry", "Retry policy that Taskcluster does not have",
				"%s: a task may have at most %d further runs, so retry { attempts = %d } counts as %d.", t.Addr.Stage, maxRetries, t.Retry.Attempts, maxRetries+1)
		})
		budget = maxRetries
	}
	if budget == 0 {
		return 0, nil
	}
	return budget, exits
}
