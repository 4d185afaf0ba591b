package mapper

import (
	"bufio"
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
	// EnvProgress set to 3 says that descriptor 3 takes progress, one JSON object (job.Progress) a line. An absolute path is that
	// of a named pipe that does.
	EnvProgress = "TAFC_PROGRESS_FD"
	// EnvLifeline set to 1 says that stdin is a pipe which the parent holds open: when it ends, the parent is gone, and the task
	// ends at once.
	EnvLifeline = "TAFC_LIFELINE"
	// EnvStdin set to 1 says that stdin begins with a line of JSON, an object of environment variables for the task and its code. A
	// parent that starts tasks in containers gives secrets this way, because those of the environment can be looked up.
	EnvStdin = "TAFC_STDIN_ENV"
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
	if err := s.readEnv(); err != nil {
		fmt.Fprintf(s.Stderr, "read the environment from standard input: %v\n", err)
		return job.CauseInfrastructure.ExitCode()
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

// readEnv takes environment variables from stdin, where the parent says that they are there.
func (s *Streams) readEnv() error {
	if os.Getenv(EnvStdin) != "1" || s.Stdin == nil {
		return nil
	}
	in := bufio.NewReader(s.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var vars map[string]string
	if err := json.Unmarshal(line, &vars); err != nil {
		return errors.New("the first line is no JSON object of texts") // what the error says may hold a secret
	}
	for name, value := range vars {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	s.Stdin = in
	return os.Unsetenv(EnvStdin)
}

// progress writes to the parent's descriptor, when it gave one. A parent that does not listen is no error.
func progress() func(job.Progress) {
	var f *os.File
	switch to := os.Getenv(EnvProgress); {
	case to == "3":
		closeOnExec(3)
		f = os.NewFile(3, "progress")
	case filepath.IsAbs(to):
		f = openPipe(to)
	}
	if f == nil {
		return nil
	}
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
