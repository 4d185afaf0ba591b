// Package unxz decompresses xz and LZMA-alone, made for speed: about as fast as liblzma 5.4, where other decoders in Go take twice the time. All that can be
// decoded before a break is given out, symbol by symbol, as xz -dc does. docs/decisions/0002-decompressors.md tells why there is a decoder of our own.
package unxz
