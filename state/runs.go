package state

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// Run is one apply of an analysis.
type Run struct {
	ID       string
	Analysis string
	Command  string // as the user gave it, for people
	Plan     []byte // JSON; only LatestRun and FindRun load it
	PID      int
	Host     string
	Started  time.Time
	Finished time.Time // zero: it runs, or its process died
	Outcome  Outcome
}

// Outcome is how a run ended.
type Outcome string

// The outcomes of runs.
const (
	Unfinished  Outcome = "" // it runs when the lock is held, otherwise its process died
	Succeeded   Outcome = "done"
	Partial     Outcome = "partial" // done, with losses that the policy tolerated
	Failed      Outcome = "failed"
	Interrupted Outcome = "interrupted"
)

// RunTask is where a task of a run stands. States are those of the engine.
type RunTask struct {
	Address  addr.Task
	Key      string
	State    string
	Attempt  int // the latest, 0 before the first
	Cause    job.Cause
	Message  string
	Blame    string    // cancelled: the address of the failed task that is the first cause
	Changed  time.Time // when it came to this state
	RetryAt  time.Time // ready: not before this
	Progress *job.Progress
	Remote   string      // id of the task on a deployment
	Ledger   *job.Ledger // of the latest attempt that ended; a reused task's is in the report of its Result
}

// Begin is what a run starts with.
type Begin struct {
	Run       Run // ID, Analysis, Command and Plan; the rest is filled in
	Tasks     []RunTask
	Documents map[string][]byte // stage components by digest
	Dropped   []addr.Task       // tasks that the analysis no longer has: they are forgotten
}

// BeginRun records the start of a run, its tasks, and what was dropped, in one transaction.
func (db *DB) BeginRun(ctx context.Context, b Begin) error {
	host, _ := os.Hostname() // only for people
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		err := exec(conn, "INSERT INTO runs (id, analysis, command, plan, pid, host, started, finished, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '')",
			b.Run.ID, b.Run.Analysis, b.Run.Command, db.pack(b.Run.Plan), os.Getpid(), host, toNanos(time.Now()))
		if err != nil {
			return err
		}
		for i, t := range b.Tasks {
			err := exec(conn, `INSERT INTO run_tasks
				(run, address, position, key, state, attempt, cause, message, blame, changed, retry_at, progress, remote)
				VALUES (?, ?, ?, ?, ?, 0, '', '', '', ?, 0, '', ?)`, b.Run.ID, t.Address.Text(), i, t.Key, t.State, toNanos(t.Changed), t.Remote)
			if err != nil {
				return err
			}
		}
		for _, digest := range slices.Sorted(maps.Keys(b.Documents)) {
			if err := db.putDocument(conn, digest, b.Documents[digest]); err != nil {
				return err
			}
		}
		for _, t := range b.Dropped {
			if err := exec(conn, "DELETE FROM tasks WHERE analysis = ? AND address = ?", b.Run.Analysis, t.Text()); err != nil {
				return err
			}
		}
		if len(b.Dropped) > 0 {
			return touch(conn, b.Run.Analysis)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record the start of run %s: %w", b.Run.ID, err)
	}
	return nil
}

// FinishRun records how a run ended.
func (db *DB) FinishRun(ctx context.Context, id string, outcome Outcome) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		return exec(conn, "UPDATE runs SET outcome = ?, finished = ? WHERE id = ?", string(outcome), toNanos(time.Now()), id)
	})
	if err != nil {
		return fmt.Errorf("record the end of run %s: %w", id, err)
	}
	return nil
}

// UpdateTasks records where tasks of a run stand now.
func (db *DB) UpdateTasks(ctx context.Context, run string, tasks []RunTask) error {
	if len(tasks) == 0 {
		return nil
	}
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		for _, t := range tasks {
			progress := ""
			if t.Progress != nil {
				b, err := json.Marshal(t.Progress)
				if err != nil {
					return err
				}
				progress = string(b)
			}
			err := exec(conn, `UPDATE run_tasks SET state = ?, attempt = ?, cause = ?, message = ?, blame = ?, changed = ?, retry_at = ?, progress = ?
				WHERE run = ? AND address = ?`, t.State, t.Attempt, string(t.Cause), t.Message, t.Blame, toNanos(t.Changed),
				toNanos(t.RetryAt), progress, run, t.Address.Text())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record tasks of run %s: %w", run, err)
	}
	return nil
}

