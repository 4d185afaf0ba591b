package tctest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// schema is a small JSON Schema: what the double checks and what it serves under /schemas is the same table. Messages are those of
// the validator that the services use.
type schema struct {
	typ        string // object, array, string, integer, number; empty for anything
	pattern    string
	minLength  int
	maxLength  int
	minimum    *float64
	maximum    *float64
	enum       []string
	format     string // date-time, uri
	items      *schema
	maxItems   int
	unique     bool
	properties []property
	required   []string
	open       bool    // additional properties are welcome
	values     *schema // what additional properties must be
	oneOf      []*schema

	re *regexp.Regexp
}

type property struct {
	name   string
	schema *schema
	fill   any // the default, nil for none
}

func text(pattern string) *schema {
	return &schema{typ: "string", pattern: pattern, re: compiled(pattern)}
}

func short(max int) *schema { return &schema{typ: "string", maxLength: max} }

func date() *schema { return &schema{typ: "string", format: "date-time"} }

func anyObject() *schema { return &schema{typ: "object", open: true} }

func oneOf(values ...string) *schema { return &schema{typ: "string", enum: values} }

func whole(min, max float64) *schema { return &schema{typ: "integer", minimum: &min, maximum: &max} }

func listOf(items *schema) *schema { return &schema{typ: "array", items: items} }

func compiled(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	return regexp.MustCompile(pattern)
}

// check returns what is wrong with v, and fills in defaults where v is an object.
func (s *schema) check(v any, at string) []string {
	if len(s.oneOf) > 0 {
		return s.checkOneOf(v, at)
	}
	if s.typ != "" && !s.isType(v) {
		return []string{at + " must be " + s.typ}
	}
	switch v := v.(type) {
	case string:
		return s.checkString(v, at)
	case float64:
		return s.checkNumber(v, at)
	case []any:
		return s.checkArray(v, at)
	case map[string]any:
		return s.checkObject(v, at)
	}
	return nil
}

func (s *schema) isType(v any) bool {
	switch v := v.(type) {
	case string:
		return s.typ == "string"
	case bool:
		return s.typ == "boolean"
	case float64:
		return s.typ == "number" || s.typ == "integer" && v == float64(int64(v))
	case []any:
		return s.typ == "array"
	case map[string]any:
		return s.typ == "object"
	}
	return false
}

func (s *schema) checkOneOf(v any, at string) (errs []string) {
	matches := 0
	for _, one := range s.oneOf {
		wrong := one.check(v, at)
		if len(wrong) == 0 {
			matches++
		}
		errs = append(errs, wrong...)
	}
	if matches == 1 {
		return nil
	}
	return append(errs, at+" must match exactly one schema in oneOf")
}

func (s *schema) checkString(v, at string) (errs []string) {
	if n := utf8.RuneCountInString(v); s.maxLength > 0 && n > s.maxLength {
		errs = append(errs, fmt.Sprintf("%s must NOT have more than %d characters", at, s.maxLength))
	} else if n < s.minLength {
		errs = append(errs, fmt.Sprintf("%s must NOT have fewer than %d characters", at, s.minLength))
	}
	if s.re != nil && !s.re.MatchString(v) {
		errs = append(errs, fmt.Sprintf("%s must match pattern %q", at, s.pattern))
	}
	if len(s.enum) > 0 && !slices.Contains(s.enum, v) {
		errs = append(errs, at+" must be equal to one of the allowed values")
	}
	switch s.format {
	case "date-time":
		if _, err := time.Parse(time.RFC3339Nano, v); err != nil {
			errs = append(errs, at+` must match format "date-time"`)
		}
	case "uri":
		if u, err := url.Parse(v); err != nil || u.Scheme == "" {
			errs = append(errs, at+` must match format "uri"`)
		}
	}
	return errs
}

