package view

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// Progress shows a run as it goes on: on a terminal a bar for each stage, otherwise plain lines.
type Progress struct {
	streams *Streams
	style   Style
	live    bool

	mu      sync.Mutex
	stages  []*stageProgress
	byStage map[addr.Stage]*stageProgress
	start   time.Time
	drawn   int // lines of bars on the terminal now
	stop    chan struct{}
	stopped chan struct{}
}

type stageProgress struct {
	addr    addr.Stage
	tasks   int
	bytes   int64 // of all tasks
	done    int
	failed  int
	stopped int // cancelled: not finished, or not even begun
	started time.Time
	ended   time.Time
	total   job.Progress                // of ended tasks
	running map[addr.Task]*job.Progress // of running ones
	said    int                         // tenths of the tasks that plain lines have told
}

// redraw is how often the bars are drawn anew.
const redraw = 200 * time.Millisecond

// lineForEach is the number of tasks up to which plain output has a line for each.
const lineForEach = 20

// NewProgress starts to show the tasks of a run; Close ends it.
func NewProgress(s *Streams, tasks []*engine.Task) *Progress {
	p := &Progress{
		streams: s, style: s.ErrStyle(), live: s.ErrTerminal, byStage: map[addr.Stage]*stageProgress{}, start: time.Now(),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	for _, t := range tasks {
		if t.Reused {
			continue
		}
		st := p.byStage[t.Addr.Stage]
		if st == nil {
			st = &stageProgress{addr: t.Addr.Stage, running: map[addr.Task]*job.Progress{}}
			p.byStage[t.Addr.Stage] = st
			p.stages = append(p.stages, st)
		}
		st.tasks++
		st.bytes += t.Bytes
	}
	if !p.live {
		close(p.stopped)
		return p
	}
	go p.tick()
	return p
}

func (p *Progress) tick() {
	defer close(p.stopped)
	t := time.NewTicker(redraw)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// Close ends the display; the last state of the bars stays.
func (p *Progress) Close() {
	close(p.stop)
	<-p.stopped
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		p.draw()
	}
}

// Say prints what people should know, above the bars.
func (p *Progress) Say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.above(func() { fmt.Fprintln(p.streams.Err, text) })
}

// Observe takes an event of the engine.
func (p *Progress) Observe(e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.byStage[e.Task.Addr.Stage]
	if st == nil || e.Task.Reused {
		return
	}
	p.count(st, e)
	if e.Report != nil && e.Report.Cause != job.CauseDone {
		p.above(func() { Failure(p.streams.Err, e.Task.Addr.String(), e.Attempt, e.Report, p.style) })
	}
	if e.State == engine.Ready && e.RetryIn > 0 {
		p.above(func() {
			fmt.Fprintf(p.streams.Err, "  %s runs again in %s\n", e.Task.Addr, duration(e.RetryIn))
		})
	}
	if !p.live {
		p.plain(st, e)
	}
}

func (p *Progress) count(st *stageProgress, e engine.Event) {
	a := e.Task.Addr
	switch e.State {
	case engine.Running:
		if st.started.IsZero() {
			st.started = e.Time
		}
		if e.Progress != nil || st.running[a] == nil {
			st.running[a] = e.Progress
		}
	case engine.Done, engine.Reused:
		delete(st.running, a)
		st.done++
		if e.Report != nil && e.State == engine.Done {
			l := e.Report.Ledger
			st.total.Files += l.Files.Done
			st.total.Records += l.Records.Read
			st.total.Bytes += l.Bytes.Wire
		}
	case engine.Failed:
		delete(st.running, a)
		st.failed++
	case engine.Cancelled:
		delete(st.running, a)
		st.stopped++
	case engine.Ready, engine.Waiting:
		delete(st.running, a)
	}
	if st.done+st.failed+st.stopped == st.tasks && st.ended.IsZero() {
		st.ended = e.Time
	}
}

func (p *Progress) plain(st *stageProgress, e engine.Event) {
	switch {
	case e.State != engine.Done && e.State != engine.Reused:
		return
	case st.tasks <= lineForEach:
		fmt.Fprintf(p.streams.Err, "  done %s%s\n", e.Task.Addr, reportLine(e))
		return
	}
	if tenths := st.done * 10 / st.tasks; tenths > st.said {
		st.said = tenths
		fmt.Fprintf(p.streams.Err, "  %s: %s\n", st.addr, p.numbers(st, e.Time))
	}
}

