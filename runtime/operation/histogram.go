package operation

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tafc/tafc/runtime/job"
)

// appendBucket appends the lower bound of the bucket that a number belongs to. What is below all bounds has the text "<" and the
// first bound, which sorts behind the numbers.
func appendBucket(dst []byte, o *job.Operation, number string) ([]byte, error) {
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %.40s is too large", number)
	}
	if o.Width > 0 {
		return appendFloat(dst, math.Floor(n/o.Width)*o.Width), nil
	}
	i, found := slices.BinarySearch(o.Buckets, n)
	switch {
	case found:
		return appendFloat(dst, n), nil
	case i == 0:
		return append(appendFloat(append(dst, `"<`...), o.Buckets[0]), '"'), nil
	}
	return appendFloat(dst, o.Buckets[i-1]), nil
}
