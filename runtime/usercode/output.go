package usercode

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
)

// maxLogLine is how much of a line that user code prints is kept.
const maxLogLine = 8 << 10

// readLines calls line for each line of r, shortened to maxLogLine, until r ends or fails. It holds no more than one line.
func readLines(r io.Reader, line func(string)) {
	b := bufio.NewReaderSize(r, maxLogLine)
	for {
		text, err := b.ReadSlice('\n')
		cut := errors.Is(err, bufio.ErrBufferFull)
		if len(text) > 0 {
			s := strings.ToValidUTF8(string(bytes.TrimRight(text, "\r\n")), "\ufffd")
			if cut {
				s += "…"
			}
			line(s)
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// tail keeps the last lines.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 20

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = slices.Delete(t.lines, 0, 1)
	}
	t.lines = append(t.lines, line)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// serial calls a Sink one call at a time and keeps its first error.
type serial struct {
	mu   sync.Mutex
	sink Sink
	err  error
}

// do calls f unless the sink has failed.
func (s *serial) do(f func(Sink) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = f(s.sink)
	}
	return s.err
}

func (s *serial) log(line string) {
	_ = s.do(func(sink Sink) error { sink.Log(line); return nil })
}

func (s *serial) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
