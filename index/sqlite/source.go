package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/columns"
)

// busyTimeout is how long reading waits for somebody who writes to the database of a foreign table.
const busyTimeout = 10 * time.Second

// Source lists the files of an index file. It is safe for concurrent use, but one Scan waits for the other, and fn must not
// use the source.
type Source struct {
	name     string
	layout   string
	root     string
	revision string
	query    string           // yields key, size, etag, and of another table dimensions, in key order
	mapping  *columns.Mapping // of another table
	packed   bool             // the packs are used instead
	settled  bool             // nobody was writing to the database when it was opened
	path     string           // absolute
	listed   string           // what Write listed

	mu   sync.Mutex
	conn *sqlite.Conn
}

// Open opens the index file at path for reading. The name is how the analysis writes the source, such as sqlite:index.db. Table is the
// table with the files, or empty for a file that tafc index build made.
func Open(name, path, table string) (*Source, error) {
	return OpenTable(name, path, Table{Name: table})
}

// Table is a table that Write did not make.
type Table struct {
	Name    string            // empty: it did
	Columns map[string]string // package columns
	Layout  string            // that of the analysis, or empty
}

// OpenTable is Open for a table of which more is to say.
func OpenTable(name, path string, table Table) (*Source, error) {
	s := &Source{name: name}
	if table.Name == "" && len(table.Columns) > 0 {
		return nil, fmt.Errorf("open index %s: columns is about a table that tafc did not make; say which with table", name)
	}
	if err := s.open(path, table); err != nil {
		s.Close()
		return nil, fmt.Errorf("open index %s: %w", name, damaged(err))
	}
	return s, nil
}

func (s *Source) open(path string, table Table) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	state, err := look(path)
	if err != nil {
		return err
	}
	s.path, s.settled = path, state.settled
	if s.conn, err = connect(path, state.settled); err != nil {
		return err
	}
	if table.Name != "" {
		return s.openForeign(table, state)
	}
	return s.openOwn(path, state)
}

// openOwn reads what Write recorded.
func (s *Source) openOwn(path string, state fileState) error {
	own, err := isOwn(s.conn)
	if err != nil {
		return err
	}
	if !own {
		return s.notOwn(path)
	}
	meta, err := readMeta(s.conn)
	if err != nil {
		return err
	}
	if meta["schema"] != schema {
		return fmt.Errorf("it was built by another version of tafc (schema %q, this one reads %s); build it again with: tafc index build %s -o %s", meta["schema"], schema, meta["source"], path)
	}
	s.layout, s.revision, s.listed = meta["layout"], meta["revision"], meta["source"]
	s.root = resolveRoot(meta["root"], filepath.Dir(path))
	s.query = "SELECT key, size, etag FROM files ORDER BY key"
	if s.packed, err = intact(s.conn, meta); err != nil {
		return err
	}
	if !s.packed {
		s.revision = state.revision // somebody else changed the table
	}
	return nil
}

func (s *Source) notOwn(path string) error {
	tables, err := tableNames(s.conn)
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return fmt.Errorf("%s holds no table; build an index with: tafc index build SOURCE -o %s", path, path)
	}
	return fmt.Errorf("%s is not an index that tafc built; to read a table of it, set table to one of: %s", path, strings.Join(tables, ", "))
}

// String is the source as the analysis writes it.
func (s *Source) String() string { return s.name }

// Layout is what Write recorded, and empty for a foreign table.
func (s *Source) Layout() string { return s.layout }

// Root is what Write recorded, as a URL, and empty for a foreign table.
func (s *Source) Root() string { return s.root }

// Revision is the digest of the rows that Write recorded; for a foreign table, and when somebody else changed the rows since, it changes
// with the database file.
func (s *Source) Revision(context.Context) (string, error) { return s.revision, nil }

