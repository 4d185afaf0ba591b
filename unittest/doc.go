// Package unittest runs the test blocks of an analysis: it gives a stage what the test says, by the same runtime as a task does, and
// compares what comes out with what the test expects. With the pairs that come up on the way it checks the laws of the reduces
// (package laws).
//
// A test of a stage over files runs the stage itself; one that gives records to a stage further up runs all stages below it as well, one
// task each. No index is read.
package unittest
