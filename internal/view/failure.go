package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/tafc/tafc/runtime/job"
)

// causeWords say what a cause means.
var causeWords = map[job.Cause]string{
	job.CauseCode:           "user code failed",
	job.CauseDownload:       "a file could not be fetched",
	job.CauseCorrupt:        "input is corrupt or truncated",
	job.CauseDrifted:        "input is not the one that was planned",
	job.CauseTolerance:      "more was lost than is tolerated",
	job.CauseWrite:          "the result could not be written",
	job.CauseMemory:         "out of memory",
	job.CauseTimeout:        "time limit reached",
	job.CauseBadSpec:        "the task's specification is not valid",
	job.CauseBug:            "a bug of tafc",
	job.CauseInfrastructure: "the task's process vanished",
}

// CauseWords is a cause in words.
func CauseWords(c job.Cause) string {
	if w, ok := causeWords[c]; ok {
		return w
	}
	return string(c)
}

// Error prints what ended a command.
func Error(s *Streams, err error) {
	fmt.Fprintln(s.Err, s.ErrStyle().Red("Error:"), err)
}

// Failure prints why an attempt of a task failed, where, and what to do next.
func Failure(w io.Writer, task string, attempt int, r *job.Report, style Style) {
	fmt.Fprintf(w, "%s %s failed (attempt %d): %s\n", style.Red("✗"), style.Bold(task), attempt, CauseWords(r.Cause))
	f := r.Failure
	if f == nil {
		return
	}
	failureLines(w, f)
	failureLine(w, "log", "tafc logs '"+task+"'")
	failureLine(w, "again", "tafc replay '"+task+"'")
}

// failureLine prints a line about a failure, unless there is nothing to say.
func failureLine(w io.Writer, label, text string) {
	if text != "" {
		fmt.Fprintf(w, "    %-8s %s\n", label, text)
	}
}

// failureLines prints what went wrong, where, and what to do.
func failureLines(w io.Writer, f *job.Failure) {
	line := func(label, text string) { failureLine(w, label, text) }
	line("what", f.Message)
	if f.File != "" {
		line("file", f.File)
	}
	if f.Record > 0 {
		line("record", fmt.Sprintf("%s (byte %s of the decompressed file)", number(f.Record), number(f.Offset)))
		line("", clip(printable(f.Text), 160))
	}
	line("ended by", f.Exit)
	for i, l := range strings.Split(strings.TrimRight(f.Stack, "\n"), "\n") {
		label := ""
		if i == 0 {
			label = "stack"
		}
		if l != "" {
			line(label, l)
		}
	}
	line("hint", f.Hint)
}

// printable keeps control characters of data away from the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
