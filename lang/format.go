package lang

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format is the canonical form of a file: only blanks change. A file that does not parse stays as it is, because blanks in it
// may mean something yet. Formatting twice is the same as once.
func Format(src []byte) []byte {
	if _, diags := Parse("", src); diags.HasErrors() {
		return src
	}
	// The formatter aligns by what it sees, so in rare files a second pass finds more to do.
	const passes = 4
	once := hclwrite.Format(src)
	for range passes {
		again := hclwrite.Format(once)
		if bytes.Equal(once, again) {
			return once
		}
		once = again
	}
	return src
}
