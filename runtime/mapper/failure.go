package mapper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tafc/tafc/runtime/codec"
	"github.com/tafc/tafc/runtime/frame"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/usercode"
)

// failure is an error with its cause: why a task, a file or a record failed.
type failure struct {
	cause   job.Cause
	unsound bool // what was read before may be wrong
	job.Failure
}

func (f *failure) Error() string { return f.Message }

func fail(cause job.Cause, message string) *failure {
	return &failure{cause: cause, Failure: job.Failure{Message: message}}
}

func (f *failure) at(p job.Place) *failure {
	f.Place = p
	return f
}

// The ways in which a task is told to stop.
var (
	errTimeout = errors.New("the time limit is over")
	errDoomed  = errors.New("the task has failed already")
)

// explain finds the cause of an error.
func explain(err error) *failure {
	var f *failure
	var user *usercode.Error
	var part *pairs.PartError
	var write *pairs.WriteError
	var pair *pairs.PairError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &user):
		return userFailure(user)
	case errors.As(err, &part):
		return partFailure(part)
	case errors.As(err, &write):
		f = fail(job.CauseWrite, write.Error())
		f.Hint = "make room on the disk, or put the state on another one"
		return f
	case errors.As(err, &pair):
		f = fail(job.CauseCode, "the user's code emitted something that is no pair: "+pair.Error())
		f.Hint = "keys and values must be JSON: text, finite numbers, true, false, null, lists and objects of them"
		return f
	case errors.Is(err, errTimeout):
		return fail(job.CauseTimeout, "the time limit is over")
	}
	f = fail(job.CauseBug, err.Error())
	f.Hint = "this is a bug of tafc: please report it with this message"
	return f
}

func userFailure(e *usercode.Error) *failure {
	f := fail(e.Cause, e.Message)
	if f.cause == "" {
		f.cause = job.CauseCode
	}
	if strings.HasPrefix(e.Message, "MemoryError") {
		f.cause = job.CauseMemory
	}
	f.Hint, f.Stack, f.Exit = e.Hint, e.Stack, e.Exit
	if e.At != nil {
		f.Place = *e.At
	}
	if e.Key != "" {
		f.Message += fmt.Sprintf(" (at key %s)", e.Key)
	}
	return f
}

func partFailure(e *pairs.PartError) *failure {
	cause := job.CauseCorrupt
	if errors.Is(e.Err, fs.ErrNotExist) || errors.Is(e.Err, fs.ErrPermission) {
		cause = job.CauseDownload
	}
	f := fail(cause, fmt.Sprintf("the result of an earlier task cannot be read: %v", reason(e.Err))).at(job.Place{File: e.Path})
	f.Hint = "remove the file; the next apply makes it again"
	return f
}

// fileFailure finds the cause of what went wrong in reading a file.
func fileFailure(spec *job.Spec, key string, err error) *failure {
	var f *failure
	var corrupt *codec.CorruptError
	var window *codec.WindowError
	var long *frame.TooLongError
	var format *frame.FormatError
	at := job.Place{File: key}
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &corrupt):
		at.Offset = corrupt.Offset
		f = fail(job.CauseCorrupt, fmt.Sprintf("file %s is damaged: %v", key, corrupt)).at(at)
		f.Hint = "replace the file and plan again; tolerate { bad_files = … } lets a task go on without"
		return f
	case errors.As(err, &window):
		f = fail(job.CauseMemory, fmt.Sprintf("file %s: %v", key, window)).at(at)
		f.Hint = "give the stage more memory, or compress the file with a smaller window"
		return f
	case errors.As(err, &long):
		at.Record, at.Offset = long.Record, long.Offset
		if long.Limit < spec.Limits.Record {
			f = fail(job.CauseMemory, fmt.Sprintf("file %s: %v, a quarter of the task's memory", key, long)).at(at)
			f.Hint = "give the stage more memory"
			return f
		}
		f = fail(job.CauseCorrupt, fmt.Sprintf("file %s: %v", key, long)).at(at)
		f.Hint = "check that the file has the format that the stage says, or raise max_record"
		return f
	case errors.As(err, &format):
		return fail(job.CauseCorrupt, fmt.Sprintf("file %s: %v", key, format)).at(at)
	case errors.Is(err, context.Canceled), errors.Is(err, errTimeout):
		return explain(err)
	}
	return fail(job.CauseDownload, fmt.Sprintf("file %s cannot be read: %v", key, reason(err))).at(at)
}
