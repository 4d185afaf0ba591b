package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
)

// PreviewLines is how many lines of an output are shown when a run ends.
const PreviewLines = 10

// Output is an output that a run made.
type Output struct {
	Name        string
	Path        string // of the file; empty when the output is not written to one
	Unchanged   bool   // it was there already, so that it was not written again
	Format      string
	Pairs       int64
	Preview     string // its first lines
	Covers      job.Ledger
	Partial     bool
	MinCoverage float64 // 0..1; 0: none asked for
	NoValue     int64   // keys for which reduce returned nothing
	Quarantine  []*job.Quarantine
}

// Coverage is the share of the planned files that the output stands for.
func (o *Output) Coverage() float64 {
	if o.Covers.Files.Planned == 0 {
		return 1
	}
	return float64(o.Covers.Files.Done) / float64(o.Covers.Files.Planned)
}

// BelowCoverage tells whether the output covers less than was asked for.
func (o *Output) BelowCoverage() bool { return o.Coverage() < o.MinCoverage }

// Verdict is how a run ended.
type Verdict struct {
	Analysis string
	Elapsed  time.Duration // 0: nothing was run
	Failed   bool
}

// Finished prints the outputs of a run and what they stand for.
func Finished(w io.Writer, v Verdict, outputs []Output, style Style) {
	if v.Failed && len(outputs) == 0 {
		return
	}
	fmt.Fprintln(w)
	words := style.Green("done")
	for i := range outputs {
		output(w, &outputs[i], style)
		if outputs[i].Partial {
			words = style.Yellow("partial: input was lost, as tolerated")
		}
	}
	for i := range outputs {
		v.Failed = v.Failed || outputs[i].BelowCoverage()
	}
	if v.Failed {
		words = style.Red("failed")
	}
	fmt.Fprintf(w, "%s %s", style.Bold(v.Analysis), words)
	if v.Elapsed > 0 {
		fmt.Fprintf(w, " in %s", duration(v.Elapsed))
	}
	fmt.Fprintln(w)
}

// output prints what an output stands for, where it is, and its first lines.
func output(w io.Writer, o *Output, style Style) {
	ledger(w, o, style)
	if o.BelowCoverage() {
		return
	}
	where := ""
	if o.Path != "" {
		where = " → " + o.Path
		if o.Unchanged {
			where += " (unchanged)"
		}
	}
	fmt.Fprintf(w, "output %s%s (%s)\n", style.Bold(o.Name), where, count(o.Pairs, "row"))
	shown := strings.Split(strings.TrimSuffix(o.Preview, "\n"), "\n")
	for _, line := range shown {
		if o.Preview != "" {
			fmt.Fprintf(w, "  %s\n", clip(strings.ReplaceAll(line, "\t", "  "), 120))
		}
	}
	if o.Format != "json" && int64(len(shown)) < o.Pairs {
		fmt.Fprintf(w, "  … all of it: tafc output %s\n", o.Name)
	}
	if o.NoValue > 0 {
		fmt.Fprintf(w, "  %s\n", style.Yellow("reduce returned nothing for "+count(o.NoValue, "key")+": they have no row"))
	}
}

// ledger says what an output stands for, and what is missing from it.
func ledger(w io.Writer, o *Output, style Style) {
	f, r := o.Covers.Files, o.Covers.Records
	fmt.Fprintf(w, "ledger %s: %s of %s files, rows read %s = mapped %s + filtered %s + quarantined %s\n",
		o.Name, number(f.Done), number(f.Planned), number(r.Read), number(r.Mapped), number(r.Filtered), number(r.Quarantined))
	if f.Failed > 0 {
		fmt.Fprintf(w, "  %s\n", style.Yellow(fmt.Sprintf("%s lost; the output stands for %.2f%% of the files", count(f.Failed, "file"), 100*o.Coverage())))
	}
	const most = 5
	for i, l := range f.Losses {
		if i == most {
			fmt.Fprintf(w, "    … and %s\n", count(len(f.Losses)-i, "more file"))
			break
		}
		fmt.Fprintf(w, "    %s: %s\n", l.Key, l.Message)
	}
	if r.Quarantined > 0 {
		fmt.Fprintf(w, "  %s\n", style.Yellow(count(r.Quarantined, "record")+" quarantined: tafc show tells which and why"))
	}
}

// Failed says what is left to do after a run with failed tasks.
func Failed(w io.Writer, out *engine.Outcome, style Style) {
	cancelled := 0
	for _, s := range out.States {
		if s == engine.Cancelled {
			cancelled++
		}
	}
	fmt.Fprintf(w, "%s %s failed", style.Red("Failed:"), count(len(out.Failed), "task"))
	if cancelled > 0 {
		fmt.Fprintf(w, ", %s did not run because of that", count(cancelled, "task"))
	}
	fmt.Fprintf(w, ". What finished is kept.\nMend the cause, then: tafc apply. Where it stands: tafc status. The log: tafc logs '%s'\n", out.Failed[0].Addr)
}
