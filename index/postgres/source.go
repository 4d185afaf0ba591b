package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/columns"
	"github.com/tafc/tafc/internal/redact"
)

// Options say more than the URL.
type Options struct {
	Table   string            // with or without schema; empty: published_files
	Columns map[string]string // package columns
	Layout  string            // that of the analysis, or empty
}

// Source is a table of files. It is safe for concurrent use, but one Scan waits for the other.
type Source struct {
	name    string
	config  *pgx.ConnConfig
	table   *relation
	mapping *columns.Mapping

	mu   sync.Mutex
	conn *pgx.Conn
}

var _ index.Pruner = &Source{}

// Open connects to the database at a URL and looks at the table.
func Open(ctx context.Context, spec string, options Options) (*Source, error) {
	name := redact.URLs(spec)
	c, err := config(spec)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", name, err)
	}
	s := &Source{name: name, config: c}
	if err := s.open(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("open index %s: %w", name, s.explain(ctx, err)), s.Close())
	}
	return s, nil
}

func (s *Source) open(ctx context.Context, options Options) error {
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	if s.table, err = findTable(ctx, conn, options.Table); err != nil {
		return err
	}
	s.mapping, err = columns.Map(s.table.name, s.table.columns, options.Columns, options.Layout)
	return err
}

// connection is the open connection, made anew when it is lost.
func (s *Source) connection(ctx context.Context) (*pgx.Conn, error) {
	if s.conn != nil && !s.conn.IsClosed() {
		return s.conn, nil
	}
	conn, err := connect(ctx, s.config)
	if err != nil {
		return nil, err
	}
	s.conn = conn
	return conn, nil
}

// explain is the error to show for one of a query.
func (s *Source) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch sqlState(err) {
	case "42501":
		return fmt.Errorf("%w; the user needs: GRANT SELECT ON %s TO …", clean(s.config, err), s.tableName())
	case "57014":
		return fmt.Errorf("the server ended the query: %w; another limit is set by ?statement_timeout=MILLISECONDS, 0 for none", clean(s.config, err))
	}
	return clean(s.config, err)
}

func (s *Source) tableName() string {
	if s.table == nil {
		return "the table"
	}
	return s.table.name
}

// String is the source as the analysis writes it, without a password.
func (s *Source) String() string { return s.name }

// Layout is that of the columns, and empty when the keys tell.
func (s *Source) Layout() string {
	if s.mapping.Layout == nil {
		return ""
	}
	return s.mapping.Layout.String()
}

// Root is empty: a table does not say where its files are.
func (s *Source) Root() string { return "" }

// Close ends the connection.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cancelTimeout)
	defer cancel()
	err := s.conn.Close(ctx)
	s.conn = nil
	return err
}

// Revision is a digest of all rows: nothing less tells of every change.
func (s *Source) Revision(ctx context.Context) (string, error) {
	digest := index.NewDigest()
	err := s.Scan(ctx, func(f index.File) error { digest.Add(f); return nil })
	return digest.String(), err
}

// Scan calls fn for every file, in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transaction(ctx, func(ctx context.Context, tx pgx.Tx) error { return s.read(ctx, tx, "", nil, fn) })
}

// transaction runs queries that all see the same state of the database.
func (s *Source) transaction(ctx context.Context, do func(context.Context, pgx.Tx) error) error {
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return s.explain(ctx, err)
	}
	query, cancel := context.WithCancel(ctx)
	defer cancel()
	if err = do(query, tx); err != nil {
		cancel() // instead of reading to the end what is no longer wanted
		err = s.explain(ctx, err)
	}
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer stop()
	_ = tx.Rollback(end) // nothing was written; a lost connection is made anew
	return err
}
