package mapper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// entry is something of the input in its order: a block under way, a bad record, or the end of a file. An entry is judged
// when all before it are: so what a task says does not depend on how far it has read ahead.
type entry struct {
	block *usercode.Block
	done  bool
	bad   []*badRecord // not judged yet
	end   *fileEnd

	badCount int // of the block, judged or not
}

// push adds to what is under way. It returns errDoomed when nothing more need be read.
func (t *task) push(e *entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e.block != nil:
		t.blocks[e.block] = e
		t.rep.Ledger.Records.Read += int64(e.block.Len())
	case e.end == nil:
		t.rep.Ledger.Records.Read += int64(len(e.bad))
		t.doomed = t.doomed || t.spec.Tolerate.BadRecords.IsZero()
	default:
		t.doomed = t.doomed || e.end.failed != nil && (t.spec.Tolerate.BadFiles.IsZero() || e.end.failed.cause == job.CauseDrifted)
	}
	t.queue = append(t.queue, e)
	t.tell(false)
	if err := t.drain(); err != nil || t.doomed {
		return errDoomed
	}
	return nil
}

// drain judges what is complete, in order. The caller holds mu.
func (t *task) drain() error {
	for len(t.queue) > 0 {
		if t.failed != nil {
			return t.failed
		}
		e := t.queue[0]
		for len(e.bad) > 0 {
			b := e.bad[0]
			e.bad = e.bad[1:]
			if err := t.setAside(b); err != nil {
				t.failed = explain(err)
				return t.failed
			}
		}
		if e.block != nil && !e.done {
			return nil
		}
		if e.end != nil {
			if err := t.endFile(e.end); err != nil {
				t.failed = explain(err)
				return t.failed
			}
		}
		t.queue[0] = nil
		t.queue = t.queue[1:]
	}
	return nil
}

// setAside counts a bad record, and fails when that is one too many.
func (t *task) setAside(b *badRecord) error {
	if t.bad == nil {
		t.bad = b
	}
	t.rep.Ledger.Records.Quarantined++
	t.j.event("record.bad", field{"file", b.place.File}, field{"record", b.place.Record}, field{"offset", b.place.Offset}, field{"cause", b.cause}, field{"signature", b.signature}, field{"message", b.message})
	if t.rep.Ledger.Records.Quarantined <= 10 {
		t.j.say("bad record: %s, record %d, byte %d: %s", b.place.File, b.place.Record, b.place.Offset, b.message)
	}
	if err := t.quar.add(b); err != nil {
		return err
	}
	limit := t.spec.Tolerate.BadRecords
	switch {
	case limit.IsZero() || b.cause == job.CauseMemory && t.retried(b.cause, ""):
		f := fail(b.cause, b.message).at(b.place)
		f.Stack, f.Hint = b.stack, b.hint
		switch {
		case f.Hint != "":
		case b.cause == job.CauseMemory:
			f.Hint = memoryHint
		default:
			f.Hint = "tolerate { bad_records = … } sets such records aside"
		}
		return f
	case !limit.IsShare && limit.Exceeded(t.rep.Ledger.Records.Quarantined, 0):
		return t.tooManyBad()
	}
	return nil
}

// tolerated judges at the end what is a share of the whole.
func (t *task) tolerated() error {
	if t.spec.Tolerate.BadRecords.Exceeded(t.rep.Ledger.Records.Quarantined, t.rep.Ledger.Records.Read) {
		return t.tooManyBad()
	}
	return nil
}

func limitText(l job.Limit) string {
	if l.IsShare {
		return fmt.Sprintf("%g%%", l.Share*100)
	}
	return fmt.Sprint(l.Count)
}

