package mapper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/runtime/job"
)

// Streams are what a task process has of its parent.
type Streams struct {
	Stdin  io.Reader
	Stdout io.Writer // the log for people
	Stderr io.Writer // what keeps a task from having a report
}

// Environment variables by which a parent says what it gives a task.
const (
	// EnvProgress set to 3 says that descriptor 3 takes progress, one JSON object (job.Progress) a line.
	EnvProgress = "TAFC_PROGRESS_FD"
	// EnvLifeline set to 1 says that stdin is a pipe which the parent holds open: when it ends, the parent is gone, and the task
	// ends at once.
	EnvLifeline = "TAFC_LIFELINE"
)

// ExitInterrupted is the exit code of a task that was told to stop. It has no report.
const ExitInterrupted = 130

// SpecVersion is the version of the Specs that Main takes, ExitUsage its exit code for wrong usage and for bad Specs.
const (
	SpecVersion = job.Version
	ExitUsage   = 64
)

// ReportFile is the name of the report beside the spec.
const ReportFile = "report.json"

// Main is a task process: it reads the Spec, carries it out in the Spec's folder, writes report.json there as the last thing, and
// returns the exit code of docs/exit-codes.md. ctx ends the task without a report.
func Main(ctx context.Context, specPath string, s Streams) int {
	if runtime.GOOS == "windows" {
		fmt.Fprintln(s.Stderr, "tasks cannot be run on Windows: run them on Linux or macOS, for example in WSL")
		return job.CauseBadSpec.ExitCode()
	}
	data, err := os.ReadFile(specPath)
	if err != nil {
		fmt.Fprintf(s.Stderr, "read spec: %v\n", err)
		return job.CauseBadSpec.ExitCode()
	}
	dir := filepath.Dir(specPath)
	if err := os.Remove(filepath.Join(dir, ReportFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(s.Stderr, "remove old report: %v\n", err)
		return job.CauseWrite.ExitCode()
	}
	spec, err := DecodeSpec(data)
	if err != nil {
		fmt.Fprintln(s.Stderr, err)
		return conclude(dir, refused(data, err), s)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if os.Getenv(EnvLifeline) == "1" && s.Stdin != nil {
		go func() {
			_, _ = io.Copy(io.Discard, s.Stdin)
			cancel()
		}()
	}
	Bound(spec)
	report := Run(ctx, spec, dir, Options{Log: s.Stdout, Progress: progress()})
	if report == nil {
		return ExitInterrupted
	}
	return conclude(dir, report, s)
}

// Bound keeps the memory of this process below its share of what the task may use, where the Spec says how much that is.
func Bound(spec *job.Spec) {
	if spec.Limits.Memory > 0 {
		// What the collector and the decompressors may hold leaves room below this; the collector of garbage works harder near it.
		debug.SetMemoryLimit(share(spec))
		debug.SetGCPercent(gcPercent)
	}
}

// refused is the report of a spec that makes no sense.
func refused(data []byte, err error) *job.Report {
	var who struct {
		Task    string `json:"task"`
		Key     string `json:"key"`
		Attempt int    `json:"attempt"`
	}
	_ = json.Unmarshal(data, &who) // as much of it as can be read
	return &job.Report{Version: job.Version, Task: who.Task, Key: who.Key, Attempt: who.Attempt, Cause: job.CauseBadSpec,
		Failure: &job.Failure{Message: err.Error()}, Seconds: map[string]float64{}}
}

// progress writes to the parent's descriptor, when it gave one. A parent that does not listen is no error.
func progress() func(job.Progress) {
	if os.Getenv(EnvProgress) != "3" {
		return nil
	}
	closeOnExec(3)
	f := os.NewFile(3, "progress")
	return func(p job.Progress) {
		if line, err := json.Marshal(p); err == nil {
			_, _ = f.Write(append(line, '\n'))
		}
	}
}

func conclude(dir string, report *job.Report, s Streams) int {
	if err := writeReport(filepath.Join(dir, ReportFile), report); err != nil {
		fmt.Fprintf(s.Stderr, "write report: %v\n", err)
		return job.CauseWrite.ExitCode()
	}
	return report.Cause.ExitCode()
}

// writeReport writes a report so that it is there whole or not at all.
func writeReport(path string, report *job.Report) error {
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(data, '\n'), 0o644)
}
