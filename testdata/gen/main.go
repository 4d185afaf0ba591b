package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// options say how much data to make.
type options struct {
	dir     string
	files   int
	records int  // in each file
	total   int  // records in all, spread over the files; 0: records in each
	size    int  // mean bytes of a record's JSON
	spread  int  // percent of the size by which a record is smaller or larger at most
	last    bool // the part info stands at the end of a record
	seed    uint64
	exts    []string
	text    bool
}

func main() {
	o := options{}
	flag.StringVar(&o.dir, "o", "testdata", "folder to write telemetry/ and text/ to")
	flag.IntVar(&o.files, "files", 60, "how many telemetry files")
	flag.IntVar(&o.records, "records", 50, "records in each file")
	flag.IntVar(&o.total, "total", 0, "records in all, spread evenly over the files; 0: as many as -records says in each")
	flag.IntVar(&o.size, "size", 10_000, "mean bytes of a record")
	flag.IntVar(&o.spread, "spread", 50, "percent of -size by which a record is smaller or larger at most")
	flag.BoolVar(&o.last, "info-last", false, "write the part info at the end of each record, not at its beginning")
	flag.Uint64Var(&o.seed, "seed", 20140301, "seed of everything that looks random")
	exts := flag.String("ext", "lzma,xz,gz,zst", "compressions, taken in turn")
	flag.BoolVar(&o.text, "text", true, "write text/ too")
	bench := flag.Bool("bench", false, "the data of the benchmarks: 59,468 records of 8 to 12 KB in 238 .gz files, about 590 MB of JSON, and no text")
	flag.Parse()
	o.exts = strings.Split(*exts, ",")
	if *bench {
		set := map[string]bool{}
		flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
		if !set["files"] {
			o.files = 238
		}
		if !set["total"] && !set["records"] {
			o.total = 59_468
		}
		if !set["spread"] {
			o.spread = 20
		}
		if !set["ext"] {
			o.exts = []string{"gz"}
		}
		o.text = set["text"] && o.text
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// recordsTo is how many records the files before file i have.
func (o options) recordsTo(i int) int {
	if o.total > 0 && o.files > 0 {
		return o.total * i / o.files
	}
	return o.records * i
}

func run(o options) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.files < 0 || o.records < 0 || o.total < 0 || o.size < 1000 || o.spread < 0 || o.spread > 90 {
		return fmt.Errorf("-files, -records and -total must not be negative, -size must be 1000 or more, -spread between 0 and 90")
	}
	raw, stored, err := writeTelemetry(o)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d files, %d records, %.1f MB of records, %.1f MB stored\n", filepath.Join(o.dir, "telemetry"), o.files, o.recordsTo(o.files), float64(raw)/1e6, float64(stored)/1e6)
	if o.text {
		return writeText(o)
	}
	return nil
}
