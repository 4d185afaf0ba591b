package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/state"
)

// sampledTasks is how many tasks of a stage are run a second time.
const sampledTasks = 3

// checkDeterminism runs a sample of each stage's tasks a second time, each over the same input as the first time, and compares the bytes of
// the results. Tasks are chosen by their keys: by chance, but the same ones each time.
func (s *session) checkDeterminism(ctx context.Context, p *plan.Plan) error {
	byStage := map[addr.Stage][]plan.Change{}
	var stages []addr.Stage
	for _, c := range p.Changes {
		if c.Task == nil || c.Idle {
			continue
		}
		if byStage[c.Addr.Stage] == nil {
			stages = append(stages, c.Addr.Stage)
		}
		byStage[c.Addr.Stage] = append(byStage[c.Addr.Stage], c)
	}
	tasks, differ := 0, 0
	for _, stage := range stages {
		changes := byStage[stage]
		slices.SortFunc(changes, func(a, b plan.Change) int { return cmp.Compare(a.Task.Key, b.Task.Key) })
		checked, same := 0, true
		for _, c := range changes {
			if checked == sampledTasks || !same {
				break
			}
			found, difference, err := s.twice(ctx, p, c)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			checked++
			if same = difference == ""; !same {
				differ++
				fmt.Fprintf(s.app.streams.Err, "%s is not deterministic: %s, run twice over the same input, gave two results. %s\n", stage, c.Addr, difference)
			}
		}
		tasks += checked
	}
	switch {
	case differ > 0:
		return &exit{exitFailed, errors.New("no output was written. Does the code depend on time, chance, the order of a set or a file system, or something outside of its input?")}
	case tasks == 0:
		fmt.Fprintln(s.app.streams.Err, "Determinism: nothing was checked, because what the tasks were told is gone: tafc gc removes that of old runs.")
	default:
		fmt.Fprintf(s.app.streams.Err, "Determinism: %d tasks of %d stages were run a second time, and gave the same bytes.\n", tasks, len(stages))
	}
	return nil
}

// twice runs the attempt that made a task's result again. found is false when that cannot be done, because there is no result, or nobody knows
// any more how it was made.
func (s *session) twice(ctx context.Context, p *plan.Plan, c plan.Change) (found bool, difference string, err error) {
	result, err := s.state.Result(ctx, c.Task.Key)
	if errors.Is(err, state.ErrNoResult) || errors.Is(err, state.ErrResultMissing) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	attempts, err := s.state.Attempts(ctx, p.Analysis, c.Addr)
	if err != nil {
		return false, "", err
	}
	i := slices.IndexFunc(attempts, func(at state.Attempt) bool { return at.State == state.AttemptDone && at.Key == c.Task.Key })
	if i < 0 {
		return false, "", nil
	}
	if _, err := local.Spec(attempts[i]); err != nil {
		return false, "", nil // gone
	}
	secrets, err := s.secrets(p)
	if err != nil {
		return false, "", err
	}
	dir, err := os.MkdirTemp("", "tafc-twice-")
	if err != nil {
		return false, "", err
	}
	defer os.RemoveAll(dir)
	again, err := local.Replay(ctx, attempts[i], local.ReplayOptions{
		Dir: dir, State: s.state.Dir(), Mapper: os.Getenv("TAF_MAPPER"), Log: io.Discard, Secrets: secrets[c.Addr.Stage],
	})
	if err != nil || ctx.Err() != nil {
		return false, "", cmp.Or(err, ctx.Err())
	}
	if again.Cause != job.CauseDone {
		return true, fmt.Sprintf("The second run failed (%s): %s.", again.Cause, again.Failure.Message), nil
	}
	for i := range again.Parts {
		again.Parts[i].Path = filepath.Join(dir, again.Parts[i].Path)
	}
	if slices.EqualFunc(result.Report.Parts, again.Parts, sameContent) {
		return true, "", nil
	}
	difference, err = firstDifference(result.Report.Parts, again.Parts)
	return true, difference, err
}

// firstDifference says which pair is the first in which two results differ.
func firstDifference(a, b []job.Part) (string, error) {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) {
			return fmt.Sprintf("They have %d and %d partitions.", len(a), len(b)), nil
		}
		if sameContent(a[i], b[i]) {
			continue
		}
		difference, err := partDifference(a[i], b[i])
		if difference != "" || err != nil {
			return difference, err
		}
	}
	return "They hold the same pairs in other bytes.", nil
}

func partDifference(a, b job.Part) (string, error) {
	first, err := pairs.Part(a)()
	if err != nil {
		return "", err
	}
	defer first.Close()
	second, err := pairs.Part(b)()
	if err != nil {
		return "", err
	}
	defer second.Close()
	for {
		k1, v1, err1 := first.Next()
		k2, v2, err2 := second.Next()
		switch {
		case err1 != nil && err1 != io.EOF:
			return "", err1
		case err2 != nil && err2 != io.EOF:
			return "", err2
		case err1 == io.EOF && err2 == io.EOF:
			return "", nil
		case err2 == io.EOF, err1 == nil && bytes.Compare(k1, k2) < 0:
			return fmt.Sprintf("The first key that differs, %s, is only in the first result, with %s.", keyText(k1), valueText(v1)), nil
		case err1 == io.EOF, bytes.Compare(k1, k2) > 0:
			return fmt.Sprintf("The first key that differs, %s, is only in the second result, with %s.", keyText(k2), valueText(v2)), nil
		case !bytes.Equal(v1, v2):
			return fmt.Sprintf("The first key that differs is %s: first %s, then %s.", keyText(k1), valueText(v1), valueText(v2)), nil
		}
	}
}

func keyText(key []byte) string {
	text, err := pairs.AppendJSON(nil, key)
	if err != nil {
		return fmt.Sprintf("%q", key)
	}
	return valueText(text)
}

// valueText is a value that fits into a sentence.
func valueText(value []byte) string {
	const most = 100
	switch {
	case len(value) == 0:
		return "no value"
	case len(value) > most:
		return string(bytes.ToValidUTF8(value[:most], nil)) + "…"
	}
	return string(value)
}
