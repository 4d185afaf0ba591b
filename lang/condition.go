package lang

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/order"
)

// call is what a condition function evaluates to. Its arguments are checked where it is used, where their ranges are known.
type call struct {
	op   Op
	args []cty.Value
}

var conditionType = cty.Capsule("condition", reflect.TypeFor[call]())

func conditionFunction(op Op, spec *function.Spec) function.Function {
	spec.Type = function.StaticReturnType(conditionType)
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.CapsuleVal(conditionType, &call{op, args}), nil
	}
	return function.New(spec)
}

// condition reads what stands after dimension = in where and exclude.
func (l *loader) condition(dimension string, expr hcl.Expression) (Condition, bool) {
	v, ok := l.eval(expr)
	if !ok {
		return Condition{}, false
	}
	c := conditionReader{loader: l, dimension: dimension}
	if !v.IsNull() && v.Type() == conditionType {
		made := v.EncapsulatedValue().(*call)
		return c.call(made, callRanges(expr, made))
	}
	if isList(v) {
		return c.oneOf(v, elementRanges(expr, v.LengthInt()), expr.Range())
	}
	s, ok := c.value(v, expr.Range())
	return Condition{Op: OpOneOf, Values: []string{s}}, ok
}

func isList(v cty.Value) bool {
	t := v.Type()
	return !v.IsNull() && (t.IsTupleType() || t.IsListType() || t.IsSetType())
}

// callRanges are the ranges of the arguments of a condition, all the whole expression where it is not a call itself.
func callRanges(expr hcl.Expression, made *call) []hcl.Expression {
	args := make([]hcl.Expression, len(made.args))
	static, diags := hcl.ExprCall(expr)
	for i := range args {
		args[i] = expr
		if !diags.HasErrors() && static.Name == string(made.op) && len(static.Arguments) == len(args) {
			args[i] = static.Arguments[i]
		}
	}
	return args
}

type conditionReader struct {
	*loader
	dimension string
}

func (c conditionReader) call(made *call, at []hcl.Expression) (Condition, bool) {
	if made.op == OpOneOf {
		if len(made.args) == 1 && isList(made.args[0]) {
			return c.oneOf(made.args[0], elementRanges(at[0], made.args[0].LengthInt()), at[0].Range())
		}
		ranges := make([]hcl.Range, len(at))
		for i, e := range at {
			ranges[i] = e.Range()
		}
		return c.oneOf(cty.TupleVal(made.args), ranges, hcl.Range{})
	}
	if made.dated() {
		return c.dates(made, at)
	}
	if made.op == opMissing {
		c.add(diag.Error("lang/condition-type", "Condition on records", "missing() is for fields of records, in the where of a map: every file has a value of every dimension.", c.here))
		return Condition{}, false
	}
	cond, ok := Condition{Op: made.op}, true
	for i, v := range made.args {
		s, good := c.bound(made.op, v, at[i].Range())
		cond.Values = append(cond.Values, s)
		ok = ok && good
	}
	if !ok {
		return cond, false
	}
	if made.op == OpBetween {
		rng := hcl.RangeBetween(at[0].Range(), at[1].Range())
		return cond, c.ordered(cond.Values[0], cond.Values[1], rng)
	}
	return cond, true
}

func (c conditionReader) ordered(least, most string, rng hcl.Range) bool {
	if least <= most {
		return true
	}
	if order.VersionsAscend(least, most) {
		c.meant(OpVersion, fmt.Sprintf(">= %s, <= %s", least, most))
		c.add(diag.Error("lang/inverted-range", "Inverted range",
			fmt.Sprintf("between(%q, %q) matches nothing: values are compared as texts, character by character, and as a text %q comes after %q. To compare versions write version(\">= %s, <= %s\").", least, most, least, most, least, most), rng))
		return false
	}
	why := "the first bound comes after the second."
	if len(least) != len(most) {
		why += " Values are compared as texts, character by character, so both bounds should have the same length."
	}
	c.meant(OpBetween, most, least)
	c.add(diag.Error("lang/inverted-range", "Inverted range",
		fmt.Sprintf("between(%q, %q) matches nothing: %s Write between(%q, %q).", least, most, why, most, least), rng))
	return false
}

// meant keeps what may have been meant in the place of a condition that is an error.
func (c conditionReader) meant(op Op, values ...string) {
	c.instead = append(c.instead, Condition{Op: op, Values: values})
}

// oneOf reads a list of values; whole is its range, for when it is empty.
func (c conditionReader) oneOf(v cty.Value, ranges []hcl.Range, whole hcl.Range) (Condition, bool) {
	if v.LengthInt() == 0 {
		c.emptyList(whole)
		return Condition{}, false
	}
	cond, ok := Condition{Op: OpOneOf}, true
	for i, e := range v.AsValueSlice() {
		if day := asCall(e); day != nil && (day.op == opDays || day.op == opLastDay) {
			ok = c.listDays(&cond, day, ranges[i]) && ok
			continue
		}
		s, good := c.value(e, ranges[i])
		cond.Values = append(cond.Values, s)
		ok = ok && good
	}
	return cond, ok
}

func (c conditionReader) emptyList(rng hcl.Range) {
	if rng == (hcl.Range{}) {
		rng = c.here
	}
	c.meant(OpAny)
	c.add(diag.Error("lang/empty-list", "Empty list of values",
		fmt.Sprintf("An empty list for %s matches nothing. List the values that are wanted, or write any() for all of them.", c.dimension), rng))
}

