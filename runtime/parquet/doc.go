// Package parquet writes pairs as Parquet files. It is apart from runtime/pairs because tasks do not need it.
package parquet
