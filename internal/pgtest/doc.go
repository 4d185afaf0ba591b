// Package pgtest starts a PostgreSQL server for the tests of a package: a real one, of the programs that are installed, in a
// folder of its own, on loopback and a Unix socket only. Without the programs tests are skipped, or fail when TAF_REQUIRE names
// postgres.
package pgtest
