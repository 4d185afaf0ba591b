package unittest

import (
	"encoding/json"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/runtime/job"
)

// FormatVersion is the version of the Document. Fields may be added without changing it.
const FormatVersion = "1"

// Document is what a run of the tests found: what tafc test -json prints.
type Document struct {
	FormatVersion string `json:"format_version"`
	Analysis      string `json:"analysis"`
	Seed          uint64 `json:"seed"`
	// Passed and Failed count tests and checks of laws.
	Passed      int               `json:"passed"`
	Failed      int               `json:"failed"`
	Tests       []Test            `json:"tests"` // in the order of the file
	Laws        []Law             `json:"laws"`  // inputs before their consumers
	Diagnostics []diag.Diagnostic `json:"diagnostics"`
}

// Test is how a test went.
type Test struct {
	Name     string  `json:"name"`
	Stage    string  `json:"stage"`
	Filename string  `json:"filename"`
	Line     int     `json:"line"`
	Passed   bool    `json:"passed"`
	Seconds  float64 `json:"seconds"`

	Message    string       `json:"message,omitempty"`    // why it failed
	Failure    *job.Failure `json:"failure,omitempty"`    // of the code
	Difference []Difference `json:"difference,omitempty"` // between expect and the result
	Notes      []string     `json:"notes,omitempty"`      // what may explain it
	Result     []Row        `json:"result"`               // what came out, sorted by key
	Unasserted bool         `json:"unasserted,omitempty"` // the test says nothing of the result
	Log        []string     `json:"log,omitempty"`        // what the code printed and logged
}

// Row is a pair of a result, or a line.
type Row struct {
	Key   json.RawMessage `json:"key,omitempty"`
	Value json.RawMessage `json:"value,omitempty"` // not there when it is absent
	Line  *string         `json:"line,omitempty"`
}

// The kinds of differences.
const (
	Same       = "same"
	Missing    = "missing"
	Unexpected = "unexpected"
	Changed    = "changed"
)

// Difference is a pair, or a line, of expect or of the result, or one that is in both with another value.
type Difference struct {
	Change   string   `json:"change"` // same, missing, unexpected, changed
	Expected *Row     `json:"expected,omitempty"`
	Result   *Row     `json:"result,omitempty"`
	Places   []string `json:"places,omitempty"` // of a changed value: .views 23 → 24
}

// Law is the check of a reduce.
type Law struct {
	Stage      string      `json:"stage"`
	Laws       []string    `json:"laws"` // that were checked
	Passed     bool        `json:"passed"`
	Seconds    float64     `json:"seconds"`
	Calls      int         `json:"calls"`             // of combine and reduce
	Message    string      `json:"message,omitempty"` // why the check could not be made
	Violations []Violation `json:"violations"`
}

// Violation is a counterexample to a law.
type Violation struct {
	Law      string            `json:"law"`
	Key      json.RawMessage   `json:"key"`
	Values   []json.RawMessage `json:"values"`
	MadeUp   bool              `json:"made_up"`  // not all values are those of a test
	Rounding bool              `json:"rounding"` // the results differ by no more than floats are rounded
	First    Way               `json:"first"`
	Second   Way               `json:"second"`
}

// Way is a way to put values together, and what comes of it.
type Way struct {
	Expression string `json:"expression"` // reduce("/", [combine("/", [1, 2]), 3])
	Result     []Row  `json:"result"`
	Error      string `json:"error,omitempty"` // the code failed with this instead
}
