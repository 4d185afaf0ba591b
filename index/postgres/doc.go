// Package postgres is the index source postgres://USER@HOST/DATABASE: a table of files in a PostgreSQL database.
//
// What the URL does not say comes from where the programs of PostgreSQL take it: PGHOST, PGUSER and so on, ~/.pgpass,
// ~/.pg_service.conf. The password does not belong in the URL: Source.String has none.
//
// The columns of the table are found as package columns says. Without columns for the dimensions the table is read whole, and the
// keys tell. With them the filter becomes a WHERE:
//
//  1. the values of each dimension are counted, in one pass of the server;
//  2. each condition is evaluated here, once for each value, and becomes "column = ANY (the values that pass)", or "<> ALL (the others)"
//     when these are fewer. So every condition means exactly what it means for other sources, whatever the collation of the
//     database, and an index on the column serves it;
//  3. the files that are left after each condition are counted, and the matching ones are read.
//
// All of that sees the same state of the table: it is one transaction that only reads. Rows are never held here as a whole.
package postgres
