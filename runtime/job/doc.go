// Package job is the contract between whoever makes a task and the task: the Spec says what to do, the Report says how it
// went. Both are JSON documents with a version. The package has no behaviour and imports only the standard library.
package job
