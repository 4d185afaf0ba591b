package view

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tafc/tafc/unittest"
)

// Tests prints how each test and each check of laws went, then how many of them passed. With verbose it also prints what the
// code printed and what came out of the tests that passed.
func Tests(w io.Writer, doc *unittest.Document, verbose bool, style Style) {
	if len(doc.Tests) == 0 {
		fmt.Fprintf(w, "%s has no tests. Write one: test \"NAME\" { … }, see docs/language.md.\n", doc.Analysis)
		return
	}
	t := testPrinter{w: w, style: style, verbose: verbose, seed: doc.Seed}
	for i := range doc.Tests {
		t.width = max(t.width, len([]rune(doc.Tests[i].Name)))
	}
	for i := range doc.Tests {
		t.stages = max(t.stages, len(doc.Tests[i].Stage))
	}
	t.width = min(t.width, 60)
	for i := range doc.Tests {
		t.test(&doc.Tests[i])
	}
	for i := range doc.Laws {
		t.law(&doc.Laws[i])
	}
	verdict := style.Green(fmt.Sprintf("%d passed", doc.Passed))
	if doc.Failed > 0 {
		verdict = fmt.Sprintf("%d passed, %s", doc.Passed, style.Red(fmt.Sprintf("%d failed", doc.Failed)))
	}
	fmt.Fprintln(w, verdict)
}

type testPrinter struct {
	w       io.Writer
	style   Style
	verbose bool
	seed    uint64
	width   int // of the names
	stages  int // of the stages' addresses
}

func (t *testPrinter) line(format string, args ...any) { fmt.Fprintf(t.w, format+"\n", args...) }

func (t *testPrinter) mark(passed bool) string {
	if passed {
		return t.style.Green("ok  ")
	}
	return t.style.Red("FAIL")
}

func (t *testPrinter) test(x *unittest.Test) {
	where := ""
	if !x.Passed {
		where = fmt.Sprintf("   %s line %d", x.Filename, x.Line)
	}
	t.line("%s  %s   %s   %s%s", t.mark(x.Passed), t.style.Bold(pad(printable(x.Name), t.width)), pad(x.Stage, t.stages), seconds(x.Seconds), where)
	if x.Message != "" {
		t.line("    %s", printable(x.Message))
	}
	t.differences(x.Difference)
	if x.Failure != nil {
		failureLines(t.w, x.Failure)
	}
	for _, note := range x.Notes {
		t.line("    %-8s %s", "note", printable(note))
	}
	if !x.Passed || t.verbose {
		for i, line := range x.Log {
			label := ""
			if i == 0 {
				label = "printed"
			}
			t.line("    %-8s %s", label, printable(line))
		}
	}
	shown := x.Failure == nil && len(x.Difference) == 0 && !x.Passed && len(x.Result) > 0
	switch {
	case x.Unasserted:
		t.line("    the test says nothing of the result; what came out, ready to paste:")
		t.indented(unittest.Paste(x.Result))
	case t.verbose && x.Passed || shown:
		t.line("    what came out:")
		t.indented(unittest.Paste(x.Result))
	}
}

func (t *testPrinter) indented(text string) {
	for line := range strings.Lines(text) {
		t.line("      %s", printable(strings.TrimRight(line, "\n")))
	}
}

// context is how many pairs that are as expected are shown around a difference.
const context = 3

// differences prints pairs, one a line, those that differ with a mark.
func (t *testPrinter) differences(all []unittest.Difference) {
	if len(all) == 0 {
		return
	}
	t.line("    %s missing, %s not expected, %s another value", t.style.Red("-"), t.style.Green("+"), t.style.Yellow("~"))
	near := func(i int) bool {
		return slices.ContainsFunc(all[max(0, i-context):min(len(all), i+context+1)], func(d unittest.Difference) bool { return d.Change != unittest.Same })
	}
	skipped := 0
	for i, d := range all {
		if !near(i) {
			skipped++
			continue
		}
		t.skipped(&skipped)
		t.difference(d)
	}
	t.skipped(&skipped)
}

func (t *testPrinter) skipped(n *int) {
	if *n > 0 {
		t.line("        %s", t.style.Dim(fmt.Sprintf("… %s as expected", number(*n))))
	}
	*n = 0
}

// longChange is from how many characters on the two values of a pair stand below one another.
const longChange = 60

