// Package books keeps in the state what happens to a run, for engines whose tasks do not run in this process.
package books
