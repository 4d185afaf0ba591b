package state

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/tafc/tafc/runtime/job"
)

// RemoteRun is a run whose tasks belong to a deployment: they go on when no tafc watches them.
type RemoteRun struct {
	Run      string
	Analysis string
	Root     string // URL of the deployment
	Group    string // id of the task group
	Settings []byte // JSON, for the engine
	Started  time.Time
	Deadline time.Time
	Expires  time.Time
	Ended    bool // its tasks were seen to their ends, or given up
}

// BeginRemoteRun records a run before its first task is created.
func (db *DB) BeginRemoteRun(ctx context.Context, r RemoteRun) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		return exec(conn, `INSERT OR REPLACE INTO remote_runs (run, analysis, root, task_group, settings, started, deadline, expires, ended)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Run, r.Analysis, r.Root, r.Group, db.pack(r.Settings),
			toNanos(r.Started), toNanos(r.Deadline), toNanos(r.Expires), r.Ended)
	})
	if err != nil {
		return fmt.Errorf("record the deployment of run %s: %w", r.Run, err)
	}
	return nil
}

// EndRemoteRun records that nothing more is to be expected of a run, or, to take it up again, that there is.
func (db *DB) EndRemoteRun(ctx context.Context, run string, ended bool) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		return exec(conn, "UPDATE remote_runs SET ended = ? WHERE run = ?", ended, run)
	})
	if err != nil {
		return fmt.Errorf("record the end of run %s: %w", run, err)
	}
	return nil
}

// ReopenRun makes a run go on that was interrupted or had ended.
func (db *DB) ReopenRun(ctx context.Context, run string) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		return exec(conn, "UPDATE runs SET outcome = '', finished = 0 WHERE id = ?", run)
	})
	if err != nil {
		return fmt.Errorf("record that run %s goes on: %w", run, err)
	}
	return nil
}

// GiveUpRun records that a run was ended from outside: its open tasks are cancelled.
func (db *DB) GiveUpRun(ctx context.Context, run, why string) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		err := exec(conn, "UPDATE run_tasks SET state = 'cancelled', message = ?, progress = '' WHERE run = ? AND state IN ('waiting', 'ready', 'running')", why, run)
		if err == nil {
			err = exec(conn, "UPDATE runs SET outcome = ?, finished = ? WHERE id = ? AND outcome = ''", string(Interrupted), toNanos(time.Now()), run)
		}
		if err == nil {
			err = exec(conn, "UPDATE remote_runs SET ended = 1 WHERE run = ?", run)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("record the end of run %s: %w", run, err)
	}
	return nil
}

// RemoteRun returns where a run's tasks are; nil when they are on no deployment.
func (db *DB) RemoteRun(ctx context.Context, run string) (*RemoteRun, error) {
	found, err := db.remoteRuns(ctx, "run = ?", run)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// OpenRemoteRuns returns the runs of an analysis that may still go on, oldest first.
func (db *DB) OpenRemoteRuns(ctx context.Context, analysis string) ([]RemoteRun, error) {
	return db.remoteRuns(ctx, "analysis = ? AND NOT ended ORDER BY run", analysis)
}

func (db *DB) remoteRuns(ctx context.Context, where string, arg any) ([]RemoteRun, error) {
	var out []RemoteRun
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, "SELECT run, analysis, root, task_group, settings, started, deadline, expires, ended FROM remote_runs WHERE "+where, func(s *sqlite.Stmt) error {
			r := RemoteRun{
				Run: s.ColumnText(0), Analysis: s.ColumnText(1), Root: s.ColumnText(2), Group: s.ColumnText(3),
				Started: fromNanos(s.ColumnInt64(5)), Deadline: fromNanos(s.ColumnInt64(6)), Expires: fromNanos(s.ColumnInt64(7)), Ended: s.ColumnBool(8),
			}
			var err error
			r.Settings, err = db.unpack(column(s, 4))
			out = append(out, r)
			return err
		}, arg)
	})
	if err != nil {
		return nil, fmt.Errorf("read runs on deployments: %w", err)
	}
	return out, nil
}

// Remote is where a deployment keeps a result.
type Remote struct {
	Key       string
	Root      string // URL of the deployment
	TaskID    string
	RunID     int    // the run of the task that completed
	Artifacts string // prefix of the names of its artifacts
	Expires   time.Time
	// Origin says who made it and when, when it was not this state's own run.
	Origin string
}

func putRemote(conn *sqlite.Conn, r Remote) error {
	return exec(conn, `INSERT OR REPLACE INTO remote_results (key, root, task, run, artifacts, expires, origin) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.Key, r.Root, r.TaskID, r.RunID, r.Artifacts, toNanos(r.Expires), r.Origin)
}

