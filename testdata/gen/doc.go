// Command gen writes the sample data of the repository and the data of the benchmarks: telemetry records in the layout, the
// compressions and the shape of 2014, and plain text. The same options give the same records on every computer.
//
//	go run ./testdata/gen -o testdata               # what is committed
//	go run ./testdata/gen -o DIR -bench             # 59,468 records of 8 to 12 KB in .gz files
//	go run ./testdata/gen -o DIR -files 200 -records 1000 -size 8000 -ext gz,zst
package main
