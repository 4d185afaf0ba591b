package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"

	"github.com/tafc/tafc/internal/addr"
)

// Keep says what GC leaves alone beyond what the tasks of the analyses refer to.
type Keep struct {
	Runs   int  // the last runs of each analysis with their logs; 0 means 10
	DryRun bool // remove nothing, only say what would go
}

// Freed is what GC removed. Bytes are of files; rows of the database are reused, not given back.
type Freed struct {
	Results int
	Blobs   int
	Bundles int
	Runs    int // runs of which nothing is left
	Tasks   int // folders of tasks in runs
	Bytes   int64
}

// GC removes results, files, bundles and run folders that no task of any analysis in this state refers to, and what plans remember. It takes the
// lock (unless this DB holds it already), so the error is a *HeldError while somebody applies.
func (db *DB) GC(ctx context.Context, keep Keep) (freed Freed, err error) {
	if keep.Runs == 0 {
		keep.Runs = 10
	}
	if !db.Locked() {
		lock, err := db.Lock("gc")
		if err != nil {
			return Freed{}, err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
	}
	live, err := db.findLive(ctx, keep.Runs)
	if err != nil {
		return Freed{}, fmt.Errorf("find what is in use: %w", err)
	}
	freed.Results = len(live.staleResults)
	// The database lets go first: a kill in between leaves files that nothing names, and the next GC takes them.
	if !keep.DryRun {
		if err := db.update(ctx, live.deleteRows); err != nil {
			return Freed{}, fmt.Errorf("remove what is not in use: %w", err)
		}
	}
	sweep := sweeper{db: db, dry: keep.DryRun, freed: &freed}
	if err := sweep.all(live); err != nil {
		return freed, fmt.Errorf("remove what is not in use: %w", err)
	}
	return freed, nil
}

// live is what is in use.
type live struct {
	blobs        map[string]bool
	bundles      map[string]bool
	documents    map[string]bool
	runs         map[string]bool // kept whole
	tasks        map[runTask]bool
	partly       map[string]bool // runs of which some tasks are kept
	dirs         map[[2]string]bool
	staleResults []string
	staleDocs    []string
	staleTries   []runTask
	staleRuns    []string // known to the database and not kept whole
}

type runTask struct{ run, address string }

func (db *DB) findLive(ctx context.Context, runs int) (*live, error) {
	l := &live{
		blobs: map[string]bool{}, bundles: map[string]bool{}, documents: map[string]bool{}, runs: map[string]bool{},
		tasks: map[runTask]bool{}, partly: map[string]bool{}, dirs: map[[2]string]bool{},
	}
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		if err := l.findTasks(conn); err != nil {
			return err
		}
		return l.findRuns(conn, runs)
	})
	return l, err
}

