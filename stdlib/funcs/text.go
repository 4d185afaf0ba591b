package funcs

import (
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var (
	startsWith   = aboutText("Tells whether a text begins with another.", "prefix", strings.HasPrefix)
	endsWith     = aboutText("Tells whether a text ends with another.", "suffix", strings.HasSuffix)
	containsText = aboutText("Tells whether a text holds another.", "part", strings.Contains)

	allTrue = aboutAll("Tells whether all elements of a list are true.", true)
	anyTrue = aboutAll("Tells whether some element of a list is true.", false)
)

// aboutText makes a function that compares a text with another.
func aboutText(description, param string, f func(s, other string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}, {Name: param, Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// aboutAll makes a function that looks for an element other than usual in a list of true and false.
func aboutAll(description string, usual bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if v.IsNull() || v.True() != usual {
					return cty.BoolVal(!usual), nil
				}
			}
			return cty.BoolVal(usual), nil
		},
	})
}

// lengthFunc is that of go-cty, and for a text the number of its characters.
var lengthFunc = function.New(&function.Spec{
	Description: "The number of elements of a list, set or map, or of characters of a text.",
	Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if t := args[0].Type(); !t.IsCollectionType() && !t.IsTupleType() && !t.IsObjectType() && t != cty.String && t != cty.DynamicPseudoType {
			return cty.NilType, function.NewArgErrorf(0, "a list, a set, a map or a text is needed")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch t := args[0].Type(); {
		case t == cty.String:
			return stdlib.Strlen(args[0])
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		}
		return args[0].Length(), nil
	},
})

// textValue refuses bytes that are not text, which a cty string would change silently.
func textValue(b []byte) (cty.Value, error) {
	if !utf8.Valid(b) {
		return cty.NilVal, function.NewArgErrorf(0, "the content is not text in UTF-8")
	}
	return cty.StringVal(string(b)), nil
}
