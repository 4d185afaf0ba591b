package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// Attempt is one try of a task.
type Attempt struct {
	RunID    string
	Address  addr.Task
	Attempt  int // from 1
	Key      string
	PID      int
	Process  string // tells the process from a later one with the same PID; empty when the system cannot say
	State    AttemptState
	Cause    job.Cause
	Exit     string // how the process ended: "exit status 10", "signal: killed"
	Started  time.Time
	Finished time.Time
	Dir      string // absolute
	Failure  *job.Failure
	Ledger   *job.Ledger
}

// AttemptState is where an attempt stands.
type AttemptState string

// The states of attempts.
const (
	AttemptRunning     AttemptState = "running"
	AttemptDone        AttemptState = "done"
	AttemptFailed      AttemptState = "failed"
	AttemptInterrupted AttemptState = "interrupted" // stopped from outside; nothing is known about the task
)

// AttemptDir is the folder of an attempt, absolute.
func (db *DB) AttemptDir(run string, task addr.Task, attempt int) string {
	return filepath.Join(db.dir, "runs", run, TaskDir(task), strconv.Itoa(attempt))
}

// TaskDir is a folder name for a task: readable, safe on every file system, and different for different addresses also
// where file names do not tell upper from lower case.
func TaskDir(task addr.Task) string {
	sum := sha256.Sum256([]byte(task.Text()))
	readable := task.Stage.String()
	if task.Name != "" {
		readable += "-" + task.Name
	}
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, readable)
	const longest = 80
	if len(safe) > longest {
		safe = safe[:longest]
	}
	return safe + "-" + hex.EncodeToString(sum[:4])
}

// BeginAttempt records an attempt before its process is started.
func (db *DB) BeginAttempt(ctx context.Context, a Attempt) error {
	return db.BeginAttempts(ctx, []Attempt{a})
}

// BeginAttempts records that attempts have begun.
func (db *DB) BeginAttempts(ctx context.Context, attempts []Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		for _, a := range attempts {
			dir, err := filepath.Rel(db.dir, a.Dir)
			if err == nil {
				err = exec(conn, `INSERT OR REPLACE INTO attempts
			(run, address, attempt, key, pid, process, state, cause, exit, started, finished, dir, failure, ledger)
			VALUES (?, ?, ?, ?, ?, ?, ?, '', '', ?, 0, ?, '', '')`, a.RunID, a.Address.Text(), a.Attempt, a.Key, a.PID, a.Process,
					string(AttemptRunning), toNanos(a.Started), filepath.ToSlash(dir))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record an attempt of %s: %w", attempts[0].Address, err)
	}
	return nil
}

// AttemptProcess records which process an attempt runs in.
func (db *DB) AttemptProcess(ctx context.Context, a Attempt) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		return exec(conn, "UPDATE attempts SET pid = ?, process = ? WHERE run = ? AND address = ? AND attempt = ?",
			a.PID, a.Process, a.RunID, a.Address.Text(), a.Attempt)
	})
	if err != nil {
		return fmt.Errorf("record the process of %s: %w", a.Address, err)
	}
	return nil
}

// EndAttempt records how an attempt ended that left no result.
func (db *DB) EndAttempt(ctx context.Context, a Attempt) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error { return endAttempt(conn, &a) })
	if err != nil {
		return fmt.Errorf("record the end of an attempt of %s: %w", a.Address, err)
	}
	return nil
}

func endAttempt(conn *sqlite.Conn, a *Attempt) error {
	var failure, ledger string
	var err error
	if a.Failure != nil {
		if failure, err = toJSON(a.Failure); err != nil {
			return err
		}
	}
	if a.Ledger != nil {
		if ledger, err = toJSON(a.Ledger); err != nil {
			return err
		}
	}
	return exec(conn, `UPDATE attempts SET state = ?, cause = ?, exit = ?, finished = ?, failure = ?, ledger = ?
		WHERE run = ? AND address = ? AND attempt = ?`, string(a.State), string(a.Cause), a.Exit, toNanos(a.Finished), failure, ledger,
		a.RunID, a.Address.Text(), a.Attempt)
}

// Attempts returns all attempts of a task of an analysis, newest first.
func (db *DB) Attempts(ctx context.Context, analysis string, task addr.Task) ([]Attempt, error) {
	return db.selectAttempts(ctx, `JOIN runs r ON r.id = a.run WHERE a.address = ? AND r.analysis = ?
		ORDER BY a.run DESC, a.attempt DESC`, task.Text(), analysis)
}

// RunAttempts returns all attempts of a run, by address and number.
func (db *DB) RunAttempts(ctx context.Context, run string) ([]Attempt, error) {
	return db.selectAttempts(ctx, "WHERE a.run = ? ORDER BY a.address, a.attempt", run)
}

// RunningAttempts returns the attempts that are recorded as running, of all runs. For the holder of the lock they are those
// of runs whose process died. Those on deployments are not among them.
func (db *DB) RunningAttempts(ctx context.Context) ([]Attempt, error) {
	return db.selectAttempts(ctx, "WHERE a.state = 'running' AND a.run NOT IN (SELECT run FROM remote_runs) ORDER BY a.run, a.address, a.attempt")
}

func (db *DB) selectAttempts(ctx context.Context, where string, args ...any) ([]Attempt, error) {
	var out []Attempt
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, `SELECT a.run, a.address, a.attempt, a.key, a.pid, a.process, a.state, a.cause, a.exit, a.started, a.finished,
			a.dir, a.failure, a.ledger FROM attempts a `+where, func(s *sqlite.Stmt) error {
			address, err := addr.Parse(s.ColumnText(1))
			if err != nil {
				return err
			}
			a := Attempt{
				RunID: s.ColumnText(0), Address: address, Attempt: s.ColumnInt(2), Key: s.ColumnText(3), PID: s.ColumnInt(4),
				Process: s.ColumnText(5), State: AttemptState(s.ColumnText(6)), Cause: job.Cause(s.ColumnText(7)), Exit: s.ColumnText(8),
				Started: fromNanos(s.ColumnInt64(9)), Finished: fromNanos(s.ColumnInt64(10)),
				Dir: filepath.Join(db.dir, filepath.FromSlash(s.ColumnText(11))),
			}
			if a.Failure, err = fromJSON[job.Failure](s.ColumnText(12)); err != nil {
				return err
			}
			if a.Ledger, err = fromJSON[job.Ledger](s.ColumnText(13)); err != nil {
				return err
			}
			out = append(out, a)
			return nil
		}, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	return out, nil
}

// AbandonRuns marks the runs whose process died as interrupted, and their tasks that had not ended as cancelled. Only the
// holder of the lock may call it.
func (db *DB) AbandonRuns(ctx context.Context) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		err := exec(conn, `UPDATE run_tasks SET state = 'cancelled', message = 'the run was killed', progress = ''
			WHERE state IN ('waiting', 'ready', 'running') AND run IN (SELECT id FROM runs WHERE outcome = '') AND run NOT IN (SELECT run FROM remote_runs WHERE NOT ended)`)
		if err != nil {
			return err
		}
		return exec(conn, "UPDATE runs SET outcome = ?, finished = ? WHERE outcome = '' AND id NOT IN (SELECT run FROM remote_runs WHERE NOT ended)", string(Interrupted), toNanos(time.Now()))
	})
	if err != nil {
		return fmt.Errorf("record killed runs: %w", err)
	}
	return nil
}
