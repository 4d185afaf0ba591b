// Package slugid makes and checks the ids of Taskcluster: 22 characters, which are the 16 bytes of a version 4 UUID in URL-safe base64.
//
// Ids made here start with a letter, never with "-", so that they can be given to any command. The queue checks only the pattern, so an
// id may be derived from what a task is for instead of being drawn; a repeated submission then names the same task.
package slugid
