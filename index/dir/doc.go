// Package dir is the index source dir:PATH: the files of a folder.
//
// The folder is walked once, in parallel, when something first asks for its files; a Source is a picture of the folder at that
// moment, and opening it again shows what changed since. Keys are paths relative to the folder with slashes. An ETag is the time of the
// last change in nanoseconds and the size, both in hex.
//
// Names that start with a dot are skipped, files and folders alike (.taf, .git, .DS_Store), unless a digit follows: in the telemetry
// layout .20140402.v2.log… is a file whose build is empty. What is neither file nor folder is skipped too. Symbolic links are followed to files and to folders; a link to a folder that it lies in is skipped, because
// its files are listed already. Everything else that cannot be read is an error: a listing without it would look complete.
package dir