// findTasks marks what the records of tasks refer to.
func (l *live) findTasks(conn *sqlite.Conn) error {
	keys := map[string]bool{}
	err := query(conn, "SELECT key, stage, inputs, bundle, run, address FROM tasks", func(s *sqlite.Stmt) error {
		keys[s.ColumnText(0)] = true
		l.documents[s.ColumnText(1)] = true
		l.documents[s.ColumnText(2)] = true
		l.bundles[s.ColumnText(3)] = true
		return l.keepTask(s.ColumnText(4), s.ColumnText(5))
	})
	if err != nil {
		return err
	}
	err = query(conn, "SELECT key, run, task FROM results", func(s *sqlite.Stmt) error {
		if !keys[s.ColumnText(0)] {
			l.staleResults = append(l.staleResults, s.ColumnText(0))
			return nil
		}
		return l.keepTask(s.ColumnText(1), s.ColumnText(2))
	})
	if err != nil {
		return err
	}
	err = query(conn, "SELECT key, digest FROM result_blobs", func(s *sqlite.Stmt) error {
		if keys[s.ColumnText(0)] {
			l.blobs[s.ColumnText(1)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return query(conn, "SELECT digest FROM documents", func(s *sqlite.Stmt) error {
		if !l.documents[s.ColumnText(0)] {
			l.staleDocs = append(l.staleDocs, s.ColumnText(0))
		}
		return nil
	})
}

// findRuns marks the last runs, and finds the attempts that belong to nothing.
func (l *live) findRuns(conn *sqlite.Conn, keep int) error {
	count := map[string]int{}
	err := query(conn, "SELECT id, analysis FROM runs ORDER BY id DESC", func(s *sqlite.Stmt) error {
		id, analysis := s.ColumnText(0), s.ColumnText(1)
		if count[analysis]++; count[analysis] <= keep {
			l.runs[id] = true
		} else {
			l.staleRuns = append(l.staleRuns, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return query(conn, "SELECT DISTINCT run, address FROM attempts", func(s *sqlite.Stmt) error {
		t := runTask{s.ColumnText(0), s.ColumnText(1)}
		switch {
		case l.runs[t.run]:
		case l.tasks[t]:
			l.partly[t.run] = true
		default:
			l.staleTries = append(l.staleTries, t)
		}
		return nil
	})
}

func (l *live) keepTask(run, address string) error {
	task, err := addr.Parse(address)
	if err != nil {
		return err
	}
	l.tasks[runTask{run, address}] = true
	l.dirs[[2]string{run, TaskDir(task)}] = true
	return nil
}

func (l *live) deleteRows(conn *sqlite.Conn) error {
	for _, key := range l.staleResults {
		if err := exec(conn, "DELETE FROM results WHERE key = ?", key); err != nil {
			return err
		}
		if err := exec(conn, "DELETE FROM result_blobs WHERE key = ?", key); err != nil {
			return err
		}
		if err := exec(conn, "DELETE FROM remote_results WHERE key = ?", key); err != nil {
			return err
		}
	}
	for _, digest := range l.staleDocs {
		if err := exec(conn, "DELETE FROM documents WHERE digest = ?", digest); err != nil {
			return err
		}
	}
	for _, t := range l.staleTries {
		if err := exec(conn, "DELETE FROM attempts WHERE run = ? AND address = ?", t.run, t.address); err != nil {
			return err
		}
	}
	for _, run := range l.staleRuns {
		if err := exec(conn, "DELETE FROM run_tasks WHERE run = ?", run); err != nil {
			return err
		}
		if l.partly[run] {
			continue
		}
		if err := exec(conn, "DELETE FROM runs WHERE id = ?", run); err != nil {
			return err
		}
		if err := exec(conn, "DELETE FROM remote_runs WHERE run = ? AND ended", run); err != nil {
			return err
		}
	}
	return nil
}

// sweeper removes files.
type sweeper struct {
	db    *DB
	dry   bool
	freed *Freed
}

func (s *sweeper) all(l *live) error {
	err := each(filepath.Join(s.db.dir, "store"), func(shard string) error {
		return each(shard, func(path string) error {
			if l.blobs[filepath.Base(path)] {
				return nil
			}
			s.freed.Blobs++
			return s.remove(path)
		})
	})
	if err != nil {
		return err
	}
	err = each(filepath.Join(s.db.dir, "bundles"), func(path string) error {
		if l.bundles[filepath.Base(path)] {
			return nil
		}
		s.freed.Bundles++
		return s.remove(path)
	})
	if err != nil {
		return err
	}
	if err := each(filepath.Join(s.db.dir, "runs"), func(path string) error { return s.run(l, path) }); err != nil {
		return err
	}
	if s.dry {
		return nil
	}
	return removeTree(filepath.Join(s.db.dir, cacheDir)) // not counted: nobody misses it
}

func (s *sweeper) run(l *live, path string) error {
	run := filepath.Base(path)
	if l.runs[run] {
		return nil
	}
	var stale []string
	kept := 0
	err := each(path, func(task string) error {
		if l.dirs[[2]string{run, filepath.Base(task)}] {
			kept++
		} else {
			stale = append(stale, task)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.freed.Tasks += len(stale)
	if kept == 0 {
		s.freed.Runs++
		return s.remove(path)
	}
	for _, task := range stale {
		if err := s.remove(task); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a file or a tree away and counts its bytes.
func (s *sweeper) remove(path string) error {
	err := filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			s.freed.Bytes += info.Size()
		}
		return err
	})
	if err != nil || s.dry {
		return err
	}
	return removeTree(path)
}

// each calls fn for the entries of a folder, in order.
func each(dir string, fn func(path string) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := fn(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
