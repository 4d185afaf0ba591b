package job

import "encoding/json"

// Op is what a condition does with a value of a record. The names are those of the language.
type Op string

// The operators and how many values they have. Texts and numbers are compared with their like: no number is between two texts.
const (
	OpOneOf   Op = "oneof"   // any number: texts, numbers, true, false, null
	OpExists  Op = "any"     // none: the record has the field, be it null
	OpMissing Op = "missing" // none
	OpBetween Op = "between" // two, both inclusive
	OpAtLeast Op = "atleast" // one
	OpAtMost  Op = "atmost"  // one
	OpGlob    Op = "glob"    // one text: * ? [a-z] {a,b} over the whole text
	OpVersion Op = "version" // one text: comparisons of versions, such as ">= 28.0, < 100"
	OpMatches Op = "matches" // one text: an RE2 expression, found anywhere in the text
)

// Condition is a test of one field of a record.
type Condition struct {
	Field  string            `json:"field"` // path such as info.OS or addons[0].name
	Op     Op                `json:"op"`
	Values []json.RawMessage `json:"values,omitempty"`
}

// OperationKind is which ready-made operation a task carries out in the place of the user's code.
type OperationKind string

// The operations. All but select make a partial result for each group, which a reduce with the same operation puts together.
const (
	OpCountBy   OperationKind = "count_by"
	OpSum       OperationKind = "sum"
	OpHistogram OperationKind = "histogram"
	OpDistinct  OperationKind = "distinct"
	OpTop       OperationKind = "top"
	OpQuantiles OperationKind = "quantiles"
	OpSelect    OperationKind = "select"
)

// Operation says what to make of records. Fields are paths such as info.OS.
type Operation struct {
	Kind OperationKind `json:"kind"`
	// Fields are what is measured: one, for sum one or more; for count_by and select those that are counted by or selected.
	Fields []string `json:"fields,omitempty"`
	By     []string `json:"by,omitempty"` // groups; empty: one group of all records

	Buckets []float64 `json:"buckets,omitempty"` // histogram: lower bounds, ascending
	Width   float64   `json:"width,omitempty"`   // histogram: of equal buckets, instead of Buckets
	N       int       `json:"n,omitempty"`       // top
	At      []float64 `json:"at,omitempty"`      // quantiles: 0..1

	// Texts tells that numbers stand in the records as texts, as in csv and tsv.
	Texts bool `json:"texts,omitempty"`
}
