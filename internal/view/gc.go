package view

import (
	"fmt"
	"io"

	"github.com/tafc/tafc/state"
)

// Freed says what gc deleted, or would delete.
func Freed(w io.Writer, f state.Freed, dry bool) {
	verb := "Deleted"
	if dry {
		verb = "Would delete"
	}
	fmt.Fprintf(w, "%s %s, %s of results, %s of code, the logs of %s in %s: %s\n", verb, count(f.Results, "result"), count(f.Blobs, "file"),
		count(f.Bundles, "bundle"), count(f.Tasks, "task"), count(f.Runs, "run"), bytes(f.Bytes))
}
