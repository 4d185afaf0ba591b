package index

// column is values of rows while they are being added: in chunks, because a growing slice would copy, and for a moment hold
// everything twice.
type column[T any] struct {
	chunks [][]T
	len    int
}

const columnChunk = 1 << 14

func (c *column[T]) add(v T) {
	if c.len%columnChunk == 0 {
		c.chunks = append(c.chunks, make([]T, 0, columnChunk))
	}
	last := len(c.chunks) - 1
	c.chunks[last] = append(c.chunks[last], v)
	c.len++
}

// appendTo appends all values to a slice and gives them up.
func (c *column[T]) appendTo(to []T) []T {
	for i, chunk := range c.chunks {
		to = append(to, chunk...)
		c.chunks[i] = nil
	}
	*c = column[T]{}
	return to
}