// Close closes the database.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// Scan calls fn for every file, in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return errClosed
	}
	if s.packed {
		return scanPacks(ctx, s.conn, 1, math.MaxInt64, fn)
	}
	defer s.conn.SetInterrupt(s.conn.SetInterrupt(ctx.Done()))
	stmt, err := s.conn.Prepare(s.query)
	if err != nil {
		return readError(ctx, err)
	}
	defer func() { err = errors.Join(err, stmt.Reset()) }()
	var key, etag []byte
	var values [][]byte
	var dims *columns.Reader
	if s.mapping != nil {
		values, dims = make([][]byte, len(s.mapping.Columns())), columns.NewReader(s.mapping)
	}
	for row := 1; ; row++ {
		more, err := stmt.Step()
		if err != nil {
			return readError(ctx, err)
		}
		if !more {
			return nil
		}
		if key = column(stmt, 0, key); len(key) == 0 {
			return fmt.Errorf("row %d has no key", row)
		}
		etag = column(stmt, 2, etag)
		size := int64(-1)
		if stmt.ColumnType(1) == sqlite.TypeInteger {
			size = max(stmt.ColumnInt64(1), -1)
		}
		f := index.File{Key: key, Size: size, ETag: etag}
		if dims != nil {
			for i := range values {
				values[i] = column(stmt, 3+i, values[i])
			}
			f.Dims = dims.Dims(key, values)
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

var errClosed = errors.New("the index is closed")

// readError says that ctx ended when that is why SQLite stopped.
func readError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return damaged(err)
}

// damaged adds the way out to what SQLite says about a damaged file.
func damaged(err error) error {
	if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB {
		return fmt.Errorf("the file is damaged; build it again with tafc index build: %w", err)
	}
	return err
}

// column is the text of a column, in buf when there is room.
func column(stmt *sqlite.Stmt, col int, buf []byte) []byte {
	n := stmt.ColumnLen(col)
	buf = slices.Grow(buf[:0], n)[:n]
	stmt.ColumnBytes(col, buf)
	return buf
}

// connect opens a database for reading. Settled means that nobody is writing to it: then SQLite needs no locks and may
// not write anything itself, so it also reads from a read-only disk.
func connect(path string, settled bool) (*sqlite.Conn, error) {
	query := url.Values{"mode": {"ro"}}
	if settled {
		query.Set("immutable", "1")
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	uri := url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}
	conn, err := sqlite.OpenConn(uri.String(), sqlite.OpenReadOnly, sqlite.OpenURI)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	return conn, nil
}

// fileState is what the file system tells about a database.
type fileState struct {
	settled  bool // no journal or write-ahead log holds changes
	revision string
}

// look finds out whether path is a database, and its state.
func look(path string) (fileState, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fileState{}, fmt.Errorf("%s does not exist; build it with: tafc index build SOURCE -o %s", path, path)
	case err != nil:
		return fileState{}, err
	case !info.Mode().IsRegular():
		return fileState{}, fmt.Errorf("%s is not a file; write dir:PATH for a folder with the files", path)
	}
	header, err := readHeader(path)
	if err != nil {
		return fileState{}, err
	}
	if !strings.HasPrefix(header, "SQLite format 3\x00") {
		return fileState{}, fmt.Errorf("%s is not an SQLite database", path)
	}
	state := fileState{settled: true}
	// Bytes 24 to 27 count the changes of the database.
	state.revision = fmt.Sprintf("%x-%x-%x", header[24:28], info.ModTime().UnixNano(), info.Size())
	for _, suffix := range []string{"-wal", "-journal"} {
		if beside, err := os.Stat(path + suffix); err == nil && beside.Size() > 0 {
			state.settled = false
			state.revision += fmt.Sprintf("-%x-%x", beside.ModTime().UnixNano(), beside.Size())
		}
	}
	return state, nil
}

// readHeader reads the first 100 bytes, or "" when there are fewer.
func readHeader(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	header := make([]byte, 100)
	if n, err := f.ReadAt(header, 0); n < len(header) {
		if _, regular := err.(*fs.PathError); regular {
			return "", err
		}
		return "", nil
	}
	return string(header), nil
}

// isOwn tells whether Write made the database.
func isOwn(conn *sqlite.Conn) (bool, error) {
	stmt, _, err := conn.PrepareTransient("PRAGMA application_id")
	if err != nil {
		return false, err
	}
	id, err := sqlitex.ResultInt64(stmt)
	return id == applicationID, errors.Join(err, stmt.Finalize())
}

func readMeta(conn *sqlite.Conn) (map[string]string, error) {
	meta := map[string]string{}
	err := sqlitex.ExecuteTransient(conn, "SELECT name, value FROM meta", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			meta[stmt.ColumnText(0)] = stmt.ColumnText(1)
			return nil
		},
	})
	return meta, err
}
