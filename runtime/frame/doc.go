// Package frame cuts a decompressed file into records and hands them on in blocks of about a megabyte, as they are wherever
// that is possible: most formats are read into the block's own memory and never copied.
//
// Formats:
//
//   - telemetry: lines of id TAB json; a line without TAB is a bad record
//   - lines: every line is a record, also an empty one
//   - jsonl: every line is a record, lines of nothing but white space are skipped
//   - csv, tsv: the first line names the columns and is no record. Fields may be quoted as in RFC 4180, and a quoted field may
//     hold newlines. Empty lines are skipped. A record of another number of fields than the header is bad. For programs
//     that read plain lines a record is the line as it stands, for others a JSON object of strings in the order of the columns. A column
//     without a name is called column_N after its place (from 1), one whose name is taken gets _2, _3 … behind it.
//   - whole: the file is one record, also an empty file
//
// In all but whole, a carriage return before a newline and a byte order mark at the beginning of the file do not belong to the
// data, and the last line is a record whether or not a newline ends it.
package frame
