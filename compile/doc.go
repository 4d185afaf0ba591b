// Package compile turns an analysis, the files that its filters select and its code into a Graph of tasks.
//
// The Graph is engine-neutral, deterministic and immutable: the same analysis, set of files and code always give the same
// tasks with the same addresses and keys, whatever the order of the files, the paths of this computer or earlier runs.
//
// Resolve does the reading (documents, indexes, code); Compile is pure.
package compile
