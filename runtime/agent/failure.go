package agent

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/tafc/tafc/runtime/job"
)

// Failure is why a task failed before or after the work itself.
type Failure struct {
	Cause   job.Cause
	Message string
	Hint    string
	Stack   string
}

func (f *Failure) Error() string { return f.Message }

// explain finds the cause of an error.
func explain(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Cause: job.CauseBug, Message: err.Error(), Hint: "this is a bug of tafc: please report it with this message"}
}

// failed is the report of a task that did nothing.
func (a *agent) failed(spec *job.Spec, f *Failure) *job.Report {
	r := &job.Report{
		Version: job.Version, Task: spec.Task, Key: spec.Key, Attempt: a.attempt, Cause: f.Cause, Started: a.begin.UTC(), Finished: time.Now().UTC(),
		Failure: &job.Failure{Message: f.Message, Hint: f.Hint, Stack: f.Stack}, Seconds: map[string]float64{"total": time.Since(a.begin).Seconds()},
	}
	r.Ledger.Files.Planned = int64(len(spec.Files))
	r.Ledger.Files.Failed = r.Ledger.Files.Planned
	return r
}

func marshal(r *job.Report) ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}
