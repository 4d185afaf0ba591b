// Package columns finds out what the columns of a table mean that tafc did not make: which one holds the key of a file, its size,
// its ETag, and which hold dimensions.
//
// Columns are found by their usual names, those of the ancestors' table published_files included, or are named by the argument
// columns of an index: { key = "path", size = "bytes", country = "country_code" }. What is neither key, size nor etag there is a
// dimension.
package columns
