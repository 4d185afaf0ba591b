package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/bench/internal/synthetic"
	"github.com/tafc/tafc/index/sqlite"
)

// benchPlan measures planning many files from an empty state: the text for people and the whole plan as JSON, and, for what
// reading the index alone costs, a query for all its keys.
func benchPlan(ctx context.Context, o options, report *strings.Builder) error {
	dir := filepath.Join(o.dir, "analysis")
	const root = "file:///nowhere/"
	if _, err := sqlite.Write(ctx, filepath.Join(dir, "index.db"), synthetic.New(o.planFiles, root), nil, root); err != nil {
		return err
	}
	state := func(round int, kind string) []string {
		return []string{"TAF_STATE=" + filepath.Join(o.dir, "state", fmt.Sprintf("plan-%s-%d", kind, round))}
	}
	defer os.RemoveAll(filepath.Join(o.dir, "state"))
	subjects := []*subject{
		{name: "`tafc plan -json`", run: func(round int) (sample, error) {
			return measure(ctx, dir, state(round, "json"), o.tafc, "plan", "-json", "plan.taf.hcl")
		}},
		{name: "`tafc plan`", run: func(round int) (sample, error) {
			return measure(ctx, dir, state(round, "text"), o.tafc, "plan", "plan.taf.hcl")
		}},
		{name: "`tafc index query`", run: func(round int) (sample, error) {
			return measure(ctx, dir, state(round, "query"), o.tafc, "index", "query", "plan.taf.hcl")
		}},
	}
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	var plan struct {
		Index struct {
			Files int `json:"files_matched"`
		}
		Summary struct{ Run int }
	}
	if err := json.Unmarshal(subjects[0].samples[0].stdout, &plan); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	if plan.Index.Files != o.planFiles {
		return fmt.Errorf("the plan has %d files of %d", plan.Index.Files, o.planFiles)
	}
	fmt.Fprintf(report, "\n## Planning %d files into %d tasks\n\n", plan.Index.Files, plan.Summary.Run)
	table(report, subjects)
	return nil
}
