package mapper

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/operation"
	"github.com/tafc/tafc/runtime/usercode"
)

// errProgram says that the program is broken and closed; the reason stands in the verdict.
var errProgram = errors.New("the program is broken")

// withProgram runs the user's code while feed feeds it, then writes the result.
func (t *task) withProgram(feed func() error) error {
	if err := t.start(); err != nil {
		return err
	}
	defer t.abandon()
	fed := feed()
	if fed != nil && !errors.Is(fed, errDoomed) && !errors.Is(fed, errProgram) {
		t.kill()
	}
	ended := t.ended
	if !errors.Is(fed, errProgram) {
		ended = t.finish()
	}
	if err := t.verdict(fed, ended); err != nil {
		return err
	}
	return t.write()
}

// start starts the program of the user's code.
func (t *task) start() error {
	format := t.spec.Format
	if len(t.spec.Upstream) > 0 {
		format = ""
	}
	prog, err := t.program(format)
	if err != nil {
		var user *usercode.Error
		if errors.As(err, &user) || t.ctx.Err() != nil {
			return err
		}
		return fail(job.CauseCode, fmt.Sprintf("the user's code cannot be started: %v", err))
	}
	t.mu.Lock()
	t.prog, t.running = prog, true
	t.slow, t.memory, t.oom = nil, false, oomKills()
	late := t.timeout != nil
	t.mu.Unlock()
	if late {
		prog.Kill()
	}
	t.watched = make(chan struct{})
	go t.watch(prog, t.watched)
	t.j.event("helper.start", field{"restarts", t.rep.Ledger.HelperRestarts})
	return nil
}

// program starts the user's code, or the operation in its place.
func (t *task) program(format string) (usercode.Program, error) {
	if t.spec.Operation != nil {
		return operation.Start(t.ctx, operation.Options{Operation: t.spec.Operation, Role: t.spec.Role, Memory: heap(t.limit()) / 4}, (*sink)(t))
	}
	return t.o.Start(t.ctx, t.codeOptions(format), (*sink)(t))
}

// codeOptions say how the user's code is started.
func (t *task) codeOptions(format string) usercode.Options {
	return usercode.Options{
		Role: t.spec.Role, Code: t.spec.Code, Command: t.spec.Command, Env: t.spec.Env, Format: format, Dims: t.spec.Dimensions, Fields: t.spec.Fields,
		Form: inputForm(t.spec), WorkDir: filepath.Join(t.temp, "work"), MaxRecord: t.spec.Limits.Record,
		Strict: t.spec.Tolerate.BadRecords.IsZero(),
	}
}

// close ends the program and says how it ended.
func (t *task) close() error {
	began := time.Now()
	ended := t.explained(t.prog.Close())
	close(t.watched)
	t.rep.Seconds["code"] += time.Since(began).Seconds()
	t.form = t.prog.Form()
	t.mu.Lock()
	t.running = false
	peak := t.prog.PeakMemory()
	t.rep.Ledger.PeakMemory = max(t.rep.Ledger.PeakMemory, peak)
	t.mu.Unlock()
	exit := "exit status 0"
	var user *usercode.Error
	if errors.As(ended, &user) {
		exit = user.Exit
	}
	t.j.event("helper.exit", field{"exit", exit}, field{"peak_memory", peak})
	return ended
}

// abandon ends a program that a panic left running.
func (t *task) abandon() {
	t.mu.Lock()
	running := t.running
	t.mu.Unlock()
	if running {
		t.prog.Kill()
		_ = t.prog.Close()
	}
}

// give hands a block to the program. Where the program dies of a record and the policy tolerates bad records, another program goes on, and
// when the same record kills that one as well, the record is set aside.
func (t *task) give(b *usercode.Block) error {
	began := time.Now()
	err := t.prog.Map(b)
	t.rep.Seconds["code"] += time.Since(began).Seconds()
	for err != nil {
		ended := t.close()
		if ended == nil || !t.bury(ended) {
			t.ended = ended
			return errProgram
		}
		if t.ended = t.start(); t.ended != nil {
			return errProgram
		}
		err = t.refeed()
	}
	return nil
}

// finish ends the input and says how the program ended, with other programs for what one left that died of a record.
func (t *task) finish() error {
	for {
		ended := t.close()
		if ended == nil || !t.bury(ended) {
			return ended
		}
		if err := t.start(); err != nil {
			return err
		}
		_ = t.refeed() // close says why it failed
	}
}

// refeed gives a new program the blocks that the last one left.
func (t *task) refeed() error {
	t.mu.Lock()
	var left []*usercode.Block
	for _, e := range t.queue {
		if e.block != nil && !e.done {
			left = append(left, e.block)
		}
	}
	t.mu.Unlock()
	for _, b := range left {
		if err := t.prog.Map(b); err != nil {
			return err
		}
	}
	return nil
}

// manyRestarts is when a share of bad records is judged by what was seen so far, because each one costs two starts.
const manyRestarts = 50

// bury deals with the record that a program died of, so that another program can go on. The first time the record is put apart, in a block of its
// own: the death may have come from outside, or from what records before it left. The second time it is set aside. It tells whether another
// program can go on.
func (t *task) bury(ended error) bool {
	var e *usercode.Error
	if !errors.As(ended, &e) || e.At == nil || e.Fatal || t.spec.Role != job.RoleMap || t.spec.Tolerate.BadRecords.IsZero() || t.ctx.Err() != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timeout != nil || t.failed != nil {
		return false
	}
	for at, entry := range t.queue {
		b := entry.block
		if b == nil || entry.done || b.File != e.At.File {
			continue
		}
		i, found := b.Find(e.At.Record)
		if !found {
			continue
		}
		if !t.again(e) {
			return false
		}
		t.rep.Ledger.HelperRestarts++
		if t.deaths[*e.At] == 1 {
			t.split(at, i, nil)
			return true
		}
		t.split(at, i, newBad(b, i, e))
		if err := t.drain(); err != nil {
			return false
		}
		r := t.rep.Ledger.Records
		if t.rep.Ledger.HelperRestarts >= 2*manyRestarts && t.spec.Tolerate.BadRecords.Exceeded(r.Quarantined, r.Read) {
			t.failed = explain(t.tooManyBad())
			return false
		}
		return true
	}
	return false
}

// split replaces a block under way by what stands before record i, the record, which is a bad one or a block of its own, and what stands behind.
func (t *task) split(at, i int, bad *badRecord) {
	b := t.queue[at].block
	delete(t.blocks, b)
	var parts []*entry
	add := func(from, to int) {
		if from == to {
			return
		}
		e := &entry{block: part(b, from, to)}
		t.blocks[e.block] = e
		parts = append(parts, e)
	}
	add(0, i)
	if bad != nil {
		parts = append(parts, &entry{bad: []*badRecord{bad}})
	} else {
		add(i, i+1)
	}
	add(i+1, b.Len())
	t.queue = append(append(append([]*entry(nil), t.queue[:at]...), parts...), t.queue[at+1:]...)
}

// part is records from to to of a block, as a block.
func part(b *usercode.Block, from, to int) *usercode.Block {
	start := 0
	if from > 0 {
		start = b.Ends[from-1] + 1
	}
	p := *b
	p.First = b.Number(from)
	if b.Numbers != nil {
		p.Numbers = b.Numbers[from:to]
	}
	p.Offsets = b.Offsets[from:to]
	p.Data = b.Data[start : b.Ends[to-1]+1]
	p.Ends = nil
	for _, end := range b.Ends[from:to] {
		p.Ends = append(p.Ends, end-start)
	}
	return &p
}
