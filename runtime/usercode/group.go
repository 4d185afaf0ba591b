package usercode

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// grouper turns sorted pairs into frames of pairs, in which the values of a key stand together as the inside of a JSON array,
// so that a helper parses many at once. The values of a key go over several chunks, and frames, when they are many.
type grouper struct {
	send func(frame []byte, groups []group) error

	frame  []byte  // under way, with room for the header and the sequence number
	groups []group // keys of the frame
	seq    uint32

	number uint64 // of the last key, counted from 1
	open   bool   // its values are under way
	key    []byte
	values []byte
	count  uint32
	first  bool // no chunk of the key was written yet
}

// group is a key that a helper may be at.
type group struct {
	number uint64
	key    string
}

// chunkSize is when the values of a key are cut, in bytes.
const chunkSize = 256 << 10

// add takes lines of key TAB value.
func (g *grouper) add(lines []byte) error {
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n')
		tab := bytes.IndexByte(lines[:max(end, 0)], '\t')
		if tab < 0 {
			return fmt.Errorf("not a line of key TAB value: %q", Shorten(lines))
		}
		key, value := lines[:tab], lines[tab+1:end]
		lines = lines[end+1:]
		if !g.open || !bytes.Equal(key, g.key) {
			if err := g.begin(key); err != nil {
				return err
			}
		}
		if err := g.value(value); err != nil {
			return err
		}
	}
	return nil
}

// value takes a value of the key under way.
func (g *grouper) value(value []byte) error {
	if g.count > 0 {
		g.values = append(g.values, ',')
	}
	if len(value) == 0 {
		value = []byte("null")
	}
	g.values = append(g.values, value...)
	g.count++
	if len(g.values) >= chunkSize {
		return g.chunk(0)
	}
	return nil
}

// begin ends the key under way and begins the next.
func (g *grouper) begin(key []byte) error {
	if g.open {
		if err := g.chunk(chunkLast); err != nil {
			return err
		}
	}
	g.number++
	g.open = true
	g.key = append(g.key[:0], key...)
	g.first = true
	return nil
}

// chunk writes the values under way to the frame.
func (g *grouper) chunk(flags byte) error {
	if g.first {
		flags |= chunkFirst
	}
	if len(g.frame) == 0 {
		g.frame = append(g.frame[:0], make([]byte, frameHeader+4)...)
	}
	g.frame = binary.LittleEndian.AppendUint32(g.frame, uint32(len(g.key)))
	g.frame = binary.LittleEndian.AppendUint32(g.frame, g.count)
	g.frame = binary.LittleEndian.AppendUint32(g.frame, uint32(len(g.values)))
	g.frame = append(g.frame, flags)
	g.frame = append(append(g.frame, g.key...), g.values...)
	if n := len(g.groups); n == 0 || g.groups[n-1].number != g.number {
		g.groups = append(g.groups, group{g.number, string(g.key)})
	}
	g.values, g.count, g.first = g.values[:0], 0, false
	if len(g.frame) >= frameSize {
		return g.flush()
	}
	return nil
}

// flush sends the frame under way.
func (g *grouper) flush() error {
	if len(g.frame) == 0 {
		return nil
	}
	g.seq++
	appendHeader(g.frame[:0], framePairs, len(g.frame)-frameHeader)
	binary.LittleEndian.PutUint32(g.frame[frameHeader:], g.seq)
	err := g.send(g.frame, g.groups)
	g.frame, g.groups = g.frame[:0], nil
	return err
}

// end ends the last key.
func (g *grouper) end() error {
	if g.open {
		g.open = false
		if err := g.chunk(chunkLast); err != nil {
			return err
		}
	}
	return g.flush()
}
