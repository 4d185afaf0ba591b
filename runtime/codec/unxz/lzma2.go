package unxz

// lzma2 reads the chunks of LZMA2.
type lzma2 struct {
	decoder
	dictionary, properties bool // one must come first
	left                   int  // bytes of the chunk still to come
	packed                 bool // the chunk is compressed
	end                    int  // of the chunk in the input, or of what there is of it
	whole                  bool // all of the chunk is there
}

// start begins the data of a block with a dictionary of so many bytes.
func (l *lzma2) start(dict int) {
	l.window.reset(dict)
	l.dictionary, l.properties, l.left, l.pending = true, true, 0, 0
}

// next decodes some more; the window has been read. It is false at the end of the data.
func (l *lzma2) next() (bool, error) {
	if l.left == 0 {
		more, err := l.chunk()
		if !more || err != nil {
			return false, err
		}
	}
	l.room()
	before, limit := l.pos, min(l.size, l.pos+l.left, l.pos+step)
	if !l.packed {
		return true, l.stored(limit)
	}
	why := l.decode(limit, l.end)
	l.left -= l.pos - before
	switch {
	case why == atInput && !l.whole:
		return true, l.in.ended()
	case why != atLimit:
		return true, ErrCorrupt
	case l.left == 0 && (l.pending > 0 || !l.finished() || l.in.at != l.end):
		return true, ErrCorrupt
	}
	return true, nil
}

// stored copies bytes of an uncompressed chunk.
func (l *lzma2) stored(limit int) error {
	l.in.need(min(limit-l.pos, inputSize))
	n := copy(l.buf[l.pos:limit], l.in.buf[l.in.at:l.in.n])
	if n == 0 {
		return l.in.ended()
	}
	l.in.at += n
	l.pos += n
	l.left -= n
	return nil
}

// chunk reads the header of a chunk. It is false at the mark of the end.
func (l *lzma2) chunk() (bool, error) {
	b, err := l.in.take(1)
	if err != nil {
		return false, err
	}
	control := b[0]
	switch {
	case control == 0:
		return false, nil
	case control == 1 || control >= 0xe0:
		l.clear()
		l.dictionary, l.properties = false, true
	case l.dictionary || control > 2 && control < 0x80:
		return false, ErrCorrupt
	}
	l.packed = control >= 0x80
	if !l.packed {
		if b, err = l.in.take(2); err == nil {
			l.left = int(b[0])<<8 + int(b[1]) + 1
		}
		return true, err
	}
	if b, err = l.in.take(4); err != nil {
		return false, err
	}
	l.left = int(control&0x1f)<<16 + int(b[0])<<8 + int(b[1]) + 1
	size := int(b[2])<<8 + int(b[3]) + 1
	if control >= 0xc0 {
		if b, err = l.in.take(1); err != nil {
			return false, err
		}
		if !l.decoder.properties(b[0]) {
			return false, ErrCorrupt
		}
		l.properties = false
	}
	if l.properties || size < 5 {
		return false, ErrCorrupt
	}
	if control >= 0xa0 {
		l.model.reset()
	}
	l.whole = l.in.need(size)
	l.end = min(l.in.at+size, l.in.n)
	return true, l.begin()
}