// fewPlaces is up to how many places in a value are shown instead of the value.
const fewPlaces = 3

func (t *testPrinter) difference(d unittest.Difference) {
	switch d.Change {
	case unittest.Same:
		t.line("        %s", rowText(*d.Result))
	case unittest.Missing:
		t.line("      %s", t.style.Red("- "+rowText(*d.Expected)))
	case unittest.Unexpected:
		t.line("      %s", t.style.Green("+ "+rowText(*d.Result)))
	case unittest.Changed:
		was, is := valueText(*d.Expected), valueText(*d.Result)
		if n := len(d.Places); n > 0 && n <= fewPlaces {
			t.line("      %s", t.style.Yellow("~ "+keyText(*d.Expected)+"  "+printable(strings.Join(d.Places, ", "))))
			return
		}
		if len(was)+len(is) <= longChange {
			t.line("      %s", t.style.Yellow("~ "+keyText(*d.Expected)+"  "+was+" → "+is))
			return
		}
		t.line("      %s", t.style.Yellow("~ "+keyText(*d.Expected)))
		t.line("          %s", t.style.Red("expected  "+was))
		t.line("          %s", t.style.Green("came out  "+is))
	}
}

// rowText is a pair as JSON, or a line as it is.
func rowText(r unittest.Row) string {
	if r.Line != nil {
		return printable(*r.Line)
	}
	return strings.TrimRight(keyText(r)+"  "+printable(string(r.Value)), " ")
}

func keyText(r unittest.Row) string { return printable(string(r.Key)) }

func valueText(r unittest.Row) string {
	if len(r.Value) == 0 {
		return "(no value)"
	}
	return printable(string(r.Value))
}

func seconds(s float64) string { return duration(time.Duration(s * float64(time.Second))) }

// lawWords say what a law means for the values of a key.
var lawWords = map[string]string{
	"deterministic": "the same values give another result the second time",
	"commutative":   "the values in another order give another result",
	"associative":   "putting some of the values together before gives another result",
}

func (t *testPrinter) law(x *unittest.Law) {
	laws := strings.Join(x.Laws, ", ")
	if laws != "" {
		laws = ": " + laws
	}
	t.line("%s  %s%s   %s   %s", t.mark(x.Passed), t.style.Bold("laws of "+x.Stage), laws, count(x.Calls, "call"), seconds(x.Seconds))
	if x.Message != "" {
		t.line("    the check could not be made: %s", printable(x.Message))
	}
	for i := range x.Violations {
		t.violation(&x.Violations[i])
	}
}

func (t *testPrinter) violation(v *unittest.Violation) {
	t.line("    not %s: %s", v.Law, lawWords[v.Law])
	width := max(len([]rune(v.First.Expression)), len([]rune(v.Second.Expression)))
	if width > 100 {
		width = 0
	}
	for _, way := range []unittest.Way{v.First, v.Second} {
		t.line("      %s  %s", pad(printable(way.Expression), width), t.style.Yellow(resultText(v.Key, way)))
	}
	switch {
	case v.Rounding:
		t.line("    %-8s the results differ by rounding only: add up whole numbers, or write float_tolerance = 1e-6 in the tests", "hint")
	case v.Law == "deterministic":
		t.line("    %-8s the code must not depend on chance, on the time, or on what it was called with before", "hint")
	case v.Law == "commutative":
		t.line("    %-8s sort what is a list; where the order is known to be right, leave the law out of laws in the tests", "hint")
	case v.Law == "associative":
		t.line("    %-8s what combine returns must stand for its values: a mean, for example, needs their sum and their number", "hint")
	}
	if v.MadeUp {
		t.line("    %-8s the values are made up from those of the tests (seed %d)", "note", t.seed)
	}
}

// resultText is what comes of the values of a key.
func resultText(key json.RawMessage, way unittest.Way) string {
	switch rows := way.Result; {
	case way.Error != "":
		return "fails: " + printable(way.Error)
	case len(rows) == 0:
		return "= (nothing)"
	case len(rows) == 1 && string(rows[0].Key) == string(key):
		return "= " + valueText(rows[0])
	default:
		var all []string
		for _, r := range rows {
			all = append(all, rowText(r))
		}
		return "= " + strings.Join(all, ", ")
	}
}
