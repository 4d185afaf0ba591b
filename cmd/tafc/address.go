package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
)

// addresses are what an address that was typed means: one task or stage, or all stages of a block with for_each.
func addresses(text string, stages []addr.Stage) ([]addr.Task, error) {
	a, err := addr.Parse(text)
	if err != nil {
		return nil, err
	}
	isStage := func(s addr.Stage) bool { return slices.Contains(stages, s) }
	if a = a.In(isStage); isStage(a.Stage) {
		return []addr.Task{a}, nil
	}
	base, key := addr.Base(a.Stage.Name)
	var all []addr.Task
	var keys []string
	for _, s := range stages {
		if name, k := addr.Base(s.Name); s.Kind == a.Stage.Kind && name == base && k != "" {
			all, keys = append(all, addr.Task{Stage: s}), append(keys, k)
		}
	}
	switch {
	case len(all) > 0 && key == "" && a.Name == "":
		return all, nil
	case len(all) > 0:
		if key == "" {
			key = a.Name
		}
		return nil, fmt.Errorf("the for_each of %s.%s has no element %q.%s It has %s", a.Stage.Kind, base, key, diag.DidYouMean(key, keys), strings.Join(keys, ", "))
	}
	return []addr.Task{a}, nil
}

// addresses are what an address means in the analysis.
func (s *session) addresses(text string) ([]addr.Task, error) {
	var stages []addr.Stage
	for _, x := range s.analysis.Stages {
		stages = append(stages, x.Addr())
	}
	all, err := addresses(text, stages)
	if err != nil {
		return nil, usageError("%w", err)
	}
	return all, nil
}

// pick finds a name among those of blocks. Shells eat quotes, so os[beta] is os["beta"].
func pick(name string, names []string) (string, bool) {
	if base, key := addr.Base(name); key != "" {
		name = addr.Instance(base, key)
	}
	return name, slices.Contains(names, name)
}

// bare is an address without quotes, which shells would take away.
func bare(address string) string { return strings.ReplaceAll(address, `"`, "") }
