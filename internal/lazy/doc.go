// Package lazy puts off what only some commands need, so that the others start fast.
package lazy
