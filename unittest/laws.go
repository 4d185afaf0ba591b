package unittest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/unittest/laws"
)

// lawTime is the longest time that the check of a reduce may take.
const lawTime = time.Minute

// laws checks the laws of a reduce with the pairs of tests.
func (r *runner) laws(ctx context.Context, reduce addr.Stage, exhibits []exhibit) (res Law) {
	began := time.Now()
	res = Law{Stage: reduce.String(), Laws: []string{}, Violations: []Violation{}}
	defer func() {
		res.Seconds = time.Since(began).Seconds()
		res.Passed = res.Message == "" && len(res.Violations) == 0
	}()
	tooLong := fmt.Errorf("it took longer than %s", lawTime)
	ctx, cancel := context.WithTimeoutCause(ctx, lawTime, tooLong)
	defer cancel()
	for _, e := range exhibits {
		code := r.codeOf(reduce, e.form)
		rep, err := laws.Check(ctx, code, e.groups, laws.Options{
			Laws: e.laws, Combine: r.templates[reduce].Combine, Seed: r.o.Seed, Tolerance: e.tolerance, Slow: code.slow(),
		})
		code.close()
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if res.Message = err.Error(); errors.Is(err, tooLong) {
				res.Message += "; laws = false in the tests leaves the check out"
			}
			return res
		}
		res.take(rep)
	}
	return res
}

// take adds a report, of each law only the first counterexample.
func (l *Law) take(rep *laws.Report) {
	l.Calls += rep.Calls
	for _, name := range rep.Laws {
		if !slices.Contains(l.Laws, name) {
			l.Laws = append(l.Laws, name)
		}
	}
	for _, v := range rep.Violations {
		if slices.ContainsFunc(l.Violations, func(o Violation) bool { return o.Law == v.Law }) {
			continue
		}
		out := Violation{
			Law: v.Law, Key: json.RawMessage(v.Key), MadeUp: v.MadeUp, Rounding: v.Rounding(), First: newWay(v.First), Second: newWay(v.Second),
		}
		for _, value := range v.Values {
			out.Values = append(out.Values, json.RawMessage(value))
		}
		l.Violations = append(l.Violations, out)
	}
}

func newWay(w laws.Way) Way {
	out := Way{Expression: w.Expression, Result: []Row{}}
	if w.Outcome.Err != nil {
		out.Error = w.Outcome.Err.Error()
	}
	for _, p := range w.Outcome.Pairs {
		row := Row{Key: json.RawMessage(p.Key)}
		if p.Value != "" {
			row.Value = json.RawMessage(p.Value)
		}
		out.Result = append(out.Result, row)
	}
	return out
}
