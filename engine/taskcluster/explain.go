package taskcluster

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tafc/tafc/internal/lazy"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// What the log of a worker says of the end of a task.
var (
	killedPattern    = lazy.Regexp(`(?i)\b(exit (code|status):? 137|signal: killed|oom-?kill|out of memory)\b`)
	timeoutPattern   = lazy.Regexp(`(?i)max ?run ?time (of \S+ )?(exceeded|reached)|aborted.*maxRunTime|task (aborted|killed).*(timeout|max run time)`)
	malformedPattern = lazy.Regexp(`(?im)^.*(malformed[- ]payload|does not match json schema|validation error|not enabled on this worker).*$`)
)

// explainRun says what the end of a run means that left no report. log is the end of its log; nil when it was not looked at.
func explainRun(run taskcluster.Run, log []byte) (cause job.Cause, message, hint string) {
	switch run.ReasonResolved {
	case taskcluster.ReasonClaimExpired:
		return job.CauseInfrastructure, "the worker vanished (claim-expired)", "a machine that runs out of memory vanishes like that, too"
	case taskcluster.ReasonWorkerShutdown:
		return job.CauseInfrastructure, "the worker was shut down", ""
	case taskcluster.ReasonIntermittentTask:
		return job.CauseInfrastructure, "the task ended with an exit code that leads to another run", ""
	case taskcluster.ReasonDeadlineExceeded:
		return job.CauseTimeout, "the deadline of the run was over", "make deadline of the engine longer"
	case taskcluster.ReasonMalformedPayload:
		return job.CauseBadSpec, "the worker refuses the task" + line(malformedPattern(), log), "compare the block engine with what the workers of the queue take: payload, features, caches"
	case taskcluster.ReasonResourceUnavailable:
		return job.CauseInfrastructure, "something that the worker needs was not available (resource-unavailable)", "the log of the task says what; tafc retry tries again"
	case taskcluster.ReasonInternalError:
		return job.CauseInfrastructure, "the worker could not run the task (internal-error)", "most often the image cannot be pulled: check its name, and that workers may read the registry"
	}
	switch {
	case killedPattern().Match(log):
		return job.CauseMemory, "the task was killed, most likely for want of memory", "give the stage less to hold (memory, smaller batches), or a queue with larger workers"
	case timeoutPattern().Match(log):
		return job.CauseTimeout, "the worker ended the task because it took too long", "make max_run_time longer, or batches smaller"
	}
	return job.CauseInfrastructure, fmt.Sprintf("the task ended (%s) without a report", strings.Join(words(string(run.State), run.ReasonResolved), ", ")), "look at its log: tafc logs"
}

// words are those that are not empty, each once.
func words(all ...string) []string {
	var out []string
	for i, w := range all {
		if w != "" && (i == 0 || w != all[i-1]) {
			out = append(out, w)
		}
	}
	return out
}

// line is the first line of a log that a pattern finds, behind a colon.
func line(pattern *regexp.Regexp, log []byte) string {
	found := pattern.Find(log)
	if found == nil {
		return ""
	}
	return ": " + cut(strings.TrimSpace(string(found)), 300)
}

// explainAll says what the runs of a task mean together. A task whose every run took its worker along has most likely filled its memory.
func explainAll(s *taskcluster.Status, log []byte) (job.Cause, string, string) {
	last, _ := s.LatestRun()
	expired := 0
	for _, r := range s.Runs {
		if r.ReasonResolved == taskcluster.ReasonClaimExpired {
			expired++
		}
	}
	if expired > 1 && expired == len(s.Runs) {
		return job.CauseMemory, fmt.Sprintf("the worker vanished in each of %d runs (claim-expired), most likely for want of memory", expired),
			"give the stage less to hold (memory, smaller batches), or a queue with larger workers"
	}
	return explainRun(last, log)
}
