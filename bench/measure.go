package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// sample is one measured run of a program and all that it started.
type sample struct {
	wall   time.Duration
	cpu    time.Duration // user and system time
	memory int64         // bytes, resident, of the largest process; 0 when the system does not tell
	stdout []byte
}

// measureVerb is how this program calls itself to run one program. On Linux the peak of a process's memory begins with that of
// its parent, so the parent must be small.
const measureVerb = "__measure"

// figures are what the small parent says of the program that it ran.
type figures struct {
	Wall, CPU time.Duration
	Memory    int64
}

// measure runs a program. Its processes are its own measure: the time to start it counts.
func measure(ctx context.Context, dir string, env []string, name string, args ...string) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	told, err := os.CreateTemp("", "tafc-bench-figures-")
	if err != nil {
		return sample{}, err
	}
	defer os.Remove(told.Name())
	defer told.Close()
	c := exec.CommandContext(ctx, self, append([]string{measureVerb, told.Name(), name}, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return sample{}, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	var f figures
	if err := json.NewDecoder(told).Decode(&f); err != nil {
		return sample{}, fmt.Errorf("read the figures of %s: %w", name, err)
	}
	return sample{wall: f.Wall, cpu: f.CPU, memory: f.Memory, stdout: stdout.Bytes()}, nil
}

// measured is the small parent: it runs a program and writes its figures to a file.
func measured(file, name string, args []string) error {
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	start := time.Now()
	if err := c.Run(); err != nil {
		return err
	}
	text, err := json.Marshal(figures{
		Wall: time.Since(start), CPU: c.ProcessState.UserTime() + c.ProcessState.SystemTime(), Memory: peakMemory(c.ProcessState),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// subject is one of the things that are measured in alternation.
type subject struct {
	name    string
	run     func(round int) (sample, error)
	samples []sample
}

// alternate runs all subjects once to warm up and then rounds times, in turn, so that what else the computer does hits all.
// Every second round goes backwards: who comes after whom makes no difference either.
func alternate(rounds int, subjects []*subject) error {
	for round := range rounds + 1 {
		order := slices.Clone(subjects)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			got, err := s.run(round)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if round > 0 {
				s.samples = append(s.samples, got)
			}
		}
	}
	return nil
}

func median[T time.Duration | int64](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) time.Duration  { return s.cpu }
func memory(s sample) int64       { return s.memory }

// table writes the subjects as Markdown, with ratios to the last of them.
func table(report *strings.Builder, subjects []*subject) {
	report.WriteString("| | wall, median | fastest–slowest | CPU | largest process | ratio of wall |\n|---|---:|---:|---:|---:|---:|\n")
	base := median(subjects[len(subjects)-1].samples, wall)
	for _, s := range subjects {
		walls := make([]time.Duration, len(s.samples))
		for i, one := range s.samples {
			walls[i] = one.wall
		}
		slices.Sort(walls)
		mem := "unknown"
		if m := median(s.samples, memory); m > 0 {
			mem = fmt.Sprintf("%.0f MiB", float64(m)/(1<<20))
		}
		m := median(s.samples, wall)
		fmt.Fprintf(report, "| %s | %s | %s–%s | %s | %s | %.2f |\n", s.name, seconds(m), seconds(walls[0]), seconds(walls[len(walls)-1]),
			seconds(median(s.samples, cpu)), mem, float64(m)/float64(base))
	}
	report.WriteString("\n")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
