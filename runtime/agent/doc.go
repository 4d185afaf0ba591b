// Package agent is what runs inside a task of Taskcluster: it finds out what to do (the Document), gets the code and the results
// of earlier tasks, runs the task as every engine does (runtime/mapper), and leaves the results where the worker makes
// artifacts of them.
package agent
