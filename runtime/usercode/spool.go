package usercode

import (
	"errors"
	"io"
	"os"

	"github.com/tafc/tafc/runtime/job"
)

// spooled is what a spool holds.
const spooled = "what a block emitted"

// spool holds what a block emitted until the whole block is done: in memory, and what goes beyond in a file.
type spool struct {
	dir    string
	memory int // bytes that may be held
	chunks [][]byte
	size   int
	file   *os.File
	sizes  []int  // of the chunks in the file
	marked [2]int // how many chunks there were in memory and in the file
}

func (s *spool) add(chunk []byte) error {
	if len(s.sizes) == 0 && s.size+len(chunk) <= s.memory {
		s.chunks = append(s.chunks, chunk)
		s.size += len(chunk)
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "spool")
		if err != nil {
			return writeError(spooled, err)
		}
		_ = os.Remove(f.Name()) // it ends with us
		s.file = f
	}
	if _, err := s.file.Write(chunk); err != nil {
		return writeError(spooled, err)
	}
	s.sizes = append(s.sizes, len(chunk))
	return nil
}

// mark notes where undo goes back to.
func (s *spool) mark() { s.marked = [2]int{len(s.chunks), len(s.sizes)} }

// undo takes back what was added since the mark.
func (s *spool) undo() error {
	if len(s.chunks) < s.marked[0] || len(s.sizes) < s.marked[1] {
		return errors.New("an undo without its mark")
	}
	for _, chunk := range s.chunks[s.marked[0]:] {
		s.size -= len(chunk)
	}
	s.chunks = s.chunks[:s.marked[0]]
	if len(s.sizes) == s.marked[1] {
		return nil
	}
	s.sizes = s.sizes[:s.marked[1]]
	var end int64
	for _, size := range s.sizes {
		end += int64(size)
	}
	return s.cut(end)
}

// cut makes the file end at a place.
func (s *spool) cut(end int64) error {
	if _, err := s.file.Seek(end, io.SeekStart); err != nil {
		return writeError(spooled, err)
	}
	if err := s.file.Truncate(end); err != nil {
		return writeError(spooled, err)
	}
	return nil
}

// drain gives all chunks to fn, in their order, and is empty then.
func (s *spool) drain(fn func([]byte) error) error {
	for _, chunk := range s.chunks {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	var at int64
	for _, size := range s.sizes {
		chunk := make([]byte, size)
		if _, err := s.file.ReadAt(chunk, at); err != nil {
			return writeError(spooled, err)
		}
		if err := fn(chunk); err != nil {
			return err
		}
		at += int64(size)
	}
	s.chunks, s.size = nil, 0
	s.marked = [2]int{}
	if len(s.sizes) == 0 {
		return nil
	}
	s.sizes = s.sizes[:0]
	return s.cut(0)
}

// writeError is the failure to write something that running user code needs.
func writeError(what string, err error) error {
	message := what + " cannot be written"
	return &Error{Cause: job.CauseWrite, Message: message + ": " + err.Error(), Signature: message, Fatal: true, Hint: "make room on the disk"}
}

func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
	}
}
