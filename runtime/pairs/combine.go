package pairs

import (
	"bytes"
	"io"
)

// combined makes one pair of the neighbours that have the same key.
type combined struct {
	src     Source
	combine func(dst, a, b []byte) ([]byte, error)

	key, value []byte // of the pair that comes next, when there is one
	ahead      bool
	out, spare []byte
	last       []byte // the key that was returned
	end        error
}

// Next implements Source.
func (c *combined) Next() (key, value []byte, err error) {
	if !c.ahead {
		if err := c.read(); err != nil {
			return nil, nil, err
		}
	}
	c.last, c.out = append(c.last[:0], c.key...), append(c.out[:0], c.value...)
	for {
		switch err := c.read(); {
		case err == io.EOF:
			return c.last, c.out, nil
		case err != nil:
			return nil, nil, err
		case !bytes.Equal(c.key, c.last):
			return c.last, c.out, nil
		}
		if c.spare, err = c.combine(c.spare[:0], c.out, c.value); err != nil {
			return nil, nil, err
		}
		c.out, c.spare = c.spare, c.out
	}
}

// read gets the pair that comes next. What the source returns is valid until it is asked again.
func (c *combined) read() error {
	if c.end != nil {
		return c.end
	}
	var err error
	c.key, c.value, err = c.src.Next()
	c.ahead = err == nil
	c.end = err
	return err
}
