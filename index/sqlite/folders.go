package sqlite

import (
	"context"
	"maps"
	"slices"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index"
)

// writeFolders records what a listing found out about folders, when the source tells. Only then there is a table of it.
func writeFolders(conn *sqlite.Conn, src index.Source) error {
	told, ok := src.(interface {
		Folders() map[string]index.Folder
	})
	if !ok || len(told.Folders()) == 0 {
		return nil
	}
	err := sqlitex.ExecuteTransient(conn, "CREATE TABLE folders (folder TEXT PRIMARY KEY, newest INTEGER NOT NULL, listed INTEGER NOT NULL) WITHOUT ROWID", nil)
	if err != nil {
		return err
	}
	folders := told.Folders()
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		f := folders[name]
		err := sqlitex.Execute(conn, "INSERT INTO folders VALUES (?, ?, ?)", &sqlitex.ExecOptions{Args: []any{name, f.Newest, f.Listed}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Folders are what the listing found out about folders; none for an index of a source that did not tell.
func (s *Source) Folders(context.Context) (map[string]index.Folder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, err := tableNames(s.conn)
	if err != nil || !slices.Contains(names, "folders") {
		return nil, err
	}
	folders := map[string]index.Folder{}
	err = sqlitex.ExecuteTransient(s.conn, "SELECT folder, newest, listed FROM folders", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			folders[stmt.ColumnText(0)] = index.Folder{Newest: stmt.ColumnInt64(1), Listed: stmt.ColumnInt64(2)}
			return nil
		},
	})
	return folders, err
}

// Listed is the source that Write listed, and empty for a foreign table.
func (s *Source) Listed() string { return s.listed }
