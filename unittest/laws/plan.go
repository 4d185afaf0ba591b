package laws

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// node is a value by its place in the group, or what combine makes of other nodes.
type node struct {
	value int
	parts []node // nil: a value
}

// plan is what reduce is given: values in some order, some of them combined before.
type plan []node

// asIs is the plan of n values as they are.
func asIs(n int) plan {
	p := make(plan, n)
	for i := range p {
		p[i] = node{value: i}
	}
	return p
}

// ordered is the plan of values in an order.
func ordered(order []int) plan {
	p := make(plan, len(order))
	for i, at := range order {
		p[i] = node{value: at}
	}
	return p
}

func combined(parts ...node) node { return node{parts: parts} }

// expression writes what a plan does.
func (p plan) expression(g Group) string {
	parts := make([]string, len(p))
	for i, n := range p {
		parts[i] = n.expression(g)
	}
	return fmt.Sprintf("reduce(%s, %s)", g.Key, list(parts))
}

func (n node) expression(g Group) string {
	if n.parts == nil {
		return g.Values[n.value]
	}
	var parts []string
	for _, part := range n.parts {
		parts = append(parts, part.expression(g))
	}
	return fmt.Sprintf("combine(%s, [%s])", g.Key, strings.Join(parts, ", "))
}

// plans are the ways in which n values must give the same result by a law. They follow from n and the seed alone.
func (c *checker) plans(law string, n int) []plan {
	rng := rand.New(rand.NewPCG(c.o.Seed, uint64(n)))
	switch law {
	case Deterministic:
		return []plan{asIs(n)}
	case Commutative:
		return orders(n, c.many(6), rng)
	}
	return groupings(n, c.many(8), rng)
}

// many is a number of trials, less when each costs a process.
func (c *checker) many(n int) int {
	if c.o.Slow {
		return 2
	}
	return n
}

// orders are up to most orders of n values, other than the given one: reversed, rotated, the first two changed, any.
func orders(n, most int, rng *rand.Rand) []plan {
	if n < 2 {
		return nil
	}
	identity := make([]int, n)
	for i := range identity {
		identity[i] = i
	}
	reversed := slices.Clone(identity)
	slices.Reverse(reversed)
	rotated := append(slices.Clone(identity[1:]), 0)
	swapped := slices.Clone(identity)
	swapped[0], swapped[1] = 1, 0
	all := [][]int{reversed, rotated, swapped}
	for range most {
		all = append(all, rng.Perm(n))
	}
	var out []plan
	var seen [][]int
	for _, order := range all {
		same := func(o []int) bool { return slices.Equal(o, order) }
		if !same(identity) && !slices.ContainsFunc(seen, same) && len(out) < most {
			seen = append(seen, order)
			out = append(out, ordered(order))
		}
	}
	return out
}

// groupings are ways to combine some of n values before the reduce: the first two, all, all but one, halves, each by itself,
// one after the other, any tree.
func groupings(n, most int, rng *rand.Rand) []plan {
	all := asIs(n)
	if n == 1 {
		return []plan{{combined(all[0])}, {combined(combined(all[0]))}}
	}
	half := (n + 1) / 2
	fold := all[0]
	for _, next := range all[1:] {
		fold = combined(fold, next)
	}
	out := []plan{
		append(plan{combined(all[:2]...)}, all[2:]...),
		{combined(all...)},
		{combined(all[:half]...), combined(all[half:]...)},
		append(slices.Clone(all[:n-2]), combined(all[n-2:]...)),
		{fold},
		{combined(combined(all[:half]...), combined(all[half:]...))},
	}
	single := make(plan, n)
	for i, v := range all {
		single[i] = combined(v)
	}
	out = append(out, single)
	for len(out) < most {
		out = append(out, randomTree(all, rng))
	}
	return out[:min(most, len(out))]
}

// randomTree combines neighbours at random.
func randomTree(p plan, rng *rand.Rand) plan {
	p = slices.Clone(p)
	for range 1 + rng.IntN(len(p)) {
		from := rng.IntN(len(p))
		to := from + 1 + rng.IntN(min(4, len(p)-from))
		p = slices.Replace(p, from, to, combined(slices.Clone(p[from:to])...))
	}
	return p
}

// work is a trial under way: the values of nodes that are known.
type work struct {
	trial
	failed error
}

// evaluate runs trials: level by level all combines at once, then all reduces.
func (c *checker) evaluate(ctx context.Context, trials []trial) ([]Outcome, error) {
	works := make([]*work, len(trials))
	known := make([]map[string][]string, len(trials)) // values of combined nodes, by their expressions
	for i, t := range trials {
		works[i], known[i] = &work{trial: t}, map[string][]string{}
	}
	for {
		var calls []Group
		var of []int
		var names []string
		for i, w := range works {
			if w.failed != nil {
				continue
			}
			for _, n := range w.plan {
				for _, r := range ready(n, w.Group, known[i], nil) {
					calls = append(calls, Group{w.Key, flatten(r.parts, w.Group, known[i])})
					of, names = append(of, i), append(names, r.expression(w.Group))
				}
			}
		}
		if len(calls) == 0 {
			break
		}
		outcomes, err := c.combine(ctx, calls)
		if err != nil {
			return nil, err
		}
		for j, o := range outcomes {
			values := []string{}
			for _, p := range o.Pairs {
				values = append(values, p.Value)
			}
			known[of[j]][names[j]] = values
			if o.Err != nil {
				works[of[j]].failed = o.Err
			}
		}
	}
	return c.reduceAll(ctx, works, known)
}

func (c *checker) reduceAll(ctx context.Context, works []*work, known []map[string][]string) ([]Outcome, error) {
	out := make([]Outcome, len(works))
	var calls []Group
	var of []int
	for i, w := range works {
		if w.failed != nil {
			out[i].Err = w.failed
			continue
		}
		// A key all of whose values combine has made nothing of does not reach the reduce.
		if values := flatten(w.plan, w.Group, known[i]); len(values) > 0 {
			calls, of = append(calls, Group{w.Key, values}), append(of, i)
		}
	}
	outcomes, err := c.reduce(ctx, calls)
	if err != nil {
		return nil, err
	}
	for j, o := range outcomes {
		out[of[j]] = o
	}
	return out, nil
}

// ready adds the nodes whose combine can be called: all of their parts are known.
func ready(n node, g Group, known map[string][]string, out []node) []node {
	if n.parts == nil || known[n.expression(g)] != nil {
		return out
	}
	before := len(out)
	for _, part := range n.parts {
		out = ready(part, g, known, out)
	}
	waits := slices.ContainsFunc(n.parts, func(p node) bool { return p.parts != nil && known[p.expression(g)] == nil })
	if len(out) == before && !waits {
		out = append(out, n)
	}
	return out
}

// flatten are the values that known nodes stand for.
func flatten(nodes []node, g Group, known map[string][]string) []string {
	var out []string
	for _, n := range nodes {
		if n.parts == nil {
			out = append(out, g.Values[n.value])
		} else {
			out = append(out, known[n.expression(g)]...)
		}
	}
	return out
}
