//go:build unix

package usercode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/runtime/job"
)

// At implements Program.
func (h *helper) At() (at job.Place, ok bool) {
	h.mu.Lock()
	if h.place != nil {
		_, _ = h.place.ReadAt(h.last[:], 0)
	}
	number, index := binary.LittleEndian.Uint64(h.last[:8]), binary.LittleEndian.Uint64(h.last[8:])
	h.mu.Unlock()
	if b := h.block(uint32(number)); b != nil && index < uint64(b.Len()) {
		return b.Place(int(index)), true
	}
	if key := h.key(number); key != "" {
		return job.Place{Text: Shorten([]byte(key))}, true
	}
	return job.Place{}, false
}

// block is the block under way with this number, or nil.
func (h *helper) block(seq uint32) *Block {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.flights {
		if f.seq == seq {
			return f.block
		}
	}
	return nil
}

// key is the key under way with this number, or empty.
func (h *helper) key(number uint64) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.flights {
		for _, g := range f.groups {
			if g.number == number {
				return g.key
			}
		}
	}
	return ""
}

// verdict says how the helper ended, once it has.
func (h *helper) verdict() error {
	if err := h.sink.failed(); err != nil {
		return err
	}
	if err := causeOf(h.ctx); err != nil && (!h.done || h.p.wasKilled()) {
		return err
	}
	var e *Error
	switch {
	case h.fatal != nil:
		e = newError(h.fatal.Kind, h.fatal.failure)
		e.Fatal = h.fatal.Load
		if b := h.block(h.fatal.Seq); b != nil && h.fatal.Index >= 0 && h.fatal.Index < b.Len() {
			at := b.Place(h.fatal.Index)
			e.At = &at
		}
		e.Key = h.key(h.fatal.Group)
	case errors.As(h.broken, &e):
	case h.broken != nil:
		e = &Error{
			Cause: job.CauseBug, Message: "the helper is not understood: " + h.broken.Error(), Stack: h.tail.String(),
			Hint: "user code must not write to the file descriptors 3, 4 and 5",
		}
		e.Signature = "the helper is not understood"
	case !h.done:
		e = h.death()
	case len(h.flights) > 0:
		e = &Error{Cause: job.CauseBug, Message: fmt.Sprintf("the helper ended and left %d blocks without an answer", len(h.flights))}
		e.Signature = "the helper left blocks without an answer"
	default:
		return nil
	}
	e.Fatal = e.Fatal || h.o.Role != job.RoleMap || h.ready == nil || h.ready.Finish
	return e
}

// death says how a helper ended that had not come to its end.
func (h *helper) death() *Error {
	last := h.tail.String()
	for _, dir := range []string{h.o.Code.Dir, h.o.WorkDir} {
		last = strings.ReplaceAll(last, absolute(dir)+string(filepath.Separator), "")
	}
	e := h.p.died(h.o.Code.Entry, last)
	if e.Hint == "" && !h.p.wasKilled() {
		e.Hint = "something in the code ends the whole program, such as os._exit or process.abort: raise an error instead"
	}
	at, ok := h.At()
	switch {
	case !ok:
	case h.o.Role == job.RoleMap:
		e.At = &at
	default:
		e.Key = h.key(binary.LittleEndian.Uint64(h.last[:8]))
	}
	return e
}
