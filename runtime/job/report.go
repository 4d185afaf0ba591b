package job

import (
	"fmt"
	"time"
)

// Report is what a task says at its end. It is written last and atomically: a Report that exists is complete.
type Report struct {
	Version int    `json:"version"`
	Task    string `json:"task"`
	Key     string `json:"key"`
	Attempt int    `json:"attempt"`

	Cause   Cause    `json:"cause"` // done, or why it failed
	Failure *Failure `json:"failure,omitempty"`

	Form    Form   `json:"form,omitempty"`
	Parts   []Part `json:"parts,omitempty"`
	Partial bool   `json:"partial,omitempty"` // it, or something it stands on, lost input that a policy tolerated
	// Transient: what was lost may be there next time (a download that failed), so the result must not be reused.
	Transient bool `json:"transient,omitempty"`
	// Whole: the result stands for all files below its stage, as those of the stage's other tasks do. That is so from the first
	// reduce on, whose partitions share keys, not files.
	Whole bool `json:"whole,omitempty"`

	// Mended is the key of the earlier result that all but its quarantined records were taken over from; empty: of none.
	Mended string `json:"mended,omitempty"`

	Ledger     Ledger           `json:"ledger"` // of this task alone
	Covers     Ledger           `json:"covers"` // of all map tasks that the result stands for, this one included
	Counters   map[string]int64 `json:"counters,omitempty"`
	Quarantine *Quarantine      `json:"quarantine,omitempty"`

	Started  time.Time          `json:"started"`
	Finished time.Time          `json:"finished"`
	Seconds  map[string]float64 `json:"seconds"` // wall time per step: fetch, code, sort, write
}

// Cause is how a task ended. The names are those of retry.on.
type Cause string

// The causes, see docs/exit-codes.md.
const (
	CauseDone           Cause = "done"
	CauseCode           Cause = "code"           // exception in user code, or its non-zero exit
	CauseDownload       Cause = "download"       // a file could not be had after its own retries
	CauseCorrupt        Cause = "corrupt"        // a file or record is damaged or truncated
	CauseDrifted        Cause = "drifted"        // a file is not the one that was planned
	CauseTolerance      Cause = "tolerance"      // more was lost than the policy tolerates
	CauseWrite          Cause = "write"          // a result could not be written
	CauseMemory         Cause = "memory"         // out of memory
	CauseTimeout        Cause = "timeout"        // max_run_time
	CauseBadSpec        Cause = "spec"           // the Spec makes no sense
	CauseBug            Cause = "bug"            // ours
	CauseInfrastructure Cause = "infrastructure" // the task's process vanished without a report; only engines say this
)

// ExitCode is the exit code of a task process that ends with this cause.
func (c Cause) ExitCode() int {
	switch c {
	case CauseDone:
		return 0
	case CauseCode:
		return 10
	case CauseDownload:
		return 11
	case CauseCorrupt:
		return 12
	case CauseDrifted:
		return 13
	case CauseTolerance:
		return 14
	case CauseWrite:
		return 15
	case CauseMemory:
		return 16
	case CauseTimeout:
		return 17
	case CauseBadSpec:
		return 64
	}
	return 70
}

// Failure says what went wrong, where, and what to do. All but Message may be empty.
type Failure struct {
	Message string `json:"message"` // one sentence
	Hint    string `json:"hint,omitempty"`
	Place
	Stack string `json:"stack,omitempty"`
	Exit  string `json:"exit,omitempty"` // how the user's program ended: "exit status 3", "signal: killed"
}

// Place is a record of a file.
type Place struct {
	File   string `json:"file,omitempty"`
	Record int64  `json:"record,omitempty"` // counted from 1
	Offset int64  `json:"offset,omitempty"` // of the record's first byte in the decompressed file
	Text   string `json:"text,omitempty"`   // the record, shortened
}

// Ledger accounts for every file and every record. Planned = Done + Failed files; Read = Mapped + Filtered + Quarantined records.
type Ledger struct {
	Files   FileLedger   `json:"files"`
	Records RecordLedger `json:"records"`
	Bytes   ByteLedger   `json:"bytes"`

	PeakMemory     int64 `json:"peak_memory"` // bytes, of the task's process and its helper; the largest, when summed
	HelperRestarts int64 `json:"helper_restarts"`
}

