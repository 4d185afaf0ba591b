// Package state is what earlier runs left: results, what every task was last made of, and the history of runs.
//
// A state is a folder (.taf beside an analysis by default) that several analyses may share:
//
//	state.db               SQLite in WAL mode: results, tasks, runs, attempts
//	store/ab/<sha256>      result files by content
//	bundles/<digest>/      user code by content, as tasks see it
//	runs/<run>/<task>/<n>/ one folder per attempt: spec.json, log.txt, events.jsonl, report.json
//	lock, holder.json      one writer at a time, and who it is
//
// The folder is safe to kill at any moment: a file enters the store by fsync and rename before the transaction that names
// it, so what the database names is whole. Anything else left behind is rubbish that GC removes. One process at a time may
// hold the Lock and write; any number may read meanwhile.
//
// Transactions are as durable as SQLite's synchronous=NORMAL: they survive the death of the process; a power cut may take
// back the last of them, which costs work but never correctness.
package state
