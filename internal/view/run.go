package view

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tafc/tafc/runtime/job"
)

// RunDocument is the JSON form of a run (docs/json.md). Fields may be added, never changed.
type RunDocument struct {
	FormatVersion string         `json:"format_version"`
	Analysis      string         `json:"analysis"`
	Run           RunHead        `json:"run"`
	Summary       map[string]int `json:"summary"` // tasks by state
	Tasks         []TaskDocument `json:"tasks"`
}

// RunHead says which run it is. Outcome is done, partial, failed, interrupted, running, or killed.
type RunHead struct {
	ID       string     `json:"id"`
	Command  string     `json:"command"`
	Started  time.Time  `json:"started"`
	Finished *time.Time `json:"finished"`
	Outcome  string     `json:"outcome"`
	URL      string     `json:"url,omitempty"` // of its tasks on a deployment
}

// TaskDocument is one task of a run.
type TaskDocument struct {
	Address    string            `json:"address"`
	Stage      string            `json:"-"`
	State      string            `json:"state"`
	Key        string            `json:"key"`
	Attempts   []AttemptDocument `json:"attempts"`
	Cause      job.Cause         `json:"cause,omitempty"`
	Message    string            `json:"message,omitempty"`
	Blame      string            `json:"blame,omitempty"` // cancelled: the failed task that is the first cause
	Partial    bool              `json:"partial,omitempty"`
	Ledger     *job.Ledger       `json:"ledger,omitempty"`
	Covers     *job.Ledger       `json:"covers,omitempty"` // of all that the result stands for
	Counters   map[string]int64  `json:"counters,omitempty"`
	Quarantine *job.Quarantine   `json:"quarantine,omitempty"`
	Mended     string            `json:"mended,omitempty"` // key of the earlier result that all but its quarantined records are of
	Progress   *job.Progress     `json:"progress,omitempty"`
	TaskID     string            `json:"task_id,omitempty"` // on a deployment
	URL        string            `json:"url,omitempty"`
}

// AttemptDocument is one try of a task.
type AttemptDocument struct {
	Attempt  int          `json:"attempt"`
	State    string       `json:"state"`
	Cause    job.Cause    `json:"cause,omitempty"`
	Exit     string       `json:"exit,omitempty"`
	Started  time.Time    `json:"started"`
	Finished *time.Time   `json:"finished"`
	Dir      string       `json:"dir"`
	Failure  *job.Failure `json:"failure,omitempty"`
}

// listedTasks is how many tasks of a kind a run's text lists one by one.
const listedTasks = 10

// Run prints where a run stands: the stages with their tasks, then what failed and why. all lists every task.
func Run(w io.Writer, d *RunDocument, all bool, style Style) {
	head := fmt.Sprintf("%s run %s: %s", style.Bold(d.Analysis), d.Run.ID, outcomeText(d.Run.Outcome, style))
	if d.Run.Finished != nil {
		head += " after " + duration(d.Run.Finished.Sub(d.Run.Started))
	} else {
		head += ", started " + d.Run.Started.Local().Format("2006-01-02 15:04:05")
	}
	fmt.Fprintln(w, head)
	if d.Run.URL != "" {
		fmt.Fprintln(w, "  "+d.Run.URL)
	}
	for _, s := range stagesOf(d) {
		s.print(w, style)
	}
	if all {
		for _, t := range d.Tasks {
			fmt.Fprintf(w, "    %s %s%s\n", pad(t.State, 10), t.Address, ledgerText(t.Ledger))
			if t.Mended != "" {
				fmt.Fprintf(w, "      taken over from the earlier result %.16s, but for its quarantined records\n", t.Mended)
			}
			quarantined(w, t.Quarantine)
			if t.URL != "" {
				fmt.Fprintln(w, "      "+t.URL)
			}
		}
	}
	failures(w, d, style)
}

