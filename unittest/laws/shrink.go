package laws

import (
	"context"
	"slices"

	"github.com/tafc/tafc/unittest/jsonvalue"
)

// maxRounds bounds how often a counterexample is made smaller: each round is a few calls of the code at once.
const maxRounds = 200

// shrink makes a counterexample as small as it gets: first fewer values, then smaller ones.
func (c *checker) shrink(ctx context.Context, law string, found *broken) (*Violation, error) {
	rounds := maxRounds
	if c.o.Slow {
		rounds = 12
	}
	for range rounds {
		smaller, err := c.step(ctx, law, found)
		if err != nil {
			return nil, err
		}
		if smaller == nil {
			break
		}
		found = smaller
	}
	return c.violation(law, found), nil
}

// step finds a smaller counterexample, nil when there is none.
func (c *checker) step(ctx context.Context, law string, found *broken) (*broken, error) {
	values := found.Values
	for size := len(values) / 2; size >= 1; size /= 2 {
		var fewer [][]string
		for from := 0; from+size <= len(values); from++ {
			fewer = append(fewer, slices.Delete(slices.Clone(values), from, from+size))
		}
		smaller, err := c.try(ctx, law, found, fewer, found.madeUp)
		if smaller != nil || err != nil {
			return smaller, err
		}
	}
	return c.try(ctx, law, found, lighter(values), true)
}

// lighter are the values with one of them smaller, the lightest first.
func lighter(values []string) [][]string {
	var out [][]string
	var weights []float64
	for i, text := range values {
		v, err := jsonvalue.Parse(text)
		if err != nil {
			continue
		}
		for _, s := range simpler(v) {
			w := weight(s) - weight(v)
			if w >= 0 {
				continue
			}
			at, _ := slices.BinarySearch(weights, w)
			changed := slices.Clone(values)
			changed[i] = jsonvalue.Text(s)
			out, weights = slices.Insert(out, at, changed), slices.Insert(weights, at, w)
		}
	}
	return out
}

// chunk is how many candidates are tried at once: the first that is good is taken, so that what is behind it was for nothing.
const chunk = 8

// try returns the first of the candidates that breaks the law, nil when none does.
func (c *checker) try(ctx context.Context, law string, found *broken, candidates [][]string, madeUp bool) (*broken, error) {
	for batch := range slices.Chunk(candidates, chunk) {
		var samples []sample
		for _, values := range batch {
			if len(values) > 0 {
				samples = append(samples, sample{Group: Group{found.Key, values}, madeUp: madeUp})
			}
		}
		samples, err := c.references(ctx, samples)
		if err != nil {
			return nil, err
		}
		var trials []trial
		for _, s := range samples {
			for _, p := range c.plans(law, len(s.Values)) {
				trials = append(trials, trial{s, p})
			}
		}
		if b, err := c.first(ctx, trials); b != nil || err != nil {
			return b, err
		}
	}
	return nil, nil
}
