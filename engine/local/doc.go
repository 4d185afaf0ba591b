// Package local is the embedded engine: tasks are processes on this computer.
//
// Each attempt has a folder with spec.json, log.txt (what the process prints, written by the process itself), events.jsonl and
// report.json. A result enters the state in this order: files into the store, then one transaction for the result, the task
// and the attempt, then the event. So a kill at any moment leaves either no trace of a result or all of it, and a report
// that was complete when the parent died is adopted by the next Apply.
//
// A task's process dies with its parent: it reads a pipe on its standard input that ends when the parent is gone
// (TAFC_LIFELINE), and on Linux the kernel signals it. It tells its progress on a second pipe (TAFC_PROGRESS_FD).
package local
