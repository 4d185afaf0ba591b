package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The names under which a foreign table may have each column, best first.
var (
	keyColumns  = []string{"key", "file_name"}
	sizeColumns = []string{"size", "file_size"}
	etagColumns = []string{"etag", "file_md5", "md5"}
)

// openForeign prepares for reading a table that Write did not make.
func (s *Source) openForeign(table string, state fileState) error {
	tables, err := tableNames(s.conn)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tables, func(t string) bool { return strings.EqualFold(t, table) }) {
		if len(tables) == 0 {
			return fmt.Errorf("there is no table %q; the database holds none", table)
		}
		return fmt.Errorf("there is no table %q; there are: %s", table, strings.Join(tables, ", "))
	}
	encoding, err := texts(s.conn, "PRAGMA encoding")
	if err != nil {
		return err
	}
	if !slices.Equal(encoding, []string{"UTF-8"}) {
		return fmt.Errorf("the database keeps text as %s; only UTF-8 can be read", strings.Join(encoding, ""))
	}
	columns, err := texts(s.conn, "SELECT name FROM pragma_table_xinfo(?)", table)
	if err != nil {
		return err
	}
	key, ok := pick(columns, keyColumns)
	if !ok {
		return fmt.Errorf("table %q has no column for the key (%s); its columns are: %s", table, strings.Join(keyColumns, " or "), strings.Join(columns, ", "))
	}
	size, _ := pick(columns, sizeColumns)
	etag, _ := pick(columns, etagColumns)
	s.query = fmt.Sprintf("SELECT %s, %s, %s FROM %s ORDER BY %s COLLATE BINARY", key, size, etag, quote(table), key)
	s.revision = state.revision
	return nil
}

// pick is the first of the wanted columns that there is, quoted, or NULL.
func pick(columns, wanted []string) (string, bool) {
	for _, name := range wanted {
		for _, column := range columns {
			if strings.EqualFold(column, name) {
				return quote(column), true
			}
		}
	}
	return "NULL", false
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// tableNames are the tables and views of a database, sorted.
func tableNames(conn *sqlite.Conn) ([]string, error) {
	return texts(conn, `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`)
}

// texts are the first column of what a query yields.
func texts(conn *sqlite.Conn, query string, args ...any) ([]string, error) {
	var out []string
	err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
		Args:       args,
		ResultFunc: func(stmt *sqlite.Stmt) error { out = append(out, stmt.ColumnText(0)); return nil },
	})
	return out, err
}
