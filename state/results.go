package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"zombiezen.com/go/sqlite"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// ErrNoResult is the error when there is no result under a key.
var ErrNoResult = errors.New("there is no result")

// ErrResultMissing is the error when a result is known but its files are gone or damaged. It counts as not there.
var ErrResultMissing = errors.New("result missing")

// Result is what a finished task made.
type Result struct {
	Key        string // task key
	ContentKey string // of what it was made of by content; empty: not to be found by content
	Task       addr.Task
	Analysis   string
	RunID      string
	Created    time.Time
	// Report is the task's. The paths of Parts and Quarantine are absolute, in the store.
	Report job.Report
	// Upstream is the part of Report.Covers that came with the task's upstream results.
	Upstream job.Ledger
}

// ResultInfo is the outline of a result.
type ResultInfo struct {
	Task      addr.Task
	Form      job.Form
	Partial   bool
	Transient bool // not to be reused: what was lost may be there next time
	Parts     int
	Pairs     int64
	Bytes     int64 // of the files
	RunID     string
	Created   time.Time
}

// body is the part of a Result that only those need who use it.
type body struct {
	Report   job.Report `json:"report"`
	Upstream job.Ledger `json:"upstream"`
}

// Finish is what a task leaves when it is done.
type Finish struct {
	Result Result // paths in its report are relative to Dir, or absolute in the store
	Dir    string // the attempt's folder, absolute; empty when the files are in the store already
	Record TaskRecord
	Inputs []byte   // document of Record.InputsDigest; nil when it is known already
	End    *Attempt // how the attempt ended; nil when none ran
	// Remote is where a deployment keeps the files. Without Dir they stay there alone.
	Remote *Remote
}

// PutResult moves the files of a result into the store, then records the result, the task and the attempt in one
// transaction. It returns the result as stored. A *BadFileError means that the files are not what the report says.
func (db *DB) PutResult(ctx context.Context, f Finish) (Result, error) {
	r := f.Result
	blobs := blobsOf(&r.Report)
	var err error
	if f.Remote == nil || f.Dir != "" {
		blobs, err = db.ingestAll(&r.Report, f.Dir)
	}
	if err != nil {
		return Result{}, fmt.Errorf("store the result of %s: %w", r.Task, err)
	}
	err = db.update(ctx, func(conn *sqlite.Conn) error {
		if err := db.insertResult(conn, &r, blobs); err != nil {
			return err
		}
		if err := db.putDocument(conn, f.Record.InputsDigest, f.Inputs); err != nil {
			return err
		}
		if err := putGood(conn, r.Analysis, f.Record); err != nil {
			return err
		}
		if f.Remote != nil {
			if err := putRemote(conn, *f.Remote); err != nil {
				return err
			}
		}
		if f.End != nil {
			if err := endAttempt(conn, f.End); err != nil {
				return err
			}
		}
		return exec(conn, "UPDATE run_tasks SET state = ?, changed = ?, cause = ?, message = '', progress = '' WHERE run = ? AND address = ?",
			f.Record.State, toNanos(f.Record.Finished), f.Record.Cause, f.Record.RunID, f.Record.Address.Text())
	})
	if err != nil {
		return Result{}, fmt.Errorf("record the result of %s: %w", r.Task, err)
	}
	return r, nil
}

// blob is one file of a result.
type blob struct {
	digest string
	size   int64
}

// ingestAll moves the report's files into the store and makes their paths absolute.
func (db *DB) ingestAll(r *job.Report, dir string) ([]blob, error) {
	var blobs []blob
	move := func(path *string, digest string, size int64) error {
		from := *path
		if !filepath.IsAbs(from) {
			if !filepath.IsLocal(from) {
				return &BadFileError{from, "is not inside the attempt's folder"}
			}
			from = filepath.Join(dir, from)
		}
		if err := db.ingest(from, digest, size); err != nil {
			return err
		}
		*path = db.blobPath(digest)
		blobs = append(blobs, blob{digest, size})
		return nil
	}
	parts := make([]job.Part, len(r.Parts))
	for i, p := range r.Parts {
		if dir == "" {
			p.Path = db.stored(p.Digest)
		}
		if err := move(&p.Path, p.Digest, p.Size); err != nil {
			return nil, err
		}
		parts[i] = p
	}
	r.Parts = parts
	if r.Quarantine != nil {
		q := *r.Quarantine
		if dir == "" {
			q.Path = db.stored(q.Digest)
		}
		if err := move(&q.Path, q.Digest, q.Size); err != nil {
			return nil, err
		}
		r.Quarantine = &q
	}
	return blobs, nil
}

