package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index"
)

// rawVerb is how this program calls itself to read the rows of a plain table, which is what planning is compared with:
// key, size, ETag and six dimensions, each column copied into a buffer that is used again.
const rawVerb = "__raw"

// rawColumns are the columns of the plain table.
const rawColumns = "key, size, etag, reason, appName, appUpdateChannel, appVersion, appBuildID, submission_date"

// readRaw reads the table with a number of connections, each a range of rowids, and prints how many rows and bytes there are.
func readRaw(path, connections string) error {
	n, err := strconv.Atoi(connections)
	if err != nil {
		return err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return err
	}
	var last int64
	err = sqlitex.ExecuteTransient(conn, "SELECT max(rowid) FROM files", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		last = s.ColumnInt64(0)
		return nil
	}})
	conn.Close()
	if err != nil {
		return err
	}
	rows, sizes, errs := make([]int, n), make([]int64, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			rows[i], sizes[i], errs[i] = readRange(path, last*int64(i)/int64(n)+1, last*int64(i+1)/int64(n))
		})
	}
	group.Wait()
	total, size := 0, int64(0)
	for i := range n {
		if errs[i] != nil {
			return errs[i]
		}
		total, size = total+rows[i], size+sizes[i]
	}
	fmt.Println(total, size)
	return nil
}

func readRange(path string, first, last int64) (rows int, size int64, err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	stmt, err := conn.Prepare("SELECT " + rawColumns + " FROM files WHERE rowid BETWEEN ? AND ?")
	if err != nil {
		return 0, 0, err
	}
	stmt.BindInt64(1, first)
	stmt.BindInt64(2, last)
	buf := make([]byte, 4096)
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return rows, size, err
		}
		rows++
		size += stmt.ColumnInt64(1)
		for _, column := range [...]int{0, 2, 3, 4, 5, 6, 7, 8} {
			stmt.ColumnBytes(column, buf)
		}
	}
}

// writeRaw writes the plain table.
func writeRaw(ctx context.Context, path string, src index.Source) (err error) {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	conn, err := sqlite.OpenConn(path+".tmp", sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = sqlitex.ExecuteScript(conn, `PRAGMA journal_mode = OFF; DROP TABLE IF EXISTS files;
		CREATE TABLE files (key TEXT, size INTEGER, etag TEXT, reason TEXT, appName TEXT, appUpdateChannel TEXT, appVersion TEXT,
			appBuildID TEXT, submission_date TEXT);`, nil)
	if err != nil {
		return err
	}
	if err := sqlitex.ExecuteTransient(conn, "BEGIN", nil); err != nil {
		return err
	}
	insert, err := conn.Prepare("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	layout, err := index.ParseLayout(src.Layout())
	if err != nil {
		return err
	}
	dims := make([][]byte, len(layout.Dimensions()))
	err = src.Scan(ctx, func(f index.File) error {
		layout.Match(f.Key, dims)
		insert.BindText(1, string(f.Key))
		insert.BindInt64(2, f.Size)
		insert.BindText(3, string(f.ETag))
		for d, value := range dims {
			insert.BindText(4+d, string(value))
		}
		if _, err := insert.Step(); err != nil {
			return err
		}
		return insert.Reset()
	})
	if err != nil {
		return err
	}
	if err := sqlitex.ExecuteTransient(conn, "COMMIT", nil); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
