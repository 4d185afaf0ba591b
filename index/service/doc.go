// Package service speaks the protocol of the ancestors' index service, from both sides.
//
// A request is POST with {"filter": DOCUMENT}, or GET with ?filter=DOCUMENT, where the document is a Filter.json. The answer is
// {"files": [NAME, …], "row_count": N}, or an array of rows {"file_name": NAME, "file_size": BYTES}; both are read, [Handler] gives either.
// 404 means that nothing matched. An error is {"error": TEXT}.
//
// The service compares the values of keys as they are, those of conditions sanitised. Between two tafc that can be made good: a request also has
// "tafc": {"etag": true, "sanitize_keys": true}, which other services ignore; then rows have an "etag" as well, and the
// values of keys are sanitised as the language does.
package service
