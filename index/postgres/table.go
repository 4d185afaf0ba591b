package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tafc/tafc/index/columns"
)

// defaultTable is read when the analysis names none: that of the ancestors' index service.
const defaultTable = "published_files"

// relation is a table, view or foreign table with the SQL of its columns.
type relation struct {
	name     string // as it is quoted in SQL
	columns  []columns.Column
	texts    map[string]string // by column: an expression of type text that is compared byte by byte
	bytewise map[string]bool   // the column is sorted byte by byte as it is
}

// findTable finds a table by its name, with or without schema, in any case when there is none in this one.
func findTable(ctx context.Context, conn *pgx.Conn, name string) (*relation, error) {
	asked := name
	if name == "" {
		asked = defaultTable
	}
	oid, err := lookUp(ctx, conn, asked)
	if err != nil {
		return nil, err
	}
	if oid == 0 {
		return nil, noTable(ctx, conn, name)
	}
	r := &relation{texts: map[string]string{}, bytewise: map[string]bool{}}
	var schema, table string
	err = conn.QueryRow(ctx, `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1`, oid).Scan(&schema, &table)
	if err != nil {
		return nil, err
	}
	r.name = pgx.Identifier{schema, table}.Sanitize()
	return r, r.readColumns(ctx, conn, oid)
}

// lookUp is the number of a table, or 0. A name that is written as it is stored wins over one that PostgreSQL would fold.
func lookUp(ctx context.Context, conn *pgx.Conn, name string) (uint32, error) {
	exact := pgx.Identifier(strings.Split(name, ".")).Sanitize()
	for _, text := range []string{exact, strings.ToLower(exact)} {
		var oid uint32
		if err := conn.QueryRow(ctx, `SELECT coalesce(to_regclass($1)::oid, 0)`, text).Scan(&oid); err != nil || oid != 0 {
			return oid, err
		}
	}
	return 0, nil
}

// noTable names the tables that there are.
func noTable(ctx context.Context, conn *pgx.Conn, asked string) error {
	rows, err := conn.Query(ctx, `SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' ORDER BY 1`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return fmt.Errorf("the database has no table that this user can see")
	}
	const most = 20
	list := strings.Join(tables[:min(most, len(tables))], ", ")
	if len(tables) > most {
		list += fmt.Sprintf(" and %d more", len(tables)-most)
	}
	if asked == "" {
		return fmt.Errorf("say which table has the files: set table to one of %s", list)
	}
	for _, t := range tables {
		if levenshtein.Distance(t, asked, nil) <= 2 {
			return fmt.Errorf("there is no table %q; did you mean %q?", asked, t)
		}
	}
	return fmt.Errorf("there is no table %q; there are %s", asked, list)
}

// readColumns reads the columns of a table. A text is compared byte by byte unless its collation says otherwise.
func (r *relation) readColumns(ctx context.Context, conn *pgx.Conn, oid uint32) error {
	rows, err := conn.Query(ctx, `SELECT a.attname, a.atttypid, coalesce(l.collisdeterministic, false),
			coalesce(l.collname IN ('C', 'POSIX'), false) OR coalesce(l.collname = 'default' AND d.datcollate IN ('C', 'POSIX'), false)
		FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation, pg_database d
		WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND d.datname = current_database() ORDER BY a.attnum`, oid)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var kind uint32
		var deterministic, bytewise bool
		if err := rows.Scan(&name, &kind, &deterministic, &bytewise); err != nil {
			return err
		}
		quoted := pgx.Identifier{name}.Sanitize()
		text := slices.Contains([]uint32{pgtype.TextOID, pgtype.VarcharOID}, kind)
		if text && deterministic {
			r.texts[name], r.bytewise[name] = quoted, bytewise
		} else {
			r.texts[name] = fmt.Sprintf(`%s::text COLLATE "C"`, quoted)
		}
		r.columns = append(r.columns, columns.Column{
			Name: name, Date: slices.Contains([]uint32{pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID}, kind),
		})
	}
	return rows.Err()
}

// order is the expression that sorts by the bytes of a column.
func (r *relation) order(column string) string {
	if r.bytewise[column] {
		return r.texts[column] // so that an index on it serves
	}
	return pgx.Identifier{column}.Sanitize() + `::text COLLATE "C"`
}
