package lang

import "github.com/hashicorp/hcl/v2/hclwrite"

// Format is the canonical form of a file: spaces and alignment only. A file that does not parse is formatted as far as it
// makes sense. Formatting twice is the same as once.
func Format(src []byte) []byte { return hclwrite.Format(src) }
