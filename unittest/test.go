package unittest

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// test runs one test and judges it.
func (r *runner) test(ctx context.Context, t *lang.Test, seen *evidence) (res Test) {
	began := time.Now()
	res = Test{Name: t.Name, Stage: t.Stage.String(), Filename: t.DeclRange.Filename, Line: t.DeclRange.Start.Line, Result: []Row{}}
	defer func() {
		res.Seconds = time.Since(began).Seconds()
		res.Passed = res.Message == ""
	}()
	dir, err := os.MkdirTemp(r.dir, "test-")
	if err != nil {
		res.Message = err.Error()
		return res
	}
	out, err := r.run(ctx, t, dir, seen)
	if err != nil {
		res.Message = "the test cannot be run: " + err.Error()
		return res
	}
	res.Log = out.log
	if out.report.Cause != job.CauseDone {
		r.judgeFailure(t, out, &res)
		return res
	}
	got, err := newResult(out)
	if err != nil {
		res.Message = "the result cannot be read: " + err.Error()
		return res
	}
	res.Result = got.rows()
	judgeBad(t, out, &res)
	switch {
	case res.Message != "":
	case t.ExpectError != "" && t.ExpectBad == 0:
		res.Message = fmt.Sprintf("the code ran to its end, but an error is expected that /%s/ finds something in", t.ExpectError)
	case t.Expect == nil:
		res.Unasserted = t.ExpectBad == 0
	default:
		r.compare(t, out, got, &res)
	}
	return res
}

// judgeFailure decides whether a failure of the code is the one that the test expects.
func (r *runner) judgeFailure(t *lang.Test, out *outcome, res *Test) {
	cause := out.report.Cause
	users := slices.Contains([]job.Cause{job.CauseCode, job.CauseCorrupt, job.CauseMemory, job.CauseTimeout}, cause)
	expected := t.ExpectError != "" && t.ExpectBad == 0 && out.stage == t.Stage
	if users && expected && found(t.ExpectError, errorText(out.report.Failure)) {
		return
	}
	res.Failure = out.report.Failure
	switch {
	case users && expected:
		res.Message = fmt.Sprintf("the code failed with another error than the expected one: /%s/ finds nothing in it", t.ExpectError)
	case out.stage != t.Stage:
		res.Message = fmt.Sprintf("%s failed, whose result %s reads", out.stage, t.Stage)
	case cause == job.CauseCorrupt:
		res.Message = "a record does not parse"
	case users:
		res.Message = "the code failed"
	default:
		res.Message = fmt.Sprintf("the stage could not be run (%s)", cause)
	}
	if res.Failure != nil && strings.HasPrefix(res.Failure.Hint, "tolerate ") {
		res.Failure.Hint = "where such records are expected, expect_bad_records = 1 sets them aside, and expect_error says how they fail"
	}
	r.noteFormat(t, res)
}

// errorText is what expect_error looks at: the message, and the stack, or what a streaming program wrote to standard error.
func errorText(f *job.Failure) string {
	if f == nil {
		return ""
	}
	return f.Message + "\n" + f.Stack
}

func found(pattern, text string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text) // lang has compiled it before
}

// judgeBad compares the bad records with those that the test expects.
func judgeBad(t *lang.Test, out *outcome, res *Test) {
	if t.ExpectBad == 0 {
		return
	}
	if n := len(out.bad); n != t.ExpectBad {
		res.Message = fmt.Sprintf("%s bad, but %d are expected", plural(n, "record is", "records are"), t.ExpectBad)
		for _, message := range out.bad {
			res.Notes = append(res.Notes, "bad record: "+message)
		}
		return
	}
	for _, message := range out.bad {
		if t.ExpectError != "" && !found(t.ExpectError, message) {
			res.Message = fmt.Sprintf("a record is bad for another reason than the expected one: /%s/ finds nothing in %q", t.ExpectError, message)
			return
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// compare compares a result with what the test expects.
func (r *runner) compare(t *lang.Test, out *outcome, got *result, res *Test) {
	m := r.templates[t.Stage]
	differences := got.compare(t.Expect, comparison{tolerance: t.FloatTolerance, texts: streaming(m.Spec), contract: contract(m.Spec)})
	if !slices.ContainsFunc(differences, func(d Difference) bool { return d.Change != Same }) {
		return
	}
	res.Message = "the result is not the expected one"
	res.Difference = differences
	if n := out.report.Counters["taf.no_value"]; n > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("the function returned nothing for %s, which therefore has no pair", plural(int(n), "key", "keys")))
	}
	r.noteFormat(t, res)
}

// noteFormat explains why objects may have come as texts.
func (r *runner) noteFormat(t *lang.Test, res *Test) {
	if t.Pairs != nil {
		return
	}
	m := r.chain(t)[0]
	if m.Spec.Format == "lines" && m.Stage.Format == "" && m.Layout == nil &&
		slices.ContainsFunc(t.Records, func(x lang.Record) bool { return x.JSON }) {
		res.Notes = append(res.Notes, fmt.Sprintf("the records were read as lines of text, because nothing in the analysis says another format: write it in %s, such as format = \"jsonl\"", m.Stage.Addr()))
	}
}

func streaming(s job.Spec) bool { return contract(s) == "streaming" }

// contract is how the code of a stage is called; empty for a ready-made operation, which has none.
func contract(s job.Spec) string {
	switch {
	case len(s.Command) > 0, s.Code != nil && s.Code.Language == "program":
		return "streaming"
	case s.Code == nil:
		return ""
	}
	return s.Code.Contract
}

// newResult reads what a test came to.
func newResult(out *outcome) (*result, error) {
	read, err := readPairs(absolute(out.report.Parts, out.dir))
	if err != nil {
		return nil, err
	}
	res := &result{form: out.report.Form, pairs: read}
	res.lines, err = textLines(out.report.Form, absolute(out.report.Parts, out.dir))
	return res, err
}
