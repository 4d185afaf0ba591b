package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// DB is an open state. Its methods may be called from several goroutines.
type DB struct {
	dir  string // absolute
	name string // as given to Open, for messages
	pool *sqlitex.Pool

	write sync.Mutex // one writer at a time inside this process; SQLite sees to the others
	held  sync.Mutex // guards lock
	lock  *Lock

	closing sync.Once

	enc *zstd.Encoder
	dec *zstd.Decoder
}

// Open opens the state in dir and creates it when there is none. Without a writer's intent it takes no lock, so it works
// while another process applies.
func Open(ctx context.Context, dir string) (*DB, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", dir, err)
	}
	if err := makeFolder(abs); err != nil {
		return nil, fmt.Errorf("open state %s: %w", dir, err)
	}
	db := &DB{dir: abs, name: dir}
	if db.enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, fmt.Errorf("open state %s: %w", dir, err)
	}
	if db.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0)); err != nil {
		return nil, fmt.Errorf("open state %s: %w", dir, err)
	}
	db.pool, err = sqlitex.NewPool(filepath.Join(abs, "state.db"), sqlitex.PoolOptions{
		Flags:       sqlite.OpenReadWrite | sqlite.OpenCreate | sqlite.OpenWAL,
		PoolSize:    4,
		PrepareConn: prepareConn,
	})
	if err == nil {
		err = db.migrate(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open state %s: %w", dir, explain(err))
	}
	return db, nil
}

// makeFolder makes the folder and keeps it out of version control.
func makeFolder(dir string) error {
	for _, sub := range []string{"store", "bundles", "runs"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(ignore, []byte("*\n"), 0o644)
	}
	return nil
}

func prepareConn(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(30 * time.Second)
	return sqlitex.ExecuteTransient(conn, "PRAGMA synchronous = NORMAL", nil)
}

// explain says what to do about an error of the database.
func explain(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultNotADB, sqlite.ResultCorrupt:
		return fmt.Errorf("state.db is damaged or not a database (%w); move the folder away to start anew, everything is then run again", err)
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen:
		return fmt.Errorf("state.db cannot be written (%w); give another folder with -state or TAF_STATE", err)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk that holds state.db is full (%w); make room, the same command goes on from there", err)
	}
	return err
}

// Close ends all use of the state. A lock that is still held is released. Further calls do nothing.
func (db *DB) Close() error {
	var errs []error
	db.closing.Do(func() { errs = db.close() })
	return errors.Join(errs...)
}

func (db *DB) close() (errs []error) {
	if l := db.current(); l != nil {
		errs = append(errs, l.Release())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	if db.dec != nil {
		db.dec.Close()
	}
	return errs
}

// Dir is the absolute path of the state's folder.
func (db *DB) Dir() string { return db.dir }

// read runs fn in one read transaction: all that it sees is of one moment.
func (db *DB) read(ctx context.Context, fn func(*sqlite.Conn) error) (err error) {
	conn, err := db.pool.Take(ctx)
	if err != nil {
		return err
	}
	defer db.pool.Put(conn)
	defer func() { err = explain(err) }()
	end := sqlitex.Transaction(conn)
	defer end(&err)
	return fn(conn)
}

// update runs fn in one write transaction: all of it happens or nothing.
func (db *DB) update(ctx context.Context, fn func(*sqlite.Conn) error) (err error) {
	db.write.Lock()
	defer db.write.Unlock()
	conn, err := db.pool.Take(ctx)
	if err != nil {
		return err
	}
	defer db.pool.Put(conn)
	defer func() { err = explain(err) }()
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	return fn(conn)
}

// exec runs one statement that returns nothing.
func exec(conn *sqlite.Conn, query string, args ...any) error {
	return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args})
}

// query runs one statement and calls fn for every row.
func query(conn *sqlite.Conn, sql string, fn func(*sqlite.Stmt) error, args ...any) error {
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: fn})
}

func (db *DB) pack(b []byte) []byte { return db.enc.EncodeAll(b, nil) }

func (db *DB) unpack(b []byte) ([]byte, error) { return db.dec.DecodeAll(b, nil) }

// column reads a blob into memory of its own.
func column(stmt *sqlite.Stmt, col int) []byte {
	b := make([]byte, stmt.ColumnLen(col))
	stmt.ColumnBytes(col, b)
	return b
}

// Times are stored as nanoseconds since 1970, the zero time as 0.
func toNanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
