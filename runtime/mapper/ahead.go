package mapper

import (
	"context"
	"io"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/remote"
)

// What is fetched ahead: the file that is read and the next ones, each in chunks until its share of the memory is full.
const (
	filesAhead = 3
	chunkSize  = 64 << 10
	maxChunks  = 64
)

// reading is a file as it is read.
type reading struct {
	f       *fetched
	from    io.Reader // f, or a stream of it
	stop    func()
	at      int64 // bytes read
	counted int64 // of them in the ledger
	spent   time.Duration
}

func (r *reading) Read(p []byte) (int, error) {
	began := time.Now()
	n, err := r.from.Read(p)
	r.spent += time.Since(began)
	r.at += int64(n)
	return n, err
}

// Close ends the reading. Then f is no longer used by anybody else.
func (r *reading) Close() { r.stop() }

// ahead opens the files of a task in their order, those of stores before they are asked for.
type ahead struct {
	t       *task
	next    int        // the first file that is not started
	started []*reading // from the one that is asked for next
}

// open opens the file that follows the one before.
func (a *ahead) open(i int) (*reading, error) {
	files := a.t.spec.Files
	if !remote.Knows(files[i].URL) {
		f, err := a.t.fetch(a.t.ctx, files[i])
		if err == nil {
			err = f.open()
		}
		if err != nil {
			return nil, err
		}
		a.next = max(a.next, i+1)
		return &reading{f: f, from: f, stop: func() { f.Close() }}, nil
	}
	for a.next = max(a.next, i); a.next < len(files) && a.next <= i+filesAhead && remote.Knows(files[a.next].URL); a.next++ {
		r, err := a.t.stream(files[a.next])
		if err != nil {
			if a.next == i {
				a.next++
				return nil, err
			}
			break // it is told when it is its turn
		}
		a.started = append(a.started, r)
	}
	r := a.started[0]
	a.started = a.started[1:]
	return r, nil
}

// close ends what was started and not asked for.
func (a *ahead) close() {
	for _, r := range a.started {
		r.Close()
	}
}

// stream starts to fetch a file. It stops when as much waits as the memory allows.
func (t *task) stream(plan job.File) (*reading, error) {
	ctx, cancel := context.WithCancel(t.ctx)
	f, err := t.fetch(ctx, plan)
	if err != nil {
		cancel()
		return nil, err
	}
	share := heap(t.limit()) / 8 / (1 + filesAhead)
	chunks := int(min(max(share/chunkSize, 2), maxChunks))
	s := &stream{full: make(chan []byte, chunks), empty: make(chan []byte, chunks), done: make(chan struct{})}
	for range chunks {
		s.empty <- nil
	}
	size := int64(chunkSize)
	if plan.Size >= 0 {
		size = min(size, plan.Size+1) // the byte more finds the end
	}
	go s.fill(ctx, f, size)
	return &reading{f: f, from: s, stop: func() {
		cancel()
		<-s.done
	}}, nil
}

// stream is a file on its way from a goroutine that fetches to one that reads.
type stream struct {
	full  chan []byte // closed at the end
	empty chan []byte
	done  chan struct{}
	err   error // set before full is closed

	chunk, rest []byte
}

func (s *stream) fill(ctx context.Context, f *fetched, size int64) {
	defer close(s.done)
	defer f.Close()
	defer close(s.full)
	if s.err = f.open(); s.err != nil {
		return
	}
	for {
		var chunk []byte
		select {
		case chunk = <-s.empty:
		case <-ctx.Done():
			s.err = context.Cause(ctx)
			return
		}
		if chunk == nil {
			chunk = make([]byte, size)
		}
		chunk = chunk[:size]
		n, err := io.ReadFull(f, chunk)
		if err == io.ErrUnexpectedEOF {
			err = io.EOF // f has other errors for an end that comes too early
		}
		if n > 0 {
			s.full <- chunk[:n] // there is room for all chunks that there are
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.chunk != nil {
			s.empty <- s.chunk
			s.chunk = nil
		}
		chunk, ok := <-s.full
		if !ok {
			return 0, s.err
		}
		s.chunk, s.rest = chunk, chunk
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
