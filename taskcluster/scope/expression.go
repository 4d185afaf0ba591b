package scope

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Expression says which scopes a call needs: one scope, all of some expressions, or any of them. Exactly one field is set; the zero
// value needs nothing. Its JSON is that of Taskcluster: a string, or an object with AllOf or AnyOf.
type Expression struct {
	Scope string
	AllOf []Expression
	AnyOf []Expression
}

// All needs each of the scopes.
func All(scopes ...string) Expression { return Expression{AllOf: leaves(scopes)} }

// Any needs one of the scopes.
func Any(scopes ...string) Expression { return Expression{AnyOf: leaves(scopes)} }

func leaves(scopes []string) []Expression {
	leaves := make([]Expression, len(scopes))
	for i, s := range scopes {
		leaves[i] = Expression{Scope: s}
	}
	return leaves
}

// SatisfiedBy says whether the scopes held are enough.
func (e Expression) SatisfiedBy(held []string) bool {
	switch {
	case e.Scope != "":
		return Satisfied(held, e.Scope)
	case e.AnyOf != nil:
		return slices.ContainsFunc(e.AnyOf, func(x Expression) bool { return x.SatisfiedBy(held) })
	}
	return !slices.ContainsFunc(e.AllOf, func(x Expression) bool { return !x.SatisfiedBy(held) })
}

// Missing is what is still needed by someone who holds these scopes, in the same form; the zero value when nothing is.
func (e Expression) Missing(held []string) Expression {
	if e.SatisfiedBy(held) {
		return Expression{}
	}
	if e.AllOf == nil {
		return e
	}
	var missing []Expression
	for _, x := range e.AllOf {
		if m := x.Missing(held); !m.IsZero() {
			missing = append(missing, m)
		}
	}
	if len(missing) == 1 {
		return missing[0]
	}
	return Expression{AllOf: missing}
}

// Scopes lists scopes that would be enough. Where any of some is, it names the last one: Taskcluster lists the strongest first.
func (e Expression) Scopes() []string {
	var scopes []string
	switch {
	case e.Scope != "":
		return []string{e.Scope}
	case len(e.AnyOf) > 0:
		scopes = e.AnyOf[len(e.AnyOf)-1].Scopes()
	}
	for _, x := range e.AllOf {
		scopes = append(scopes, x.Scopes()...)
	}
	return Normalize(scopes)
}

// IsZero says whether the expression needs nothing.
func (e Expression) IsZero() bool { return e.Scope == "" && len(e.AllOf) == 0 && e.AnyOf == nil }

// Valid says whether all that the expression names can be scopes.
func (e Expression) Valid() bool {
	return Valid(e.Scope) && !slices.ContainsFunc(slices.Concat(e.AllOf, e.AnyOf), func(x Expression) bool { return !x.Valid() })
}

// String writes the expression on one line: "a and (b or c)".
func (e Expression) String() string { return e.text(false) }

func (e Expression) text(nested bool) string {
	if e.Scope != "" {
		return e.Scope
	}
	list, word := e.AllOf, " and "
	if e.AnyOf != nil {
		list, word = e.AnyOf, " or "
	}
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = x.text(true)
	}
	text := strings.Join(parts, word)
	if nested && len(parts) > 1 {
		return "(" + text + ")"
	}
	return text
}

// MarshalJSON writes the form of Taskcluster.
func (e Expression) MarshalJSON() ([]byte, error) {
	switch {
	case e.Scope != "":
		return json.Marshal(e.Scope)
	case e.AnyOf != nil:
		return json.Marshal(map[string][]Expression{"AnyOf": e.AnyOf})
	}
	return json.Marshal(map[string][]Expression{"AllOf": slices.Concat([]Expression{}, e.AllOf)})
}

// UnmarshalJSON reads the form of Taskcluster.
func (e *Expression) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '"' {
		*e = Expression{}
		return json.Unmarshal(b, &e.Scope)
	}
	var object struct {
		AllOf, AnyOf []Expression
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&object); err != nil {
		return err
	}
	if (object.AllOf == nil) == (object.AnyOf == nil) {
		return errors.New("a scope expression is a scope, or has either AllOf or AnyOf")
	}
	*e = Expression{AllOf: object.AllOf, AnyOf: object.AnyOf}
	return nil
}
