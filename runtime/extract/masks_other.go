//go:build !amd64

package extract

const fast = false

func classify(*byte, int, *masks) { panic("extract: no masks on this processor") }
