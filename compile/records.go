package compile

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/extract"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/operation"
)

// operationOf is the operation of a stage as a task gets it, nil when it has none.
func operationOf(s *lang.Stage, format string) *job.Operation {
	o := s.Operation
	if o == nil {
		return nil
	}
	return &job.Operation{
		Kind: job.OperationKind(o.Kind), Fields: o.Fields, By: o.By, Buckets: o.Buckets, Width: o.Width, N: o.N, At: o.At,
		Texts: format == "csv" || format == "tsv",
	}
}

func recordConditions(s *lang.Stage) []job.Condition {
	var out []job.Condition
	for _, c := range s.Where {
		j := job.Condition{Field: c.Field, Op: job.Op(c.Op)}
		for _, v := range c.Values {
			j.Values = append(j.Values, json.RawMessage(v))
		}
		out = append(out, j)
	}
	return out
}

// records checks what a stage says of the fields of its records. The format is empty while the index may decide it.
func (r *resolver) records(s *lang.Stage, format string) {
	r.path(s, s.Fields, s.Range("fields"))
	for _, c := range s.Where {
		r.path(s, []string{c.Field}, c.Range)
	}
	if o := operationOf(s, format); o != nil && s.Kind == lang.Map {
		rng := s.Range(s.Operation.Kind)
		if r.path(s, append(o.By[:len(o.By):len(o.By)], o.Fields...), rng) {
			if err := operation.Check(o); err != nil && len(o.Fields) > 0 {
				r.fail("lang/wrong-type", "Wrong type of value", sentence(err), rng)
			}
		}
	}
	what, rng := "", hcl.Range{}
	switch {
	case s.Kind != lang.Map:
	case len(s.Fields) > 0:
		what, rng = "fields", s.Range("fields")
	case len(s.Where) > 0:
		what, rng = "where", s.Range("where")
	case s.Operation != nil:
		what, rng = s.Operation.Kind, s.Range(s.Operation.Kind)
	}
	if what != "" && format == "lines" {
		r.fail("lang/lines-without-fields", "Lines have no fields",
			fmt.Sprintf("%s takes fields out of records, but these are plain lines. Say how the files hold records: format = \"jsonl\", \"csv\", \"tsv\" or \"telemetry\".", what), rng)
	}
}

// path reports paths of fields that are none, and tells whether there is none of them.
func (r *resolver) path(s *lang.Stage, paths []string, rng hcl.Range) bool {
	if _, err := extract.ParseValues(paths); err != nil {
		r.fail("lang/bad-field", "Bad path of a field", sentence(err), rng)
		return false
	}
	return true
}
