package usercode

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tafc/tafc/runtime/job"
)

// Block is some records of one file, about a megabyte of them.
//
// Data holds the records one after the other, each followed by one '\n' that does not belong to it; record i ends (without
// its newline) at Ends[i], so it starts at 0 or at Ends[i-1]+1. Lines tells that no record contains a newline itself.
type Block struct {
	File    string   // key of the input file, or the address of the upstream task
	Dims    []string // of the file
	First   int64    // number of the first record in the file, counted from 1
	Numbers []int64  // of each record, ascending; nil: they count on from First without gaps
	Offsets []int64  // of each record's first byte in the decompressed file
	Data    []byte
	Ends    []int
	Lines   bool
	// Keyed tells that a record is key TAB value (formats telemetry and pairs): split at the first TAB.
	Keyed bool
}

// Len is the number of records.
func (b *Block) Len() int { return len(b.Ends) }

// Record is the bytes of record i, valid as long as the block.
func (b *Block) Record(i int) []byte {
	start := 0
	if i > 0 {
		start = b.Ends[i-1] + 1
	}
	return b.Data[start:b.Ends[i]]
}

// Number is the number of record i in the file, counted from 1.
func (b *Block) Number(i int) int64 {
	if b.Numbers != nil {
		return b.Numbers[i]
	}
	return b.First + int64(i)
}

// Find is the place in the block of the record with a number.
func (b *Block) Find(number int64) (i int, found bool) {
	if b.Numbers != nil {
		return slices.BinarySearch(b.Numbers, number)
	}
	i = int(number - b.First)
	return i, i >= 0 && i < b.Len()
}

// Place is where record i of the block stands, with its text shortened to 500 bytes of valid UTF-8.
func (b *Block) Place(i int) job.Place {
	return job.Place{File: b.File, Record: b.Number(i), Offset: b.Offsets[i], Text: Shorten(b.Record(i))}
}

// Shorten is text as valid UTF-8 of at most 500 bytes; an ellipsis tells that some was cut off.
func Shorten(text []byte) string {
	const most = 500
	if len(text) <= most {
		return strings.ToValidUTF8(string(text), "\ufffd")
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.ToValidUTF8(string(text[:end]), "\ufffd") + "…"
}

// Program runs the user's code over blocks (map) or over sorted pairs (combine, reduce). One goroutine calls Map or Pairs,
// then Close; the Sink is called from another, one call at a time. Blocks handed over belong to the Program until the Sink
// got Done for them.
type Program interface {
	// Map hands over one block, waiting while too much is under way. An error means that the program is broken; call Close
	// to learn why.
	Map(b *Block) error
	// Pairs hands over sorted pairs: lines of key TAB value, both compact JSON (an absent value is empty), each with its
	// newline. Equal keys are adjacent and written with equal bytes, also across calls. The bytes may be reused after the
	// call.
	Pairs(lines []byte) error
	// Close ends the input, waits for the program's end, and says how it ended: nil, or a *Error, or the error of a Sink's
	// method, or the reason for which the context ended.
	Close() error
	// Kill ends the program at once, for a time limit or an interrupt. Close must still be called.
	Kill()
	// At is the record that the program is working on, or was when it died; for combine and reduce it has only Text, the key
	// as JSON. ok is false when that cannot be known, as with any streaming program.
	At() (at job.Place, ok bool)
	// Form is what the pairs are that the Sink got; valid after Close.
	Form() job.Form
	// PeakMemory is the largest resident size of the user's processes in bytes; valid after Close. Linux counts the process
	// in that starts them, so that it is never less than the size that this process had at the start.
	PeakMemory() int64
}

// Stream is a Program that cannot say at which record it is, but whether it gets on.
type Stream interface {
	Program
	// Gone changes when the program reads or prints. idle tells that it waits for input.
	Gone() (gone int64, idle bool)
}

// Sink takes what a Program produces. A method's error stops the program; Close then returns it.
//
// What comes of one block comes together, when the whole block was worked on: Pairs any number of times, Bad for each bad
// record in their order, Count, then Done. Nothing of a block comes when the program dies in it. So the blocks without Done
// are those to give to another program. Only what a finish hook emits comes behind the last Done, and in a strict program
// Bad comes before the rest of its block.
//
// A streaming program does not say what it emits for which record: there Done says that the block was given to it, and
// only Close says whether all was mapped.
type Sink interface {
	// Pairs takes lines of key TAB value, both compact JSON (an absent value is empty), each with its newline.
	Pairs(lines []byte) error
	// Bad says that record i of b failed in user code or did not parse; nothing that it emitted or counted is passed on.
	Bad(b *Block, i int, err *Error) error
	// Done says that all records of b were mapped (but for the Bad ones) and that all they emitted was passed to Pairs.
	Done(b *Block) error
	// Count adds n to a counter of the user's.
	Count(name string, n int64)
	// Log takes a line that the user's code logged or printed.
	Log(line string)
}

// Error is a failure of user code.
type Error struct {
	// Cause is CauseCode; CauseCorrupt for a record that does not parse; CauseMemory when memory ran out; CauseBug when the
	// helper itself broke.
	Cause     job.Cause
	Message   string // KeyError: 'info'
	Signature string // Message and the innermost place in the user's code, without values that vary
	Stack     string // of the user's code; of a process that died, the last lines of its standard error
	Exit      string // how the process ended, when it died: "exit status 3", "signal: killed"
	Hint      string
	At        *job.Place
	Key       string // combine and reduce: the key it was at, JSON
	// Fatal tells that no other program can go on behind the record, even when bad records are tolerated: the code cannot be
	// loaded, or a finish hook must see all records, so that what a dead program had seen of them is lost.
	Fatal bool
}

func (e *Error) Error() string { return e.Message }

// Options say how to start a Program.
type Options struct {
	Role    job.Role
	Code    *job.Code
	Command []string
	Env     map[string]string
	// Format of the files that the blocks come from; empty for pairs of another task. It decides what record.value is: JSON
	// that is parsed for telemetry, jsonl, csv and tsv (whose rows come as JSON objects) and pairs, text for lines and whole.
	Format string
	Dims   []string // names of dimensions
	Fields []string // paths that record.fields offers; the records may hold no more than these
	Form   job.Form // of the pairs that Program.Pairs gets
	// WorkDir is the folder that the program runs in. Helpers and files of passage are put into its folder .taf-helper.
	WorkDir   string
	MaxRecord int64 // bytes of the longest line of a streaming program, or of the longest pair; 0: 64 MiB
	// Strict tells that the first bad record is the end, so that the Sink gets it at once and not with its block.
	Strict bool
}

// Start starts the user's code. ctx ends it by force.
func Start(ctx context.Context, o Options, sink Sink) (Program, error) { return start(ctx, o, sink) }
