package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/tafc/tafc/plan"
)

// whyInputs is how many changed inputs of a task are listed.
const whyInputs = 20

// Why prints explanations, in full for one task and a line each for several.
func Why(w io.Writer, es []plan.Explanation, style Style) {
	for i := range es {
		e := &es[i]
		fmt.Fprintf(w, "%s %s\n", style.Bold(e.Address), actionWords(e))
		if len(es) == 1 {
			whyDetails(w, e, style)
		}
	}
}

func actionWords(e *plan.Explanation) string {
	switch {
	case e.Action == plan.Reuse && e.PriorKey != "" && e.PriorKey != e.Key:
		return "is reused: its last run was another one, but an earlier run made exactly this"
	case e.Action == plan.Reuse:
		return "is reused: nothing that its result depends on has changed"
	case e.Action == plan.Drop:
		return "is dropped: " + strings.Join(e.Reasons, ", ")
	case e.PriorKey == "":
		return "runs for the first time: " + strings.Join(e.Reasons, ", ")
	}
	return "runs again: " + strings.Join(e.Reasons, ", ")
}

func whyDetails(w io.Writer, e *plan.Explanation, style Style) {
	for _, d := range e.Details {
		fmt.Fprintf(w, "  %s: %s\n", d.Reason, d.About)
	}
	for _, d := range e.Dates {
		fmt.Fprintf(w, "  filter: %s\n", d)
	}
	if e.Key == "" {
		return
	}
	fmt.Fprintf(w, "  key %s", e.Key[:16])
	if e.PriorKey != "" && e.PriorKey != e.Key {
		fmt.Fprintf(w, ", was %s", e.PriorKey[:16])
	}
	fmt.Fprintln(w)
	for _, s := range e.Settings {
		switch {
		case s.Same:
			fmt.Fprintf(w, "    %s %s  %s\n", style.Dim("="), pad(s.Name, 24), style.Dim(clip(s.Now, 60)))
		case s.Now == "" && s.Before != "":
			fmt.Fprintf(w, "    %s %s  %s\n", style.Red("-"), pad(s.Name, 24), clip(s.Before, 60))
		case s.Before == "":
			fmt.Fprintf(w, "    %s %s  %s\n", style.Green("+"), pad(s.Name, 24), clip(s.Now, 60))
		default:
			fmt.Fprintf(w, "    %s %s  %s → %s\n", style.Yellow("~"), pad(s.Name, 24), clip(s.Before, 60), clip(s.Now, 60))
		}
	}
	if e.PriorKey == "" {
		return
	}
	fmt.Fprintf(w, "    %s %s\n", style.Dim("="), style.Dim(count(e.Unchanged, "input")+" as before"))
	for i, in := range e.Inputs {
		if i == whyInputs && len(e.Inputs) > whyInputs+1 {
			fmt.Fprintf(w, "    … and %s\n", count(len(e.Inputs)-i, "more input"))
			return
		}
		whyInput(w, in, style)
	}
}

func whyInput(w io.Writer, in plan.InputDiff, style Style) {
	tabs := strings.NewReplacer("\t", " ")
	switch {
	case in.Before == "":
		fmt.Fprintf(w, "    %s %s  %s\n", style.Green("+"), in.Name, clip(tabs.Replace(in.Now), 80))
	case in.Now == "":
		fmt.Fprintf(w, "    %s %s  %s\n", style.Red("-"), in.Name, clip(tabs.Replace(in.Before), 80))
	default:
		fmt.Fprintf(w, "    %s %s  %s → %s\n", style.Yellow("~"), in.Name, clip(tabs.Replace(in.Before), 60), clip(tabs.Replace(in.Now), 60))
	}
}
