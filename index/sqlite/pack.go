package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index"
)

// A pack holds the rows of a run of neighbours in key order, one after the other:
//
//	bytes shared with the key before | length of the rest | rest | size + 1 | ETag (index.AppendPacked)
//
// with numbers as uvarints. The first key of a pack shares nothing. Reading packs costs a fifth of reading the table row by row.
type packer struct {
	data []byte
	last []byte
	rows int
}

// packBytes is how large a pack becomes, some hundred rows: it fits a page with what SQLite puts around it, and is read without being put
// together from several. Larger ones made SQLite map and unmap memory for each, which cost more than reading them.
const packBytes = pageSize - 64

// scanCache is the page cache of a connection that reads packs, in pages.
const scanCache = 16

// fits tells whether there is room for a file.
func (p *packer) fits(f index.File) bool {
	return p.rows == 0 || len(p.data)+len(f.Key)+len(f.ETag)+4*binary.MaxVarintLen64 <= packBytes
}

func (p *packer) add(f index.File) {
	shared := 0
	for shared < len(p.last) && shared < len(f.Key) && p.last[shared] == f.Key[shared] {
		shared++
	}
	p.data = binary.AppendUvarint(p.data, uint64(shared))
	p.data = binary.AppendUvarint(p.data, uint64(len(f.Key)-shared))
	p.data = append(p.data, f.Key[shared:]...)
	p.data = binary.AppendUvarint(p.data, uint64(f.Size+1))
	p.data = index.AppendPacked(p.data, f.ETag)
	p.last = append(p.last[:0], f.Key...)
	p.rows++
}

func (p *packer) reset() { *p = packer{data: p.data[:0], last: p.last[:0]} }

var errPack = errors.New("a pack of the index is damaged; build the index again")

// unpack calls fn for the rows of a pack. The buffers of key and etag are used again.
func unpack(data []byte, rows int, key, etag []byte, fn func(index.File) error) ([]byte, []byte, error) {
	key = key[:0]
	for range rows {
		shared, n := binary.Uvarint(data)
		if n <= 0 || shared > uint64(len(key)) {
			return key, etag, errPack
		}
		data = data[n:]
		length, n := binary.Uvarint(data)
		if n <= 0 || length > uint64(len(data)-n) {
			return key, etag, errPack
		}
		key = append(key[:shared], data[n:n+int(length)]...)
		data = data[n+int(length):]
		size, n := binary.Uvarint(data)
		if n <= 0 || len(key) == 0 {
			return key, etag, errPack
		}
		data = data[n:]
		if etag, n = index.AppendUnpacked(etag[:0], data); n == 0 {
			return key, etag, errPack
		}
		data = data[n:]
		if err := fn(index.File{Key: key, Size: int64(size) - 1, ETag: etag}); err != nil {
			return key, etag, err
		}
	}
	if len(data) > 0 {
		return key, etag, errPack
	}
	return key, etag, nil
}

// packed are the texts of the triggers that void the packs, and the revision with them, when somebody else changes the table. As
// long as a database has exactly these, its packs say what its table says.
func triggers() map[string]string {
	texts := map[string]string{}
	for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
		name := "files_" + event
		texts[name] = fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON files BEGIN DELETE FROM packs; UPDATE meta SET value = '' WHERE name = 'revision' AND value <> ''; END", name, event)
	}
	return texts
}

// intact tells whether the table of an index file is what Write made.
func intact(conn *sqlite.Conn, meta map[string]string) (bool, error) {
	if meta["revision"] == "" {
		return false, nil
	}
	found, err := texts(conn, "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'files' ORDER BY name")
	if err != nil {
		return false, err
	}
	have := map[string]bool{}
	for _, text := range found {
		have[text] = true
	}
	for _, text := range triggers() {
		if !have[text] {
			return false, nil
		}
	}
	return true, nil
}

// scanPacks calls fn for the rows of the packs with numbers from first up to last.
func scanPacks(ctx context.Context, conn *sqlite.Conn, first, last int64, fn func(index.File) error) (err error) {
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	stmt, err := conn.Prepare("SELECT rows, data FROM packs WHERE id BETWEEN ? AND ? ORDER BY id")
	if err != nil {
		return readError(ctx, err)
	}
	defer func() { err = errors.Join(err, stmt.Reset()) }()
	stmt.BindInt64(1, first)
	stmt.BindInt64(2, last)
	var data, key, etag []byte
	for {
		more, err := stmt.Step()
		if err != nil {
			return readError(ctx, err)
		}
		if !more {
			return nil
		}
		data = column(stmt, 1, data)
		if key, etag, err = unpack(data, stmt.ColumnInt(0), key, etag, fn); err != nil {
			return err
		}
	}
}

// packCount is how many packs there are; they are numbered from 1. Counting them would read a page of each.
func packCount(conn *sqlite.Conn) (n int64, err error) {
	stmt, err := conn.Prepare("SELECT ifnull(max(id), 0) FROM packs")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stmt.Reset()) }()
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	return stmt.ColumnInt64(0), nil
}

// Split is index.Splitter: parts of about the same number of packs. A file without packs, and one that somebody writes to, is one
// part, because several connections might see different states of it.
func (s *Source) Split(ctx context.Context, n int) ([]index.Part, error) {
	if !s.packed || !s.settled || n < 2 {
		return []index.Part{s.Scan}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil, errClosed
	}
	packs, err := packCount(s.conn)
	if err != nil {
		return nil, readError(ctx, err)
	}
	n = int(max(1, min(int64(n), packs)))
	parts := make([]index.Part, n)
	for i := range parts {
		first, last := packs*int64(i)/int64(n)+1, packs*int64(i+1)/int64(n)
		parts[i] = func(ctx context.Context, fn func(index.File) error) (err error) {
			conn, err := connect(s.path, true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, conn.Close()) }()
			// Each page is read once. Many in the cache only cost: SQLite returns them one by one.
			if err := sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA cache_size = %d", scanCache), nil); err != nil {
				return err
			}
			return scanPacks(ctx, conn, first, last, fn)
		}
	}
	return parts, nil
}
