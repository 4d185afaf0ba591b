package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/addr"
)

// completeAddress offers the stages of the analysis and, once a stage is written, its tasks of earlier runs. Brackets go without
// quotes, which shells would take away.
func (a *app) completeAddress(in *inputs) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		s := a.completing(args, in)
		if s == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var all []string
		for _, stage := range s.analysis.Stages {
			name := bare(stage.Addr().String())
			all = append(all, name)
			if strings.HasPrefix(word, name+"[") {
				return startingWith(s.completeTasks(c.Context(), stage.Addr()), word), cobra.ShellCompDirectiveNoFileComp
			}
		}
		return startingWith(all, word), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeOutput offers the outputs of the analysis.
func (a *app) completeOutput(in *inputs) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		s := a.completing(args, in)
		if s == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var all []string
		for _, o := range s.analysis.Outputs {
			all = append(all, bare(o.Name))
		}
		return startingWith(all, word), cobra.ShellCompDirectiveDefault
	}
}

// completing loads the analysis of the working directory for the first argument of a verb, nil where that cannot be done: then a
// file name is completed.
func (a *app) completing(args []string, in *inputs) *session {
	if len(args) > 0 {
		return nil
	}
	file, err := findFile(nil, 0)
	if err != nil {
		return nil
	}
	s, err := a.load(file, in)
	if err != nil {
		return nil
	}
	return s
}

// completeTasks are the tasks of a stage without quotes.
func (s *session) completeTasks(ctx context.Context, stage addr.Stage) []string {
	if err := s.openState(ctx, s.in.stateDir(s.analysis.Filename)); err != nil {
		return nil
	}
	defer s.close()
	tasks, _ := s.tasksOf(ctx, stage) // there is nowhere to say why there are none
	for i := range tasks {
		tasks[i] = bare(tasks[i])
	}
	return tasks
}

// tasksOf are the addresses of a stage's tasks that the state remembers.
func (s *session) tasksOf(ctx context.Context, stage addr.Stage) ([]string, error) {
	prior, err := s.state.Prior(ctx, s.analysis.Name)
	if err != nil {
		return nil, err
	}
	var all []string
	for task := range prior {
		if task.Stage == stage && task.Name != "" {
			all = append(all, task.String())
		}
	}
	slices.Sort(all)
	return all, nil
}

func startingWith(all []string, word string) []string {
	var some []string
	for _, x := range all {
		if strings.HasPrefix(x, word) {
			some = append(some, x)
		}
	}
	return some
}
