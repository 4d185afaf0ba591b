package lang

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// valueText is a value as compact JSON, the members of objects by name. why says what the value holds that JSON has not; then
// the text is empty.
func valueText(v cty.Value) (text, why string) {
	var b strings.Builder
	if why := appendJSON(&b, v); why != "" {
		return "", why
	}
	return b.String(), ""
}

func appendJSON(b *strings.Builder, v cty.Value) (why string) {
	if v.IsNull() {
		b.WriteString("null")
		return ""
	}
	switch t := v.Type(); {
	case t == cty.String:
		b.WriteString(quoteJSON(v.AsString()))
	case t == cty.Bool && v.True():
		b.WriteString("true")
	case t == cty.Bool:
		b.WriteString("false")
	case t == cty.Number:
		b.WriteString(numberText(v))
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		b.WriteByte('[')
		for i, e := range v.AsValueSlice() {
			if i > 0 {
				b.WriteByte(',')
			}
			if why := appendJSON(b, e); why != "" {
				return why
			}
		}
		b.WriteByte(']')
	case t.IsObjectType() || t.IsMapType():
		b.WriteByte('{')
		first := true
		for it := v.ElementIterator(); it.Next(); first = false {
			k, e := it.Element()
			if !first {
				b.WriteByte(',')
			}
			b.WriteString(quoteJSON(k.AsString()) + ":")
			if why := appendJSON(b, e); why != "" {
				return why
			}
		}
		b.WriteByte('}')
	default:
		return describeType(v)
	}
	return ""
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // texts always can be
	return strings.TrimSuffix(b.String(), "\n")
}

// numberText writes numbers of usual size without an exponent.
func numberText(v cty.Value) string {
	f := v.AsBigFloat()
	if exp := f.MantExp(nil); exp > 70 || exp < -70 {
		return f.Text('g', -1)
	}
	return f.Text('f', -1)
}
