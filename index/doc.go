// Package index says which files there are and selects the ones that a filter asks for.
//
// A [Source] lists files: a folder (index/dir) or an SQLite index file (index/sqlite). A [Layout] reads the dimensions of a
// file out of its key, and [Select] makes one pass over the source, evaluates the conditions of a [Filter] and returns a
// [Selection]: the matching files as a compact [Table], with counts that explain what matched and what did not.
//
// # How values are compared
//
// The ancestors' writers replaced every character of a value outside A-Z a-z 0-9 _ / . by an underscore ([Sanitize]) before
// they made a key of it: the data say saved-session, the key says saved_session. Conditions therefore sanitise both sides,
// what a person wrote and what the key says, so each of the two spellings finds each of the two. Comparisons are case-sensitive
// and in byte order; ranges include both ends.
//
//   - oneof, between, atleast, atmost: sanitised value against sanitised bounds.
//   - glob: the pattern against the value as the key has it, or the pattern with its literal characters sanitised against the
//     sanitised value. The pattern covers the whole value; * ? [a-z] {a,b} and a backslash have their usual meaning.
//   - matches: an RE2 expression, found anywhere in the value as the key has it. Nothing is sanitised, since there is no way
//     to say what a sanitised expression would mean.
//   - dates: the value as the date that it is, in any of the forms of keys; version: the value as a version. What is neither
//     never matches.
//
// The ancestors' index service sanitised only its parameters. A file that was stored under saved-session (no ancestor wrote such
// a key, but a bucket can hold it) is therefore never equal to anything there. A [Filter] with AsService set, which is what
// index/document makes of a Filter.json, keeps that: it selects exactly the files that the service would.
package index
