// Package pairs holds what maps emit and reduces read: sorted pairs of a key and a value, both any JSON value.
//
// A key is compared by what it means, not by how it is written: [AppendKey] encodes it so that the order of the bytes is the
// order of the values, and 1, 1.0 and 1e0 are one key. A value is kept as it was written; an absent value is no bytes.
//
// A [Collector] sorts any number of pairs in bounded memory into partitions, a [Merger] merges result files. Pairs of equal
// keys keep the order in which they came in. The files' bytes are a function of the pairs and their order alone.
package pairs
