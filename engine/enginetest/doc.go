// Package enginetest is the conformance suite of engines: what every engine does with a run, whatever it runs tasks on.
//
// The tasks of its runs are commands of the streaming contract, which need only a shell and the usual tools.
package enginetest
