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
	records int // in each file
	size    int // mean bytes of a record's JSON
	seed    uint64
	exts    []string
	text    bool
}

func main() {
	o := options{}
	flag.StringVar(&o.dir, "o", "testdata", "folder to write telemetry/ and text/ to")
	flag.IntVar(&o.files, "files", 60, "how many telemetry files")
	flag.IntVar(&o.records, "records", 50, "records in each file")
	flag.IntVar(&o.size, "size", 10_000, "mean bytes of a record; each has between half and one and a half of it")
	flag.Uint64Var(&o.seed, "seed", 20140301, "seed of everything that looks random")
	exts := flag.String("ext", "lzma,xz,gz,zst", "compressions, taken in turn")
	flag.BoolVar(&o.text, "text", true, "write text/ too")
	bench := flag.Bool("bench", false, "the data of the benchmarks: 120 .gz files of 250 records, about 300 MB of JSON, and no text")
	flag.Parse()
	o.exts = strings.Split(*exts, ",")
	if *bench {
		set := map[string]bool{}
		flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
		if !set["files"] {
			o.files = 120
		}
		if !set["records"] {
			o.records = 250
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

func run(o options) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.files < 0 || o.records < 0 || o.size < 1000 {
		return fmt.Errorf("-files and -records must not be negative, -size must be 1000 or more")
	}
	raw, stored, err := writeTelemetry(o)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d files, %d records, %.1f MB of records, %.1f MB stored\n", filepath.Join(o.dir, "telemetry"), o.files, o.files*o.records, float64(raw)/1e6, float64(stored)/1e6)
	if o.text {
		return writeText(o)
	}
	return nil
}
