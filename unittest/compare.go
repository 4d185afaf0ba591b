package unittest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/unittest/jsonvalue"
)

// result is what a stage gave.
type result struct {
	form  job.Form
	pairs []lang.Pair // sorted by key
	lines []string    // as the output format text writes it
}

// rows are the pairs, or the lines of a result that is text.
func (r *result) rows() []Row {
	rows := []Row{}
	if r.form == job.FormLines {
		for _, line := range r.lines {
			rows = append(rows, lineRow(line))
		}
		return rows
	}
	for _, p := range r.pairs {
		rows = append(rows, pairRow(p))
	}
	return rows
}

func lineRow(line string) Row { return Row{Line: &line} }

func pairRow(p lang.Pair) Row {
	row := Row{Key: json.RawMessage(p.Key)}
	if p.Value != "" {
		row.Value = json.RawMessage(byName(p.Value))
	}
	return row
}

// byName writes the members of objects by name, so that two values can be read side by side. Text that is not UTF-8, which
// is half of a surrogate pair in JSON, stays as it is.
func byName(value string) string {
	if !strings.Contains(value, "{") || strings.Contains(value, `\ud`) {
		return value
	}
	v, err := jsonvalue.Parse(value)
	if err != nil {
		return value
	}
	return jsonvalue.Text(v)
}

// textLines writes results as text.
func textLines(form job.Form, parts []job.Part) ([]string, error) {
	var b bytes.Buffer
	for _, p := range parts {
		src, err := pairs.Part(p)()
		if err != nil {
			return nil, err
		}
		err = pairs.WriteText(&b, form, src)
		src.Close()
		if err != nil {
			return nil, err
		}
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, nil
}

// comparison says how expected and actual pairs are compared.
type comparison struct {
	tolerance float64
	texts     bool   // the program knows nothing but text, so that 3 means "3"
	contract  string // of the stage
}

// compare lists the pairs, or lines, of the result and of what is expected, by key, those that are alike included.
func (r *result) compare(want *lang.Expect, c comparison) []Difference {
	if want.Lines == nil && r.form != job.FormLines {
		return r.comparePairs(c.expected(want.Pairs), c.tolerance)
	}
	lines := want.Lines
	separator := "\t"
	if c.contract == "telemetry-analysis" {
		separator = " "
	}
	for _, p := range want.Pairs {
		line := plain(p.Key)
		if p.Value != "" {
			line += separator + plain(p.Value)
		}
		lines = append(lines, line)
	}
	return compareLines(lines, r.lines)
}

// expected are the expected pairs in the terms of the stage.
func (c comparison) expected(want []lang.Pair) []lang.Pair {
	if !c.texts {
		return want
	}
	out := make([]lang.Pair, len(want))
	for i, p := range want {
		out[i] = lang.Pair{Key: quote(plain(p.Key)), Value: p.Value}
		if p.Value != "" {
			out[i].Value = quote(plain(p.Value))
		}
	}
	return out
}

func (r *result) comparePairs(want []lang.Pair, tolerance float64) []Difference {
	left := slices.Clone(want)
	var out []Difference
	var unexpected []lang.Pair
	for _, got := range r.pairs {
		i := slices.IndexFunc(left, func(p lang.Pair) bool {
			return sameKey(p, got) && jsonvalue.EqualText(p.Value, got.Value, tolerance)
		})
		if i < 0 {
			unexpected = append(unexpected, got)
			continue
		}
		row := pairRow(got)
		out = append(out, Difference{Change: Same, Expected: &row, Result: &row})
		left = slices.Delete(left, i, i+1)
	}
	for _, got := range unexpected {
		row := pairRow(got)
		d := Difference{Change: Unexpected, Result: &row}
		if i := slices.IndexFunc(left, func(p lang.Pair) bool { return sameKey(p, got) }); i >= 0 {
			was := pairRow(left[i])
			d.Change, d.Expected, d.Places = Changed, &was, places(left[i].Value, got.Value, tolerance)
			left = slices.Delete(left, i, i+1)
		}
		out = append(out, d)
	}
	for _, p := range left {
		row := pairRow(p)
		out = append(out, Difference{Change: Missing, Expected: &row})
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return bytes.Compare(a.order(), b.order()) })
	return out
}

// order is what differences are sorted by: the key.
func (d Difference) order() []byte {
	row := d.Expected
	if row == nil {
		row = d.Result
	}
	key, err := pairs.AppendKey(nil, row.Key)
	if err != nil {
		return row.Key
	}
	return key
}

func sameKey(a, b lang.Pair) bool { return jsonvalue.EqualText(a.Key, b.Key, 0) }

// places say where two values differ, when that is inside of them.
func places(want, got string, tolerance float64) []string {
	var out []string
	for _, d := range jsonvalue.Differences(want, got, tolerance) {
		if d.Path == "" {
			return nil
		}
		out = append(out, fmt.Sprintf("%s %s → %s", d.Path, orNothing(d.A), orNothing(d.B)))
	}
	return out
}

func orNothing(value string) string {
	if value == "" {
		return "(nothing)"
	}
	return value
}

// compareLines compares texts in any order.
func compareLines(want, got []string) []Difference {
	left := slices.Clone(want)
	var out []Difference
	for _, line := range got {
		row := lineRow(line)
		if i := slices.Index(left, line); i >= 0 {
			left = slices.Delete(left, i, i+1)
			out = append(out, Difference{Change: Same, Expected: &row, Result: &row})
			continue
		}
		out = append(out, Difference{Change: Unexpected, Result: &row})
	}
	for _, line := range left {
		row := lineRow(line)
		out = append(out, Difference{Change: Missing, Expected: &row})
	}
	text := func(d Difference) string {
		if d.Expected != nil {
			return *d.Expected.Line
		}
		return *d.Result.Line
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return strings.Compare(text(a), text(b)) })
	return out
}
