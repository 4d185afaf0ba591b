// Command planindex writes an index of files that do not exist, to measure planning with.
//
//	go run ./bench/planindex -files 1000000 -o index.db
package main
