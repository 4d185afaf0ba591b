package lang

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// outline makes the tree of blocks and declares what has a name. What for_each needs comes first: variables, locals and functions, then
// the names of all blocks. So for_each can refer to everything, and the order in the file does not matter.
func (l *loader) outline(body *hclsyntax.Body, start hcl.Range) {
	l.root = &block{schema: l.schema, body: body, Block: Block{DeclRange: start, Args: map[string]hcl.Range{}}}
	for _, a := range sortedAttrs(body) {
		l.shapeArg(l.root, a)
	}
	var static []*written
	for _, b := range body.Blocks {
		if b.Type != dynamicType {
			static = append(static, newWritten(b, nil))
		}
	}
	all := l.take(l.root, static)
	for _, b := range all {
		if slices.Contains(early, b.Type) {
			l.shape(b)
		}
	}
	l.declare(l.root.blocks)
	l.variableSources()
	for _, b := range body.Blocks {
		if b.Type == dynamicType {
			before := len(l.root.blocks)
			all = append(all, l.take(l.root, l.expand(l.root, b, nil))...)
			l.declare(l.root.blocks[before:])
		}
	}
	byPlace := func(a, b *block) int { return cmp.Compare(a.DeclRange.Start.Byte, b.DeclRange.Start.Byte) }
	slices.SortStableFunc(all, byPlace)
	slices.SortStableFunc(l.root.blocks, byPlace)
	for _, b := range all {
		switch {
		case slices.Contains(early, b.Type):
		case b.each != nil:
			l.instances(b)
		default:
			l.shape(b)
		}
	}
}