func (t *task) tooManyBad() error {
	r := t.rep.Ledger.Records
	f := fail(job.CauseTolerance, fmt.Sprintf("%d of %d records are bad, more than the tolerated %s; the first: %s", r.Quarantined, r.Read, limitText(t.spec.Tolerate.BadRecords), t.bad.message)).at(t.bad.place)
	f.Stack, f.Hint = t.bad.stack, "look at the groups of the quarantine, then mend the code or the data, or raise bad_records"
	return f
}

// sink is what the user's program gives its results to. Its methods are called from another goroutine, one at a time.
type sink task

// safely makes an error of a panic, which in this goroutine would end the process without a report.
func (s *sink) safely(err *error) {
	if v := recover(); v != nil {
		*err = s.keep(panicked(v))
	}
}

// keep remembers an error of the sink, so that it counts whatever the program makes of it.
func (s *sink) keep(err error) error {
	t := (*task)(s)
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = explain(err)
	}
	return t.failed
}

// Pairs implements usercode.Sink.
func (s *sink) Pairs(lines []byte) (err error) {
	defer s.safely(&err)
	s.busy.Add(1)
	defer s.busy.Add(-1)
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if err := s.out.AddLines(s.ctx, lines); err != nil {
		return s.keep(err)
	}
	return nil
}

// Bad implements usercode.Sink.
func (s *sink) Bad(b *usercode.Block, i int, bad *usercode.Error) (err error) {
	defer s.safely(&err)
	t := (*task)(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.blocks[b]
	if e == nil || i < 0 || i >= b.Len() {
		t.failed = fail(job.CauseBug, "the program of the user's code answered for a record that it does not have")
		return t.failed
	}
	e.bad = append(e.bad, newBad(b, i, bad))
	e.badCount++
	return t.drain()
}

func newBad(b *usercode.Block, i int, e *usercode.Error) *badRecord {
	bad := &badRecord{place: b.Place(i), raw: bytes.Clone(b.Record(i)), cause: e.Cause, message: e.Message, signature: e.Signature, stack: e.Stack, hint: e.Hint}
	if bad.cause == "" {
		bad.cause = job.CauseCode
	}
	if bad.signature == "" {
		bad.signature = bad.message
	}
	return bad
}

// Done implements usercode.Sink.
func (s *sink) Done(b *usercode.Block) (err error) {
	defer s.safely(&err)
	t := (*task)(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.blocks[b]
	if e == nil {
		t.failed = fail(job.CauseBug, "the program of the user's code answered twice for a block of records")
		return t.failed
	}
	delete(t.blocks, b)
	e.done = true
	t.rep.Ledger.Records.Mapped += int64(b.Len() - e.badCount)
	return t.drain()
}

// Count implements usercode.Sink.
func (s *sink) Count(name string, n int64) {
	t := (*task)(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rep.Counters == nil {
		t.rep.Counters = map[string]int64{}
	}
	t.rep.Counters[name] += n
}

// Log implements usercode.Sink.
func (s *sink) Log(line string) {
	if saysOutOfMemory(line) {
		s.mu.Lock()
		s.memory = true
		s.mu.Unlock()
	}
	s.j.say("user: %s", strings.TrimRight(line, "\n"))
}

var _ usercode.Sink = (*sink)(nil)

// stopped tells whether an error only says that the task was told to stop.
func stopped(err error) bool {
	return errors.Is(err, errDoomed) || errors.Is(err, errProgram) || errors.Is(err, errTimeout) || errors.Is(err, context.Canceled)
}

// saysOutOfMemory tells whether a line of a program says that it ends for want of memory. It counts when the program then dies.
func saysOutOfMemory(line string) bool {
	line = strings.TrimSpace(line)
	return line == "MemoryError" || strings.HasPrefix(line, "MemoryError:") || strings.Contains(line, "JavaScript heap out of memory") || strings.Contains(line, "std::bad_alloc") ||
		strings.Contains(line, "java.lang.OutOfMemoryError") || strings.HasPrefix(line, "fatal error: runtime: out of memory") || strings.HasPrefix(line, "fatal error: runtime: cannot allocate memory")
}
