// Package plan compares a graph with what earlier runs left, and says for each task what will happen to it and why.
//
// New is pure: it reads nothing but its arguments. A Plan is a value: complete, immutable, printable (view), and, as a
// file, applicable without the source it was made from.
package plan
