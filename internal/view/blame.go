package view

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// BlameReport is which files stand behind a key of a result: what tafc blame -json prints.
type BlameReport struct {
	FormatVersion string          `json:"format_version"`
	Analysis      string          `json:"analysis"`
	Stage         string          `json:"stage"`
	Key           json.RawMessage `json:"key"`
	Tasks         BlameTasks      `json:"tasks"`
	Values        int64           `json:"values"` // that the maps emitted for the key
	Total         int             `json:"total"`  // files that contributed
	Files         []Blamed        `json:"files"`  // those with the largest share
}

// BlameTasks counts the map tasks below the stage.
type BlameTasks struct {
	All     int `json:"all"`
	Missing int `json:"missing"`   // have no result here
	Holding int `json:"holding"`   // hold the key
	Rerun   int `json:"rerun"`     // of them those that ran again, to tell their files apart
	Apart   int `json:"not_apart"` // of them those that cannot run again
}

// Blamed is a file that contributed to a key, or a task whose files cannot be told apart.
type Blamed struct {
	File   string   `json:"file"` // empty: all files of the task
	Task   string   `json:"task"`
	Files  int      `json:"files"`
	Values int64    `json:"values"`
	Sum    *float64 `json:"sum"` // of the values, when all are numbers
	Share  float64  `json:"share"`
}

// Blame prints which files stand behind a key.
func Blame(w io.Writer, b *BlameReport, style Style) {
	t := b.Tasks
	if t.Holding == 0 {
		fmt.Fprintf(w, "No map below %s emits the key %s.\n", b.Stage, b.Key)
	} else {
		fmt.Fprintf(w, "%s has the key %s from %s, in %s of %s", style.Bold(b.Stage), b.Key, count(b.Values, "value"), number(t.Holding), count(t.All, "map task"))
		if t.Rerun > 0 {
			fmt.Fprintf(w, "; %s ran again to tell the files apart", number(t.Rerun))
		}
		fmt.Fprintln(w)
	}
	if t.Missing > 0 {
		fmt.Fprintf(w, "%s no result here and could not be asked.\n", have(t.Missing))
	}
	if len(b.Files) == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "share\tvalues\tsum\t\tfile")
	for _, f := range b.Files {
		sum, name := "", f.File
		if f.Sum != nil {
			sum = fmt.Sprintf("%.15g", *f.Sum)
		}
		if name == "" {
			name = fmt.Sprintf("(%s of %s: what the task was told is gone)", count(f.Files, "file"), f.Task)
		}
		fmt.Fprintf(table, "%.1f%%\t%s\t%s\t\t%s\n", 100*f.Share, number(f.Values), sum, name)
	}
	table.Flush()
	if more := b.Total - len(b.Files); more > 0 {
		fmt.Fprintf(w, "… and %s more: -n shows them.\n", count(more, "file"))
	}
}

func have(tasks int) string {
	if tasks == 1 {
		return "1 map task has"
	}
	return number(tasks) + " map tasks have"
}
