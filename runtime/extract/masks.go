package extract

// blockSize is how many bytes a bit mask stands for.
const blockSize = 64

// masks say of 64 bytes, lowest bit first, which of them are what. Whether they stand inside a string is not known here.
type masks struct {
	quote     uint64
	backslash uint64
	control   uint64 // below 0x20
	space     uint64 // blank, TAB, newline, carriage return
	comma     uint64
	colon     uint64
	open      uint64 // { and [
	close     uint64 // } and ]
	digit     uint64
	zero      uint64
	minus     uint64
}
