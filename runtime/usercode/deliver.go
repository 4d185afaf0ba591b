//go:build unix

package usercode

import (
	"encoding/json"
	"errors"
	"fmt"
)

// deliver passes on what came of a block, or what came after the last.
func (h *helper) deliver(b *Block) error {
	if err := h.spool.drain(func(lines []byte) error {
		return h.sink.do(func(s Sink) error { return s.Pairs(lines) })
	}); err != nil {
		return err
	}
	bad, counts := h.bad, h.counts
	h.bad, h.counts = nil, nil
	for _, f := range bad {
		if err := h.passBad(b, f); err != nil {
			return err
		}
	}
	for _, payload := range counts {
		if err := h.count(payload); err != nil {
			return err
		}
	}
	if b == nil {
		return nil
	}
	return h.sink.do(func(s Sink) error { return s.Done(b) })
}

// current is the block that the helper works on, or nil.
func (h *helper) current() *Block {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.flights) == 0 {
		return nil
	}
	return h.flights[0].block
}

// passBad passes on what is wrong with a record of a block.
func (h *helper) passBad(b *Block, f badFrame) error {
	if b == nil || f.Index < 0 || f.Index >= b.Len() {
		return fmt.Errorf("record %d of a block that has not so many", f.Index)
	}
	e := newError(f.Kind, f.failure)
	at := b.Place(f.Index)
	e.At = &at
	return h.sink.do(func(s Sink) error { return s.Bad(b, f.Index, e) })
}

// count passes on counters: a list of [name, number].
func (h *helper) count(payload []byte) error {
	var list [][2]json.RawMessage
	err := json.Unmarshal(payload, &list)
	for _, c := range list {
		var name string
		var n int64
		err = errors.Join(err, json.Unmarshal(c[0], &name), json.Unmarshal(c[1], &n))
		if err == nil {
			err = h.sink.do(func(s Sink) error { s.Count(name, n); return nil })
		}
	}
	return err
}
