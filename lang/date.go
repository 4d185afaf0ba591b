package lang

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/order"
)

// The functions that become OpDates.
const (
	opDays    Op = "days"              // a number of days, the last of which is today
	opSince   Op = "since"             // a date, or later
	opLastDay Op = "last_complete_day" // yesterday
)

// mostDays bounds days, and mostListed what a list can hold of them.
const (
	mostDays   = 36500
	mostListed = 1000
)

func asCall(v cty.Value) *call {
	if v.IsNull() || v.Type() != conditionType {
		return nil
	}
	return v.EncapsulatedValue().(*call)
}

// dated tells whether a call is about dates, by its name or by a bound.
func (c *call) dated() bool {
	switch c.op {
	case opDays, opSince, opLastDay:
		return true
	case OpBetween, OpAtLeast, OpAtMost:
		for _, arg := range c.args {
			if day := asCall(arg); day != nil && day.op == opLastDay {
				return true
			}
		}
	}
	return false
}

// dates makes a range of dates of a call.
func (c conditionReader) dates(made *call, at []hcl.Expression) (Condition, bool) {
	cond := Condition{Op: OpDates, Dated: true, Values: []string{"", ""}}
	switch made.op {
	case opDays:
		n, ok := c.days(made.args[0], at[0].Range())
		cond.Text, cond.Today = fmt.Sprintf("days(%d)", n), true
		cond.Values = []string{c.daysAgo(n - 1), c.daysAgo(0)}
		return cond, ok
	case opLastDay:
		cond.Text, cond.Today = "last_complete_day()", true
		cond.Values = []string{c.daysAgo(1), c.daysAgo(1)}
		return cond, true
	}
	var texts []string
	for i, v := range made.args {
		bound, text, ok := c.date(v, at[i].Range(), &cond)
		if !ok {
			return cond, false
		}
		texts = append(texts, text)
		place := i
		if made.op == OpAtMost {
			place = 1
		}
		cond.Values[place] = bound
	}
	cond.Text = fmt.Sprintf("%s(%s)", made.op, strings.Join(texts, ", "))
	if made.op == OpBetween && cond.Values[0] > cond.Values[1] {
		c.add(diag.Error("lang/inverted-range", "Inverted range",
			fmt.Sprintf("%s matches nothing: the first bound, %s, comes after the second, %s.", cond.Text, cond.Values[0], cond.Values[1]),
			hcl.RangeBetween(at[0].Range(), at[1].Range())))
		return cond, false
	}
	return cond, true
}

// date reads a bound: a date as text, or last_complete_day(). text is what the language writes.
func (c conditionReader) date(v cty.Value, rng hcl.Range, cond *Condition) (bound, text string, ok bool) {
	if day := asCall(v); day != nil && day.op == opLastDay {
		cond.Today = true
		return c.daysAgo(1), "last_complete_day()", true
	}
	s, ok := c.string(v, rng)
	if !ok {
		return "", "", false
	}
	date, ok := order.ParseDate(s)
	if !ok {
		c.add(diag.Error("lang/bad-date", "Bad date",
			fmt.Sprintf("%q is not a date. Write year, month and day, such as \"2014-03-08\" or \"20140308\".", s), rng))
		return "", "", false
	}
	return date.Format(order.DateForm), fmt.Sprintf("%q", s), true
}

// days reads how many days are meant.
func (c conditionReader) days(v cty.Value, rng hcl.Range) (int, bool) {
	n, err := convert.Convert(v, cty.Number)
	if err != nil || n.IsNull() {
		c.add(diag.Error("lang/condition-type", "Condition is not a number", fmt.Sprintf("days takes a number of days, such as days(7), but this is %s.", describeType(v)), rng))
		return 0, false
	}
	count, accuracy := n.AsBigFloat().Int64()
	if accuracy != big.Exact || count < 1 || count > mostDays {
		c.outOfRange("count", rng, fmt.Sprintf("a whole number of days from 1 to %d", mostDays), n)
		return 0, false
	}
	return int(count), true
}

// daysAgo is a day, counted from today.
func (l *loader) daysAgo(n int) string {
	return order.Day(l.now).AddDate(0, 0, -n).Format(order.DateForm)
}

// listDays puts the days of a call into a list of values, in every spelling.
func (c conditionReader) listDays(cond *Condition, made *call, rng hcl.Range) bool {
	first, n := 1, 1
	if made.op == opDays {
		count, ok := c.days(made.args[0], rng)
		if !ok {
			return false
		}
		if count > mostListed {
			c.outOfRange("count", rng, fmt.Sprintf("at most %d days inside a list", mostListed), made.args[0])
			return false
		}
		first, n = 0, count
	}
	cond.Dated, cond.Today = true, true
	for i := range n {
		cond.Values = append(cond.Values, order.DateSpellings(order.Day(c.now).AddDate(0, 0, -first-i))...)
	}
	return true
}

// dateDimension reports a condition on dates for what is none, where the file tells.
func (l *loader) dateDimension(name, index string, rng hcl.Range) bool {
	date, known := l.dates[index]
	if !known || date == name {
		return true
	}
	var opts []diag.Option
	if b := l.scope.blocks[ref{"index", index}]; b != nil {
		opts = append(opts, diag.WithRelated("the layout", b.Range("layout")))
	}
	l.add(NotADate(name, index, date, rng, opts...))
	return false
}

// NotADate says that a condition on dates is about a dimension that is no date. date is the dimension that is one, or empty.
func NotADate(name, index, date string, rng hcl.Range, opts ...diag.Option) *hcl.Diagnostic {
	fix := fmt.Sprintf("Its layout has no date; if %s is one, say so in the layout: {%s:date}.", name, name)
	if date != "" {
		fix = fmt.Sprintf("Its date is %s: write the condition for that, or compare %s with between, atleast or atmost.", date, name)
	}
	return diag.Error("lang/not-a-date", "Condition on dates",
		fmt.Sprintf("days, since and last_complete_day are for dates, and %s of the index %q is none. %s", name, index, fix), rng, opts...)
}

// Meaning is the term as the language writes it, with the dates that it is about when it counts from today:
// day = days(7): 2014-03-02 to 2014-03-08.
func (t Term) Meaning() string {
	c := t.Condition
	if !c.Today || c.Op != OpDates {
		return t.String()
	}
	dates := c.Values[0] + " to " + c.Values[1]
	switch {
	case c.Values[0] == c.Values[1]:
		dates = c.Values[0]
	case c.Values[1] == "":
		dates = "from " + c.Values[0]
	case c.Values[0] == "":
		dates = "to " + c.Values[1]
	}
	return t.String() + ": " + dates
}
