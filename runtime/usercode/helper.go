//go:build unix

package usercode

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/stdlib/helpers"
)

const (
	underWay    = 3        // blocks, or frames of pairs, that a helper has not answered yet
	spoolMemory = 16 << 20 // what a block may emit before it goes to a file
)

// errBroken is what Map and Pairs return when the program is at its end.
var errBroken = errors.New("the program of the user's code has ended")

// helper is a Program in Python or JavaScript.
type helper struct {
	ctx  context.Context
	o    Options
	p    *process
	in   *os.File // frames to the helper
	out  *os.File // frames from it
	sink *serial
	// calls takes the answers of a helper that answers key by key, see Calls; else it is nil.
	calls *answers

	file  string // of the last block
	dims  []string
	seq   uint32 // of the last block
	group grouper
	slots chan struct{} // one for each of what is under way
	ended chan struct{} // closed when the helper says nothing more
	packs atomic.Bool   // the helper wants values with the records, because the code asks for them
	pack  packer
	logs  sync.WaitGroup
	tail  tail

	mu      sync.Mutex
	flights []flight
	place   *os.File // 16 bytes in which the helper notes where it is
	last    [16]byte // what stood there when it was closed

	// What the reading goroutine found; read after ended.
	spool  spool
	bad    []badFrame
	counts []json.RawMessage
	ready  *readyFrame
	fatal  *fatalFrame
	done   bool
	broken error

	closing sync.Once
	closed  error
}

// flight is a block or a frame of pairs that the helper has not answered yet.
type flight struct {
	seq    uint32
	block  *Block
	groups []group
}

