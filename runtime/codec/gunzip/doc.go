// Package gunzip reads gzip files of any number of members, two to three times as fast as the standard library.
//
// What takes the time of reading compressed JSON is DEFLATE, RFC 1951. Its decoder is written for 64-bit machines: a buffer of bits that is
// refilled with one load and no branch, tables that give a symbol, its base and its extra bits in one look, copies of eight bytes that
// may write past the end of a match, and a loop that checks the bounds of input and output once for several symbols. Near the
// ends of its buffers a second loop decodes symbol by symbol. Both are compared with compress/flate by fuzzing.
package gunzip