// Remotes looks up where a deployment keeps the results of many keys.
func (db *DB) Remotes(ctx context.Context, root string, keys []string) (map[string]Remote, error) {
	wanted := make(map[string]bool, len(keys))
	for _, k := range keys {
		wanted[k] = true
	}
	found := map[string]Remote{}
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		from, args, err := lookUp(conn, keys)
		if err != nil {
			return err
		}
		return query(conn, "SELECT r.key, r.task, r.run, r.artifacts, r.expires, r.origin, r.root FROM "+fmt.Sprintf(from, "remote_results"), func(s *sqlite.Stmt) error {
			if key := s.ColumnText(0); wanted[key] && s.ColumnText(6) == root {
				found[key] = Remote{
					Key: key, Root: root, TaskID: s.ColumnText(1), RunID: s.ColumnInt(2), Artifacts: s.ColumnText(3),
					Expires: fromNanos(s.ColumnInt64(4)), Origin: s.ColumnText(5),
				}
			}
			return nil
		}, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("look up results on %s: %w", root, err)
	}
	return found, nil
}

// RemotesOf returns all places of one result.
func (db *DB) RemotesOf(ctx context.Context, key string) ([]Remote, error) {
	var out []Remote
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, "SELECT root, task, run, artifacts, expires, origin FROM remote_results WHERE key = ? ORDER BY expires DESC", func(s *sqlite.Stmt) error {
			out = append(out, Remote{
				Key: key, Root: s.ColumnText(0), TaskID: s.ColumnText(1), RunID: s.ColumnInt(2), Artifacts: s.ColumnText(3),
				Expires: fromNanos(s.ColumnInt64(4)), Origin: s.ColumnText(5),
			})
			return nil
		}, key)
	})
	if err != nil {
		return nil, fmt.Errorf("look up where result %s is: %w", key, err)
	}
	return out, nil
}

// DropRemotes forgets results that a deployment no longer has.
func (db *DB) DropRemotes(ctx context.Context, root string, keys []string) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		for _, key := range keys {
			if err := exec(conn, "DELETE FROM remote_results WHERE root = ? AND key = ?", root, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget results on %s: %w", root, err)
	}
	return nil
}

// PutFound records a result that a deployment has and this state did not know: its report, and where it is. The result belongs to no task
// before a run takes it.
func (db *DB) PutFound(ctx context.Context, r Result, at Remote) error {
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		if err := db.insertResult(conn, &r, blobsOf(&r.Report)); err != nil {
			return err
		}
		return putRemote(conn, at)
	})
	if err != nil {
		return fmt.Errorf("record the result of %s: %w", r.Task, err)
	}
	return nil
}

// blobsOf are the files of a report, wherever they are.
func blobsOf(r *job.Report) []blob {
	var out []blob
	for _, p := range r.Parts {
		out = append(out, blob{p.Digest, p.Size})
	}
	if q := r.Quarantine; q != nil {
		out = append(out, blob{q.Digest, q.Size})
	}
	return out
}

// Report loads what a task said at its end also when the files of its result are not here. The error is ErrNoResult when nothing is known.
func (db *DB) Report(ctx context.Context, key string) (Result, error) {
	found, err := db.loadResults(ctx, "SELECT "+resultColumns+" FROM results WHERE key = ?", key)
	if err != nil {
		return Result{}, fmt.Errorf("read result %s: %w", key, err)
	}
	if len(found) == 0 {
		return Result{}, fmt.Errorf("%w under key %s", ErrNoResult, key)
	}
	return found[0], nil
}

// AddFiles moves files of a result that was known already into the store. names are what the report calls them, in dir.
func (db *DB) AddFiles(r *job.Report, dir string) error {
	_, err := db.ingestAll(r, dir)
	return err
}