func reportLine(e engine.Event) string {
	if e.State == engine.Reused {
		return ": same input as an earlier result, reused"
	}
	if e.Report == nil {
		return ""
	}
	l := e.Report.Ledger
	out := ""
	if l.Files.Planned > 0 {
		out += ", " + count(l.Files.Done, "file")
	}
	out += ", " + count(l.Records.Read, "row")
	if l.Records.Quarantined > 0 {
		out += ", " + number(l.Records.Quarantined) + " quarantined"
	}
	return out + fmt.Sprintf(", %s", duration(e.Report.Finished.Sub(e.Report.Started)))
}

// above prints permanent lines over the bars.
func (p *Progress) above(print func()) {
	p.clear()
	print()
	if p.live {
		p.draw()
	}
}

func (p *Progress) clear() {
	if p.drawn > 0 {
		fmt.Fprintf(p.streams.Err, "\x1b[%dA\x1b[J", p.drawn)
		p.drawn = 0
	}
}

func (p *Progress) draw() {
	p.clear()
	now := time.Now()
	width := p.streams.Width()
	shown := p.visible()
	for _, st := range shown {
		fmt.Fprintln(p.streams.Err, clip(p.bar(st, width, now), width-1))
		p.drawn++
	}
	if rest := len(p.stages) - len(shown); rest > 0 {
		fmt.Fprintf(p.streams.Err, "  … and %s\n", count(rest, "more stage"))
		p.drawn++
	}
}

// visible are the stages whose bars fit on the terminal: what has scrolled out of it could not be drawn again. Where not all fit,
// those that have ended go first.
func (p *Progress) visible() []*stageProgress {
	_, height := p.streams.size()
	most := max(height-4, 1)
	if height == 0 || len(p.stages) <= most {
		return p.stages
	}
	shown := slices.Clone(p.stages)
	slices.SortStableFunc(shown, func(a, b *stageProgress) int { return a.rank() - b.rank() })
	return shown[:most]
}

// rank puts stages that run before those that wait, and these before those that have ended.
func (st *stageProgress) rank() int {
	switch {
	case !st.ended.IsZero():
		return 2
	case st.started.IsZero():
		return 1
	}
	return 0
}

// bar is one line: name, bar, numbers. A narrow terminal gets a shorter bar, so that the numbers fit.
func (p *Progress) bar(st *stageProgress, width int, now time.Time) string {
	cells, name := 20, leastName
	if width < 120 {
		cells = 10
	}
	for _, other := range p.stages {
		name = max(name, min(len(other.addr.String()), width/3))
	}
	full := cells * (st.done + st.failed) / max(1, st.tasks)
	if share := st.share(); share > 0 {
		full = max(full, int(share*float64(cells)))
	}
	full = min(full, cells)
	return fmt.Sprintf("  %s %s%s  %s", pad(clip(st.addr.String(), name), name), strings.Repeat("█", full), strings.Repeat("░", cells-full), p.numbers(st, now))
}

// share is how much of the stage's bytes was read, 0..1.
func (st *stageProgress) share() float64 {
	if st.bytes == 0 {
		return 0
	}
	return float64(st.sum().Bytes) / float64(st.bytes)
}

func (st *stageProgress) sum() job.Progress {
	sum := st.total
	for _, r := range st.running {
		if r != nil {
			sum.Files += r.Files
			sum.Records += r.Records
			sum.Bytes += r.Bytes
		}
	}
	return sum
}

func (p *Progress) numbers(st *stageProgress, now time.Time) string {
	sum := st.sum()
	parts := []string{fmt.Sprintf("%s/%s tasks", number(st.done), number(st.tasks))}
	if st.failed > 0 {
		parts = append(parts, p.style.Red(number(st.failed)+" failed"))
	}
	if st.stopped > 0 {
		parts = append(parts, number(st.stopped)+" not finished")
	}
	elapsed := st.elapsed(now)
	switch share := st.share(); {
	case st.started.IsZero():
	case !st.ended.IsZero():
		parts = append(parts, duration(elapsed))
	case share > 0.02 && elapsed > time.Second:
		parts = append(parts, duration(time.Duration(float64(elapsed)*(1-share)/share))+" left")
	}
	if sum.Files > 0 {
		parts = append(parts, count(sum.Files, "file"))
	}
	if sum.Records > 0 {
		parts = append(parts, count(sum.Records, "row"))
	}
	if sum.Bytes > 0 && elapsed > 0 {
		parts = append(parts, bytes(int64(float64(sum.Bytes)/elapsed.Seconds()))+"/s")
	}
	return strings.Join(parts, "  ")
}

// elapsed is how long the stage has run, zero before it began.
func (st *stageProgress) elapsed(now time.Time) time.Duration {
	switch {
	case st.started.IsZero():
		return 0
	case !st.ended.IsZero():
		return st.ended.Sub(st.started)
	}
	return now.Sub(st.started)
}
