// Package laws checks what tafc relies on when it puts the values of a key together in a tree of tasks: that combine and reduce
// give the same result again (deterministic), in any order of the values (commutative), and whichever of the values a combine has put
// together before (associative).
//
// What is compared is always the result of the reduce: an intermediate value of combine may look as it likes. Values come from
// tests, and more are made up from them: of the same structure, with other numbers. A violation is shrunk to the fewest and
// smallest values that still show it. Everything follows from a seed.
package laws
