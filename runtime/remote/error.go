package remote

import "fmt"

// Kind says what an error means for the next attempt.
type Kind int

// The kinds of errors.
const (
	Temporary Kind = iota // another attempt may do
	Final                 // another attempt gives the same: no such file, no permission
	Changed               // the store has another content than was planned
)

// Error says in our words why a file could not be had.
type Error struct {
	Kind Kind
	Text string
	Hint string // what helps, when Text does not say it
	Err  error
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Err }

func temporary(err error, format string, args ...any) *Error {
	return &Error{Kind: Temporary, Text: fmt.Sprintf(format, args...), Err: err}
}

// The hints that both kinds of stores give.
const (
	hintPlan    = "plan again, so that the plan knows the file as it is now"
	hintMissing = "put the file back, or plan again so that it is left out; tolerate { bad_files = … } lets a task go on without"
)

func changed(format string, args ...any) *Error {
	return &Error{Kind: Changed, Text: fmt.Sprintf(format, args...), Hint: hintPlan}
}
