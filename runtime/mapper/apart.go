package mapper

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/usercode"
)

// This file is about programs that die and do not say of which record (streaming programs), or whose work is lost with them (code with a
// finish hook). Then the whole map begins again, without the records that were found to be deadly.

// mapApart maps the files, again as long as a record is found of which the program died.
func (t *task) mapApart() error {
	for {
		err := t.withProgram(t.mapFiles)
		if err != nil {
			var again bool
			if err, again = t.blame(err); again {
				if err := t.reset(); err != nil {
					return err
				}
				continue
			}
		}
		if err == nil || t.died == nil || !t.spares(t.died) {
			return err
		}
		again, found := t.findDeadly(err)
		if !again {
			return found
		}
		if err := t.reset(); err != nil {
			return err
		}
	}
}

// spares tells whether a death may come of a record that can be set aside, and is one that the task may look into.
func (t *task) spares(e *usercode.Error) bool {
	switch {
	case t.spec.Operation != nil || t.spec.Only > 0 || t.ctx.Err() != nil || t.timeout != nil:
		return false
	case e.Cause == job.CauseMemory && !streaming(t.spec) && t.deaths[place(e)] == 0:
		return true // another program begins with less
	case e.Cause == job.CauseMemory || streaming(t.spec):
		return !t.retried(e.Cause, e.Exit)
	}
	return e.Cause == job.CauseCode || e.Cause == job.CauseTimeout
}

// retried tells whether another attempt follows when this one ends with the cause, or the user's program with this exit.
func (t *task) retried(cause job.Cause, exit string) bool {
	on := t.spec.Limits.Retried
	code, ok := strings.CutPrefix(exit, "exit status ")
	return slices.Contains(on, string(cause)) || slices.Contains(on, fmt.Sprintf("exit:%d", cause.ExitCode())) || ok && slices.Contains(on, "exit:"+code)
}

func place(e *usercode.Error) job.Place {
	if e.At == nil {
		return job.Place{}
	}
	return *e.At
}

// again counts a death, and tells whether another program may go on. The caller holds mu.
func (t *task) again(e *usercode.Error) bool {
	if !t.spares(e) {
		return false
	}
	t.deaths[*e.At]++
	what := "it is tried once more, by itself"
	if t.deaths[*e.At] > 1 {
		what = "the second time, so it is set aside"
	}
	t.j.event("helper.died", field{"file", e.At.File}, field{"record", e.At.Record}, field{"offset", e.At.Offset}, field{"cause", e.Cause}, field{"exit", e.Exit}, field{"deaths", t.deaths[*e.At]})
	t.j.say("the program of the user's code died at record %d of %s (%s: %s); %s", e.At.Record, e.At.File, e.Cause, e.Exit, what)
	return true
}

// findDeadly finds the records that a program dies of. When the map may begin again without them it says so; otherwise it says what is known of why
// the task fails.
func (t *task) findDeadly(failed error) (again bool, err error) {
	if t.searched {
		return false, failed
	}
	if streaming(t.spec) {
		t.searched = true
		s := &search{t: t, why: t.died}
		return s.run(failed)
	}
	e := t.died
	if e.At == nil || !e.Fatal || t.spec.Tolerate.BadRecords.IsZero() {
		return false, failed
	}
	if !t.again(e) {
		return false, failed
	}
	if t.deaths[*e.At] == 1 {
		return true, nil
	}
	for _, entry := range t.queue {
		if b := entry.block; b != nil && b.File == e.At.File {
			if i, found := b.Find(e.At.Record); found {
				t.putApart(newBad(b, i, e))
				return true, nil
			}
		}
	}
	return false, failed
}

// putApart notes a record that is to be set aside without being given to the program.
func (t *task) putApart(b *badRecord) {
	if t.apart == nil {
		t.apart = map[string]map[int64]*badRecord{}
	}
	if t.apart[b.place.File] == nil {
		t.apart[b.place.File] = map[int64]*badRecord{}
	}
	t.apart[b.place.File][b.place.Record] = b
}