// value is a text that a dimension is compared with as a whole.
func (c conditionReader) value(v cty.Value, rng hcl.Range) (string, bool) {
	s, ok := c.string(v, rng)
	if !ok {
		c.meantText(OpOneOf, v, rng)
		return "", false
	}
	if s == "*" {
		c.meant(OpAny)
		c.add(diag.Error("lang/star-value", "Star as a value",
			fmt.Sprintf("\"*\" is compared with the values of %s letter by letter, so it matches none of them. Write any() for every value, or glob(…) for a pattern.", c.dimension), rng))
		return "", false
	}
	if hint := c.unwrapped(v); hint != "" {
		c.add(diag.Warning("lang/literal-expression", "Expression as a value",
			fmt.Sprintf("%q is compared with the values of %s letter by letter.%s", s, c.dimension, hint), rng))
	}
	if strings.Contains(s, "*") {
		c.add(diag.Warning("lang/literal-star", "Pattern as a value",
			fmt.Sprintf("%q is compared with the values of %s letter by letter, the star too. For a pattern write glob(%q).", s, c.dimension, s), rng))
	}
	return s, true
}

// bound is an argument of a condition other than oneof.
func (c conditionReader) bound(op Op, v cty.Value, rng hcl.Range) (string, bool) {
	s, ok := c.string(v, rng)
	if !ok {
		c.meantText(op, v, rng)
		return "", false
	}
	if problem := badPattern(op, s); problem != nil {
		c.add(diag.Error(problem.code, problem.summary, problem.detail, rng))
		return "", false
	}
	return s, true
}

// string refuses numbers: as a text, 29.0 would become 29.
func (c conditionReader) string(v cty.Value, rng hcl.Range) (string, bool) {
	var detail string
	switch t := v.Type(); {
	case v.IsNull():
		detail = "null is not a condition. Write any() for every value, or remove the line."
	case t == cty.String:
		return v.AsString(), true
	case t == cty.Number || t == cty.Bool:
		detail = fmt.Sprintf("The values of dimensions are texts, and a text is not the same as %s: 29.0 and 29 are one number, but two versions.%s", describeType(v), c.quote(rng))
	case t == refType:
		detail = fmt.Sprintf("A dimension is compared with texts, but this is %s.", describeType(v))
	case t == conditionType:
		detail = "A condition cannot be part of another one. Write one condition, or a list of texts."
	case t.IsObjectType() || t.IsMapType():
		detail = "A dimension is compared with texts, but this is a map. " + c.rangeOf(v)
	default:
		detail = fmt.Sprintf("A text is needed here, but this is %s. For several values write a list of texts.", describeType(v))
	}
	c.add(diag.Error("lang/condition-type", "Condition is not a text", detail, rng))
	return "", false
}

// meantText keeps what a condition with one value means when what is no text becomes one.
func (c conditionReader) meantText(op Op, v cty.Value, rng hcl.Range) {
	switch t := v.Type(); {
	case v.IsNull():
		c.meant(OpAny)
	case t.IsObjectType() || t.IsMapType():
		if cond, ok := boundsOf(v); ok {
			c.instead = append(c.instead, cond)
		} else {
			c.meant(OpAny)
		}
	case t == cty.Number && op != OpBetween:
		if s, ok := c.literal(rng); ok {
			c.meant(op, s)
		}
	}
}

// rangeOf says how a map that was meant as a range is written.
func (c conditionReader) rangeOf(v cty.Value) string {
	if cond, ok := boundsOf(v); ok {
		return fmt.Sprintf("For this range write %s.", cond)
	}
	return "For a range write between(least, most), atleast(…) or atmost(…)."
}

// boundsOf is the range that a map means, in the manner of a Filter.json: { min = "…", max = "…" }.
func boundsOf(v cty.Value) (Condition, bool) {
	bounds := map[string]string{}
	for name, value := range v.AsValueMap() {
		side := map[string]string{"min": "min", "minimum": "min", "max": "max", "maximum": "max"}[strings.ToLower(name)]
		if _, twice := bounds[side]; side == "" || twice || value.IsNull() || value.Type() != cty.String {
			return Condition{}, false
		}
		bounds[side] = value.AsString()
	}
	least, low := bounds["min"]
	most, high := bounds["max"]
	switch {
	case low && high && least <= most:
		return Condition{Op: OpBetween, Values: []string{least, most}}, true
	case low && !high:
		return Condition{Op: OpAtLeast, Values: []string{least}}, true
	case high && !low:
		return Condition{Op: OpAtMost, Values: []string{most}}, true
	}
	return Condition{}, false
}

// quote offers the source of a number in quotes.
func (c conditionReader) quote(rng hcl.Range) string {
	if s, ok := c.literal(rng); ok {
		return fmt.Sprintf(" Write \"%s\".", s)
	}
	return " Write it in quotes."
}

// literal is the source of a number or a word.
func (c conditionReader) literal(rng hcl.Range) (string, bool) {
	if !rng.CanSliceBytes(c.src) {
		return "", false
	}
	s := string(rng.SliceBytes(c.src))
	return s, !strings.ContainsAny(s, " .()[]\n\"") || !strings.ContainsAny(s, " ()[]\n\"abcdefghijklmnopqrstuvwxyz_")
}
