package state

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID marks the database file as a tafc state ("tafc" in ASCII).
const applicationID = 0x74616663

// migrations bring a state from schema i to i+1. Only ever append: a released one never changes.
var migrations = [...]string{
	schema1,
	schema2,
}

// schema2 is what is known of deployments.
const schema2 = `
CREATE TABLE remote_runs (
	run        TEXT PRIMARY KEY,
	analysis   TEXT NOT NULL,
	root       TEXT NOT NULL,         -- URL of the deployment
	task_group TEXT NOT NULL,
	settings   BLOB NOT NULL,         -- zstd of JSON, for the engine
	started    INTEGER NOT NULL,
	deadline   INTEGER NOT NULL,
	expires    INTEGER NOT NULL,
	ended      INTEGER NOT NULL       -- 0: it may go on without tafc
) WITHOUT ROWID;

CREATE TABLE remote_results (
	key       TEXT NOT NULL,          -- task key
	root      TEXT NOT NULL,
	task      TEXT NOT NULL,          -- task id
	run       INTEGER NOT NULL,       -- of the task, the one that completed
	artifacts TEXT NOT NULL,          -- prefix of names
	expires   INTEGER NOT NULL,
	origin    TEXT NOT NULL,          -- who made it, when it was not this state
	PRIMARY KEY (key, root)
) WITHOUT ROWID;

-- The id of the task on the deployment.
ALTER TABLE run_tasks ADD COLUMN remote TEXT NOT NULL DEFAULT '';
`

const schema1 = `
CREATE TABLE analyses (
	name   TEXT PRIMARY KEY,
	serial INTEGER NOT NULL           -- changes whenever the analysis' tasks do
) WITHOUT ROWID;

CREATE TABLE results (
	key         TEXT PRIMARY KEY,     -- task key
	content_key TEXT NOT NULL,        -- empty: not to be found by content
	analysis    TEXT NOT NULL,
	task        TEXT NOT NULL,
	run         TEXT NOT NULL,
	created     INTEGER NOT NULL,
	form        TEXT NOT NULL,
	partial     INTEGER NOT NULL,
	transient   INTEGER NOT NULL,
	parts       INTEGER NOT NULL,
	pairs       INTEGER NOT NULL,
	bytes       INTEGER NOT NULL,
	body        BLOB NOT NULL         -- zstd of JSON: the report and the coverage of the upstream
);
CREATE INDEX results_content ON results (content_key) WHERE content_key <> '';

CREATE TABLE result_blobs (
	key    TEXT NOT NULL,
	digest TEXT NOT NULL,
	size   INTEGER NOT NULL,
	PRIMARY KEY (key, digest)
) WITHOUT ROWID;

CREATE TABLE tasks (
	analysis TEXT NOT NULL,
	address  TEXT NOT NULL,
	failed   INTEGER NOT NULL,        -- 0: the last good result, 1: a failure since then
	key      TEXT NOT NULL,
	stage    TEXT NOT NULL,           -- digests of documents
	inputs   TEXT NOT NULL,
	bundle   TEXT NOT NULL,
	state    TEXT NOT NULL,
	cause    TEXT NOT NULL,
	message  TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	run      TEXT NOT NULL,
	finished INTEGER NOT NULL,
	PRIMARY KEY (analysis, address, failed)
) WITHOUT ROWID;

CREATE TABLE documents (
	digest TEXT PRIMARY KEY,
	data   BLOB NOT NULL              -- zstd
);

CREATE TABLE runs (
	id       TEXT PRIMARY KEY,        -- sorts by time
	analysis TEXT NOT NULL,
	command  TEXT NOT NULL,
	plan     BLOB NOT NULL,           -- zstd of JSON
	pid      INTEGER NOT NULL,
	host     TEXT NOT NULL,
	started  INTEGER NOT NULL,
	finished INTEGER NOT NULL,
	outcome  TEXT NOT NULL            -- empty: running, or its process died
);
CREATE INDEX runs_analysis ON runs (analysis, id);

CREATE TABLE run_tasks (
	run      TEXT NOT NULL,
	address  TEXT NOT NULL,
	position INTEGER NOT NULL,
	key      TEXT NOT NULL,
	state    TEXT NOT NULL,
	attempt  INTEGER NOT NULL,
	cause    TEXT NOT NULL,
	message  TEXT NOT NULL,
	blame    TEXT NOT NULL,           -- cancelled: the failed task that is the first cause
	changed  INTEGER NOT NULL,
	retry_at INTEGER NOT NULL,
	progress TEXT NOT NULL,           -- JSON
	PRIMARY KEY (run, address)
) WITHOUT ROWID;

CREATE TABLE attempts (
	run      TEXT NOT NULL,
	address  TEXT NOT NULL,
	attempt  INTEGER NOT NULL,
	key      TEXT NOT NULL,
	pid      INTEGER NOT NULL,
	process  TEXT NOT NULL,           -- tells the process from a later one with the same pid
	state    TEXT NOT NULL,
	cause    TEXT NOT NULL,
	exit     TEXT NOT NULL,
	started  INTEGER NOT NULL,
	finished INTEGER NOT NULL,
	dir      TEXT NOT NULL,           -- relative to the state's folder
	failure  TEXT NOT NULL,           -- JSON
	ledger   TEXT NOT NULL,           -- JSON
	PRIMARY KEY (run, address, attempt)
) WITHOUT ROWID;
CREATE INDEX attempts_address ON attempts (address, run);
CREATE INDEX attempts_running ON attempts (run) WHERE state = 'running';
`

// migrate brings the database to this program's schema. A state that needs nothing is only read.
func (db *DB) migrate(ctx context.Context) error {
	conn, err := db.pool.Take(ctx)
	if err != nil {
		return err
	}
	defer db.pool.Put(conn)
	return migrate(conn, migrations[:])
}

func migrate(conn *sqlite.Conn, steps []string) (err error) {
	version, err := schemaVersion(conn, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	end, err := sqlitex.ExclusiveTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	// Another process may have done it while this one waited.
	if version, err = schemaVersion(conn, len(steps)); err != nil {
		return err
	}
	for ; version < len(steps); version++ {
		if err := sqlitex.ExecuteScript(conn, steps[version], nil); err != nil {
			return fmt.Errorf("bring the schema from version %d to %d: %w", version, version+1, err)
		}
	}
	pragmas := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	return sqlitex.ExecuteScript(conn, pragmas, nil)
}

// schemaVersion reads the version and refuses what this program must not touch.
func schemaVersion(conn *sqlite.Conn, known int) (int, error) {
	var id, version, tables int64
	for _, p := range []struct {
		to  *int64
		sql string
	}{
		{&id, "PRAGMA application_id"}, {&version, "PRAGMA user_version"}, {&tables, "SELECT count(*) FROM sqlite_schema"},
	} {
		err := sqlitex.ExecuteTransient(conn, p.sql, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			*p.to = s.ColumnInt64(0)
			return nil
		}})
		if err != nil {
			return 0, err
		}
	}
	if tables > 0 && id != applicationID {
		return 0, fmt.Errorf("state.db is not a state of tafc; give another folder with -state or TAF_STATE")
	}
	if int(version) > known {
		return 0, fmt.Errorf("it was written by a newer tafc (schema %d, this one knows %d); use that tafc, or another folder with -state or TAF_STATE",
			version, known)
	}
	return int(version), nil
}
