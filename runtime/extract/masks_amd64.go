package extract

import "golang.org/x/sys/cpu"

// fast tells that this processor makes masks many times faster than Go code looks at bytes one by one.
var fast = cpu.X86.HasAVX2

// classify makes the masks of n blocks that begin at p.
func classify(p *byte, n int, out *masks) {
	if cpu.X86.HasAVX512BW {
		masksAVX512(p, n, out)
		return
	}
	masksAVX2(p, n, out)
}

//go:noescape
func masksAVX2(p *byte, n int, out *masks)

//go:noescape
func masksAVX512(p *byte, n int, out *masks)
