// Package funcs holds the functions that expressions of an analysis may call.
//
// Most are go-cty's own. Those that read the world do so through a World, so that whoever evaluates an analysis decides
// what it sees.
package funcs
