package unittest

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
	"github.com/tafc/tafc/unittest/laws"
)

// code is the code of a reduce as the check of laws calls it: functions in a process for each role that stays up, programs and code with
// a finish hook in a process for each call.
type code struct {
	r    *runner
	m    *compile.Template
	form job.Form
	up   map[job.Role]usercode.Calls
}

func (r *runner) codeOf(reduce addr.Stage, form job.Form) *code {
	return &code{r: r, m: r.templates[reduce], form: form, up: map[job.Role]usercode.Calls{}}
}

// slow tells whether each call takes a process of its own: what a finish hook says is known only at the end.
func (c *code) slow() bool {
	if streaming(c.m.Spec) {
		return true
	}
	_, finish := c.m.Bundle.Functions["finish"]
	return finish && c.m.Spec.Code.Contract == "taf"
}

// Combine implements laws.Code.
func (c *code) Combine(ctx context.Context, calls []laws.Group) ([]laws.Outcome, error) {
	return c.do(ctx, job.RoleCombine, calls)
}

// Reduce implements laws.Code.
func (c *code) Reduce(ctx context.Context, calls []laws.Group) ([]laws.Outcome, error) {
	return c.do(ctx, job.RoleReduce, calls)
}

// Fresh implements laws.Code.
func (c *code) Fresh() { c.close() }

func (c *code) close() {
	for role, up := range c.up {
		_ = up.Close() // how it ends says nothing any more
		delete(c.up, role)
	}
}

func (c *code) options(role job.Role) (usercode.Options, error) {
	dir, err := os.MkdirTemp(c.r.dir, "laws-")
	o := usercode.Options{Role: role, Command: c.m.Spec.Command, Env: c.m.Spec.Env, Form: c.form, WorkDir: dir, MaxRecord: c.m.Spec.Limits.Record, Strict: true}
	if c.m.Spec.Code != nil {
		own := *c.m.Spec.Code
		own.Dir = c.r.code[c.m.Bundle]
		o.Code = &own
	}
	return o, err
}

func (c *code) do(ctx context.Context, role job.Role, groups []laws.Group) ([]laws.Outcome, error) {
	if c.slow() {
		return c.processes(ctx, role, groups)
	}
	if c.up[role] == nil {
		o, err := c.options(role)
		if err != nil {
			return nil, err
		}
		if c.up[role], err = usercode.StartCalls(ctx, o, nil); err != nil {
			delete(c.up, role)
			return nil, err
		}
	}
	calls := make([]usercode.Call, len(groups))
	for i, g := range groups {
		calls[i] = usercode.Call{Key: g.Key, Values: g.Values}
	}
	answers, err := c.up[role].Do(calls)
	if err != nil {
		delete(c.up, role)
		return nil, err
	}
	out := make([]laws.Outcome, len(answers))
	for i, a := range answers {
		if a.Err != nil {
			out[i].Err = a.Err
			continue
		}
		for _, line := range a.Lines {
			out[i].Pairs = append(out[i].Pairs, pairOf(line))
		}
	}
	return out, nil
}

func pairOf(line string) laws.Pair {
	key, value, _ := strings.Cut(line, "\t")
	return laws.Pair{Key: key, Value: value}
}

// processes runs each call by itself, as a task with one key.
func (c *code) processes(ctx context.Context, role job.Role, groups []laws.Group) ([]laws.Outcome, error) {
	out := make([]laws.Outcome, len(groups))
	for i, g := range groups {
		o, err := c.options(role)
		if err != nil {
			return nil, err
		}
		s := &pairSink{}
		p, err := usercode.Start(ctx, o, s)
		if err == nil {
			var lines strings.Builder
			for _, v := range g.Values {
				lines.WriteString(g.Key + "\t" + v + "\n")
			}
			_ = p.Pairs([]byte(lines.String())) // Close says why it failed
			err = p.Close()
		}
		var failed *usercode.Error
		switch {
		case errors.As(err, &failed):
			out[i].Err = failed
		case err != nil:
			return nil, err
		default:
			out[i].Pairs = s.pairs
		}
	}
	return out, nil
}

// pairSink keeps what a program emits.
type pairSink struct {
	mu    sync.Mutex
	pairs []laws.Pair
}

// Pairs implements usercode.Sink.
func (s *pairSink) Pairs(lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(string(lines)) {
		s.pairs = append(s.pairs, pairOf(strings.TrimSuffix(line, "\n")))
	}
	return nil
}

// Bad implements usercode.Sink: only records of a map are bad.
func (s *pairSink) Bad(_ *usercode.Block, _ int, err *usercode.Error) error { return err }

// Done implements usercode.Sink.
func (s *pairSink) Done(*usercode.Block) error { return nil }

// Count implements usercode.Sink.
func (s *pairSink) Count(string, int64) {}

// Log implements usercode.Sink.
func (s *pairSink) Log(string) {}
