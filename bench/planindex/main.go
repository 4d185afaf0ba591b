package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/tafc/tafc/bench/internal/synthetic"
	"github.com/tafc/tafc/index/sqlite"
)

func main() {
	files := flag.Int("files", 100_000, "how many files the index lists")
	out := flag.String("o", "index.db", "index file to write")
	root := flag.String("root", "file:///nowhere/", "what the keys are relative to")
	flag.Parse()
	summary, err := sqlite.Write(context.Background(), *out, synthetic.New(*files, *root), nil, *root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "planindex:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d files, %d bytes, layout %s\n", *out, summary.Files, summary.Bytes, summary.Layout)
}