func outcomeText(o string, style Style) string {
	switch o {
	case "done":
		return style.Green("done")
	case "partial":
		return style.Yellow("partial (tolerated losses)")
	case "failed":
		return style.Red("failed")
	case "killed":
		return style.Red("killed") + " (the next apply goes on from there)"
	}
	return style.Yellow(o)
}

type stageRow struct {
	name    string
	states  map[string]int
	tasks   int
	files   int64
	records int64
	lost    int64
}

func stagesOf(d *RunDocument) []*stageRow {
	var rows []*stageRow
	byName := map[string]*stageRow{}
	for _, t := range d.Tasks {
		r := byName[t.Stage]
		if r == nil {
			r = &stageRow{name: t.Stage, states: map[string]int{}}
			byName[t.Stage] = r
			rows = append(rows, r)
		}
		r.tasks++
		r.states[t.State]++
		if t.Ledger != nil && t.State != "failed" {
			r.files += t.Ledger.Files.Done
			r.records += t.Ledger.Records.Read
			r.lost += t.Ledger.Records.Quarantined + t.Ledger.Files.Failed
		}
	}
	return rows
}

func (r *stageRow) print(w io.Writer, style Style) {
	line := fmt.Sprintf("  %s %s:", pad(r.name, 20), count(r.tasks, "task"))
	sep := " "
	for _, state := range []string{"done", "reused", "running", "ready", "waiting", "failed", "cancelled"} {
		if n := r.states[state]; n > 0 {
			text := number(n) + " " + state
			if state == "failed" {
				text = style.Red(text)
			}
			line += sep + text
			sep = ", "
		}
	}
	if r.files > 0 {
		line += "; " + count(r.files, "file")
	}
	if r.records > 0 {
		line += "; " + count(r.records, "row")
	}
	if r.lost > 0 {
		line += "; " + style.Yellow(number(r.lost)+" lost")
	}
	fmt.Fprintln(w, line)
}

func ledgerText(l *job.Ledger) string {
	if l == nil {
		return ""
	}
	out := ""
	if l.Files.Planned > 0 {
		out += fmt.Sprintf("  files %s of %s", number(l.Files.Done), number(l.Files.Planned))
	}
	r := l.Records
	out += fmt.Sprintf("  rows read %s = mapped %s + filtered %s + quarantined %s, pairs %s",
		number(r.Read), number(r.Mapped), number(r.Filtered), number(r.Quarantined), number(r.Emitted))
	return out
}

// quarantined lists why records of a task were set aside, and where they are.
func quarantined(w io.Writer, q *job.Quarantine) {
	if q == nil {
		return
	}
	for _, g := range q.Groups {
		fmt.Fprintf(w, "      %s: %s, such as %s record %s\n", count(g.Records, "record"), g.Signature, g.Example.File, number(g.Example.Record))
	}
	fmt.Fprintf(w, "      all of them: %s\n", q.Path)
}

func failures(w io.Writer, d *RunDocument, style Style) {
	listed := 0
	for _, t := range d.Tasks {
		if t.State != "failed" || len(t.Attempts) == 0 {
			continue
		}
		if listed++; listed > listedTasks {
			fmt.Fprintf(w, "… and %s more failed. All of them: tafc status -json\n", number(d.Summary["failed"]-listedTasks))
			break
		}
		last := t.Attempts[len(t.Attempts)-1]
		Failure(w, t.Address, last.Attempt, &job.Report{Cause: t.Cause, Failure: last.Failure}, style)
	}
	if n := d.Summary["cancelled"]; n > 0 {
		blamed := ""
		if i := slices.IndexFunc(d.Tasks, func(t TaskDocument) bool { return t.State == "cancelled" && t.Blame != "" }); i >= 0 {
			blamed = ", first of all because of " + d.Tasks[i].Blame
		}
		fmt.Fprintf(w, "%s did not run%s.\n", count(n, "task"), blamed)
	}
}