// apartOf makes entries of a block, with the records that are put apart by themselves.
func (t *task) apartOf(b *usercode.Block) []*entry {
	apart := t.apart[b.File]
	if len(apart) == 0 {
		return []*entry{{block: b}}
	}
	var out []*entry
	from := 0
	for i := range b.Len() + 1 {
		var bad *badRecord
		if i < b.Len() {
			if bad = apart[b.Number(i)]; bad == nil {
				continue
			}
		}
		if i > from {
			out = append(out, &entry{block: part(b, from, i)})
		}
		if bad != nil {
			out = append(out, &entry{bad: []*badRecord{bad}})
		}
		from = i + 1
	}
	return out
}

// reset makes the task what it was before it began to map, but for what it has learnt.
func (t *task) reset() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := job.Ledger{PeakMemory: t.rep.Ledger.PeakMemory, HelperRestarts: t.rep.Ledger.HelperRestarts + 1}
	t.rep.Ledger, t.rep.Counters, t.rep.Transient = l, nil, false
	t.queue, t.blocks = nil, map[*usercode.Block]*entry{}
	t.damaged, t.reading = nil, -1
	t.failed, t.bad, t.doomed, t.died, t.ended, t.slow = nil, nil, false, nil, nil, nil
	if err := t.quar.discard(); err != nil {
		return err
	}
	if err := os.RemoveAll(t.temp); err != nil {
		return &pairs.WriteError{Err: err}
	}
	if err := os.MkdirAll(filepath.Join(t.temp, "work"), 0o755); err != nil {
		return &pairs.WriteError{Err: err}
	}
	t.out = pairs.NewCollector(t.collector())
	t.j.say("the map begins again")
	return nil
}

// search looks for the records that a streaming program dies of: it runs the program over each file alone, and over halves of those on which
// it dies, down to a single record. What these programs print is thrown away.
type search struct {
	t     *task
	why   *usercode.Error
	found []*badRecord
	vague string // what is known where no single record is to blame
}

// errEnough ends a search.
var errEnough = errors.New("enough was found")

func (s *search) run(failed error) (again bool, err error) {
	t := s.t
	if t.begun == 0 {
		return false, failed
	}
	t.j.event("search.start", field{"message", s.why.Message})
	t.j.say("the program died (%s); it is run over parts of its input, to find the record", s.why.Message)
	died, _, err := s.fails(-1, 0, 0)
	if err != nil {
		return false, err
	}
	if died != nil {
		return false, failed // it needs no record to die
	}
	for i := 0; i < t.begun && err == nil; i++ {
		err = s.file(i)
	}
	t.j.event("search.done", field{"records", len(s.found)})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return false, err
	case len(s.found) == 0:
		return false, s.explain(failed)
	case t.spec.Tolerate.BadRecords.IsZero():
		b := s.found[0]
		f := fail(b.cause, b.message).at(b.place)
		f.Stack, f.Hint, f.Exit = b.stack, b.hint, s.why.Exit
		return false, f
	}
	for _, b := range s.found {
		t.putApart(b)
		t.j.say("the program dies of record %d of %s; it is set aside", b.place.Record, b.place.File)
	}
	return true, nil
}

// explain adds to a failure what the search has found, when that is no record.
func (s *search) explain(failed error) error {
	var f *failure
	if !errors.As(failed, &f) {
		return failed
	}
	more := *f
	if more.Message += "; run over each file alone it did not die"; s.vague != "" {
		more.Message = f.Message + "; " + s.vague
	}
	return &more
}

// file looks for the records of one file.
func (s *search) file(i int) error {
	died, last, err := s.fails(i, 1, math.MaxInt64)
	if err != nil || died == nil {
		return err
	}
	key := s.t.spec.Files[i].Key
	s.t.j.say("it dies of %s alone", key)
	before := len(s.found)
	if err := s.halve(i, 1, last+1, died); err != nil {
		return err
	}
	if len(s.found) == before && s.vague == "" {
		s.vague = fmt.Sprintf("it dies of file %s alone, but of no record of it", key)
	}
	return nil
}