// stored is blobPath for a digest that may be malformed.
func (db *DB) stored(digest string) string {
	if !isDigest(digest) {
		return ""
	}
	return db.blobPath(digest)
}

func (db *DB) insertResult(conn *sqlite.Conn, r *Result, blobs []blob) error {
	b := body{Report: r.Report, Upstream: r.Upstream}
	// The store may be moved with its folder, so paths are made anew when a result is read.
	b.Report.Parts = make([]job.Part, len(r.Report.Parts))
	var pairs, bytes int64
	for i, p := range r.Report.Parts {
		pairs, bytes = pairs+p.Pairs, bytes+p.Size
		p.Path = ""
		b.Report.Parts[i] = p
	}
	if q := r.Report.Quarantine; q != nil {
		moved := *q
		moved.Path = ""
		b.Report.Quarantine = &moved
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if err := exec(conn, "DELETE FROM result_blobs WHERE key = ?", r.Key); err != nil {
		return err
	}
	for _, b := range blobs {
		if err := exec(conn, "INSERT OR REPLACE INTO result_blobs (key, digest, size) VALUES (?, ?, ?)", r.Key, b.digest, b.size); err != nil {
			return err
		}
	}
	return exec(conn, `INSERT OR REPLACE INTO results
		(key, content_key, analysis, task, run, created, form, partial, transient, parts, pairs, bytes, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Key, r.ContentKey, r.Analysis, r.Task.Text(), r.RunID, toNanos(r.Created), string(r.Report.Form),
		r.Report.Partial, r.Report.Transient, len(r.Report.Parts), pairs, bytes, db.pack(text))
}

// Doubt makes the results under these keys ones that must not be reused, because a result that they were made of is about to change under its
// own key. Keys without a result are fine.
func (db *DB) Doubt(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	err := db.update(ctx, func(conn *sqlite.Conn) error {
		for _, key := range keys {
			if err := exec(conn, "UPDATE results SET transient = 1 WHERE key = ?", key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note results that are to be made again: %w", err)
	}
	return nil
}

const resultColumns = "key, content_key, analysis, task, run, created, body, transient"

// Result loads the result under a key. The error is ErrNoResult or ErrResultMissing when it is not there.
func (db *DB) Result(ctx context.Context, key string) (Result, error) {
	found, err := db.loadResults(ctx, "SELECT "+resultColumns+" FROM results WHERE key = ?", key)
	if err != nil {
		return Result{}, fmt.Errorf("read result %s: %w", key, err)
	}
	if len(found) == 0 {
		return Result{}, fmt.Errorf("%w under key %s", ErrNoResult, key)
	}
	if err := found[0].check(); err != nil {
		return Result{}, err
	}
	return found[0], nil
}

// ResultByContent finds a result that was made of the same content. Transient and missing ones are not found.
func (db *DB) ResultByContent(ctx context.Context, contentKey string) (r Result, ok bool, err error) {
	if contentKey == "" {
		return Result{}, false, nil
	}
	found, err := db.loadResults(ctx,
		"SELECT "+resultColumns+" FROM results WHERE content_key = ? AND NOT transient ORDER BY created DESC, key LIMIT 8", contentKey)
	if err != nil {
		return Result{}, false, fmt.Errorf("look up a result by content: %w", err)
	}
	for _, r := range found {
		if r.check() == nil {
			return r, true, nil
		}
	}
	return Result{}, false, nil
}

func (db *DB) loadResults(ctx context.Context, sql string, arg string) ([]Result, error) {
	var out []Result
	err := db.read(ctx, func(conn *sqlite.Conn) error {
		return query(conn, sql, func(s *sqlite.Stmt) error {
			r := Result{
				Key: s.ColumnText(0), ContentKey: s.ColumnText(1), Analysis: s.ColumnText(2), RunID: s.ColumnText(4),
				Created: fromNanos(s.ColumnInt64(5)),
			}
			var err error
			if r.Task, err = addr.Parse(s.ColumnText(3)); err != nil {
				return err
			}
			text, err := db.unpack(column(s, 6))
			if err != nil {
				return err
			}
			var b body
			if err := json.Unmarshal(text, &b); err != nil {
				return err
			}
			r.Report, r.Upstream = b.Report, b.Upstream
			r.Report.Transient = r.Report.Transient || s.ColumnBool(7) // see Doubt
			for i := range r.Report.Parts {
				r.Report.Parts[i].Path = db.stored(r.Report.Parts[i].Digest)
			}
			if q := r.Report.Quarantine; q != nil {
				q.Path = db.stored(q.Digest)
			}
			out = append(out, r)
			return nil
		}, arg)
	})
	return out, err
}

// check tells whether the files of a result are there.
func (r *Result) check() error {
	for _, p := range r.Report.Parts {
		if !has(p.Path, p.Size) {
			return fmt.Errorf("%w: %s of %s is gone or damaged; the next apply makes it again", ErrResultMissing, p.Path, r.Task)
		}
	}
	return nil
}

// HasResults looks up many keys at once: the outline of each result that is there, and the keys whose results are known
// but whose files are gone or damaged (lost, in the order of keys).
func (db *DB) HasResults(ctx context.Context, keys []string) (found map[string]ResultInfo, lost []string, err error) {
	found, files, err := db.outlines(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	broken := db.missing(files)
	for _, k := range keys {
		if broken[k] {
			delete(found, k)
			delete(broken, k)
			lost = append(lost, k)
		}
	}
	return found, lost, nil
}

// Outlines looks up many keys at once, also results whose files are not here.
func (db *DB) Outlines(ctx context.Context, keys []string) (map[string]ResultInfo, error) {
	found, _, err := db.outlines(ctx, keys)
	return found, err
}

// outlines also returns the keys of results by their files: many results share the empty file.
func (db *DB) outlines(ctx context.Context, keys []string) (found map[string]ResultInfo, files map[blob][]string, err error) {
	if len(keys) == 0 {
		return map[string]ResultInfo{}, nil, nil
	}
	found = make(map[string]ResultInfo, len(keys))
	files = map[blob][]string{}
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		from, args, err := lookUp(conn, keys)
		if err != nil {
			return err
		}
		wanted := make(map[string]bool, len(keys))
		for _, k := range keys {
			wanted[k] = true
		}
		err = query(conn, "SELECT r.key, task, form, partial, transient, parts, pairs, bytes, run, created FROM "+fmt.Sprintf(from, "results"), func(s *sqlite.Stmt) error {
			key := s.ColumnText(0)
			if !wanted[key] {
				return nil
			}
			task, err := addr.Parse(s.ColumnText(1))
			found[key] = ResultInfo{
				Task: task, Form: job.Form(s.ColumnText(2)), Partial: s.ColumnBool(3), Transient: s.ColumnBool(4),
				Parts: s.ColumnInt(5), Pairs: s.ColumnInt64(6), Bytes: s.ColumnInt64(7), RunID: s.ColumnText(8),
				Created: fromNanos(s.ColumnInt64(9)),
			}
			return err
		}, args...)
		if err != nil || len(found) == 0 {
			return err
		}
		return query(conn, "SELECT r.key, digest, size FROM "+fmt.Sprintf(from, "result_blobs"), func(s *sqlite.Stmt) error {
			if key := s.ColumnText(0); wanted[key] {
				b := blob{s.ColumnText(1), s.ColumnInt64(2)}
				files[b] = append(files[b], key)
			}
			return nil
		}, args...)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look up results: %w", err)
	}
	return found, files, nil
}

// lookUp says from where to read the rows of these keys, as r: one by one, or all rows when not many more are there, which is faster.
func lookUp(conn *sqlite.Conn, keys []string) (from string, args []any, err error) {
	var rows int64 // about
	err = query(conn, "SELECT coalesce(max(rowid), 0) FROM results", func(s *sqlite.Stmt) error {
		rows = s.ColumnInt64(0)
		return nil
	})
	if err != nil || rows < 4*int64(len(keys)) {
		return "%s r", nil, err
	}
	text, err := json.Marshal(keys)
	// As text: SQLite takes a blob for its binary form of JSON.
	return "json_each(?) j JOIN %s r ON r.key = j.value", []any{string(text)}, err
}

// missing are the keys of results of which a file is gone or damaged.
func (db *DB) missing(files map[blob][]string) map[string]bool {
	broken := map[string]bool{}
	var mu sync.Mutex
	var group errgroup.Group
	list := slices.Collect(maps.Keys(files))
	for part := range slices.Chunk(list, max(64, len(list)/runtime.GOMAXPROCS(0)+1)) {
		group.Go(func() error {
			for _, b := range part {
				if has(db.blobPath(b.digest), b.size) {
					continue
				}
				mu.Lock()
				for _, key := range files[b] {
					broken[key] = true
				}
				mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
	return broken
}
