package lang

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// ConditionSchema describes a function that makes a condition, for where and exclude.
type ConditionSchema struct {
	Name    string
	Params  []string // names
	Many    bool     // takes any number of the only parameter, or a list
	Doc     string   // what it holds for
	Dates   bool     // for the date dimension of a layout only
	Records bool     // for fields of records only
}

// Conditions is the table of the functions that make conditions, in the order of the documentation.
func Conditions() []ConditionSchema { return slices.Clone(conditions) }

var conditions = []ConditionSchema{
	{Name: string(OpOneOf), Params: []string{"values"}, Many: true, Doc: "The value is one of them. A text or a list of texts without a function says the same."},
	{Name: string(OpAny), Doc: "Every value."},
	{Name: string(OpBetween), Params: []string{"least", "most"}, Doc: "The value is one of the two bounds or between them, in the order of characters."},
	{Name: string(OpAtLeast), Params: []string{"least"}, Doc: "The value is the bound or comes after it, in the order of characters."},
	{Name: string(OpAtMost), Params: []string{"most"}, Doc: "The value is the bound or comes before it, in the order of characters."},
	{Name: string(OpGlob), Params: []string{"pattern"}, Doc: "The pattern covers the whole value: *, ?, [a-z], {a,b}; a backslash takes the meaning from the next character."},
	{Name: string(OpMatches), Params: []string{"expression"}, Doc: "The regular expression (RE2) is found somewhere in the value as the key has it."},
	{Name: string(OpVersion), Params: []string{"comparisons"}, Doc: "The value is a version for which the comparisons hold, such as \">= 28.0, < 100\": = != > >= < <= ~> with commas between."},
	{Name: string(opDays), Params: []string{"count"}, Dates: true, Doc: "The date is today or one of the days before: so many in all."},
	{Name: string(opSince), Params: []string{"date"}, Dates: true, Doc: "The date is this one or a later one."},
	{Name: string(opLastDay), Dates: true, Doc: "The date is the day before today. It can also be a bound, or stand in a list."},
	{Name: string(opMissing), Records: true, Doc: "The record has no such field: for the where of a map only."},
}

// conditionFunctions are the functions that make conditions.
func conditionFunctions() map[string]function.Function {
	table := map[string]function.Function{}
	for _, c := range conditions {
		spec := &function.Spec{Description: c.Doc}
		for _, p := range c.Params {
			param := function.Parameter{Name: p, Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}
			if c.Many {
				spec.VarParam = &param
				continue
			}
			spec.Params = append(spec.Params, param)
		}
		table[c.Name] = conditionFunction(Op(c.Name), spec)
	}
	return table
}