// FileLedger counts input files.
type FileLedger struct {
	Planned int64        `json:"planned"`
	Done    int64        `json:"done"`
	Failed  int64        `json:"failed"`
	Losses  []FailedFile `json:"losses,omitempty"` // the failed ones, by key
}

// FailedFile is a file that was tolerated to be lost, or that ended the task.
type FailedFile struct {
	Key     string `json:"key"`
	Cause   Cause  `json:"cause"`
	Message string `json:"message"`
	Offset  int64  `json:"offset,omitempty"` // decompressed bytes before the break
	Records int64  `json:"records"`          // read before the break, and counted
}

// RecordLedger counts records. For tasks over pairs a pair is a record.
type RecordLedger struct {
	Read        int64 `json:"read"`
	Mapped      int64 `json:"mapped"`
	Filtered    int64 `json:"filtered"`
	Quarantined int64 `json:"quarantined"`
	Emitted     int64 `json:"emitted"` // pairs written
}

// ByteLedger counts bytes.
type ByteLedger struct {
	Wire         int64 `json:"wire"`
	Decompressed int64 `json:"decompressed"`
	Written      int64 `json:"written"`
}

// Check says which of the identities of a ledger does not hold, nil when all do. That of a task names each failed file; of what a whole result
// stands for not all are known by name, when a task that was to read results is lost.
func (l Ledger) Check() error {
	if f := l.Files; f.Planned != f.Done+f.Failed || int64(len(f.Losses)) > f.Failed {
		return fmt.Errorf("the ledger of files does not balance: %d planned, %d done, %d failed, %d of them named", f.Planned, f.Done, f.Failed, len(f.Losses))
	}
	if r := l.Records; r.Read != r.Mapped+r.Filtered+r.Quarantined {
		return fmt.Errorf("the ledger of records does not balance: %d read, %d mapped, %d filtered, %d quarantined", r.Read, r.Mapped, r.Filtered, r.Quarantined)
	}
	return nil
}

// Add sums two ledgers.
func (l *Ledger) Add(o Ledger) {
	l.Files.Planned += o.Files.Planned
	l.Files.Done += o.Files.Done
	l.Files.Failed += o.Files.Failed
	l.Files.Losses = append(l.Files.Losses, o.Files.Losses...)
	l.Records.Read += o.Records.Read
	l.Records.Mapped += o.Records.Mapped
	l.Records.Filtered += o.Records.Filtered
	l.Records.Quarantined += o.Records.Quarantined
	l.Records.Emitted += o.Records.Emitted
	l.Bytes.Wire += o.Bytes.Wire
	l.Bytes.Decompressed += o.Bytes.Decompressed
	l.Bytes.Written += o.Bytes.Written
	l.PeakMemory = max(l.PeakMemory, o.PeakMemory)
	l.HelperRestarts += o.HelperRestarts
}

// Quarantine describes the file of records that were set aside.
type Quarantine struct {
	Path    string `json:"path"` // quarantine.jsonl.zst, relative to the attempt's folder in a Report
	Digest  string `json:"digest"`
	Size    int64  `json:"size"`
	Records int64  `json:"records"`
	// Unframed is how many of them are no records of the format, so that no code ever saw them.
	Unframed int64             `json:"unframed,omitempty"`
	Groups   []QuarantineGroup `json:"groups"` // by signature, most records first
}

// QuarantineGroup is the records that failed in the same way.
type QuarantineGroup struct {
	Signature string `json:"signature"` // such as "KeyError: 'info' at mapper.py:12"
	Records   int64  `json:"records"`
	Example   Place  `json:"example"`
}

// Progress is what a running task says of itself, one JSON object a line.
type Progress struct {
	Files   int64 `json:"files"`   // done
	Records int64 `json:"records"` // read
	Bytes   int64 `json:"bytes"`   // of the input, as stored
}
