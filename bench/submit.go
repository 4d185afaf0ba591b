package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tafc/tafc/bench/internal/synthetic"
	"github.com/tafc/tafc/index/sqlite"
)

// submitBench is a folder with an analysis of some 10,000 tasks, and what the engine sends of it.
type submitBench struct {
	o     options
	dir   string
	tasks string // file for the bare loop
	sent  int    // tasks that the engine creates
}

// benchSubmit measures how fast the engine creates tasks, against a bare loop that puts the same definitions to the same kind of server.
func benchSubmit(ctx context.Context, o options, report *strings.Builder) error {
	b := &submitBench{o: o, dir: filepath.Join(o.dir, "submit")}
	b.tasks = filepath.Join(b.dir, "tasks.jsonl")
	if err := b.prepare(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	subjects := []*subject{
		{name: "`tafc run -engine taskcluster`", run: func(round int) (sample, error) { return b.engine(ctx, round) }},
		{name: "a bare loop of signed PUTs", run: func(int) (sample, error) { return b.created(ctx, b.sent, nil, self, putVerb, b.tasks) }},
	}
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	fmt.Fprintf(report, "\n## Creating %d tasks on Taskcluster\n\n| | tasks a second, median | slowest–fastest | ratio |\n|---|---:|---:|---:|\n", b.sent)
	rate := func(d time.Duration) float64 { return float64(b.sent) / d.Seconds() }
	base := rate(median(subjects[1].samples, wall))
	for _, s := range subjects {
		var walls []time.Duration
		for _, one := range s.samples {
			walls = append(walls, one.wall)
		}
		m := rate(median(s.samples, wall))
		fmt.Fprintf(report, "| %s | %.0f | %.0f–%.0f | %.2f |\n", s.name, m, rate(slices.Max(walls)), rate(slices.Min(walls)), m/base)
	}
	fmt.Fprintf(report, "\nThe server is the double of the tests, in a process of its own on the same cores, and new for each round. Counted is the time from the first createTask that it gets to the answer of the last one. "+
		"The bare loop has the same definitions ready in memory, %d calls at a time; the engine makes them, and records what it sends.\n", putParallel)
	return nil
}

// prepare makes the folder, unless it is there.
func (b *submitBench) prepare(ctx context.Context) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"submit.taf.hcl", "count.py"} {
		text, err := os.ReadFile(filepath.Join(b.o.dir, "analysis", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(b.dir, name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	index := filepath.Join(b.dir, "index.db")
	if _, err := os.Stat(index); err == nil {
		return nil
	}
	const root = "https://data.example.com/"
	_, err := sqlite.Write(ctx, index, synthetic.New(110_000, root), nil, root)
	return err
}

// engine lets tafc submit the analysis. What it sends in the first round is what the bare loop sends in all.
func (b *submitBench) engine(ctx context.Context, round int) (sample, error) {
	state := filepath.Join(b.dir, "state")
	if err := os.RemoveAll(state); err != nil {
		return sample{}, err
	}
	env := []string{
		"TAF_STATE=" + state, "TAF_QUEUE=proj-taf/bench", "TAF_OWNER=bench@example.com", "TAF_SOURCE=https://example.com/bench",
		"TAF_IMAGE=example.com/taf@sha256:" + strings.Repeat("0", 64),
	}
	return b.created(ctx, 0, env, b.o.tafc, "run", "-engine", "taskcluster", "submit.taf.hcl")
}

// created runs a program until it has created so many tasks; 0 is until it starts the gate, before which all are created. It is then killed.
func (b *submitBench) created(ctx context.Context, want int, env []string, name string, args ...string) (sample, error) {
	server, err := startDouble(ctx)
	if err != nil {
		return sample{}, err
	}
	defer server.stop()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = b.dir, append(append(os.Environ(), server.env...), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		return sample{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return sample{}, fmt.Errorf("%s ended before all tasks were created: %v\n%s", name, err, out.Bytes())
		case <-tick.C:
		}
		seen, err := server.seen()
		if err != nil {
			return sample{}, err
		}
		if want == 0 && !seen.Started || seen.Created < want || seen.Created == 0 {
			continue
		}
		if err := c.Process.Kill(); err != nil {
			return sample{}, err
		}
		<-ended
		if want == 0 {
			b.sent = seen.Created
			err = server.save(b.tasks)
		}
		return sample{wall: seen.Took}, err
	}
}
