// Package sqlite is the index source sqlite:PATH: a list of files in an SQLite database.
//
// tafc index build makes such a file with [Write]. It has three tables. One is files (key, size, etag), with the key as primary key, which
// anybody may read and change with SQL. Another is packs: the same rows packed in the order of their keys, which reads several times
// as fast; triggers on files empty it, and the revision, when somebody changes files, and then files itself is read. The third is
// meta (name, value) with
//
//	schema    version of these tables
//	layout    name or template of the layout, may be empty
//	root      what the keys are relative to, may be empty; a relative path is relative to the index file
//	source    what was listed
//	revision  digest of the rows
//	files, bytes, unparsed   how many rows, bytes in all, and keys that do not fit the layout
//
// A listing that tells when files were stored, as that of a bucket does, also leaves a table folders (folder, newest, listed): when the newest
// file of each folder was stored and when the folder was listed last, in seconds of Unix time.
//
// The file is written beside its final place and then renamed, so there is never half of one. Equal rows give equal bytes, but for the
// times of folders.
//
// [Open] also reads a table (or view) of any other database when told which one. The key is in its column key or file_name, the size in
// size or file_size, the ETag in etag, file_md5 or md5. Only the key is required; without an ETag, tafc notices that a file changed
// only when its size does.
package sqlite
