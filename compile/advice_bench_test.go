package compile

import (
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// BenchmarkAdvise judges conditions over dimensions with many values: what it costs does not depend on the number of files.
func BenchmarkAdvise(b *testing.B) {
	for _, values := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(values), func(b *testing.B) {
			var counts []index.ValueCount
			for i := range values {
				counts = append(counts, index.ValueCount{Value: fmt.Sprintf("2014%010d", i), Files: 10})
			}
			sel := &index.Selection{Files: nil, Total: 10 * values, Dimensions: []index.Dimension{{Name: "build", Values: counts}, {Name: "name", Values: counts}}}
			term := func(dimension string, op index.Op, values ...string) condition {
				c := condition{Term: index.Term{Dimension: dimension, Op: op, Values: values}}
				c.at = make([]hcl.Range, len(values))
				return c
			}
			conds := conditions{where: []condition{
				term("build", index.OpAtMost, "20140000"),
				term("name", index.OpOneOf, "20140000000001", "20140000000002"),
			}}
			f := &lang.Filter{}
			for b.Loop() {
				r := &resolver{a: &lang.Analysis{}, conditions: map[string]conditions{"": conds}}
				r.advise(f, sel)
				if len(r.diags) == 0 {
					b.Fatal("nothing was said")
				}
			}
		})
	}
}
