// Command listshards lists a bucket with the bare AWS SDK, the key space cut into parts that are listed at the same time, and prints the
// keys in order. It is what bench compares tafc's listing with: it is told where to cut, tafc has to find out.
package main
