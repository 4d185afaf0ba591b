package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/columns"
)

// read reads files in key order. Where is a condition with its parameters, or empty.
func (s *Source) read(ctx context.Context, tx pgx.Tx, where string, args []any, fn func(index.File) error) error {
	rows, err := tx.Query(ctx, s.selectSQL(where), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	reader := columns.NewReader(s.mapping)
	for row := 1; rows.Next(); row++ {
		f, err := file(reader, rows.RawValues())
		if err != nil {
			return fmt.Errorf("row %d of %s: %w", row, s.table.name, err)
		}
		if err := fn(f); err != nil {
			return &stopped{err}
		}
	}
	return rows.Err()
}

// stopped is an error of who reads, not of the database.
type stopped struct{ error }

func (e *stopped) Unwrap() error { return e.error }

// selectSQL yields key, size and ETag as texts, then the dimensions.
func (s *Source) selectSQL(where string) string {
	m := s.mapping
	list := []string{s.table.texts[m.Key], "NULL", "NULL"}
	if m.Size != "" {
		list[1] = pgx.Identifier{m.Size}.Sanitize() + "::bigint::text"
	}
	if m.ETag != "" {
		list[2] = s.table.texts[m.ETag]
	}
	for _, column := range m.Columns() {
		list = append(list, s.table.texts[column])
	}
	if where != "" {
		where = " WHERE " + where
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s", strings.Join(list, ", "), s.table.name, where, s.table.order(m.Key))
}

// file makes a file of a row.
func file(reader *columns.Reader, values [][]byte) (index.File, error) {
	f := index.File{Key: values[0], Size: -1, ETag: values[2]}
	if len(f.Key) == 0 {
		return f, errors.New("it has no key")
	}
	if values[1] != nil {
		size, err := strconv.ParseInt(string(values[1]), 10, 64)
		if err != nil {
			return f, fmt.Errorf("size: %w", err)
		}
		f.Size = max(size, -1)
	}
	f.Dims = reader.Dims(f.Key, values[3:]) // NULL is the empty value
	return f, nil
}
