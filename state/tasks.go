package state

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// TaskRecord is what is remembered of one outcome of a task.
type TaskRecord struct {
	Address      addr.Task
	Key          string
	StageDigest  string
	InputsDigest string
	Bundle       string // digest of the code, or empty
	State        string // done, reused or failed
	Cause        job.Cause
	Message      string
	Attempts     int
	RunID        string // that made it; of a reused result the run that noticed it
	Finished     time.Time
}

// Memory is what is remembered of a task: its last good result and, when it failed after that, the failure. Either may be nil.
type Memory struct {
	Good   *TaskRecord
	Failed *TaskRecord
}

// Prior returns what is remembered of all tasks of an analysis.
func (db *DB) Prior(ctx context.Context, analysis string) (map[addr.Task]Memory, error) {
	out := map[addr.Task]Memory{}
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, `SELECT address, failed, key, stage, inputs, bundle, state, cause, message, attempts, run, finished
			FROM tasks WHERE analysis = ?`, func(s *sqlite.Stmt) error {
			address, err := addr.Parse(s.ColumnText(0))
			if err != nil {
				return err
			}
			r := &TaskRecord{
				Address: address, Key: s.ColumnText(2), StageDigest: s.ColumnText(3), InputsDigest: s.ColumnText(4),
				Bundle: s.ColumnText(5), State: s.ColumnText(6), Cause: job.Cause(s.ColumnText(7)), Message: s.ColumnText(8),
				Attempts: s.ColumnInt(9), RunID: s.ColumnText(10), Finished: fromNanos(s.ColumnInt64(11)),
			}
			m := out[address]
			if s.ColumnBool(1) {
				m.Failed = r
			} else {
				m.Good = r
			}
			out[address] = m
			return nil
		}, analysis)
	})
	if err != nil {
		return nil, fmt.Errorf("read the tasks of %s: %w", analysis, err)
	}
	return out, nil
}

// Serial is an opaque text that changes whenever what Prior returns for the analysis changes.
func (db *DB) Serial(ctx context.Context, analysis string) (string, error) {
	var n int64
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, "SELECT serial FROM analyses WHERE name = ?", func(s *sqlite.Stmt) error {
			n = s.ColumnInt64(0)
			return nil
		}, analysis)
	})
	if err != nil {
		return "", fmt.Errorf("read the serial of %s: %w", analysis, err)
	}
	return strconv.FormatInt(n, 10), nil
}

// Inputs loads the document behind a TaskRecord's InputsDigest; nil when it is no longer known.
func (db *DB) Inputs(ctx context.Context, digest string) ([]byte, error) {
	return db.document(ctx, digest)
}

// StageComponents loads the document behind a TaskRecord's StageDigest; nil when it is no longer known.
func (db *DB) StageComponents(ctx context.Context, digest string) ([]byte, error) {
	return db.document(ctx, digest)
}

func (db *DB) document(ctx context.Context, digest string) ([]byte, error) {
	var packed []byte
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, "SELECT data FROM documents WHERE digest = ?", func(s *sqlite.Stmt) error {
			packed = column(s, 0)
			return nil
		}, digest)
	})
	if err == nil && packed != nil {
		packed, err = db.unpack(packed)
	}
	if err != nil {
		return nil, fmt.Errorf("read document %s: %w", digest, err)
	}
	return packed, nil
}

// putDocument stores what a digest stands for, once.
func (db *DB) putDocument(conn *sqlite.Conn, digest string, data []byte) error {
	if digest == "" || data == nil {
		return nil
	}
	known := false
	err := query(conn, "SELECT 1 FROM documents WHERE digest = ?", func(*sqlite.Stmt) error {
		known = true
		return nil
	}, digest)
	if err != nil || known {
		return err
	}
	return exec(conn, "INSERT INTO documents (digest, data) VALUES (?, ?)", digest, db.pack(data))
}

// putGood records a good result and forgets failures before it.
func putGood(conn *sqlite.Conn, analysis string, r TaskRecord) error {
	if err := putTask(conn, analysis, r, false); err != nil {
		return err
	}
	return exec(conn, "DELETE FROM tasks WHERE analysis = ? AND address = ? AND failed = 1", analysis, r.Address.Text())
}

func putTask(conn *sqlite.Conn, analysis string, r TaskRecord, failed bool) error {
	err := exec(conn, `INSERT OR REPLACE INTO tasks
		(analysis, address, failed, key, stage, inputs, bundle, state, cause, message, attempts, run, finished)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		analysis, r.Address.Text(), failed, r.Key, r.StageDigest, r.InputsDigest, r.Bundle, r.State, string(r.Cause),
		r.Message, r.Attempts, r.RunID, toNanos(r.Finished))
	if err != nil {
		return err
	}
	return touch(conn, analysis)
}

// touch moves the serial of an analysis.
func touch(conn *sqlite.Conn, analysis string) error {
	return exec(conn, "INSERT INTO analyses (name, serial) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET serial = serial + 1", analysis)
}

// Reused notes tasks whose results were there already, so that a later plan sees them as good. Records that say nothing new
// change nothing. inputs are the documents by their digest.
func (db *DB) Reused(ctx context.Context, analysis string, records []TaskRecord, inputs map[string][]byte) error {
	prior, err := db.Prior(ctx, analysis)
	if err != nil {
		return err
	}
	err = db.update(ctx, func(conn *sqlite.Conn) error {
		for _, r := range records {
			m := prior[r.Address]
			if g := m.Good; m.Failed == nil && g != nil && g.Key == r.Key && g.StageDigest == r.StageDigest &&
				g.InputsDigest == r.InputsDigest && g.Bundle == r.Bundle {
				continue
			}
			if err := db.putDocument(conn, r.InputsDigest, inputs[r.InputsDigest]); err != nil {
				return err
			}
			if err := putGood(conn, analysis, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record reused tasks of %s: %w", analysis, err)
	}
	return nil
}

// PutFailure records that a task failed for good. Its last good result stays remembered.
func (db *DB) PutFailure(ctx context.Context, analysis string, r TaskRecord, inputs []byte) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		if err := db.putDocument(conn, r.InputsDigest, inputs); err != nil {
			return err
		}
		return putTask(conn, analysis, r, true)
	})
	if err != nil {
		return fmt.Errorf("record the failure of %s: %w", r.Address, err)
	}
	return nil
}

// Forget drops tasks that an analysis no longer has. Their results stay until GC.
func (db *DB) Forget(ctx context.Context, analysis string, tasks []addr.Task) error {
	if len(tasks) == 0 {
		return nil
	}
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		for _, t := range tasks {
			if err := exec(conn, "DELETE FROM tasks WHERE analysis = ? AND address = ?", analysis, t.Text()); err != nil {
				return err
			}
		}
		return touch(conn, analysis)
	})
	if err != nil {
		return fmt.Errorf("forget dropped tasks of %s: %w", analysis, err)
	}
	return nil
}
