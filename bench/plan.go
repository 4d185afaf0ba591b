package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tafc/tafc/bench/internal/synthetic"
	"github.com/tafc/tafc/index/sqlite"
)

// planBench is one size of the planning benchmark: a folder with the analysis, the index and what the peers need.
type planBench struct {
	o     options
	files int
	dir   string
}

// newPlanBench makes the folder, unless it is there.
func newPlanBench(ctx context.Context, o options, files int) (*planBench, error) {
	b := &planBench{o: o, files: files, dir: filepath.Join(o.dir, "plan-"+strconv.Itoa(files))}
	for _, name := range []string{"plan.taf.hcl", "count.py"} {
		text, err := os.ReadFile(filepath.Join(o.dir, "analysis", name))
		if err == nil {
			err = os.MkdirAll(b.dir, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(b.dir, name), text, 0o644)
		}
		if err != nil {
			return nil, err
		}
	}
	const root = "file:///nowhere/"
	src := synthetic.New(files, root)
	if _, err := os.Stat(filepath.Join(b.dir, "index.db")); err != nil {
		if _, err := sqlite.Write(ctx, filepath.Join(b.dir, "index.db"), src, nil, root); err != nil {
			return nil, err
		}
	}
	return b, writeRaw(ctx, filepath.Join(b.dir, "raw.db"), src)
}

// state is the folder of a state for one kind of plan.
func (b *planBench) state(kind string) string { return filepath.Join(b.dir, "state-"+kind) }

// plan measures tafc plan. A cold plan finds nothing that an earlier one remembered.
func (b *planBench) plan(ctx context.Context, state string, fresh, cold bool, args ...string) (sample, error) {
	if fresh {
		if err := os.RemoveAll(state); err != nil {
			return sample{}, err
		}
	}
	if cold {
		if err := os.RemoveAll(filepath.Join(state, "cache")); err != nil {
			return sample{}, err
		}
	}
	return measure(ctx, b.dir, []string{"TAF_STATE=" + state}, b.o.tafc, append(append([]string{"plan"}, args...), "plan.taf.hcl")...)
}

// benchPlan measures planning from nothing, from what an earlier plan remembered and after everything was applied, against reading the rows
// of the index alone and against peers; then how the cost grows with the number of files.
func benchPlan(ctx context.Context, o options, report *strings.Builder) error {
	b, err := newPlanBench(ctx, o, o.planFiles)
	if err != nil {
		return err
	}
	if err := b.apply(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	raw := func(connections string) func(int) (sample, error) {
		return func(int) (sample, error) {
			return measure(ctx, b.dir, nil, self, rawVerb, "raw.db", connections)
		}
	}
	subjects := []*subject{
		{name: "`tafc plan`, from nothing", run: func(int) (sample, error) { return b.plan(ctx, b.state("cold"), true, true) }},
		{name: "`tafc plan`, the index unchanged since the last plan", run: func(int) (sample, error) { return b.plan(ctx, b.state("cold"), false, false) }},
		{name: "`tafc plan` after a full apply, nothing remembered", run: func(int) (sample, error) { return b.plan(ctx, b.state("applied"), false, true) }},
		{name: "`tafc plan` after a full apply", run: func(int) (sample, error) { return b.plan(ctx, b.state("applied"), false, false) }},
		{name: "`tafc plan -json`, from nothing", run: func(int) (sample, error) { return b.plan(ctx, b.state("json"), true, true, "-json") }},
		{name: "reading the rows, two connections", run: raw("2")},
	}
	peers, absent, err := b.peers(ctx)
	if err != nil {
		return err
	}
	subjects = append(append(subjects, peers...), &subject{name: "reading the rows, one connection", run: raw("1")})
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	tasks, err := b.check(subjects[4].samples[0].stdout)
	if err != nil {
		return err
	}
	fmt.Fprintf(report, "\n## Planning %d files into %d tasks\n\n", b.files, tasks)
	table(report, subjects)
	report.WriteString("Reading the rows: key, size, ETag and six dimensions of a plain table, through zombiezen.com/go/sqlite.\n")
	slow, err := b.slowPeers(ctx)
	if err != nil {
		return err
	}
	for _, line := range append(absent, slow...) {
		fmt.Fprintf(report, "\n%s\n", line)
	}
	return benchCurve(ctx, o, report)
}

// check makes sure that the plan is what it should be, and returns the number of tasks.
func (b *planBench) check(stdout []byte) (int, error) {
	var plan struct {
		Index struct {
			Files int `json:"files_matched"`
		}
		Summary struct{ Run int }
	}
	if err := json.Unmarshal(stdout, &plan); err != nil {
		return 0, fmt.Errorf("read the plan: %w", err)
	}
	if plan.Index.Files != b.files {
		return 0, fmt.Errorf("the plan has %d files of %d", plan.Index.Files, b.files)
	}
	return plan.Summary.Run, nil
}

// point is one size of the curve.
type point struct {
	Files                int
	Cold, Warm, Raw      time.Duration
	ColdMemory, ColdCPU  int64
	WarmMemory, TextRows int64
}

// benchCurve measures how the cost of a plan grows with the number of files.
func benchCurve(ctx context.Context, o options, report *strings.Builder) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var points []point
	for _, text := range strings.Split(o.planSizes, ",") {
		files, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-plan-sizes: %w", err)
		}
		b, err := newPlanBench(ctx, o, files)
		if err != nil {
			return err
		}
		subjects := []*subject{
			{name: "cold", run: func(int) (sample, error) { return b.plan(ctx, b.state("cold"), true, true) }},
			{name: "warm", run: func(int) (sample, error) { return b.plan(ctx, b.state("cold"), false, false) }},
			{name: "raw", run: func(int) (sample, error) { return measure(ctx, b.dir, nil, self, rawVerb, "raw.db", "1") }},
		}
		if err := alternate(min(3, o.rounds), subjects); err != nil {
			return err
		}
		cold, warm := subjects[0].samples, subjects[1].samples
		points = append(points, point{
			Files: files, Cold: median(cold, wall), Warm: median(warm, wall), Raw: median(subjects[2].samples, wall),
			ColdMemory: median(cold, memory), WarmMemory: median(warm, memory), ColdCPU: int64(median(cold, cpu)),
			TextRows: int64(strings.Count(string(cold[0].stdout), "\n")),
		})
	}
	curve(report, points)
	if o.out == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(filepath.Dir(o.out), "plan.svg"), plot(points), 0o644)
}

// curve writes the points as Markdown.
func curve(report *strings.Builder, points []point) {
	report.WriteString("\n### How it grows\n\n![microseconds a file, from ten thousand to ten million files](plan.svg)\n\n")
	report.WriteString("| files | from nothing | CPU | µs a file | largest process | lines of text | index unchanged | its process | reading the rows |\n")
	report.WriteString("|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, p := range points {
		fmt.Fprintf(report, "| %d | %s | %s | %.2f | %.0f MiB | %d | %s | %.0f MiB | %s |\n", p.Files, seconds(p.Cold), seconds(time.Duration(p.ColdCPU)),
			perFile(p.Cold, p.Files), mib(p.ColdMemory), p.TextRows, seconds(p.Warm), mib(p.WarmMemory), seconds(p.Raw))
	}
}

func perFile(d time.Duration, files int) float64 { return float64(d.Microseconds()) / float64(files) }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
