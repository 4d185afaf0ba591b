// Package mapper is the task program: it takes a job.Spec, reads its files or pairs, runs the user's code over them, writes the
// result, and says in a job.Report how it went and where every file and every record is. docs/runtime.md describes what it writes.
//
// A record goes through three hands: the goroutine of Run reads, decompresses and frames it; the user's program maps it; the
// program's goroutine hands back what was emitted. What a task says of files and records it says in the order of the input, however
// far the reading is ahead, so that the same input always ends in the same report.
package mapper
