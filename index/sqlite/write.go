package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index"
)

const (
	schema        = "2"        // of the tables
	applicationID = 0x74616669 // "tafi", in the database's header
	pageSize      = 16384      // bytes: the size of a pack
)

// Summary is what Write recorded.
type Summary struct {
	Layout   string // name or template, empty when none is known
	Root     string // as stored
	Revision string
	Files    int
	Bytes    int64 // of all files whose size is known
	Unparsed int   // keys that do not fit the layout
}

// Write lists a source into an index file at path, which it replaces when tafc made it. Nil for the layout means the one that the
// source recorded, else the built-in that at least half of the keys fit, else none. The root is stored as given; empty means
// that of the source, as a relative path when it and the index file lie in one tree, so that both can move together.
func Write(ctx context.Context, path string, src index.Source, layout *index.Layout, root string) (*Summary, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("write index: %w", err)
	}
	if err := replaceable(path); err != nil {
		return nil, fmt.Errorf("write index: %w", err)
	}
	if layout == nil && src.Layout() != "" {
		if layout, err = index.ParseLayout(src.Layout()); err != nil {
			return nil, fmt.Errorf("layout that %s recorded: %w", src, err)
		}
	}
	if layout != nil && layout.InColumns() {
		return nil, fmt.Errorf("write index: an index file keeps no dimensions but those that the keys tell, and those of %s are in columns; name a layout of its keys, or use the table itself as the source", src)
	}
	if root == "" {
		root = relativeRoot(src.Root(), filepath.Dir(path))
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("write index: %w", err)
	}
	defer os.Remove(temp.Name()) // fails after the rename, which is right
	defer temp.Close()
	w := &writer{source: src.String(), summary: Summary{Root: root}, layout: layout}
	if err := w.write(ctx, temp.Name(), src); err != nil {
		return nil, fmt.Errorf("write index %s: %w", path, err)
	}
	if err := errors.Join(temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return nil, fmt.Errorf("write index %s: %w", path, err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return nil, fmt.Errorf("write index: %w", err)
	}
	return &w.summary, nil
}

// replaceable refuses to replace what somebody else made: the list that an index is built from may be a database itself.
func replaceable(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := look(path); err == nil {
		conn, err := connect(path, true)
		if err != nil {
			return err
		}
		own, err := isOwn(conn)
		if err := errors.Join(err, conn.Close()); err != nil {
			return err
		}
		if own {
			return nil
		}
	}
	return fmt.Errorf("%s exists and is not an index that tafc built; name another file, or remove it first", path)
}

// writer does the work of one Write.
type writer struct {
	source  string
	layout  *index.Layout // nil: detect
	summary Summary
}

func (w *writer) write(ctx context.Context, path string, src index.Source) (err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// A crash leaves a temporary file that nobody reads, so the database need not protect itself against it.
	err = sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode = OFF", nil)
	if err == nil {
		err = sqlitex.ExecuteScript(conn, fmt.Sprintf(`
			PRAGMA page_size = %d;
			PRAGMA application_id = %d;
			CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
			CREATE TABLE files (key TEXT PRIMARY KEY, size INTEGER NOT NULL, etag TEXT NOT NULL) WITHOUT ROWID;
			CREATE TABLE packs (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, data BLOB NOT NULL);`, pageSize, applicationID), nil)
	}
	if err != nil {
		return err
	}
	if err := sqlitex.ExecuteTransient(conn, "BEGIN", nil); err != nil {
		return err
	}
	if err := w.files(ctx, conn, src); err != nil {
		return err
	}
	if err := w.meta(conn); err != nil {
		return err
	}
	if err := writeFolders(conn, src); err != nil {
		return err
	}
	texts := triggers()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if err := sqlitex.ExecuteTransient(conn, texts[name], nil); err != nil {
			return err
		}
	}
	return sqlitex.ExecuteTransient(conn, "COMMIT", nil)
}

func (w *writer) files(ctx context.Context, conn *sqlite.Conn, src index.Source) error {
	insert, err := conn.Prepare("INSERT INTO files VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	pack, err := conn.Prepare("INSERT INTO packs (rows, data) VALUES (?, ?)")
	if err != nil {
		return err
	}
	var packed packer
	flush := func() error {
		pack.BindInt64(1, int64(packed.rows))
		pack.BindBytes(2, packed.data)
		packed.reset()
		if _, err := pack.Step(); err != nil {
			return err
		}
		return pack.Reset()
	}
	digest, detector := index.NewDigest(), index.NewDetector()
	var dims [][]byte
	if w.layout != nil {
		dims = make([][]byte, len(w.layout.Dimensions()))
	}
	var last string
	fits := 0
	err = src.Scan(ctx, func(f index.File) error {
		key := string(f.Key)
		if w.summary.Files > 0 && key <= last {
			return disorder(w.source, last, key)
		}
		last = key
		if w.layout == nil {
			detector.Add(f.Key)
		} else if w.layout.Match(f.Key, dims) {
			fits++
		}
		digest.Add(f)
		w.summary.Files++
		w.summary.Bytes += max(f.Size, 0)
		insert.BindText(1, key)
		insert.BindInt64(2, f.Size)
		insert.BindText(3, string(f.ETag))
		if _, err := insert.Step(); err != nil {
			return err
		}
		if !packed.fits(f) {
			if err := flush(); err != nil {
				return err
			}
		}
		packed.add(f)
		return insert.Reset()
	})
	if err == nil && packed.rows > 0 {
		err = flush()
	}
	if err != nil {
		return err
	}
	if w.layout == nil {
		w.layout, fits = detector.Layout()
	}
	if w.layout != nil {
		w.summary.Layout = w.layout.String()
		w.summary.Unparsed = w.summary.Files - fits
	}
	w.summary.Revision = digest.String()
	return nil
}

// disorder says why a key cannot follow another one.
func disorder(source, last, key string) error {
	if key == last {
		return &index.DuplicateKeyError{Source: source, Key: key}
	}
	return fmt.Errorf("%s lists the key %q after %q, which is not the order of their bytes", source, key, last)
}

func (w *writer) meta(conn *sqlite.Conn) error {
	for _, row := range [][2]string{
		{"schema", schema},
		{"source", w.source},
		{"layout", w.summary.Layout},
		{"root", w.summary.Root},
		{"revision", w.summary.Revision},
		{"files", strconv.Itoa(w.summary.Files)},
		{"bytes", strconv.FormatInt(w.summary.Bytes, 10)},
		{"unparsed", strconv.Itoa(w.summary.Unparsed)},
	} {
		err := sqlitex.Execute(conn, "INSERT INTO meta VALUES (?, ?)", &sqlitex.ExecOptions{Args: []any{row[0], row[1]}})
		if err != nil {
			return err
		}
	}
	return nil
}
