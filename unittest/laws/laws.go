package laws

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tafc/tafc/unittest/jsonvalue"
)

// The laws.
const (
	Deterministic = "deterministic"
	Commutative   = "commutative"
	Associative   = "associative"
)

// Group is the values of a key, JSON each.
type Group struct {
	Key    string
	Values []string
}

// Pair is a key and a value, JSON each; an absent value is empty.
type Pair struct{ Key, Value string }

// Outcome is what a call emitted, or why it failed.
type Outcome struct {
	Pairs []Pair
	Err   error
}

// Code is the code under check. An error means that the code cannot be called any more; a call that fails is an Outcome.
type Code interface {
	Combine(ctx context.Context, calls []Group) ([]Outcome, error)
	Reduce(ctx context.Context, calls []Group) ([]Outcome, error)
	// Fresh has the next calls made in new processes.
	Fresh()
}

// Options say what to check.
type Options struct {
	Laws      []string
	Combine   bool // the code has one
	Seed      uint64
	Tolerance float64 // of numbers with a fraction, see jsonvalue.Equal
	Slow      bool    // each call is a process: make few
}

// Report is what a check found.
type Report struct {
	Laws       []string // that were checked
	Calls      int      // of combine and reduce
	Violations []Violation
}

// Violation is a counterexample to a law: the same values, given in two ways, have two results.
type Violation struct {
	Law           string
	Key           string
	Values        []string
	MadeUp        bool // not all values are those of a test
	First, Second Way
}

// Way is a way to put values together, and what comes of it.
type Way struct {
	Expression string // reduce("/", [combine("/", [1, 2]), 3])
	Outcome    Outcome
}

// Rounding tells whether the two results differ by no more than floats are rounded.
func (v *Violation) Rounding() bool {
	const rounding = 1e-6
	return v.First.Outcome.Err == nil && v.Second.Outcome.Err == nil && sameOutcome(v.First.Outcome, v.Second.Outcome, rounding)
}

// checker is one Check.
type checker struct {
	code Code
	o    Options
	rng  *rand.Rand
	pool pool
	rep  *Report
}

// sample is a group with the result of its values as they are.
type sample struct {
	Group
	madeUp bool
	want   Outcome
}

// Check checks the laws with groups of values that tests gave, and with others like them.
func Check(ctx context.Context, code Code, groups []Group, o Options) (*Report, error) {
	c := &checker{code: code, o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x7af)), pool: newPool(groups), rep: &Report{}}
	samples, err := c.references(ctx, c.samples(groups))
	if err != nil || len(samples) == 0 {
		return c.rep, err
	}
	for _, law := range []string{Deterministic, Commutative, Associative} {
		if !slices.Contains(o.Laws, law) || law == Associative && !o.Combine {
			continue
		}
		c.rep.Laws = append(c.rep.Laws, law)
		v, err := c.law(ctx, law, samples)
		if err != nil {
			return c.rep, err
		}
		if v != nil {
			c.rep.Violations = append(c.rep.Violations, *v)
		}
		if v != nil && law == Deterministic {
			break // whatever the others found would be chance
		}
	}
	return c.rep, nil
}

// references evaluates groups as they are, and leaves out those on which the code fails: made-up values may be none that it
// can be given, and of a test's own values the test says it.
func (c *checker) references(ctx context.Context, samples []sample) ([]sample, error) {
	calls := make([]Group, len(samples))
	for i, s := range samples {
		calls[i] = s.Group
	}
	outcomes, err := c.reduce(ctx, calls)
	if err != nil {
		return nil, err
	}
	var good []sample
	for i, s := range samples {
		if s.want = outcomes[i]; s.want.Err == nil {
			good = append(good, s)
		}
	}
	return good, nil
}

// law looks for a violation and shrinks it; nil when there is none. Violations by a test's own values come first.
func (c *checker) law(ctx context.Context, law string, samples []sample) (*Violation, error) {
	rounds := 1
	if law == Deterministic && !c.o.Slow {
		rounds = 2 // in the same process, and in a new one
	}
	for round := range rounds {
		if round > 0 {
			c.code.Fresh()
		}
		var trials []trial
		for _, s := range samples {
			for _, p := range c.plans(law, len(s.Values)) {
				trials = append(trials, trial{s, p})
			}
		}
		found, err := c.first(ctx, trials)
		if err != nil {
			return nil, err
		}
		if found != nil {
			return c.shrink(ctx, law, found)
		}
	}
	return nil, nil
}

// trial is a sample with another way to put its values together.
type trial struct {
	sample
	plan plan
}

// broken is a trial with another result than its sample.
type broken struct {
	trial
	got Outcome
}

// first runs trials and returns the first that breaks the law; nil when none does.
func (c *checker) first(ctx context.Context, trials []trial) (*broken, error) {
	outcomes, err := c.evaluate(ctx, trials)
	if err != nil {
		return nil, err
	}
	for i, got := range outcomes {
		if !sameOutcome(trials[i].want, got, c.o.Tolerance) {
			return &broken{trials[i], got}, nil
		}
	}
	return nil, nil
}

func (c *checker) violation(law string, b *broken) *Violation {
	return &Violation{
		Law: law, Key: b.Key, Values: b.Values, MadeUp: b.madeUp,
		First:  Way{asIs(len(b.Values)).expression(b.Group), b.want},
		Second: Way{b.plan.expression(b.Group), b.got},
	}
}

func (c *checker) reduce(ctx context.Context, calls []Group) ([]Outcome, error) {
	c.rep.Calls += len(calls)
	return checked(calls, c.code.Reduce)(ctx)
}

func (c *checker) combine(ctx context.Context, calls []Group) ([]Outcome, error) {
	c.rep.Calls += len(calls)
	return checked(calls, c.code.Combine)(ctx)
}

// checked makes calls, if there are any, and makes sure that each has its outcome.
func checked(calls []Group, do func(context.Context, []Group) ([]Outcome, error)) func(context.Context) ([]Outcome, error) {
	return func(ctx context.Context) ([]Outcome, error) {
		if len(calls) == 0 {
			return nil, nil
		}
		out, err := do(ctx, calls)
		if err == nil && len(out) != len(calls) {
			err = fmt.Errorf("%d calls have %d outcomes", len(calls), len(out))
		}
		return out, err
	}
}

// sameOutcome compares what two calls emitted, whatever its order.
func sameOutcome(a, b Outcome, tolerance float64) bool {
	if (a.Err == nil) != (b.Err == nil) || len(a.Pairs) != len(b.Pairs) {
		return false
	}
	left := slices.Clone(b.Pairs)
	for _, p := range a.Pairs {
		i := slices.IndexFunc(left, func(q Pair) bool {
			return jsonvalue.EqualText(p.Key, q.Key, 0) && jsonvalue.EqualText(p.Value, q.Value, tolerance)
		})
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

func list(values []string) string { return "[" + strings.Join(values, ", ") + "]" }
