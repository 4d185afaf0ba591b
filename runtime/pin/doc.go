// Package pin says what identifies the content of a local file, so that an index and the task that reads the file later
// agree. It imports only the standard library.
package pin
