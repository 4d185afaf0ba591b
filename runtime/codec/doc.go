// Package codec decompresses. It finds the format by the first bytes, streams in bounded memory, and never takes damaged,
// truncated or continued data for whole: everything but the last byte of a sound file ends in a *CorruptError.
package codec
