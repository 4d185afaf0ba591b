package index

// column is values of rows: in chunks, because a growing slice would copy, and for a moment hold everything twice.
type column[T any] struct {
	chunks [][]T
	len    int
}

const (
	chunkBits = 14
	chunkSize = 1 << chunkBits
)

func (c *column[T]) add(v T) {
	last := len(c.chunks) - 1
	if c.len&(chunkSize-1) == 0 {
		var chunk []T // the first one grows, most columns are short
		if c.len > 0 {
			chunk = make([]T, 0, chunkSize)
			populate(chunk)
		}
		c.chunks = append(c.chunks, chunk)
		last++
	}
	c.chunks[last] = append(c.chunks[last], v)
	c.len++
}

func (c *column[T]) at(i int) *T { return &c.chunks[i>>chunkBits][i&(chunkSize-1)] }

// appendTo appends all values to a slice and gives them up.
func (c *column[T]) appendTo(to []T) []T {
	for i, chunk := range c.chunks {
		to = append(to, chunk...)
		c.chunks[i] = nil
	}
	*c = column[T]{}
	return to
}
