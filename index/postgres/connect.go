package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/tafc/tafc/internal/redact"
)

const (
	connectTimeout = 15 * time.Second // when neither the URL nor PGCONNECT_TIMEOUT says otherwise
	cancelTimeout  = 2 * time.Second  // for telling the server that an answer is no longer wanted
	keepTrying     = 10 * time.Second // while the server starts or has no connection free
)

// config reads the URL and the environment.
func config(spec string) (*pgx.ConnConfig, error) {
	if !strings.HasPrefix(spec, "postgres://") && !strings.HasPrefix(spec, "postgresql://") {
		return nil, errors.New("write postgres://USER@HOST/DATABASE; what is left out comes from PGHOST, PGUSER and so on")
	}
	c, err := pgx.ParseConfig(spec)
	if err != nil {
		var parse *pgconn.ParseConfigError
		if errors.As(err, &parse) {
			// Its text can hold parts of a password that stands in a broken URL.
			return nil, fmt.Errorf("%s is not a URL of a database that can be read; write postgres://USER@HOST:PORT/DATABASE, with special characters as %%XX", redact.URLs(spec))
		}
		return nil, err
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	// The text of dates does not depend on who asks.
	c.RuntimeParams["datestyle"], c.RuntimeParams["timezone"] = "ISO, YMD", "UTC"
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "tafc"
	}
	// Statements without names, for poolers that give each transaction another connection.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
	}
	return c, nil
}

// connect waits for a server that starts.
func connect(ctx context.Context, c *pgx.ConnConfig) (*pgx.Conn, error) {
	giveUp := time.Now().Add(keepTrying)
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		conn, err := pgx.ConnectConfig(ctx, c)
		if err == nil {
			return conn, nil
		}
		// The server starts up or shuts down; all its connections are taken.
		if code := sqlState(err); code != "57P03" && code != "53300" || time.Now().Add(pause).After(giveUp) {
			return nil, connectError(c, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// sqlState is the code of an error of the server, or empty.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// connectError says what is wrong with a connection, and what to do.
func connectError(c *pgx.ConnConfig, err error) error {
	where := net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
	if strings.HasPrefix(c.Host, "/") {
		where = fmt.Sprintf("%s (port %d)", c.Host, c.Port)
	}
	var pg *pgconn.PgError
	var timeout net.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &pg):
		return serverError(c, pg)
	case errors.As(err, &dns):
		return fmt.Errorf("there is no host %q", c.Host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server answers at %s: the connection was refused", where)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("no server answers at %s: there is no socket", where)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no server answered at %s within %s; another limit is set by ?connect_timeout=SECONDS", where, c.ConnectTimeout)
	}
	return fmt.Errorf("connect to %s: %w", where, clean(c, err))
}

func serverError(c *pgx.ConnConfig, pg *pgconn.PgError) error {
	switch pg.Code {
	case "28P01", "28000":
		if c.Password == "" {
			return fmt.Errorf("%s; give the password in PGPASSWORD or ~/.pgpass (HOST:PORT:DATABASE:USER:PASSWORD)", pg.Message)
		}
		return fmt.Errorf("%s; the password comes from PGPASSWORD, ~/.pgpass or the URL", pg.Message)
	case "3D000", "53300", "57P03":
		return errors.New(pg.Message)
	}
	return clean(c, pg)
}

// secret is an error whose text has the password taken out.
type secret struct {
	error
	text string
}

func (e *secret) Error() string { return e.text }
func (e *secret) Unwrap() error { return e.error }

// clean keeps the password out of an error, wherever it came from.
func clean(c *pgx.ConnConfig, err error) error {
	text := redact.URLs(err.Error())
	if c.Password != "" {
		for _, p := range []string{c.Password, url.PathEscape(c.Password), url.QueryEscape(c.Password)} {
			text = strings.ReplaceAll(text, p, "***")
		}
	}
	if text == err.Error() {
		return err
	}
	return &secret{err, text}
}
