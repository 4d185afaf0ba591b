// Package enginetest is the conformance suite of engines: what every engine does with a run, whatever it runs tasks on.
//
// The tasks of its runs are commands of the streaming contract. Task is a small task program that carries out their specs,
// for the tests of an engine alone.
package enginetest