func (s *schema) checkNumber(v float64, at string) (errs []string) {
	if s.minimum != nil && v < *s.minimum {
		errs = append(errs, fmt.Sprintf("%s must be >= %g", at, *s.minimum))
	}
	if s.maximum != nil && v > *s.maximum {
		errs = append(errs, fmt.Sprintf("%s must be <= %g", at, *s.maximum))
	}
	return errs
}

func (s *schema) checkArray(v []any, at string) (errs []string) {
	if s.maxItems > 0 && len(v) > s.maxItems {
		errs = append(errs, fmt.Sprintf("%s must NOT have more than %d items", at, s.maxItems))
	}
	seen := map[string]int{}
	for i, item := range v {
		if s.items != nil {
			errs = append(errs, s.items.check(item, fmt.Sprintf("%s/%d", at, i))...)
		}
		key, isText := item.(string)
		if !s.unique || !isText {
			continue
		}
		if j, twice := seen[key]; twice {
			errs = append(errs, fmt.Sprintf("%s must NOT have duplicate items (items ## %d and %d are identical)", at, i, j))
			break
		}
		seen[key] = i
	}
	return errs
}

func (s *schema) checkObject(v map[string]any, at string) (errs []string) {
	for _, name := range s.required {
		if _, ok := v[name]; !ok {
			errs = append(errs, fmt.Sprintf("%s must have required property '%s'", at, name))
		}
	}
	known := map[string]bool{}
	for _, p := range s.properties {
		known[p.name] = true
	}
	for name, value := range v {
		switch {
		case known[name] || s.open:
		case s.values != nil:
			errs = append(errs, s.values.check(value, at+"/"+name)...)
		default:
			errs = append(errs, fmt.Sprintf("%s must NOT have additional properties: %q", at, name))
		}
	}
	for _, p := range s.properties {
		if value, ok := v[p.name]; ok {
			errs = append(errs, p.schema.check(value, at+"/"+p.name)...)
		} else if p.fill != nil {
			v[p.name] = copyDefault(p.fill)
		}
	}
	return errs
}

func copyDefault(v any) any {
	switch v.(type) {
	case []any:
		return []any{}
	case map[string]any:
		return map[string]any{}
	}
	return v
}

// document is the schema as JSON Schema.
func (s *schema) document() map[string]any {
	d := map[string]any{}
	set := func(key string, v any, present bool) {
		if present {
			d[key] = v
		}
	}
	set("type", s.typ, s.typ != "")
	set("pattern", s.pattern, s.pattern != "")
	set("minLength", s.minLength, s.minLength > 0)
	set("maxLength", s.maxLength, s.maxLength > 0)
	set("minimum", s.minimum, s.minimum != nil)
	set("maximum", s.maximum, s.maximum != nil)
	set("enum", s.enum, len(s.enum) > 0)
	set("format", s.format, s.format != "")
	set("maxItems", s.maxItems, s.maxItems > 0)
	set("uniqueItems", true, s.unique)
	set("required", s.required, len(s.required) > 0)
	if s.items != nil {
		d["items"] = s.items.document()
	}
	if len(s.oneOf) > 0 {
		var each []any
		for _, one := range s.oneOf {
			each = append(each, one.document())
		}
		d["oneOf"] = each
	}
	if s.typ == "object" && !s.open {
		d["additionalProperties"] = false
		if s.values != nil {
			d["additionalProperties"] = s.values.document()
		}
	}
	properties := map[string]any{}
	for _, p := range s.properties {
		one := p.schema.document()
		if p.fill != nil {
			one["default"] = p.fill
		}
		properties[p.name] = one
	}
	set("properties", properties, len(properties) > 0)
	return d
}

// schemaError is the answer to a body that does not fit its schema.
func (s *Server) schemaError(id string, errs []string) *apiError {
	return fail("InputValidationError", "\nSchema Validation Failed!\nRejecting Schema: %s\nErrors:\n  * %s",
		s.RootURL+id, strings.Join(errs, "\n  * "))
}
