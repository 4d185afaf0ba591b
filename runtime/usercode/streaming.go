//go:build unix

package usercode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tafc/tafc/runtime/job"
)

// streaming is a Program that reads lines and prints lines of key TAB value.
type streaming struct {
	ctx   context.Context
	o     Options
	what  string // how messages call it
	p     *process
	stdin *os.File
	back  *os.File // the reading end of stdin, to see what was not read
	sink  *serial

	work    chan work
	ended   chan struct{} // closed when no more input is taken
	unread  bool          // not all input was taken; read after ended
	outputs sync.WaitGroup
	tail    tail
	tooLong error // read after outputs
	held    bool  // the output did not end with the program; read after outputs

	printed atomic.Int64 // bytes
	given   atomic.Int64 // bytes
	whole   atomic.Bool  // all input was given

	closing sync.Once
	closed  error
}

// work is input to write: a block, or lines of text.
type work struct {
	block *Block
	data  []byte
}

func startStreaming(ctx context.Context, o Options, argv []string, sink Sink) (Program, error) {
	s := &streaming{ctx: ctx, o: o, what: "the command", sink: &serial{sink: sink}, work: make(chan work, 2), ended: make(chan struct{})}
	if o.Code != nil {
		s.what = o.Code.Entry
	}
	cmd := command(o, argv, nil)
	var open []*os.File
	var pipes [3][2]*os.File
	for i := range pipes {
		r, w, err := pipe(&open)
		if err != nil {
			return nil, err
		}
		pipes[i] = [2]*os.File{r, w}
	}
	enlarge(pipes[0][1])
	enlarge(pipes[1][1])
	s.back, s.stdin = pipes[0][0], pipes[0][1]
	stdout, stderr := pipes[1][0], pipes[2][0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.back, pipes[1][1], pipes[2][1]
	settled := make(chan struct{})
	var err error
	if s.p, err = s.launch(cmd, pipes, settled); err != nil {
		return nil, err
	}
	go s.p.killWith(ctx)
	go s.feed()
	s.outputs.Go(func() {
		defer stdout.Close()
		defer close(settled)
		s.tooLong = s.readPairs(&patient{f: stdout})
	})
	s.outputs.Go(func() {
		defer stderr.Close()
		readLines(&patient{f: stderr}, s.message)
	})
	return s, nil
}

func (s *streaming) launch(cmd *exec.Cmd, pipes [3][2]*os.File, settled chan struct{}) (*process, error) {
	p, err := startProcess(cmd, []*os.File{pipes[1][1], pipes[2][1]}, []*os.File{s.stdin, pipes[1][0], pipes[2][0]}, settled)
	if err == nil {
		return p, nil
	}
	s.back.Close()
	var e *Error
	if errors.As(err, &e) && s.o.Code != nil && strings.HasPrefix(cmd.Args[0], absolute(s.o.Code.Dir)+string(filepath.Separator)) {
		// What runs is a copy: people know it by its place in the analysis.
		e.Message = strings.Replace(e.Message, cmd.Args[0], s.what, 1)
		e.Signature = e.Message
	}
	return nil, err
}

// Map implements Program.
func (s *streaming) Map(b *Block) error {
	w := work{block: b}
	switch {
	case b.Len() == 0:
	case b.Keyed && s.o.Format == "":
		w.data, _ = appendTextLines(nil, b.Data[:b.Ends[b.Len()-1]+1])
	default:
		w.data = b.Data[:b.Ends[b.Len()-1]+1]
	}
	return s.put(w)
}

// Pairs implements Program.
func (s *streaming) Pairs(lines []byte) error {
	text, rest := appendTextLines(nil, lines)
	if len(rest) > 0 {
		return fmt.Errorf("not a line of key TAB value: %q", Shorten(rest))
	}
	return s.put(work{data: text})
}

func (s *streaming) put(w work) error {
	select {
	case <-s.ended:
		return errBroken
	default:
	}
	select {
	case s.work <- w:
		return nil
	case <-s.ended:
		return errBroken
	}
}

// feed writes the input until it is closed or nobody reads it any more.
func (s *streaming) feed() {
	defer close(s.ended)
	defer s.stdin.Close()
	for w := range s.work {
		s.given.Add(int64(len(w.data)))
		if _, err := s.stdin.Write(w.data); err != nil {
			s.unread = true
			return
		}
		if w.block == nil {
			continue
		}
		if s.sink.do(func(sink Sink) error { return sink.Done(w.block) }) != nil {
			s.p.kill()
			return
		}
	}
}

// readPairs makes pairs of what the program prints.
func (s *streaming) readPairs(r io.Reader) error {
	buf := make([]byte, 0, 256<<10)
	var pairs []byte
	for {
		if cap(buf)-len(buf) < 64<<10 {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		from := len(buf)
		n, err := r.Read(buf[from:cap(buf)])
		buf = buf[:from+n]
		s.printed.Add(int64(n))
		if err != nil && len(buf) > 0 && buf[len(buf)-1] != '\n' {
			buf = append(buf, '\n') // the last line may go without
		}
		if end := bytes.LastIndexByte(buf[from:], '\n'); end >= 0 {
			end += from + 1
			var long error
			if pairs, long = s.appendPairs(pairs, buf[:end]); long != nil {
				return s.cutOff(long)
			}
			buf = append(buf[:0], buf[end:]...)
		}
		if int64(len(buf)) > s.o.MaxRecord {
			return s.cutOff(s.tooLongError(buf))
		}
		if len(pairs) >= 256<<10 || err != nil && len(pairs) > 0 {
			lines := pairs
			pairs = nil
			if s.sink.do(func(sink Sink) error { return sink.Pairs(lines) }) != nil {
				return s.cutOff(nil)
			}
		}
		if err != nil {
			s.held = errors.Is(err, os.ErrDeadlineExceeded)
			return nil
		}
	}
}

// cutOff ends the program because of its output.
func (s *streaming) cutOff(err error) error {
	s.p.kill()
	return err
}

// appendPairs appends lines of text as lines of JSON pairs.
func (s *streaming) appendPairs(dst, text []byte) ([]byte, error) {
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		line := text[:end]
		if int64(len(line)) > s.o.MaxRecord {
			return dst, s.tooLongError(line)
		}
		text = text[end+1:]
		key, value, both := bytes.Cut(line, []byte{'\t'})
		dst = append(appendString(dst, key), '\t')
		if both {
			dst = appendString(dst, value)
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

func (s *streaming) tooLongError(line []byte) error {
	e := &Error{
		Cause: job.CauseCode, Fatal: true,
		Message: fmt.Sprintf("%s printed a line of more than %d bytes: %.100q…", s.what, s.o.MaxRecord, line),
		Hint:    "print one short line for each pair of key TAB value",
	}
	e.Signature = s.what + " printed a line that is too long"
	return e
}

// message takes a line of standard error, which may be one of Hadoop's messages.
func (s *streaming) message(line string) {
	if text, ok := strings.CutPrefix(line, "reporter:counter:"); ok {
		if group, rest, ok := strings.Cut(text, ","); ok {
			name, amount, _ := strings.Cut(rest, ",")
			if n, err := strconv.ParseInt(strings.TrimSpace(amount), 10, 64); err == nil {
				_ = s.sink.do(func(sink Sink) error { sink.Count(group+"."+name, n); return nil })
				return
			}
		}
	}
	if text, ok := strings.CutPrefix(line, "reporter:status:"); ok {
		s.sink.log(text)
		return
	}
	s.tail.add(line)
	s.sink.log(line)
}

// Kill implements Program.
func (s *streaming) Kill() { s.p.kill() }

// At implements Program: which records the program has read says nothing of which it works on.
func (s *streaming) At() (job.Place, bool) { return job.Place{}, false }

// Gone implements Stream. What was given and is not in the pipe any more was read.
func (s *streaming) Gone() (int64, bool) {
	select {
	case <-s.p.exited:
		return 0, true
	default:
	}
	waiting := int64(unread(s.back))
	return s.printed.Load() + s.given.Load() - waiting, waiting == 0 && !s.whole.Load()
}

// Form implements Program.
func (s *streaming) Form() job.Form { return job.FormPairs }

// PeakMemory implements Program.
func (s *streaming) PeakMemory() int64 { return s.p.peakMemory() }

// Close implements Program.
func (s *streaming) Close() error {
	s.closing.Do(func() {
		close(s.work)
		<-s.ended
		s.whole.Store(true)
		<-s.p.exited
		s.outputs.Wait()
		s.unread = s.unread || len(s.work) > 0 || unread(s.back) > 0
		s.back.Close()
		s.closed = s.verdict()
	})
	return s.closed
}

// verdict says how the program ended, once it has.
func (s *streaming) verdict() error {
	if err := s.sink.failed(); err != nil {
		return err
	}
	if err := causeOf(s.ctx); err != nil && s.p.wasKilled() {
		return err
	}
	if s.tooLong != nil {
		return s.tooLong
	}
	e := &Error{Cause: job.CauseCode, Stack: s.tail.String(), Exit: s.p.cmd.ProcessState.String()}
	switch state := s.p.cmd.ProcessState; {
	case state.Exited() && state.ExitCode() > 0:
		e.Message = fmt.Sprintf("%s ended with %s", s.what, e.Exit)
		e.Hint = hintOf(state.ExitCode())
	case !state.Success() || s.p.wasKilled():
		e = s.p.died(s.what, e.Stack)
	case s.unread:
		e.Message = s.what + " ended well (" + e.Exit + ") without reading all its input"
		e.Hint = "if it needs no more of it, end it with: cat >/dev/null"
	case s.p.lasted || s.held:
		e.Message = "what " + s.what + " has started still held its output open after it had ended, so that the output may not be complete"
		e.Hint = "wait in the program for what it starts in the background"
	default:
		return nil
	}
	e.Signature = e.Message
	e.Fatal = true
	return e
}

// hintOf explains exit codes of shells.
func hintOf(code int) string {
	switch code {
	case 126:
		return "126 is what a shell says of a file that it cannot execute"
	case 127:
		return "127 is what a shell says of a program that is not installed"
	case 137:
		return "137 is what a shell says of a program that was killed; where memory is limited, that is what happens when it runs out"
	}
	return ""
}
