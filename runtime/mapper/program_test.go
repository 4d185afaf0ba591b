package mapper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// program is user code inside the test: it keeps the contract of usercode.Program without a process. A map emits the words of a
// record, each with 1; the records below do something else. A combine or reduce sums.
type program struct {
	sink   usercode.Sink
	role   job.Role
	blocks chan *usercode.Block
	pairs  chan []byte
	killed chan struct{}
	kill   sync.Once
	done   chan struct{}
	err    error
	fixed  bool // records that raise do so no more

	mu sync.Mutex
	at *job.Place
}

func start(_ context.Context, o usercode.Options, sink usercode.Sink) (usercode.Program, error) {
	if o.Code != nil && o.Code.Entry == "missing.py" {
		return nil, errors.New("there is no missing.py")
	}
	p := &program{sink: sink, role: o.Role, blocks: make(chan *usercode.Block, 2), pairs: make(chan []byte, 2), killed: make(chan struct{}), done: make(chan struct{}), fixed: o.Code != nil && o.Code.Entry == "fixed.py"}
	go p.run()
	return p, nil
}

func (p *program) run() {
	defer close(p.done)
	if p.role == job.RoleMap {
		for b := range p.blocks {
			if p.err = p.block(b); p.err != nil {
				return
			}
		}
		return
	}
	p.err = p.sums()
}

func (p *program) block(b *usercode.Block) error {
	var out []byte
	bad := map[int]*usercode.Error{}
	for i := range b.Len() {
		at := b.Place(i)
		p.mu.Lock()
		p.at = &at
		p.mu.Unlock()
		text := string(b.Record(i))
		if b.Keyed {
			_, text, _ = strings.Cut(text, "\t")
		}
		switch {
		case p.fixed && (text == "raise" || text == "die"):
			text = "fixed " + text
		case p.fixed:
			text += " again"
		}
		switch text {
		case "raise":
			bad[i] = &usercode.Error{Cause: job.CauseCode, Message: "KeyError: 'x'", Signature: "KeyError at mapper.py:3", Stack: "mapper.py:3"}
			continue
		case "not json":
			bad[i] = &usercode.Error{Cause: job.CauseCorrupt, Message: "not JSON", Signature: "not JSON"}
			continue
		case "die":
			return &usercode.Error{Cause: job.CauseCode, Message: "it died", Signature: "it died", Exit: "signal: killed", At: &at}
		case "hang":
			<-p.killed
			return &usercode.Error{Cause: job.CauseCode, Message: "killed", Exit: "signal: killed", At: &at}
		case "nan":
			out = append(out, "NaN\t1\n"...)
			continue
		}
		for _, w := range strings.Fields(text) {
			out = fmt.Appendf(out, "%q\t1\n", w)
		}
	}
	if err := p.sink.Pairs(out); err != nil {
		return err
	}
	for i := range b.Len() {
		if bad[i] != nil {
			if err := p.sink.Bad(b, i, bad[i]); err != nil {
				return err
			}
		}
	}
	p.sink.Count("records", int64(b.Len()))
	return p.sink.Done(b)
}

func (p *program) sums() error {
	key, sum := "", 0
	for lines := range p.pairs {
		for line := range bytes.Lines(lines) {
			k, v, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\t")
			if k == `"die"` {
				return &usercode.Error{Cause: job.CauseCode, Message: "ValueError", Key: k}
			}
			if k != key && key != "" {
				if err := p.sink.Pairs(fmt.Appendf(nil, "%s\t%d\n", key, sum)); err != nil {
					return err
				}
				sum = 0
			}
			n, err := strconv.Atoi(v)
			if err != nil {
				return &usercode.Error{Message: err.Error()}
			}
			key, sum = k, sum+n
		}
	}
	if key == "" {
		return nil
	}
	return p.sink.Pairs(fmt.Appendf(nil, "%s\t%d\n", key, sum))
}

func (p *program) Map(b *usercode.Block) error {
	select {
	case p.blocks <- b:
		return nil
	case <-p.done:
		return errors.New("dead")
	}
}

func (p *program) Pairs(lines []byte) error {
	select {
	case p.pairs <- bytes.Clone(lines):
		return nil
	case <-p.done:
		return errors.New("dead")
	}
}

func (p *program) Close() error {
	close(p.blocks)
	close(p.pairs)
	<-p.done
	return p.err
}

func (p *program) Kill() { p.kill.Do(func() { close(p.killed) }) }

func (p *program) At() (job.Place, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		return job.Place{}, false
	}
	return *p.at, true
}

func (p *program) Form() job.Form    { return job.FormPairs }
func (p *program) PeakMemory() int64 { return 1 << 20 }

type (
	usercodeOptions = usercode.Options
	usercodeSink    = usercode.Sink
	usercodeProgram = usercode.Program
)
