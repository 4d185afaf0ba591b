package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index/columns"
)

// openForeign prepares for reading a table that Write did not make.
func (s *Source) openForeign(table Table, state fileState) error {
	tables, err := tableNames(s.conn)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tables, func(t string) bool { return strings.EqualFold(t, table.Name) }) {
		if len(tables) == 0 {
			return fmt.Errorf("there is no table %q; the database holds none", table.Name)
		}
		return fmt.Errorf("there is no table %q; there are: %s", table.Name, strings.Join(tables, ", "))
	}
	encoding, err := texts(s.conn, "PRAGMA encoding")
	if err != nil {
		return err
	}
	if !slices.Equal(encoding, []string{"UTF-8"}) {
		return fmt.Errorf("the database keeps text as %s; only UTF-8 can be read", strings.Join(encoding, ""))
	}
	names, err := texts(s.conn, "SELECT name FROM pragma_table_xinfo(?)", table.Name)
	if err != nil {
		return err
	}
	list := make([]columns.Column, len(names))
	for i, name := range names {
		list[i].Name = name
	}
	m, err := columns.Map(table.Name, list, table.Columns, table.Layout)
	if err != nil {
		return err
	}
	if m.Layout != nil {
		s.layout = m.Layout.String()
	}
	selected := []string{quote(m.Key), quoteOrNull(m.Size), quoteOrNull(m.ETag)}
	for _, column := range m.Columns() {
		selected = append(selected, quote(column))
	}
	s.query = fmt.Sprintf("SELECT %s FROM %s ORDER BY %s COLLATE BINARY", strings.Join(selected, ", "), quote(table.Name), quote(m.Key))
	s.mapping = m
	s.revision = state.revision
	return nil
}

func quoteOrNull(name string) string {
	if name == "" {
		return "NULL"
	}
	return quote(name)
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
