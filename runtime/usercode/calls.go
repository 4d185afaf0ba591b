package usercode

import (
	"context"

	"github.com/tafc/tafc/runtime/job"
)

// Call is a key with its values, JSON each.
type Call struct {
	Key    string
	Values []string
}

// Answer is what a call emitted: lines of key TAB value as in Program.Pairs. Err is why it failed instead.
type Answer struct {
	Lines []string
	Err   *Error
}

// Calls is a combine or a reduce in Python or JavaScript that stays up and answers key by key, for whoever checks the code with
// many small calls: the same key may come again, and a call that fails does not end the program. Hooks run as in a task,
// but what setup and finish emit belongs to no call and is left out. One goroutine uses it.
type Calls interface {
	// Do makes calls and returns their answers in order. An error means that the program has ended, and why.
	Do(calls []Call) ([]Answer, error)
	// Form is what the answers are; valid after the first Do.
	Form() job.Form
	// Close ends the program and says how it ended, as Program.Close does.
	Close() error
}

// StartCalls starts the code. ctx ends it by force. log gets what it prints; nil: nobody.
func StartCalls(ctx context.Context, o Options, log func(line string)) (Calls, error) {
	return startCalls(ctx, o, log)
}
