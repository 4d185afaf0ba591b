package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/columns"
)

const (
	// mostValues bounds the list of values that a condition becomes. With more on both sides the table is read whole.
	mostValues = 50_000
	// mostDimensions is how many expressions GROUPING takes.
	mostDimensions = 31
)

// DetectLayout looks at all keys when no column tells.
func (s *Source) DetectLayout(ctx context.Context) (*index.Layout, error) {
	detector := index.NewDetector()
	err := s.Scan(ctx, func(f index.File) error { detector.Add(f.Key); return nil })
	layout, _ := detector.Layout()
	return layout, err
}

// ScanMatching counts all files and yields those that match; without columns for the dimensions it yields all.
func (s *Source) ScanMatching(ctx context.Context, layout *index.Layout, f index.Filter, fn func(index.File) error) (index.Skipped, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var skipped index.Skipped
	err := s.transaction(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if layout.String() != s.Layout() || len(f.Where)+len(f.Exclude) == 0 || !columns.NewReader(s.mapping).Whole() || len(s.mapping.Dims) > mostDimensions {
			return s.read(ctx, tx, "", nil, fn)
		}
		values, err := s.values(ctx, tx)
		if err != nil {
			return err
		}
		q, err := s.query(f, values)
		if err != nil {
			return err
		}
		if q == nil {
			return s.read(ctx, tx, "", nil, fn)
		}
		skipped.Totals = values.totals
		if skipped.Totals.Left, err = s.left(ctx, tx, q); err != nil {
			return err
		}
		return s.read(ctx, tx, q.matching(), q.args, fn)
	})
	return skipped, err
}

// counted is the values of all dimensions.
type counted struct {
	totals *index.Totals
}

// values counts the files of each value of each dimension, in one pass.
func (s *Source) values(ctx context.Context, tx pgx.Tx) (*counted, error) {
	dims := s.dims()
	sets := []string{"()"}
	for _, d := range dims {
		sets = append(sets, "("+d+")")
	}
	list := strings.Join(dims, ", ")
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT GROUPING(%s)::text, count(*)::text, %s FROM %s GROUP BY GROUPING SETS (%s)",
		list, list, s.table.name, strings.Join(sets, ", ")))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	c := &counted{&index.Totals{Values: make([][]index.ValueCount, len(dims))}}
	// The bits of GROUPING are the expressions that a row is not grouped by, the last one lowest.
	all := 1<<len(dims) - 1
	for rows.Next() {
		raw := rows.RawValues()
		var bits, files int
		if _, err := fmt.Sscan(string(raw[0])+" "+string(raw[1]), &bits, &files); err != nil {
			return nil, err
		}
		if bits == all {
			c.totals.Files = files
			continue
		}
		d := 0
		for bits&(1<<(len(dims)-1-d)) != 0 {
			d++
		}
		c.add(d, string(raw[2+d]), files)
	}
	return c, rows.Err()
}

// add counts files of a value; NULL and the empty text are one value.
func (c *counted) add(d int, value string, files int) {
	values := &c.totals.Values[d]
	if value == "" {
		if i := slices.IndexFunc(*values, func(v index.ValueCount) bool { return v.Value == "" }); i >= 0 {
			(*values)[i].Files += files
			return
		}
	}
	*values = append(*values, index.ValueCount{Value: value, Files: files})
}

// dims are the expressions of the dimensions.
func (s *Source) dims() []string {
	var dims []string
	for _, column := range s.mapping.Dims {
		dims = append(dims, s.table.texts[column])
	}
	return dims
}

// query is a filter as SQL.
type query struct {
	where   []string
	exclude []string
	args    []any

	whereArgs int // how many of the args, the first ones, belong to where
}

// query translates a filter, given all values that there are; nil when a list would be too long.
func (s *Source) query(f index.Filter, values *counted) (*query, error) {
	q := &query{}
	dims := s.dims()
	for _, list := range []struct {
		terms []index.Term
		to    *[]string
	}{{f.Where, &q.where}, {f.Exclude, &q.exclude}} {
		for _, t := range list.terms {
			d := slices.Index(s.mapping.Layout.Dimensions(), t.Dimension)
			if d < 0 {
				return nil, &index.UnknownDimensionError{Name: t.Dimension, Known: s.mapping.Layout.Dimensions()}
			}
			test, err := t.Test(f.AsService)
			if err != nil {
				return nil, err
			}
			sql, ok := q.term(dims[d], test, values.totals.Values[d])
			if !ok {
				return nil, nil
			}
			*list.to = append(*list.to, sql)
		}
		if list.to == &q.where {
			q.whereArgs = len(q.args)
		}
	}
	return q, nil
}

// term is the condition that a column has one of the values that pass a test, and whether that list is short enough.
func (q *query) term(column string, test func(string) bool, values []index.ValueCount) (sql string, ok bool) {
	var pass, refuse []string
	for _, v := range values {
		if test(v.Value) {
			pass = append(pass, v.Value)
		} else {
			refuse = append(refuse, v.Value)
		}
	}
	empty := test("")
	switch {
	case len(refuse) == 0:
		return "TRUE", true
	case len(pass) == 0:
		return "FALSE", true
	case min(len(pass), len(refuse)) > mostValues:
		return "", false
	case len(pass) <= len(refuse):
		q.args = append(q.args, pass)
		sql = fmt.Sprintf("%s = ANY ($%d)", column, len(q.args))
	default:
		q.args = append(q.args, refuse)
		sql = fmt.Sprintf("%s <> ALL ($%d)", column, len(q.args))
	}
	if empty {
		sql = fmt.Sprintf("(%s OR %s IS NULL)", sql, column) // NULL is the empty value
	}
	return sql, true
}

// matching is the whole filter. A condition on NULL is neither true nor false, and excludes nothing.
func (q *query) matching() string {
	list := slices.Clone(q.where)
	if len(q.exclude) > 0 {
		list = append(list, fmt.Sprintf("(%s) IS NOT TRUE", strings.Join(q.exclude, " AND ")))
	}
	return strings.Join(list, " AND ")
}

// left counts the files that are left after each condition.
func (s *Source) left(ctx context.Context, tx pgx.Tx, q *query) ([]int, error) {
	if len(q.where) == 0 {
		return nil, nil
	}
	var list []string
	for i := range q.where {
		list = append(list, fmt.Sprintf("count(*) FILTER (WHERE %s)", strings.Join(q.where[:i+1], " AND ")))
	}
	left := make([]int, len(q.where))
	to := make([]any, len(left))
	for i := range left {
		to[i] = &left[i]
	}
	err := tx.QueryRow(ctx, fmt.Sprintf("SELECT %s FROM %s", strings.Join(list, ", "), s.table.name), q.args[:q.whereArgs]...).Scan(to...)
	return left, err
}