func startHelper(ctx context.Context, o Options, sink Sink, calls *answers) (*helper, error) {
	dir := filepath.Join(o.WorkDir, ".taf-helper")
	entry, err := helpers.Write(dir, o.Code.Language)
	if err != nil {
		return nil, writeError("the helper", err)
	}
	h := &helper{
		ctx: ctx, o: o, sink: &serial{sink: sink}, calls: calls, slots: make(chan struct{}, underWay), ended: make(chan struct{}),
		spool: spool{dir: dir, memory: spoolMemory},
	}
	h.group.send = h.sendPairs
	if h.place, err = os.CreateTemp(dir, "place"); err != nil {
		return nil, writeError("the place of work", err)
	}
	_ = os.Remove(h.place.Name())
	// Written, not only made long: the helper maps it, and on a full disk would die of a page that is not there.
	if _, err := h.place.Write(h.last[:]); err != nil {
		h.place.Close()
		return nil, writeError("the place of work", err)
	}
	if err := h.launch(absolute(entry)); err != nil {
		h.place.Close()
		return nil, err
	}
	if err := h.greet(); err != nil {
		h.p.kill()
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// launch starts the process with its pipes, and the goroutines that read them.
func (h *helper) launch(entry string) error {
	code := absolute(h.o.Code.Dir)
	path := code + string(os.PathListSeparator) + filepath.Join(code, filepath.Dir(filepath.FromSlash(h.o.Code.Entry)))
	if own := h.o.Env["NODE_PATH"]; own != "" {
		path += string(os.PathListSeparator) + own
	}
	cmd := command(h.o, []string{interpreter(h.o.Code.Language, h.o.Env), entry}, map[string]string{
		"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "NODE_PATH": path,
		// What was freed is kept for the next block: to give it back and get it again costs more than copying the block.
		"MALLOC_TRIM_THRESHOLD_": "33554432", "MALLOC_MMAP_THRESHOLD_": "8388608",
	})
	var open []*os.File
	var pipes [4][2]*os.File // input, output, standard output, standard error
	for i := range pipes {
		r, w, err := pipe(&open)
		if err != nil {
			return err
		}
		pipes[i] = [2]*os.File{r, w}
	}
	enlarge(pipes[0][1])
	enlarge(pipes[1][1])
	cmd.Stdout, cmd.Stderr = pipes[2][1], pipes[3][1]
	cmd.ExtraFiles = []*os.File{pipes[0][0], pipes[1][1], h.place}
	h.in, h.out = pipes[0][1], pipes[1][0]
	var err error
	h.p, err = startProcess(cmd, []*os.File{pipes[0][0], pipes[1][1], pipes[2][1], pipes[3][1]}, []*os.File{h.in, h.out, pipes[2][0], pipes[3][0]}, nil)
	if err != nil {
		return err
	}
	go h.p.killWith(h.ctx)
	for i, note := range []func(string){func(string) {}, h.tail.add} {
		h.logs.Go(func() {
			defer pipes[2+i][0].Close()
			readLines(&patient{f: pipes[2+i][0]}, func(line string) { note(line); h.sink.log(line) })
		})
	}
	go h.listen()
	return nil
}

// greet tells the helper what to do.
func (h *helper) greet() error {
	o := h.o
	format := o.Format
	if o.Role == job.RoleMap && format == "" {
		format = "pairs"
	}
	config, err := json.Marshal(hello{
		Version: protocolVersion, Role: o.Role, Contract: o.Code.Contract, Function: o.Code.Function,
		Dir: absolute(o.Code.Dir), Entry: o.Code.Entry, Format: format, Form: o.Form, Dims: o.Dims, Fields: o.Fields, MaxPair: o.MaxRecord, Calls: h.calls != nil,
	})
	if err != nil {
		return err
	}
	_ = h.write(appendFrame(nil, frameHello, config)) // a helper that is gone already tells why at the end
	return nil
}

// write writes to the helper. Why that fails is known when the helper has ended.
func (h *helper) write(frames ...[]byte) error {
	for _, frame := range frames {
		if _, err := h.in.Write(frame); err != nil {
			return errBroken
		}
	}
	return nil
}

// Map implements Program.
func (h *helper) Map(b *Block) error {
	if h.o.Role != job.RoleMap {
		return fmt.Errorf("a %s takes pairs, not records", h.o.Role)
	}
	if b.File != h.file || !slices.Equal(b.Dims, h.dims) || h.seq == 0 {
		h.file, h.dims = b.File, b.Dims
		file, err := json.Marshal(fileFrame{b.File, b.Dims})
		if err != nil {
			return err
		}
		if err := h.write(appendFrame(nil, frameFile, file)); err != nil {
			return err
		}
	}
	h.seq++
	if err := h.fly(flight{seq: h.seq, block: b}); err != nil {
		return err
	}
	if !h.packs.Load() {
		head, data := appendBlock(nil, h.seq, b, nil)
		return h.write(head, data)
	}
	h.pack.take(b)
	head, data := appendBlock(nil, h.seq, b, &h.pack)
	return h.write(head, data, h.pack.values)
}

// Pairs implements Program.
func (h *helper) Pairs(lines []byte) error {
	if h.o.Role == job.RoleMap {
		return errors.New("a map takes records, not pairs")
	}
	return h.group.add(lines)
}

func (h *helper) sendPairs(frame []byte, groups []group) error {
	if err := h.fly(flight{seq: h.group.seq, groups: groups}); err != nil {
		return err
	}
	return h.write(frame)
}

// fly waits until less is under way.
func (h *helper) fly(f flight) error {
	select {
	case h.slots <- struct{}{}:
	case <-h.ended:
		return errBroken
	}
	h.mu.Lock()
	h.flights = append(h.flights, f)
	h.mu.Unlock()
	return nil
}

// listen takes what the helper says until it has said all.
func (h *helper) listen() {
	defer close(h.ended)
	r := newFrameReader(&patient{f: h.out}, int(6*h.o.MaxRecord)+8*frameSize)
	for !h.done && h.fatal == nil {
		kind, payload, err := r.next()
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			return // it died
		}
		if err == nil {
			err = h.take(kind, payload)
		}
		if err != nil {
			h.broken = err
			h.p.kill()
			return
		}
	}
}

// take does what a frame says.
func (h *helper) take(kind byte, payload []byte) error {
	read := func(v any) error {
		if err := json.Unmarshal(payload, v); err != nil {
			return fmt.Errorf("a frame of type %q: %w", kind, err)
		}
		return nil
	}
	switch kind {
	case frameReady:
		h.ready = &readyFrame{}
		err := read(h.ready)
		h.packs.Store(h.ready.Packed)
		return err
	case framePairs:
		if h.o.Role == job.RoleMap && !h.o.Strict {
			return h.spool.add(payload)
		}
		return h.sink.do(func(s Sink) error { return s.Pairs(payload) })
	case frameMark:
		h.spool.mark()
		return nil
	case frameUndo:
		return h.spool.undo()
	case frameBad:
		var bad badFrame
		if err := read(&bad); err != nil {
			return err
		}
		if h.calls != nil {
			h.calls.fail(newError(bad.Kind, bad.failure))
			return nil
		}
		if h.o.Strict {
			return h.passBad(h.current(), bad)
		}
		h.bad = append(h.bad, bad)
		return nil
	case frameCounters:
		h.counts = append(h.counts, payload)
		return nil
	case frameAck:
		if len(payload) < 4 {
			return errors.New("an answer without number")
		}
		if len(payload) > 4 {
			h.packs.Store(h.ready != nil && h.ready.Packed && payload[4] != 0)
		}
		return h.answered(binary.LittleEndian.Uint32(payload))
	case frameAnswer:
		if h.calls == nil {
			return errors.New("an answer to a call that nobody made")
		}
		h.calls.end()
		return nil
	case frameLog:
		h.sink.log(string(payload))
		return nil
	case frameFatal:
		h.fatal = &fatalFrame{}
		return read(h.fatal)
	case frameDone:
		h.done = true
		return h.deliver(nil)
	}
	return fmt.Errorf("a frame of the unknown type %q", kind)
}

// answered ends the flight that the helper is done with.
func (h *helper) answered(seq uint32) error {
	h.mu.Lock()
	if len(h.flights) == 0 || h.flights[0].seq != seq {
		h.mu.Unlock()
		return fmt.Errorf("an answer for block %d, which is not the next", seq)
	}
	b := h.flights[0].block
	h.mu.Unlock()
	if err := h.deliver(b); err != nil {
		return err
	}
	h.mu.Lock()
	h.flights = h.flights[1:]
	h.mu.Unlock()
	<-h.slots
	return nil
}

// Kill implements Program.
func (h *helper) Kill() { h.p.kill() }

// Close implements Program.
func (h *helper) Close() error {
	h.closing.Do(func() { h.closed = h.close() })
	return h.closed
}

func (h *helper) close() error {
	if h.group.end() == nil {
		_ = h.write(appendFrame(nil, frameEnd, nil))
	}
	h.in.Close()
	<-h.ended
	// What has said its last word has little time to go.
	timer := time.AfterFunc(drain, h.p.kill)
	<-h.p.exited
	timer.Stop()
	h.logs.Wait()
	h.out.Close()
	h.spool.close()
	h.mu.Lock()
	_, _ = h.place.ReadAt(h.last[:], 0)
	h.place.Close()
	h.place = nil
	h.mu.Unlock()
	return h.verdict()
}

// Form implements Program.
func (h *helper) Form() job.Form {
	if h.ready == nil {
		return job.FormPairs
	}
	return h.ready.Form
}

// PeakMemory implements Program.
func (h *helper) PeakMemory() int64 { return h.p.peakMemory() }
