package unittest

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tafc/tafc/lang"
)

// Paste writes rows as the argument expect of a test block, in canonical form: an object where all keys are texts that differ and
// have values, else a list of pairs, or of lines. Text that is not UTF-8 is lost in it.
func Paste(rows []Row) string {
	var b strings.Builder
	open, shut := "[", "]"
	if byKey(rows) {
		open, shut = "{", "}"
	}
	b.WriteString("expect = " + open + "\n")
	for _, row := range rows {
		switch {
		case row.Line != nil:
			b.WriteString(literal([]byte(quote(*row.Line))) + ",\n")
		case open == "{":
			key := literal(row.Key)
			if name := plain(string(row.Key)); hclsyntax.ValidIdentifier(name) {
				key = name
			}
			b.WriteString(key + " = " + literal(row.Value) + "\n")
		case len(row.Value) == 0:
			b.WriteString("[" + literal(row.Key) + "],\n")
		default:
			b.WriteString("[" + literal(row.Key) + ", " + literal(row.Value) + "],\n")
		}
	}
	b.WriteString(shut + "\n")
	return string(lang.Format([]byte(b.String())))
}

// byKey tells whether rows can be written as an object.
func byKey(rows []Row) bool {
	seen := map[string]bool{}
	for _, row := range rows {
		key := string(row.Key)
		if row.Line != nil || !strings.HasPrefix(key, `"`) || len(row.Value) == 0 || seen[key] {
			return false
		}
		seen[key] = true
	}
	return len(rows) > 0
}

// literal is a JSON value as the language writes it, on one line.
func literal(text []byte) string {
	t, err := ctyjson.ImpliedType(text)
	if err != nil {
		return string(text)
	}
	v, err := ctyjson.Unmarshal(text, t)
	if err != nil {
		return string(text)
	}
	return inline(v)
}

func inline(v cty.Value) string {
	t := v.Type()
	if v.IsNull() || !t.IsObjectType() && !t.IsTupleType() {
		return string(hclwrite.TokensForValue(v).Bytes())
	}
	var parts []string
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if t.IsTupleType() {
			parts = append(parts, inline(e))
			continue
		}
		name := k.AsString()
		if !hclsyntax.ValidIdentifier(name) {
			name = string(hclwrite.TokensForValue(k).Bytes())
		}
		parts = append(parts, name+" = "+inline(e))
	}
	if t.IsTupleType() {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if len(parts) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}
