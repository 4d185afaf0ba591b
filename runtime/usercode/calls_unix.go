//go:build unix

package usercode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tafc/tafc/runtime/job"
)

// calls is Calls over a helper.
type calls struct {
	h *helper
	a *answers
}

func startCalls(ctx context.Context, o Options, log func(line string)) (Calls, error) {
	if err := prepare(ctx, &o); err != nil {
		return nil, err
	}
	if o.Role != job.RoleCombine && o.Role != job.RoleReduce || o.Code == nil || o.Code.Contract == "streaming" || o.Code.Language == "program" {
		return nil, errors.New("only functions of a combine or a reduce can be called key by key")
	}
	a := &answers{more: make(chan struct{}, 1), log: log}
	h, err := startHelper(ctx, o, a, a)
	if err != nil {
		return nil, err
	}
	return &calls{h, a}, nil
}

// Do implements Calls.
func (c *calls) Do(calls []Call) ([]Answer, error) {
	err := c.send(calls)
	for err == nil {
		if got := c.a.take(len(calls)); got != nil {
			return got, nil
		}
		select {
		case <-c.a.more:
		case <-c.h.ended:
			if got := c.a.take(len(calls)); got != nil {
				return got, nil
			}
			err = errBroken
		}
	}
	if !errors.Is(err, errBroken) {
		c.h.Kill()
	}
	if ended := c.Close(); ended != nil {
		return nil, ended
	}
	return nil, err
}

func (c *calls) send(calls []Call) error {
	for _, call := range calls {
		if len(call.Values) == 0 {
			return fmt.Errorf("a call without values, of the key %s", call.Key)
		}
		if err := c.h.group.begin([]byte(call.Key)); err != nil {
			return err
		}
		for _, v := range call.Values {
			if err := c.h.group.value([]byte(v)); err != nil {
				return err
			}
		}
	}
	return c.h.group.end()
}

// Form implements Calls.
func (c *calls) Form() job.Form { return c.h.Form() }

// Close implements Calls.
func (c *calls) Close() error { return c.h.Close() }

// answers gathers what a helper emits by the calls that it answers.
type answers struct {
	log func(string)

	mu   sync.Mutex
	now  Answer
	done []Answer
	more chan struct{} // has an element when an answer has come
}

func (a *answers) fail(err *Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = Answer{Err: err}
}

// end ends the answer under way.
func (a *answers) end() {
	a.mu.Lock()
	a.done = append(a.done, a.now)
	a.now = Answer{}
	a.mu.Unlock()
	select {
	case a.more <- struct{}{}:
	default:
	}
}

// take returns n answers, nil while there are less.
func (a *answers) take(n int) []Answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.done) < n {
		return nil
	}
	got := append([]Answer{}, a.done[:n]...)
	a.done = a.done[n:]
	return got
}

// Pairs implements Sink.
func (a *answers) Pairs(lines []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for line := range bytes.Lines(lines) {
		a.now.Lines = append(a.now.Lines, string(bytes.TrimSuffix(line, []byte{'\n'})))
	}
	return nil
}

// Bad implements Sink: only records of a map are bad.
func (a *answers) Bad(_ *Block, _ int, err *Error) error { return err }

// Done implements Sink.
func (a *answers) Done(*Block) error { return nil }

// Count implements Sink.
func (a *answers) Count(string, int64) {}

// Log implements Sink.
func (a *answers) Log(line string) {
	if a.log != nil {
		a.log(line)
	}
}
