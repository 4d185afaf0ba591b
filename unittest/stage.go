package unittest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/runtime/pairs"
)

// outcome is what the stages of a test made of its input.
type outcome struct {
	stage  addr.Stage // the last that ran
	report *job.Report
	dir    string // of the report
	bad    []string
	log    []string
}

// tolerateAll is a number of bad records that no test has.
const tolerateAll = 1 << 40

// run gives the input of a test to its stage: pairs directly, records and files through all stages below. It ends at the first
// stage that fails.
func (r *runner) run(ctx context.Context, t *lang.Test, dir string, seen *evidence) (*outcome, error) {
	chain := r.chain(t)
	var ups []job.Upstream
	if t.Pairs != nil {
		chain = chain[len(chain)-1:]
		in := filepath.Join(dir, "input")
		if err := os.MkdirAll(in, 0o755); err != nil {
			return nil, err
		}
		var err error
		if ups, err = r.upstream(ctx, t, in); err != nil {
			return nil, err
		}
	}
	out := &outcome{}
	for i, m := range chain {
		out.stage, out.dir = m.Stage.Addr(), filepath.Join(dir, fmt.Sprint(i))
		if err := os.MkdirAll(out.dir, 0o755); err != nil {
			return nil, err
		}
		spec, err := r.spec(t, m, ups, out.dir)
		if err != nil {
			return nil, err
		}
		var log bytes.Buffer
		out.report = mapper.Run(ctx, spec, out.dir, mapper.Options{Log: &log})
		if out.report == nil {
			return nil, context.Cause(ctx)
		}
		out.log = append(out.log, userLines(&log)...)
		bad, err := badRecords(filepath.Join(out.dir, "events.jsonl"))
		if err != nil {
			return nil, err
		}
		out.bad = append(out.bad, bad...)
		if out.report.Cause != job.CauseDone {
			return out, nil
		}
		if m.Stage.Kind == lang.Reduce {
			if err := seen.add(t, out.stage, ups); err != nil {
				return nil, err
			}
		}
		ups = []job.Upstream{{Task: out.stage.String(), Form: out.report.Form, Parts: absolute(out.report.Parts, out.dir), Covers: out.report.Covers}}
	}
	for _, s := range r.a.Stages {
		if s.Kind == lang.Reduce && s.Input.Stage == t.Stage {
			if err := seen.add(t, s.Addr(), ups); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// chain are the stages from a map over files up to the tested one.
func (r *runner) chain(t *lang.Test) []*compile.Template {
	var out []*compile.Template
	for m := r.templates[t.Stage]; m != nil; m = r.templates[m.Stage.Input.Stage] {
		out = append(out, m)
	}
	slices.Reverse(out)
	return out
}

// spec is the job of one task that does all the work of a stage.
func (r *runner) spec(t *lang.Test, m *compile.Template, ups []job.Upstream, dir string) (*job.Spec, error) {
	s := m.Spec
	s.Task, s.Attempt, s.Partitions, s.Upstream = m.Stage.Addr().String(), 1, 1, ups
	s.Role = job.RoleMap
	if m.Stage.Kind == lang.Reduce {
		s.Role = job.RoleReduce
	}
	if s.Code != nil {
		code := *s.Code
		code.Dir = r.code[m.Bundle]
		s.Code = &code
	}
	s.Tolerate = job.Tolerate{}
	if t.ExpectBad > 0 {
		s.Tolerate.BadRecords = job.Limit{Count: tolerateAll}
	}
	if m.Stage.Input.Filter != "" {
		files, err := r.files(t, m, dir)
		if err != nil {
			return nil, err
		}
		s.Dimensions = dims(t, m, files)
		s.Files = files
	}
	return &s, nil
}

// userLines are what the user's code has printed and logged.
func userLines(log io.Reader) []string {
	var out []string
	for s := bufio.NewScanner(log); s.Scan(); {
		if line, ok := strings.CutPrefix(s.Text(), "user: "); ok {
			out = append(out, line)
		}
	}
	return out
}

// badRecords are why records are bad, as the events tell it.
func badRecords(events string) ([]string, error) {
	text, err := os.ReadFile(events)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range bytes.Lines(text) {
		var e struct{ Event, Message string }
		if json.Unmarshal(line, &e) == nil && e.Event == "record.bad" {
			out = append(out, e.Message)
		}
	}
	return out, nil
}

// readPairs reads results one after the other.
func readPairs(parts []job.Part) ([]lang.Pair, error) {
	var out []lang.Pair
	for _, p := range parts {
		src, err := pairs.Part(p)()
		if err != nil {
			return nil, err
		}
		for {
			key, value, err := src.Next()
			if err == io.EOF {
				break
			}
			var text []byte
			if err == nil {
				text, err = pairs.AppendJSON(nil, key)
			}
			if err != nil {
				src.Close()
				return nil, err
			}
			out = append(out, lang.Pair{Key: string(text), Value: string(value)})
		}
		src.Close()
	}
	return out, nil
}
