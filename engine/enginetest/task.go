package enginetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/tafc/tafc/runtime/job"
)

// FinishedVariable names, in a spec's environment, a file to which Task appends the task's address after its report.
const FinishedVariable = "ENGINETEST_FINISHED"

// Task carries out the spec in a file: its command over the lines of its files or upstream parts. It returns the exit code.
func Task(specPath string) int {
	if os.Getenv("TAFC_LIFELINE") == "1" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // ends when the parent is gone
			os.Exit(1)
		}()
	}
	dir := filepath.Dir(specPath)
	text, err := os.ReadFile(specPath)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return job.CauseBadSpec.ExitCode()
	}
	var spec job.Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return job.CauseBadSpec.ExitCode()
	}
	report := &job.Report{
		Version: job.Version, Task: spec.Task, Key: spec.Key, Attempt: spec.Attempt, Cause: job.CauseDone,
		Form: job.FormPairs, Started: time.Now(),
	}
	if err := work(dir, &spec, report); err != nil {
		report.Cause = job.CauseCode
		report.Failure = &job.Failure{Message: err.Error()}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			report.Failure.Exit = exit.String()
		}
	}
	report.Finished = time.Now()
	if err := writeReport(dir, report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return job.CauseWrite.ExitCode()
	}
	if file := spec.Env[FinishedVariable]; file != "" && report.Cause == job.CauseDone {
		if err := appendLine(file, spec.Task); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	return report.Cause.ExitCode()
}

func work(dir string, spec *job.Spec, report *job.Report) error {
	input, err := gather(spec, report)
	if err != nil {
		return err
	}
	output := input
	if len(spec.Command) > 0 {
		cmd := exec.Command(spec.Command[0], spec.Command[1:]...)
		cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(input), os.Stderr
		cmd.Env = append(os.Environ(), fmt.Sprintf("ATTEMPT=%d", spec.Attempt), fmt.Sprintf("MEMORY=%d", spec.Limits.Memory))
		for k, v := range spec.Env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		if output, err = cmd.Output(); err != nil {
			return err
		}
	}
	return writeParts(dir, spec, report, output)
}

// gather reads all input and counts it.
func gather(spec *job.Spec, report *job.Report) ([]byte, error) {
	var input []byte
	for _, f := range spec.Files {
		u, err := url.Parse(f.URL)
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(filepath.FromSlash(u.Path))
		if err != nil {
			return nil, err
		}
		input = append(input, b...)
		report.Ledger.Files.Planned++
		report.Ledger.Files.Done++
	}
	for _, u := range spec.Upstream {
		report.Covers.Add(u.Covers)
		report.Partial = report.Partial || u.Partial
		for _, p := range u.Parts {
			b, err := os.ReadFile(p.Path)
			if err != nil {
				return nil, err
			}
			input = append(input, b...)
		}
	}
	report.Ledger.Records.Read = int64(bytes.Count(input, []byte("\n")))
	report.Ledger.Records.Mapped = report.Ledger.Records.Read
	if len(spec.Files) > 0 {
		report.Covers.Add(report.Ledger)
	}
	return input, nil
}

// writeParts writes the sorted lines of each partition.
func writeParts(dir string, spec *job.Spec, report *job.Report, output []byte) error {
	lines := strings.SplitAfter(string(output), "\n")
	slices.Sort(lines)
	parts := make([][]byte, spec.Partitions)
	counts := make([]int64, spec.Partitions)
	for _, line := range lines {
		if line == "" {
			continue
		}
		key, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		i := xxhash.Sum64String(key) % uint64(spec.Partitions)
		parts[i] = append(parts[i], line...)
		counts[i]++
		report.Ledger.Records.Emitted++
	}
	for i, data := range parts {
		name := fmt.Sprintf("part-%04d", i)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		report.Parts = append(report.Parts, job.Part{
			Partition: i, Path: name, Digest: hex.EncodeToString(sum[:]), Size: int64(len(data)), Pairs: counts[i],
		})
	}
	return nil
}

func writeReport(dir string, report *job.Report) error {
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "report.json.new")
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, "report.json"))
}

func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}
