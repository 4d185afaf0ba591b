// Package engine is what carries out a run: the Engine interface, the Walk and its driver.
//
// The Walk is the bookkeeping of a run: which tasks are ready, which of them is next, what a failure means for the others.
// It knows no process and no clock, so its laws are tested in memory. Drive runs a Walk with a Runner that does the work.
// Where tasks really run is the business of the packages below this one.
package engine
