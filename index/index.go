package index

import "context"

// Source lists the files of an index. Implementations are in the folders below this one.
type Source interface {
	// String is the source as an analysis writes it, such as dir:data.
	String() string
	// Revision is an opaque text that changes whenever what Scan yields changes.
	Revision(ctx context.Context) (string, error)
	// Scan calls fn for every file, in key order. It stops at the first error of fn and returns it. Fn must not use the source.
	Scan(ctx context.Context, fn func(File) error) error
	// Layout is the layout that the source recorded (a name or a template), or empty when it knows none.
	Layout() string
	// Root is what the keys are relative to when tasks fetch them: an absolute folder as file:///… (see FileURL), another URL,
	// or empty when unknown.
	Root() string
	Close() error
}

// File is one row of an index. Key and ETag are valid only during the call that gets them.
type File struct {
	Key  []byte // relative to the root, with / between components
	Size int64  // bytes as stored, -1 when unknown
	ETag []byte // changes when the content changes

	// Dims are the values of the dimensions when the source knows them without the key: all of those of the layout, in its
	// order. Nil means that they are read out of the key.
	Dims [][]byte

	Modified int64 // when the content was stored, Unix time in seconds; 0 when the source does not tell
}

// Op is what a condition does with a dimension's value. The names are those of the language.
type Op string

// The operators and how many values they have.
const (
	OpAny     Op = "any"     // none
	OpOneOf   Op = "oneof"   // any number
	OpBetween Op = "between" // two, both inclusive, byte order
	OpAtLeast Op = "atleast" // one
	OpAtMost  Op = "atmost"  // one
	OpGlob    Op = "glob"    // one
	OpMatches Op = "matches" // one
	OpDates   Op = "dates"   // two, dates as 2006-01-02, both inclusive; an empty one is no bound
	OpVersion Op = "version" // one, comparisons such as ">= 28.0, < 100"
)

// Term is a condition on one dimension. Values are as people write them; doc.go says how they are compared.
type Term struct {
	Dimension string
	Op        Op
	Values    []string
}

// Filter selects files: all Where terms hold, and not all of the Exclude terms (an empty Exclude leaves nothing out).
type Filter struct {
	Where   []Term
	Exclude []Term

	// Limit is the most files, chosen by their keys alone when more match; 0: all of them.
	Limit int

	// AsService compares as the ancestors' index service does: the values of the terms are sanitised, those of the keys are not
	// (exact_keys of the language).
	AsService bool
}

// Selection is what a filter selects of an index. It is immutable once Select has returned it.
type Selection struct {
	Source   string // as the analysis writes it
	Revision string
	Layout   *Layout // nil: no layout, the files have no dimensions
	Root     string

	Files *Table // the matching files, in key order

	Total          int   // all files of the index
	Bytes          int64 // of the matching files
	Unparsed       int   // keys that do not fit the layout; they never match
	UnparsedSample []string
	Funnel         []Step // one for each condition that is not any(), in the filter's order, exclude last
	Dimensions     []Dimension

	// Unlisted is how many folders were not listed because the filter refuses all that can be in them, or -1 when the source left
	// out files and cannot tell more. When it is not 0, Total, Unparsed
	// and the counts of Funnel and Dimensions are only of what was listed: at least so many. The files are all there.
	Unlisted int
	// Live is the filter when Revision tells of the matching files alone: whether it still holds, only the same selection can
	// tell. Nil when the source's own revision tells.
	Live *Filter
}

// Step says how many files were left after one more condition.
type Step struct {
	Dimension string // "exclude" for the exclude block, "limit" for Filter.Limit
	Left      int
	Unlisted  int // folders that were not listed because of this condition
}

// Dimension is what an index holds of one dimension, before the filter.
type Dimension struct {
	Name   string
	Values []ValueCount // sorted by value
}

// ValueCount is one value of a dimension and how many files have it.
type ValueCount struct {
	Value string
	Files int
}

// Splitter is a Source whose files can be read by several goroutines at the same time.
type Splitter interface {
	Source
	// Split returns at most n parts, at least one. Each may be scanned once, by a goroutine of its own. Together they yield what Scan
	// yields, and all keys of a part come before those of the next one.
	Split(ctx context.Context, n int) ([]Part, error)
}

// Part is the Scan of a part of a source.
type Part func(ctx context.Context, fn func(File) error) error
