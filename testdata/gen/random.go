package main

import "math/rand/v2"

// random makes the same numbers for the same seed with every version of Go: it uses only the generator, whose algorithm is fixed.
type random struct{ pcg *rand.PCG }

func newRandom(seed, stream uint64) random { return random{rand.NewPCG(seed, stream)} }

// below is a number from 0 to n-1.
func (r random) below(n int) int { return int(r.pcg.Uint64() % uint64(n)) }

// between is a number from a to b, both included.
func (r random) between(a, b int) int { return a + r.below(b-a+1) }

// chance is true n times out of a thousand.
func (r random) chance(n int) bool { return r.below(1000) < n }

// small is a number that is mostly small: each doubling up to limit is half as likely.
func (r random) small(limit int) int {
	n := 2
	for n < limit && r.below(2) == 0 {
		n *= 2
	}
	return r.below(min(n, limit))
}

func (r random) hex(digits int) string {
	const alphabet = "0123456789abcdef"
	out := make([]byte, digits)
	for i := range out {
		out[i] = alphabet[r.below(16)]
	}
	return string(out)
}

func pick[T any](r random, from []T) T { return from[r.below(len(from))] }