// halve looks for the records from number lo to below hi, of which it is known that the program dies.
func (s *search) halve(i int, lo, hi int64, died *usercode.Error) error {
	if hi-lo <= 1 {
		return s.record(i, lo, died)
	}
	middle := lo + (hi-lo)/2
	none := true
	for _, half := range [][2]int64{{lo, middle}, {middle, hi}} {
		died, _, err := s.fails(i, half[0], half[1])
		if err != nil {
			return err
		}
		if died == nil {
			continue
		}
		none = false
		if err := s.halve(i, half[0], half[1], died); err != nil {
			return err
		}
	}
	if none && s.vague == "" {
		s.vague = fmt.Sprintf("it dies of the records %d to %d of %s together, and of neither half of them", lo, hi-1, s.t.spec.Files[i].Key)
	}
	return nil
}

// record notes a record that the program dies of.
func (s *search) record(i int, number int64, died *usercode.Error) error {
	var bad *badRecord
	err := s.t.records(i, number, number+1, func(b *usercode.Block) error {
		bad = newBad(b, 0, died)
		return nil
	})
	if err != nil || bad == nil {
		return err
	}
	s.found = append(s.found, bad)
	limit := s.t.spec.Tolerate.BadRecords
	switch n := int64(len(s.found)); {
	case limit.IsZero():
		return errEnough
	case !limit.IsShare && limit.Exceeded(n, 0), limit.IsShare && n >= manyRestarts && limit.Exceeded(n, s.t.rep.Ledger.Records.Read):
		s.t.bad = s.found[0]
		f := fail(job.CauseTolerance, fmt.Sprintf("the program dies of at least %d records, more than the tolerated %s; the first: %s", n, limitText(limit), bad.message)).at(s.found[0].place)
		f.Hint = "mend the code or the data, or raise bad_records"
		return f
	}
	return nil
}

// fails runs the program over the records of a file from number lo to below hi, or over none when i is negative, and tells how it died, nil when it
// did not, and the number of the last record. The error is about something else.
func (s *search) fails(i int, lo, hi int64) (died *usercode.Error, last int64, err error) {
	t := s.t
	prog, err := t.o.Start(t.ctx, t.codeOptions(t.spec.Format), nowhere{t})
	if err != nil {
		return nil, 0, err
	}
	t.mu.Lock()
	t.prog, t.running, t.slow, t.memory, t.oom = prog, true, nil, false, oomKills()
	t.mu.Unlock()
	ended := make(chan struct{})
	go t.watch(prog, ended)
	if i >= 0 {
		err = t.records(i, lo, hi, func(b *usercode.Block) error {
			last = b.Number(b.Len() - 1)
			if prog.Map(b) != nil {
				return errProgram
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, errProgram) {
		prog.Kill()
	}
	closed := t.explained(prog.Close())
	close(ended)
	t.mu.Lock()
	t.running = false
	t.rep.Ledger.HelperRestarts++
	t.mu.Unlock()
	if err != nil && !errors.Is(err, errProgram) {
		return nil, 0, err
	}
	if closed != nil && !errors.As(closed, &died) {
		return nil, 0, closed
	}
	return died, last, nil
}

// nowhere is a sink for what a search makes programs print.
type nowhere struct{ t *task }

func (nowhere) Pairs([]byte) error                              { return nil }
func (nowhere) Bad(*usercode.Block, int, *usercode.Error) error { return nil }
func (nowhere) Done(*usercode.Block) error                      { return nil }
func (nowhere) Count(string, int64)                             {}
func (n nowhere) Log(line string) {
	if saysOutOfMemory(line) {
		n.t.mu.Lock()
		n.t.memory = true
		n.t.mu.Unlock()
	}
}
