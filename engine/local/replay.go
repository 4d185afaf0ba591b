package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// ReplayOptions say how to repeat an attempt.
type ReplayOptions struct {
	Executable string   // default: this program
	TaskArgs   []string // default: __task
	Mapper     string   // for images without one; see Options
	Dir        string   // an existing folder for what the task writes
	State      string   // folder of the state, by which containers of killed replays are found
	Process    bool     // a process, even if the attempt ran in a container
	Log        io.Writer
	Secrets    map[string]string // of the stage
	File       string            // only this input file; empty: all
	Record     int64             // only this record of File, counted from 1; 0: all
}

// Spec is what an attempt was told to do. The error says so when the attempt's folder is gone.
func Spec(at state.Attempt) (*job.Spec, error) {
	text, err := os.ReadFile(filepath.Join(at.Dir, "spec.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("what attempt %d of %s was told to do is gone: tafc gc removes that of old runs", at.Attempt, at.Address)
	}
	if err != nil {
		return nil, err
	}
	spec := new(job.Spec)
	if err := json.Unmarshal(text, spec); err != nil {
		return nil, fmt.Errorf("spec of attempt %d of %s: %w", at.Attempt, at.Address, err)
	}
	return spec, nil
}

// Report is what an attempt said at its end; nil when it ended without a word.
func Report(at state.Attempt) (*job.Report, error) {
	spec, err := Spec(at)
	if err != nil {
		return nil, err
	}
	report, err := readReport(at.Dir, *spec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return report, err
}

// Replay carries out an attempt again: the same code and inputs, pinned as they were, the same environment and limits. The state is
// not touched. A task that ends without a report, as when it is killed, is reported like one of an apply.
func Replay(ctx context.Context, at state.Attempt, o ReplayOptions) (*job.Report, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	spec, err := Spec(at)
	if err != nil {
		return nil, err
	}
	if err := restrict(spec, o); err != nil {
		return nil, err
	}
	if err := available(spec); err != nil {
		return nil, err
	}
	if o.Executable == "" {
		if o.Executable, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	if o.TaskArgs == nil {
		o.TaskArgs = []string{"__task"}
	}
	if err := writeSpecFile(o.Dir, *spec); err != nil {
		return nil, err
	}
	in, err := readRanIn(at.Dir)
	if err != nil {
		return nil, err
	}
	if in != nil && !o.Process {
		return o.runContained(ctx, at, spec, in)
	}
	return o.run(ctx, at, spec)
}

// restrict leaves of a spec's input only what is asked for.
func restrict(spec *job.Spec, o ReplayOptions) error {
	if o.File == "" {
		return nil
	}
	for _, f := range spec.Files {
		if f.Key == o.File {
			spec.Files, spec.Only, spec.Mend = []job.File{f}, o.Record, nil
			return nil
		}
	}
	if len(spec.Files) == 0 {
		return fmt.Errorf("%s reads no files but results of other tasks, so there is no record to pick", spec.Task)
	}
	return fmt.Errorf("%s does not read %s; its first file is %s", spec.Task, o.File, spec.Files[0].Key)
}

// available makes sure that what the task stands on is still there.
func available(spec *job.Spec) error {
	if spec.Code != nil {
		if _, err := os.Stat(spec.Code.Dir); err != nil {
			return fmt.Errorf("the code of %s as it was then is gone (%w): tafc gc has removed it", spec.Task, err)
		}
	}
	if m := spec.Mend; m != nil {
		for _, path := range append([]string{m.Quarantine.Path}, paths(m.Parts)...) {
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("the earlier result that %s takes over is gone (%w)", spec.Task, err)
			}
		}
	}
	for _, u := range spec.Upstream {
		for _, p := range u.Parts {
			if _, err := os.Stat(p.Path); err != nil {
				return fmt.Errorf("the result of %s that %s reads is gone (%w)", u.Task, spec.Task, err)
			}
		}
	}
	return nil
}

func paths(parts []job.Part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.Path
	}
	return out
}

func (o ReplayOptions) run(ctx context.Context, at state.Attempt, spec *job.Spec) (*job.Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if limit := spec.Limits.MaxRunTime; limit > 0 {
		time.AfterFunc(limit+10*time.Second, cancel)
	}
	cmd := exec.CommandContext(ctx, o.Executable, append(append([]string{}, o.TaskArgs...), filepath.Join(o.Dir, "spec.json"))...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = o.Dir, o.Log, o.Log
	cmd.Env = append(os.Environ(), markVariable+"="+o.Dir)
	for name, value := range o.Secrets {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	began := time.Now()
	runErr := cmd.Run()
	killMarked(o.Dir)
	at.Dir, at.Started = o.Dir, began
	report, err := readReport(o.Dir, *spec)
	switch {
	case err == nil:
		return report, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case cmd.ProcessState == nil:
		return nil, runErr
	}
	return noReport(at, spec, exit{code: cmd.ProcessState.ExitCode(), text: cmd.ProcessState.String(), killed: killedBySignal(cmd.ProcessState)}), nil
}

// noReport is the report of an attempt that left none.
func noReport(at state.Attempt, spec *job.Spec, x exit) *job.Report {
	cause, message, hint := x.cause(at.Dir, spec.Limits)
	report := failed(emptyReport(at, *spec), cause, message, hint)
	report.Failure.Exit = x.text
	return report
}