// SetProgress records what a running task says of itself.
func (db *DB) SetProgress(ctx context.Context, run string, task addr.Task, p job.Progress) error {
	text, err := toJSON(p)
	if err == nil {
		err = db.update(ctx, func(conn *sqlite.Conn) error {
			return exec(conn, "UPDATE run_tasks SET progress = ? WHERE run = ? AND address = ? AND state = 'running'", text, run, task.Text())
		})
	}
	if err != nil {
		return fmt.Errorf("record the progress of %s: %w", task, err)
	}
	return nil
}

// RunTasks returns the tasks of a run in the order of the run.
func (db *DB) RunTasks(ctx context.Context, run string) ([]RunTask, error) {
	var out []RunTask
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, `SELECT t.address, t.key, t.state, t.attempt, t.cause, t.message, t.blame, t.changed, t.retry_at, t.progress,
				coalesce(a.ledger, ''), t.remote
			FROM run_tasks t LEFT JOIN attempts a ON a.run = t.run AND a.address = t.address AND a.attempt = t.attempt
			WHERE t.run = ? ORDER BY t.position`, func(s *sqlite.Stmt) error {
			address, err := addr.Parse(s.ColumnText(0))
			if err != nil {
				return err
			}
			t := RunTask{
				Address: address, Key: s.ColumnText(1), State: s.ColumnText(2), Attempt: s.ColumnInt(3), Cause: job.Cause(s.ColumnText(4)),
				Remote: s.ColumnText(11), Message: s.ColumnText(5), Blame: s.ColumnText(6), Changed: fromNanos(s.ColumnInt64(7)), RetryAt: fromNanos(s.ColumnInt64(8)),
			}
			if t.Progress, err = fromJSON[job.Progress](s.ColumnText(9)); err != nil {
				return err
			}
			if t.Ledger, err = fromJSON[job.Ledger](s.ColumnText(10)); err != nil {
				return err
			}
			out = append(out, t)
			return nil
		}, run)
	})
	if err != nil {
		return nil, fmt.Errorf("read the tasks of run %s: %w", run, err)
	}
	return out, nil
}

// LatestRun returns the last run of an analysis with its plan, or nil when there was none.
func (db *DB) LatestRun(ctx context.Context, analysis string) (*Run, error) {
	runs, err := db.selectRuns(ctx, "WHERE analysis = ? ORDER BY id DESC LIMIT 1", true, analysis)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// FindRun returns a run with its plan, or nil when there is none.
func (db *DB) FindRun(ctx context.Context, id string) (*Run, error) {
	runs, err := db.selectRuns(ctx, "WHERE id = ?", true, id)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// Runs returns the runs of an analysis without their plans, newest first. An empty analysis means all.
func (db *DB) Runs(ctx context.Context, analysis string) ([]Run, error) {
	if analysis == "" {
		return db.selectRuns(ctx, "ORDER BY id DESC", false)
	}
	return db.selectRuns(ctx, "WHERE analysis = ? ORDER BY id DESC", false, analysis)
}

func (db *DB) selectRuns(ctx context.Context, where string, withPlan bool, args ...any) ([]Run, error) {
	var out []Run
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		plan := "''"
		if withPlan {
			plan = "plan"
		}
		sql := "SELECT id, analysis, command, pid, host, started, finished, outcome, " + plan + " FROM runs " + where
		return query(conn, sql, func(s *sqlite.Stmt) error {
			r := Run{
				ID: s.ColumnText(0), Analysis: s.ColumnText(1), Command: s.ColumnText(2), PID: s.ColumnInt(3), Host: s.ColumnText(4),
				Started: fromNanos(s.ColumnInt64(5)), Finished: fromNanos(s.ColumnInt64(6)), Outcome: Outcome(s.ColumnText(7)),
			}
			if withPlan {
				var err error
				if r.Plan, err = db.unpack(column(s, 8)); err != nil {
					return err
				}
			}
			out = append(out, r)
			return nil
		}, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return out, nil
}

// fromJSON decodes a column; an empty one gives nil.
func fromJSON[T any](text string) (*T, error) {
	if text == "" {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return nil, err
	}
	return v, nil
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
