// Package extract takes values out of JSON records without parsing what nobody asks for. It is exact: it takes what a full parser
// would give, and refuses what a full parser would refuse.
//
// On processors with AVX2 or AVX-512 a record is checked 64 bytes at a time by bit masks (index.go), which also finds the
// brackets that match; elsewhere, and for records that are broken, byte by byte (scan.go).
package extract
